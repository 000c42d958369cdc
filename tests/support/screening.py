"""Posts, uploads and the world around the screener, as dictionaries. Fakes keep the adapters' promises and no more."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from pawcast.errors import DependencyUnavailable, NotFound
from pawcast.mlops.inference_log import InferenceRecord
from pawcast.mlops.policy import ReleasePolicy
from pawcast.mlops.release import Release
from pawcast.screening.banks import MATCH_BITS, BankEntry, Match
from pawcast.screening.classifier import Prediction
from pawcast.screening.detector import FaceBox
from pawcast.screening.examine import Models
from pawcast.screening.hashing import distance
from pawcast.screening.ports import Change
from pawcast.screening.post import Post, PostEvent, PostState, Upload
from pawcast.screening.review import Review
from pawcast.screening.screen import Screener
from pawcast.screening.uploads import Message

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
OWNER = "11111111-2222-3333-4444-555555555555"


def post_id(number: int) -> str:
    """A post id that a reader recognises."""
    return f"{number:032x}"


def a_post(number: int = 1, **changes: Any) -> Post:
    """A post that waits for its photo."""
    fields = {
        "post_id": post_id(number),
        "user_id": OWNER,
        "title": f"Photo {number}",
        "tags": ("cat",),
        "content_type": "image/jpeg",
        "state": PostState.AWAITING_UPLOAD,
        "created_at": NOW - timedelta(minutes=5),
        "upload_expires_at": NOW + timedelta(minutes=10),
    }
    return Post.model_validate(fields | changes)


def an_upload(number: int = 1, version: str = "v1", **changes: Any) -> Upload:
    """The first upload of `a_post(number)`."""
    fields = {
        "post_id": post_id(number),
        "key": f"posts/{post_id(number)}/original",
        "version_id": version,
        "size_bytes": 1000,
        "uploaded_at": NOW - timedelta(seconds=20),
    }
    return Upload.model_validate(fields | changes)


def a_message(number: int = 1, version: str = "v1", message_id: str | None = None, **changes: Any) -> Message:
    """The message that announces `an_upload`."""
    return Message(message_id or f"m{number}", (an_upload(number, version, **changes),))


class FakePosts:
    """Posts by id, with the promise that a change needs the revision before it."""

    def __init__(self, *posts: Post) -> None:
        self.posts = {post.post_id: post for post in posts}
        self.reviews: dict[str, Review] = {}
        self.round_trips: list[str] = []
        self.history: dict[str, list[PostState]] = {}
        self.before_save: Callable[[], None] = lambda: None

    def get_many(self, post_ids: Sequence[str]) -> Mapping[str, Post]:
        self.round_trips.append("get")
        return {post_id: self.posts[post_id] for post_id in post_ids if post_id in self.posts}

    def save_many(self, changes: Sequence[Change]) -> frozenset[str]:
        if not changes:
            return frozenset()
        self.round_trips.append("save")
        self.before_save()
        lost = {c.post.post_id for c in changes if self.posts[c.post.post_id].revision != c.post.revision - 1}
        for change in changes:
            if change.post.post_id not in lost:
                self.posts[change.post.post_id] = change.post
                self.history.setdefault(change.post.post_id, []).append(change.post.state)
                if change.review is not None:
                    self.reviews[change.review.review_id] = change.review
        return frozenset(lost)

    def clear_outboxes(self, posts: Sequence[Post]) -> None:
        self.round_trips.append("clear")
        for post in posts:
            stored = self.posts[post.post_id]
            if stored.revision == post.revision:
                self.posts[post.post_id] = stored.model_copy(update={"outbox": None})


@dataclass
class FakePhotos:
    """Bytes by version id; a version may be an error instead."""

    content: dict[str, bytes | Exception] = field(default_factory=dict)
    renditions: dict[str, bytes] = field(default_factory=dict)
    failing_renditions: bool = False
    being_read: int = 0

    def read(self, upload: Upload) -> bytes:
        found = self.content.get(f"{upload.post_id}:{upload.version_id}", NotFound("gone"))
        if isinstance(found, Exception):
            raise found
        return found

    def put_rendition(self, key: str, content: bytes) -> None:
        if self.failing_renditions:
            raise DependencyUnavailable("s3:PutObject")
        self.renditions[key] = content


@dataclass
class FakeEvents:
    """Events in the order they were published; refuses the posts it is told to."""

    published: list[PostEvent] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    broken: bool = False

    def publish_many(self, events: Sequence[PostEvent]) -> frozenset[str]:
        if self.broken:
            raise DependencyUnavailable("sns:PublishBatch")
        self.published += [event for event in events if event.post_id not in self.refused]
        return frozenset(event.post_id for event in events if event.post_id in self.refused)


@dataclass
class FakeInferences:
    """Records in the order they came."""

    records: list[InferenceRecord] = field(default_factory=list)

    def put(self, records: Sequence[InferenceRecord]) -> None:
        self.records += records


@dataclass
class FakeCounts:
    """Sums of all hours."""

    sums: Counter[str] = field(default_factory=Counter)
    broken: bool = False

    def add(self, at: datetime, counts: Mapping[str, int]) -> None:
        if self.broken:
            raise DependencyUnavailable("dynamodb:UpdateItem")
        self.sums.update(counts)


@dataclass
class FakeRates:
    """Counters that never end."""

    counted: Counter[str] = field(default_factory=Counter)

    def add(self, bucket: str, expires_at: datetime) -> int:
        self.counted[bucket] += 1
        return self.counted[bucket]


@dataclass
class FakeBanks:
    """Both banks as a list that is read from end to end."""

    entries: list[BankEntry] = field(default_factory=list)

    def nearest(self, hashes: Sequence[str], *, without_banned: bool = False) -> Match | None:
        matches = [
            Match(entry, min(distance(entry.pdq, asked) for asked in hashes))
            for entry in self.entries
            if not (without_banned and entry.bank == "banned")
        ]
        near = [match for match in matches if match.distance <= MATCH_BITS]
        return min(near, key=lambda match: match.distance, default=None)


class BrightnessClassifier:
    """Says "face" of bright pictures, so a test draws the answer it wants."""

    def predict(self, rgb: np.ndarray[Any, np.dtype[np.uint8]]) -> Prediction:
        return Prediction(probability=float(rgb.mean()) / 255, embedding=np.zeros(4, np.float32))


@dataclass
class FixedDetector:
    """Finds one face of this score, or none at 0."""

    score: float
    asked: int = 0

    def detect(self, rgb: np.ndarray[Any, np.dtype[np.uint8]]) -> list[FaceBox]:
        self.asked += 1
        return [FaceBox(1, 1, 9, 9, self.score)] if self.score else []


def a_policy(**changes: Any) -> ReleasePolicy:
    """The classifier alone, threshold one half."""
    document = {
        "version": 1,
        "primary": {"model": {"name": "face-classifier", "version": "1"}, "threshold": 0.5},
        "strategy": {"kind": "single"},
        "limits": {"operator_checks_per_week": 1000},
    }
    return ReleasePolicy.model_validate(document | changes)


def serial_policy(low: float = 0.3, high: float = 0.7, min_score: float = 0.6) -> ReleasePolicy:
    """The detector decides inside the band."""
    detector = {"name": "face-detector", "version": "1"}
    return a_policy(strategy={"kind": "serial", "detector": detector, "band": [low, high], "min_score": min_score})


@dataclass
class World:
    """Everything around one screener."""

    posts: FakePosts
    photos: FakePhotos = field(default_factory=FakePhotos)
    events: FakeEvents = field(default_factory=FakeEvents)
    inferences: FakeInferences = field(default_factory=FakeInferences)
    counts: FakeCounts = field(default_factory=FakeCounts)
    banks: FakeBanks = field(default_factory=FakeBanks)
    policy: ReleasePolicy = field(default_factory=a_policy)
    detector: FixedDetector | None = None
    face_finder: FixedDetector | None = None
    now: datetime = NOW

    def screener(self) -> Screener:
        """A screener in this world."""
        models = Models(BrightnessClassifier(), self.detector, self.face_finder)
        return Screener(
            posts=self.posts,
            photos=self.photos,
            events=self.events,
            inferences=self.inferences,
            counts=self.counts,
            banks=lambda: self.banks,
            release=lambda: Release(self.policy, models),
            now=lambda: self.now,
            monotonic=lambda: 0.0,
        )


def a_world(photos: Mapping[int, bytes | Exception], **changes: Any) -> World:
    """Posts with these numbers, each waiting for the photo that lies in the bucket as its version v1."""
    content = {f"{post_id(number)}:v1": data for number, data in photos.items()}
    return World(FakePosts(*(a_post(number) for number in photos)), FakePhotos(content), **changes)


def plenty() -> float:
    """Time enough."""
    return 900.0
