"""The cheapest shifts: equal to trying everything, whole, and the same whoever is planned beside."""

import itertools
from dataclasses import replace

import highspy
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pawcast.forecasting.staffing.cover import cover_days
from pawcast.forecasting.staffing.limits import solve_rows
from pawcast.forecasting.staffing.model import HOUR, PERSON, TIES, Ints, Window, linear_programme, new_highs, window_of
from pawcast.forecasting.staffing.rules import PATTERNS, Shift

SMALL = tuple(Shift(start, hours) for hours in (1, 2, 3, 5) for start in range(8, 14 - hours))
LONG_WINDOW = window_of(PATTERNS["short_and_long"].shifts, tuple(range(9, 21)))


def everything(window: Window, most: int) -> Ints:
    """All numbers of people up to `most` a shift."""
    return np.array(list(itertools.product(range(most + 1), repeat=len(window.shifts))), np.int32)


def cost(window: Window, people: Ints) -> tuple[int, int]:
    """Person-hours and people."""
    return int(people @ np.array([shift.hours for shift in window.shifts], int)), int(people.sum())


def by_trying(window: Window, need: Ints, max_staff: int, max_people: int, least: int) -> tuple[int, ...]:
    """Fewest person-hours left out, of the minimum left out, person-hours, people."""
    every = everything(window, int(need.max(initial=0)))
    staff = every @ window.matrix.T
    heads = every.sum(axis=1)
    allowed = np.ones(len(every), bool)
    if max_staff:
        allowed &= (staff <= max_staff).all(axis=1)
    if max_people:
        allowed &= heads <= max_people
    hours = every @ np.array([shift.hours for shift in window.shifts], int)
    out = np.maximum(need - staff, 0).sum(axis=1)
    # of the minimum: everything that lacks below it
    minimum = np.maximum(np.minimum(need, least) - staff, 0).sum(axis=1)
    table = np.column_stack([out, minimum, hours, heads])[allowed]
    return tuple(int(value) for value in min(table.tolist()))


NEED = st.lists(st.integers(1, 3), min_size=5, max_size=5)


@given(NEED, st.sets(st.sampled_from(SMALL), min_size=1, max_size=6))
@settings(max_examples=60)
def test_shifts_cost_what_the_best_of_all_costs(need: list[int], shifts: set[Shift]) -> None:
    window = window_of(tuple(shifts), tuple(range(8, 13)))
    assume(window.covers_all)

    covered = cover_days(window, np.array([need], np.int32))

    assert (covered.staff >= need).all()
    assert by_trying(window, np.array(need), 0, 0, 0)[2:] == cost(window, covered.people[0])


@given(NEED, st.sets(st.sampled_from(SMALL), min_size=1, max_size=5), st.integers(0, 4), st.integers(0, 6))
@settings(max_examples=100)
def test_within_limits_the_fewest_person_hours_are_left_out(
    need: list[int], shifts: set[Shift], max_staff: int, max_people: int
) -> None:
    window = window_of(tuple(shifts), tuple(range(8, 13)))
    assume(window.shifts)

    covered = cover_days(window, np.array([need], np.int32), np.array([[max_staff, max_people, 1]], np.int32))

    people = covered.people[0]
    short = int(covered.short.sum())
    minimum = int(np.maximum(1 - covered.staff, 0).sum())
    assert not max_staff or covered.staff.max() <= max_staff
    assert not max_people or people.sum() <= max_people
    assert by_trying(window, np.array(need), max_staff, max_people, 1) == (short, minimum, *cost(window, people))


@given(st.lists(st.lists(st.integers(3, 12), min_size=12, max_size=12), min_size=1, max_size=40))
@settings(max_examples=30)
def test_a_days_shifts_do_not_depend_on_its_neighbours(needs: list[list[int]]) -> None:
    together = cover_days(LONG_WINDOW, np.array(needs, np.int32))

    alone = [cover_days(LONG_WINDOW, np.array([need], np.int32)).people[0] for need in needs]
    backwards = cover_days(LONG_WINDOW, np.array(needs[::-1], np.int32))
    assert np.array(alone).tolist() == together.people.tolist() == backwards.people[::-1].tolist()


@given(st.lists(st.integers(3, 40), min_size=12, max_size=12))
def test_more_need_never_costs_fewer_person_hours(need: list[int]) -> None:
    more = np.array(need, np.int32)
    more[5] += 1

    covered = cover_days(LONG_WINDOW, np.array([need, more], np.int32))

    lengths = np.array([shift.hours for shift in LONG_WINDOW.shifts])
    assert (covered.people @ lengths)[0] <= (covered.people @ lengths)[1]


@given(
    st.sets(st.tuples(st.integers(0, 23), st.integers(1, 12)), max_size=30),
    st.sets(st.integers(0, 23), min_size=1),
    st.data(),
)
@settings(max_examples=60)
def test_the_linear_relaxation_is_whole(shifts: set[tuple[int, int]], opened: set[int], data: st.DataObject) -> None:
    whole_day = Shift(min(opened), max(opened) + 1 - min(opened))
    window = window_of((*(Shift(*shift) for shift in shifts), whole_day), tuple(sorted(opened)))
    need = data.draw(st.lists(st.integers(0, 30), min_size=len(opened), max_size=len(opened)))
    highs = new_highs()
    programme = linear_programme(window.matrix, window.cost / PERSON)
    programme.row_lower_ = np.array(need, float)
    highs.passModel(programme)
    highs.run()

    values = np.asarray(highs.getSolution().col_value)

    assert np.abs(values - np.rint(values)).max() < 1e-9
    programme.integrality_ = [highspy.HighsVarType.kInteger] * len(values)
    highs.passModel(programme)
    highs.run()
    assert highs.getInfo().objective_function_value == pytest.approx(float(values @ (window.cost / PERSON)))


def test_many_days_cost_what_each_costs_alone() -> None:
    random = np.random.default_rng(7)
    needs = np.maximum(3, random.poisson(random.uniform(3, 9, (400, 1)), (400, 12))).astype(np.int32)
    highs = new_highs()

    covered = cover_days(LONG_WINDOW, needs)

    for need, people in zip(needs[::20], covered.people[::20], strict=True):
        alone = solve_rows(highs, LONG_WINDOW, need, np.full(12, np.inf))
        assert alone is not None
        assert alone.tolist() == people.tolist()
    assert (covered.staff >= needs).all()
    assert not covered.short.any()


def test_person_hours_come_before_people_and_people_before_all_else() -> None:
    shifts = (Shift(8, 2), Shift(10, 2), Shift(8, 4), Shift(8, 6))
    window = window_of(shifts, (8, 9, 10, 11, 12, 13))
    need = np.array([[1, 1, 1, 1, 0, 0]], np.int32)

    covered = cover_days(window, need)

    assert [Shift(8, 4)] == [window.shifts[place] for place in np.flatnonzero(covered.people[0])]
    assert HOUR > 25 * PERSON


def test_a_shift_may_bridge_a_break_but_not_leave_the_day() -> None:
    window = window_of((Shift(8, 6), Shift(6, 6), Shift(12, 6)), (8, 9, 12, 13))

    assert (Shift(8, 6),) == window.shifts
    assert [[3, 3, 3, 3]] == cover_days(window, np.full((1, 4), 3, np.int32)).staff.tolist()


def test_a_day_that_no_shift_fits_is_left_uncovered() -> None:
    window = window_of(PATTERNS["eight_hours"].shifts, (10, 11, 12))

    covered = cover_days(window, np.full((2, 3), 3, np.int32))

    assert (2, 0) == covered.people.shape
    assert [9, 9] == covered.short.sum(axis=1).tolist()


@pytest.mark.parametrize(
    ("need", "max_people", "best"),
    [
        ([2, 1, 2, 1, 2], 3, (0, 10, 2)),  # two long shifts, where the relaxation takes half of three short ones
        ([3, 1, 3, 1, 3], 4, (0, 15, 3)),
        ([3, 1, 3, 1, 3], 2, (3, 10, 2)),
    ],
)
def test_people_a_day_make_no_half_people(need: list[int], max_people: int, best: tuple[int, int, int]) -> None:
    window = window_of((Shift(8, 1), Shift(10, 1), Shift(12, 1), Shift(8, 5)), (8, 9, 10, 11, 12))

    covered = cover_days(window, np.array([need], np.int32), np.array([[0, max_people, 1]], np.int32))

    assert best == (int(covered.short.sum()), *cost(window, covered.people[0]))


def test_where_shifts_tie_a_day_is_still_the_same_beside_any_other() -> None:
    window = replace(LONG_WINDOW, cost=LONG_WINDOW.cost // TIES * TIES)
    needs = np.random.default_rng(5).integers(3, 9, (200, 12)).astype(np.int32)

    together = cover_days(window, needs)

    backwards = cover_days(window, needs[::-1])
    assert together.people.tolist() == backwards.people[::-1].tolist()
    best = cover_days(LONG_WINDOW, needs)
    lengths = np.array([shift.hours for shift in window.shifts])
    assert (best.people @ lengths).tolist() == (together.people @ lengths).tolist()
    assert best.people.sum(axis=1).tolist() == together.people.sum(axis=1).tolist()
    assert together.people[0].tolist() == cover_days(window, needs[:1]).people[0].tolist()


def test_what_is_left_out_is_whole_as_well() -> None:
    window = window_of((Shift(8, 4), Shift(10, 2), Shift(9, 1), Shift(8, 1), Shift(10, 3)), (8, 9, 10, 11, 12))
    need = np.array([[1, 3, 1, 1, 2]], np.int32)

    covered = cover_days(window, need, np.array([[2, 4, 1]], np.int32))

    assert by_trying(window, need[0], 2, 4, 1) == (2, 0, 6, 4)
    assert (2, 6, 4) == (int(covered.short.sum()), *cost(window, covered.people[0]))


def test_days_that_differ_only_in_size_are_solved_together() -> None:
    needs = np.arange(3, 43)[:, None] * np.ones(12, np.int32)

    covered = cover_days(LONG_WINDOW, needs.astype(np.int32))

    assert (covered.people == covered.people[0] * np.arange(3, 43)[:, None] // 3).all()
