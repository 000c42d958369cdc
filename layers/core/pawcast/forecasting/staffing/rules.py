"""What a store allows: visitors a person serves, minimum and maximum, shifts. Open hours are the forecast's.

`StoreRules` checks itself, so a rule that exists is usable. `rules_from_stores` reads the table of stores and keeps
the good rows: one bad store never stops the others.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from pawcast.errors import InvalidStaffing
from pawcast.forecasting.staffing.messages import refusal
from pawcast.forecasting.weekly.run import Sentences

MIN_STAFF: Final = 3
MAX_STAFF: Final = 10_000
LEAST_QUANTILE, MOST_QUANTILE = 0.1, 0.9  # the forecast knows no others
HOURS_A_DAY: Final = 24
MAX_VISITORS: Final = 1e7

_ONE_SHIFT: Final = Sentences(ko="근무조를 하나 이상", en="at least one shift")
_ONCE: Final = Sentences(ko="한 번만", en="it once")
_FORM: Final = Sentences(
    ko='이름(name)과 {"starts_at": 6, "hours": 8} 꼴의 근무조 목록(shifts)을',
    en='an object with a name and a list of shifts such as {"starts_at": 6, "hours": 8}',
)
_FIELDS: Final = Sentences(ko="starts_at, hours, name만", en="only starts_at, hours and name")

type PlansBy = Literal["day", "hour"]


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


@dataclass(frozen=True, order=True)
class Shift:
    """One shift of a person: from a full hour, for so many hours, not past midnight."""

    starts_at: int
    hours: int
    name: str = ""

    @property
    def ends_at(self) -> int:
        """The hour at which it ends, 1..24."""
        return self.starts_at + self.hours

    @property
    def label(self) -> str:
        """Its name, or its hours such as 09-17."""
        return self.name or f"{self.starts_at:02}-{self.ends_at:02}"


@dataclass(frozen=True)
class ShiftPattern:
    """The shifts that a store may use."""

    name: str
    shifts: tuple[Shift, ...]

    def __post_init__(self) -> None:
        if not self.shifts:
            raise refusal("bad_pattern", store_id=self.name, field="shifts", value="empty", limit=_ONE_SHIFT)
        seen = set()
        for shift in self.shifts:
            for name, number, least in (("starts_at", shift.starts_at, 0), ("hours", shift.hours, 1)):
                if not _is_int(number) or not least <= number <= HOURS_A_DAY:
                    limit = Sentences(
                        ko=f"{least}–{HOURS_A_DAY} 정수를", en=f"a whole number, {least} to {HOURS_A_DAY}"
                    )
                    raise refusal("bad_pattern", store_id=self.name, field=name, value=number, limit=limit)
            if shift.ends_at > HOURS_A_DAY:
                limit = Sentences(ko=f"{HOURS_A_DAY}시까지 끝나는 근무조를", en=f"a shift that ends by {HOURS_A_DAY}")
                raise refusal("bad_pattern", store_id=self.name, field="hours", value=shift.hours, limit=limit)
            if (shift.starts_at, shift.hours) in seen:
                raise refusal("bad_pattern", store_id=self.name, field="shifts", value=shift.label, limit=_ONCE)
            seen.add((shift.starts_at, shift.hours))

    @classmethod
    def from_json(cls, document: Any) -> "ShiftPattern":
        """A pattern from `{"name": "market", "shifts": [{"starts_at": 6, "hours": 8, "name": "early"}, ...]}`.

        `hours` may be a list, and `starts_at` a list or "every": all combinations that end by midnight.

        Raises:
            InvalidStaffing: naming pattern, field and value.
        """
        name = str(document.get("name", "")) if isinstance(document, dict) else ""
        entries = document.get("shifts") if isinstance(document, dict) else None
        if not name or not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise refusal("bad_pattern", store_id=name, field="shifts", value=_short(document), limit=_FORM)
        shifts: list[Shift] = []
        for entry in entries:
            if unknown := set(entry) - {"starts_at", "hours", "name"}:
                extra = min(unknown)
                raise refusal("bad_pattern", store_id=name, field=extra, value=_short(entry[extra]), limit=_FIELDS)
            starts, hours = entry.get("starts_at"), entry.get("hours")
            every = starts == "every"
            lengths = hours if isinstance(hours, list) else [hours]
            begins = range(HOURS_A_DAY) if every else starts if isinstance(starts, list) else [starts]
            label = str(entry.get("name", ""))
            shifts += [
                Shift(begin, length, label)
                for length in lengths
                for begin in begins
                if not every or not isinstance(length, int) or begin + length <= HOURS_A_DAY
            ]
        return cls(name, tuple(shifts))


def every_hour(name: str, *hours: int) -> ShiftPattern:
    """Shifts of these lengths that may start at every full hour."""
    return ShiftPattern(
        name, tuple(Shift(start, length) for length in hours for start in range(HOURS_A_DAY - length + 1))
    )


PATTERNS: Final[Mapping[str, ShiftPattern]] = MappingProxyType(
    {p.name: p for p in (every_hour("eight_hours", 8), every_hour("short_and_long", 4, 6, 8))}
)


@dataclass(frozen=True)
class StoreRules:
    """One store's rules. `visitors_per_person` is a day's for a store that plans by day, an hour's by hour.

    Raises:
        InvalidStaffing: a value can't be; it names store, field, value and what to do.
    """

    store_id: str
    plans_by: PlansBy
    visitors_per_person: float
    service_quantile: float = 0.8
    min_staff: int = MIN_STAFF
    max_staff: int = 0  # people at once; 0: no limit
    max_people_per_day: int = 0  # shifts a day; 0: no limit
    pattern: ShiftPattern = field(default=PATTERNS["eight_hours"])

    def __post_init__(self) -> None:
        if self.plans_by not in {"day", "hour"}:
            raise self._refusal("unknown_value", "plans_by", "day, hour")
        self._check_number("visitors_per_person", 0.0, MAX_VISITORS, above=True)
        self._check_number("service_quantile", LEAST_QUANTILE, MOST_QUANTILE)
        self._check_whole("min_staff", MIN_STAFF, MAX_STAFF)
        self._check_whole("max_staff", 0, MAX_STAFF)
        self._check_whole("max_people_per_day", 0, MAX_STAFF)
        for name in ("max_staff", "max_people_per_day"):
            if 0 < getattr(self, name) < self.min_staff:
                least = self.min_staff
                limit = Sentences(ko=f"{least} 이상의 정수", en=f"a whole number of {least} or more")
                raise self._refusal("max_below_min", name, limit)

    def _check_number(self, name: str, least: float, most: float, *, above: bool = False) -> None:
        number = getattr(self, name)
        limit = Sentences(
            ko=f"{least:g}보다 크고 {most:,.10g} 이하인 수" if above else f"{least:g} 이상 {most:g} 이하의 수",
            en=f"a number above {least:g}, up to {most:,.10g}" if above else f"a number, {least:g} to {most:g}",
        )
        if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
            raise self._refusal("not_a_number", name, limit)
        if not least <= number <= most or (above and number == least):
            raise self._refusal("out_of_range", name, limit)

    def _check_whole(self, name: str, least: int, most: int) -> None:
        number = getattr(self, name)
        limit = Sentences(ko=f"{least} 이상 {most:,} 이하의 정수", en=f"a whole number, {least} to {most:,}")
        if not _is_int(number):
            raise self._refusal("not_a_number", name, limit)
        if not least <= number <= most:
            raise self._refusal("out_of_range", name, limit)

    def _refusal(self, code: str, name: str, limit: Sentences | str) -> InvalidStaffing:
        return refusal(code, store_id=self.store_id, field=name, value=_short(getattr(self, name)), limit=limit)


def rules_from_stores(
    stores: pd.DataFrame, patterns: Mapping[str, ShiftPattern] = PATTERNS
) -> tuple[dict[str, StoreRules], list[InvalidStaffing]]:
    """Rules of each usable row of STORES by store, and one error for each row that is not.

    Columns: store_id, plans_by, visitors_per_person; where given (empty: the default): service_quantile, min_staff,
    max_staff, max_people_per_day, shift_pattern.
    """
    rules: dict[str, StoreRules] = {}
    refused: list[InvalidStaffing] = []
    twice = set(stores["store_id"][stores["store_id"].duplicated()]) if "store_id" in stores else set()
    for row in stores.to_dict("records"):
        store_id = str(row.get("store_id", ""))
        try:
            if row.get("store_id") in twice:
                raise refusal("two_rows", store_id=store_id, field="store_id", value=store_id)
            rules[store_id] = rules_of(row, patterns)
        except InvalidStaffing as error:
            refused.append(error)
    return rules, refused


def rules_of(row: Mapping[Any, Any], patterns: Mapping[str, ShiftPattern] = PATTERNS) -> StoreRules:
    """The rules in one row of STORES.

    Raises:
        InvalidStaffing: naming store, field, value and what to do.
    """
    given = {name: value for name, value in row.items() if not _is_empty(value)}
    store_id = str(given.get("store_id", ""))
    for name in ("store_id", "plans_by", "visitors_per_person"):
        if name not in given:
            raise refusal("missing_value", store_id=store_id, field=name)
    facts: dict[str, Any] = {"store_id": store_id, "plans_by": str(given["plans_by"])}
    for name in ("visitors_per_person", "service_quantile"):
        if name in given:
            facts[name] = _number(given[name])
    for name in ("min_staff", "max_staff", "max_people_per_day"):
        if name in given:
            number = _number(given[name])
            facts[name] = int(number) if isinstance(number, float) and number.is_integer() else number
    if "shift_pattern" in given:
        pattern = str(given["shift_pattern"])
        if pattern not in patterns:
            limit = ", ".join(sorted(patterns))
            raise refusal("unknown_value", store_id=store_id, field="shift_pattern", value=pattern, limit=limit)
        facts["pattern"] = patterns[pattern]
    return StoreRules(**facts)


def _number(value: Any) -> Any:
    """A number written as text or in numpy as Python's; anything else as it is, for the check to refuse."""
    if isinstance(value, bool | np.bool_):
        return bool(value)
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def _is_empty(value: Any) -> bool:
    return value is None or value is pd.NA or value == "" or (isinstance(value, float) and math.isnan(value))


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
