"""The month's cost: the same bill as `pawcast capacity`, for what was counted."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawcast.mlops.capacity import expected_month
from pawcast.mlops.month_cost import Activity, MonthCost, month_cost, prices_for
from pawcast.mlops.workload import ArrivalProfile, ServiceTimes, Workload

KRW_PER_USD = 1_400.0
PRICES = prices_for("ap-northeast-2")
DECEMBER = datetime(2026, 12, 1, tzinfo=UTC)
BUSY = Activity(uploads=10_000, photos=10_000, published=9_300, held=500, screening_seconds=4_500)


def cost(so_far: Activity, day: Activity, now: datetime, workload: Workload | None = None) -> MonthCost:
    return month_cost(so_far, day, now, workload=workload or Workload(), prices=PRICES, krw_per_usd=KRW_PER_USD)


def test_a_month_that_goes_as_planned_ends_at_the_bill_of_the_plan() -> None:
    """31 days of 10,000 photos, each 0.45 s, as the plan expects them with no cold starts."""
    workload = Workload(
        arrivals=ArrivalProfile(uploads_per_month=310_000),
        service=ServiceTimes(mean_seconds=0.35, batch_overhead_seconds=0.10),
        cold_start_share=0,
    )
    planned = expected_month(workload, PRICES).usd * KRW_PER_USD
    middle = DECEMBER + timedelta(days=10)

    found = cost(Activity().plus(BUSY, 10), BUSY, middle, workload)

    assert planned == pytest.approx(found.krw_month_end)
    assert "2026-12" == found.month


def test_at_the_end_of_a_month_it_has_cost_what_it_was_to_cost() -> None:
    end = DECEMBER + timedelta(days=31) - timedelta(seconds=1)

    found = cost(Activity().plus(BUSY, 31), BUSY, end)

    assert found.krw_month_end == pytest.approx(found.krw_estimated, rel=1e-4)


@given(st.integers(1, 31 * 24 - 2), st.floats(0, 30))
def test_cost_grows_with_time_and_with_photos_and_never_passes_the_months_end(hours: int, times: float) -> None:
    now = DECEMBER + timedelta(hours=hours)
    so_far = Activity().plus(BUSY, times)

    found, later, busier = (
        cost(so_far, BUSY, now),
        cost(so_far, BUSY, now + timedelta(hours=1)),
        cost(so_far.plus(BUSY, 1), BUSY, now),
    )

    assert 0 < found.krw_estimated <= found.krw_month_end
    assert found.krw_month_end < busier.krw_month_end
    assert found.krw_estimated < busier.krw_estimated
    # Less of the month is left to come, and more of what stands there is owed.
    assert later.krw_month_end <= found.krw_month_end


def test_a_service_that_nobody_uses_costs_what_stands_there() -> None:
    found = cost(Activity(), Activity(), DECEMBER + timedelta(days=15, hours=12))

    assert found.krw_month_end == pytest.approx(2 * found.krw_estimated)


def test_screening_that_took_longer_costs_more_and_untimed_photos_cost_what_is_assumed() -> None:
    now = DECEMBER + timedelta(days=15)
    untimed = Activity(uploads=10_000, photos=10_000, published=9_300, held=500)
    slow = Activity(uploads=10_000, photos=10_000, published=9_300, held=500, screening_seconds=45_000)

    assert cost(BUSY, Activity(), now).krw_month_end == pytest.approx(cost(untimed, Activity(), now).krw_month_end)
    assert cost(BUSY, Activity(), now).krw_month_end < cost(slow, Activity(), now).krw_month_end


def test_more_published_and_held_than_photos_is_no_error() -> None:
    """An hour's counts may be cut between the decision and its count."""
    odd = Activity(uploads=3, photos=1, published=2, held=2, screening_seconds=1)

    assert cost(odd, Activity(), DECEMBER + timedelta(days=1)).krw_month_end > 0


def test_a_region_without_a_price_file_is_billed_as_the_usual_one() -> None:
    assert ("ap-northeast-1", "ap-northeast-2") == (
        prices_for("ap-northeast-1").region,
        prices_for("eu-north-1").region,
    )


def test_the_bill_is_made_without_numpy_which_the_functions_layer_has_not() -> None:
    program = "import sys; sys.modules['numpy'] = None; import pawcast.screening.operations"

    assert 0 == subprocess.run([sys.executable, "-c", program], check=False).returncode
