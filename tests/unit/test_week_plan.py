"""A store's plan as people see it, and what a planner may change."""

import csv
import io
from datetime import datetime

import pytest

from pawcast.errors import InvalidRequest
from pawcast.forecasting.weekly.plan import StorePlan, checked_edits, lines_key, plain_cell, shard_key
from pawcast.forecasting.weekly.run import Edit
from tests.support.week_fakes import TUESDAY, WEEK, a_plan

MONDAY = datetime(2026, 11, 30)  # noqa: DTZ001 - a wall clock
SUNDAY = datetime(2026, 12, 6)  # noqa: DTZ001


def an_edit(staff: int = 5, ts: datetime = MONDAY, store_id: str = "S1") -> Edit:
    return Edit(week=WEEK, store_id=store_id, ts=ts, staff=staff, planned=3, by="planner-1", reason="fair", at=TUESDAY)


def by_hour(plan: StorePlan) -> StorePlan:
    """The same rows as hours of Monday, of which eight make a staff-day."""
    rows = [row.model_copy(update={"ts": MONDAY.replace(hour=9 + hour)}) for hour, row in enumerate(plan.rows)]
    return plan.model_copy(update={"plans_by": "hour", "rows": tuple(rows), "staff_days": plan.staff_days / 8})


def test_edits_lie_on_top_of_the_plan_and_change_its_staff_days() -> None:
    plan = a_plan()

    edited = plan.with_edits([an_edit(staff=5)])

    assert ([5, 3, 3, 3, 3, 3, 0], 20.0) == ([row.staff for row in edited.rows], edited.staff_days)
    assert [True] + [False] * 6 == [row.edited for row in edited.rows]
    assert (True, False) == (edited.edited, plan.edited)


def test_an_edited_hour_changes_staff_days_by_its_share() -> None:
    edited = by_hour(a_plan()).with_edits([an_edit(staff=11, ts=MONDAY.replace(hour=9))])

    assert (18 + 8) / 8 == edited.staff_days


def test_edits_of_other_stores_of_closed_days_and_of_other_weeks_do_nothing() -> None:
    plan = a_plan()
    later = MONDAY.replace(year=2027)

    assert plan == plan.with_edits([an_edit(store_id="S2")])
    assert plan == plan.with_edits([an_edit(ts=SUNDAY), an_edit(ts=later)])


def test_a_plan_with_nobody_in_it_can_be_edited() -> None:
    plan = a_plan()
    empty = plan.model_copy(
        update={"staff_days": 0.0, "rows": tuple(row.model_copy(update={"staff": 0}) for row in plan.rows)}
    )

    edited = empty.with_edits([an_edit(staff=4)])

    assert 4 == edited.rows[0].staff


def test_the_newest_edit_of_a_cell_counts() -> None:
    assert 7 == a_plan().with_edits([an_edit(5), an_edit(7)]).rows[0].staff


# ------------------------------------------------------------ as a table


def table_of(plan: StorePlan) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(plan.csv().removeprefix("\ufeff"))))


def test_a_plan_is_a_table_that_a_spreadsheet_opens() -> None:
    plan = a_plan().with_edits([an_edit()])

    text, rows = plan.csv(), table_of(plan)

    assert text.startswith("\ufeff")
    assert 8 == text.count("\r\n")
    assert {
        "store_id": "S1",
        "ts": "2026-11-30",
        "open": "1",
        "staff": "5",
        "visitors": "100",
        "q10": "80",
        "q90": "120",
        "edited": "1",
    } == rows[0]
    assert ("0", "0") == (rows[6]["open"], rows[6]["staff"])


def test_hours_are_written_with_their_time() -> None:
    assert ["2026-11-30 09:00", "2026-11-30 10:00"] == [row["ts"] for row in table_of(by_hour(a_plan()))[:2]]


@pytest.mark.parametrize("begin", ["=", "+", "-", "@"])
def test_a_store_id_that_could_be_a_formula_is_a_text_in_the_table(begin: str) -> None:
    rows = table_of(a_plan(f"{begin}cmd|'calc'!A1"))

    assert {f"'{begin}cmd|'calc'!A1"} == {row["store_id"] for row in rows}


def test_a_cell_is_changed_only_where_a_spreadsheet_would_calculate() -> None:
    assert ["'=1", "'\tx", "'\rx", "a=1", "", -3, 2.5, None] == [
        plain_cell(value) for value in ("=1", "\tx", "\rx", "a=1", "", -3, 2.5, None)
    ]


# ------------------------------------------------------------ what a planner may change


def test_an_edit_that_the_store_allows_is_handed_on_with_the_row_it_replaces() -> None:
    plan = a_plan()

    assert [(plan.rows[0], 3), (plan.rows[1], 10_000)] == list(
        checked_edits(plan, {MONDAY: 3, MONDAY.replace(month=12, day=1): 10_000})
    )


@pytest.mark.parametrize(
    ("ts", "staff", "code", "field"),
    [
        (SUNDAY, 3, "edit_closed", "ts"),
        (MONDAY, 2, "edit_below_minimum", "staff"),
        (MONDAY, -1, "edit_below_minimum", "staff"),
        (MONDAY, 10_001, "edit_too_many", "staff"),
        (MONDAY.replace(hour=1), 3, "invalid_request", "ts"),
    ],
)
def test_an_edit_that_the_store_does_not_allow_is_refused_by_the_field(
    ts: datetime, staff: int, code: str, field: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        checked_edits(a_plan(), {ts: staff})

    assert (code, field) == (refused.value.request_code, refused.value.field)
    assert ts.isoformat() in str(refused.value)


def test_a_time_with_a_zone_is_no_wall_clock_of_the_store() -> None:
    with pytest.raises(InvalidRequest, match="has no row"):
        checked_edits(a_plan(), {TUESDAY: 3})


def test_files_of_a_run_lie_below_its_prefix() -> None:
    assert ("runs/2026-W49/2/shards/0007/plans.json", "runs/2026-W49/2/stores.json") == (
        shard_key("runs/2026-W49/2", 7, "plans.json"),
        lines_key("runs/2026-W49/2"),
    )
