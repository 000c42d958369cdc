"""A week that can't be planned names the smallest change that helps: solved with it, and not with less."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pawcast.forecasting.staffing.cells import cells_of
from pawcast.forecasting.staffing.hourly import day_starts, plan_shifts
from pawcast.forecasting.staffing.plan import plan_week
from pawcast.forecasting.staffing.relaxation import Relaxation, relax_days, relax_hours
from pawcast.forecasting.staffing.rules import PATTERNS, StoreRules
from tests.support.staffing import daily as by_day
from tests.support.staffing import day_rules, hour_rules, hourly, pattern


def relaxed(days: list[list[float]], rules: StoreRules, opens_at: int = 9) -> Relaxation | None:
    """The relaxation of a store by the hour, None where it needs none."""
    cells = cells_of(hourly("H1", days, opens_at), {"H1": rules})
    needed = cells.needed(cells.visitors())
    short = plan_shifts(cells, needed).short
    if not short.any():
        return None
    return relax_hours(cells, needed, np.unique(day_starts(cells)[1][short > 0]).tolist())


def feasible(days: list[list[float]], rules: StoreRules, opens_at: int = 9) -> bool:
    return bool(plan_week(hourly("H1", days, opens_at), {"H1": rules}).stores["infeasible"].item() == "")


def test_too_many_people_in_a_day_name_the_limit_and_the_quantile() -> None:
    forecast = by_day("S1", [400, 1000, 500])

    stores = plan_week(forecast, {"S1": day_rules(max_staff=11, service_quantile=0.8)}).stores

    assert "max_staff" == stores["infeasible"].item()
    text = "At most 11 people, 13 needed at 2026-12-08: raise max_staff to 13, or lower service_quantile to 0.6."
    assert text == stores["relaxation_en"].item()
    assert all(part in stores["relaxation_ko"].item() for part in ("11명", "13명", "2026-12-08", "0.6"))
    assert 2.0 == stores["uncovered_hours"].item()


def test_the_best_plan_within_the_limit_is_made_all_the_same() -> None:
    plan = plan_week(by_day("S1", [400, 1000, 500]), {"S1": day_rules(max_staff=8)}).plan

    assert [4, 8, 5] == plan["staff"].tolist()
    assert [4, 10, 5] == plan["needed"].tolist()
    assert plan["risk"][1] > 0.5


@given(st.lists(st.floats(0, 3000), min_size=1, max_size=7), st.integers(3, 12), st.sampled_from([0.6, 0.8, 0.9]))
@settings(max_examples=40)
def test_the_smallest_limit_of_a_day_is_named(visitors: list[float], most: int, level: float) -> None:
    rules = day_rules(max_staff=most, service_quantile=level)
    forecast = by_day("S1", visitors)
    cells = cells_of(forecast, {"S1": rules})
    needed = cells.needed(cells.visitors())
    assume(needed.max() > most)

    relaxation = relax_days(cells, needed)

    def planned(changed: StoreRules) -> bool:
        return bool(plan_week(forecast, {"S1": changed}).stores["infeasible"].item() == "")

    assert relaxation.max_staff is not None
    assert planned(relaxation.applied(rules))
    assert not planned(replace(rules, max_staff=relaxation.max_staff - 1))
    if relaxation.service_quantile is not None:
        assert planned(replace(rules, service_quantile=relaxation.service_quantile))


def test_an_hour_without_a_shift_names_a_shift_and_a_closing_hour() -> None:
    rules = hour_rules(pattern=pattern((9, 8), (13, 8)))

    stores = plan_week(hourly("H1", [[20.0] * 13], 9), {"H1": rules}).stores

    assert "hours_not_covered" == stores["infeasible"].item()
    text = "No shift covers 21–22 on 2026-12-07: allow a shift 14–22, or close at 21."
    assert text == stores["relaxation_en"].item()
    assert all(part in stores["relaxation_ko"].item() for part in ("21–22", "14–22", "21시에 닫아"))


def test_the_other_hours_are_covered_all_the_same() -> None:
    rules = hour_rules(pattern=pattern((9, 8), (13, 8)))

    plan = plan_week(hourly("H1", [[20.0] * 13], 9), {"H1": rules}).plan

    assert [3] * 4 + [6] * 4 + [3] * 4 + [0] == plan["staff"].tolist()
    assert 1.0 == pytest.approx(plan["risk"].iloc[-1], abs=1e-6)


@pytest.mark.parametrize(
    ("shifts", "says"),
    [
        ([(12, 4), (16, 5)], "No shift covers 9–12 on 2026-12-07: allow a shift 9–13, or open at 12."),
        ([(9, 4), (16, 5)], "No shift covers 13–16 on 2026-12-07: allow a shift 13–17, or close from 13 to 16."),
        ([(9, 13), (10, 14)], "No shift covers 9–21 on 2026-12-07: allow a shift 9–21, or stay closed that day."),
    ],
)
def test_the_gap_is_said_where_it_is(shifts: list[tuple[int, int]], says: str) -> None:
    relaxation = relaxed([[20.0] * 12], hour_rules(pattern=pattern(*shifts)))

    assert relaxation is not None
    assert says == relaxation.text.en


@given(
    st.sets(st.tuples(st.integers(8, 20), st.integers(2, 14)).filter(lambda one: sum(one) <= 24), min_size=1),
    st.lists(st.lists(st.floats(0, 60), min_size=3, max_size=13), min_size=1, max_size=3),
)
@settings(max_examples=40)
def test_added_shifts_cover_every_gap(shifts: set[tuple[int, int]], days: list[list[float]]) -> None:
    rules = hour_rules(pattern=pattern(*sorted(shifts)))

    relaxation = relaxed(days, rules)

    if relaxation is None:
        assert feasible(days, rules)
    else:
        assert relaxation.shifts
        assert feasible(days, relaxation.applied(rules))
        assert len(relaxation.shifts) == 1 or not feasible(
            days, replace(relaxation, shifts=relaxation.shifts[:-1]).applied(rules)
        )


@given(
    st.lists(st.lists(st.floats(0, 90), min_size=8, max_size=12), min_size=1, max_size=2),
    st.integers(0, 6),
    st.integers(0, 14),
    st.sampled_from(["eight_hours", "short_and_long"]),
)
@settings(max_examples=60)
def test_limits_are_raised_by_no_more_than_it_takes(
    days: list[list[float]], max_staff: int, max_people: int, name: str
) -> None:
    rules = hour_rules(
        pattern=PATTERNS[name],
        max_staff=max_staff if max_staff >= 3 else 0,
        max_people_per_day=max_people if max_people >= 3 else 0,
        service_quantile=0.8,
    )

    relaxation = relaxed(days, rules)

    assert (relaxation is None) == feasible(days, rules)
    if relaxation is None:
        return
    changed = relaxation.applied(rules)
    assert feasible(days, changed)
    if relaxation.max_staff is not None:
        assert not feasible(days, replace(changed, max_staff=relaxation.max_staff - 1, max_people_per_day=0))
    if relaxation.max_people_per_day is not None:
        assert not feasible(days, replace(changed, max_people_per_day=relaxation.max_people_per_day - 1))
    if relaxation.service_quantile is not None:
        assert feasible(days, replace(rules, service_quantile=relaxation.service_quantile))


def test_a_limit_by_the_hour_names_the_hour() -> None:
    day = [20.0, 20, 30, 130, 60, 20, 20, 20]

    relaxation = relaxed([day], hour_rules(max_staff=12))

    assert relaxation is not None
    assert "At most 12 people, 13 needed at 2026-12-07 12:00: raise max_staff to 13." == relaxation.text.en


def test_people_a_day_are_named_with_the_day() -> None:
    relaxation = relaxed([[20.0] * 8, [20.0] * 12], hour_rules(max_people_per_day=5, pattern=PATTERNS["eight_hours"]))

    assert relaxation is not None
    assert "max_people" == relaxation.code
    assert "At most 5 people a day, 6 needed on 2026-12-08: raise max_people_per_day to 6." == relaxation.text.en
