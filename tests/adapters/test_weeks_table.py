"""Runs of weeks in DynamoDB."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from mypy_boto3_dynamodb import DynamoDBClient
from pydantic import JsonValue

from pawcast.adapters.weeks_table import EDITS_A_WRITE, WeeksTable
from pawcast.errors import DependencyUnavailable, InvalidRequest, VersionConflict
from pawcast.forecasting.weekly.run import Edit, GateVerdict, Receipt, RunEvent, RunState, Sentences
from tests.support.template import create_tables
from tests.support.week_fakes import TUESDAY, WEEK, a_run

MONDAY = datetime(2026, 11, 30)  # noqa: DTZ001 - a wall clock
TEXT = Sentences(ko="말", en="words")


@pytest.fixture
def table(dynamodb: DynamoDBClient) -> str:
    return create_tables(dynamodb, "WeeksTable")["WeeksTable"]


@pytest.fixture
def weeks(dynamodb: DynamoDBClient, table: str) -> WeeksTable:
    return WeeksTable(dynamodb, table)


def an_event(step: str, minute: int = 0, week: str = WEEK, by: str = "pawcast") -> RunEvent:
    at = TUESDAY + timedelta(minutes=minute)
    facts: dict[str, JsonValue] = {"share": 0.25, "count": 3, "named": ["a", {"b": 1.5}], "nothing": None, "yes": True}
    return RunEvent(week=week, attempt=1, at=at, step=step, by=by, text=TEXT, facts=facts)


def an_edit(store_id: str = "S1", day: int = 0, staff: int = 5) -> Edit:
    ts = MONDAY + timedelta(days=day)
    return Edit(week=WEEK, store_id=store_id, ts=ts, staff=staff, planned=3, by="planner-1", reason="fair", at=TUESDAY)


def a_receipt(store_id: str = "S1", version: int = 1) -> Receipt:
    return Receipt(
        week=WEEK,
        store_id=store_id,
        plan_version=version,
        state="sending",
        at=TUESDAY,
        key=f"stores/{store_id}",
        claimed_until=TUESDAY + timedelta(minutes=2),
    )


# ------------------------------------------------------------ runs


def test_a_run_comes_back_as_it_was_stored(weeks: WeeksTable) -> None:
    verdict = GateVerdict(name="coverage", passed=True, blocking=False, value=0.1 + 0.2, limit=0.0, text=TEXT)
    run = a_run(RunState.APPROVED, gate=(verdict,), models=("champion=visits-forecast/3",), error=TEXT)

    weeks.put_new(run, None)

    assert (run, None) == (weeks.get(WEEK), weeks.get("2026-W50"))


def test_of_two_starts_one_has_the_week(weeks: WeeksTable) -> None:
    weeks.put_new(a_run(), None)

    with pytest.raises(VersionConflict, match="another start"):
        weeks.put_new(a_run(execution="run-2"), None)


def test_a_new_attempt_replaces_only_the_record_that_was_read(weeks: WeeksTable) -> None:
    first = a_run(RunState.FAILED)
    weeks.put_new(first, None)
    second = a_run(attempt=2, revision=2)

    weeks.put_new(second, first)

    with pytest.raises(VersionConflict):
        weeks.put_new(a_run(attempt=2, revision=2, execution="late"), first)
    assert second == weeks.get(WEEK)


def test_a_change_is_stored_only_over_the_revision_that_was_read(weeks: WeeksTable) -> None:
    run = a_run()
    weeks.put_new(run, None)
    weeks.save(run.moved(RunState.WAITING_FOR_APPROVAL))

    with pytest.raises(VersionConflict, match="someone else"):
        weeks.save(run.moved(RunState.FAILED))

    stored = weeks.get(WEEK)
    assert stored is not None
    assert RunState.WAITING_FOR_APPROVAL is stored.state


def test_weeks_are_listed_newest_first_page_by_page_without_their_other_items(weeks: WeeksTable) -> None:
    for week in ("2026-W52", "2027-W01", "2026-W09"):
        weeks.put_new(a_run(week=week), None)
        weeks.add_event(an_event("opened", week=week))

    first = weeks.latest(None, 2)
    second = weeks.latest(first.next_key, 2)

    assert ["2027-W01", "2026-W52", "2026-W09"] == [run.week for run in (*first.items, *second.items)]
    assert second.next_key is None


def test_a_start_that_the_table_does_not_take_is_an_invalid_request(dynamodb: DynamoDBClient) -> None:
    with Stubber(dynamodb) as stub:
        stub.add_client_error("query", "ValidationException", http_status_code=400)

        with pytest.raises(InvalidRequest) as refused:
            WeeksTable(dynamodb, "table").latest("made up", 2)

    assert "cursor_invalid" == refused.value.request_code


# ------------------------------------------------------------ history, token, notices


def test_the_history_is_oldest_first_and_each_event_once(weeks: WeeksTable) -> None:
    events = [an_event("opened"), an_event("edited", 1), an_event("edited", 1, by="planner-2"), an_event("asked", 2)]
    for event in [*reversed(events), events[0]]:
        weeks.add_event(event)
    weeks.add_event(an_event("opened", week="2026-W50"))

    assert events == list(weeks.events(WEEK))


def test_a_long_history_is_read_to_its_end(weeks: WeeksTable) -> None:
    long = Sentences(ko="가" * 20_000, en="a" * 60_000)
    events = [an_event("commented", minute).model_copy(update={"text": long}) for minute in range(12)]
    for event in events:
        weeks.add_event(event)

    assert events == list(weeks.events(WEEK))


def test_a_token_is_read_by_attempt_and_is_in_nothing_else(weeks: WeeksTable) -> None:
    run = a_run()
    weeks.put_new(run, None)
    weeks.put_token(WEEK, 1, "old")
    weeks.put_token(WEEK, 1, "secret")

    assert ("secret", None, None) == (weeks.token(WEEK, 1), weeks.token(WEEK, 2), weeks.token("2026-W50", 1))
    assert (run, [], {}, []) == (
        weeks.get(WEEK),
        list(weeks.events(WEEK)),
        weeks.receipts(WEEK, 1),
        list(weeks.edits(WEEK)),
    )


def test_a_notice_is_told_once_a_week(weeks: WeeksTable) -> None:
    before = weeks.was_told(WEEK, "done#1")
    weeks.note_told(WEEK, "done#1")
    weeks.note_told(WEEK, "done#1")

    assert (False, True, False, False) == (
        before,
        weeks.was_told(WEEK, "done#1"),
        weeks.was_told(WEEK, "done#2"),
        weeks.was_told("2026-W50", "done#1"),
    )


# ------------------------------------------------------------ edits


def test_edits_and_the_next_plan_version_are_stored_together(weeks: WeeksTable) -> None:
    run = a_run(RunState.WAITING_FOR_APPROVAL)
    weeks.put_new(run, None)

    weeks.put_edits(run, [an_edit(), an_edit(day=1), an_edit("S10")])

    stored = weeks.get(WEEK)
    assert stored is not None
    assert (2, 2) == (stored.plan_version, stored.revision)
    assert [an_edit(), an_edit(day=1)] == list(weeks.edits(WEEK, "S1"))
    assert 3 == len(weeks.edits(WEEK))


def test_the_newest_edit_of_a_cell_counts(weeks: WeeksTable) -> None:
    run = a_run(RunState.WAITING_FOR_APPROVAL)
    weeks.put_new(run, None)
    weeks.put_edits(run, [an_edit(staff=5)])
    weeks.put_edits(run.changed(plan_version=2), [an_edit(staff=7)])

    assert [7] == [edit.staff for edit in weeks.edits(WEEK)]


def test_edits_of_a_plan_that_moved_on_are_stored_not_at_all(weeks: WeeksTable) -> None:
    run = a_run(RunState.WAITING_FOR_APPROVAL)
    weeks.put_new(run, None)
    weeks.save(run.moved(RunState.FAILED))

    with pytest.raises(VersionConflict, match="someone else"):
        weeks.put_edits(run, [an_edit()])

    assert [] == list(weeks.edits(WEEK))


def test_as_many_edits_as_fit_into_a_transaction_are_stored_and_no_more(weeks: WeeksTable) -> None:
    run = a_run(RunState.WAITING_FOR_APPROVAL)
    weeks.put_new(run, None)

    with pytest.raises(ValueError, match="at most 99"):
        weeks.put_edits(run, [an_edit(day=day) for day in range(EDITS_A_WRITE + 1)])
    weeks.put_edits(run, [an_edit(day=day) for day in range(EDITS_A_WRITE)])

    assert EDITS_A_WRITE == len(weeks.edits(WEEK))


# ------------------------------------------------------------ receipts


def test_a_receipt_is_claimed_once_for_each_plan_version(weeks: WeeksTable) -> None:
    claims = [weeks.claim_receipt(a_receipt()), weeks.claim_receipt(a_receipt()), weeks.claim_receipt(a_receipt("S2"))]

    assert ([True, False, True], True) == (claims, weeks.claim_receipt(a_receipt(version=2)))


def test_a_settled_receipt_says_what_became_of_it(weeks: WeeksTable) -> None:
    weeks.claim_receipt(a_receipt())
    weeks.settle_receipt(a_receipt(), "refused")

    (receipt,) = weeks.receipts(WEEK, 1).values()
    assert ("S1", "refused", None) == (receipt.store_id, receipt.state, receipt.claimed_until)


def test_a_released_receipt_can_be_claimed_again(weeks: WeeksTable) -> None:
    weeks.claim_receipt(a_receipt())
    weeks.release_receipt(a_receipt())

    assert ({}, True) == (weeks.receipts(WEEK, 1), weeks.claim_receipt(a_receipt()))


def test_receipts_of_another_version_are_not_those_of_this_one(weeks: WeeksTable) -> None:
    for version in (1, 11):
        weeks.claim_receipt(a_receipt(version=version))

    assert [1] == [receipt.plan_version for receipt in weeks.receipts(WEEK, 1).values()]


# ------------------------------------------------------------ a table that is gone for a moment

CALLS: Sequence[str] = ("put_item", "get_item", "query", "update_item", "delete_item", "transact_write_items")


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("code", "status", "raised"),
    [
        ("ProvisionedThroughputExceededException", 400, DependencyUnavailable),
        ("InternalServerError", 500, DependencyUnavailable),
        ("AccessDeniedException", 400, ClientError),
    ],
)
def test_trouble_that_passes_is_told_from_trouble_that_does_not(
    dynamodb: DynamoDBClient, call: str, code: str, status: int, raised: type[Exception]
) -> None:
    weeks, run = WeeksTable(dynamodb, "table"), a_run(RunState.WAITING_FOR_APPROVAL)
    operations: dict[str, Callable[[], object]] = {
        "put_item": lambda: weeks.save(run),
        "get_item": lambda: weeks.get(WEEK),
        "query": lambda: list(weeks.events(WEEK)),
        "update_item": lambda: weeks.settle_receipt(a_receipt(), "told"),
        "delete_item": lambda: weeks.release_receipt(a_receipt()),
        "transact_write_items": lambda: weeks.put_edits(run, [an_edit()]),
    }
    with Stubber(dynamodb) as stub:
        stub.add_client_error(call, code, http_status_code=status)

        with pytest.raises(raised):
            operations[call]()
