"""A post's life: its states, the moves between them, and the record itself.

    awaiting_upload ──> screening ──> published
          │                 ├──────> in_review ──> published | rejected
          v        ^        └──────> rejected ───> appealed ──> published | rejected
       expired ────┘                     └───────> mosaic ────> screening
    any state but expired ──> withdrawn

`ALLOWED_MOVES` is the only table of moves. Every move raises `revision` by one, and the store writes it only if the
stored revision is still the one that was read: a repeated, late or concurrent message therefore changes nothing.
What a move must tell the world rides in `outbox`, written together with the move and removed once told.
"""

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

PostId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


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
        _S.PUBLISHED: frozenset({_S.WITHDRAWN}),
        _S.IN_REVIEW: frozenset({_S.PUBLISHED, _S.REJECTED, _S.WITHDRAWN}),
        _S.REJECTED: frozenset({_S.APPEALED, _S.MOSAIC, _S.WITHDRAWN}),
        _S.APPEALED: frozenset({_S.PUBLISHED, _S.REJECTED, _S.WITHDRAWN}),
        _S.MOSAIC: frozenset({_S.SCREENING, _S.WITHDRAWN}),
        _S.WITHDRAWN: frozenset(),
        # A photo that arrives after all is screened: nothing that was accepted is lost.
        _S.EXPIRED: frozenset({_S.SCREENING}),
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


class PhotoFacts(Record):
    """What is known of the picture itself. Sizes are those of the upright original, in pixels."""

    width: int
    height: int
    format: str
    pdq: str
    pdq_quality: int


# What a post may still wait for: its photo, a decision, or that its decision is announced.
Unfinished = Literal["awaiting_upload", "screening", "announcing"]
EventName = Literal["PostPublished", "PostHeld", "PostRejected"]


class PostEvent(Record):
    """Something an uploader is told about; `revision` makes its notice's id deterministic."""

    event: EventName
    post_id: PostId
    user_id: str
    title: str
    revision: int
    occurred_at: AwareDatetime
    reason: str | None = None

    @property
    def notice_id(self) -> str:
        """The same for every delivery of the same event, and sorted by time."""
        return f"{self.occurred_at.isoformat()}#{self.post_id}#{self.revision}"


class Outbox(Record):
    """What a move still has to tell: one event, and the inference records behind it."""

    event: PostEvent
    inferences: tuple[InferenceRecord, ...] = ()


ReviewReason = Literal["flagged", "audit", "disagreement", "appeal", "claim", "failed"]


class Review(Record):
    """A held photo that waits for an operator. A lower `priority` goes first."""

    review_id: str
    post_id: PostId
    user_id: str
    reason: ReviewReason
    status: Literal["waiting", "done"] = "waiting"
    priority: int
    due_at: AwareDatetime
    created_at: AwareDatetime
    decision: Decision | None = None

    @property
    def priority_due_at(self) -> str:
        """Sort key of the review queue: priority first, then what is due first."""
        return f"{self.priority:02d}#{self.due_at.isoformat()}"


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
    photo: PhotoFacts | None = None
    rendition_key: str | None = None
    outbox: Outbox | None = None

    @property
    def unfinished(self) -> Unfinished | None:
        """What somebody must still do, or None when the post rests."""
        if self.outbox is not None:
            return "announcing"
        if self.state is PostState.AWAITING_UPLOAD:
            return "awaiting_upload"
        return "screening" if self.state is PostState.SCREENING else None

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
    # Built anew instead of copied, so that changes are validated like any other input.
    return Post.model_validate({**dict(post), **changes, "state": to, "revision": post.revision + 1})


def waits_for(post: Post, upload: Upload) -> bool:
    """Whether `upload` is what `post` waits for; a later version, or a repeated message after the decision, is not."""
    if post.state is PostState.SCREENING:
        return post.upload is not None and post.upload.version_id == upload.version_id
    return post.state in (PostState.AWAITING_UPLOAD, PostState.EXPIRED)


def outbox_of(post: Post, now: datetime, inferences: tuple[InferenceRecord, ...] = ()) -> Outbox:
    """What the move that led to `post` has to tell its user."""
    event = PostEvent(
        event=EVENTS[post.state],
        post_id=post.post_id,
        user_id=post.user_id,
        title=post.title,
        revision=post.revision,
        occurred_at=now,
        reason=post.reason,
    )
    return Outbox(event=event, inferences=inferences)


def review_of(post: Post, reason: ReviewReason, *, due_at: datetime, now: datetime) -> Review:
    """The review record of `post` as it stands; its id is the same however often the move is repeated."""
    return Review(
        review_id=f"{post.post_id}-{post.revision}",
        post_id=post.post_id,
        user_id=post.user_id,
        reason=reason,
        priority=REVIEW_PRIORITY[reason],
        due_at=due_at,
        created_at=now,
        decision=post.decision,
    )


# What a user is told when a post reaches a state; the states that are missing tell nothing.
EVENTS: Mapping[PostState, EventName] = MappingProxyType(
    {_S.PUBLISHED: "PostPublished", _S.IN_REVIEW: "PostHeld", _S.REJECTED: "PostRejected"}
)

# People who wait come before checks of ourselves: failed uploads and appeals first, audits last.
REVIEW_PRIORITY: Mapping[ReviewReason, int] = MappingProxyType(
    {"claim": 10, "failed": 20, "appeal": 30, "flagged": 40, "disagreement": 70, "audit": 80}
)
