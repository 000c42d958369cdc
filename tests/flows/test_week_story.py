"""A chain's week from the head office's files to the stores' mails: every function, with its adapters on moto."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from pawcast.adapters.run_frames import frame_of, parquet_bytes
from pawcast.errors import Conflict, DataNotFresh, DependencyUnavailable
from pawcast_ops.demo.chain import Chain
from tests.support.weekly import LAST_KNOWN, WEEK, WeekStack, chain, csv

WEDNESDAY = datetime(2026, 11, 24, 21, tzinfo=UTC)  # 06:00 on Wednesday in Seoul
CHAIN = chain(by_hour=1, weeks=13)
WAREHOUSE: dict[str, bytes] = {}
NEWEST = CHAIN.visits["ts"] > pd.Timestamp(LAST_KNOWN) - pd.Timedelta(days=7)
SECOND_PLANNER = {"sub": "planner-2", "email": "p2@example.com", "token_use": "id", "cognito:groups": "[planners]"}


# Powertools says so of a handler that raised before it counted anything
pytestmark = pytest.mark.filterwarnings("ignore:No application metrics to publish:UserWarning")


class Story(WeekStack):
    """What people and the state machine do in a week."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(monkeypatch)
        self.mails: list[tuple[str, str]] = []
        self.mail_service: list[BaseException | None] = []  # what becomes of the next mails, in order
        sends = self.functions["tell_stores"].distribution.mailer.send

        def send(mail: Any) -> None:
            trouble = self.mail_service.pop(0) if self.mail_service else None
            if isinstance(trouble, DependencyUnavailable):
                raise trouble
            sends(mail)
            self.mails.append((mail.to, mail.text))
            if trouble is not None:
                raise trouble  # the worker dies after the mail left

        mailer = type("Mailer", (), {"send": staticmethod(send)})()
        told = self.functions["tell_stores"]
        monkeypatch.setattr(told, "distribution", replace(told.distribution, mailer=mailer))
        self.answers: list[tuple[str, str]] = []
        machine = self.functions["serve_weeks"].api.workflow
        monkeypatch.setattr(machine, "succeed", lambda token, output: self.answers.append((token, output["decision"])))
        monkeypatch.setattr(machine, "fail", lambda token, error, cause: self.answers.append((token, error)))

    def drop_chain(self, chain: Chain) -> None:
        """Drop everything; what the first test's drops made of the warehouse, the next ones begin with."""
        if not WAREHOUSE:
            super().drop_chain(chain)
            for found in self.s3.list_objects_v2(Bucket="warehouse")["Contents"]:
                WAREHOUSE[found["Key"]] = self.s3.get_object(Bucket="warehouse", Key=found["Key"])["Body"].read()
        for key, content in WAREHOUSE.items():
            self.s3.put_object(Bucket="warehouse", Key=key, Body=content)

    def told_addresses(self) -> list[str]:
        return [address for address, _ in self.mails]

    def kinds(self) -> list[str]:
        """What planners heard of the week since the last call."""
        return [event["event"] for event in self.heard() if event["event"] != "DropTaken"]

    def heard_tokens(self) -> list[str]:
        """Events that planners heard, as far as they say a token."""
        return [text for text in map(json.dumps, self.heard()) if "secret-token" in text]

    def ask(self, opened: dict[str, Any], token: str = "secret-token") -> None:
        self.call("ask_approval", week=opened["week"], attempt=opened["attempt"], token=token)

    def ready(self) -> dict[str, Any]:
        """A week that waits for approval."""
        self.drop_chain(CHAIN)
        opened = self.compute()
        self.ask(opened)
        self.kinds()
        return opened

    def approved(self) -> dict[str, Any]:
        opened = self.ready()
        assert self.decide("approve")[0] == 200
        return opened

    def decide(self, decision: str, version: int = 1, **more: Any) -> tuple[int, Any]:
        body = {"decision": decision, "plan_version": version, **more}
        return self.http("POST", f"/weeks/{WEEK}/decision", body)

    def shown(self, week: str = WEEK) -> dict[str, Any]:
        status, body = self.http("GET", f"/weeks/{week}")
        assert status == 200
        return dict(body)

    def tell(self, opened: dict[str, Any], *, include_uncertain: bool = False) -> Any:
        own = {"week": opened["week"], "attempt": opened["attempt"]}
        for shard in opened["shards"]:
            self.call("tell_stores", **own, shard=shard, include_uncertain=include_uncertain)
        return self.call("close_week", **own, execution="run-1", ending="done")


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch) -> Story:
    return Story(monkeypatch)


def test_a_week_from_missing_data_to_every_stores_plan(story: Story) -> None:
    # Monday: head office drops everything but the newest week
    story.drop("stores", "stores.csv", csv(CHAIN.stores))
    story.drop("promotions", "promotions.csv", csv(CHAIN.promotions))
    story.drop("visits", "visits-history.csv", csv(CHAIN.visits[~NEWEST]))

    # Tuesday: the run finds it missing; planners hear it, and the record says so in both languages
    with pytest.raises(DataNotFresh) as stale:
        story.compute("tuesday")
    request = {"started_by": "schedule"}
    closed = story.call("close_week", execution="tuesday", ending="failed", error=caught(stale.value), request=request)
    failed = story.shown()
    assert ({"outcome": "failed", "code": "data_not_fresh"}, ["data_not_fresh"]) == (closed, story.kinds())
    assert "failed" == failed["state"]
    assert "12 of 12 stores" in failed["error"]["en"]
    assert "12곳" in failed["error"]["ko"]
    assert "2026-11-22" in failed["error"]["en"]

    # the data arrives; Wednesday's schedule runs the week
    story.drop("visits", "visits-newest.csv", csv(CHAIN.visits[NEWEST]))
    story.now = WEDNESDAY
    opened = story.compute("wednesday")
    story.ask(opened)
    waiting = story.shown()
    assert (2, True) == (opened["attempt"], opened["report"]["gate_passed"])
    assert ("waiting_for_approval", 12, None) == (waiting["state"], waiting["totals"]["stores"], waiting["error"])
    assert ["approval_wanted"] == story.kinds()

    # a planner edits a store; another, who looked before, may not approve
    monday = {"ts": "2026-11-30T00:00:00", "staff": 33}
    path = f"/weeks/{WEEK}/stores/S0001"
    edit = {"plan_version": 1, "reason": "street fair", "edits": [monday]}
    status, edited = story.http("POST", f"{path}/edits", edit)
    stale_edit, _ = story.http("POST", f"{path}/edits", edit, SECOND_PLANNER)
    assert (200, 2, 33, True) == (status, edited["plan_version"], edited["rows"][0]["staff"], edited["edited"])
    assert (409, 409) == (stale_edit, story.decide("approve", version=1)[0])
    status, approved = story.decide("approve", version=2, reason="good")
    assert (200, "approved", [("secret-token", "approve")]) == (status, approved["state"], story.answers)

    # every store gets its plan, a mail and a receipt, once
    receipts = story.tell(opened)
    done = story.shown()
    assert (
        {"told": 12, "sending": 0, "no_address": 0, "refused": 0, "uncertain": 0, "missing": 0}
        == receipts
        == done["receipts"]
    )
    assert [f"store-{number:04d}@example.com" for number in range(1, 13)] == sorted(story.told_addresses())
    assert "33" in dict(story.mails)["store-0001@example.com"]
    assert ["done"] == story.kinds()
    kept = json.loads(story.s3.get_object(Bucket="plans", Key=f"stores/S0001/{WEEK}/v2/plan.json")["Body"].read())
    assert (33, True) == (kept["rows"][0]["staff"], kept["rows"][0]["edited"])

    # the history tells it all
    assert {
        (1, "failed"),
        (2, "opened"),
        (2, "evaluated"),
        (2, "reported"),
        (2, "asked"),
        (2, "edited"),
        (2, "approved"),
        (2, "distributing"),
        (2, "distributed"),
    } == {(event["attempt"], event["step"]) for event in done["events"]}
    assert {"planner-1"} == {event["by"] for event in done["events"] if event["step"] in ("edited", "approved")}


def caught(error: Exception) -> dict[str, str]:
    """An exception of a function, as the state machine catches it."""
    cause = json.dumps({"errorMessage": str(error), "errorType": type(error).__name__})
    return {"Error": type(error).__name__, "Cause": cause}


# ------------------------------------------------------------ once, whatever happens


def test_a_plan_that_is_sent_again_reaches_nobody_twice(story: Story) -> None:
    opened = story.approved()
    story.tell(opened)

    status, _ = story.http("POST", f"/weeks/{WEEK}/resend", {})
    again = story.tell(opened)

    assert (202, 12, 12) == (status, again["told"], len(story.mails))
    assert ["done"] == story.kinds()


def test_a_second_schedule_finds_nothing_to_do(story: Story) -> None:
    opened = story.approved()
    story.tell(opened)
    story.now = WEDNESDAY

    second = story.compute("wednesday")

    assert {"outcome": "nothing_to_do", "week": WEEK} == second
    assert "no_op" in [event["step"] for event in story.shown()["events"]]
    assert 12 == len(story.mails)


def test_a_worker_that_dies_halfway_is_resumed_and_the_store_in_doubt_waits_for_a_person(story: Story) -> None:
    opened = story.approved()
    story.mail_service = [None, None, KeyboardInterrupt()]
    with pytest.raises(KeyboardInterrupt):
        story.tell(opened)

    story.now += timedelta(minutes=10)
    resumed = story.tell(opened)

    assert {"told": 11, "sending": 0, "no_address": 0, "refused": 0, "uncertain": 1, "missing": 0} == resumed
    assert 12 == len(story.mails) == len(set(story.told_addresses()))
    (doubtful,) = [
        item["store_id"]
        for item in story.http("GET", f"/weeks/{WEEK}/stores")[1]["items"]
        if item["receipt"]["state"] == "uncertain"
    ]

    story.http("POST", f"/weeks/{WEEK}/resend", {"include_uncertain": True})
    finished = story.tell(opened, include_uncertain=True)

    assert (12, 0) == (finished["told"], finished["uncertain"])
    number = int(doubtful.removeprefix("S"))
    assert 2 == story.told_addresses().count(f"store-{number:04d}@example.com")
    assert 13 == len(story.mails)


def test_a_mail_service_that_is_gone_halfway_costs_no_store_its_mail(story: Story) -> None:
    opened = story.approved()
    story.mail_service = [None, DependencyUnavailable("ses:SendEmail")]
    with pytest.raises(DependencyUnavailable):
        story.tell(opened)

    resumed = story.tell(opened)

    assert (12, 12) == (resumed["told"], len(set(story.told_addresses())))
    assert 12 == len(story.mails)


def test_an_execution_that_failed_while_telling_is_told_and_the_rest_is_sent_by_hand(story: Story) -> None:
    opened = story.approved()
    own = {"week": WEEK, "attempt": 1}
    story.call("tell_stores", **own, shard=0, include_uncertain=False)
    error = caught(DependencyUnavailable("ses:SendEmail"))
    story.call("close_week", **own, execution="run-1", ending="failed", error=error)

    failed = story.shown()
    resent = story.tell(opened)

    assert ("failed", ["run_failed", "done"]) == (failed["state"], story.kinds())
    assert (12, 12) == (resent["told"], len(story.mails))


def test_a_plan_is_not_told_before_somebody_approved_it(story: Story) -> None:
    opened = story.ready()

    with pytest.raises(Conflict, match="only an approved plan"):
        story.tell(opened)

    assert [] == story.mails


# ------------------------------------------------------------ other endings


def test_a_rejected_week_tells_no_store_and_is_run_again_by_hand(story: Story) -> None:
    opened = story.ready()

    no_reason, _ = story.decide("reject")
    status, rejected = story.decide("reject", reason="the fair is missing")
    closed = story.call("close_week", week=WEEK, attempt=1, execution="run-1", ending="rejected", error={})

    assert (400, 200, "rejected") == (no_reason, status, rejected["state"])
    assert ({"outcome": "rejected"}, [("secret-token", "Rejected")]) == (closed, story.answers)
    assert (["rejected"], []) == (story.kinds(), story.mails)
    with pytest.raises(Conflict):
        story.tell(opened)

    started, run = story.http("POST", f"/weeks/{WEEK}/runs", {})
    again = story.compute(run["execution"], week=WEEK, started_by="planner-1")

    assert (202, 2, 2) == (started, again["attempt"], len({e["attempt"] for e in story.shown()["events"]}))


def test_a_week_that_nobody_decided_on_is_missed_and_planners_were_warned(story: Story) -> None:
    opened = story.ready()
    story.now = datetime(2026, 11, 26, 1, tzinfo=UTC)  # Thursday, 10:00 in Seoul
    warned = story.call("watch_deadline")

    story.now = datetime(2026, 11, 26, 3, tzinfo=UTC)
    order = {"week": WEEK, "attempt": opened["attempt"], "error": {"Error": "States.Timeout", "Cause": ""}}
    missed = story.call("close_week", **order, execution="run-1", ending="missed")

    assert {"week": WEEK, "at_risk": True, "todo": "approve"} == warned
    assert {"outcome": "missed", "code": "missed"} == missed
    assert ["deadline_at_risk", "missed"] == story.kinds()
    assert 409 == story.decide("approve")[0]


def test_a_past_week_is_forecast_and_reported_and_no_store_is_told(story: Story) -> None:
    story.drop_chain(CHAIN)
    target = "2026-W47"

    opened = story.compute("backfill", week=target, started_by="planner-1")
    own = {"week": target, "attempt": 1}
    closed = story.call("close_week", **own, execution="backfill", ending="backfilled")

    shown = story.shown(target)
    assert (True, {"outcome": "done"}) == (opened["backfill"], closed)
    assert ("done", True, [], []) == (shown["state"], shown["backfill"], story.mails, story.kinds())
    assert shown["report_url"] is not None
    refused, _ = story.http("POST", f"/weeks/{target}/resend", {})
    assert 409 == refused

    # two weeks later its forecast is held against what came
    story.compute()
    document = story.s3.get_object(Bucket="plans", Key=f"runs/{WEEK}/1/evaluation.json")["Body"].read()
    evaluation = json.loads(document)["evaluation"]
    assert 0 < evaluation["overall"]["wape"] < evaluation["overall"]["naive_wape"]
    gate = {verdict["name"] for verdict in story.shown()["gate"]}
    assert {"beats_naive", "coverage"} <= gate


def test_a_shard_whose_forecast_dies_falls_back_and_a_person_may_pass_the_gate_with_a_reason(story: Story) -> None:
    story.drop_chain(CHAIN)
    story.compute("run-0")  # what the shards before the failure wrote, lies there already
    own = {"week": WEEK, "attempt": 1}

    fallen = story.call("forecast_shard", **own, shard=0, fallback=True)
    story.call("plan_shard", **own, shard=0)
    stopped = story.call("report_week", **own)
    closed = story.call("close_week", **own, execution="run-0", ending="gate_failed")

    assert {"shard": 0, "stores": 11, "quarantined": 11} == fallen
    assert (False, {"outcome": "failed", "code": "gate_failed"}) == (stopped["gate_passed"], closed)
    assert ["gate_failed"] == story.kinds()
    assert "11 stores could not be forecast" in story.shown()["error"]["en"]

    story.compute("by-hand", week=WEEK, started_by="planner-1", override_gate_reason="we know")
    again = {"week": WEEK, "attempt": 2}
    story.call("forecast_shard", **again, shard=0, fallback=True)
    story.call("plan_shard", **again, shard=0)
    passed = story.call("report_week", **again)

    assert passed["gate_passed"]
    assert [False] == [verdict["passed"] for verdict in story.shown()["gate"] if verdict["name"] == "quarantined"]


def test_a_store_that_registered_yesterday_does_not_stop_the_chain(story: Story) -> None:
    story.drop_chain(CHAIN)
    new = CHAIN.stores.tail(1).assign(store_id="S0099", name="새 매장", mail="new@example.com")
    story.drop("stores", "stores-new.csv", csv(new))

    opened = story.compute()

    assert opened["report"]["gate_passed"]
    story.ask(opened)
    (line,) = story.http("GET", f"/weeks/{WEEK}/stores", q="S0099")[1]["items"]
    assert ("cold_start", True) == (line["method"], line["staff_days"] > 0)


def test_a_store_that_the_model_stops_at_is_set_apart_and_logged_for_the_engineer(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    story.drop_chain(CHAIN)
    opened = story.compute()
    key = f"runs/{WEEK}/1/shards/0000/history.parquet"
    history = frame_of(story.s3.get_object(Bucket="plans", Key=key)["Body"].read())
    history.loc[history["store_id"] == "S0003", "visitors"] = -1.0
    story.s3.put_object(Bucket="plans", Key=key, Body=parquet_bytes(history))

    made = story.call("forecast_shard", week=WEEK, attempt=opened["attempt"], shard=0, fallback=False)

    (logged,) = [record for record in caplog.records if record.getMessage() == "a store was set apart"]
    assert {"shard": 0, "stores": 11, "quarantined": 1} == made
    assert ("WARNING", "S0003") == (logged.levelname, vars(logged)["store_id"])
    assert "column visitors has -1.0" in str(logged.exc_info)


def test_an_aborted_execution_frees_its_week_for_the_next(story: Story) -> None:
    story.ready()
    detail = {"name": "run-1", "status": "ABORTED", "input": json.dumps({"started_by": "schedule"})}

    story.call("close_week", source="aws.states", detail=detail)
    story.now = WEDNESDAY
    again = story.compute("wednesday")

    assert (["run_failed"], "opened", 2) == (story.kinds(), again["outcome"], again["attempt"])


# ------------------------------------------------------------ who may


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        (None, 401),
        ({"sub": "u", "email": "u@example.com", "token_use": "id"}, 403),
        ({"sub": "u", "email": "u@example.com", "token_use": "id", "cognito:groups": "[moderators]"}, 403),
    ],
)
def test_nobody_but_planners_sees_or_decides_anything(story: Story, claims: dict[str, str] | None, status: int) -> None:
    paths = [
        ("GET", "/weeks"),
        ("GET", f"/weeks/{WEEK}"),
        ("GET", f"/weeks/{WEEK}/stores"),
        ("GET", f"/weeks/{WEEK}/stores/S0001"),
        ("POST", f"/weeks/{WEEK}/stores/S0001/edits"),
        ("POST", f"/weeks/{WEEK}/comments"),
        ("POST", f"/weeks/{WEEK}/decision"),
        ("POST", f"/weeks/{WEEK}/resend"),
        ("POST", f"/weeks/{WEEK}/runs"),
    ]

    answers = {(method, path): story.http(method, path, {}, claims)[0] for method, path in paths}

    assert dict.fromkeys(paths, status) == answers


def test_no_log_line_of_a_week_has_the_token_or_a_stores_address(
    story: Story, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    opened = story.approved()
    story.tell(opened)

    output = capsys.readouterr().out + repr([vars(record) for record in caplog.records])
    assert "stores told" in output
    assert ([], []) == ([word for word in ("secret-token", "@example.com") if word in output], story.heard_tokens())
