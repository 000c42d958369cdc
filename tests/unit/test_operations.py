"""The overview for operators: every figure from counts that a reader can add up."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pawcast.callers import Caller
from pawcast.errors import InvalidRequest, NotAllowed
from pawcast.mlops.month_cost import Activity, MonthCost
from pawcast.screening import counts
from pawcast.screening.counts import HourCounts, by_version, checks_of, split_version
from pawcast.screening.operations import SECONDS_A_CHECK, OperationsApi, operator_week
from pawcast.screening.post import ANSWER_WITHIN, PostState
from pawcast.screening.review import Review, ReviewReason, review_of
from tests.support.screening import a_post

# A Wednesday, in the second half of an hour and of a month.
NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
HOUR = NOW.replace(minute=0)
OPERATOR = Caller("op", None, groups=frozenset({"operators"}))


def hours_ago(hours: int, **counted: int) -> HourCounts:
    return HourCounts(HOUR - timedelta(hours=hours), counted)


def a_review(number: int, reason: ReviewReason, minutes_ago: int) -> Review:
    opened = NOW - timedelta(minutes=minutes_ago)
    return review_of(a_post(number, state=PostState.IN_REVIEW), reason, due_at=opened + ANSWER_WITHIN, now=opened)


@dataclass
class World:
    """Everything the overview reads, and what the cost was asked about."""

    counted: Sequence[HourCounts] = ()
    since_ever: Mapping[str, int] = field(default_factory=dict)
    reviews: Sequence[Review] = ()
    limit: int | None = 1_000
    billed: list[tuple[Activity, Activity]] = field(default_factory=list)

    def hours(self, since: datetime, until: datetime) -> Sequence[HourCounts]:
        return [hour for hour in self.counted if since <= hour.at < until]

    def all_time(self) -> Mapping[str, int]:
        return self.since_ever

    def waiting(self) -> Iterable[Review]:
        return self.reviews

    def depth(self) -> int:
        return 12

    def cost(self, so_far: Activity, day: Activity, _: datetime) -> MonthCost:
        self.billed.append((so_far, day))
        return MonthCost("2026-11", 123_456.7, 234_567.8)

    def overview(self, **query: str) -> dict[str, Any]:
        api = OperationsApi(self, self, self, lambda: self.limit, self.cost, 1_500_000, lambda: NOW)
        return api.overview(OPERATOR, query)


def test_only_operators_see_it() -> None:
    api = OperationsApi(World(), World(), World(), lambda: None, World().cost, 1, lambda: NOW)

    with pytest.raises(NotAllowed):
        api.overview(Caller("x", None, groups=frozenset({"planners"})), {})


@pytest.mark.parametrize("days", ["0", "29", "-1", "7.0", "٣", "seven", "1" * 40])
def test_days_that_are_none_are_refused(days: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        World().overview(days=days)

    assert "days" == refused.value.field


@pytest.mark.parametrize(("query", "days"), [({}, 7), ({"days": "1"}, 1), ({"days": "28"}, 28)])
def test_every_hour_of_the_days_asked_is_there_also_the_empty_ones(query: dict[str, str], days: int) -> None:
    hours = World().overview(**query)["hours"]

    assert days * 24 == len(hours)
    assert HOUR.isoformat() == hours[-1]["at"]
    assert {0} == {value for hour in hours for name, value in hour.items() if name != "at"}


def test_an_hour_says_what_became_of_its_uploads() -> None:
    world = World(
        [
            hours_ago(
                1,
                uploads=9,
                published=4,
                published_repeat=1,
                held=2,
                rejected_unreadable=1,
                rejected_repeat=1,
                decided_late=1,
            )
        ]
    )

    hour = world.overview()["hours"][-2]

    expected = {"uploads": 9, "published": 5, "held": 2, "rejected": 2, "decided_late": 1}
    assert expected == {name: hour[name] for name in expected}


def test_what_is_older_than_the_days_asked_is_in_none_of_their_figures() -> None:
    world = World([hours_ago(24, published=5, decided_late=5, upheld=5), hours_ago(23, published=1)])

    found = world.overview(days="1")

    assert (1, 0, 0) == (found["slo"]["decided"], found["slo"]["late"], found["operators"]["upheld"])


@pytest.mark.parametrize(
    ("late", "share", "left"), [(0, 1.0, 1.0), (5, 0.9995, 0.5), (10, 0.999, 0.0), (30, 0.997, -2.0)]
)
def test_the_error_budget_is_what_is_left_of_one_in_a_thousand(late: int, share: float, left: float) -> None:
    slo = World([hours_ago(2, published=9_000, held=1_000, decided_late=late)]).overview()["slo"]

    assert (10_000, late) == (slo["decided"], slo["late"])
    assert [pytest.approx(share), pytest.approx(left, abs=1e-9)] == [slo["share_in_time"], slo["budget_left"]]


def test_nothing_decided_breaks_no_promise() -> None:
    slo = World().overview()["slo"]

    assert (0, 1.0, 1.0) == (slo["decided"], slo["share_in_time"], slo["budget_left"])


def test_queues_say_how_many_wait_and_since_when_audits_aside() -> None:
    reviews = [a_review(1, "flagged", 20), a_review(2, "appeal", 35), a_review(3, "audit", 900)]

    expected = {"screening_messages": 12, "reviews_waiting": 3, "oldest_review_seconds": 35 * 60}
    assert expected == World(reviews=reviews).overview()["queues"]
    assert World().overview()["queues"]["oldest_review_seconds"] is None


def test_operators_work_is_summed_and_divided() -> None:
    counted = [hours_ago(3, checks=6, upheld=4, overturned=2, review_seconds=90), hours_ago(30, checks=2, upheld=2)]

    found = World(counted).overview()["operators"]

    assert (6, 2, 0.25, 11.25) == (
        found["upheld"],
        found["overturned"],
        found["overturn_rate"],
        found["seconds_mean"],
    )


def test_without_a_check_there_is_no_rate_and_without_a_release_no_limit() -> None:
    found = World(limit=None).overview()["operators"]

    assert [None] * 3 == [found[name] for name in ("overturn_rate", "seconds_mean", "checks_limit")]


def test_a_week_is_predicted_from_what_is_done_waits_and_comes_as_it_came() -> None:
    """Wednesday 09:30: 2 days, 9.5 hours of the week have passed, 110.5 of 168 hours are left."""
    counted = [
        hours_ago(24 * 6, held=50, appeals=4, claims=2, checks=30, **{by_version(counts.AUDITED, "m", "1"): 28}),
        hours_ago(5, held=84, checks=70),
        hours_ago(24 * 8, held=1_000, checks=1_000),
    ]

    week = operator_week(counted, 10, 500, NOW)

    assert ("2026-W48", 70, 500) == (week.week, week.checks_done, week.checks_limit)
    assert 70 + 10 + round(168 * 110.5 / 168) == week.checks_predicted


def test_recall_is_told_for_each_model_version_the_busiest_first() -> None:
    def version(number: str, **counted: int) -> dict[str, int]:
        return {by_version(name, "face-classifier", number): count for name, count in counted.items()}

    old = version("1", passed=10, flagged=2)
    new = version("2", passed=1_000, audit_checked=100, audit_missed=1, flagged_upheld=90, flagged_overturned=3)
    rows = World([hours_ago(4, **old, checks_audit=100), hours_ago(3, **new)]).overview()["recall"]

    assert ["face-classifier/2", "face-classifier/1"] == [row["model_version"] for row in rows]
    first, second = rows
    assert pytest.approx(90 / (90 + 10)) == first["estimate"]
    assert 0.6 < first["low"] < first["estimate"] < first["high"] < 0.99
    assert (1_000, 100, 1, 90) == tuple(first[name] for name in ("passed", "audited", "missed", "flagged_upheld"))
    assert [None] * 3 == [second[name] for name in ("estimate", "low", "high")]


def test_the_cost_is_that_of_this_months_counts_and_of_a_mean_day_of_the_last_week() -> None:
    counted = [
        hours_ago(24 * 26, uploads=1_000),
        hours_ago(24 * 10, uploads=10, published=10, screening_ms=4_000),
        hours_ago(24 * 2, uploads=14, published_repeat=7, held=7, screening_ms=7_000),
    ]
    world = World(counted)

    cost = world.overview(days="1")["cost"]

    expected = {"month": "2026-11", "krw_estimated": 123_457, "krw_month_end": 234_568, "budget_krw": 1_500_000}
    assert expected == cost
    ((so_far, day),) = world.billed
    assert Activity(uploads=24, photos=24, published=17, held=7, screening_seconds=11.0) == so_far
    assert Activity(uploads=2, photos=2, published=1, held=1, screening_seconds=1.0) == day


def test_banks_save_as_many_minutes_as_checks_take() -> None:
    saved = {counts.INFERENCES_AVOIDED: 40, counts.CHECKS_AVOIDED: 30}
    since_ever = {counts.BANK_CLEARED: 5, counts.BANK_BANNED: 8}
    timed = World([hours_ago(1, **saved, checks=10, review_seconds=120)], since_ever)
    untimed = World([hours_ago(1, **saved)])

    expected = {"cleared": 5, "banned": 8, "inferences_avoided": 40, "checks_avoided": 30}
    assert expected | {"operator_minutes_saved": 6.0} == timed.overview()["banks"]
    assert 30 * SECONDS_A_CHECK / 60 == untimed.overview()["banks"]["operator_minutes_saved"]
    assert (0, 0) == tuple(untimed.overview()["banks"][name] for name in ("cleared", "banned"))


@pytest.mark.parametrize(("model", "version"), [("face-classifier", "3"), ("m", "2026.11-rc1")])
def test_a_count_by_version_can_be_told_from_the_others(model: str, version: str) -> None:
    assert (counts.PASSED, f"{model}/{version}") == split_version(by_version(counts.PASSED, model, version))
    assert ("checks_flagged", "") == split_version(checks_of("flagged"))
