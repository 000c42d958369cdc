"""Decides on a batch of uploads: the way of a photo, stage by stage.

    read posts ─ begin ─ [read photo ─ open ─ hash ─ predict ─ decide ─ rendition] ─ save decisions ─ announce

Each stage outside the brackets is one round trip for the whole batch. What goes wrong goes wrong for one message
only: it stays in the queue and comes back; a photo that can't be screened at all reaches an operator by way of the
DLQ (`rescue`). Being called again with the same message at any point, also by two workers at once, is harmless: moves
are conditional on the post's revision, and a decision is bound to one version of the object.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from pawcast.errors import DependencyUnavailable
from pawcast.mlops.release import Release
from pawcast.screening import counts
from pawcast.screening.audit import AUDIT_WITHIN
from pawcast.screening.banks import Banks
from pawcast.screening.examine import Examiner, Finding, Models
from pawcast.screening.intake import IntakeLimits
from pawcast.screening.outbox import announce
from pawcast.screening.ports import Change, Clock, Counts, Events, Inferences, Photos, Posts
from pawcast.screening.post import ANSWER_WITHIN, Post, PostState, Upload, asked_at, move, outbox_of, waits_for
from pawcast.screening.review import Review, review_id_of, review_of
from pawcast.screening.tally import count, tally_of
from pawcast.screening.uploads import Message

# Bytes of at most this many photos are held ahead of the one being decided: bounds memory, hides S3's latency.
READ_AHEAD = 3
# A batch takes no further photo when less than this is left, so that decided ones are still saved and announced.
RESERVE_SECONDS = 6.0


@dataclass(frozen=True)
class BatchReport:
    """What became of a batch; `failed` are the ids of the messages to be delivered again."""

    failed: frozenset[str] = frozenset()
    decided: tuple[Post, ...] = ()
    duplicates: int = 0
    unknown: tuple[str, ...] = ()
    errors: tuple[tuple[str, Exception], ...] = ()
    uncounted: Exception | None = None


@dataclass
class _Job:
    """One upload on its way through the batch."""

    upload: Upload
    message_ids: list[str]
    post: Post
    asked_at: datetime
    review: Review | None = None
    error: Exception | None = None


@dataclass(frozen=True)
class Screener:
    """Screens batches of messages with what it is given."""

    posts: Posts
    photos: Photos
    events: Events
    inferences: Inferences
    counts: Counts
    release: Callable[[], Release[Models]]
    # The hash banks as they stand; asked for once for each batch.
    banks: Callable[[], Banks]
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
        started = self.monotonic()
        examiner = Examiner(self.release(), self.banks(), self.now, self.monotonic, self.limits)
        fresh, untold, duplicates, unknown = self._sort(messages)
        arrived = self._begin(fresh)
        with ThreadPoolExecutor(max_workers=READ_AHEAD) as pool:
            writes = [
                (job, pool.submit(self.photos.put_rendition, key, content))
                for job, key, content in self._decide(_right(fresh), examiner, pool, remaining_seconds)
            ]
            for job, write in writes:
                job.error = write.exception()  # type: ignore[assignment]  # the pool runs no BaseException
        self._write(_right(fresh))
        decided = _right(fresh)
        self._announce([*decided, *untold])
        sums = Counter({counts.UPLOADS: arrived, counts.SCREENING_MS: round((self.monotonic() - started) * 1000)})
        for job in decided:
            sums.update(tally_of(job.post, job.review, job.asked_at))
        wrong = [(job, job.error) for job in (*fresh, *untold) if job.error is not None]
        return BatchReport(
            failed=frozenset(message_id for job, _ in wrong for message_id in job.message_ids),
            decided=tuple(job.post for job in decided),
            duplicates=duplicates,
            unknown=unknown,
            errors=tuple((job.post.post_id, error) for job, error in wrong),
            uncounted=count(self.counts, self.now(), sums),
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
                untold[post.post_id] = _Job(upload, [message_id], post, asked_at(post, upload))
            elif waits_for(post, upload):
                fresh[post.post_id] = _Job(upload, [message_id], post, asked_at(post, upload))
            else:
                duplicates += 1
        return list(fresh.values()), list(untold.values()), duplicates, tuple(unknown)

    def _begin(self, jobs: Sequence[_Job]) -> int:
        """Bind each post to the version that came first; how many uploads arrived just now."""
        starting = [job for job in jobs if job.post.state is not PostState.SCREENING]
        for job in starting:
            job.post = move(job.post, PostState.SCREENING, upload=job.upload)
        self._write(starting)
        return len(_right(starting))

    def _decide(
        self,
        jobs: Sequence[_Job],
        examiner: Examiner,
        pool: ThreadPoolExecutor,
        remaining_seconds: Callable[[], float],
    ) -> Iterator[tuple[_Job, str, bytes]]:
        """Move each job's post to where it belongs; yields the renditions to be stored."""
        for job, read in _ahead(jobs, self.photos, pool):
            if remaining_seconds() < RESERVE_SECONDS:
                job.error = DependencyUnavailable("the time of this invocation was nearly over")
                continue
            try:
                finding = examiner.examine(job.post, job.upload, read.result)
            except Exception as error:
                job.error = error
                continue
            self._settle(job, finding)
            if finding.rendition is not None and job.post.rendition_key is not None:
                yield job, job.post.rendition_key, finding.rendition

    def _settle(self, job: _Job, finding: Finding) -> None:
        now = self.now()
        post = move(
            job.post,
            finding.state,
            decided_at=now,
            published_at=now if finding.state is PostState.PUBLISHED else None,
            reason=finding.reason,
            decision=finding.decision,
            bank_match=finding.bank_match,
            photo=finding.photo,
            # The revision makes each rendition immutable, so caches may keep it for ever.
            rendition_key=f"photos/{job.post.post_id}/{job.post.revision + 1}.jpg" if finding.rendition else None,
            cleared_by_review=None,
        )
        if finding.state is PostState.IN_REVIEW:
            job.review = review_of(post, "flagged", due_at=job.asked_at + ANSWER_WITHIN, now=now)
        elif finding.audit_share is not None:
            job.review = review_of(
                post, "audit", due_at=now + AUDIT_WITHIN, now=now, sampling_probability=finding.audit_share
            )
        outbox = outbox_of(post, now, finding.inferences, event=finding.event)
        opened = {"review_id": review_id_of(post)} if job.review is not None else {}
        job.post = post.model_copy(update={"outbox": outbox} | opened)

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
