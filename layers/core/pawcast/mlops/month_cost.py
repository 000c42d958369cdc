"""What this month costs so far and will have cost at its end, by the same bill as `pawcast capacity`.

Known are the photos that were counted and the time that screening them took. The rest (sizes, views, active users,
earlier months, every other service) is as assumed in `workload`, at list prices without the free tier. So the figure is
an estimate on the high side, for comparing with the cap every day; the account's bill is what is owed.

Months are AWS's: UTC. The bill is made for 31 days; a shorter month costs a little less than told.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta

from pawcast.mlops.bill import MonthLoad, month_bill
from pawcast.mlops.prices import REGIONS, PriceList, load_prices
from pawcast.mlops.workload import Workload

# A region without a price file is billed as this one.
USUAL_REGION = "ap-northeast-2"


@dataclass(frozen=True)
class Activity:
    """What was counted in some time. `screening_seconds` is 0 where nobody counted it."""

    uploads: float = 0
    photos: float = 0
    published: float = 0
    held: float = 0
    screening_seconds: float = 0

    def plus(self, other: "Activity", times: float) -> "Activity":
        """This and `times` the other."""
        return Activity(
            uploads=self.uploads + times * other.uploads,
            photos=self.photos + times * other.photos,
            published=self.published + times * other.published,
            held=self.held + times * other.held,
            screening_seconds=self.screening_seconds + times * other.screening_seconds,
        )


@dataclass(frozen=True)
class MonthCost:
    """KRW up to now, and at the month's end if it goes on like the last days."""

    month: str
    krw_estimated: float
    krw_month_end: float


def prices_for(region: str) -> PriceList:
    """The prices of a region, or those of `USUAL_REGION`."""
    return load_prices(region if region in REGIONS else USUAL_REGION)


def month_start(now: datetime) -> datetime:
    """When the month of `now` (UTC) began."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def month_cost(
    so_far: Activity, day: Activity, now: datetime, *, workload: Workload, prices: PriceList, krw_per_usd: float
) -> MonthCost:
    """The month of `now` (UTC), from what it counted `so_far` and what a mean `day` counts of late."""
    days = monthrange(now.year, now.month)[1]
    elapsed = (now - month_start(now)) / timedelta(days=days)
    month = so_far.plus(day, days * (1 - elapsed))
    workload = _with_shares(workload, month)

    def usd(activity: Activity) -> float:
        return month_bill(_load(activity, month.uploads, workload), workload, prices).usd

    # What stands there whether or not anybody uploads is owed as time passes.
    spent = usd(so_far) - (1 - elapsed) * usd(Activity())
    return MonthCost(month=f"{now:%Y-%m}", krw_estimated=spent * krw_per_usd, krw_month_end=usd(month) * krw_per_usd)


def _with_shares(workload: Workload, month: Activity) -> Workload:
    if month.photos <= 0:
        return workload
    published = min(month.published / month.photos, 1.0)
    held = min(month.held / month.photos, 1 - published)
    return workload.model_copy(update={"published_share": published, "held_share": held})


def _load(activity: Activity, month_uploads: float, workload: Workload) -> MonthLoad:
    service = workload.service
    assumed = activity.photos * (service.mean_seconds + service.batch_overhead_seconds)
    return MonthLoad(
        uploads=activity.uploads,
        photos=activity.photos,
        screening_seconds=activity.screening_seconds or assumed,
        # At most one photo a request.
        screening_requests=activity.photos,
        earlier_uploads=month_uploads * (workload.horizon_months - 1),
    )
