"""What screening needs from outside, as protocols; `pawcast.adapters` fulfils them, tests do with dictionaries.

Every method raises `pawcast.errors.DependencyUnavailable` when its service fails in a way that passes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from pawcast.mlops.inference_log import InferenceRecord
from pawcast.screening.post import Post, PostEvent, Upload
from pawcast.screening.review import Review


@dataclass(frozen=True)
class Change:
    """One move of one post, and the review that it opens; written together or not at all.

    `before` is the post as it was, where a move takes a published post out of the feed: its tags are unlisted.
    """

    post: Post
    review: Review | None = None
    before: Post | None = None


@dataclass(frozen=True)
class Page[T]:
    """Some items and where the next page starts; None after the last."""

    items: tuple[T, ...]
    next_key: str | None


class Posts(Protocol):
    """The posts."""

    def get_many(self, post_ids: Sequence[str]) -> Mapping[str, Post]:
        """The posts that exist, read consistently."""
        ...

    def save_many(self, changes: Sequence[Change]) -> frozenset[str]:
        """Write each change whose post is still one revision behind; the post ids of those that were not."""
        ...

    def clear_outboxes(self, posts: Sequence[Post]) -> None:
        """Remove the outbox of each post that is still at the given revision."""
        ...


class Photos(Protocol):
    """Uploaded originals and published renditions."""

    def read(self, upload: Upload) -> bytes:
        """The bytes of exactly this version; raises NotFound when it is gone."""
        ...

    def put_rendition(self, key: str, content: bytes) -> None:
        """Store a rendition; the same key always gets the same bytes."""
        ...


class Erasure(Protocol):
    """Takes photos away for good."""

    def erase(self, post_id: str) -> None:
        """Delete every version of every original, copy and rendition of a post; may be repeated."""
        ...


class Events(Protocol):
    """The topic of domain events."""

    def publish_many(self, events: Sequence[PostEvent]) -> frozenset[str]:
        """Publish; the post ids of events that the topic did not take."""
        ...


class Inferences(Protocol):
    """The inference log."""

    def put(self, records: Sequence[InferenceRecord]) -> None:
        """Append records; a repeated record has the same `inference_id`."""
        ...


class Counts(Protocol):
    """Counts of what happened, by hour, for the operations page."""

    def add(self, at: datetime, counts: Mapping[str, int]) -> None:
        """Add to the counts of the hour of `at`. Names are those of `pawcast.screening.counts`."""
        ...


class Clock(Protocol):
    """Tells the time, UTC."""

    def __call__(self) -> datetime:
        """Now."""
        ...
