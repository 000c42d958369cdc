"""People needed for visitors, and the risk that they are too few."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawcast.forecasting.staffing.needs import LEVELS, people_needed, visitors_at
from pawcast.forecasting.staffing.risk import risk_of_days, shortage_risk

QUANTILES = st.lists(st.floats(0, 1e5), min_size=4, max_size=4).map(sorted)
RATIO = st.floats(0.5, 500)


def needed(visitors: float, per_person: float, least: int = 3, *, is_open: bool = True) -> int:
    made = people_needed(np.array([visitors]), np.array([per_person]), np.array([least], np.int32), np.array([is_open]))
    return int(made[0])


@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 300), st.integers(3, 9), st.booleans())))
def test_people_needed_are_what_a_loop_counts(rows: list[tuple[int, int, int, bool]]) -> None:
    expected = []
    for visitors, per_person, least, is_open in rows:
        people = least
        while people * per_person < visitors:
            people += 1
        expected.append(people if is_open else 0)

    columns = [np.array(column) for column in zip(*rows, strict=True)] or [np.zeros(0)] * 4
    made = people_needed(columns[0], columns[1], columns[2].astype(np.int32), columns[3].astype(bool))

    assert expected == made.tolist()


@pytest.mark.parametrize("people", range(3, 60))
def test_noise_of_floating_point_needs_nobody_more(people: int) -> None:
    ratio = 0.1

    assert people == needed(people * ratio, ratio) == needed(math.nextafter(people * ratio, math.inf), ratio)
    assert people + 1 == needed(people * ratio + 1e-3, ratio)


def test_a_slip_in_the_ratio_overflows_nothing() -> None:
    assert 1_000_000 == needed(1e7, 1e-9)


@given(QUANTILES, st.floats(0.1, 0.9))
def test_a_level_between_two_is_on_the_line_between_them(quantiles: list[float], level: float) -> None:
    made = visitors_at(np.array([quantiles]), np.array([level]))[0]

    assert np.interp(level, LEVELS, quantiles) == pytest.approx(made, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("place", range(4))
def test_a_level_of_the_forecast_is_taken_as_it_is(place: int) -> None:
    quantiles = np.array([[0.1, 0.3, 0.7, 1.1]])

    assert quantiles[0, place] == visitors_at(quantiles, np.array([LEVELS[place]]))[0]


def risk(quantiles: list[float], staff: int, ratio: float = 1.0) -> float:
    return float(shortage_risk(np.array([quantiles]), np.array([staff], np.int32), np.array([ratio]))[0])


@given(QUANTILES, st.floats(0.1, 0.9), RATIO, st.integers(3, 9))
def test_a_plan_for_a_service_quantile_keeps_its_risk(
    quantiles: list[float], level: float, ratio: float, least: int
) -> None:
    staff = needed(visitors_at(np.array([quantiles]), np.array([level]))[0], ratio, least)

    assert risk(quantiles, staff, ratio) <= 1 - level + 1e-6


@given(QUANTILES, st.integers(0, 300), RATIO)
def test_one_more_person_never_raises_the_risk(quantiles: list[float], staff: int, ratio: float) -> None:
    assert 1 >= risk(quantiles, staff, ratio) >= risk(quantiles, staff + 1, ratio) >= 0


@given(QUANTILES, st.integers(0, 300), st.floats(0.01, 100))
def test_scaling_visitors_and_ratio_changes_no_risk(quantiles: list[float], staff: int, factor: float) -> None:
    scaled = [value * factor for value in quantiles]

    # apart from a jump where quantiles coincide with the capacity
    spread = min(abs(value - staff) for value in quantiles)
    if spread > 1e-3:
        assert risk(quantiles, staff) == pytest.approx(risk(scaled, staff, factor), abs=1e-6)


def test_the_risk_at_each_quantile_is_what_it_leaves() -> None:
    quantiles = [10.0, 20.0, 30.0, 35.0]

    assert [0.9, 0.5, 0.2, 0.1] == pytest.approx([risk(quantiles, int(value)) for value in quantiles], abs=1e-6)
    assert 0.95 == pytest.approx(risk(quantiles, 5), abs=1e-6)
    assert 0.35 == pytest.approx(risk(quantiles, 25), abs=1e-6)
    assert 0.05 == pytest.approx(risk(quantiles, 40), abs=1e-6)


def test_a_certain_forecast_is_never_exceeded() -> None:
    assert [0.92, 0.0, 0.0] == pytest.approx([risk([5.0] * 4, staff) for staff in (4, 5, 6)], abs=1e-6)


def test_coinciding_upper_quantiles_still_have_a_tail() -> None:
    assert 0.02 == pytest.approx(risk([1.0, 5.0, 10.0, 10.0], 15), abs=1e-6)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_a_days_risk_lies_between_its_worst_hour_and_independent_hours(hours: list[float]) -> None:
    made = risk_of_days(np.array(hours), np.zeros(len(hours), np.intp), 1)[0]

    assert max(hours) - 1e-9 <= made <= 1 - math.prod(1 - hour for hour in hours) + 1e-9
    assert len(hours) > 1 or made == hours[0]
