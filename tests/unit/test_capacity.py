"""The cost cap: the largest concurrency whose worst month stays within the budget."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawcast.mlops.bill import ALARMS, MONTH_SECONDS, Bill, MonthLoad, month_bill
from pawcast.mlops.capacity import (
    Budget,
    affordable_uploads_per_hour,
    expected_month,
    photos_per_month,
    plan,
    worst_month,
)
from pawcast.mlops.prices import REGIONS, load_prices
from pawcast.mlops.workload import ArrivalProfile, ServiceTimes, Workload

SEOUL = load_prices("ap-northeast-2")

workloads = st.builds(
    Workload,
    arrivals=st.builds(ArrivalProfile, uploads_per_month=st.floats(100, 5_000_000)),
    service=st.builds(
        ServiceTimes,
        mean_seconds=st.floats(0.01, 10),
        batch_overhead_seconds=st.floats(0, 2),
        cv=st.just(0.5),
    ),
    architecture=st.sampled_from(["arm64", "x86_64"]),
    memory_mb=st.integers(128, 10_240),
    batch_size=st.integers(1, 10),
    published_share=st.floats(0, 0.9),
    held_share=st.floats(0, 0.1),
    views_per_published_photo=st.floats(0, 50),
    retention_days=st.floats(1, 90),
    horizon_months=st.integers(1, 36),
    every_month_is_worst=st.booleans(),
)


def line(bill: Bill, item: str) -> float:
    return next(line.quantity for line in bill.lines if line.item == item)


@given(workload=workloads, concurrency=st.integers(2, 999), saturated=st.booleans(), free_tier=st.booleans())
def test_one_more_function_never_makes_the_worst_month_cheaper(
    workload: Workload, concurrency: int, saturated: bool, free_tier: bool
) -> None:
    fewer, more = (
        worst_month(workload, SEOUL, number, saturated=saturated, free_tier=free_tier).usd
        for number in (concurrency, concurrency + 1)
    )

    assert fewer <= more


@settings(deadline=None)
@given(
    workload=workloads,
    budget_krw=st.floats(100_000, 100_000_000),
    region=st.sampled_from(REGIONS),
    free_tier=st.booleans(),
)
def test_the_plan_fits_and_one_function_more_does_not(
    workload: Workload, budget_krw: float, region: str, free_tier: bool
) -> None:
    prices, budget = load_prices(region), Budget(budget_krw=budget_krw)

    answer = plan(workload, prices, budget, free_tier=free_tier).concurrency

    krw = {
        number: budget.krw(worst_month(workload, prices, number, free_tier=free_tier).usd)
        for number in ([2] if answer is None else [answer, answer + 1])
    }
    if answer is None:
        assert krw[2] > budget_krw
    elif answer == 1000:
        assert krw[1000] <= budget_krw
    else:
        assert krw[answer] <= budget_krw < krw[answer + 1]


@given(workload=workloads, concurrency=st.integers(2, 1000))
def test_uploads_without_end_cost_at_least_as_much_as_the_peak_while_functions_are_the_bottleneck(
    workload: Workload, concurrency: int
) -> None:
    endless = worst_month(workload, SEOUL, concurrency, saturated=True)
    worst = worst_month(workload, SEOUL, concurrency)

    assert endless.load.photos >= worst.load.photos
    assert endless.load.screening_seconds == worst.load.screening_seconds


def test_the_screening_function_is_billed_for_every_second_of_31_days() -> None:
    bill = worst_month(Workload(memory_mb=1024), SEOUL, 7)

    seconds = 7 * 31 * 24 * 3600
    assert line(bill, "Screening, GB-seconds") == pytest.approx(seconds, rel=1e-4)
    assert line(bill, "Screening, GB-seconds") >= seconds


def test_photos_are_as_many_as_come_in_31_days_of_peak_hours() -> None:
    bill = worst_month(Workload(peak_uploads_per_hour=1_000), SEOUL, 10)

    assert bill.load.uploads == 744_000
    assert bill.load.photos == 744_000


def test_uploads_beyond_the_concurrency_are_stored_but_not_screened() -> None:
    workload = Workload(
        peak_uploads_per_hour=100_000,
        service=ServiceTimes(mean_seconds=1, batch_overhead_seconds=0),
        photo_mb=1024,
    )

    bill = worst_month(workload, SEOUL, 2)

    assert bill.load.photos == 2 * MONTH_SECONDS
    assert line(bill, "Originals kept") == pytest.approx(74_400_000)
    assert line(bill, "SNS publishes") == 2 * MONTH_SECONDS


def test_throughput_counts_the_overhead_of_each_batch_once() -> None:
    workload = Workload(service=ServiceTimes(mean_seconds=0.2, batch_overhead_seconds=0.5), batch_size=10)

    assert photos_per_month(workload, 3) == pytest.approx(3 * MONTH_SECONDS * 10 / 2.5)


def test_a_bill_worked_out_by_hand() -> None:
    load = MonthLoad(uploads=1_000_000, photos=1_000_000, screening_seconds=0, screening_requests=0, earlier_uploads=0)
    workload = Workload(published_share=1, held_share=0, views_per_published_photo=10, rendition_mb=0.5)
    tokyo = load_prices("ap-northeast-1")

    usd = {entry.item: entry.usd for entry in month_bill(load, workload, tokyo).lines}

    assert usd["Renditions viewed"] == pytest.approx(1_000_000 * 10 * 0.5 / 1024 * 0.114)
    assert usd["HTTP API requests"] == pytest.approx((4 + 10 / 20) * 1.29)
    assert usd["Write units"] == pytest.approx((5 + 36 + 3 + 6) * 0.715)
    assert usd["Mails"] == pytest.approx(100)
    assert usd["Originals kept"] == pytest.approx(1_000_000 * 2.5 / 1024 * 0.025)


def test_the_bill_counts_at_least_the_alarms_that_are_deployed() -> None:
    stack = Path(__file__).parents[2] / "stacks" / "observability.yaml"
    resources = re.split(r"\n  (?=\w+:\n    Type:)", stack.read_text("utf-8"))

    alarms = [text for text in resources if "Type: AWS::CloudWatch::Alarm" in text]
    composite = [text for text in resources if "Type: AWS::CloudWatch::CompositeAlarm" in text]
    billed = sum(max(1, text.count("MetricStat:")) for text in alarms) + 5 * len(composite)
    assert alarms
    assert billed <= ALARMS, "raise ALARMS in pawcast.mlops.bill"


def test_renditions_of_the_months_before_are_stored_too() -> None:
    one, twelve = (
        worst_month(Workload(horizon_months=months, peak_uploads_per_hour=1_000), SEOUL, 4) for months in (1, 12)
    )

    added = line(twelve, "Renditions, accumulated") - line(one, "Renditions, accumulated")
    assert added == pytest.approx(11 * 300_000 * 0.93 * 0.25 / 1024)


def test_months_that_are_all_worst_store_more() -> None:
    usual, all_worst = (worst_month(Workload(every_month_is_worst=worst), SEOUL, 4).usd for worst in (False, True))

    assert usual < all_worst


def test_several_lines_of_one_price_share_its_free_tier() -> None:
    workload = Workload(memory_mb=1024)
    load = MonthLoad(uploads=0, photos=0, screening_seconds=399_000, screening_requests=0, earlier_uploads=0)

    free = month_bill(load, workload, SEOUL, free_tier=True)

    small = line(free, "Other functions, GB-seconds")
    assert small > 1_000
    assert free.groups["Lambda, screening"] == 0
    usd = next(entry.usd for entry in free.lines if entry.item == "Other functions, GB-seconds")
    assert usd == pytest.approx((small - 1_000) * 0.0000133334)


def test_the_expected_month_pays_only_for_seconds_that_photos_take() -> None:
    service = ServiceTimes(mean_seconds=0.4, batch_overhead_seconds=0.1, init_seconds=5)
    bill = expected_month(Workload(service=service, cold_start_share=0.1), SEOUL)

    assert bill.load.screening_seconds == pytest.approx(300_000 * (0.4 + 0.1 + 0.5))


def test_a_budget_that_two_functions_break_has_no_answer() -> None:
    answer = plan(Workload(), SEOUL, Budget(budget_krw=100_000))

    assert answer.concurrency is None
    assert not answer.fits(answer.worst)
    assert answer.affordable_uploads_per_hour == 0


def test_the_affordable_uploads_fit_and_one_more_an_hour_does_not() -> None:
    budget = Budget()
    most = affordable_uploads_per_hour(Workload(), SEOUL, budget, 4)

    at_most, above = (
        budget.krw(worst_month(Workload(peak_uploads_per_hour=most + more), SEOUL, 4).usd) for more in (0, 1)
    )
    assert at_most <= budget.budget_krw < above


def test_a_waiting_photo_costs_less_than_a_screened_one() -> None:
    answer = plan(Workload(), SEOUL, Budget())

    assert 0 < answer.waiting_usd_per_1000_uploads < answer.usd_per_1000_photos
    assert 0 < answer.screening_usd_per_million_photos < answer.usd_per_1000_photos * 1_000


def test_the_busiest_hour_of_the_built_in_week_is_an_evening() -> None:
    profile = ArrivalProfile()

    assert profile.peak_hour == "Sat 21:00 KST"
    assert 2 < profile.peak_uploads_per_hour / profile.mean_uploads_per_hour < 3


def test_a_flat_week_has_no_peak() -> None:
    profile = ArrivalProfile(hour_of_week=(1.0,) * 168)

    assert profile.peak_uploads_per_hour == pytest.approx(profile.mean_uploads_per_hour)


@pytest.mark.parametrize("hours", [(1.0,) * 24, (0.0,) * 168])
def test_a_week_needs_168_hours_and_an_upload(hours: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="hour_of_week needs 168 numbers"):
        ArrivalProfile(hour_of_week=hours)


def test_a_photo_is_not_both_published_and_held() -> None:
    with pytest.raises(ValueError, match="together at most 1"):
        Workload(published_share=0.9, held_share=0.2)
