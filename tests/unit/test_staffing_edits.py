"""Edits of people: kept, never below the minimum, never lost without a word, and worth something or not."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawcast.errors import InvalidStaffing
from pawcast.forecasting.staffing.edits import EditedPlan, apply_edits, score_edits
from pawcast.forecasting.staffing.plan import StaffPlan, plan_week
from pawcast.forecasting.staffing.rules import StoreRules
from tests.support.staffing import MONDAY, day_rules, hour_rules, hourly, records
from tests.support.staffing import daily as by_day

FORECAST = pd.concat(
    [
        by_day("S1", [400, 500, 600, 0, 300], closed=[3]),
        by_day("S2", [400, 500, 600, 700, 300]),
        hourly("H1", [[20, 30, 60, 80, 70, 50, 30, 20], [20] * 8], opens_at=10),
    ],
    ignore_index=True,
)
RULES: dict[str, StoreRules] = {"S1": day_rules("S1"), "S2": day_rules("S2"), "H1": hour_rules()}


def day(number: int, hour: int = 0) -> pd.Timestamp:
    return pd.Timestamp(MONDAY) + pd.Timedelta(days=number, hours=hour)


def edits(*rows: tuple[str, pd.Timestamp, Any], by: str = "kim") -> pd.DataFrame:
    made = [(store, ts, staff, by, "fair in town") for store, ts, staff in rows]
    return pd.DataFrame(made, columns=["store_id", "ts", "staff", "by", "reason"])


def shift_edits(*rows: tuple[str, pd.Timestamp, int, int, Any]) -> pd.DataFrame:
    made = [(store, at, "", start, end, people, "kim", "swap") for store, at, start, end, people in rows]
    return pd.DataFrame(made, columns=["store_id", "day", "shift", "starts_at", "ends_at", "people", "by", "reason"])


def the_plan(forecast: pd.DataFrame = FORECAST, rules: dict[str, StoreRules] = RULES) -> StaffPlan:
    return plan_week(forecast, rules)


def edited(changes: pd.DataFrame, plan: StaffPlan | None = None, **options: Any) -> EditedPlan:
    return apply_edits(plan or the_plan(), changes, RULES, FORECAST, **options)


def cell(plan: StaffPlan, store: str, ts: pd.Timestamp) -> dict[str, Any]:
    rows = plan.plan[(plan.plan["store_id"] == store) & (plan.plan["ts"] == ts)]
    return {str(name): value for name, value in rows.iloc[0].items()}


def assert_shifts_add_up(plan: StaffPlan) -> None:
    for row in records(plan.plan[plan.plan["store_id"] == "H1"]):
        mine = plan.shifts[(plan.shifts["day"] == row.ts.normalize()) & (plan.shifts["store_id"] == "H1")]
        there = mine[(mine["starts_at"] <= row.ts.hour) & (row.ts.hour < mine["ends_at"])]
        assert row.staff == there["people"].sum()


def test_a_day_gets_the_edited_staff_and_its_risk_is_counted_again() -> None:
    before = the_plan()

    made = edited(edits(("S1", day(1), 7)))

    row = cell(made.plan, "S1", day(1))
    assert (7, 5, True) == (row["staff"], row["needed"], row["edited"])
    assert row["risk"] < cell(before, "S1", day(1))["risk"]
    assert 1 == made.plan.plan["edited"].sum()
    old, new = (plan.stores.set_index("store_id") for plan in (before, made.plan))
    assert {"H1": 0.0, "S1": 2.0, "S2": 0.0} == (new["staff_days"] - old["staff_days"]).to_dict()
    assert [False, True, False] == (new["understaffed_days"] < old["understaffed_days"]).tolist()
    assert made.dropped.empty


def test_no_edit_changes_nothing() -> None:
    before = the_plan()

    made = edited(edits())

    pd.testing.assert_frame_equal(before.plan, made.plan.plan)
    pd.testing.assert_frame_equal(before.shifts, made.plan.shifts)
    pd.testing.assert_frame_equal(before.stores, made.plan.stores)


def test_an_edit_survives_a_new_run_with_another_forecast() -> None:
    changes = edits(("S1", day(0), 9), ("H1", day(0, 12), 9))
    again = FORECAST.assign(**{name: FORECAST[name] * 1.3 for name in ("q10", "q50", "q80", "q90")})

    made = apply_edits(plan_week(again, RULES), changes, RULES, again)

    assert [9, 9] == [cell(made.plan, "S1", day(0))["staff"], cell(made.plan, "H1", day(0, 12))["staff"]]
    assert 2 == made.plan.plan["edited"].sum()


def test_the_newest_edit_of_a_cell_counts() -> None:
    changes = edits(("S1", day(0), 9), ("S1", day(0), 6)).assign(at=[day(2), day(1)])

    assert 9 == cell(edited(changes).plan, "S1", day(0))["staff"]
    assert 6 == cell(edited(changes.drop(columns="at")).plan, "S1", day(0))["staff"]


@pytest.mark.parametrize(
    ("staff", "code"),
    [
        (2, "below_minimum"),
        (0, "below_minimum"),
        (-1, "not_whole"),
        (4.5, "not_whole"),
        (np.nan, "not_whole"),
        (True, "not_whole"),
    ],
)
def test_an_edit_below_the_minimum_is_refused_when_made_and_reported_when_stored(staff: float, code: str) -> None:
    changes = edits(("S1", day(1), staff), ("S2", day(1), 8))

    with pytest.raises(InvalidStaffing) as refused:
        edited(changes)
    kept = edited(changes, refused="drop")

    assert (code, "S1") == (refused.value.request_code, refused.value.store_id)
    assert [code] == kept.dropped["code"].tolist()
    assert 5 == cell(kept.plan, "S1", day(1))["staff"]
    assert 8 == cell(kept.plan, "S2", day(1))["staff"]


@pytest.mark.parametrize(
    ("store", "ts", "code"),
    [
        ("S1", day(3), "closed"),
        ("H1", day(0, 8), "closed"),
        ("H1", day(6, 12), "not_planned"),
        ("S1", day(30), "not_planned"),
        ("S9", day(1), "not_planned"),
    ],
)
def test_an_edit_that_has_no_cell_any_more_is_reported_not_lost(store: str, ts: pd.Timestamp, code: str) -> None:
    before = the_plan()

    made = edited(edits((store, ts, 8)))

    assert [(store, ts, 8, "kim", code)] == list(
        made.dropped[["store_id", "ts", "staff", "by", "code"]].itertuples(index=False, name=None)
    )
    assert all(store in made.dropped[language].item() for language in ("ko", "en"))
    assert before.plan["staff"].tolist() == made.plan.plan["staff"].tolist()


def test_an_edited_hour_has_that_many_people_and_shifts_that_agree() -> None:
    before = the_plan()

    made = edited(edits(("H1", day(0, 10), 4), ("H1", day(0, 13), 9)))

    assert [4, 9] == [cell(made.plan, "H1", day(0, hour))["staff"] for hour in (10, 13)]
    assert_shifts_add_up(made.plan)
    mine = made.plan.plan[made.plan.plan["store_id"] == "H1"]
    assert (mine["staff"] >= mine["needed"]).all()
    other = made.plan.shifts["day"] == day(1)
    assert before.shifts[before.shifts["day"] == day(1)].values.tolist() == made.plan.shifts[other].values.tolist()


def test_an_hour_edited_down_is_not_filled_up_again() -> None:
    made = edited(edits(("H1", day(0, 13), 6), ("H1", day(0, 14), 6)))

    assert [6, 6] == [cell(made.plan, "H1", day(0, hour))["staff"] for hour in (13, 14)]
    assert cell(made.plan, "H1", day(0, 13))["risk"] > 0.5
    assert_shifts_add_up(made.plan)


def test_an_edit_no_shifts_can_meet_exactly_has_at_least_as_many() -> None:
    made = edited(edits(("H1", day(0, 10), 3), ("H1", day(0, 11), 9), ("H1", day(0, 12), 3)))

    staff = [cell(made.plan, "H1", day(0, hour))["staff"] for hour in (10, 11, 12)]
    assert (np.array(staff) >= [3, 9, 3]).all()
    assert staff[1] == 9
    assert_shifts_add_up(made.plan)


def test_a_person_may_ask_for_more_than_the_stores_maximum() -> None:
    rules = {"H1": hour_rules(max_staff=8)}
    forecast = FORECAST[FORECAST["store_id"] == "H1"]

    made = apply_edits(plan_week(forecast, rules), edits(("H1", day(0, 13), 12)), rules, forecast)

    assert 12 == cell(made.plan, "H1", day(0, 13))["staff"]


@given(st.lists(st.tuples(st.integers(10, 17), st.integers(3, 15)), min_size=1, max_size=6))
@settings(max_examples=25)
def test_edited_hours_never_leave_the_store_below_minimum_or_need(changes: list[tuple[int, int]]) -> None:
    made = edited(edits(*(("H1", day(0, hour), staff) for hour, staff in changes)))

    rows = made.plan.plan[made.plan.plan["store_id"] == "H1"]
    wanted = dict(changes)
    for row in records(rows):
        needed = wanted.get(row.ts.hour, row.needed) if row.ts < day(1) else row.needed
        assert row.staff >= max(needed, 3)
        assert row.edited == (row.ts < day(1) and row.ts.hour in wanted)
    assert_shifts_add_up(made.plan)


def test_shifts_can_be_replaced_for_a_day() -> None:
    made = edited(edits(), shifts=shift_edits(("H1", day(1), 10, 18, 4), ("H1", day(1), 12, 15, 2)))

    rows = made.plan.plan[(made.plan.plan["store_id"] == "H1") & (made.plan.plan["ts"] >= day(1))]
    assert [4, 4, 6, 6, 6, 4, 4, 4] == rows["staff"].tolist()
    assert rows["edited"].all()
    mine = made.plan.shifts[made.plan.shifts["day"] == day(1)]
    assert [("10-18", 10, 18, 4), ("12-15", 12, 15, 2)] == list(
        mine[["shift", "starts_at", "ends_at", "people"]].itertuples(index=False, name=None)
    )


def test_an_hours_edit_gives_way_to_replaced_shifts_and_says_so() -> None:
    made = edited(edits(("H1", day(1, 12), 9)), shifts=shift_edits(("H1", day(1), 10, 18, 4)))

    assert 4 == cell(made.plan, "H1", day(1, 12))["staff"]
    assert ["shifts_replaced"] == made.dropped["code"].tolist()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("H1", day(1), 10, 17, 4), "below_minimum"),
        (("H1", day(1), 10, 18, 2), "below_minimum"),
        (("H1", day(1), 9, 18, 4), "outside_hours"),
        (("H1", day(1), 18, 10, 4), "outside_hours"),
        (("H1", day(1), 10, 18, 3.5), "not_whole"),
    ],
)
def test_shifts_that_may_not_be_are_refused(change: tuple[Any, ...], code: str) -> None:
    with pytest.raises(InvalidStaffing) as refused:
        edited(edits(), shifts=shift_edits(change))
    kept = edited(edits(), shifts=shift_edits(change), refused="drop")

    assert code == refused.value.request_code
    assert [code] == kept.dropped["code"].tolist()


@pytest.mark.parametrize(
    ("store", "at", "code"), [("S1", day(1), "not_planned"), ("H1", day(5), "closed"), ("X", day(1), "not_planned")]
)
def test_shifts_of_a_day_that_is_not_there_are_reported(store: str, at: pd.Timestamp, code: str) -> None:
    made = edited(edits(), shifts=shift_edits((store, at, 10, 18, 4)))

    assert [(store, code)] == list(made.dropped[["store_id", "code"]].itertuples(index=False, name=None))


def actual(*rows: tuple[str, pd.Timestamp, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["store_id", "ts", "visitors"])


def test_edits_are_scored_by_what_they_avoided() -> None:
    changes = pd.concat(
        [
            edits(("S1", day(0), 7), ("S1", day(1), 3), by="kim"),
            edits(("S2", day(0), 3), ("S2", day(1), 9), ("H1", day(0, 10), 7), by="lee"),
        ]
    )
    came = actual(
        ("S1", day(0), 650.0),  # planned 4, edited 7, needed 7: 3 too few avoided
        ("S1", day(1), 480.0),  # planned 5, edited 3, needed 5: 2 too few caused
        ("S2", day(0), 100.0),  # planned 4, edited 3, needed 3: 1 too many avoided
        ("S2", day(1), 600.0),  # planned 5, edited 9, needed 6: 1 too few avoided, 3 too many caused
        ("H1", day(0, 10), 50.0),  # planned 3, edited 7, needed 5: by the hour, an eighth of it
    )

    scores = score_edits(changes, the_plan().plan, came, RULES)

    expected = {"": (5, 2, 2, 2.25, -2.25), "kim": (2, 1, 1, 1.0, 0.0), "lee": (3, 1, 1, 1.25, -2.25)}
    made = {row[0]: row[1:] for row in scores.people.itertuples(index=False, name=None)}
    assert expected == made
    assert [3.0, -2.0, 0.0, 1.0, 0.25] == scores.cells["under_avoided"].tolist()


def test_edits_whose_visitors_are_unknown_do_not_count() -> None:
    changes = edits(("S1", day(0), 7), ("S1", day(1), 7), ("S1", day(3), 7), ("S9", day(0), 7), ("S1", day(40), 7))

    scores = score_edits(changes, the_plan().plan, actual(("S1", day(0), np.nan), ("S1", day(3), 900.0)), RULES)

    assert scores.cells.empty
    assert 0 == scores.people["edits"].sum()
    assert score_edits(edits(), the_plan().plan, actual(), RULES).cells.empty
