"""ISO weeks and the days of a run."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawcast.errors import InvalidRequest
from pawcast.forecasting.weekly.week import Week

SEOUL = ZoneInfo("Asia/Seoul")


def test_a_week_knows_its_days() -> None:
    week = Week.parse("2026-W49")

    assert (date(2026, 11, 30), date(2026, 12, 6)) == (week.monday, week.sunday)
    assert date(2026, 11, 22) == week.known_until
    assert "2026-W47" == week.newest_known.name
    assert datetime(2026, 11, 25, 9, tzinfo=UTC) == week.approve_by(SEOUL)
    assert datetime(2026, 11, 26, 3, tzinfo=UTC) == week.deadline(SEOUL)


@pytest.mark.parametrize(
    ("now", "week"),
    [
        (datetime(2026, 11, 23, 21, tzinfo=UTC), "2026-W49"),  # Tuesday 06:00 in Seoul, still Monday in Greenwich
        (datetime(2026, 11, 24, 21, tzinfo=UTC), "2026-W49"),
        (datetime(2026, 11, 29, 14, 59, tzinfo=UTC), "2026-W49"),
        (datetime(2026, 11, 29, 15, tzinfo=UTC), "2026-W50"),  # Monday in Seoul
        (datetime(2026, 12, 21, 21, tzinfo=UTC), "2026-W53"),
        (datetime(2026, 12, 28, 21, tzinfo=UTC), "2027-W01"),
    ],
)
def test_a_start_is_about_the_week_after_the_planners_week(now: datetime, week: str) -> None:
    assert week == Week.to_run(now, SEOUL).name


@given(st.dates(date(2000, 1, 3), date(2090, 1, 1)))
def test_names_go_there_and_back(day: date) -> None:
    monday = date.fromordinal(day.toordinal() - day.weekday())

    assert Week(monday) == Week.parse(Week(monday).name)


@pytest.mark.parametrize(
    "name", ["2026-49", "0001-W01", "1999-W52", "2026-W54", "2026-W00", "2025-W53", "W49", "", "2026-W49 ", "٢٠٢٦-W49"]
)
def test_what_is_no_week_is_refused_by_name(name: str) -> None:
    with pytest.raises(InvalidRequest, match="write it as 2026-W49") as refused:
        Week.parse(name)

    assert "week" == refused.value.field


def test_another_weekday_is_no_week() -> None:
    with pytest.raises(InvalidRequest, match="no Monday"):
        Week(date(2026, 12, 1))


def test_an_approval_waits_until_the_deadline_and_a_late_one_until_the_week_begins() -> None:
    week = Week.parse("2026-W49")
    in_time, late = datetime(2026, 11, 24, tzinfo=UTC), datetime(2026, 11, 27, tzinfo=UTC)

    assert week.deadline(SEOUL) == week.approval_ends(in_time, SEOUL)
    assert week.begins(SEOUL) == week.approval_ends(late, SEOUL)
    assert [False, True] == [week.is_past(late, SEOUL), week.is_past(datetime(2026, 12, 1, tzinfo=UTC), SEOUL)]


def test_days_are_the_planners_over_a_change_of_clocks() -> None:
    week, berlin = Week.parse("2026-W44"), ZoneInfo("Europe/Berlin")  # clocks go back on Sunday, October 25

    assert datetime(2026, 10, 22, 10, tzinfo=UTC) == week.deadline(berlin)
    assert datetime(2026, 10, 25, 23, tzinfo=UTC) == week.begins(berlin)
