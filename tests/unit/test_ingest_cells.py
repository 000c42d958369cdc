"""One text, one value: what senders write, and what is refused instead of guessed."""

from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest

from pawcast.forecasting.ingest.cells import (
    NO_OFFSET,
    When,
    parse_count,
    parse_day,
    parse_flag,
    parse_holiday,
    parse_when,
)
from tests.support.drops import kept, parquet, visits

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("text", "written", "offset", "has_hour"),
    [
        ("2026-11-01", "2026-11-01 00:00", NO_OFFSET, False),
        ("2026/11/1", "2026-11-01 00:00", NO_OFFSET, False),
        ("2026.11.01.", "2026-11-01 00:00", NO_OFFSET, False),
        ("20261101", "2026-11-01 00:00", NO_OFFSET, False),
        ("2026년 11월 1일", "2026-11-01 00:00", NO_OFFSET, False),
        ("2026년 11월 1일 13시", "2026-11-01 13:00", NO_OFFSET, True),
        ("2026-11-01 13", "2026-11-01 13:00", NO_OFFSET, True),
        ("2026-11-01T13:00:00.000", "2026-11-01 13:00", NO_OFFSET, True),
        ("20261101T13", "2026-11-01 13:00", NO_OFFSET, True),
        ("2026-11-01 24:00", "2026-11-02 00:00", NO_OFFSET, True),
        ("2026-11-01T13:00Z", "2026-11-01 13:00", 0, True),
        ("2026-11-01T13:00+09:00", "2026-11-01 13:00", 540, True),
        ("2026-11-01T13:00-0330", "2026-11-01 13:00", -210, True),
    ],
)
def test_moments_are_read_as_they_are_written(text: str, written: str, offset: int, has_hour: bool) -> None:
    found = parse_when(text)

    assert isinstance(found, When)
    assert (written, offset, has_hour) == (
        str(EPOCH + pd.Timedelta(microseconds=found.wall_us))[:16],
        found.offset_minutes,
        found.has_hour,
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "time_missing"),
        ("n/a", "time_missing"),
        ("11/01/2026", "time_unreadable"),
        ("2026-11/01", "time_unreadable"),
        ("2026-13-01", "time_unreadable"),
        ("2026-11-01 25:00", "time_unreadable"),
        ("2026-11-01 24:30", "time_unreadable"),
        ("2026-11-01T13:00+15:00", "time_unreadable"),
        ("9999-12-31 24:00", "time_unreadable"),
        ("2999-01-01", "time_unreadable"),
        ("1999-12-31", "time_too_old"),
        ("2026-11-01 13:30", "time_between_hours"),
        ("2026-11-01 13:00:00.5", "time_between_hours"),
    ],
)
def test_moments_that_are_none_have_a_code(text: str, code: str) -> None:
    assert code == parse_when(text)


def test_a_day_has_no_time() -> None:
    assert (date(2026, 11, 1), "day_not_midnight", "time_missing") == tuple(
        parse_day(text) for text in ("2026-11-01", "2026-11-01 13:00", "")
    )


@pytest.mark.parametrize(
    ("text", "decimal", "count"),
    [
        ("12", ".", 12),
        (" 12 ", ".", 12),
        ("12.0", ".", 12),
        ("1,234", ".", 1234),
        ("1.234", ",", 1234),
        ("1 234", ".", 1234),
        ("1e3", ".", 1000),
        ("-0", ".", 0),
        ("1.234", ".", "visitors_fractional"),
        ("12,5", ",", "visitors_fractional"),
        ("12,5", ".", "visitors_unreadable"),
        ("-3", ".", "visitors_negative"),
        ("−3", ".", "visitors_negative"),
        ("1000001", ".", "visitors_impossible"),
        ("1e99", ".", "visitors_impossible"),
        ("٣", ".", "visitors_unreadable"),
        ("0x10", ".", "visitors_unreadable"),
        ("=1+1", ".", "visitors_unreadable"),
        ("", ".", "visitors_missing"),
        ("NaN", ".", "visitors_missing"),
    ],
)
def test_counts_are_whole_numbers_of_people(text: str, decimal: str, count: int | str) -> None:
    assert count == parse_count(text, decimal)


def test_flags_are_yes_no_or_not_said() -> None:
    assert [1, 0, -1, "flag_unreadable"] == [parse_flag(text) for text in ("영업", "FALSE", "", "perhaps")]
    assert [1, 0, 1, -1] == [parse_holiday(text) for text in ("1", "0", "Chuseok", "")]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_parquet_times_of_any_unit_are_read(unit: str) -> None:
    moment = np.array("2026-11-01", dtype=f"datetime64[{unit}]")[()]

    assert [("S1", "2026-11-01", 5, True)] == kept(visits(parquet([{"store_id": b"S1", "ts": moment, "visitors": 5}])))


def test_parquet_of_a_zone_and_of_an_empty_count_is_read() -> None:
    zoned = pd.Timestamp("2026-11-01", tz="Asia/Seoul")
    later = pd.Timestamp("2026-11-02", tz="Asia/Seoul")
    rows = [
        {"store_id": "S1", "ts": zoned, "visitors": 5.0, "open": True},
        {"store_id": "S2", "ts": later, "visitors": None, "open": False},
    ]

    assert [("S1", "2026-11-01", 5, True), ("S2", "2026-11-02", None, False)] == kept(visits(parquet(rows)))
