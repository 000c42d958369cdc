"""What the approval page may ask for, and who may."""

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pawcast.callers import Caller
from pawcast.errors import Conflict, InvalidRequest, NotAllowed, NotFound
from pawcast.forecasting.weekly.approving import Decider
from pawcast.forecasting.weekly.plan import StorePlan, lines_key
from pawcast.forecasting.weekly.planner_api import EDITS_MAX, TEXT_MAX, PlannerApi
from pawcast.forecasting.weekly.planning import line_of
from pawcast.forecasting.weekly.run import Quarantined, Receipt, Run, RunState, Sentences
from tests.support.week_fakes import TUESDAY, WEEK, FakeFiles, FakeWeeks, FakeWorkflow, a_plan, a_run

MINA = Caller(user_id="planner-1", email="mina@example.com", groups=frozenset({"planners"}))
MONDAY, TUESDAY_ROW, SUNDAY = "2026-11-30T00:00:00", "2026-12-01T00:00:00", "2026-12-06T00:00:00"
LOOK = Sentences(ko="확인", en="look")


class Page:
    """The API around a week that waits for approval, with three stores of which S3 wants a look."""

    def __init__(self, run: Run | None = None, plans: tuple[StorePlan, ...] = ()) -> None:
        run = run or a_run(RunState.WAITING_FOR_APPROVAL)
        self.weeks, self.files, self.workflow, self.now = FakeWeeks(run), FakeFiles(), FakeWorkflow(), TUESDAY
        plans = plans or (a_plan("S1"), a_plan("S2"), a_plan("S3", look=LOOK, name="Aroma"))
        self.files.hold(run, *plans)
        lines = [line_of(plan, 0).model_dump(mode="json") for plan in plans]
        self.files.put_json(lines_key(run.prefix), lines)
        apart = Quarantined(store_id="S3", reason="absurd", text=LOOK)
        self.files.put_json(f"{run.prefix}/result.json", {"quarantined": [apart.model_dump(mode="json")]})
        self.weeks.put_token(run.week, run.attempt, "secret-token")
        ids = (f"{number:032x}" for number in range(100))
        self.api = PlannerApi(
            weeks=self.weeks,
            files=self.files,
            workflow=self.workflow,
            decider=Decider(weeks=self.weeks, workflow=self.workflow, now=lambda: self.now),
            zone=ZoneInfo("Asia/Seoul"),
            now=lambda: self.now,
            new_id=lambda: next(ids),
        )

    def edit(self, store: str = "S1", by: Caller = MINA, **changes: Any) -> dict[str, Any]:
        request = {"plan_version": 1, "reason": "street fair", "edits": [{"ts": MONDAY, "staff": 5}]}
        return self.api.edit(by, WEEK, store, request | changes)

    def stores(self, **query: str) -> dict[str, Any]:
        return self.api.stores(MINA, WEEK, query)

    @property
    def run(self) -> Run:
        return self.weeks.runs[WEEK]


OPERATIONS: dict[str, Callable[[PlannerApi, Caller], object]] = {
    "list": lambda api, who: api.list(who, {}),
    "one": lambda api, who: api.one(who, WEEK),
    "stores": lambda api, who: api.stores(who, WEEK, {}),
    "store": lambda api, who: api.store(who, WEEK, "S1"),
    "edit": lambda api, who: api.edit(who, WEEK, "S1", {}),
    "comment": lambda api, who: api.comment(who, WEEK, {"text": "hello"}),
    "decide": lambda api, who: api.decide(who, WEEK, {"decision": "approve", "plan_version": 1}),
    "resend": lambda api, who: api.resend(who, WEEK, {}),
    "start": lambda api, who: api.start(who, WEEK, {}),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("groups", [(), ("moderators",), ("Planners",), ("planners-of-others",)])
def test_nobody_but_planners_may_do_anything(operation: str, groups: tuple[str, ...]) -> None:
    page = Page()
    before = page.weeks.runs | {}

    with pytest.raises(NotAllowed, match="planners"):
        OPERATIONS[operation](page.api, Caller(user_id="x", email=None, groups=frozenset(groups)))

    assert (before, {}, []) == (page.weeks.runs, page.workflow.started, page.weeks.history)


def test_every_operation_of_the_api_is_in_the_test_of_rights() -> None:
    assert {name for name in vars(PlannerApi) if not name.startswith("_")} - {"__init__"} == set(OPERATIONS)


# ------------------------------------------------------------ weeks


def test_weeks_are_listed_newest_first_page_by_page() -> None:
    page = Page()
    for week in ("2026-W46", "2026-W47", "2026-W48"):
        page.weeks.runs[week] = a_run(RunState.DONE, week=week)

    first = page.api.list(MINA, {"limit": "3"})
    second = page.api.list(MINA, {"limit": "3", "cursor": first["next_cursor"]})

    assert ["2026-W49", "2026-W48", "2026-W47"] == [item["week"] for item in first["items"]]
    assert (["2026-W46"], None) == ([item["week"] for item in second["items"]], second["next_cursor"])


def test_a_week_says_until_when_people_must_act_and_what_it_is_about() -> None:
    head = Page().api.list(MINA, {})["items"][0]

    assert ("2026-11-30", "waiting_for_approval", 1, 3, None) == (
        head["monday"],
        head["state"],
        head["plan_version"],
        head["stores"],
        head["ended_at"],
    )
    assert ("2026-11-25T09:00:00+00:00", "2026-11-26T03:00:00+00:00") == (head["approve_by"], head["deadline"])


@pytest.mark.parametrize("limit", ["0", "201", "-1", "ten", "1.5", "", "²", "9" * 5000])
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Page().api.list(MINA, {"limit": limit})

    assert ("limit_invalid", "limit") == (refused.value.request_code, refused.value.field)


@pytest.mark.parametrize("cursor", ["%%%", "a", "한글", base64.urlsafe_b64encode(b"\xff\xfe").decode(), "QUFB" * 40])
def test_a_cursor_that_is_none_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Page().api.list(MINA, {"cursor": cursor})

    assert ("cursor_invalid", "cursor") == (refused.value.request_code, refused.value.field)


@pytest.mark.parametrize("position", ["-1", "x", "1.5", "9" * 12, "²"])
def test_a_cursor_of_another_list_is_refused_by_the_list_of_stores(position: str) -> None:
    cursor = base64.urlsafe_b64encode(position.encode()).decode()

    with pytest.raises(InvalidRequest, match="cursor"):
        Page().stores(cursor=cursor)


def test_one_week_has_everything_that_a_decision_needs_but_not_the_token() -> None:
    page = Page()
    page.api.comment(MINA, WEEK, {"text": "  why so\nfew?\x07  "})

    shown = page.api.one(MINA, WEEK)

    assert "https://signed.example/runs/2026-W49/1/report/index.html?seconds=900" == shown["report_url"]
    assert ["S3"] == [store["store_id"] for store in shown["quarantined"]]
    assert {"told": 0, "sending": 0, "no_address": 0, "refused": 0, "uncertain": 0, "missing": 3} == shown["receipts"]
    assert [("commented", "planner-1", "Comment: why so\nfew?")] == [
        (event["step"], event["by"], event["text"]["en"]) for event in shown["events"]
    ]
    assert "secret-token" not in repr(shown)


def test_a_week_that_failed_before_it_had_a_plan_shows_why() -> None:
    page = Page(a_run(RunState.FAILED, totals=None, error=Sentences(ko="실패", en="no data"), error_code="x"))

    shown = page.api.one(MINA, WEEK)

    assert ({"ko": "실패", "en": "no data"}, None, [], None) == (
        shown["error"],
        shown["report_url"],
        shown["quarantined"],
        shown["totals"],
    )
    with pytest.raises(NotFound, match="no plan yet"):
        page.stores()


@pytest.mark.parametrize("week", ["2026-W48", "2001-W01"])
def test_a_week_without_a_run_is_not_found(week: str) -> None:
    with pytest.raises(NotFound, match=f"{week} has no run"):
        Page().api.one(MINA, week)


@pytest.mark.parametrize("week", ["2026-49", "2026-W54", "0000-W01", "next", "2026-W49/../x", ""])
def test_a_week_that_is_none_is_refused(week: str) -> None:
    for operation in ("one", "store", "start", "comment"):
        with pytest.raises(InvalidRequest) as refused:
            {
                "one": lambda: Page().api.one(MINA, week),
                "store": lambda: Page().api.store(MINA, week, "S1"),
                "start": lambda: Page().api.start(MINA, week, {}),
                "comment": lambda: Page().api.comment(MINA, week, {"text": "x"}),
            }[operation]()

        assert "week" == refused.value.field


# ------------------------------------------------------------ stores


def test_stores_that_need_a_look_come_first_and_the_rest_by_name() -> None:
    page = Page(plans=(a_plan("S1", name="Zed"), a_plan("S2", name="Alpha"), a_plan("S3", look=LOOK, name="Mid")))

    shown = page.stores()

    assert (["S3", "S2", "S1"], 3, None) == (
        [item["store_id"] for item in shown["items"]],
        shown["total"],
        shown["next_cursor"],
    )
    assert [True, False, False] == [item["needs_look"] for item in shown["items"]]


@pytest.mark.parametrize(
    ("wanted", "found"), [("s2", ["S2"]), ("AROMA", ["S3"]), (" Store ", ["S1", "S2"]), ("nowhere", []), ("S", 3)]
)
def test_stores_are_found_by_id_and_name(wanted: str, found: list[str] | int) -> None:
    shown = Page().stores(q=wanted)

    assert found == (shown["total"] if isinstance(found, int) else [item["store_id"] for item in shown["items"]])


def test_stores_come_page_by_page_with_the_total() -> None:
    page = Page()

    first = page.stores(limit="2")
    second = page.stores(limit="2", cursor=first["next_cursor"])

    assert ["S3", "S1", "S2"] == [item["store_id"] for item in [*first["items"], *second["items"]]]
    assert (3, 3, None) == (first["total"], second["total"], second["next_cursor"])


def test_a_stores_line_says_whether_it_was_edited_and_told() -> None:
    page = Page(a_run(RunState.DISTRIBUTING))
    told = Receipt(week=WEEK, store_id="S1", plan_version=1, state="told", at=TUESDAY, key="k")
    lost = told.model_copy(update={"store_id": "S2", "state": "sending", "claimed_until": TUESDAY})
    page.weeks.kept = {(WEEK, 1, receipt.store_id): receipt for receipt in (told, lost)}
    page.now += timedelta(minutes=5)

    states = {item["store_id"]: item["receipt"] and item["receipt"]["state"] for item in page.stores()["items"]}

    assert {"S1": "told", "S2": "uncertain", "S3": None} == states


def test_one_store_has_its_rows_and_an_unknown_one_is_not_found() -> None:
    page = Page()

    shown = page.api.store(MINA, WEEK, "S1")

    assert (7, 1, False, []) == (len(shown["rows"]), shown["plan_version"], shown["edited"], shown["edits"])
    with pytest.raises(NotFound, match="'S9'"):
        page.api.store(MINA, WEEK, "S9")


# ------------------------------------------------------------ edits


def test_an_edit_is_a_new_plan_version_with_its_reason_in_the_history() -> None:
    page = Page()

    shown = page.edit(reason="  street fair ")

    assert (2, 5, True, 20.0) == (
        shown["plan_version"],
        shown["rows"][0]["staff"],
        shown["edited"],
        shown["staff_days"],
    )
    assert [("2026-11-30T00:00:00", 5, 3, "planner-1", "street fair")] == [
        (edit["ts"], edit["staff"], edit["planned"], edit["by"], edit["reason"]) for edit in shown["edits"]
    ]
    assert ["edited"] == [event.step for event in page.weeks.history]
    assert 2 == page.run.plan_version
    assert {"S1": True, "S2": False, "S3": False} == {
        item["store_id"]: item["edited"] for item in page.stores()["items"]
    }


def test_an_edit_of_a_plan_that_moved_on_is_a_conflict_and_changes_nothing() -> None:
    page = Page()
    page.edit()

    with pytest.raises(Conflict, match="at version 2 by now"):
        page.edit("S2", plan_version=1)

    assert [("S1", 5)] == [(edit.store_id, edit.staff) for edit in page.weeks.edits(WEEK)]


@pytest.mark.parametrize("state", [RunState.APPROVED, RunState.DISTRIBUTING, RunState.DONE, RunState.REJECTED])
def test_a_plan_that_was_decided_is_edited_no_more(state: RunState) -> None:
    with pytest.raises(Conflict, match="can't be edited"):
        Page(a_run(state)).edit()


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"reason": ""}, "reason_missing", "reason"),
        ({"reason": "\x00\x07"}, "reason_missing", "reason"),
        ({"reason": 5}, "invalid_request", "reason"),
        ({"reason": "x" * (TEXT_MAX + 1)}, "invalid_request", "reason"),
        ({"edits": []}, "invalid_request", "edits"),
        ({"edits": None}, "invalid_request", "edits"),
        ({"edits": [{"ts": MONDAY, "staff": 3}] * (EDITS_MAX + 1)}, "invalid_request", "edits"),
        ({"edits": ["Monday"]}, "invalid_request", "staff"),
        ({"edits": [{"ts": MONDAY}]}, "invalid_request", "staff"),
        ({"edits": [{"ts": MONDAY, "staff": True}]}, "invalid_request", "staff"),
        ({"edits": [{"ts": MONDAY, "staff": 3.5}]}, "invalid_request", "staff"),
        ({"edits": [{"ts": "Monday", "staff": 3}]}, "invalid_request", "ts"),
        ({"edits": [{"staff": 3}]}, "invalid_request", "ts"),
        ({"edits": [{"ts": MONDAY + "Z", "staff": 3}]}, "invalid_request", "ts"),
        ({"edits": [{"ts": SUNDAY, "staff": 3}]}, "edit_closed", "ts"),
        ({"edits": [{"ts": MONDAY, "staff": 2}]}, "edit_below_minimum", "staff"),
        ({"edits": [{"ts": MONDAY, "staff": 10**30}]}, "edit_too_many", "staff"),
        # one bad cell refuses them all
        ({"edits": [{"ts": MONDAY, "staff": 5}, {"ts": TUESDAY_ROW, "staff": 0}]}, "edit_below_minimum", "staff"),
    ],
)
def test_an_edit_that_can_not_be_is_refused_by_the_field(changes: dict[str, Any], code: str, field: str) -> None:
    page = Page()

    with pytest.raises(InvalidRequest) as refused:
        page.edit(**changes)

    assert (code, field) == (refused.value.request_code, refused.value.field)
    assert (1, []) == (page.run.plan_version, page.weeks.history)


@pytest.mark.parametrize("version", [None, "1", 0, 99])
def test_an_edit_names_the_version_that_was_looked_at(version: object) -> None:
    with pytest.raises(Conflict):
        Page().edit(plan_version=version)


# ------------------------------------------------------------ comments and decisions


@pytest.mark.parametrize("text", ["", "   ", None, 7, "x" * (TEXT_MAX + 1)])
def test_a_comment_says_something(text: object) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Page().api.comment(MINA, WEEK, {"text": text})

    assert "text" == refused.value.field


def test_a_comment_with_braces_is_only_text() -> None:
    shown = Page().api.comment(MINA, WEEK, {"text": "{comment} {0} %s"})

    assert "Comment: {comment} {0} %s" == shown["events"][-1]["text"]["en"]


def test_an_approval_answers_the_state_machine_and_shows_the_week() -> None:
    page = Page()

    shown = page.api.decide(MINA, WEEK, {"decision": "approve", "plan_version": 1, "reason": "fine"})

    assert ("approved", "planner-1", "fine") == (shown["state"], shown["approval"]["by"], shown["approval"]["reason"])
    assert [("secret-token", {"decision": "approve", "plan_version": 1})] == page.workflow.answers


@pytest.mark.parametrize("version", [None, "1", 1.0, True])
def test_a_decision_names_the_version_that_was_looked_at(version: object) -> None:
    page = Page()

    with pytest.raises(InvalidRequest) as refused:
        page.api.decide(MINA, WEEK, {"decision": "approve", "plan_version": version})

    assert "plan_version" == refused.value.field
    assert [] == page.workflow.answers


def test_a_decision_on_a_plan_that_moved_on_is_a_conflict() -> None:
    page = Page()
    page.edit()

    with pytest.raises(Conflict, match="you looked at 1"):
        page.api.decide(MINA, WEEK, {"decision": "approve", "plan_version": 1})


def test_neither_a_missing_nor_another_decision_is_one() -> None:
    for request in ({}, {"decision": None}, {"decision": ["approve"]}):
        with pytest.raises(InvalidRequest, match="approve or reject"):
            Page().api.decide(MINA, WEEK, {"plan_version": 1} | request)


# ------------------------------------------------------------ starting and sending again


def test_a_plan_is_sent_again_by_an_execution_of_its_own() -> None:
    page = Page(a_run(RunState.DONE, shards=41))

    shown = page.api.resend(MINA, WEEK, {"include_uncertain": True})

    (name, request) = next(iter(page.workflow.started.items()))
    assert ("done", "2026-W49-resend-000000000000") == (shown["state"], name)
    assert {
        "resend": {
            "week": WEEK,
            "attempt": 1,
            "shards": list(range(41)),
            "many_shards": True,
            "include_uncertain": True,
        }
    } == request


@pytest.mark.parametrize("asked", [{}, {"include_uncertain": False}, {"include_uncertain": "yes"}])
def test_uncertain_stores_are_told_again_only_when_a_person_says_so(asked: dict[str, Any]) -> None:
    page = Page(a_run(RunState.DONE))

    page.api.resend(MINA, WEEK, asked)

    (request,) = page.workflow.started.values()
    assert not request["resend"]["include_uncertain"]


@pytest.mark.parametrize(
    "run", [a_run(state) for state in RunState if state not in (RunState.DONE, RunState.DISTRIBUTING)]
)
def test_a_plan_that_nobody_approved_is_sent_to_no_store(run: Run) -> None:
    page = Page(run)

    with pytest.raises(Conflict, match="only an approved plan"):
        page.api.resend(MINA, WEEK, {})

    assert {} == page.workflow.started


def test_a_week_is_started_by_hand_with_a_reason_to_pass_the_gate() -> None:
    page = Page()

    started = page.api.start(MINA, "2026-W40", {"override_gate_reason": " census day "})

    assert {"week": "2026-W40", "execution": "2026-W40-by-hand-000000000000"} == started
    assert {"week": "2026-W40", "started_by": "planner-1", "override_gate_reason": "census day"} == (
        page.workflow.started["2026-W40-by-hand-000000000000"]
    )


@pytest.mark.parametrize("week", ["2026-W51", "2027-W01", "9999-W01"])
def test_a_week_too_far_ahead_is_not_started(week: str) -> None:
    page = Page()

    with pytest.raises(InvalidRequest, match="too far ahead"):
        page.api.start(MINA, week, {})

    assert {} == page.workflow.started


def test_the_week_after_next_may_be_started() -> None:
    assert "2026-W50" == Page().api.start(MINA, "2026-W50", {})["week"]
