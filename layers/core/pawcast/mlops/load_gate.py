"""The load gate: does screening keep its promise when uploads come at twice the peak for two hours?

A simulation on a virtual clock, batch by batch, so a million photos take seconds. What it knows of Lambda and
SQS:

- An event source mapping starts with 5 concurrent batches and adds up to 300 a minute while messages wait,
  never more than MaximumConcurrency (docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html, read
  2026-11). It counts from the first message that finds nobody free, in whole minutes.
- A batch is what waits when a function gets free, at most `batch_size`; with a batching window the poller
  waits up to that long for a full one. Messages are taken in the order of arrival, which SQS only promises
  approximately.
- The first batch of each function pays for the cold start; functions stay warm from then on.
- A photo waits from its upload until its whole batch is decided. Errors and retries are not simulated: they
  are in the measured service times if they happened while measuring.

Judged are the photos of the two hours. Afterwards the base load goes on while the queue drains.
"""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime
from heapq import heappop, heappush
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from pawcast.mlops.workload import NotNegative, Positive, ServiceTimes, Share

HOUR = 3600.0
MINUTE = 60.0
# Past this, photos that are still undecided count with the time they have waited so far.
HORIZON_SECONDS = 48 * HOUR


class GateLimits(BaseModel):
    """Rejected if `late_share` or more of the photos wait longer than `late_seconds`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    late_seconds: Positive = HOUR
    late_share: Share = 0.10


class LoadTest(BaseModel):
    """What is simulated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    peak_uploads_per_hour: Positive
    base_uploads_per_hour: NotNegative
    concurrency: int = Field(ge=1, le=1000)
    service: ServiceTimes = ServiceTimes()
    factor: Positive = 2.0
    hours: Positive = 2.0
    batch_size: int = Field(10, ge=1, le=10_000)
    window_seconds: float = Field(0.0, ge=0, le=300)
    first_concurrency: int = Field(5, ge=1)
    added_per_minute: int = Field(300, ge=1)
    arrivals: Literal["poisson", "even"] = "poisson"
    seed: int = Field(0, ge=0)

    @property
    def uploads_per_hour(self) -> float:
        """During the test."""
        return self.peak_uploads_per_hour * self.factor


class Verdict(BaseModel):
    """Waiting times in seconds and what they mean."""

    model_config = ConfigDict(frozen=True)

    passed: bool
    photos: int
    late: int
    late_share: float
    limits: GateLimits
    mean: float
    p50: float
    p90: float
    p99: float
    max: float
    undecided: int = 0  # still waiting when measuring ended; they count with the time waited so far


class GateRun(BaseModel):
    """One simulated test: the verdict and the curves behind it. Seconds count from the start of the test."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    test: LoadTest
    verdict: Verdict
    uploaded_at: np.ndarray  # float64 [photos], of the judged photos, rising
    waits: np.ndarray  # float64 [photos]
    queue_at: np.ndarray  # float64 [batches], start of each batch, rising
    queue_length: np.ndarray  # int64 [batches], photos waiting just before
    longest_queue: int
    drained_after_seconds: float | None  # from the end of the test until the queue was empty; None: not within 48 h
    utilisation: float  # busy function seconds / possible ones, during the test
    functions_started: int


def judge(waits: np.ndarray, limits: GateLimits, *, undecided: int = 0) -> Verdict:
    """The verdict on waits in seconds, float64 [photos]; the largest `undecided` of them are unfinished."""
    if waits.size == 0:
        raise ValueError("no photo was uploaded: nothing to judge")
    late = int(np.count_nonzero(waits > limits.late_seconds))
    share = late / waits.size
    p50, p90, p99 = (float(value) for value in np.quantile(waits, (0.5, 0.9, 0.99)))
    return Verdict(
        passed=share < limits.late_share,
        photos=int(waits.size),
        late=late,
        late_share=share,
        limits=limits,
        mean=float(waits.mean()),
        p50=p50,
        p90=p90,
        p99=p99,
        max=float(waits.max()),
        undecided=undecided,
    )


def waits_between(times: Sequence[tuple[datetime, datetime | None]], limits: GateLimits) -> tuple[np.ndarray, int]:
    """Real waits in seconds, float64 [photos], and how many photos were undecided at the end.

    `times` are (uploaded, decided). A photo without a decision counts as late, however recent its upload.
    """
    last = max(moment for pair in times for moment in pair if moment is not None)
    least = float(np.nextafter(limits.late_seconds, np.inf))
    waits = [
        (decided - uploaded).total_seconds() if decided else max(least, (last - uploaded).total_seconds())
        for uploaded, decided in times
    ]
    if min(waits) < 0:
        raise ValueError("a photo was decided before it was uploaded: check the clocks and the columns")
    return np.array(waits), sum(decided is None for _, decided in times)


class _Photos:
    """Arrival times and accumulated work, grown by one hour of base load at a time.

    `work[i]` is the sum of the service times of the photos before i, so a batch [i, j) takes work[j] -
    work[i]. The same seed gives the same photos whatever the concurrency: that makes verdicts comparable.
    """

    def __init__(self, test: LoadTest) -> None:
        self._test = test
        self._arrivals_rng, self._service_rng = np.random.default_rng(test.seed).spawn(2)
        self._until = test.hours * HOUR
        self.at: list[float] = []
        self.work: list[float] = [0.0]
        self._add(0.0, self._until, test.uploads_per_hour)
        self.judged = len(self.at)

    def grow(self) -> bool:
        """One more hour of base load; False once the horizon is reached or there is no base load."""
        if self._until >= HORIZON_SECONDS or self._test.base_uploads_per_hour == 0:
            return False
        self._add(self._until, self._until + HOUR, self._test.base_uploads_per_hour)
        self._until += HOUR
        return True

    def _add(self, start: float, end: float, per_hour: float) -> None:
        mean = per_hour * (end - start) / HOUR
        if self._test.arrivals == "even":
            times = start + (np.arange(round(mean)) + 0.5) * (end - start) / max(1, round(mean))
        else:
            times = np.sort(self._arrivals_rng.uniform(start, end, size=self._arrivals_rng.poisson(mean)))
        self.at.extend(times.tolist())
        work = self.work[-1] + np.cumsum(self._test.service.draw(times.size, self._service_rng))
        self.work.extend(work.tolist())


class _Pool:
    """Functions, by the time they get free, and the mapping's right to start more."""

    def __init__(self, test: LoadTest) -> None:
        self._test = test
        self._free: list[float] = []
        self._pressed_at: float | None = None
        self.started = 0

    def take(self, now: float) -> tuple[float, float]:
        """When a function is there for a message that waits since `now`, and its cold start in seconds."""
        if self._free and self._free[0] <= now:
            return heappop(self._free), 0.0
        if self.started < self._test.concurrency:
            opens = self._opens(now)
            if not self._free or opens < self._free[0]:
                self.started += 1
                return opens, self._test.service.init_seconds
        return heappop(self._free), 0.0

    def give_back(self, at: float) -> None:
        """A function gets free."""
        heappush(self._free, at)

    def _opens(self, now: float) -> float:
        beyond = self.started - self._test.first_concurrency
        if beyond < 0:
            return now
        if self._pressed_at is None:
            self._pressed_at = now
        return max(now, self._pressed_at + MINUTE * (beyond // self._test.added_per_minute + 1))


def simulate(test: LoadTest, limits: GateLimits | None = None) -> GateRun:
    """Runs the test. Deterministic by its seed."""
    photos, pool = _Photos(test), _Pool(test)
    at, work = photos.at, photos.work
    size, window, overhead = test.batch_size, test.window_seconds, test.service.batch_overhead_seconds
    end = test.hours * HOUR
    firsts: list[int] = []
    begins: list[float] = []
    ends: list[float] = []
    i, busy = 0, 0.0
    drained_at: float | None = None
    while True:
        while i + size > len(at) and photos.grow():
            pass
        if i >= len(at):
            drained_at = begins[-1] if begins else 0.0
            break
        free_at, cold = pool.take(at[i])
        begin = max(at[i], free_at)
        if i >= photos.judged and begin == at[i]:
            drained_at = begins[-1] if begins else 0.0
            break
        if begin >= HORIZON_SECONDS:
            break
        if window and (i + size > len(at) or at[i + size - 1] > begin):
            full = at[i + size - 1] if i + size <= len(at) else float("inf")
            begin = min(full, begin + window)
        j = bisect_right(at, begin, i + 1, min(i + size, len(at)))
        done = begin + cold + overhead + work[j] - work[i]
        pool.give_back(done)
        firsts.append(i)
        begins.append(begin)
        ends.append(done)
        busy += max(0.0, min(done, end) - min(begin, end))
        i = j

    uploaded_at = np.array(at[: photos.judged])
    firsts.append(i)
    sizes = np.diff(firsts)
    decided = np.repeat(np.array(ends), sizes)[: photos.judged]
    undecided = photos.judged - decided.size
    decided = np.concatenate([decided, np.full(undecided, HORIZON_SECONDS)])
    waits = decided - uploaded_at
    starts = np.array(begins)
    # Batches may begin slightly out of order when a batching window is used; the queue is counted in order of
    # time.
    order = np.argsort(starts, kind="stable")
    taken = np.concatenate([[0], np.cumsum(sizes[order])[:-1]])
    lengths = np.searchsorted(np.array(at), starts[order], side="right") - taken
    return GateRun(
        test=test,
        verdict=judge(waits, limits or GateLimits(), undecided=undecided),
        uploaded_at=uploaded_at,
        waits=waits,
        queue_at=starts[order],
        queue_length=lengths,
        longest_queue=int(lengths.max()),
        drained_after_seconds=None if drained_at is None else max(0.0, drained_at - end),
        utilisation=busy / (test.concurrency * end),
        functions_started=pool.started,
    )


def concurrency_for_load(
    test: LoadTest, limits: GateLimits | None = None, *, least: int = 2, most: int = 1000
) -> int | None:
    """The smallest concurrency in [least, most] that passes the test; None if even `most` is rejected.

    The concurrency in `test` is ignored. By bisection: the same photos wait less with one more function.
    """

    def passes(concurrency: int) -> bool:
        return simulate(test.model_copy(update={"concurrency": concurrency}), limits).verdict.passed

    # Functions that would keep up with one photo a batch surely pass, which spares simulating a thousand of
    # them.
    each = test.service.batch_overhead_seconds + test.service.mean_seconds
    low, high = least, min(most, max(least, int(test.uploads_per_hour / HOUR * each * 1.5) + 2))
    if not passes(high):
        if high == most or not passes(most):
            return None
        low, high = high + 1, most
    while low < high:
        middle = (low + high) // 2
        if passes(middle):
            high = middle
        else:
            low = middle + 1
    return high
