"""Makes the mosaic that an owner asked for: one message, one post.

    read the post ─┬─ it does not wait for a mosaic ───────────────> told, if it was untold; nothing else
                   └─ cover ─┬─ covered ─ copy and preview stored ─> mosaic set, event MosaicReady
                             └─ no face, or one that shows through ─> rejected as before, event MosaicFailed

The copy goes to the uploads bucket, because it is screened like any upload once its owner sends it; the preview goes to
the published bucket, where only its owner is given links to it. Both keys hold the revision that the post has then.

A message may come twice, late, or to two workers at once: what counts is the one write of the post, on the revision
that was read. A post that somebody moved meanwhile keeps their move; its message comes back and finds what they did.
One that was withdrawn is marked to be erased again, because a copy may have been stored after its photos were erased.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from pawcast.errors import DependencyUnavailable, InvalidRequest, NotFound, ReleaseUnavailable, UnreadablePhoto
from pawcast.mlops.release import Release
from pawcast.screening import counts
from pawcast.screening.intake import IntakeLimits
from pawcast.screening.mosaic import Covered, Detector, FaceStillFound, NoFaceFound, cover_faces
from pawcast.screening.mosaic_failure import FailureReason, given_back
from pawcast.screening.outbox import announce
from pawcast.screening.ports import Change, Clock, Counts, Events, Inferences, Photos, Posts
from pawcast.screening.post import Mosaic, Post, PostId, PostState, Upload, outbox_of
from pawcast.screening.rendition import render
from pawcast.screening.tally import count


class MosaicRequest(BaseModel):
    """The body of a message of the mosaic queue."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    post_id: PostId


class MosaicPhotos(Photos, Protocol):
    """Originals to read; copies and previews to store."""

    def put_copy(self, post_id: str, key: str, content: bytes, at: datetime) -> Upload:
        """Store a copy beside the originals; what it is as an upload that came in at `at`."""
        ...


@dataclass(frozen=True)
class MosaicReport:
    """What became of one message; `uncounted` is what kept it out of the counts."""

    outcome: Literal["made", "mosaic_no_face", "mosaic_failed", "nothing_to_do", "unknown"]
    faces: int = 0
    uncounted: Exception | None = None


def request_of(body: str) -> MosaicRequest:
    """A message of the mosaic queue.

    Raises:
        InvalidRequest: the body is something else.
    """
    try:
        return MosaicRequest.model_validate_json(body)
    except ValidationError as error:
        message = f"no request for a mosaic: {error.errors()[0]['msg']}"
        raise InvalidRequest(message, code="message_invalid") from error


@dataclass(frozen=True)
class MosaicMaker:
    """Makes mosaics with what it is given; the release holds the detector that its policy names as face finder."""

    posts: Posts
    photos: MosaicPhotos
    events: Events
    inferences: Inferences
    counts: Counts
    release: Callable[[], Release[Detector | None]]
    now: Clock
    limits: IntakeLimits = field(default_factory=IntakeLimits)

    def make(self, post_id: str) -> MosaicReport:
        """Make the mosaic that the post waits for, or give the post back.

        Raises:
            Retryable: nothing was decided, or it was not told; the message has to come again.
        """
        post = self.posts.get_many([post_id]).get(post_id)
        if post is None:
            return MosaicReport("unknown")
        if post.outbox is not None:
            self._tell(post)
            post = post.model_copy(update={"outbox": None})
        if post.state is PostState.WITHDRAWN and post.erased:
            self._save(post.model_copy(update={"erased": False, "since": self.now(), "revision": post.revision + 1}))
        if post.state is not PostState.MOSAIC or post.mosaic is not None or post.upload is None:
            return MosaicReport("nothing_to_do")
        made = self._cover(post.upload)
        if isinstance(made, Covered):
            self._tell(self._save(self._ready(post, made)))
            uncounted = count(self.counts, self.now(), {counts.MOSAICS: 1})
            return MosaicReport("made", made.faces, uncounted)
        self._tell(self._save(given_back(post, made, self.now())))
        return MosaicReport(made)

    def _cover(self, upload: Upload) -> Covered | FailureReason:
        """The copy of what was rejected, or why there is none."""
        release = self.release()
        if release.models is None or release.policy.faces is None:
            message = f"policy {release.policy.version} names no face finder, without which no mosaic can be made"
            raise ReleaseUnavailable(message)
        try:
            data = self.photos.read(upload)
            return cover_faces(data, release.models, min_score=release.policy.faces.min_score, limits=self.limits)
        except NoFaceFound:
            return "mosaic_no_face"
        except (FaceStillFound, UnreadablePhoto, NotFound):
            return "mosaic_failed"

    def _ready(self, post: Post, made: Covered) -> Post:
        """`post` with its mosaic, whose copy and preview are stored."""
        now, revision = self.now(), post.revision + 1
        key = f"mosaics/{post.post_id}/{revision}"
        preview_key = f"{key}.jpg"
        self.photos.put_rendition(preview_key, render(made.content, limits=self.limits))
        upload = self.photos.put_copy(post.post_id, key, made.content, now)
        mosaic = Mosaic(upload=upload, preview_key=preview_key, faces=made.faces, made_at=now)
        ready = post.model_copy(update={"mosaic": mosaic, "revision": revision})
        return ready.model_copy(update={"outbox": outbox_of(ready, now, event="MosaicReady")})

    def _save(self, post: Post) -> Post:
        if self.posts.save_many([Change(post)]):
            message = "somebody else moved this post at the same time"
            raise DependencyUnavailable(message)
        return post

    def _tell(self, post: Post) -> None:
        if announce([post], self.posts, self.events, self.inferences):
            message = "sns:PublishBatch did not take this event"
            raise DependencyUnavailable(message)
