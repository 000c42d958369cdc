"""A plan against what came, counted by a slow loop."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawcast.errors import InvalidStaffing
from pawcast.forecasting.staffing.compare import SUMMED, compare
from pawcast.forecasting.staffing.plan import plan_week
from tests.support.staffing import daily as by_day
from tests.support.staffing import day_rules, hour_rules, hourly

WEEK = st.lists(st.integers(0, 1_500), min_size=7, max_size=7)


@given(WEEK, WEEK, WEEK, st.sets(st.integers(0, 6), max_size=3), st.sets(st.integers(0, 6), max_size=3))
@settings(max_examples=40)
def test_figures_are_what_a_loop_counts(
    expected: list[int], came: list[int], before: list[int], closed: set[int], unknown: set[int]
) -> None:
    forecast = by_day("S1", expected, sorted(closed))
    history = forecast.assign(ts=forecast["ts"] - pd.Timedelta(days=14), visitors=before, open=True)
    plan = plan_week(forecast, {"S1": day_rules()}, history=history).plan
    visitors = [math.nan if place in unknown else value for place, value in enumerate(came)]
    figures = dict.fromkeys(SUMMED, 0.0)
    for place in sorted(set(range(7)) - closed - unknown):
        staff, needed, last = (max(3, math.ceil(week[place] / 100)) for week in (expected, came, before))
        for name, value in {
            "rows": 1,
            "staff_days": staff,
            "needed_staff_days": needed,
            "perfect_staff_days": needed,
            "regret": staff - needed,
            "under": max(needed - staff, 0),
            "over": max(staff - needed, 0),
            "understaffed_rows": staff < needed,
            "last_week_staff_days": last,
            "last_week_under": max(needed - last, 0),
            "last_week_over": max(last - needed, 0),
            "last_week_understaffed_rows": last < needed,
        }.items():
            figures[name] += value

    made = compare(
        plan, pd.DataFrame({"store_id": "S1", "ts": forecast["ts"], "visitors": visitors}), {"S1": day_rules()}
    )

    assert figures == {name: made.totals[name] for name in SUMMED}
    assert figures == made.stores.iloc[0].drop("store_id").to_dict()
    assert figures["rows"] == len(made.rows)
    assert made.totals["understaffed_share"] == (
        figures["understaffed_rows"] / figures["rows"] if figures["rows"] else 0
    )


def test_by_the_hour_perfect_foresight_still_needs_shifts() -> None:
    forecast = hourly("H1", [[20.0] * 8], opens_at=10)
    rules = {"H1": hour_rules()}
    came = forecast.assign(visitors=np.where(forecast["ts"].dt.hour == 12, 50.0, 30.0))

    made = compare(plan_week(forecast, rules).plan, came, rules)

    assert (24 + 2) / 8 == made.totals["needed_staff_days"]
    # 4 and 6 hours that overlap in two, instead of 8 hours, give one more at 12 for two hours; and that twice
    assert (24 + 4) / 8 == made.totals["perfect_staff_days"]
    assert (24 - 28) / 8 == made.totals["regret"]
    assert 2 / 8 == made.totals["under"]


def test_a_plan_made_for_what_came_has_no_regret() -> None:
    forecast = hourly("H1", [[20.0, 30, 70, 60, 50, 40, 30, 20, 10, 20]] * 3, opens_at=9)
    rules = {"H1": hour_rules()}

    made = compare(plan_week(forecast, rules).plan, forecast.assign(visitors=forecast["q50"]), rules)

    assert (0.0, 0.0) == (made.totals["regret"], made.totals["under"])


def test_unknown_stores_and_closed_rows_do_not_count() -> None:
    forecast = pd.concat([by_day("S1", [400, 500]), by_day("S2", [400, 500])])
    plan = plan_week(forecast, {"S1": day_rules("S1"), "S2": day_rules("S2")}).plan
    came = forecast.assign(visitors=[650.0, 0.0, 900.0, 900.0], open=[True, False, True, True])

    made = compare(plan, came, {"S1": day_rules("S1")})

    assert ["S1"] == made.stores["store_id"].tolist()
    assert (1.0, 3.0) == (made.totals["rows"], made.totals["under"])
    assert [7] == made.rows["needed"].tolist()


def test_nothing_known_is_nothing_compared() -> None:
    forecast = by_day("S1", [400])
    plan = plan_week(forecast, {"S1": day_rules()}).plan

    made = compare(plan, pd.DataFrame({"store_id": [], "ts": [], "visitors": []}), {"S1": day_rules()})

    assert (0.0, 0.0, 0.0) == tuple(made.totals[name] for name in ("rows", "under_share", "understaffed_share"))


def test_a_table_of_visits_without_visitors_is_refused() -> None:
    forecast = by_day("S1", [400])

    with pytest.raises(InvalidStaffing, match="no column visitors"):
        compare(plan_week(forecast, {"S1": day_rules()}).plan, forecast, {"S1": day_rules()})


def test_two_numbers_of_visitors_for_one_day_are_refused() -> None:
    forecast = by_day("S1", [400])
    came = pd.concat([forecast, forecast]).assign(visitors=[400.0, 500.0])

    with pytest.raises(InvalidStaffing) as refused:
        compare(plan_week(forecast, {"S1": day_rules()}).plan, came, {"S1": day_rules()})

    assert "two_rows_of_a_cell" == refused.value.request_code
