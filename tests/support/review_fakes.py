"""The review queue and the people at it, as dictionaries; the fake store keeps the promises of `ReviewsTable`."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pawcast.errors import DependencyUnavailable, VersionConflict
from pawcast.screening.banks import BankEntry
from pawcast.screening.operator_actions import OperatorAction
from pawcast.screening.post import Decision, PhotoFacts, Post, PostState, Upload
from pawcast.screening.review import Review, ReviewReason, review_of
from pawcast.screening.reviews import Desk, Lock, Reviewer, Waiting
from pawcast.screening.verdicts import Case, Step
from tests.support.screening import NOW, FakeCounts, FakeEvents, FakeInferences, FakePosts, a_post, an_upload, post_id

ANNA, BORA = "operator-anna", "operator-bora"
FLAG = Decision(
    outcome="flag",
    probability=0.9,
    threshold=0.5,
    model="face-classifier",
    model_version="3",
    policy_version=1,
)
PASS = FLAG.model_copy(update={"outcome": "pass", "probability": 0.1})


def facts(number: int = 1, quality: int = 90) -> PhotoFacts:
    """A photo with a hash of its own."""
    return PhotoFacts(width=400, height=300, format="jpeg", pdq=f"{number:064x}", pdq_quality=quality)


def a_case(number: int = 1, reason: ReviewReason = "flagged", *, minute: int = 0, **changes: Any) -> Case:
    """A post with a review that waits, as screening, a report, an appeal or the rescue of a failed photo leaves it."""
    states = {
        "flagged": PostState.IN_REVIEW,
        "failed": PostState.IN_REVIEW,
        "appeal": PostState.APPEALED,
        "claim": PostState.PUBLISHED,
        "audit": PostState.PUBLISHED,
        "disagreement": PostState.PUBLISHED,
    }
    at = NOW + timedelta(minutes=minute)
    fields: dict[str, Any] = {
        "state": states[reason],
        "revision": 2,
        "upload": an_upload(number),
        "decided_at": at,
        "published_at": at if states[reason] is PostState.PUBLISHED else None,
        "reason": {"flagged": "human_face_suspected", "failed": "screening_failed", "appeal": "human_face"}.get(reason),
        "decision": {"failed": None, "audit": PASS, "claim": PASS}.get(reason, FLAG),
        "photo": None if reason == "failed" else facts(number),
        "rendition_key": None if reason == "failed" else f"photos/{post_id(number)}/2.jpg",
    }
    post = a_post(number, **(fields | changes))
    share = 0.1 if reason == "audit" else None
    review = review_of(post, reason, due_at=at + timedelta(hours=1), now=at, sampling_probability=share)
    return Case(review, post.model_copy(update={"review_id": review.review_id}))


class FakeReviews:
    """Reviews by id with log, desks and banks; `lag` reviews are still in the index as they were put here."""

    def __init__(self, posts: FakePosts, *cases: Case) -> None:
        self.posts = posts
        self.reviews = {case.review.review_id: case.review for case in cases}
        self.first = dict(self.reviews)
        self.lags = False
        self.log: list[OperatorAction] = []
        self.desks: dict[str, tuple[str, ...]] = {}
        self.banks: dict[str, BankEntry] = {}
        self.before_write: list[Any] = []
        self.before_lock: list[Any] = []

    def get(self, review_id: str) -> Review | None:
        return self.reviews.get(review_id)

    def queue(self) -> Iterator[Review]:
        listed = self.first if self.lags else self.reviews
        yield from sorted(
            (review for review in listed.values() if review.status == "waiting"),
            key=lambda review: review.priority_due_at,
        )

    def waiting(self) -> Iterator[Waiting]:
        for review in self.queue():
            skips = tuple((skip.operator_id, skip.at) for skip in review.skips)
            yield Waiting(
                review.reason,
                review.user_id,
                review.created_at,
                review.due_at,
                review.not_for,
                skips,
                review.locked_until,
            )

    def desk(self, operator_id: str) -> Desk:
        ids = self.desks.get(operator_id, ())
        return Desk(ids, tuple(self.reviews[review_id] for review_id in ids))

    def lock(self, operator_id: str, desk: Desk, locks: Sequence[Lock]) -> tuple[Desk, frozenset[str]]:
        if self.before_lock:
            self.before_lock.pop()()
        if self.desks.get(operator_id, ()) != desk.ids:
            raise VersionConflict("the desk was changed")
        lost = {lock.before.review_id for lock in locks if not self._is_as_read(lock.before, lock.after)}
        won = [lock for lock in locks if lock.before.review_id not in lost]
        for lock in won:
            self.reviews[lock.after.review_id] = lock.after
            self.log += [lock.action] if lock.action else []
        held = [one for one in desk.reviews if one.status == "waiting" and one.locked_by == operator_id]
        after = {one.review_id: one for one in (*held, *(lock.after for lock in won))}
        self.desks[operator_id] = tuple(after)
        return Desk(tuple(after), tuple(after.values())), frozenset(lost)

    def write(self, step: Step) -> bool:
        if self.before_write:
            self.before_write.pop()()
        change = step.change
        stale = change is not None and self.posts.posts[change.post.post_id].revision != change.post.revision - 1
        if stale or not self._is_as_read(step.before, step.after):
            return False
        self.reviews[step.after.review_id] = step.after
        if change is not None:
            self.posts.posts[change.post.post_id] = change.post
        for entry_id in step.removed:
            del self.banks[entry_id]
        self.banks |= {entry.entry_id: entry for entry in step.added}
        self.log += [step.action] if step.action else []
        if step.after.locked_by is not None:
            self.desks[step.after.locked_by] = (step.after.review_id, *self.desks.get(step.after.locked_by, ()))
        return True

    def append(self, action: OperatorAction) -> None:
        self.log.append(action)

    def actions(self, post_id: str) -> Sequence[OperatorAction]:
        return [action for action in self.log if action.post_id == post_id]

    def actions_by(self, operator_id: str, since: datetime) -> Sequence[OperatorAction]:
        return [action for action in self.log if action.operator_id == operator_id and action.at >= since]

    def _is_as_read(self, before: Review, after: Review) -> bool:
        stored = self.reviews[before.review_id]
        same = (stored.status, stored.locked_by, stored.skips) == (before.status, before.locked_by, before.skips)
        taken_over = before.locked_by is not None and after.locked_by not in (None, before.locked_by)
        return same and (not taken_over or stored.locked_until == before.locked_until)


@dataclass
class FakeUploads:
    """What was sent to the screening queue."""

    sent: list[Upload] = field(default_factory=list)
    broken: bool = False

    def send(self, upload: Upload) -> None:
        if self.broken:
            raise DependencyUnavailable("sqs:SendMessage")
        self.sent.append(upload)


class Room:
    """Operators before a queue; the clock stands still until it is moved on."""

    def __init__(self, *cases: Case) -> None:
        self.posts = FakePosts(*(case.post for case in cases))
        self.reviews = FakeReviews(self.posts, *cases)
        self.events, self.inferences = FakeEvents(), FakeInferences()
        self.uploads, self.counts = FakeUploads(), FakeCounts()
        self.now = NOW + timedelta(minutes=10)
        self.reviewer = Reviewer(
            reviews=self.reviews,
            posts=self.posts,
            events=self.events,
            inferences=self.inferences,
            uploads=self.uploads,
            counts=self.counts,
            now=lambda: self.now,
        )

    def wait(self, **span: float) -> None:
        """Let time go by."""
        self.now += timedelta(**span)

    def take(self, operator: str = ANNA, wanted: int = 1) -> list[str]:
        """The ids of the reviews that an operator gets."""
        return [case.review.review_id for case in self.reviewer.take(operator, wanted)]

    def post(self, number: int = 1) -> Post:
        """A post as it is stored."""
        return self.posts.posts[post_id(number)]

    def review(self, number: int = 1) -> Review:
        """The review of a post as it is stored."""
        return next(one for one in self.reviews.reviews.values() if one.post_id == post_id(number))
