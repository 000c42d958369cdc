"""What the screening service has to do: who uploads when, how long a photo takes, what hangs on a photo.

Everything here is an input of the cost cap (`capacity`) and of the load gate (`load_gate`). The defaults
describe an imagined Korean community of 300,000 uploads a month. They are assumptions, not measurements,
until a benchmark file is given: docs/decisions/0005-cost-cap.md lists them with their reasons.

numpy is asked for where it is used: the operations page makes its bill in a function that has none.
"""

import statistics
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    import numpy as np

HOURS_PER_MONTH = 365.25 * 24 / 12
HOURS_PER_WEEK = 7 * 24
LAMBDA_MB_PER_GB = 1024

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]

# Relative uploads in each hour of a day, Korean time. Shape by judgement: quiet night, a bump at lunch, most
# photos after work and dinner; on weekends people walk their animals by day too.
_WORKDAY = (9, 5, 3, 2, 2, 3, 6, 11, 14, 13, 13, 15, 21, 19, 15, 15, 16, 19, 25, 31, 37, 42, 36, 20)
_WEEKEND = (13, 8, 5, 3, 2, 3, 5, 9, 15, 21, 26, 29, 31, 33, 34, 34, 33, 32, 33, 37, 42, 45, 37, 22)
COMMUNITY_WEEK = tuple(float(hour) for hour in _WORKDAY * 5 + _WEEKEND * 2)


class ArrivalProfile(BaseModel):
    """Uploads a month and their shape over a week that starts on Monday 00:00, Korean time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = "community (built in, assumed)"
    uploads_per_month: Positive = 300_000
    hour_of_week: tuple[NotNegative, ...] = COMMUNITY_WEEK

    @model_validator(mode="after")
    def _has_a_week(self) -> Self:
        if len(self.hour_of_week) != HOURS_PER_WEEK or sum(self.hour_of_week) <= 0:
            raise ValueError(f"hour_of_week needs {HOURS_PER_WEEK} numbers, not all zero; got {len(self.hour_of_week)}")
        return self

    @property
    def mean_uploads_per_hour(self) -> float:
        """Averaged over all hours of a mean month."""
        return self.uploads_per_month / HOURS_PER_MONTH

    @property
    def peak_uploads_per_hour(self) -> float:
        """In the busiest hour of the week."""
        shape = self.hour_of_week
        return self.mean_uploads_per_hour * max(shape) * HOURS_PER_WEEK / sum(shape)

    @property
    def peak_hour(self) -> str:
        """The busiest hour in words, for example `Sat 21:00 KST`."""
        day, hour = divmod(self.hour_of_week.index(max(self.hour_of_week)), 24)
        return f"{('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun')[day]} {hour:02d}:00 KST"


class ServiceTimes(BaseModel):
    """Seconds that one photo keeps a screening function busy, until its decision is written.

    With `samples` the distribution is empirical; otherwise it is lognormal with this mean and coefficient of
    variation (`cv` = standard deviation / mean; 0 means every photo takes the mean).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean_seconds: Positive = 0.35
    cv: NotNegative = 0.6
    samples: tuple[Positive, ...] = ()
    batch_overhead_seconds: NotNegative = 0.10
    init_seconds: NotNegative = 2.5
    origin: str = "assumed: no benchmark file given"

    @classmethod
    def measured(cls, samples: tuple[float, ...], **rest: object) -> Self:
        """From measured seconds, one number a photo."""
        mean = statistics.fmean(samples)
        return cls.model_validate(
            {"mean_seconds": mean, "cv": statistics.pstdev(samples) / mean, "samples": samples, **rest}
        )

    def draw(self, count: int, rng: "np.random.Generator") -> "np.ndarray":
        """`count` service times in seconds, float64 [count]."""
        import numpy as np

        if self.samples:
            return rng.choice(np.asarray(self.samples), size=count)
        if self.cv == 0:
            return np.full(count, self.mean_seconds)
        sigma = float(np.sqrt(np.log1p(self.cv**2)))
        return rng.lognormal(np.log(self.mean_seconds) - sigma**2 / 2, sigma, size=count)

    def photos_per_second(self, batch_size: int) -> float:
        """What one function that is always busy with full batches gets through."""
        return batch_size / (self.batch_overhead_seconds + batch_size * self.mean_seconds)


class Workload(BaseModel):
    """All that a month's bill depends on besides the prices and the concurrency."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    arrivals: ArrivalProfile = ArrivalProfile()
    service: ServiceTimes = ServiceTimes()
    peak_uploads_per_hour: Positive | None = Field(None, description="instead of the profile's busiest hour")

    architecture: Literal["arm64", "x86_64"] = "arm64"
    memory_mb: int = Field(1769, ge=128, le=10_240)
    batch_size: int = Field(10, ge=1, le=10)
    cold_start_share: Share = 0.02

    published_share: Share = 0.93
    held_share: Share = 0.05
    photo_mb: Positive = 2.5
    rendition_mb: Positive = 0.25
    views_per_published_photo: NotNegative = 20
    mailed_share: Share = 1.0
    monthly_active_users: NotNegative = 5_000

    retention_days: Positive = 30
    log_retention_days: Positive = 30
    horizon_months: int = Field(12, ge=1, le=120)
    every_month_is_worst: bool = False

    @model_validator(mode="after")
    def _shares_add_up(self) -> Self:
        if self.published_share + self.held_share > 1:
            raise ValueError("published_share and held_share are parts of the same photos: together at most 1")
        return self

    @property
    def peak(self) -> float:
        """Uploads in the busiest hour."""
        return self.peak_uploads_per_hour or self.arrivals.peak_uploads_per_hour

    @property
    def memory_gb(self) -> float:
        """As Lambda bills it."""
        return self.memory_mb / LAMBDA_MB_PER_GB
