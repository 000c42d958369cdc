"""Whether a store is open where no row says so. The rules are those of `pawcast.forecasting.history`.

Matrices are [store, day, slot]; days begin on a Monday and are whole weeks, and rows exist for the first `known_days`
only.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawcast.forecasting.facts_grid import UNSAID, Bools, Facts, Small

DAYS_A_WEEK: Final = 7
LEARNT_FROM_WEEKS: Final = 8
# From so many weeks on, an hour of the week without any row is taken for closed; before, only rows that say so count.
TELLING_WEEKS: Final = 3
REGION_MAJORITY: Final = 0.5


@dataclass(frozen=True, eq=False)
class Rows:
    """What rows say: whether there is one, and whether it says open."""

    seen: Bools
    opened: Bools


def is_open(rows: Rows, facts: Facts, window: Bools, regions: NDArray[np.intp], known_days: int) -> Bools:
    """[store, day, slot] open or not, for every day of the grid. `regions` numbers each store's region."""
    usual = usual_openings(rows, known_days // DAYS_A_WEEK) & window
    openings = usual & _as_last_holiday(rows, facts, regions)[:, :, None]
    called_open = facts.open == 1
    # The calendar opens a day in its usual hours; where it has none, in those of the week's other days.
    openings[called_open] = usual[called_open]
    unusual = called_open & ~usual.any(axis=2)
    openings[unusual] = (window & _hours_of_the_week(usual))[unusual]
    hours_named = called_open & (facts.opens_at != UNSAID) & (facts.closes_at != UNSAID)
    openings[hours_named] = window[hours_named]
    openings[facts.open == 0] = False
    return np.where(rows.seen, rows.opened, openings)


def opening_window(stores: pd.DataFrame, facts: Facts, slots: int) -> Bools:
    """[store, day, slot] within opening hours. A store that plans by day, or without hours, could open at any time."""
    if slots == 1:
        return np.ones((*facts.open.shape, 1), np.bool_)
    opens, closes = (_hours(stores[name])[:, None] for name in ("opens_at", "closes_at"))
    opens = np.where(facts.opens_at != UNSAID, facts.opens_at, opens)
    closes = np.where(facts.closes_at != UNSAID, facts.closes_at, closes)
    said = (opens != UNSAID) & (closes != UNSAID) & (opens < closes)
    hour = np.arange(slots, dtype=np.int8)
    within = (hour >= opens[:, :, None]) & (hour < closes[:, :, None])
    return np.asarray(within | ~said[:, :, None])


def usual_openings(rows: Rows, known_weeks: int) -> Bools:
    """[store, day, slot] whether a store opens in that hour of the week, by its last 8 weeks that have rows.

    The first 8 weeks look at all of themselves, weeks without rows and the weeks to come at the last 8 that have some.
    """
    stores, days, slots = rows.seen.shape
    weeks, cells = days // DAYS_A_WEEK, DAYS_A_WEEK * slots
    opened = rows.opened.reshape(stores, weeks, cells)[:, :known_weeks]
    seen = rows.seen.reshape(stores, weeks, cells)[:, :known_weeks]
    has_rows = seen.any(axis=2)
    rank = has_rows.cumsum(axis=1)  # [store, week] weeks with rows up to here
    week_of = np.zeros((stores, known_weeks + 1), np.intp)  # [store, n] the n-th week with rows, from 1
    np.put_along_axis(week_of, np.where(has_rows, rank, 0), np.arange(known_weeks)[None, :], axis=1)
    last = np.maximum(rank, np.minimum(LEARNT_FROM_WEEKS, rank[:, -1:] if known_weeks else 0))
    end = np.take_along_axis(week_of, last, axis=1) + 1
    before = np.maximum(last - LEARNT_FROM_WEEKS, 0)
    start = np.where(before > 0, np.take_along_axis(week_of, before, axis=1) + 1, 0)
    told = np.minimum(last, LEARNT_FROM_WEEKS)
    ever_opened = _within(opened, start, end)
    ever_seen = _within(seen, start, end)
    closed = ~ever_opened & (ever_seen | (told[:, :, None] >= TELLING_WEEKS))
    usual = np.ones((stores, weeks, cells), np.bool_)
    usual[:, :known_weeks] = ~closed
    if known_weeks:
        usual[:, known_weeks:] = usual[:, known_weeks - 1 : known_weeks]
    return usual.reshape(stores, days, slots)


def _within(marks: Bools, start: NDArray[np.intp], end: NDArray[np.intp]) -> Bools:
    """[store, week, cell] whether a cell is marked in any of the weeks [start, end) that belong to a week."""
    stores, weeks, cells = marks.shape
    total = np.zeros((stores, weeks + 1, cells), np.int16)
    np.cumsum(marks, axis=1, dtype=np.int16, out=total[:, 1:])
    at_end = np.take_along_axis(total, end[:, :, None], axis=1)
    return np.asarray(at_end > np.take_along_axis(total, start[:, :, None], axis=1))


def _hours_of_the_week(usual: Bools) -> Bools:
    """[store, day, slot] the hours in which a store opens on any day of that week; all hours where there is none."""
    stores, days, slots = usual.shape
    hours = usual.reshape(stores, days // DAYS_A_WEEK, DAYS_A_WEEK, slots).any(axis=2)
    hours |= ~hours.any(axis=2, keepdims=True)
    return np.repeat(hours, DAYS_A_WEEK, axis=1)


def _as_last_holiday(rows: Rows, facts: Facts, regions: NDArray[np.intp]) -> Bools:
    """[store, day] False on public holidays that a store, or most of its region's, had closed the last time."""
    seen, opened = rows.seen.any(axis=2), rows.opened.any(axis=2)
    day_open = np.ones(seen.shape, np.bool_)
    for region in np.unique(regions):
        members = np.flatnonzero(regions == region)
        kind_of_day = facts.holiday[members[0]]
        did: dict[int, Small] = {}  # by kind: 1 opened the last time, 0 did not, UNSAID no row yet
        for day in np.flatnonzero(kind_of_day):
            kind = int(kind_of_day[day])
            before = did.get(kind, np.full(len(members), UNSAID, np.int8))
            told = before[before != UNSAID]
            most = not len(told) or told.mean() >= REGION_MAJORITY
            day_open[members, day] = np.where(before == UNSAID, most, before == 1)
            now = np.where(seen[members, day], opened[members, day].astype(np.int8), np.int8(UNSAID))
            did[kind] = np.where(now == UNSAID, before, now)
    return day_open


def _hours(column: "pd.Series[float]") -> NDArray[np.int8]:
    hours = column.to_numpy(np.float64, na_value=np.nan)
    return np.where(np.isnan(hours), UNSAID, hours).astype(np.int8)
