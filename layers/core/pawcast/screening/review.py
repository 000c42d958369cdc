"""A photo that waits for an operator, and the verdict that it gets: the records, without storage.

A verdict is about the suspicion, whatever brought the photo here: *uphold* it and the photo is not shown, *overturn* it
and it is. A verdict is also a label: it says what was seen, by whom, when, and which model had decided.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from pydantic import AwareDatetime, Field

from pawcast.screening.post import BankName, Decision, Post, PostId, PostState, Record

ReviewReason = Literal["flagged", "audit", "disagreement", "appeal", "claim", "failed"]
ReviewStatus = Literal["waiting", "done", "closed"]
VerdictName = Literal["uphold", "overturn"]
# What an operator saw. "printed_face" is a face on a poster or screen, kept apart so that the rule can change later;
# "fine" goes with an overturn: nothing that is not allowed.
Label = Literal["human_face", "printed_face", "no_living_animal", "gruesome", "other", "fine"]


class Verdict(Record):
    """What an operator found. `before` and `revision` are for taking it back."""

    verdict: VerdictName
    label: Label
    comment: str = ""
    operator_id: str
    at: AwareDatetime
    model: str | None = None
    model_version: str | None = None
    # The post's state before the verdict, and its revision after it.
    before: PostState
    revision: int
    bank: BankName | None = None
    bank_entry_id: str | None = None


class Skip(Record):
    """An operator passed a photo on to somebody else."""

    operator_id: str
    at: AwareDatetime
    reason: str


class Review(Record):
    """A photo that waits for an operator, or waited. A lower `priority` goes first.

    `status` is "closed" when there is nothing to decide any more, such as after a withdrawal.
    """

    review_id: str
    post_id: PostId
    user_id: str
    reason: ReviewReason
    status: ReviewStatus = "waiting"
    priority: int
    due_at: AwareDatetime
    created_at: AwareDatetime
    decision: Decision | None = None
    # Of an audit: how likely it was that this photo, once passed, is looked at.
    sampling_probability: float | None = Field(default=None, gt=0, le=1)
    # An appeal's or a report's own words.
    text: str = ""
    # Whose verdict is appealed: another operator decides.
    not_for: str | None = None
    skips: tuple[Skip, ...] = ()
    locked_by: str | None = None
    locked_until: AwareDatetime | None = None
    verdict: Verdict | None = None
    apologised_at: AwareDatetime | None = None

    @property
    def priority_due_at(self) -> str:
        """Sort key of the review queue: priority first, then what is due first."""
        return f"{self.priority:02d}#{self.due_at.isoformat()}"


def review_of(
    post: Post,
    reason: ReviewReason,
    *,
    due_at: datetime,
    now: datetime,
    text: str = "",
    not_for: str | None = None,
    sampling_probability: float | None = None,
) -> Review:
    """The review record of `post` as it stands; its id is the same however often the move is repeated."""
    return Review(
        review_id=review_id_of(post),
        post_id=post.post_id,
        user_id=post.user_id,
        reason=reason,
        priority=REVIEW_PRIORITY[reason],
        due_at=due_at,
        created_at=now,
        decision=post.decision,
        text=text,
        not_for=not_for,
        sampling_probability=sampling_probability,
    )


def review_id_of(post: Post) -> str:
    """The id of the review that this revision of the post opens."""
    return f"{post.post_id}-{post.revision}"


# People who wait come before checks of ourselves: reports and failed uploads first, audits last.
REVIEW_PRIORITY: Mapping[ReviewReason, int] = MappingProxyType(
    {"claim": 10, "failed": 20, "appeal": 30, "flagged": 40, "disagreement": 70, "audit": 80}
)
