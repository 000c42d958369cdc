"""What operators did, line by line: the audit log that nothing changes, and what can be read from it.

A line names the post, the review and the version of the photo that was judged, never its uploader, title or hash: it
outlives a withdrawal. A verdict's line is a label with its origin (the review's reason), operator, time and model.
"""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime

from pawcast.screening.post import BankName, PostId, PostState, Record
from pawcast.screening.review import Label, Review, ReviewReason, VerdictName

ActionKind = Literal["take", "release", "skip", "comment", "seen_photo", "seen_boxes", "uphold", "overturn", "undo"]


class OperatorAction(Record):
    """One line of the log. What only verdicts have is None or empty elsewhere."""

    post_id: PostId
    review_id: str
    operator_id: str
    kind: ActionKind
    at: AwareDatetime
    reason: ReviewReason
    # A comment's text, or why a photo was passed on.
    comment: str = ""
    label: Label | None = None
    model: str | None = None
    model_version: str | None = None
    # The version of the original that was looked at, as S3 names it.
    photo_version: str | None = None
    # Where the verdict, or taking it back, led the post; None when it stayed where it was.
    moved_to: PostState | None = None
    # From when the photo was looked at to the verdict.
    seconds: int | None = None
    bank: BankName | None = None
    bank_added: str | None = None
    bank_removed: tuple[str, ...] = ()

    @property
    def action_id(self) -> str:
        """Sort key: by time, and distinct for whatever two operators do at the same moment."""
        return f"{self.at.isoformat()}#{self.kind}#{self.operator_id}"

    @property
    def verdict(self) -> VerdictName | None:
        """The verdict that this line is, if it is one."""
        return self.kind if self.kind in ("uphold", "overturn") else None


def action_of(review: Review, kind: ActionKind, operator_id: str, at: datetime, comment: str = "") -> OperatorAction:
    """The line for what an operator does with a review."""
    return OperatorAction(
        post_id=review.post_id,
        review_id=review.review_id,
        operator_id=operator_id,
        kind=kind,
        at=at,
        reason=review.reason,
        comment=comment,
    )


def standing_entries(actions: Iterable[OperatorAction], photo_version: str | None) -> Sequence[OperatorAction]:
    """The lines whose bank entries of this version of the photo are still in a bank, oldest first."""
    standing: dict[str, OperatorAction] = {}
    for action in actions:
        for entry_id in action.bank_removed:
            standing.pop(entry_id, None)
        if action.bank_added is not None:
            standing[action.bank_added] = action
    return [action for action in standing.values() if action.photo_version == photo_version]


def looked_at(actions: Iterable[OperatorAction], review_id: str, operator_id: str) -> datetime | None:
    """Since when an operator has had a review before them: since its photo was shown, else since it was taken.

    Photos are taken ahead of time, a few at once, so taking alone would count the ones before it too.
    """
    since: datetime | None = None
    shown = False
    for action in actions:
        if action.review_id != review_id or action.operator_id != operator_id:
            continue
        if action.kind in ("take", "undo"):
            since, shown = action.at, False
        elif action.kind == "seen_photo" and not shown:
            since, shown = action.at, True
    return since


@dataclass(frozen=True)
class Shift:
    """What one operator did in a span of time; `standing` are the verdicts not taken back, newest first."""

    standing: tuple[OperatorAction, ...]
    skipped: int
    undone: int

    def count(self, verdict: VerdictName) -> int:
        """Standing verdicts of this kind."""
        return sum(action.verdict == verdict for action in self.standing)

    @property
    def seconds_median(self) -> float | None:
        """Median of the seconds for each standing verdict; None without one."""
        timed = [action.seconds for action in self.standing if action.seconds is not None]
        return statistics.median(timed) if timed else None


def shift_of(actions: Iterable[OperatorAction]) -> Shift:
    """The shift in an operator's own lines, which come oldest first."""
    standing: dict[str, OperatorAction] = {}
    skipped = undone = 0
    for action in actions:
        if action.verdict is not None:
            # Put at the end again: a review may be decided, taken back and decided once more.
            standing.pop(action.review_id, None)
            standing[action.review_id] = action
        elif action.kind == "undo":
            standing.pop(action.review_id, None)
            undone += 1
        elif action.kind == "skip":
            skipped += 1
    return Shift(tuple(reversed(standing.values())), skipped, undone)
