"""Hands photos that could not be screened to an operator: what lands in the DLQ is not lost.

The uploader hears that a person is checking, exactly as with a held photo.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pawcast.screening import counts
from pawcast.screening.outbox import announce
from pawcast.screening.ports import Change, Clock, Counts, Events, Inferences, Posts
from pawcast.screening.post import (
    ANSWER_WITHIN,
    Post,
    PostState,
    Upload,
    asked_at,
    move,
    outbox_of,
    waits_for,
)
from pawcast.screening.review import Review, review_of
from pawcast.screening.tally import count, tally_of
from pawcast.screening.uploads import Message


@dataclass(frozen=True)
class RescueReport:
    """What became of a batch; `failed` are the ids of the messages to be delivered again."""

    failed: frozenset[str]
    rescued: tuple[Post, ...]
    uncounted: Exception | None = None


@dataclass(frozen=True)
class Rescuer:
    """Moves the posts behind failed messages to `in_review`."""

    posts: Posts
    events: Events
    inferences: Inferences
    counts: Counts
    now: Clock

    def rescue(self, messages: Sequence[Message]) -> RescueReport:
        """Hold every post of `messages` that is still undecided; announce those decided but untold.

        Raises:
            Retryable: the tables can't be reached; every message stays.
        """
        arrivals = sorted(
            (upload for message in messages for upload in message.uploads), key=lambda upload: upload.uploaded_at
        )
        posts = self.posts.get_many(list(dict.fromkeys(upload.post_id for upload in arrivals)))
        untold = [post for post in posts.values() if post.outbox is not None]
        uploads: dict[str, Upload] = {}
        for upload in arrivals:
            post = posts.get(upload.post_id)
            if post is not None and post.outbox is None and waits_for(post, upload):
                # Of several versions the one that came first, as everywhere.
                uploads.setdefault(upload.post_id, upload)
        waiting = [posts[post_id] for post_id in uploads]
        begun, lost_begins = self._begin(waiting, uploads)
        starting = sum(posts[post.post_id].state is not PostState.SCREENING for post in begun)
        held = [self._hold(post, uploads[post.post_id]) for post in begun]
        lost = lost_begins | self.posts.save_many([Change(post, review) for post, review in held])
        rescued = tuple(post for post, _ in held if post.post_id not in lost)
        unfinished = lost | announce([*rescued, *untold], self.posts, self.events, self.inferences)
        sums = Counter({counts.UPLOADS: starting})
        for post in rescued:
            sums.update(tally_of(post, None, asked_at(posts[post.post_id], uploads[post.post_id])))
        return RescueReport(
            failed=frozenset(
                message.message_id
                for message in messages
                if any(upload.post_id in unfinished for upload in message.uploads)
            ),
            rescued=rescued,
            uncounted=count(self.counts, self.now(), sums),
        )

    def _begin(self, waiting: Sequence[Post], uploads: Mapping[str, Upload]) -> tuple[list[Post], frozenset[str]]:
        """Posts in `screening`, and the ids of those that someone else moved meanwhile."""
        starting = [
            move(post, PostState.SCREENING, upload=uploads[post.post_id])
            for post in waiting
            if post.state is not PostState.SCREENING
        ]
        lost = self.posts.save_many([Change(post) for post in starting])
        started = {post.post_id: post for post in starting}
        begun = [started.get(post.post_id, post) for post in waiting if post.post_id not in lost]
        return begun, lost

    def _hold(self, post: Post, upload: Upload) -> tuple[Post, Review]:
        now = self.now()
        # What an earlier screening of this post found was about another picture.
        unknown = dict.fromkeys(("decision", "bank_match", "photo", "rendition_key", "cleared_by_review"))
        held = move(post, PostState.IN_REVIEW, decided_at=now, reason="screening_failed", **unknown)
        review = review_of(held, "failed", due_at=asked_at(post, upload) + ANSWER_WITHIN, now=now)
        told = {"outbox": outbox_of(held, now), "review_id": review.review_id}
        return held.model_copy(update=told), review
