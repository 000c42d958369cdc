"""Counts by hour in DynamoDB."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mypy_boto3_dynamodb import DynamoDBClient

from pawcast.adapters.counts_table import CountsTable
from pawcast.screening.counts import BANK_BANNED, BANK_CLEARED, PASSED, UPLOADS, HourCounts, by_version, totals
from tests.support.screening import NOW
from tests.support.template import create_tables

HOUR = timedelta(hours=1)


@pytest.fixture
def counts(dynamodb: DynamoDBClient) -> CountsTable:
    return CountsTable(dynamodb, create_tables(dynamodb, "CountsTable")["CountsTable"])


def test_what_is_added_in_one_hour_is_summed(counts: CountsTable) -> None:
    passed = by_version(PASSED, "face-classifier", "3")
    counts.add(NOW, {UPLOADS: 2, passed: 1})
    counts.add(NOW + timedelta(minutes=59), {UPLOADS: 3})

    assert [HourCounts(NOW, {UPLOADS: 5, passed: 1})] == list(counts.hours(NOW, NOW + HOUR))


def test_hours_run_from_the_first_to_before_the_last_across_days(counts: CountsTable) -> None:
    moments = [NOW + timedelta(hours=offset) for offset in (-40, -39, -9, 0, 1)]
    for moment in moments:
        counts.add(moment, {UPLOADS: 1})

    found = counts.hours(moments[1], moments[-1])

    assert moments[1:-1] == [hour.at for hour in found]


def test_an_hour_is_that_of_utc_whatever_the_clock_says(counts: CountsTable) -> None:
    seoul = timezone(timedelta(hours=9))
    counts.add(datetime(2026, 11, 24, 8, 30, tzinfo=seoul), {UPLOADS: 1})

    (hour,) = counts.hours(NOW, NOW + timedelta(days=1))

    assert datetime(2026, 11, 23, 23, tzinfo=UTC) == hour.at


def test_a_verdict_taken_back_is_taken_off(counts: CountsTable) -> None:
    counts.add(NOW, {UPLOADS: 1})
    counts.add(NOW, {UPLOADS: -1})

    assert 0 == totals(counts.hours(NOW, NOW + HOUR))[UPLOADS]


def test_what_adds_nothing_writes_nothing(counts: CountsTable) -> None:
    counts.add(NOW, {})
    counts.add(NOW, {UPLOADS: 0})

    assert ([], {}) == (counts.hours(NOW, NOW + HOUR), counts.all_time())


def test_the_size_of_the_banks_is_kept_since_ever_and_in_no_hour(counts: CountsTable) -> None:
    counts.add(NOW - timedelta(days=400), {BANK_BANNED: 2, UPLOADS: 1})
    counts.add(NOW, {BANK_BANNED: -1, BANK_CLEARED: 1})

    assert {BANK_BANNED: 1, BANK_CLEARED: 1} == counts.all_time()
    assert {} == totals(counts.hours(NOW, NOW + HOUR))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.integers(0, 71),
            st.dictionaries(st.sampled_from(["uploads", "held", "passed@m/1", "size", "a b"]), st.integers(0, 9)),
        ),
        max_size=6,
    )
)
def test_sums_are_those_of_adding_up(counts: CountsTable, given: list[tuple[int, dict[str, int]]]) -> None:
    until = NOW + timedelta(days=3)
    before = Counter(totals(counts.hours(NOW, until)))
    for offset, added in given:
        counts.add(NOW + timedelta(hours=offset), added)
        before.update(added)

    assert before == Counter(totals(counts.hours(NOW, until)))


def test_a_month_is_read_by_many_at_once_in_order(counts: CountsTable) -> None:
    with ThreadPoolExecutor(4) as writers:
        list(writers.map(lambda day: counts.add(NOW - timedelta(days=day), {UPLOADS: day}), range(1, 31)))

    found = counts.hours(NOW - timedelta(days=31), NOW)

    assert list(range(30, 0, -1)) == [hour.counts[UPLOADS] for hour in found]
