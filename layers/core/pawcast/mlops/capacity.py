"""The cost cap: the largest MaximumConcurrency whose worst month stays within the monthly budget.

MaximumConcurrency bounds the time that screening functions are billed for, whatever happens: floods, retries,
slow photos, poison messages. It bounds the photos screened too, and with them everything behind the queue. It
does not bound what stands before the queue: a photo that waits has already been uploaded, stored and
announced. So the **worst month** is:

- the screening function is billed for every second of 31 days at the full concurrency, and
- every hour of those 31 days brings as many uploads as the busiest hour of the arrival profile. All of them
  pay for API, upload and storage; as many as the concurrency gets through pay for everything behind the queue
  too.

The **saturated month** drops the second bound: uploads never end and every function second screens photos at
the measured speed. It is always reported beside the worst month, because a budget that holds there holds
against any crowd. Usually it does not hold: two functions already screen more photos a month than a small
budget can store, mail and show. Then uploads must be bounded before the queue, and
`Plan.affordable_uploads_per_hour` says where.

All bills rise with the concurrency, so the largest one that fits is found by bisection.
"""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field

from pawcast.mlops.bill import MONTH_HOURS, MONTH_SECONDS, Bill, MonthLoad, month_bill
from pawcast.mlops.prices import PriceList
from pawcast.mlops.workload import Workload

# What an SQS event source mapping accepts as MaximumConcurrency.
LEAST_CONCURRENCY, MOST_CONCURRENCY = 2, 1000


class Budget(BaseModel):
    """The cap and the exchange rate it is converted with; a rate without a date is worth nothing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget_krw: float = Field(1_500_000, gt=0)
    krw_per_usd: float = Field(1_400, gt=0)
    rate_as_of: str = Field("2026-10", pattern=r"^\d{4}-\d{2}(-\d{2})?$")

    def krw(self, usd: float) -> float:
        """USD in KRW at this rate."""
        return usd * self.krw_per_usd


class Plan(BaseModel):
    """The answer. `concurrency` is None if even two functions break the budget; the bills are then for two."""

    model_config = ConfigDict(frozen=True)

    concurrency: int | None
    budget: Budget
    worst: Bill
    next_worst: Bill | None  # of one function more; None at 1000
    saturated: Bill
    expected: Bill
    affordable_uploads_per_hour: float
    least_saturated_krw: float  # the saturated month of the least concurrency
    usd_per_1000_photos: float
    screening_usd_per_million_photos: float
    waiting_usd_per_1000_uploads: float

    @property
    def shown_concurrency(self) -> int:
        """What the bills were made for."""
        return self.concurrency or LEAST_CONCURRENCY

    def krw(self, bill: Bill) -> float:
        """A bill's sum in KRW."""
        return self.budget.krw(bill.usd)

    def fits(self, bill: Bill) -> bool:
        """Whether a bill stays within the budget."""
        return self.krw(bill) <= self.budget.budget_krw


def photos_per_month(workload: Workload, concurrency: int) -> float:
    """What this many functions that are always busy with full batches screen in 31 days."""
    return concurrency * workload.service.photos_per_second(workload.batch_size) * MONTH_SECONDS


def worst_month(
    workload: Workload,
    prices: PriceList,
    concurrency: int,
    *,
    saturated: bool = False,
    free_tier: bool = False,
) -> Bill:
    """The worst month at this concurrency; `saturated` lifts the bound that the arrival profile sets."""
    most = photos_per_month(workload, concurrency)
    uploads = most if saturated else workload.peak * MONTH_HOURS
    seconds = concurrency * float(MONTH_SECONDS)
    photos = min(most, uploads)
    every_month = uploads if workload.every_month_is_worst else workload.arrivals.uploads_per_month
    service = workload.service
    load = MonthLoad(
        uploads=uploads,
        photos=photos,
        screening_seconds=seconds,
        # Photos that trickle in are screened one a batch: at most one request each.
        screening_requests=min(photos, seconds / (service.batch_overhead_seconds + service.mean_seconds)),
        earlier_uploads=every_month * (workload.horizon_months - 1),
    )
    return month_bill(load, workload, prices, free_tier=free_tier)


def expected_month(workload: Workload, prices: PriceList, *, free_tier: bool = False) -> Bill:
    """A month as the profile says: every photo screened, one a batch, functions idle in between."""
    service = workload.service
    photos = workload.arrivals.uploads_per_month
    seconds = service.mean_seconds + service.batch_overhead_seconds + workload.cold_start_share * service.init_seconds
    load = MonthLoad(
        uploads=photos,
        photos=photos,
        screening_seconds=photos * seconds,
        screening_requests=photos,
        earlier_uploads=photos * (workload.horizon_months - 1),
    )
    return month_bill(load, workload, prices, free_tier=free_tier)


def plan(workload: Workload, prices: PriceList, budget: Budget, *, free_tier: bool = False) -> Plan:
    """The largest concurrency within the budget, with the bills that show why."""

    def worst(concurrency: int) -> Bill:
        return worst_month(workload, prices, concurrency, free_tier=free_tier)

    concurrency = _largest(
        lambda number: budget.krw(worst(number).usd) <= budget.budget_krw, LEAST_CONCURRENCY, MOST_CONCURRENCY
    )
    shown = concurrency or LEAST_CONCURRENCY
    saturated = worst_month(workload, prices, shown, saturated=True, free_tier=free_tier)
    following = shown + 1 if concurrency else LEAST_CONCURRENCY
    per_photo, screening, waiting = _marginal_usd(workload, prices)
    return Plan(
        concurrency=concurrency,
        budget=budget,
        worst=worst(shown),
        next_worst=worst(following) if following <= MOST_CONCURRENCY else None,
        saturated=saturated,
        expected=expected_month(workload, prices, free_tier=free_tier),
        affordable_uploads_per_hour=affordable_uploads_per_hour(workload, prices, budget, shown, free_tier=free_tier),
        least_saturated_krw=budget.krw(
            worst_month(workload, prices, LEAST_CONCURRENCY, saturated=True, free_tier=free_tier).usd
        ),
        usd_per_1000_photos=per_photo * 1_000,
        screening_usd_per_million_photos=screening * 1_000_000,
        waiting_usd_per_1000_uploads=waiting * 1_000,
    )


def affordable_uploads_per_hour(
    workload: Workload, prices: PriceList, budget: Budget, concurrency: int, *, free_tier: bool = False
) -> int:
    """The most uploads an hour, every hour of 31 days, that fit beside this concurrency, or 0."""

    def fits(uploads_per_hour: int) -> bool:
        crowd = workload.model_copy(update={"peak_uploads_per_hour": float(uploads_per_hour)})
        bill = worst_month(crowd, prices, concurrency, free_tier=free_tier)
        return budget.krw(bill.usd) <= budget.budget_krw

    return _largest(fits, 1, 100_000_000) or 0


def _largest(fits: Callable[[int], bool], low: int, high: int) -> int | None:
    """The largest number in [low, high] that fits, if everything below a fitting one fits; None if none."""
    if not fits(low):
        return None
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low


def _marginal_usd(workload: Workload, prices: PriceList) -> tuple[float, float, float]:
    """USD of one more photo: in all, for the screening function alone, and for an upload that still waits.

    In its first month, with full batches. Without the free tier, and far from the trace sampler's bend.
    """
    many = 1e9
    service = workload.service

    def load(uploads: float, photos: float) -> MonthLoad:
        batches = photos / workload.batch_size
        seconds = photos / service.photos_per_second(workload.batch_size)
        return MonthLoad(
            uploads=uploads,
            photos=photos,
            screening_seconds=seconds,
            screening_requests=batches,
            earlier_uploads=0,
        )

    idle = month_bill(load(many, many), workload, prices)
    busy = month_bill(load(2 * many, 2 * many), workload, prices)
    waiting = month_bill(load(2 * many, many), workload, prices)
    screening = busy.groups["Lambda, screening"] - idle.groups["Lambda, screening"]
    return (busy.usd - idle.usd) / many, screening / many, (waiting.usd - idle.usd) / many
