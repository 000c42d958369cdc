"""ISO weeks and the calendar of a run (DESIGN 5).

A run for week W happens in the week before: Tuesday 06:00 by schedule, Wednesday again if it did not succeed. It
knows visitors up to the Sunday two days before it ran. A planner approves by Wednesday 18:00; on Thursday 12:00 every
store must have its plan. All of these are wall-clock times of the planners' time zone.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Self
from zoneinfo import ZoneInfo

from pawcast.errors import InvalidRequest

APPROVE_BY: Final = time(18)
DEADLINE: Final = time(12)
FIRST_YEAR: Final = 2000

_NAME = re.compile(r"([0-9]{4})-W([0-9]{2})")


@dataclass(frozen=True, order=True)
class Week:
    """A Monday-to-Sunday week that is forecast and planned."""

    monday: date

    def __post_init__(self) -> None:
        """Refuse other weekdays."""
        if self.monday.weekday():
            raise InvalidRequest(f"{self.monday} is no Monday", field="week")

    @classmethod
    def parse(cls, name: str) -> Self:
        """From `2026-W49`.

        Raises:
            InvalidRequest: written otherwise, or a year has no such week.
        """
        match = _NAME.fullmatch(name)
        try:
            if match is None:
                raise ValueError("not written as 2026-W49")
            if int(match[1]) < FIRST_YEAR:
                raise ValueError(f"before {FIRST_YEAR}")
            return cls(date.fromisocalendar(int(match[1]), int(match[2]), 1))
        except ValueError as error:
            raise InvalidRequest(f"week {name[:20]!r}: {error}; write it as 2026-W49", field="week") from error

    @classmethod
    def to_run(cls, now: datetime, zone: ZoneInfo) -> Self:
        """The week that a scheduled run at `now` is about: the one after the week that `now` is in."""
        today = now.astimezone(zone).date()
        return cls(today - timedelta(days=today.weekday()) + timedelta(weeks=1))

    @property
    def name(self) -> str:
        """As in `2026-W49`."""
        year, week, _ = self.monday.isocalendar()
        return f"{year}-W{week:02d}"

    @property
    def sunday(self) -> date:
        """Its last day."""
        return self.monday + timedelta(days=6)

    @property
    def known_until(self) -> date:
        """The newest day whose visitors a run may know."""
        return self.monday - timedelta(days=8)

    @property
    def newest_known(self) -> Self:
        """The newest week that is wholly known: the one that this run evaluates."""
        return self.shifted(-2)

    def shifted(self, weeks: int) -> Self:
        """The week so many weeks later."""
        return type(self)(self.monday + timedelta(weeks=weeks))

    def begins(self, zone: ZoneInfo) -> datetime:
        """Its first moment."""
        return _moment(self.monday, time(0), zone)

    def approve_by(self, zone: ZoneInfo) -> datetime:
        """Wednesday evening before it: until then a planner should have decided."""
        return _moment(self.monday - timedelta(days=5), APPROVE_BY, zone)

    def deadline(self, zone: ZoneInfo) -> datetime:
        """Thursday noon before it: every store has its plan."""
        return _moment(self.monday - timedelta(days=4), DEADLINE, zone)

    def approval_ends(self, now: datetime, zone: ZoneInfo) -> datetime:
        """Until when a run that asks at `now` waits: the deadline, or the week's start if that is over."""
        deadline = self.deadline(zone)
        return deadline if now < deadline else self.begins(zone)

    def is_past(self, now: datetime, zone: ZoneInfo) -> bool:
        """Whether it has begun: then a run is a backfill, which forecasts and reports but tells no store."""
        return now >= self.begins(zone)


def _moment(day: date, clock: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, clock, zone).astimezone(UTC)
