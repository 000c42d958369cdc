"""The cheapest shifts that cover every open hour of a day, for many days at once.

One day is the integer programme

    min  cost . people   subject to   cover . people >= need,   people >= 0 whole

with a row for each open hour and a column for each shift; `cost` puts person-hours first, then people, then a fixed
tie-break. The ones of each column are consecutive, so the matrix is totally unimodular (an interval matrix; Hoffman &
Kruskal 1956): every vertex of the linear relaxation is whole, and simplex is enough.

A year of stores has some hundred thousand such days, which differ only in `need`, and `need` is nothing but the dual's
objective: a basis that is optimal for one day is optimal for each day at which its vertex is feasible. So HiGHS solves
one day, its basis becomes a small whole matrix, and all other days are multiplied by it. Once a new basis serves too
few days to be worth that, the rest goes to HiGHS in batches, each started from the last one's basis.

A vertex without ties is the only optimum, however it was found. A day where a tie is left is solved alone, from a cold
start. So a store's shifts never depend on which other stores are planned with it. docs/decisions/0011 has the figures.
"""

from dataclasses import dataclass
from typing import Final

import highspy
import numpy as np
from numpy.typing import NDArray

from pawcast.forecasting.staffing.limits import solve_limited
from pawcast.forecasting.staffing.model import PERSON, Ints, Window, bounded_rows, linear_programme, new_highs

BATCH: Final = 10
MISSES: Final = 3  # bases in a row that served too few days
UNLIMITED: Final = np.iinfo(np.int32).max

type Places = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Covered:
    """Shifts of some days of one window: `people` is [day, shift], `staff` and `short` (missing) [day, hour]."""

    people: Ints
    staff: Ints
    short: Ints


def cover_days(window: Window, need: Ints, limits: Ints | None = None) -> Covered:
    """Shifts for days that are open at the same hours.

    Args:
        window: the shifts that fit those hours.
        need: [day, hour] people needed.
        limits: [day, 3] people at once and people a day (0: no limit), and how many of `need` are the store's minimum.

    A day that can't be covered within its limits has the shifts that leave the fewest person-hours out, those of the
    minimum before others.
    """
    hours = len(window.hours)
    limits = np.zeros((len(need), 3), np.int32) if limits is None else limits
    days, inverse = unique_rows(np.column_stack([need, limits]))
    wanted, limits = days[:, :hours], days[:, hours:]
    highs = new_highs()
    if window.covers_all:
        people = _cheapest(highs, window, wanted)
        at_once, a_day = (np.where(limits[:, kind] > 0, limits[:, kind], UNLIMITED) for kind in (0, 1))
        over = ((people @ window.matrix.T).max(axis=1) > at_once) | (people.sum(axis=1) > a_day)
    else:
        people = np.zeros((len(days), len(window.shifts)), np.int32)
        over = np.ones(len(days), bool)
    for day in np.flatnonzero(over):
        people[day] = solve_limited(highs, window, wanted[day], *map(int, limits[day]))
    staff = people @ window.matrix.T
    short = np.maximum(wanted - staff, 0)
    return Covered(people[inverse], staff[inverse], short[inverse])


def _cheapest(highs: highspy.Highs, window: Window, need: Ints) -> Ints:
    """[day, shift] people of distinct needs, without limits."""
    people = np.zeros((len(need), len(window.shifts)), np.int32)
    todo = np.arange(len(need))
    highs.passModel(linear_programme(window.matrix, window.cost / PERSON))
    misses, tried = 0, 0
    while len(todo) > BATCH and misses < MISSES:
        tried += 1
        some = need[todo[int(tried * 0.618034 * len(todo)) % len(todo)]]
        before = len(todo)
        todo = _apply(_basis(highs, window, some), window, need, todo, people)
        misses = 0 if before - len(todo) > BATCH + len(todo) // 150 else misses + 1
    tied = _in_batches(highs, window, need, todo, people)
    if len(tied):
        highs.passModel(linear_programme(window.matrix, window.cost / PERSON))
        for day in tied:
            highs.clearSolver()
            people[day] = _solved(highs, need[day])
    return people


def _basis(highs: highspy.Highs, window: Window, need: Ints) -> tuple[Places, Places, Ints] | None:
    """The optimal basis at `need`: shifts, binding hours, map from their need to people. None where a tie is left."""
    bounded_rows(highs, need)
    highs.run()
    status = highs.getBasis()
    basic = highspy.HighsBasisStatus.kBasic
    shifts = np.flatnonzero([one == basic for one in status.col_status])
    binding = np.flatnonzero([one != basic for one in status.row_status])
    square = window.matrix[np.ix_(binding, shifts)]
    inverse = (
        np.rint(np.linalg.inv(square.astype(float))).astype(np.int64) if len(shifts) else np.zeros((0, 0), np.int64)
    )
    # in whole numbers, so exact: the price of each binding hour, and by how much each other shift is too dear
    price = window.cost[shifts] @ inverse
    too_dear = window.cost - price @ window.matrix[binding]
    too_dear[shifts] = 1
    return (shifts, binding, inverse.astype(np.int32)) if (price > 0).all() and (too_dear > 0).all() else None


def _apply(basis: tuple[Places, Places, Ints] | None, window: Window, need: Ints, todo: Places, people: Ints) -> Places:
    """Settle each day of `todo` at which the basis is feasible; the days that are left."""
    if basis is None:
        return todo
    shifts, binding, inverse = basis
    wanted = need[todo]
    some = wanted[:, binding] @ inverse.T
    fits = (some >= 0).all(axis=1)
    fits[fits] = (some[fits] @ window.matrix[:, shifts].T >= wanted[fits]).all(axis=1)
    people[np.ix_(todo[fits], shifts)] = some[fits]
    return todo[~fits]


def _in_batches(highs: highspy.Highs, window: Window, need: Ints, todo: Places, people: Ints) -> Places:
    """Settle `todo` by HiGHS, some days in one programme; the days that have ties."""
    if not len(todo):
        return todo
    blocks = np.kron(np.eye(BATCH, dtype=np.int32), window.matrix)
    highs.passModel(linear_programme(blocks, np.tile(window.cost / PERSON, BATCH)))
    hours = len(window.hours)
    tied = []
    for start in range(0, len(todo), BATCH):
        days = todo[start : start + BATCH]
        wanted = np.zeros((BATCH, hours), np.int32)
        wanted[: len(days)] = need[days]
        people[days] = _solved(highs, wanted.ravel()).reshape(BATCH, -1)[: len(days)]
        # each of the `hours` basic variables has a reduced cost of 0; one more 0 is a tie
        duals = highs.getSolution()
        free = (np.abs(np.asarray(duals.col_dual)) < 1e-6).reshape(BATCH, -1).sum(axis=1)
        free += (np.abs(np.asarray(duals.row_dual)) < 1e-6).reshape(BATCH, -1).sum(axis=1)
        tied.append(days[free[: len(days)] > hours])
    return np.concatenate(tied)


def _solved(highs: highspy.Highs, need: Ints) -> Ints:
    bounded_rows(highs, need)
    highs.run()
    return np.rint(np.asarray(highs.getSolution().col_value)).astype(np.int32)


def unique_rows(rows: Ints) -> tuple[Ints, Places]:
    """Distinct rows and, for each row, which of them it is."""
    rows = np.ascontiguousarray(rows, np.int32)
    keys = rows.view(np.dtype((np.void, rows.dtype.itemsize * rows.shape[1]))).ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return rows[first], inverse
