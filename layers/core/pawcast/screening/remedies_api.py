"""What the HTTP API offers about a decision, without HTTP: appeal, mosaic, report, withdraw.

Each deed is one write on the revision that was read, and is read and tried again when somebody else moved the post in
between. What follows the write (a message to a queue, erasing photos) may be cut off: repeating the request does it
again, and so does the scheduled clean-up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pawcast.callers import Caller
from pawcast.errors import Conflict, DependencyUnavailable, NotAllowed, NotFound
from pawcast.screening import counts
from pawcast.screening.outbox import announce
from pawcast.screening.ports import Change, Clock, Counts, Erasure, Events, Inferences, Posts
from pawcast.screening.post import POST_ID, Post, PostState, Upload
from pawcast.screening.post_views import Json, Views
from pawcast.screening.rates import Rates
from pawcast.screening.remedies import (
    Claim,
    appeal_text,
    appealed,
    claim_of,
    claimed,
    closed,
    mosaic_accepted,
    mosaic_declined,
    mosaic_wanted,
    withdrawn,
)
from pawcast.screening.review import Review
from pawcast.screening.tally import count

ATTEMPTS = 4


@dataclass(frozen=True)
class Deed:
    """What is written together or not at all: the post's change, a report, reviews that close, entries that go."""

    change: Change
    at: datetime
    claim: Claim | None = None
    closed: tuple[tuple[Review, Review], ...] = ()
    removed: tuple[str, ...] = ()


class Remedies(Protocol):
    """Posts with their reviews, reports and bank entries."""

    def write(self, deed: Deed) -> bool:
        """Write a deed; False when something is not as it was read, and nothing was written."""
        ...

    def has_claimed(self, post_id: str, user_id: str) -> bool:
        """Whether this person has reported this post."""
        ...

    def review(self, review_id: str) -> Review | None:
        """A review, read consistently."""
        ...

    def reviews_of(self, post: Post) -> list[Review]:
        """Every review that the post has opened."""
        ...

    def cleared_entries(self, post_id: str) -> list[str]:
        """Ids of the cleared bank's entries that stand on this post."""
        ...


class MosaicQueue(Protocol):
    """The queue of photos whose faces are to be covered."""

    def send(self, post_id: str) -> None:
        """Ask for a post's mosaic."""
        ...


class ScreeningQueue(Protocol):
    """The screening queue."""

    def send(self, upload: Upload) -> None:
        """Announce an upload again."""
        ...


@dataclass(frozen=True)
class RemediesApi:
    """The operations. `trouble` hears of what failed after a write, and is made up for later."""

    posts: Posts
    remedies: Remedies
    events: Events
    inferences: Inferences
    mosaics: MosaicQueue
    uploads: ScreeningQueue
    photos: Erasure
    rates: Rates
    counts: Counts
    views: Views
    now: Clock
    trouble: Callable[[Exception], None]

    def appeal(self, caller: Caller, post_id: str, request: Mapping[str, Any]) -> Json:
        """Object to a rejection.

        Raises:
            NotFound: no such post of the caller's.
            Conflict: there is nothing to appeal.
        """
        post = self._own(caller, post_id)
        text = appeal_text(request)
        appealed(post, text, not_for=None, now=self.now())
        self.rates.check(caller.user_id, "appeal", self.now())

        def deed(post: Post, now: datetime) -> Deed:
            return Deed(appealed(post, text, not_for=self._judge_of(post), now=now), now)

        return self._view(self._do(post, deed, {counts.APPEALS: 1}), caller)

    def ask_mosaic(self, caller: Caller, post_id: str) -> Json:
        """Have the faces of a rejected photo covered. Asking again while it is being made asks for it once more."""
        post = self._own(caller, post_id)
        if not (post.state is PostState.MOSAIC and post.mosaic is None):
            mosaic_wanted(post, self.now())
            self.rates.check(caller.user_id, "mosaic", self.now())
            post = self._do(post, lambda post, now: Deed(Change(mosaic_wanted(post, now)), now), {})
        self.mosaics.send(post.post_id)
        return self._view(post, caller)

    def accept_mosaic(self, caller: Caller, post_id: str) -> Json:
        """Have the mosaic screened in place of the photo. Accepting again sends it once more."""
        post = self._own(caller, post_id)
        if not (post.state is PostState.SCREENING and post.is_mosaic):
            post = self._do(post, lambda post, now: Deed(Change(mosaic_accepted(post, now)), now), {})
        if post.upload is not None:
            self.uploads.send(post.upload)
        return self._view(post, caller)

    def decline_mosaic(self, caller: Caller, post_id: str) -> Json:
        """Leave the photo rejected."""
        post = self._own(caller, post_id)
        declined = self._do(post, lambda post, now: Deed(Change(mosaic_declined(post)), now), {})
        return self._view(declined, caller)

    def claim(self, caller: Caller, post_id: str, request: Mapping[str, Any]) -> bool:
        """Report somebody else's published post; whether this report is new.

        Raises:
            NotFound: no such published post.
            NotAllowed: it is the caller's own.
        """
        post = self._find(post_id)
        if post is not None and post.user_id == caller.user_id:
            message = "nobody reports their own post"
            raise NotAllowed(message)
        if post is not None and self.remedies.has_claimed(post_id, caller.user_id):
            return False
        if post is None or post.state is not PostState.PUBLISHED:
            raise _no_such_post()
        reason, text = claim_of(request)
        self.rates.check(caller.user_id, "claim", self.now())

        def deed(post: Post, now: datetime) -> Deed:
            if self.remedies.has_claimed(post_id, caller.user_id):
                message = "this post is being reported by the same person at the same time"
                raise Conflict(message)
            told = Claim(post_id=post_id, user_id=caller.user_id, reason=reason, at=now)
            return Deed(claimed(post, reason, text, now), now, claim=told)

        self._do(post, deed, {counts.CLAIMS: 1})
        return True

    def withdraw(self, caller: Caller, post_id: str) -> Json:
        """Take a post back: its words and its photo go, everywhere. Doing it again erases again."""
        post = self._own(caller, post_id)
        if post.state is not PostState.WITHDRAWN:
            removed: list[str] = []

            def deed(post: Post, now: datetime) -> Deed:
                removed[:] = self.remedies.cleared_entries(post.post_id)
                reviews = [(review, closed(review)) for review in self.remedies.reviews_of(post)]
                changed = tuple((before, after) for before, after in reviews if before != after)
                return Deed(withdrawn(post, now), now, closed=changed, removed=tuple(removed))

            post = self._do(post, deed, lambda: {counts.WITHDRAWN: 1, counts.BANK_CLEARED: -len(removed)})
        try:
            self.photos.erase(post.post_id)
        except DependencyUnavailable as error:
            # The clean-up finds the post and erases what is left, as it does for what was being written just now.
            self.trouble(error)
        return self._view(post, caller)

    def _view(self, post: Post, caller: Caller) -> Json:
        return {"post": self.views.of(post, caller)}

    def _own(self, caller: Caller, post_id: str) -> Post:
        post = self._find(post_id)
        if post is None or post.user_id != caller.user_id:
            raise _no_such_post()
        return post

    def _find(self, post_id: str) -> Post | None:
        return self.posts.get_many([post_id]).get(post_id) if POST_ID.fullmatch(post_id) else None

    def _do(
        self,
        post: Post,
        deed_of: Callable[[Post, datetime], Deed],
        sums: Mapping[str, int] | Callable[[], Mapping[str, int]],
    ) -> Post:
        """Write the deed on the post as it stands, tell what it has to tell, count it; the post after it."""
        for _ in range(ATTEMPTS):
            now = self.now()
            deed = deed_of(self._told(post), now)
            if self.remedies.write(deed):
                break
            post = self.posts.get_many([post.post_id])[post.post_id]
        else:
            message = f"post {post.post_id} kept being changed at the same time"
            raise DependencyUnavailable(message)
        after = deed.change.post
        try:
            announce([after], self.posts, self.events, self.inferences)
        except DependencyUnavailable as error:
            self.trouble(error)
        if (uncounted := count(self.counts, now, sums() if callable(sums) else sums)) is not None:
            self.trouble(uncounted)
        return after

    def _told(self, post: Post) -> Post:
        """The post once its last event is told: the next move would replace it."""
        if post.outbox is None:
            return post
        if announce([post], self.posts, self.events, self.inferences):
            message = f"the last event of post {post.post_id} can't be told for now"
            raise DependencyUnavailable(message)
        return post.model_copy(update={"outbox": None})

    def _judge_of(self, post: Post) -> str | None:
        """Whose verdict the rejection is: the one on this post, or behind a bank's entry the one that made it."""
        review_id = post.bank_match.entry_id.partition("#")[2] if post.bank_match is not None else post.review_id
        review = self.remedies.review(review_id) if review_id else None
        return review.verdict.operator_id if review is not None and review.verdict is not None else None


def _no_such_post() -> NotFound:
    return NotFound("no such post")
