"""The overview that operators see: is the promise kept, who waits, how good is the model, what does it cost.

Everything comes from counts by hour (`counts`), the reviews that wait and the depth of the screening queue. The age of
the oldest message in that queue is not asked for: SQS gives it to CloudWatch only, where an alarm watches it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from pawcast.callers import Caller
from pawcast.errors import InvalidRequest
from pawcast.mlops.month_cost import Activity, MonthCost, month_start
from pawcast.mlops.recall import recall
from pawcast.screening.apologies import queue_age
from pawcast.screening.counts import (
    APPEALS,
    AUDIT_CHECKED,
    AUDIT_MISSED,
    AUDITED,
    BANK_BANNED,
    BANK_CLEARED,
    CHECKS,
    CHECKS_AVOIDED,
    CLAIMS,
    DECIDED,
    DECIDED_LATE,
    FLAGGED_UPHELD,
    HELD,
    INFERENCES_AVOIDED,
    OVERTURNED,
    PASSED,
    PUBLISHED,
    PUBLISHED_REPEAT,
    REJECTED_REPEAT,
    REJECTED_UNREADABLE,
    REVIEW_SECONDS,
    SCREENING_MS,
    UPHELD,
    UPLOADS,
    VERSION_COUNTS,
    HourCounts,
    split_version,
    totals,
)
from pawcast.screening.ports import Clock
from pawcast.screening.review import Review

OPERATORS = "operators"
# Share of uploads that are decided within an hour.
TARGET = 0.999
DAYS_DEFAULT, DAYS_MAX = 7, 28
# What the next days are expected to bring is a mean of this many.
PACE_DAYS = 7
# What a check costs an operator as long as none was timed.
SECONDS_A_CHECK = 20.0

Json = dict[str, Any]


class CountReader(Protocol):
    """Counts by hour."""

    def hours(self, since: datetime, until: datetime) -> Sequence[HourCounts]:
        """The hours that begin from `since` on and before `until`, oldest first; hours without counts are missing."""
        ...

    def all_time(self) -> Mapping[str, int]:
        """The counts of `counts.ALL_TIME`; what was never counted is missing."""
        ...


class ReviewQueue(Protocol):
    """The reviews that wait."""

    def waiting(self) -> Iterable[Review]:
        """Every review that waits."""
        ...


class ScreeningQueue(Protocol):
    """The queue of uploads."""

    def depth(self) -> int:
        """About how many messages wait in it."""
        ...


@dataclass(frozen=True)
class OperatorWeek:
    """What operators did in an ISO week (UTC) and what the week will have asked of them.

    `checks_limit` is None as long as nothing is released.
    """

    week: str
    checks_done: int
    checks_predicted: int
    checks_limit: int | None


def operator_week(hours: Iterable[HourCounts], waiting: int, limit: int | None, now: datetime) -> OperatorWeek:
    """The week of `now` from the counts of the last `PACE_DAYS`: done, waiting, and the same pace to its end."""
    recent = [hour for hour in hours if hour.at >= now - timedelta(days=PACE_DAYS)]
    monday = (now - timedelta(days=now.weekday())).replace(hour=0, minute=0, second=0, microsecond=0)
    done = max(0, totals(hour for hour in recent if hour.at >= monday).get(CHECKS, 0))
    sums = totals(recent)
    opened = sums.get(HELD, 0) + sums.get(APPEALS, 0) + sums.get(CLAIMS, 0)
    opened += sum(count for name, count in sums.items() if split_version(name)[0] == AUDITED)
    left = (monday + timedelta(days=7) - now) / timedelta(days=PACE_DAYS)
    return OperatorWeek(
        week=f"{now:%G-W%V}",
        checks_done=done,
        checks_predicted=done + waiting + round(opened * left),
        checks_limit=limit,
    )


@dataclass(frozen=True)
class OperationsApi:
    """The operations page's one route."""

    counts: CountReader
    reviews: ReviewQueue
    queue: ScreeningQueue
    # Checks a week that operators agreed to; None as long as nothing is released.
    checks_limit: Callable[[], int | None]
    # The month's cost, from what it counted so far, a mean day of late, and the time.
    month_cost: Callable[[Activity, Activity, datetime], MonthCost]
    budget_krw: float
    now: Clock

    def overview(self, caller: Caller, query: Mapping[str, str]) -> Json:
        """The figures of the last `days` (1 to 28) days; the last hour is the one that runs.

        Raises:
            NotAllowed: the caller is no operator.
            InvalidRequest: `days` is none.
        """
        caller.must_be_in(OPERATORS)
        days = _days(query)
        now = self.now()
        this_hour = now.replace(minute=0, second=0, microsecond=0)
        since = this_hour - timedelta(hours=days * 24 - 1)
        read = self.counts.hours(min(since, month_start(now), now - timedelta(days=PACE_DAYS)), now)
        asked = [hour for hour in read if hour.at >= since]
        sums = totals(asked)
        waiting = list(self.reviews.waiting())
        age = queue_age(waiting, now)
        return {
            "generated_at": now.isoformat(),
            "days": days,
            "hours": _hours(asked, since, this_hour),
            "slo": _slo(sums),
            "queues": {
                "screening_messages": self.queue.depth(),
                "reviews_waiting": age.waiting,
                "oldest_review_seconds": age.oldest_seconds,
            },
            "operators": _operators(operator_week(read, age.waiting, self.checks_limit(), now), sums),
            "recall": _recall(sums),
            "cost": self._cost(read, now),
            "banks": _banks(sums, self.counts.all_time()),
        }

    def _cost(self, read: Sequence[HourCounts], now: datetime) -> Json:
        month = [hour for hour in read if hour.at >= month_start(now)]
        recent = [hour for hour in read if hour.at >= now - timedelta(days=PACE_DAYS)]
        day = Activity().plus(_activity(recent), 1 / PACE_DAYS)
        cost = self.month_cost(_activity(month), day, now)
        return {
            "month": cost.month,
            "krw_estimated": round(cost.krw_estimated),
            "krw_month_end": round(cost.krw_month_end),
            "budget_krw": self.budget_krw,
        }


def _days(query: Mapping[str, str]) -> int:
    text = query.get("days") or str(DAYS_DEFAULT)
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= DAYS_MAX):
        message = f"days must be a whole number from 1 to {DAYS_MAX}, not {text[:20]!r}"
        raise InvalidRequest(message, field="days")
    return int(text)


def _hours(asked: Sequence[HourCounts], since: datetime, this_hour: datetime) -> list[Json]:
    """Every hour, also those in which nothing happened: a chart must not join what lies on both sides of a gap."""
    counted = {hour.at: hour.counts for hour in asked}
    moments = [since + timedelta(hours=index) for index in range((this_hour - since) // timedelta(hours=1) + 1)]
    return [
        {
            "at": moment.isoformat(),
            "uploads": counts.get(UPLOADS, 0),
            "published": _sum(counts, PUBLISHED, PUBLISHED_REPEAT),
            "held": counts.get(HELD, 0),
            "rejected": _sum(counts, REJECTED_UNREADABLE, REJECTED_REPEAT),
            "decided_late": counts.get(DECIDED_LATE, 0),
        }
        for moment, counts in ((moment, counted.get(moment, {})) for moment in moments)
    ]


def _slo(sums: Mapping[str, int]) -> Json:
    """How many decisions were in time, and the share that is left of the late ones that the target allows."""
    decided, late = _sum(sums, *DECIDED), sums.get(DECIDED_LATE, 0)
    late_share = late / decided if decided else 0.0
    return {
        "target": TARGET,
        "decided": decided,
        "late": late,
        "share_in_time": 1 - late_share,
        "budget_left": 1 - late_share / (1 - TARGET),
    }


def _operators(week: OperatorWeek, sums: Mapping[str, int]) -> Json:
    checks, upheld, overturned = (max(0, sums.get(name, 0)) for name in (CHECKS, UPHELD, OVERTURNED))
    return {
        "week": week.week,
        "checks_done": week.checks_done,
        "checks_predicted": week.checks_predicted,
        "checks_limit": week.checks_limit,
        "seconds_mean": sums.get(REVIEW_SECONDS, 0) / checks if checks else None,
        "overturn_rate": overturned / (upheld + overturned) if upheld + overturned else None,
        "upheld": upheld,
        "overturned": overturned,
    }


def _recall(sums: Mapping[str, int]) -> list[Json]:
    """One row for each model version that decided anything, the busiest first."""
    versions: dict[str, dict[str, int]] = {}
    for counted, count in sums.items():
        name, version = split_version(counted)
        if name in VERSION_COUNTS:
            versions.setdefault(version, dict.fromkeys(VERSION_COUNTS, 0))[name] = count
    rows = []
    for version, counts in sorted(versions.items(), key=lambda entry: -entry[1][PASSED]):
        found = recall(
            passed=counts[PASSED],
            checked=counts[AUDIT_CHECKED],
            missed=counts[AUDIT_MISSED],
            flagged_upheld=counts[FLAGGED_UPHELD],
        )
        rows.append(
            {
                "model_version": version,
                "estimate": found.estimate if found else None,
                "low": found.low if found else None,
                "high": found.high if found else None,
                "audited": counts[AUDIT_CHECKED],
                "missed": counts[AUDIT_MISSED],
                "flagged_upheld": counts[FLAGGED_UPHELD],
                "passed": counts[PASSED],
            }
        )
    return rows


def _banks(sums: Mapping[str, int], all_time: Mapping[str, int]) -> Json:
    checks = sums.get(CHECKS, 0)
    seconds = sums.get(REVIEW_SECONDS, 0) / checks if checks > 0 else SECONDS_A_CHECK
    avoided = sums.get(CHECKS_AVOIDED, 0)
    return {
        "cleared": all_time.get(BANK_CLEARED, 0),
        "banned": all_time.get(BANK_BANNED, 0),
        "inferences_avoided": sums.get(INFERENCES_AVOIDED, 0),
        "checks_avoided": avoided,
        "operator_minutes_saved": avoided * seconds / 60,
    }


def _activity(hours: Iterable[HourCounts]) -> Activity:
    sums = totals(hours)
    return Activity(
        uploads=sums.get(UPLOADS, 0),
        photos=_sum(sums, *DECIDED),
        published=_sum(sums, PUBLISHED, PUBLISHED_REPEAT),
        held=sums.get(HELD, 0),
        screening_seconds=sums.get(SCREENING_MS, 0) / 1000,
    )


def _sum(counts: Mapping[str, int], *names: str) -> int:
    return sum(counts.get(name, 0) for name in names)
