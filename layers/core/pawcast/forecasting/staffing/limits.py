"""A day whose shifts meet a limit: people at once, people a day, or hours that no shift covers. Solved one by one.

People at once bounds the same rows from above, so the linear relaxation stays whole. People a day is a row of ones
across all shifts, which breaks total unimodularity: where its relaxation is fractional, HiGHS branches.
"""

import highspy
import numpy as np
from numpy.typing import NDArray

from pawcast.forecasting.staffing.model import HOUR, PERSON, Ints, Window, linear_programme

type Floats = NDArray[np.float64]

BELOW_NEED = 2.0**21  # of a missing person-hour, against 32 for a planned one: nothing that 25 shifts cost outweighs it
BELOW_MINIMUM = 2.0**15  # more, where the store's minimum is missing


def solve_limited(
    highs: highspy.Highs, window: Window, need: Ints, max_staff: int, max_people: int, min_staff: int
) -> Ints:
    """[shift] people that cover `need` within the limits (0: none), or leave out the fewest person-hours."""
    if not window.shifts:
        return np.zeros(0, np.int32)
    cap = max_staff or highspy.kHighsInf
    upper = np.full(len(need), cap)
    if window.covers_all and need.max() <= cap:
        people = solve_rows(highs, window, need, upper, max_people)
        if people is not None:
            return people
    wanted = np.minimum(need, cap).astype(np.int32)
    least = np.minimum(wanted, min_staff)
    people = _solve(highs, window, wanted, upper, max_people, np.concatenate([wanted - least, least]))
    assert people is not None  # noqa: S101  # nobody at all is a solution
    return people


def solve_rows(highs: highspy.Highs, window: Window, lower: Ints, upper: Floats, max_people: int = 0) -> Ints | None:
    """[shift] the cheapest, `lower` to `upper` at each hour, `max_people` (0: any) a day; None where there is none."""
    return _solve(highs, window, lower, upper, max_people, None)


def fewest_people(highs: highspy.Highs, window: Window, need: Ints, max_staff: int) -> int:
    """How many people a day it takes to cover `need`, at most `max_staff` (0: any) at once."""
    programme = linear_programme(window.matrix, np.ones(len(window.shifts)))
    programme.row_lower_ = need.astype(float)
    programme.row_upper_ = np.full(len(need), max_staff or highspy.kHighsInf)
    people = _run(highs, programme)
    assert people is not None  # noqa: S101  # the caller knows that it is feasible
    return round(people.sum())


def _solve(
    highs: highspy.Highs, window: Window, lower: Ints, upper: Floats, max_people: int, missing: Ints | None
) -> Ints | None:
    """As `solve_rows`; `missing` [2 x hour] is how many may be left out, beyond and of the store's minimum."""
    hours, shifts = window.matrix.shape
    matrix, cost, most = window.matrix, window.cost / PERSON, np.full(shifts, highspy.kHighsInf)
    if missing is not None:
        one = np.eye(hours, dtype=np.int32)
        matrix = np.hstack([matrix, one, one])
        cost = np.concatenate([cost, np.full(hours, BELOW_NEED), np.full(hours, BELOW_NEED + BELOW_MINIMUM)])
        most = np.concatenate([most, missing])
    low, high = lower.astype(float), upper
    if max_people:
        heads = (np.arange(matrix.shape[1]) < shifts).astype(np.int32)
        matrix = np.vstack([matrix, heads])
        low, high = np.append(low, 0.0), np.append(high, float(max_people))
    programme = linear_programme(matrix, cost, most)
    programme.row_lower_, programme.row_upper_ = low, high
    found = _run(highs, programme)
    if found is not None and np.abs(found - np.rint(found)).max(initial=0) > 1e-6:
        found = _branch(highs, programme, window, lower, max_people, missing is not None)
    return None if found is None else np.rint(found[:shifts]).astype(np.int32)


def _branch(
    highs: highspy.Highs, programme: highspy.HighsLp, window: Window, need: Ints, max_people: int, elastic: bool
) -> Floats | None:
    """The whole-number optimum. Weights are wide enough for any move, so there is no room for tie-breaks."""
    person_hours = (window.cost // HOUR).astype(float)
    weight = max_people + 1.0
    cost = person_hours * weight + 1
    if elastic:
        below_minimum = cost.max() * max_people + 1
        below_need = below_minimum * (need.sum() + 1)
        hours = len(need)
        cost = np.concatenate([cost, np.full(hours, below_need), np.full(hours, below_need + below_minimum)])
    programme.col_cost_ = cost
    programme.integrality_ = [highspy.HighsVarType.kInteger] * len(cost)
    return _run(highs, programme)


def _run(highs: highspy.Highs, programme: highspy.HighsLp) -> Floats | None:
    """An optimum from a cold start, None where none is feasible."""
    highs.clearModel()
    highs.passModel(programme)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return np.asarray(highs.getSolution().col_value, float)
