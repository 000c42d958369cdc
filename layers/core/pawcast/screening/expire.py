"""Tidies up what no message will ever finish.

- A post whose photo never came is ended, well after its right to upload has run out.
- A post whose photo lies in the bucket but that nobody finished (a notification that S3 never sent, a message lost by
  hand, an announcement that was cut off) is sent to the screening queue again.
- A post whose mosaic was not made in time goes back to its owner, rejected as before.
- The photos of a withdrawn post are erased, also those that were being written while it was withdrawn.

Requeueing waits long and marks the post, so that a queue with hours of backlog does not multiply its own messages.
Whatever state a post is in, the screening queue is where what it still has to tell is told.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pawcast.screening.mosaic_failure import given_back
from pawcast.screening.ports import Change, Clock, Erasure
from pawcast.screening.post import Post, PostState, Unfinished, Upload, move

# An upload that began in time may go on after the right to begin has ended.
UPLOAD_GRACE = timedelta(minutes=45)
REQUEUE_AFTER = timedelta(hours=2)
# Three tries of the mosaic queue take less than half of it.
MOSAIC_WITHIN = timedelta(hours=1)
# Longer than any function runs: what was in flight when a post was withdrawn has been written, and is found.
ERASE_AFTER = timedelta(minutes=20)


class UnfinishedPosts(Protocol):
    """The posts, as this module needs them."""

    def unfinished(self, kind: Unfinished, before: datetime) -> Iterator[Post]:
        """Posts that have been unfinished in this way since before a time, oldest first."""
        ...

    def save_many(self, changes: list[Change]) -> frozenset[str]:
        """Write each change whose post is still one revision behind; the post ids of those that were not."""
        ...

    def postpone(self, post: Post, since: datetime) -> None:
        """Count a post as unfinished only from `since`."""
        ...


class StoredPhotos(Erasure, Protocol):
    """The uploads bucket, and for erasing the published one too."""

    def find(self, post: Post) -> Upload | None:
        """The upload of a post, if it ever came."""
        ...


class ScreeningQueue(Protocol):
    """The screening queue."""

    def send(self, upload: Upload) -> None:
        """Announce an upload again."""
        ...


@dataclass(frozen=True)
class ExpiryReport:
    """How many posts were ended, sent to the queue again, given back without their mosaic, and erased."""

    expired: int = 0
    requeued: int = 0
    given_back: int = 0
    erased: int = 0


@dataclass(frozen=True)
class Expirer:
    """Looks through unfinished posts."""

    posts: UnfinishedPosts
    photos: StoredPhotos
    queue: ScreeningQueue
    now: Clock

    def run(self) -> ExpiryReport:
        """Look at every kind of unfinished post; safe to repeat and to cut off anywhere."""
        now = self.now()
        expired, requeued = self._end_uploads(now)
        for kind in ("screening", "announcing"):
            for post in self.posts.unfinished(kind, now - REQUEUE_AFTER):
                if post.upload is not None:
                    requeued += self._requeue(post, post.upload, now)
        return ExpiryReport(expired, requeued, self._give_back(now), self._erase(now))

    def _end_uploads(self, now: datetime) -> tuple[int, int]:
        """How many posts without a photo were ended, and how many with one were sent to the queue."""
        expired = requeued = 0
        for post in self.posts.unfinished("awaiting_upload", now - UPLOAD_GRACE):
            if post.upload_expires_at + UPLOAD_GRACE > now:
                continue
            upload = self.photos.find(post)
            if upload is None:
                expired += self._save(move(post, PostState.EXPIRED))
            elif upload.uploaded_at + REQUEUE_AFTER < now:
                requeued += self._requeue(post, upload, now)
        return expired, requeued

    def _give_back(self, now: datetime) -> int:
        """How many posts got no mosaic and went back; the screening queue announces it."""
        given = 0
        for post in self.posts.unfinished("mosaicking", now - MOSAIC_WITHIN):
            if self._save(given_back(post, "mosaic_failed", now)):
                given += 1
                if post.upload is not None:
                    self.queue.send(post.upload)
        return given

    def _erase(self, now: datetime) -> int:
        """How many withdrawn posts have no photo anywhere any more."""
        erased = 0
        for post in self.posts.unfinished("erasing", now - ERASE_AFTER):
            self.photos.erase(post.post_id)
            erased += self._save(post.model_copy(update={"erased": True, "revision": post.revision + 1}))
        return erased

    def _save(self, post: Post) -> bool:
        """Whether the write won; who moved the post meanwhile knows better."""
        return not self.posts.save_many([Change(post)])

    def _requeue(self, post: Post, upload: Upload, now: datetime) -> int:
        self.queue.send(upload)
        self.posts.postpone(post, now)
        return 1
