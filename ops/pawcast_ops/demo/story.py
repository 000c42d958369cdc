"""The demo itself: people upload photos at the same time and wait until each is told what became of theirs.

    send (threads)    POST /posts, then the presigned POST; a refusal ends here and is the user's answer
    listen (caller)   reads everybody's inbox until each uploaded photo has a notice and its post a decision
    look              fetches every published photo as a stranger gets it, and looks for metadata

Seconds are measured as the user feels them: from the end of the upload until the notice lies in the inbox
(read every `Pace.poll_seconds`). A `_Track` is written by its sending thread until `stage` is `screening`,
and by the listening thread from then on, so no lock is needed.
"""

import io
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from PIL import Image

from pawcast_ops.api_types import Language, NewPost, Post, Reason, Text
from pawcast_ops.client import ClientError, PawcastClient, Refused, UploadRefused, pages
from pawcast_ops.demo.upload import DemoUpload

type Verdict = Literal["published", "held", "rejected", "refused", "undecided"]
type Stage = Literal["queued", "uploading", "screening", "done"]

VERDICTS: tuple[Verdict, ...] = ("published", "held", "rejected", "refused", "undecided")
_VERDICT_OF_STATE: dict[str, Verdict] = {
    "published": "published",
    "in_review": "held",
    "rejected": "rejected",
}
# Clocks of the service and of this machine may differ by this much.
_CLOCK_SKEW = timedelta(minutes=5)
_PAGE = 50


@dataclass(frozen=True)
class Person:
    """A signed-in uploader."""

    name: str
    client: PawcastClient
    locale: Language = "en"


@dataclass(frozen=True)
class Pace:
    """How hard the demo presses, and how long it waits for a notice after the last upload."""

    uploads_at_once: int = 6
    poll_seconds: float = 0.25
    patience_seconds: float = 180.0


@dataclass(frozen=True)
class PublishedPhoto:
    """A published photo as everybody gets it; `metadata` names what it still says besides its pixels."""

    width: int
    height: int
    size_bytes: int
    metadata: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of one upload; `problem` says why it stayed undecided."""

    upload: DemoUpload
    person: str
    verdict: Verdict
    post: Post | None = None
    reason: Reason | None = None
    seconds: float | None = None
    photo: PublishedPhoto | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Snapshot:
    """How far the story is."""

    seconds: float
    total: int
    stages: dict[Stage, int]
    verdicts: dict[Verdict, int]
    by_person: dict[str, tuple[int, int]]

    @property
    def done(self) -> int:
        """Uploads whose user has an answer."""
        return self.stages["done"]


@dataclass
class _Track:
    upload: DemoUpload
    person: Person
    stage: Stage = "queued"
    post_id: str | None = None
    uploaded_at: float | None = None
    noticed_at: float | None = None
    outcome: Outcome | None = None
    problem: str | None = None

    def finish(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.stage = "done"


@dataclass
class Story:
    """One run of the demo."""

    people: Sequence[Person]
    uploads: Sequence[DemoUpload]
    pace: Pace
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], None]
    on_change: Callable[[Snapshot], None]
    _tracks: list[_Track] = field(init=False)

    def __post_init__(self) -> None:
        self._tracks = [
            _Track(upload, self.people[index % len(self.people)]) for index, upload in enumerate(self.uploads)
        ]

    def tell(self) -> list[Outcome]:
        """Upload everything and wait for every answer; never raises for one upload's failure."""
        started_at, started = self.now() - _CLOCK_SKEW, self.monotonic()
        stopped = threading.Event()
        with ThreadPoolExecutor(self.pace.uploads_at_once, thread_name_prefix="upload") as pool:
            for track in self._tracks:
                pool.submit(self._send, track, stopped)
            try:
                self._listen(started_at, started)
            finally:
                # Ctrl-C must not wait for uploads that have not begun.
                stopped.set()
        outcomes = [track.outcome or self._undecided(track) for track in self._tracks]
        return self._looked_at(outcomes)

    def _send(self, track: _Track, stopped: threading.Event) -> None:
        if stopped.is_set():
            return
        track.stage = "uploading"
        upload, client = track.upload, track.person.client
        new = NewPost(
            title=upload.title,
            description=upload.description,
            tags=upload.tags,
            content_type=upload.content_type,
            size_bytes=upload.declared_size,
            locale=track.person.locale,
        )
        try:
            ticket = client.submit(new)
            track.post_id = ticket.post.post_id
            client.upload(ticket, upload.data, filename=upload.name)
        except Refused as no:
            track.finish(self._refused(track, Reason(code=no.code, text=no.message)))
        except UploadRefused as no:
            track.finish(self._refused(track, Reason(code=no.code, text=Text(ko=no.message, en=no.message))))
        except ClientError as error:
            track.problem = str(error)
            track.finish(self._undecided(track))
        except Exception as error:
            track.problem = repr(error)
            track.finish(self._undecided(track))
        else:
            track.uploaded_at = self.monotonic()
            track.stage = "screening"

    def _listen(self, started_at: datetime, started: float) -> None:
        last_progress, done_before = self.monotonic(), -1
        while True:
            self._hear(started_at)
            snapshot = self._snapshot(started)
            self.on_change(snapshot)
            if snapshot.done == snapshot.total:
                return
            waiting_for_upload = snapshot.stages["queued"] + snapshot.stages["uploading"]
            if snapshot.done != done_before or waiting_for_upload:
                last_progress, done_before = self.monotonic(), snapshot.done
            if self.monotonic() - last_progress > self.pace.patience_seconds:
                return
            self.sleep(self.pace.poll_seconds)

    def _hear(self, started_at: datetime) -> None:
        # All inboxes first: fetching decisions in between would be counted as waiting.
        for read in (self._read_inbox, self._read_posts):
            for person in self.people:
                waiting = {
                    track.post_id: track
                    for track in self._tracks
                    if track.person is person and track.stage == "screening" and track.post_id
                }
                if not waiting:
                    continue
                try:
                    read(person, waiting, started_at)
                except ClientError as error:
                    for track in waiting.values():
                        track.problem = str(error)

    def _read_inbox(self, person: Person, waiting: dict[str, _Track], started_at: datetime) -> None:
        for notice in pages(lambda cursor: person.client.inbox(cursor=cursor, limit=_PAGE)):
            if notice.created_at < started_at:
                break
            track = waiting.get(notice.post_id)
            if track is not None and track.noticed_at is None:
                track.noticed_at = self.monotonic()

    def _read_posts(self, person: Person, waiting: dict[str, _Track], started_at: datetime) -> None:
        told = {post_id: track for post_id, track in waiting.items() if track.noticed_at is not None}
        for post in pages(lambda cursor: person.client.my_posts(cursor=cursor, limit=_PAGE)) if told else ():
            track, verdict = told.get(post.post_id), _VERDICT_OF_STATE.get(post.state)
            if track is not None and verdict is not None:
                del told[post.post_id]
                seconds = max(0.0, (track.noticed_at or 0.0) - (track.uploaded_at or 0.0))
                track.finish(
                    Outcome(track.upload, person.name, verdict, post=post, reason=post.reason, seconds=seconds)
                )
            # An index may lag behind its table: what is not decided here is looked at again next round.
            if not told or post.created_at < started_at:
                break

    def _refused(self, track: _Track, reason: Reason) -> Outcome:
        return Outcome(track.upload, track.person.name, "refused", reason=reason)

    def _undecided(self, track: _Track) -> Outcome:
        if track.problem is None:
            seen = "a notice but no decision" if track.noticed_at is not None else "no notice"
            track.problem = f"{seen} after {self.pace.patience_seconds:.0f} s (post {track.post_id})"
        return Outcome(track.upload, track.person.name, "undecided", problem=track.problem)

    def _snapshot(self, started: float) -> Snapshot:
        stages: dict[Stage, int] = {"queued": 0, "uploading": 0, "screening": 0, "done": 0}
        verdicts: dict[Verdict, int] = dict.fromkeys(VERDICTS, 0)
        by_person = {person.name: (0, 0) for person in self.people}
        for track in self._tracks:
            # Read once: a sending thread may change it between two looks.
            stage, outcome = track.stage, track.outcome
            stages[stage] += 1
            done, total = by_person[track.person.name]
            by_person[track.person.name] = (done + (stage == "done"), total + 1)
            if stage == "done" and outcome is not None:
                verdicts[outcome.verdict] += 1
        return Snapshot(self.monotonic() - started, len(self._tracks), stages, verdicts, by_person)

    def _looked_at(self, outcomes: list[Outcome]) -> list[Outcome]:
        clients = {person.name: person.client for person in self.people}

        def look(outcome: Outcome) -> Outcome:
            if outcome.verdict != "published" or outcome.post is None:
                return outcome
            try:
                photo = published_photo(clients[outcome.person].photo(outcome.post))
            except (ClientError, OSError) as error:
                return Outcome(
                    outcome.upload,
                    outcome.person,
                    "undecided",
                    post=outcome.post,
                    problem=f"published, but its photo can't be seen: {error}",
                )
            return Outcome(
                outcome.upload,
                outcome.person,
                outcome.verdict,
                post=outcome.post,
                reason=outcome.reason,
                seconds=outcome.seconds,
                photo=photo,
            )

        with ThreadPoolExecutor(self.pace.uploads_at_once) as pool:
            return list(pool.map(look, outcomes))


def published_photo(data: bytes) -> PublishedPhoto:
    """What a published file says; raises OSError when it is no image."""
    with Image.open(io.BytesIO(data)) as image:
        found = [name for name in ("xmp", "comment", "photoshop") if image.info.get(name)]
        if len(image.getexif()) > 0 or image.info.get("exif"):
            found.insert(0, "exif")
        return PublishedPhoto(image.width, image.height, len(data), tuple(found))


def leaks(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Published photos that still carry metadata."""
    return [outcome for outcome in outcomes if outcome.photo is not None and outcome.photo.metadata]


def unanswered(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Uploads that nobody was told about."""
    return [outcome for outcome in outcomes if outcome.verdict == "undecided"]
