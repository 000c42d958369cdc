"""Shifts for cells by the hour: days with the same shifts and open hours are covered together."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawcast.forecasting.staffing.cells import Cells, Places, Times
from pawcast.forecasting.staffing.cover import cover_days
from pawcast.forecasting.staffing.model import Window, window_of
from pawcast.forecasting.staffing.needs import Ints
from pawcast.forecasting.staffing.rules import HOURS_A_DAY, Shift, ShiftPattern


@dataclass(frozen=True, eq=False)
class HourlyPlan:
    """Staff of cells and the shifts behind it. `staff` and `short` are [cell]; the rest is one row a shift in use."""

    staff: Ints
    short: Ints
    store: Places
    day: Times
    shift: tuple[Shift, ...]
    people: Ints

    def frame(self, cells: Cells) -> pd.DataFrame:
        """The rows of SHIFTS."""
        ids = np.array([rule.store_id for rule in cells.rules], object)
        labels = np.array([shift.label for shift in self.shift], object)
        starts = np.array([shift.starts_at for shift in self.shift], np.int64)
        ends = np.array([shift.ends_at for shift in self.shift], np.int64)
        order = np.lexsort((ends, starts, self.day, self.store)) if len(self.day) else np.zeros(0, np.intp)
        return shift_frame(
            ids[self.store[order]] if len(ids) else ids,
            self.day[order],
            labels[order],
            starts[order],
            ends[order],
            self.people[order],
        )


def shift_frame(
    store_id: NDArray[np.object_],
    day: Times,
    shift: NDArray[np.object_],
    starts_at: NDArray[np.int64],
    ends_at: NDArray[np.int64],
    people: Ints,
) -> pd.DataFrame:
    """A SHIFTS frame with its types, empty or not."""
    return pd.DataFrame(
        {
            "store_id": pd.Series(store_id, dtype=object).astype(str),
            "day": day.astype("datetime64[us]"),
            "shift": pd.Series(shift, dtype=object).astype(str),
            "starts_at": starts_at,
            "ends_at": ends_at,
            "people": people.astype(np.int64),
        }
    )


def plan_shifts(cells: Cells, need: Ints) -> HourlyPlan:
    """The cheapest shifts for `need` [cell] within each store's limits; `cells` are all open and by the hour."""
    first, day_of = day_starts(cells)
    matrix = np.zeros((len(first), HOURS_A_DAY), np.int32)
    is_open = np.zeros((len(first), HOURS_A_DAY), bool)
    matrix[day_of, cells.hour] = need
    is_open[day_of, cells.hour] = True
    store = cells.store[first]
    patterns: dict[ShiftPattern, int] = {}
    pattern_of = np.array([patterns.setdefault(rule.pattern, len(patterns)) for rule in cells.rules], np.int64)[store]
    limits = np.array(
        [(rule.max_staff, rule.max_people_per_day, rule.min_staff) for rule in cells.rules], np.int32
    ).reshape(-1, 3)[store]
    key = pattern_of << HOURS_A_DAY | (is_open << np.arange(HOURS_A_DAY)).sum(axis=1)
    order = np.argsort(key, kind="stable")
    staff = np.zeros((len(first), HOURS_A_DAY), np.int32)
    short = np.zeros((len(first), HOURS_A_DAY), np.int32)
    used: list[tuple[Places, Window, Places, Ints]] = []
    by_number = tuple(patterns)
    for days in np.split(order, np.flatnonzero(np.diff(key[order])) + 1) if len(order) else []:
        hours = tuple(np.flatnonzero(is_open[days[0]]).tolist())
        window = window_of(by_number[pattern_of[days[0]]].shifts, hours)
        grid = np.ix_(days, hours)
        covered = cover_days(window, matrix[grid], limits[days])
        staff[grid], short[grid] = covered.staff, covered.short
        day, shift = np.nonzero(covered.people)
        used.append((days[day], window, shift, covered.people[day, shift]))
    days = np.concatenate([each[0] for each in used]) if used else np.zeros(0, np.intp)
    return HourlyPlan(
        staff=staff[day_of, cells.hour],
        short=short[day_of, cells.hour],
        store=store[days],
        day=cells.day[first][days],
        shift=tuple(window.shifts[one] for _, window, shifts, _ in used for one in shifts),
        people=np.concatenate([each[3] for each in used]) if used else np.zeros(0, np.int32),
    )


def day_starts(cells: Cells) -> tuple[Places, Places]:
    """Where each store's day begins among the cells, and [cell] which of these days it belongs to."""
    day = cells.day
    new = np.ones(len(day), bool)
    new[1:] = (day[1:] != day[:-1]) | (cells.store[1:] != cells.store[:-1])
    return np.flatnonzero(new), np.cumsum(new) - 1
