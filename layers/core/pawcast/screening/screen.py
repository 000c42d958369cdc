"""Decides on a batch of uploads: the way of a photo, stage by stage.

    read posts ─ begin ─ [read photo ─ open ─ hash ─ predict ─ decide ─ rendition] ─ save decisions ─ announce

Each stage outside the brackets is one round trip for the whole batch. What goes wrong goes wrong for one message
only: it stays in the queue and comes back; a photo that can't be screened at all reaches an operator by way of the
DLQ (`rescue`). Being called again with the same message at any point, also by two workers at once, is harmless: moves
are conditional on the post's revision, and a decision is bound to one version of the object.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pawcast.errors import DependencyUnavailable, NotFound, UnreadablePhoto
from pawcast.mlops.inference_log import InferenceRecord
from pawcast.mlops.release import Release
from pawcast.screening.classifier import Prediction
from pawcast.screening.decide import decide
from pawcast.screening.detector import FaceBox
from pawcast.screening.evidence import facts_of, records_of
from pawcast.screening.hashing import pdq
from pawcast.screening.intake import IntakeLimits, Photo, open_photo
from pawcast.screening.outbox import announce
from pawcast.screening.ports import Change, Clock, Events, Inferences, Photos, Posts
from pawcast.screening.post import (
    ANSWER_WITHIN,
    Decision,
    PhotoFacts,
    Post,
    PostState,
    Upload,
    move,
    outbox_of,
    waits_for,
)
from pawcast.screening.rendition import render
from pawcast.screening.review import Review, review_of
from pawcast.screening.uploads import Message

# Bytes of at most this many photos are held ahead of the one being decided: bounds memory, hides S3's latency.
READ_AHEAD = 3
# A batch takes no further photo when less than this is left, so that decided ones are still saved and announced.
RESERVE_SECONDS = 6.0

Pixels = npt.NDArray[np.uint8]


class Classifier(Protocol):
    """Gives the probability of a human face."""

    def predict(self, rgb: Pixels) -> Prediction:
        """`rgb` is [H, W, 3]."""
        ...


class Detector(Protocol):
    """Finds faces."""

    def detect(self, rgb: Pixels) -> list[FaceBox]:
        """`rgb` is [H, W, 3]."""
        ...


@dataclass(frozen=True)
class Models:
    """The models of one release; the detector only where its strategy asks for one."""

    classifier: Classifier
    detector: Detector | None = None


@dataclass(frozen=True)
class BatchReport:
    """What became of a batch; `failed` are the ids of the messages to be delivered again."""

    failed: frozenset[str] = frozenset()
    decided: tuple[Post, ...] = ()
    duplicates: int = 0
    unknown: tuple[str, ...] = ()
    errors: tuple[tuple[str, Exception], ...] = ()


@dataclass
class _Job:
    """One upload on its way through the batch."""

    upload: Upload
    message_ids: list[str]
    post: Post
    review: Review | None = None
    error: Exception | None = None


@dataclass(frozen=True)
class _Verdict:
    """What is to become of one photo."""

    state: PostState
    reason: str | None = None
    decision: Decision | None = None
    photo: PhotoFacts | None = None
    inferences: tuple[InferenceRecord, ...] = ()
    rendition: bytes | None = None


@dataclass(frozen=True)
class Screener:
    """Screens batches of messages with what it is given."""

    posts: Posts
    photos: Photos
    events: Events
    inferences: Inferences
    release: Callable[[], Release[Models]]
    now: Clock
    monotonic: Callable[[], float]
    limits: IntakeLimits = field(default_factory=IntakeLimits)

    def screen(self, messages: Sequence[Message], remaining_seconds: Callable[[], float]) -> BatchReport:
        """Decide on every upload that `messages` announce; `remaining_seconds` tells what is left of the time-out.

        Raises:
            Retryable: nothing could be done for any of them, such as no release or no table.
        """
        if not any(message.uploads for message in messages):
            return BatchReport()
        release = self.release()
        fresh, untold, duplicates, unknown = self._sort(messages)
        self._begin(fresh)
        with ThreadPoolExecutor(max_workers=READ_AHEAD) as pool:
            writes = [
                (job, pool.submit(self.photos.put_rendition, key, content))
                for job, key, content in self._decide(_right(fresh), release, pool, remaining_seconds)
            ]
            for job, write in writes:
                job.error = write.exception()  # type: ignore[assignment]  # the pool runs no BaseException
        self._write(_right(fresh))
        decided = _right(fresh)
        self._announce([*decided, *untold])
        wrong = [(job, job.error) for job in (*fresh, *untold) if job.error is not None]
        return BatchReport(
            failed=frozenset(message_id for job, _ in wrong for message_id in job.message_ids),
            decided=tuple(job.post for job in decided),
            duplicates=duplicates,
            unknown=unknown,
            errors=tuple((job.post.post_id, error) for job, error in wrong),
        )

    def _sort(self, messages: Sequence[Message]) -> tuple[list[_Job], list[_Job], int, tuple[str, ...]]:
        """Uploads to decide, uploads decided earlier but untold, number of duplicates, ids of unknown posts."""
        arrivals = sorted(
            ((upload, message.message_id) for message in messages for upload in message.uploads),
            key=lambda arrival: arrival[0].uploaded_at,
        )
        posts = self.posts.get_many(list(dict.fromkeys(upload.post_id for upload, _ in arrivals)))
        fresh: dict[str, _Job] = {}
        untold: dict[str, _Job] = {}
        duplicates, unknown = 0, []
        for upload, message_id in arrivals:
            post = posts.get(upload.post_id)
            if post is None:
                unknown.append(upload.post_id)
            elif (known := fresh.get(post.post_id) or untold.get(post.post_id)) is not None:
                # Shares the fate of the first: deleted with it, or delivered again with it.
                known.message_ids.append(message_id)
                duplicates += 1
            elif post.outbox is not None:
                untold[post.post_id] = _Job(upload, [message_id], post)
            elif waits_for(post, upload):
                fresh[post.post_id] = _Job(upload, [message_id], post)
            else:
                duplicates += 1
        return list(fresh.values()), list(untold.values()), duplicates, tuple(unknown)

    def _begin(self, jobs: Sequence[_Job]) -> None:
        """Bind each post to the version that came first."""
        starting = [job for job in jobs if job.post.state is not PostState.SCREENING]
        for job in starting:
            job.post = move(job.post, PostState.SCREENING, upload=job.upload)
        self._write(starting)

    def _decide(
        self,
        jobs: Sequence[_Job],
        release: Release[Models],
        pool: ThreadPoolExecutor,
        remaining_seconds: Callable[[], float],
    ) -> Iterator[tuple[_Job, str, bytes]]:
        """Move each job's post to where it belongs; yields the renditions to be stored."""
        for job, read in _ahead(jobs, self.photos, pool):
            if remaining_seconds() < RESERVE_SECONDS:
                job.error = DependencyUnavailable("the time of this invocation was nearly over")
                continue
            try:
                verdict = self._examine(job.upload, read.result, release)
            except Exception as error:
                job.error = error
                continue
            self._settle(job, verdict)
            if verdict.rendition is not None and job.post.rendition_key is not None:
                yield job, job.post.rendition_key, verdict.rendition

    def _examine(self, upload: Upload, read: Callable[[], bytes], release: Release[Models]) -> _Verdict:
        try:
            data = read()
            photo = open_photo(data, limits=self.limits)
            fingerprint = pdq(photo.rgb)
            started = self.monotonic()
            prediction = release.models.classifier.predict(photo.rgb)
            decision = decide(prediction.probability, release.policy, lambda: _best_score(release.models, photo))
            latency_ms = (self.monotonic() - started) * 1000
            facts = facts_of(photo, fingerprint)
            records = records_of(
                upload,
                photo,
                facts,
                prediction,
                decision,
                release.policy,
                at=self.now(),
                latency_ms=latency_ms,
            )
            if decision.outcome == "flag":
                return _Verdict(PostState.IN_REVIEW, "human_face_suspected", decision, facts, records)
            rendition = render(data, limits=self.limits)
            return _Verdict(PostState.PUBLISHED, None, decision, facts, records, rendition)
        except UnreadablePhoto as error:
            return _Verdict(PostState.REJECTED, error.code)
        except NotFound:
            return _Verdict(PostState.REJECTED, "photo_missing")

    def _settle(self, job: _Job, verdict: _Verdict) -> None:
        now = self.now()
        published = verdict.state is PostState.PUBLISHED
        post = move(
            job.post,
            verdict.state,
            decided_at=now,
            published_at=now if published else None,
            reason=verdict.reason,
            decision=verdict.decision,
            photo=verdict.photo,
            # The revision makes each rendition immutable, so caches may keep it for ever.
            rendition_key=f"photos/{job.post.post_id}/{job.post.revision + 1}.jpg" if published else None,
        )
        job.post = post.model_copy(update={"outbox": outbox_of(post, now, verdict.inferences)})
        if verdict.state is PostState.IN_REVIEW:
            job.review = review_of(post, "flagged", due_at=job.upload.uploaded_at + ANSWER_WITHIN, now=now)

    def _write(self, jobs: Sequence[_Job]) -> None:
        lost = self.posts.save_many([Change(job.post, job.review) for job in jobs])
        for job in jobs:
            if job.post.post_id in lost:
                # Someone else moved the post meanwhile. The message comes back and then finds what they did.
                job.error = DependencyUnavailable("another worker moved this post at the same time")

    def _announce(self, jobs: Sequence[_Job]) -> None:
        untold = announce([job.post for job in jobs], self.posts, self.events, self.inferences)
        for job in jobs:
            if job.post.post_id in untold:
                job.error = DependencyUnavailable("sns:PublishBatch did not take this event")


def _right(jobs: Sequence[_Job]) -> list[_Job]:
    return [job for job in jobs if job.error is None]


def _ahead(jobs: Sequence[_Job], photos: Photos, pool: ThreadPoolExecutor) -> Iterator[tuple[_Job, Future[bytes]]]:
    """Each job with its bytes under way, never more than READ_AHEAD of them at once."""
    coming: deque[tuple[_Job, Future[bytes]]] = deque()
    for job in jobs:
        coming.append((job, pool.submit(photos.read, job.upload)))
        if len(coming) == READ_AHEAD:
            yield coming.popleft()
    yield from coming


def _best_score(models: Models, photo: Photo) -> float:
    if models.detector is None:
        message = "the release's strategy asks for a detector that was not loaded"
        raise LookupError(message)
    return max((box.score for box in models.detector.detect(photo.rgb)), default=0.0)
