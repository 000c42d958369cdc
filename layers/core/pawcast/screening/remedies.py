"""What an uploader can do about a rejection, and what visitors can do about a photo: the moves, without storage.

appeal    once for each rejection that a person or a bank made; another operator decides
mosaic    where a face was the reason: a copy with covered faces, which its owner looks at before it is screened
claim     a visitor reports a published photo; after `CLAIMS_HIDE` reports it is hidden until an operator decides
withdraw  at any time: the words go, the photo goes, and the post remains as a line without content
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime

from pawcast.errors import Conflict, InvalidRequest
from pawcast.screening.ports import Change
from pawcast.screening.post import ANSWER_WITHIN, Appeal, Post, PostId, PostState, Record, move, outbox_of
from pawcast.screening.review import Review, review_id_of, review_of
from pawcast.screening.submit import plain_text

APPEAL_MAX_CHARS = 1_000
CLAIM_MAX_CHARS = 500
CLAIMS_HIDE = 3

# Reasons that a person gave, or a bank in a person's name; and those that covering faces would cure.
APPEALABLE = frozenset(
    {"human_face", "printed_face", "no_living_animal", "gruesome", "other_violation", "banned_repeat"}
)
COVERABLE = frozenset({"human_face", "printed_face", "banned_repeat"})

ClaimReason = Literal["human_face", "no_living_animal", "gruesome", "other"]
CLAIM_REASONS = ("human_face", "no_living_animal", "gruesome", "other")
Remedy = Literal["appeal", "mosaic", "upload_again"]


class Claim(Record):
    """One visitor's report of one post. Its words are in the review, where the post's withdrawal reaches them."""

    post_id: PostId
    user_id: str
    reason: ClaimReason
    at: AwareDatetime


def remedies_of(post: Post) -> tuple[Remedy, ...]:
    """What the owner of a rejected or expired post can do, the best first."""
    if post.state is PostState.EXPIRED:
        return ("upload_again",)
    if post.state is not PostState.REJECTED:
        return ()
    if post.reason not in APPEALABLE:
        return ("upload_again",)
    mosaic: tuple[Remedy, ...] = ("mosaic",) if post.reason in COVERABLE and not post.is_mosaic else ()
    appeal: tuple[Remedy, ...] = ("appeal",) if post.appeal is None else ()
    return (*mosaic, *appeal, "upload_again")


def appealed(post: Post, text: str, *, not_for: str | None, now: datetime) -> Change:
    """The post with its appeal, and the review that it opens; `not_for` is whose verdict is appealed.

    Raises:
        Conflict: there is no rejection, none of a person, or it was appealed already.
    """
    if "appeal" not in remedies_of(post):
        message = f"post {post.post_id} has no rejection that can be appealed"
        raise Conflict(message)
    after = move(post, PostState.APPEALED, appeal=Appeal(text=text, at=now), since=now)
    after = after.model_copy(update={"review_id": review_id_of(after)})
    return Change(after, review_of(after, "appeal", due_at=now + ANSWER_WITHIN, now=now, text=text, not_for=not_for))


def mosaic_wanted(post: Post, now: datetime) -> Post:
    """The post that waits for its mosaic.

    Raises:
        Conflict: it was not rejected for a face, or is a mosaic already.
    """
    if "mosaic" not in remedies_of(post) or post.photo is None:
        message = f"post {post.post_id} has no rejection that a mosaic would mend"
        raise Conflict(message)
    return move(post, PostState.MOSAIC, mosaic=None, since=now)


def mosaic_accepted(post: Post, now: datetime) -> Post:
    """The post whose mosaic is screened in place of its photo.

    Raises:
        Conflict: there is no mosaic to accept.
    """
    if post.state is not PostState.MOSAIC or post.mosaic is None:
        raise _no_mosaic(post)
    # What is known of the post is about the other picture.
    about_the_photo = dict.fromkeys(
        ("reason", "decision", "bank_match", "photo", "rendition_key", "appeal", "decided_at", "cleared_by_review")
    )
    return move(post, PostState.SCREENING, upload=post.mosaic.upload, since=now, **about_the_photo)


def mosaic_declined(post: Post) -> Post:
    """The post as it was before its mosaic.

    Raises:
        Conflict: there is no mosaic to decline.
    """
    if post.state is not PostState.MOSAIC or post.mosaic is None:
        raise _no_mosaic(post)
    return move(post, PostState.REJECTED, mosaic=None)


def claimed(post: Post, reason: ClaimReason, text: str, now: datetime) -> Change:
    """The published post after one more report: with a review at the first, hidden at the last that it takes.

    Raises:
        Conflict: the post is not published.
    """
    if post.state is not PostState.PUBLISHED:
        message = f"post {post.post_id} is {post.state}, only published posts can be reported"
        raise Conflict(message)
    claims = post.claims + 1
    if claims >= CLAIMS_HIDE:
        hidden = move(post, PostState.IN_REVIEW, claims=claims, reason="claimed")
        after, before = hidden.model_copy(update={"outbox": outbox_of(hidden, now)}), post
    else:
        after, before = post.model_copy(update={"claims": claims, "revision": post.revision + 1}), None
    if claims > 1:
        return Change(after, before=before)
    after = after.model_copy(update={"review_id": review_id_of(after)})
    words = f"{reason}: {text}" if text else reason
    return Change(after, review_of(after, "claim", due_at=now + ANSWER_WITHIN, now=now, text=words), before)


def withdrawn(post: Post, now: datetime) -> Change:
    """The post without its words and without a photo.

    Raises:
        Conflict: its photo never came, or it was withdrawn already.
    """
    gone: Mapping[str, Any] = dict.fromkeys(
        (
            "upload",
            "reason",
            "decision",
            "bank_match",
            "photo",
            "rendition_key",
            "appeal",
            "mosaic",
            "cleared_by_review",
            "decided_at",
            "outbox",
        )
    )
    after = move(
        post, PostState.WITHDRAWN, title="", description="", tags=(), claims=0, since=now, erased=False, **gone
    )
    return Change(after, before=post if post.state is PostState.PUBLISHED else None)


def closed(review: Review) -> Review:
    """The review of a withdrawn post: nothing to decide, and without the words of whoever appealed or reported."""
    settled = review.status if review.status == "done" else "closed"
    return review.model_copy(update={"status": settled, "text": "", "locked_by": None, "locked_until": None})


def appeal_text(request: Mapping[str, Any]) -> str:
    """The words of an appeal.

    Raises:
        InvalidRequest: they are missing or too long.
    """
    return _words(request, APPEAL_MAX_CHARS, least=1)


def claim_of(request: Mapping[str, Any]) -> tuple[ClaimReason, str]:
    """Reason and words of a report.

    Raises:
        InvalidRequest: the reason is none of `CLAIM_REASONS`, or the words are too long.
    """
    reason = request.get("reason")
    if reason not in CLAIM_REASONS:
        message = f"reason must be one of {', '.join(CLAIM_REASONS)}"
        raise InvalidRequest(message, code="claim_reason_invalid", field="reason")
    return reason, _words(request, CLAIM_MAX_CHARS, least=0)


def _words(request: Mapping[str, Any], most: int, *, least: int) -> str:
    text = plain_text(request.get("text"), "text", lines=True)
    if not least <= len(text) <= most:
        message = f"text has {len(text)} characters, {least} to {most} are allowed"
        raise InvalidRequest(message, code="text_missing" if not text else "text_too_long", field="text")
    return text


def _no_mosaic(post: Post) -> Conflict:
    return Conflict(f"post {post.post_id} has no mosaic that waits for its owner")
