"""Apologies: before the hour is over, then once a working shift, to those who wait and nobody twice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawcast.errors import DependencyUnavailable
from pawcast.screening.apologies import (
    FIRST_APOLOGY_AFTER,
    LEAST_BETWEEN,
    RETOLD_FOR,
    Apologiser,
    ApologyReport,
    QueueAge,
    apology_due,
    shift_start,
)
from pawcast.screening.counts import APOLOGIES
from pawcast.screening.post import ANSWER_WITHIN, Post, PostState, Unfinished
from pawcast.screening.review import Review, ReviewReason, review_of
from tests.support.screening import NOW, FakeEvents, FakePosts, a_post, an_upload, post_id

RUN_EVERY = timedelta(minutes=10)
# 18:00 in Seoul: the evening shift has begun an hour ago.
UPLOADED = NOW
MINUTE = timedelta(minutes=1)


class FakeQueue:
    def __init__(self, *reviews: Review) -> None:
        self.reviews = {review.review_id: review for review in reviews}

    def waiting(self) -> Iterator[Review]:
        return iter(self.reviews.values())

    def mark_apologised(self, review_id: str, due: datetime) -> bool:
        review = self.reviews.get(review_id)
        if review is None or (review.apologised_at is not None and review.apologised_at >= due):
            return False
        self.reviews[review_id] = review.model_copy(update={"apologised_at": due})
        return True


class FakeLatePosts(FakePosts):
    def unfinished(self, kind: Unfinished, before: datetime) -> Iterator[Post]:
        for post in self.posts.values():
            if post.unfinished == kind and post.upload is not None and post.upload.uploaded_at < before:
                yield post


@dataclass
class FakeCounts:
    counted: dict[str, int] = field(default_factory=dict)

    def add(self, _: datetime, counts: Mapping[str, int]) -> None:
        for name, count in counts.items():
            self.counted[name] = self.counted.get(name, 0) + count


@dataclass
class Office:
    posts: FakeLatePosts
    reviews: FakeQueue
    events: FakeEvents = field(default_factory=FakeEvents)
    counts: FakeCounts = field(default_factory=FakeCounts)

    def run(self, now: datetime) -> ApologyReport:
        return Apologiser(self.reviews, self.posts, self.events, self.counts, lambda: now).run()

    def run_until(self, end: datetime, start: datetime = UPLOADED) -> None:
        """On schedule, as EventBridge would."""
        moment = start
        while moment <= end:
            self.run(moment)
            moment += RUN_EVERY

    @property
    def notice_ids(self) -> set[str]:
        return {event.notice_id for event in self.events.published}


def waiting(number: int = 1, reason: ReviewReason = "flagged", **changes: Any) -> tuple[Post, Review]:
    state = PostState.APPEALED if reason == "appeal" else PostState.IN_REVIEW
    post = a_post(number, **{"state": state, "upload": an_upload(number, uploaded_at=UPLOADED), **changes})
    return post, review_of(post, reason, due_at=UPLOADED + ANSWER_WITHIN, now=UPLOADED)


def an_office(*held: tuple[Post, Review], screening: tuple[Post, ...] = ()) -> Office:
    posts = FakeLatePosts(*(post for post, _ in held), *screening)
    return Office(posts, FakeQueue(*(review for _, review in held)))


def in_screening(number: int = 9) -> Post:
    return a_post(number, state=PostState.SCREENING, upload=an_upload(number, uploaded_at=UPLOADED))


@pytest.mark.parametrize(
    ("now", "start"),
    [
        ("2026-11-23T00:59:59+09:00", "2026-11-22T17:00:00+09:00"),
        ("2026-11-23T01:00:00+09:00", "2026-11-23T01:00:00+09:00"),
        ("2026-11-23T08:59:59+09:00", "2026-11-23T01:00:00+09:00"),
        ("2026-11-23T12:00:00+09:00", "2026-11-23T09:00:00+09:00"),
        ("2026-11-23T23:00:00+09:00", "2026-11-23T17:00:00+09:00"),
    ],
)
def test_shifts_begin_at_one_nine_and_five_in_seoul(now: str, start: str) -> None:
    found = shift_start(datetime.fromisoformat(now).astimezone(UTC))

    assert (datetime.fromisoformat(start), UTC) == (found, found.tzinfo)


def test_whoever_waits_is_told_before_the_hour_is_over() -> None:
    office = an_office(waiting())

    office.run_until(UPLOADED + FIRST_APOLOGY_AFTER - MINUTE)
    before = list(office.events.published)
    report = office.run(UPLOADED + FIRST_APOLOGY_AFTER)

    (event,) = office.events.published
    assert ([], 1, {APOLOGIES: 1}) == (before, report.told, office.counts.counted)
    assert ("PostLate", post_id(1), "Photo 1", UPLOADED + FIRST_APOLOGY_AFTER) == (
        event.event,
        event.post_id,
        event.title,
        event.occurred_at,
    )
    assert FIRST_APOLOGY_AFTER + RUN_EVERY < ANSWER_WITHIN


def test_two_nights_of_waiting_are_one_apology_a_shift_however_often_it_runs() -> None:
    office = an_office(waiting())

    office.run_until(UPLOADED + timedelta(hours=48))

    told = [event.occurred_at for event in office.events.published]
    shifts = [datetime(2026, 11, 23, 16, tzinfo=UTC) + timedelta(hours=8 * index) for index in range(6)]
    assert [UPLOADED + FIRST_APOLOGY_AFTER, *shifts] == told


def test_a_shift_that_begins_right_after_the_first_apology_waits_an_hour_with_its_own() -> None:
    since = datetime(2026, 11, 23, 15, 10, tzinfo=UTC)
    first = since + FIRST_APOLOGY_AFTER
    one_in_the_morning = datetime(2026, 11, 23, 16, tzinfo=UTC)

    assert [first, first, first + LEAST_BETWEEN] == [
        apology_due(since, now) for now in (first, one_in_the_morning, first + LEAST_BETWEEN)
    ]


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001
    st.lists(st.integers(0, 72 * 60), min_size=2, max_size=40),
)
def test_apologies_fall_due_in_order_never_early_and_at_most_one_a_shift(since: datetime, minutes: list[int]) -> None:
    since = since.replace(tzinfo=UTC)
    moments = [since + timedelta(minutes=minute) for minute in sorted(minutes)]
    due = list(dict.fromkeys(found for found in (apology_due(since, moment) for moment in moments) if found))

    assert sorted(due) == due
    assert all(moment - since >= FIRST_APOLOGY_AFTER for moment in due)
    assert len({shift_start(moment) for moment in due}) == len(due)
    assert all(later - earlier >= LEAST_BETWEEN for earlier, later in pairwise(due))
    for moment in moments:
        found = apology_due(since, moment)
        assert (moment - since < FIRST_APOLOGY_AFTER) == (found is None)
        assert found is None or found <= moment


def test_after_an_outage_only_the_latest_apology_is_told() -> None:
    office = an_office(waiting())

    office.run(UPLOADED + timedelta(hours=30))

    (event,) = office.events.published
    assert datetime(2026, 11, 24, 8, tzinfo=UTC) == event.occurred_at


def test_a_run_that_was_cut_off_after_telling_tells_the_same_notice_again() -> None:
    office = an_office(waiting())
    late = UPLOADED + FIRST_APOLOGY_AFTER
    before = office.reviews.reviews.copy()
    office.run(late + MINUTE)
    office.reviews.reviews = before
    post = office.posts.posts[post_id(1)]
    office.posts.posts[post_id(1)] = post.model_copy(update={"revision": post.revision + 1})

    office.run(late + RUN_EVERY)

    assert (2, 1) == (len(office.events.published), len(office.notice_ids))


def test_what_the_topic_refused_is_told_by_the_next_run() -> None:
    office = an_office(waiting(1), waiting(2))
    office.events.refused = {post_id(1)}
    first = office.run(UPLOADED + FIRST_APOLOGY_AFTER)
    office.events.refused = set()

    second = office.run(UPLOADED + FIRST_APOLOGY_AFTER + RUN_EVERY)

    assert (1, 1, [post_id(2), post_id(1)]) == (
        first.told,
        second.told,
        [event.post_id for event in office.events.published],
    )


def test_a_broken_topic_leaves_every_mark_as_it_was() -> None:
    office = an_office(waiting())
    office.events.broken = True

    with pytest.raises(DependencyUnavailable):
        office.run(UPLOADED + FIRST_APOLOGY_AFTER)

    assert [None] == [review.apologised_at for review in office.reviews.waiting()]


@pytest.mark.parametrize("reason", ["flagged", "failed", "appeal", "disagreement", "claim"])
def test_a_hidden_photo_makes_its_owner_wait_whatever_brought_it_here(reason: ReviewReason) -> None:
    office = an_office(waiting(reason=reason))

    assert 1 == office.run(UPLOADED + FIRST_APOLOGY_AFTER).told


@pytest.mark.parametrize(
    ("reason", "state"),
    [("audit", PostState.PUBLISHED), ("claim", PostState.PUBLISHED), ("flagged", PostState.WITHDRAWN)],
)
def test_whoever_does_not_wait_is_told_nothing(reason: ReviewReason, state: PostState) -> None:
    office = an_office(waiting(reason=reason, state=state))

    assert (0, []) == (office.run(UPLOADED + timedelta(hours=3)).told, office.events.published)


def test_an_appeal_waits_since_it_was_made_not_since_the_upload() -> None:
    post, review = waiting(reason="appeal")
    appealed = UPLOADED + timedelta(days=2)
    office = an_office((post, review.model_copy(update={"due_at": appealed + ANSWER_WITHIN})))

    assert [0, 1] == [office.run(appealed + after).told for after in (MINUTE, FIRST_APOLOGY_AFTER)]


def test_a_photo_stuck_in_screening_is_apologised_for_once_and_again_next_shift() -> None:
    office = an_office(screening=(in_screening(),))

    office.run_until(UPLOADED + timedelta(hours=8))

    shift = datetime(2026, 11, 23, 16, tzinfo=UTC)
    expected = {f"{moment.isoformat()}#{post_id(9)}#0" for moment in (UPLOADED + FIRST_APOLOGY_AFTER, shift)}
    assert expected == office.notice_ids
    assert len(office.events.published) <= 2 * (RETOLD_FOR // RUN_EVERY)


def test_a_photo_that_goes_from_a_slow_queue_to_an_operator_is_not_apologised_for_twice() -> None:
    office = an_office(screening=(in_screening(1),))
    office.run(UPLOADED + FIRST_APOLOGY_AFTER + MINUTE)
    post, review = waiting(1, revision=2)
    held = an_office((post, review))
    held.events = office.events

    held.run(UPLOADED + FIRST_APOLOGY_AFTER + RUN_EVERY)

    assert (2, 1) == (len(office.events.published), len(office.notice_ids))


def test_the_queue_is_measured_without_the_audits_that_nobody_waits_for() -> None:
    first, second = waiting(1), waiting(2, "appeal")
    post, audit = waiting(3, "audit", state=PostState.PUBLISHED)
    old = audit.model_copy(update={"created_at": UPLOADED - timedelta(days=2), "due_at": UPLOADED - timedelta(days=1)})
    later = second[1].model_copy(update={"due_at": UPLOADED + timedelta(hours=9), "created_at": UPLOADED + MINUTE})
    office = an_office(first, (second[0], later), (post, old))

    report = office.run(UPLOADED + timedelta(hours=2))

    assert QueueAge(waiting=3, oldest_seconds=7200, overdue=1) == report.queue


def test_an_empty_queue_has_no_oldest() -> None:
    assert QueueAge(waiting=0, oldest_seconds=None, overdue=0) == an_office().run(NOW).queue
