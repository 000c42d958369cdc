"""The review queue: taking photos, deciding on them, taking a decision back.

Every step is one conditional write of all that belongs together (`Step`): review, post, bank entries and the line in
the audit log. It is refused when the review or the post is no longer as it was read, and then read and tried again, so
of two operators who do something at once exactly one wins. A lock lasts ten minutes; one that ran out still counts as
long as nobody else took the photo.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Protocol

from pawcast.errors import Conflict, DependencyUnavailable, NotFound, VersionConflict
from pawcast.screening import counts
from pawcast.screening.operator_actions import ActionKind, OperatorAction, action_of
from pawcast.screening.outbox import announce
from pawcast.screening.ports import Clock, Counts, Events, Inferences, Posts
from pawcast.screening.post import Post, PostState, Upload
from pawcast.screening.review import Review, ReviewReason, Skip
from pawcast.screening.tally import count
from pawcast.screening.verdicts import (
    DECIDABLE,
    LOCK_FOR,
    Case,
    Done,
    Finding,
    Step,
    bank_counts,
    judge,
    take_back,
    undone_counts,
    verdict_counts,
)

# A lock is prolonged when it is taken again, but not sooner than this: a verdict may be on its way for it.
RENEW_AFTER = timedelta(minutes=2)
# A photo that was passed on is not offered to the same operator again during a working shift.
SKIP_LASTS = timedelta(hours=8)
ATTEMPTS = 4


@dataclass(frozen=True)
class Lock:
    """A review as it was read and as its new holder locks it; `action` is None for a lock that is only prolonged."""

    before: Review
    after: Review
    action: OperatorAction | None


@dataclass(frozen=True)
class Desk:
    """What one operator took, in that order, as it was read: the ids that were written down, and the reviews."""

    ids: tuple[str, ...] = ()
    reviews: tuple[Review, ...] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the figures over the queue need of a review; `skips` are who passed it on, and when."""

    reason: ReviewReason
    user_id: str
    created_at: datetime
    due_at: datetime
    not_for: str | None
    skips: tuple[tuple[str, datetime], ...]
    locked_until: datetime | None


@dataclass(frozen=True)
class Queue:
    """The queue in figures, as one operator sees it.

    `blocked` are those free ones that others must decide. Nobody waits for an audit, so audits neither age nor are
    overdue, as on the operations page.
    """

    waiting: int
    by_reason: Mapping[str, int]
    oldest_seconds: int | None
    overdue: int
    locked: int
    blocked: int


class Reviews(Protocol):
    """The reviews with the audit log; writes reach posts and banks too."""

    def get(self, review_id: str) -> Review | None:
        """The review, read consistently."""
        ...

    def queue(self) -> Iterator[Review]:
        """The reviews that wait, in the order of the queue; may lag a moment behind, so every lock is conditional."""
        ...

    def waiting(self) -> Iterator[Waiting]:
        """What the figures need of every review that waits."""
        ...

    def desk(self, operator_id: str) -> Desk:
        """What the operator took last, read consistently; some of it may be decided or somebody else's by now."""
        ...

    def lock(self, operator_id: str, desk: Desk, locks: Sequence[Lock]) -> tuple[Desk, frozenset[str]]:
        """Lock what can be locked; the desk after it, and the ids of reviews that were not as they were read.

        Raises:
            VersionConflict: the same operator took something at the same time.
        """
        ...

    def write(self, step: Step) -> bool:
        """Write a step; False when review or post are not as they were read, and nothing was written."""
        ...

    def append(self, action: OperatorAction) -> None:
        """Append a line to the log."""
        ...

    def actions(self, post_id: str) -> Sequence[OperatorAction]:
        """The log of a post, oldest first, read consistently."""
        ...

    def actions_by(self, operator_id: str, since: datetime) -> Sequence[OperatorAction]:
        """An operator's verdicts, skips and undos since a time, oldest first."""
        ...


class Uploads(Protocol):
    """The screening queue."""

    def send(self, upload: Upload) -> None:
        """Announce an upload again."""
        ...


# ---------------------------------------------------------------- rules


def is_locked(review: Review, now: datetime) -> bool:
    """Whether somebody holds the review."""
    return review.locked_by is not None and review.locked_until is not None and review.locked_until > now


def is_for(review: Review, operator_id: str, now: datetime) -> bool:
    """Whether an operator may decide: not on their own photo or verdict, nor on what they have just passed on."""
    skips = ((skip.operator_id, skip.at) for skip in review.skips)
    return _may_decide(operator_id, (review.user_id, review.not_for), skips, now)


def _may_decide(
    operator_id: str, others_only: tuple[str, str | None], skips: Iterable[tuple[str, datetime]], now: datetime
) -> bool:
    return operator_id not in others_only and not any(by == operator_id and at > now - SKIP_LASTS for by, at in skips)


def lock_of(review: Review, operator_id: str, now: datetime) -> Lock:
    """The review held by an operator from now on."""
    after = review.model_copy(update={"locked_by": operator_id, "locked_until": now + LOCK_FOR})
    taken = review.locked_by != operator_id
    return Lock(review, after, action_of(review, "take", operator_id, now) if taken else None)


def queue_of(reviews: Iterable[Waiting], operator_id: str, now: datetime) -> Queue:
    """Figures over all reviews that wait."""
    by_reason: Counter[str] = Counter()
    locked = blocked = overdue = 0
    oldest: datetime | None = None
    for review in reviews:
        by_reason[review.reason] += 1
        if review.locked_until is not None and review.locked_until > now:
            locked += 1
        elif not _may_decide(operator_id, (review.user_id, review.not_for), review.skips, now):
            blocked += 1
        if review.reason != "audit":
            overdue += review.due_at < now
            oldest = min(oldest or review.created_at, review.created_at)
    age = None if oldest is None else max(0, int((now - oldest).total_seconds()))
    return Queue(by_reason.total(), dict(by_reason), age, overdue, locked, blocked)


# ---------------------------------------------------------------- doing it


@dataclass(frozen=True)
class Reviewer:
    """What operators do with the queue. Who may is not asked here."""

    reviews: Reviews
    posts: Posts
    events: Events
    inferences: Inferences
    uploads: Uploads
    counts: Counts
    now: Clock

    def take(self, operator_id: str, wanted: int) -> tuple[Case, ...]:
        """Up to `wanted` photos for an operator: first those already in hand, then the next of the queue.

        Raises:
            VersionConflict: the same operator keeps taking photos elsewhere at the same time.
        """
        for _ in range(ATTEMPTS - 1):
            try:
                return self._take(operator_id, wanted)
            except VersionConflict:
                continue  # what either of the two locked is on the desk now
        return self._take(operator_id, wanted)

    def _take(self, operator_id: str, wanted: int) -> tuple[Case, ...]:
        now = self.now()
        desk = self.reviews.desk(operator_id)
        held = {one.review_id: one for one in desk.reviews if one.status == "waiting" and one.locked_by == operator_id}
        again = [
            lock_of(one, operator_id, now)
            for one in list(held.values())[:wanted]
            if one.locked_until is None or one.locked_until < now + LOCK_FOR - RENEW_AFTER
        ]
        kept = dict(list(held.items())[:wanted])
        if again:
            desk, lost = self.reviews.lock(operator_id, desk, again)
            kept |= {lock.after.review_id: lock.after for lock in again}
            kept = {review_id: one for review_id, one in kept.items() if review_id not in lost}
        taken = self._cases(list(kept.values()))
        free = (
            one
            for one in self.reviews.queue()
            if one.review_id not in held and not is_locked(one, now) and is_for(one, operator_id, now)
        )
        while len(taken) < wanted and (batch := _of_different_posts(islice(free, wanted - len(taken)))):
            locks = [lock_of(one, operator_id, now) for one in batch]
            desk, lost = self.reviews.lock(operator_id, desk, locks)
            taken += self._cases([lock.after for lock in locks if lock.after.review_id not in lost])
        return tuple(taken)

    def one(self, review_id: str) -> Case:
        """A review with its post.

        Raises:
            NotFound: there is no such review.
        """
        review = self.reviews.get(review_id)
        post = self.posts.get_many([review.post_id]).get(review.post_id) if review else None
        if review is None or post is None:
            message = "no such review"
            raise NotFound(message)
        return Case(review, post)

    def decide(self, operator_id: str, review_id: str, said: Finding) -> Done:
        """Uphold or overturn.

        Raises:
            NotFound: there is no such review.
            Conflict: the operator does not hold it, or there is nothing to decide any more.
        """
        for _ in range(ATTEMPTS):
            case = self._told(self._in_hand(operator_id, review_id))
            log = self.reviews.actions(case.post.post_id)
            now = self.now()
            step = judge(case, said, operator_id, now, log)
            if self.reviews.write(step):
                sums = verdict_counts(step) | bank_counts(step, log)
                return self._after(step, case.post, now, sums)
        raise _overtaken(review_id)

    def undo(self, operator_id: str, review_id: str) -> Done:
        """Take a verdict back; the photo is in the operator's hands again.

        Raises:
            NotFound: there is no such review.
            Conflict: it is somebody else's verdict, older than ten minutes, or the post went on.
        """
        for _ in range(ATTEMPTS):
            case = self._told(self.one(review_id))
            log = self.reviews.actions(case.post.post_id)
            now = self.now()
            step = take_back(case, operator_id, now, log)
            if self.reviews.write(step):
                sums = undone_counts(case.review, log) | bank_counts(step, log)
                return self._after(step, case.post, now, sums)
        raise _overtaken(review_id)

    def skip(self, operator_id: str, review_id: str, reason: str) -> Done:
        """Pass a photo on to somebody else."""
        now = self.now()
        case = self._in_hand(operator_id, review_id)
        skips = (*case.review.skips, Skip(operator_id=operator_id, at=now, reason=reason))
        return self._put_down(case, "skip", now, {"skips": skips}, reason)

    def release(self, operator_id: str, review_id: str) -> Done:
        """Put a photo back."""
        return self._put_down(self._in_hand(operator_id, review_id), "release", self.now(), {})

    def comment(self, operator_id: str, review_id: str, text: str) -> Case:
        """Write a comment into the history of a photo in hand."""
        return self._note(operator_id, review_id, "comment", text)

    def seen(self, operator_id: str, review_id: str, kind: ActionKind) -> Case:
        """Write down that the operator looked at the photo or its boxes."""
        return self._note(operator_id, review_id, kind)

    def _cases(self, reviews: Sequence[Review]) -> list[Case]:
        """Reviews with their posts; one whose post left nothing to decide is closed instead."""
        posts = self.posts.get_many([review.post_id for review in reviews]) if reviews else {}
        cases = []
        for review in reviews:
            post = posts.get(review.post_id)
            if post is not None and post.state in DECIDABLE:
                cases.append(Case(review, post))
            else:
                closed = {"status": "closed", "locked_by": None, "locked_until": None}
                self.reviews.write(Step(review, review.model_copy(update=closed), None))
        return cases

    def _in_hand(self, operator_id: str, review_id: str) -> Case:
        case = self.one(review_id)
        if case.review.status != "waiting" or case.review.locked_by != operator_id:
            message = f"review {review_id} is not in this operator's hands"
            raise Conflict(message)
        return case

    def _told(self, case: Case) -> Case:
        """The case once its post's last event is told: the next move would replace it."""
        if case.post.outbox is None:
            return case
        if announce([case.post], self.posts, self.events, self.inferences):
            message = f"the last event of post {case.post.post_id} can't be told for now"
            raise DependencyUnavailable(message)
        return Case(case.review, case.post.model_copy(update={"outbox": None}))

    def _put_down(
        self, case: Case, kind: ActionKind, now: datetime, changes: Mapping[str, object], comment: str = ""
    ) -> Done:
        review, operator_id = case.review, case.review.locked_by or ""
        after = review.model_copy(update={"locked_by": None, "locked_until": None, **changes})
        if not self.reviews.write(Step(review, after, action_of(review, kind, operator_id, now, comment))):
            raise _overtaken(review.review_id)
        trouble = count(self.counts, now, {counts.SKIPPED: 1}) if kind == "skip" else None
        return Done(Case(after, case.post), (trouble,) if trouble else ())

    def _note(self, operator_id: str, review_id: str, kind: ActionKind, text: str = "") -> Case:
        case = self._in_hand(operator_id, review_id)
        self.reviews.append(action_of(case.review, kind, operator_id, self.now(), text))
        return case

    def _after(self, step: Step, post: Post, now: datetime, sums: Mapping[str, int]) -> Done:
        """Tell the world what was written. What fails here is made up for: `expire` finds what was not told."""
        after = step.change.post if step.change else post
        troubles: list[Exception] = []
        try:
            announce([after], self.posts, self.events, self.inferences)
            if after.state is PostState.SCREENING and after.upload is not None:
                self.uploads.send(after.upload)
        except DependencyUnavailable as error:
            troubles.append(error)
        if (uncounted := count(self.counts, now, sums)) is not None:
            troubles.append(uncounted)
        return Done(Case(step.after, after), tuple(troubles))


def _of_different_posts(reviews: Iterator[Review]) -> list[Review]:
    """Reviews, at most one for each post: what is done about one may settle the other."""
    first: dict[str, Review] = {}
    for review in reviews:
        first.setdefault(review.post_id, review)
    return list(first.values())


def _overtaken(review_id: str) -> Conflict:
    return Conflict(f"review {review_id} was changed by somebody else at the same time")
