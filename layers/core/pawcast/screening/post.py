"""A post's life: its states, the moves between them, and the record itself.

    awaiting_upload ──> screening ──> published ──> in_review (many reports) | rejected (a report or an audit upheld)
          │                 ├──────> in_review ──> published | rejected
          v        ^        └──────> rejected ───> appealed ──> published | rejected
       expired ────┘                     └───────> mosaic ────> screening | rejected (no face to cover, or declined)
    in_review, appealed ──> screening: an operator lets a photo pass that was never rendered
    any state but expired ──> withdrawn

`ALLOWED_MOVES` is the only table of moves; `UNDONE_MOVES` are the ways back from a verdict that its operator takes
back. Every move raises `revision` by one, and the store writes it only if the stored revision is still the one that
was read: a repeated, late or concurrent message therefore changes nothing. What a move must tell the world rides in
`outbox`, written together with the move and removed once told.
"""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from pawcast.errors import Conflict
from pawcast.mlops.inference_log import InferenceRecord

# What Pawcast promises an uploader.
ANSWER_WITHIN = timedelta(hours=1)

POST_ID = re.compile(r"[0-9a-f]{32}")
PostId = Annotated[str, Field(pattern=rf"^{POST_ID.pattern}$")]


class PostState(StrEnum):
    """Where a post stands."""

    AWAITING_UPLOAD = "awaiting_upload"
    SCREENING = "screening"
    PUBLISHED = "published"
    IN_REVIEW = "in_review"
    REJECTED = "rejected"
    APPEALED = "appealed"
    MOSAIC = "mosaic"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


_S = PostState
ALLOWED_MOVES = MappingProxyType(
    {
        _S.AWAITING_UPLOAD: frozenset({_S.SCREENING, _S.EXPIRED, _S.WITHDRAWN}),
        _S.SCREENING: frozenset({_S.PUBLISHED, _S.IN_REVIEW, _S.REJECTED, _S.WITHDRAWN}),
        _S.PUBLISHED: frozenset({_S.IN_REVIEW, _S.REJECTED, _S.WITHDRAWN}),
        _S.IN_REVIEW: frozenset({_S.PUBLISHED, _S.REJECTED, _S.SCREENING, _S.WITHDRAWN}),
        _S.REJECTED: frozenset({_S.APPEALED, _S.MOSAIC, _S.WITHDRAWN}),
        _S.APPEALED: frozenset({_S.PUBLISHED, _S.REJECTED, _S.SCREENING, _S.WITHDRAWN}),
        _S.MOSAIC: frozenset({_S.SCREENING, _S.REJECTED, _S.WITHDRAWN}),
        _S.WITHDRAWN: frozenset(),
        # A photo that arrives after all is screened: nothing that was accepted is lost.
        _S.EXPIRED: frozenset({_S.SCREENING}),
    }
)
UNDONE_MOVES = MappingProxyType(
    {
        _S.PUBLISHED: frozenset({_S.IN_REVIEW, _S.APPEALED}),
        _S.REJECTED: frozenset({_S.IN_REVIEW, _S.APPEALED, _S.PUBLISHED}),
    }
)


class Record(BaseModel):
    """Base of everything stored: immutable, and nothing in it that is not named."""

    # Errors name the field, never its content: they are logged, and a title is its author's.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Upload(Record):
    """One version of an uploaded object, as S3 announced it. A decision is bound to exactly this version."""

    post_id: PostId
    key: str
    version_id: str
    size_bytes: int
    uploaded_at: AwareDatetime


class Decision(Record):
    """What the system found; `probability` is that of a human face, 0 to 1."""

    outcome: Literal["pass", "flag"]
    probability: float
    threshold: float
    model: str
    model_version: str
    policy_version: int
    detector_score: float | None = None


class Face(Record):
    """A face that the detector found: its box as shares (0 to 1) of the upright photo's width and height."""

    x0: float
    y0: float
    x1: float
    y1: float
    score: float


class PhotoFacts(Record):
    """What is known of the picture itself. Sizes are those of the upright original, in pixels.

    `faces` are looked for only where a person will look: None means that nobody asked the detector.
    """

    width: int
    height: int
    format: str
    pdq: str
    pdq_quality: int
    faces: tuple[Face, ...] | None = None


BankName = Literal["cleared", "banned"]


class BankMatch(Record):
    """The entry of a hash bank that decided on a photo, `distance` of 256 bits away from it."""

    bank: BankName
    entry_id: str
    distance: int
    label: str


class Appeal(Record):
    """An uploader's objection to a rejection; there is one for each rejection."""

    text: str
    at: AwareDatetime


class Mosaic(Record):
    """The copy of a rejected photo whose faces were covered; `preview_key` lies in the published bucket."""

    upload: Upload
    preview_key: str
    faces: int
    made_at: AwareDatetime


# What a post may still wait for: its photo, a decision, that its decision is announced, its mosaic, or its erasure.
Unfinished = Literal["awaiting_upload", "screening", "announcing", "mosaicking", "erasing"]
EventName = Literal[
    "PostPublished", "PostHeld", "PostRejected", "PostOverturned", "PostLate", "MosaicReady", "MosaicFailed"
]


class PostEvent(Record):
    """Something an uploader is told about; `revision` makes its notice's id deterministic."""

    event: EventName
    post_id: PostId
    user_id: str
    title: str
    revision: int
    occurred_at: AwareDatetime
    reason: str | None = None
    # What a rejection offers depends on these: whether it stands after an appeal, and is about covered faces.
    appealed: bool = False
    covered: bool = False

    @property
    def notice_id(self) -> str:
        """The same for every delivery of the same event, and sorted by time."""
        return f"{self.occurred_at.isoformat()}#{self.post_id}#{self.revision}"


class Outbox(Record):
    """What a move still has to tell: one event, and the inference records behind it."""

    event: PostEvent
    inferences: tuple[InferenceRecord, ...] = ()


class Post(Record):
    """One photo with its words, from the request to upload until it is withdrawn."""

    post_id: PostId
    user_id: str
    title: str
    description: str = ""
    tags: tuple[str, ...] = ()
    content_type: str
    state: PostState
    revision: int = 0
    created_at: AwareDatetime
    upload_expires_at: AwareDatetime
    upload: Upload | None = None
    decided_at: AwareDatetime | None = None
    published_at: AwareDatetime | None = None
    reason: str | None = None
    decision: Decision | None = None
    bank_match: BankMatch | None = None
    photo: PhotoFacts | None = None
    rendition_key: str | None = None
    # The review that was opened last; its verdict, once there is one, is what the state stands on.
    review_id: str | None = None
    # Of a post in `screening`: an operator let its photo pass, it is rendered and published without asking any model.
    cleared_by_review: str | None = None
    appeal: Appeal | None = None
    mosaic: Mosaic | None = None
    claims: int = 0
    # When the work began that is unfinished or was done last, where that was not the upload.
    since: AwareDatetime | None = None
    # Of a withdrawn post: every copy of the photo is gone.
    erased: bool = False
    outbox: Outbox | None = None

    @property
    def unfinished(self) -> Unfinished | None:
        """What somebody must still do, or None when the post rests."""
        if self.outbox is not None:
            return "announcing"
        if self.state is PostState.AWAITING_UPLOAD:
            return "awaiting_upload"
        if self.state is PostState.MOSAIC and self.mosaic is None:
            return "mosaicking"
        if self.state is PostState.WITHDRAWN and not self.erased:
            return "erasing"
        return "screening" if self.state is PostState.SCREENING else None

    @property
    def is_mosaic(self) -> bool:
        """Whether the photo that is or was screened is the copy with covered faces."""
        return self.mosaic is not None and self.upload == self.mosaic.upload

    @property
    def upload_key(self) -> str:
        """Where the original lies in the uploads bucket; holds no user id, so listing tells nobody's photos apart."""
        return f"posts/{self.post_id}/original"


def move(post: Post, to: PostState, **changes: Any) -> Post:
    """`post` in state `to` with `changes`, one revision later.

    Raises:
        Conflict: the table of moves does not lead from the present state to `to`.
    """
    if to not in ALLOWED_MOVES[post.state]:
        message = f"post {post.post_id} is {post.state}, from there it can't become {to}"
        raise Conflict(message)
    return _moved(post, to, changes)


def undo(post: Post, to: PostState, **changes: Any) -> Post:
    """`post` back in state `to`, where it was before a verdict; one revision later.

    Raises:
        Conflict: no verdict leads from `to` to the present state.
    """
    if to not in UNDONE_MOVES.get(post.state, frozenset()):
        message = f"post {post.post_id} is {post.state}, that can't be taken back to {to}"
        raise Conflict(message)
    return _moved(post, to, changes)


def _moved(post: Post, to: PostState, changes: Mapping[str, Any]) -> Post:
    # Built anew instead of copied, so that changes are validated like any other input.
    return Post.model_validate({**dict(post), **changes, "state": to, "revision": post.revision + 1})


def asked_at(post: Post, upload: Upload) -> datetime:
    """Since when the owner of `post` waits for a decision on `upload`: a second screening begins after the upload."""
    return post.since or upload.uploaded_at


def waits_for(post: Post, upload: Upload) -> bool:
    """Whether `upload` is what `post` waits for; a later version, or a repeated message after the decision, is not."""
    if post.state is PostState.SCREENING:
        return post.upload is not None and post.upload.version_id == upload.version_id
    return post.state in (PostState.AWAITING_UPLOAD, PostState.EXPIRED)


def outbox_of(
    post: Post, now: datetime, inferences: tuple[InferenceRecord, ...] = (), *, event: EventName | None = None
) -> Outbox:
    """What the move that led to `post` has to tell its user; `event` where the state alone does not say it."""
    told = PostEvent(
        event=event or EVENTS[post.state],
        post_id=post.post_id,
        user_id=post.user_id,
        title=post.title,
        revision=post.revision,
        occurred_at=now,
        reason=post.reason,
        appealed=post.appeal is not None,
        covered=post.is_mosaic,
    )
    return Outbox(event=told, inferences=inferences)


# What a user is told when a post reaches a state; the states that are missing tell nothing.
EVENTS: Mapping[PostState, EventName] = MappingProxyType(
    {_S.PUBLISHED: "PostPublished", _S.IN_REVIEW: "PostHeld", _S.REJECTED: "PostRejected"}
)
