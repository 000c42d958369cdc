"""One text of a cell to one value, or the code of what is wrong with it.

Each function is called once for each distinct text of a column, so it may be plain Python and say clearly what it
takes. Nothing is guessed: `01/02/2026` could be two days, and 1.234 in a file with decimal points is a fraction.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

LARGEST_COUNT: Final = 1_000_000
EARLIEST_YEAR: Final = 2000
NO_OFFSET: Final = -32_768  # of an instant written without a time zone

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  # wall clocks have no zone
_WHEN = re.compile(
    r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2})\.?"
    r"(?:[T ]\s*(?P<hour>\d{1,2})(?::(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<part>\d{1,9}))?)?)?"
    r"\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(?:(\d{2})(\d{2})?)?(Z|[+-]\d{2}:?\d{2})?)?")
_KOREAN = re.compile(r"(\d{4})\s*년\s*(\d{1,2})\s*월\s*(\d{1,2})\s*일(?:\s*(\d{1,2})\s*시)?")
_THOUSANDS = {".": re.compile(r"-?\d{1,3}(?:[,'  \u202f]\d{3})+"), ",": re.compile(r"-?\d{1,3}(?:[.'  \u202f]\d{3})+")}
_NUMBER = re.compile(r"([+-]?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,2}))?")

_YES = frozenset({"1", "true", "t", "yes", "y", "o", "open", "on", "영업", "예", "1.0"})
_NO = frozenset({"0", "false", "f", "no", "n", "x", "closed", "off", "휴무", "아니오", "아니요", "0.0"})
_NOTHING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "<na>", "nat"})


@dataclass(frozen=True, slots=True)
class When:
    """A moment as written. `wall_us`: microseconds since 1970-01-01 00:00 on the written clock."""

    wall_us: int
    offset_minutes: int  # NO_OFFSET: none written
    has_hour: bool
    was_24: bool = False


def is_nothing(text: str) -> bool:
    """Whether a cell says that there is no value."""
    return text.strip().lower() in _NOTHING


def parse_when(text: str) -> When | str:
    """A date, or a date and time with or without offset. 24:00 is 00:00 of the next day."""
    plain = text.strip()
    if is_nothing(plain):
        return "time_missing"
    if match := _WHEN.fullmatch(plain):
        year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
        hour, minute, second, zone = match["hour"], match["minute"], match["second"], match["zone"]
        part = match["part"]
    elif match := _COMPACT.fullmatch(plain):
        year, month, day = int(match[1]), int(match[2]), int(match[3])
        hour, minute, second, part, zone = match[4], match[5], match[6], None, match[7]
    elif match := _KOREAN.fullmatch(plain):
        year, month, day = int(match[1]), int(match[2]), int(match[3])
        hour, minute, second, part, zone = match[4], None, None, None, None
    else:
        return "time_unreadable"
    minutes, seconds = int(minute or 0), int(second or 0)
    hours = int(hour or 0)
    if hours > 24 or (hours == 24 and (minutes or seconds)) or minutes > 59 or seconds > 59:
        return "time_unreadable"
    try:
        moment = datetime(year, month, day) + timedelta(hours=hours, minutes=minutes, seconds=seconds)  # noqa: DTZ001
    except (ValueError, OverflowError):
        return "time_unreadable"
    offset = _offset(zone)
    if offset is None:
        return "time_unreadable"
    if moment.year < EARLIEST_YEAR:
        return "time_too_old"
    if moment.year > 2200:  # outside of what a frame of microseconds, and any promotion, needs
        return "time_unreadable"
    if minutes or seconds or (part or "").strip("0"):
        return "time_between_hours"
    return When((moment - _EPOCH) // timedelta(microseconds=1), offset, hour is not None, hours == 24)


def _offset(zone: str | None) -> int | None:
    """Minutes east of Greenwich; `NO_OFFSET` where none is written, None where it is none."""
    if zone is None:
        return NO_OFFSET
    if zone.upper() in {"Z", "UTC"}:
        return 0
    digits = zone[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 14 or minutes > 59:
        return None
    return (-1 if zone[0] == "-" else 1) * (60 * hours + minutes)


def parse_day(text: str) -> date | str:
    """A date without a time."""
    when = parse_when(text)
    if isinstance(when, str):
        return when
    if when.offset_minutes != NO_OFFSET or when.wall_us % 86_400_000_000:
        return "day_not_midnight"
    return datetime.fromtimestamp(when.wall_us // 1_000_000, UTC).date()


def parse_count(text: str, decimal: str = ".") -> int | str:
    """A number of people. `visitors_missing` for an empty cell, which is no zero."""
    plain = text.strip().replace("−", "-")
    if is_nothing(plain):
        return "visitors_missing"
    if not (plain.isascii() and plain.isdigit()):
        if _THOUSANDS[decimal].fullmatch(plain):
            plain = re.sub(r"[^\d-]", "", plain)
        elif decimal == ",":
            plain = plain.replace(",", ".") if "." not in plain else ""
    match = _NUMBER.fullmatch(plain)
    if match is None or not plain.isascii():
        return "visitors_unreadable"
    if match[4] is None and not (match[3] or "").strip("0"):
        number: float = int(match[2])
    else:
        number = float(f"{match[2]}.{match[3] or 0}e{match[4] or 0}")
    if number and match[1] == "-":
        return "visitors_negative"
    if number != int(number):
        return "visitors_fractional"
    return int(number) if number <= LARGEST_COUNT else "visitors_impossible"


def parse_flag(text: str) -> int | str:
    """1 yes, 0 no, -1 not said."""
    plain = text.strip().lower()
    if plain in _YES:
        return 1
    if plain in _NO:
        return 0
    return -1 if plain in _NOTHING else "flag_unreadable"


def parse_holiday(text: str) -> int:
    """Whether a day is a holiday: a flag, or any name of one ("Chuseok", the letter that some systems write)."""
    flag = parse_flag(text)
    return 1 if isinstance(flag, str) else flag
