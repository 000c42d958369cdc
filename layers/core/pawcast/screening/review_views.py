"""What the review console is shown of a photo: all that helps to decide, nothing that says whose it is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pawcast.screening.operator_actions import OperatorAction, Shift
from pawcast.screening.post import Post, PostState
from pawcast.screening.verdicts import REASONS, UNDO_WITHIN, Case, undo_until

Json = dict[str, Any]

LAST_MAX = 20
# What a person's verdict rejects a post for; `other` is told as something else than it is labelled.
UPHELD_REASONS = frozenset(REASONS.values())


@dataclass(frozen=True)
class Uploader:
    """An uploader in numbers, over the posts that were asked for; `since` is the month of the oldest of them."""

    posts: int
    published: int
    rejected: int
    upheld: int
    overturned: int
    since: str


def uploader_of(posts: Sequence[Post], own: Post) -> Uploader:
    """The numbers over an uploader's latest posts, `own` among them even if an index does not list it yet."""
    known = {post.post_id: post for post in (*posts, own)}.values()
    return Uploader(
        posts=len(known),
        published=sum(post.state is PostState.PUBLISHED for post in known),
        rejected=sum(post.state is PostState.REJECTED for post in known),
        upheld=sum(post.reason in UPHELD_REASONS for post in known),
        overturned=sum(_was_overturned(post) for post in known),
        since=f"{min(post.created_at for post in known):%Y-%m}",
    )


def review_view(
    case: Case,
    log: Iterable[OperatorAction],
    uploader: Uploader,
    photo_url: str | None,
    operator_id: str,
    now: datetime,
) -> Json:
    """One review as an operator sees it."""
    review, post = case.review, case.post
    decision = {"probability", "threshold", "model", "model_version", "detector_score", "outcome"}
    return {
        "review_id": review.review_id,
        "post_id": review.post_id,
        "reason": review.reason,
        "text": review.text,
        "title": post.title,
        "description": post.description,
        "tags": list(post.tags),
        "created_at": review.created_at.isoformat(),
        "due_at": review.due_at.isoformat(),
        "uploaded_at": _iso(post.upload.uploaded_at if post.upload else None),
        "locked_until": _iso(review.locked_until),
        "photo_url": photo_url,
        "width": post.photo.width if post.photo else None,
        "height": post.photo.height if post.photo else None,
        "faces": [face.model_dump() for face in post.photo.faces]
        if post.photo is not None and post.photo.faces is not None
        else None,
        "decision": review.decision.model_dump(include=decision) if review.decision else None,
        "bank_match": post.bank_match.model_dump() if post.bank_match else None,
        "sampling_probability": review.sampling_probability,
        "skips": len(review.skips),
        "uploader": {
            "posts": uploader.posts,
            "published": uploader.published,
            "rejected": uploader.rejected,
            "upheld": uploader.upheld,
            "overturned": uploader.overturned,
            "since": uploader.since,
        },
        "history": [_line(action, operator_id) for action in log],
        "verdict": review.verdict.model_dump(mode="json", include={"verdict", "label", "comment", "at"})
        if review.verdict
        else None,
        "undo_until": _iso(_undo_until(case, operator_id, now)),
    }


def shift_view(shift: Shift, now: datetime) -> Json:
    """An operator's shift in numbers, with the last verdicts."""
    return {
        "checked": len(shift.standing),
        "upheld": shift.count("uphold"),
        "overturned": shift.count("overturn"),
        "skipped": shift.skipped,
        "undone": shift.undone,
        "seconds_median": shift.seconds_median,
        "last": [
            {
                "review_id": action.review_id,
                "at": action.at.isoformat(),
                "verdict": action.verdict,
                "label": action.label,
                "undo_until": _iso(_line_undo_until(action, now)),
            }
            for action in shift.standing[:LAST_MAX]
        ],
    }


def _line(action: OperatorAction, operator_id: str) -> Json:
    return {
        "at": action.at.isoformat(),
        "kind": action.kind,
        "label": action.label if action.verdict else None,
        "comment": action.comment,
        "operator": "you" if action.operator_id == operator_id else "another operator",
    }


def _was_overturned(post: Post) -> bool:
    """Whether an operator let the post pass that a model had stopped."""
    return post.state is PostState.PUBLISHED and post.decision is not None and post.decision.outcome == "flag"


def _undo_until(case: Case, operator_id: str, now: datetime) -> datetime | None:
    """Until when this operator can take the verdict back; None when they can't, or not any more."""
    until, verdict = undo_until(case.review, operator_id), case.review.verdict
    if until is None or verdict is None or until < now:
        return None
    gone_on = case.post.revision != verdict.revision or case.post.state is PostState.SCREENING
    return None if gone_on else until


def _line_undo_until(action: OperatorAction, now: datetime) -> datetime | None:
    until = action.at + UNDO_WITHIN
    return None if until < now or action.moved_to is PostState.SCREENING else until


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
