"""Tidies up what no message will ever finish.

- A post whose photo never came is ended, well after its right to upload has run out.
- A post whose photo lies in the bucket but that nobody finished (a notification that S3 never sent, a message lost by
  hand, an announcement that was cut off) is sent to the screening queue again.

Requeueing waits long and marks the post, so that a queue with hours of backlog does not multiply its own messages.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from pawcast.screening.ports import Change, Clock
from pawcast.screening.post import Post, PostState, Unfinished, Upload, move

# An upload that began in time may go on after the right to begin has ended.
UPLOAD_GRACE = timedelta(minutes=45)
REQUEUE_AFTER = timedelta(hours=2)


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


class Arrivals(Protocol):
    """The uploads bucket."""

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
    """How many posts were ended, and how many sent to the queue again."""

    expired: int
    requeued: int


@dataclass(frozen=True)
class Expirer:
    """Looks through unfinished posts."""

    posts: UnfinishedPosts
    photos: Arrivals
    queue: ScreeningQueue
    now: Clock

    def run(self) -> ExpiryReport:
        """Expire and requeue; safe to repeat and to cut off anywhere."""
        now = self.now()
        expired = requeued = 0
        for post in self.posts.unfinished("awaiting_upload", now - UPLOAD_GRACE):
            if post.upload_expires_at + UPLOAD_GRACE > now:
                continue
            upload = self.photos.find(post)
            if upload is None:
                lost = self.posts.save_many([Change(move(post, PostState.EXPIRED))])
                expired += not lost
            elif upload.uploaded_at + REQUEUE_AFTER < now:
                requeued += self._requeue(post, upload, now)
        for kind in ("screening", "announcing"):
            for post in self.posts.unfinished(kind, now - REQUEUE_AFTER):
                if post.upload is not None:
                    requeued += self._requeue(post, post.upload, now)
        return ExpiryReport(expired, requeued)

    def _requeue(self, post: Post, upload: Upload, now: datetime) -> int:
        self.queue.send(upload)
        self.posts.postpone(post, now)
        return 1
