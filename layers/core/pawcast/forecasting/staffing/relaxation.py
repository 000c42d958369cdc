"""The smallest change of a store's rules with which its week can be planned, found by solving for it.

Hours without a shift come first: nothing else helps there, so shifts are added, as long as the pattern's own. Then
people at once are raised by one until the shifts fit, then people a day to the fewest that will do. As another way out
the highest of a few lower service quantiles is named with which the limits could stay as they are.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import highspy
import numpy as np
import pandas as pd

from pawcast.forecasting.staffing.cells import Cells
from pawcast.forecasting.staffing.hourly import day_starts
from pawcast.forecasting.staffing.limits import fewest_people, solve_rows
from pawcast.forecasting.staffing.messages import INFEASIBLE
from pawcast.forecasting.staffing.model import Window, new_highs, window_of
from pawcast.forecasting.staffing.needs import Ints
from pawcast.forecasting.staffing.rules import Shift, ShiftPattern, StoreRules
from pawcast.forecasting.weekly.run import Sentences

LOWER_QUANTILES: Final = (0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5)


@dataclass(frozen=True)
class Relaxation:
    """What to allow. `code` names the first obstacle (see `messages.INFEASIBLE`); None and empty: no change."""

    code: str
    text: Sentences
    shifts: tuple[Shift, ...] = ()
    max_staff: int | None = None
    max_people_per_day: int | None = None
    service_quantile: float | None = None  # instead of the two limits

    def applied(self, rules: StoreRules) -> StoreRules:
        """The rules with shifts and limits relaxed."""
        shifts = (*rules.pattern.shifts, *self.shifts)
        return replace(
            rules,
            pattern=ShiftPattern(rules.pattern.name, shifts),
            max_staff=rules.max_staff if self.max_staff is None else self.max_staff,
            max_people_per_day=(
                rules.max_people_per_day if self.max_people_per_day is None else self.max_people_per_day
            ),
        )


@dataclass
class _Texts:
    codes: list[str] = field(default_factory=list)
    ko: list[str] = field(default_factory=list)
    en: list[str] = field(default_factory=list)

    def add(self, code: str, ko: dict[str, object], en: dict[str, object]) -> None:
        self.codes.append(code.removesuffix("_or_quantile"))
        self.ko.append(INFEASIBLE[code].ko.format(**ko))
        self.en.append(INFEASIBLE[code].en.format(**en))

    def relaxation(self, **changes: object) -> Relaxation:
        text = Sentences(ko=" ".join(self.ko), en=" ".join(self.en))
        return Relaxation(self.codes[0], text, **changes)  # type: ignore[arg-type]


def relax_days(cells: Cells, needed: Ints) -> Relaxation:
    """For a store that plans by day and is short of people: `cells` are its own."""
    rules = cells.rules[cells.store[0]]
    worst = int(np.argmax(needed))
    texts, quantile = _Texts(), None
    for level in _below(rules.service_quantile):
        if cells.needed(cells.visitors(level)).max() <= rules.max_staff:
            quantile = level
            break
    code = "max_staff" if quantile is None else "max_staff_or_quantile"
    facts: dict[str, object] = {
        "limit": rules.max_staff,
        "needed": int(needed[worst]),
        "at": str(cells.day[worst]),
        "raise_to": int(needed[worst]),
        "quantile": quantile,
    }
    texts.add(code, facts, facts)
    return texts.relaxation(max_staff=int(needed[worst]), service_quantile=quantile)


def relax_hours(cells: Cells, needed: Ints, short_days: Sequence[int]) -> Relaxation:
    """For a store that plans by the hour: `cells` are its own, `short_days` which of its days have people missing."""
    rules = cells.rules[cells.store[0]]
    first, day_of = day_starts(cells)
    highs = new_highs()
    days = [np.flatnonzero(day_of == day) for day in short_days]
    hours = [tuple(cells.hour[day].tolist()) for day in days]
    texts = _Texts()
    added: tuple[Shift, ...] = ()
    for day, opened in zip(days, hours, strict=True):
        while len(left := uncovered(window_of((*rules.pattern.shifts, *added), opened))):
            shift = missing_shift(rules.pattern, opened, left)
            if not texts.codes:
                _say_uncovered(texts, str(cells.day[day[0]]), opened, left, shift)
            added = (*added, shift)
    windows = [window_of((*rules.pattern.shifts, *added), opened) for opened in hours]
    needs = [needed[day] for day in days]
    cap, people = _limits(highs, windows, needs, rules)
    quantile = None
    if cap != rules.max_staff or people != rules.max_people_per_day:
        for level in _below(rules.service_quantile):
            lower = cells.needed(cells.visitors(level))
            if _limits(highs, windows, [lower[day] for day in days], rules) == (
                rules.max_staff,
                rules.max_people_per_day,
            ):
                quantile = level
                break
    suffix = "" if quantile is None else "_or_quantile"
    worst = max(range(len(days)), key=lambda one: int(needs[one].max()))
    at_hour = str(pd.Timestamp(cells.ts[days[worst][int(np.argmax(needs[worst]))]]))[:16]
    if cap != rules.max_staff:
        facts: dict[str, object] = {
            "limit": rules.max_staff,
            "needed": int(needs[worst].max()),
            "at": at_hour,
            "raise_to": cap,
            "quantile": quantile,
        }
        texts.add(f"max_staff{suffix}", facts, facts)
    if people != rules.max_people_per_day:
        each = [fewest_people(highs, window, need, cap) for window, need in zip(windows, needs, strict=True)]
        worst = int(np.argmax(each))
        facts = {
            "limit": rules.max_people_per_day,
            "needed": people,
            "at": str(cells.day[first[short_days[worst]]]),
            "raise_to": people,
            "quantile": quantile,
        }
        texts.add(f"max_people{suffix}", facts, facts)
    return texts.relaxation(
        shifts=added,
        max_staff=cap if cap != rules.max_staff else None,
        max_people_per_day=people if people != rules.max_people_per_day else None,
        service_quantile=quantile,
    )


def uncovered(window: Window) -> Ints:
    """Open hours that no shift of the window covers."""
    return np.array(window.hours, np.int32)[~window.matrix.any(axis=1)]


def missing_shift(pattern: ShiftPattern, hours: tuple[int, ...], left: Ints) -> Shift:
    """A shift over the first run of uncovered hours: as short as the pattern has one that fits, else the longest."""
    opens, closes = hours[0], hours[-1] + 1
    begin = int(left[0])
    end = begin + 1
    while end in left:
        end += 1
    lengths = sorted({shift.hours for shift in pattern.shifts if shift.hours <= closes - opens})
    if not lengths:
        return Shift(opens, closes - opens)
    length = next((one for one in lengths if one >= end - begin), lengths[-1])
    return Shift(min(begin, closes - length), length)


def _limits(
    highs: highspy.Highs, windows: Sequence[Window], needs: Sequence[Ints], rules: StoreRules
) -> tuple[int, int]:
    """The least people at once and a day, from the rules' own on, with which all days can be covered; 0 stays 0."""
    cap = rules.max_staff
    if cap:
        for window, need in zip(windows, needs, strict=True):
            cap = max(cap, int(need.max()))
            while solve_rows(highs, window, need, np.full(len(need), float(cap))) is None:
                cap += 1
    people = rules.max_people_per_day
    if people:
        each = [fewest_people(highs, window, need, cap) for window, need in zip(windows, needs, strict=True)]
        people = max(people, *each)
    return cap, people


def _say_uncovered(texts: _Texts, day: str, hours: tuple[int, ...], left: Ints, shift: Shift) -> None:
    begin = int(left[0])
    end = begin + 1
    while end in left:
        end += 1
    if begin == hours[0] and end == hours[-1] + 1:
        close = ("그날 문을 닫아 주세요", "stay closed that day")
    elif begin == hours[0]:
        close = (f"{end}시에 열어 주세요", f"open at {end}")
    elif end == hours[-1] + 1:
        close = (f"{begin}시에 닫아 주세요", f"close at {begin}")
    else:
        close = (f"{begin}–{end}시에 닫아 주세요", f"close from {begin} to {end}")
    facts: dict[str, object] = {"day": day, "hours": f"{begin}–{end}", "shift": f"{shift.starts_at}–{shift.ends_at}"}
    texts.add("hours_not_covered", facts | {"close": close[0]}, facts | {"close": close[1]})


def _below(quantile: float) -> list[float]:
    return [level for level in LOWER_QUANTILES if level < quantile - 1e-9]
