"""Tells uploaders whose photo still waits that it does: before the promised hour is over, then once a working shift.

When an apology falls due follows from when the wait began, never from when this happens to run. So is the notice's id,
and a run that is repeated, cut off or doubled tells nobody twice. After an outage only the latest apology is told.

Who waits is read off the post: in `in_review` and `appealed` a person has to look, in `screening` a machine. An audit
and a report that hides nothing leave the post `published`, and nobody waits.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from pawcast.screening.counts import APOLOGIES
from pawcast.screening.ports import Clock, Counts, Events
from pawcast.screening.post import ANSWER_WITHIN, Post, PostEvent, PostState, Unfinished
from pawcast.screening.review import Review

# Early enough that, with a run every ten minutes, everybody is told before `ANSWER_WITHIN` is over.
FIRST_APOLOGY_AFTER = timedelta(minutes=45)
SHIFT_ZONE = ZoneInfo("Asia/Seoul")
SHIFT_STARTS = (time(1), time(9), time(17))
# A shift that begins right after the first apology does not repeat it at once.
LEAST_BETWEEN = timedelta(hours=1)
# A post in `screening` keeps no mark of what was told. Its apology is published by every run of this long, which
# outlasts two failed runs; the notice's id makes one of them.
RETOLD_FOR = timedelta(minutes=30)

WAITING_FOR_A_PERSON = frozenset({PostState.IN_REVIEW, PostState.APPEALED})


class ReviewQueue(Protocol):
    """The reviews that wait."""

    def waiting(self) -> Iterator[Review]:
        """Every review that waits."""
        ...

    def mark_apologised(self, review_id: str, due: datetime) -> bool:
        """Write down that the apology that fell due at `due` was told; False when it was, or nobody waits any more."""
        ...


class LatePosts(Protocol):
    """The posts, as this module needs them."""

    def get_many(self, post_ids: Sequence[str]) -> Mapping[str, Post]:
        """The posts that exist, read consistently."""
        ...

    def unfinished(self, kind: Unfinished, before: datetime) -> Iterator[Post]:
        """Posts that have been unfinished in this way since before a time, oldest first."""
        ...


@dataclass(frozen=True)
class QueueAge:
    """How the review queue stands; audits make nobody wait and count only in `waiting`."""

    waiting: int
    oldest_seconds: int | None
    overdue: int


@dataclass(frozen=True)
class ApologyReport:
    """What one run did and saw."""

    told: int
    screening_late: int
    queue: QueueAge


def apology_due(waiting_since: datetime, now: datetime) -> datetime | None:
    """When the latest apology fell due for who has waited since `waiting_since`; None before the first one."""
    first = waiting_since + FIRST_APOLOGY_AFTER
    if now < first:
        return None
    shift = shift_start(now)
    # The shift in which the first apology fell has had its one.
    repeated = max(shift, first + LEAST_BETWEEN)
    return repeated if shift > first and repeated <= now else first


def shift_start(now: datetime) -> datetime:
    """When the working shift of `now` began."""
    local = now.astimezone(SHIFT_ZONE)
    starts = [
        datetime.combine(local.date() - timedelta(days=days), start, SHIFT_ZONE)
        for days in (0, 1)
        for start in SHIFT_STARTS
    ]
    return max(start for start in starts if start <= local).astimezone(now.tzinfo)


def queue_age(reviews: Iterable[Review], now: datetime) -> QueueAge:
    """How many reviews wait, since when the oldest, and how many longer than they should."""
    waiting = list(reviews)
    awaited = [review for review in waiting if review.reason != "audit"]
    oldest = min((review.created_at for review in awaited), default=None)
    return QueueAge(
        waiting=len(waiting),
        oldest_seconds=None if oldest is None else max(0, int((now - oldest).total_seconds())),
        overdue=sum(review.due_at < now for review in awaited),
    )


@dataclass(frozen=True)
class Apologiser:
    """Looks through what waits, and tells whose apology has fallen due."""

    reviews: ReviewQueue
    posts: LatePosts
    events: Events
    counts: Counts
    now: Clock

    def run(self) -> ApologyReport:
        """Tell who must be told; safe to repeat and to cut off anywhere.

        Raises:
            DependencyUnavailable: a service failed; who was not told is told by the next run.
        """
        now = self.now()
        waiting = list(self.reviews.waiting())
        told = self._tell_reviewed(waiting, now)
        late = list(self.posts.unfinished("screening", now - FIRST_APOLOGY_AFTER))
        self._tell_screened(late, now)
        self.counts.add(now, {APOLOGIES: told})
        return ApologyReport(told=told, screening_late=len(late), queue=queue_age(waiting, now))

    def _tell_reviewed(self, waiting: Sequence[Review], now: datetime) -> int:
        due: dict[str, tuple[Review, datetime]] = {}
        for review in waiting:
            moment = apology_due(review.due_at - ANSWER_WITHIN, now)
            if moment is not None and (review.apologised_at is None or review.apologised_at < moment):
                due[review.post_id] = (review, moment)
        posts = self.posts.get_many(list(due))
        late = {post_id: post for post_id, post in posts.items() if post.state in WAITING_FOR_A_PERSON}
        untold = self.events.publish_many([_apology(post, due[post_id][1]) for post_id, post in late.items()])
        # Marked after telling: what is cut off in between is told again, under the same id.
        return sum(
            self.reviews.mark_apologised(due[post_id][0].review_id, due[post_id][1])
            for post_id in late
            if post_id not in untold
        )

    def _tell_screened(self, late: Sequence[Post], now: datetime) -> None:
        due = ((post, apology_due(_screening_since(post), now)) for post in late)
        self.events.publish_many(
            [_apology(post, moment) for post, moment in due if moment is not None and moment + RETOLD_FOR > now]
        )


def _screening_since(post: Post) -> datetime:
    """Since when a post in `screening` waits: a second screening begins later than the upload."""
    arrived = post.upload.uploaded_at if post.upload is not None else post.created_at
    return post.since or arrived


def _apology(post: Post, due: datetime) -> PostEvent:
    return PostEvent(
        event="PostLate",
        post_id=post.post_id,
        user_id=post.user_id,
        title=post.title,
        # One apology for each moment, whether the post was still in `screening` then or already with an operator.
        revision=0,
        occurred_at=due,
    )
