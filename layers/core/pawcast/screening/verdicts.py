"""Verdicts: what one changes, what taking it back changes, and what both count.

A verdict moves the post, settles the review, corrects the hash banks and leaves a line in the audit log. Taking it back
undoes each of these, also that it replaced an older entry of the same photo in a bank.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from pawcast.errors import Conflict
from pawcast.screening import counts
from pawcast.screening.banks import MATCH_QUALITY, BankEntry, entry_id_of
from pawcast.screening.operator_actions import OperatorAction, action_of, looked_at, standing_entries
from pawcast.screening.ports import Change
from pawcast.screening.post import Post, PostState, move, outbox_of, undo
from pawcast.screening.review import Label, Review, Verdict, VerdictName

# How long an operator holds what they took.
LOCK_FOR = timedelta(minutes=10)
UNDO_WITHIN = timedelta(minutes=10)
# The states in which an operator has something to decide.
DECIDABLE = frozenset({PostState.IN_REVIEW, PostState.APPEALED, PostState.PUBLISHED})
# What an upheld photo's uploader is told, by what the operator saw.
REASONS: Mapping[Label, str] = MappingProxyType(
    {
        "human_face": "human_face",
        "printed_face": "printed_face",
        "no_living_animal": "no_living_animal",
        "gruesome": "gruesome",
        "other": "other_violation",
    }
)


@dataclass(frozen=True)
class Case:
    """A review and the post that it is about."""

    review: Review
    post: Post


@dataclass(frozen=True)
class Step:
    """What an operator's deed changes; written together or not at all."""

    before: Review
    after: Review
    action: OperatorAction | None
    change: Change | None = None
    added: tuple[BankEntry, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What an operator says about a photo."""

    verdict: VerdictName
    label: Label
    comment: str = ""


@dataclass(frozen=True)
class Done:
    """A step that was written; `troubles` kept something out that others make up for, they undo nothing."""

    case: Case
    troubles: tuple[Exception, ...] = ()


def undo_until(review: Review, operator_id: str) -> datetime | None:
    """Until when an operator may take the verdict back; None when it is not theirs or can't be taken back at all."""
    verdict = review.verdict
    if verdict is None or review.status != "done" or verdict.operator_id != operator_id:
        return None
    return verdict.at + UNDO_WITHIN


def judge(case: Case, said: Finding, operator_id: str, now: datetime, log: Sequence[OperatorAction]) -> Step:
    """What a verdict changes. `log` is what was done with the post so far.

    Raises:
        Conflict: there is nothing to decide about the post any more.
    """
    review, post = case.review, case.post
    change = _verdict_change(case, said, now)
    after = change.post if change is not None else post
    moved = after.state is not post.state
    entry = _entry(case, said, now) if moved or said.verdict == "uphold" else None
    version = post.upload.version_id if post.upload else None
    older = tuple(line.bank_added for line in standing_entries(log, version) if line.bank_added) if entry else ()
    verdict = Verdict(
        verdict=said.verdict,
        label=said.label,
        comment=said.comment,
        operator_id=operator_id,
        at=now,
        model=review.decision.model if review.decision else None,
        model_version=review.decision.model_version if review.decision else None,
        before=post.state,
        revision=after.revision,
        bank=entry.bank if entry else None,
        bank_entry_id=entry.entry_id if entry else None,
    )
    since = looked_at(log, review.review_id, operator_id)
    action = action_of(review, said.verdict, operator_id, now, said.comment).model_copy(
        update={
            "label": said.label,
            "model": verdict.model,
            "model_version": verdict.model_version,
            "photo_version": version,
            "moved_to": after.state if moved else None,
            "seconds": None if since is None else round(min(max(now - since, timedelta(0)), LOCK_FOR).total_seconds()),
            "bank": verdict.bank,
            "bank_added": verdict.bank_entry_id,
            "bank_removed": older,
        }
    )
    freed = {"status": "done", "locked_by": None, "locked_until": None, "verdict": verdict}
    return Step(review, review.model_copy(update=freed), action, change, (entry,) if entry else (), older)


def take_back(case: Case, operator_id: str, now: datetime, log: Sequence[OperatorAction]) -> Step:
    """What changes when an operator takes their verdict back: all that it changed.

    Raises:
        Conflict: it is somebody else's, older than ten minutes, or the post went on.
    """
    review, post, verdict = case.review, case.post, case.review.verdict
    until = undo_until(review, operator_id)
    if verdict is None or until is None or until < now or post.revision != verdict.revision:
        message = f"the verdict on review {review.review_id} can't be taken back by this operator any more"
        raise Conflict(message)
    said = [line for line in log if line.review_id == review.review_id and line.verdict is not None]
    removed = (verdict.bank_entry_id,) if verdict.bank_entry_id else ()
    restored = _restored(case, said[-1].bank_removed if said else (), log, now)
    changed = _undo_change(case, verdict, now) if post.state is not verdict.before else None
    action = action_of(review, "undo", operator_id, now).model_copy(
        update={
            "photo_version": post.upload.version_id if post.upload else None,
            "moved_to": changed.post.state if changed else None,
            # At most one entry stood before the verdict: each verdict replaces what it finds.
            "label": restored[0].label if restored else None,
            "bank": restored[0].bank if restored else None,
            "bank_added": restored[0].entry_id if restored else None,
            "bank_removed": removed,
        }
    )
    again = {"status": "waiting", "locked_by": operator_id, "locked_until": now + LOCK_FOR, "verdict": None}
    return Step(review, review.model_copy(update=again), action, changed, restored, removed)


def _verdict_change(case: Case, said: Finding, now: datetime) -> Change | None:
    """The post's move; None when it stays as it is."""
    review, post = case.review, case.post
    if post.state not in DECIDABLE:
        message = f"post {post.post_id} is {post.state}: there is nothing to decide"
        raise Conflict(message)
    settled = {"review_id": review.review_id, "claims": 0}
    if said.verdict == "uphold":
        rejected = move(post, PostState.REJECTED, reason=REASONS[said.label], **settled)
        told = rejected.model_copy(update={"outbox": outbox_of(rejected, now)})
        return Change(told, before=post if post.state is PostState.PUBLISHED else None)
    if post.state is PostState.PUBLISHED:
        if not post.claims:
            return None
        return Change(post.model_copy(update={"claims": 0, "revision": post.revision + 1}))
    if post.rendition_key is None:
        # Never rendered: the screener does that, and publishes it without asking a model.
        again = move(post, PostState.SCREENING, reason=None, cleared_by_review=review.review_id, since=now, **settled)
        return Change(again)
    # A photo that was shown before it was reported goes back to its place in the feed.
    shown = move(post, PostState.PUBLISHED, reason=None, published_at=post.published_at or now, **settled)
    return Change(shown.model_copy(update={"outbox": outbox_of(shown, now, event="PostOverturned")}))


def _undo_change(case: Case, verdict: Verdict, now: datetime) -> Change:
    post = case.post
    shown = post.state is PostState.PUBLISHED
    first_shown = shown and post.published_at == verdict.at
    back = undo(
        post,
        verdict.before,
        reason=None if verdict.before is PostState.PUBLISHED else "checked_again",
        published_at=None if first_shown else post.published_at,
    )
    told = outbox_of(back, now, event="PostPublished" if verdict.before is PostState.PUBLISHED else "PostHeld")
    return Change(back.model_copy(update={"outbox": told}), before=post if shown else None)


def _entry(case: Case, said: Finding, now: datetime) -> BankEntry | None:
    """The bank entry of a verdict; None for a photo whose hash says too little."""
    photo = case.post.photo
    if photo is None or photo.pdq_quality < MATCH_QUALITY:
        return None
    return BankEntry(
        entry_id=entry_id_of(now, case.review.review_id),
        bank="banned" if said.verdict == "uphold" else "cleared",
        label=said.label,
        pdq=photo.pdq,
        quality=photo.pdq_quality,
        post_id=case.post.post_id,
        review_id=case.review.review_id,
        added_at=now,
    )


def _restored(
    case: Case, replaced: Sequence[str], log: Sequence[OperatorAction], now: datetime
) -> tuple[BankEntry, ...]:
    """The entries that the verdict had replaced, added again."""
    photo = case.post.photo
    if photo is None:
        return ()
    return tuple(
        BankEntry(
            entry_id=entry_id_of(now, line.review_id),
            bank=line.bank,
            label=line.label,
            pdq=photo.pdq,
            quality=photo.pdq_quality,
            post_id=line.post_id,
            review_id=line.review_id,
            added_at=now,
        )
        for line in log
        if line.bank_added in replaced and line.bank is not None and line.label is not None
    )


# ---------------------------------------------------------------- what is counted


def verdict_counts(step: Step) -> dict[str, int]:
    """What a verdict's step adds to the counts."""
    action, review = step.action, step.before
    if action is None or action.verdict is None:
        return {}
    upheld = action.verdict == "uphold"
    sums: Counter[str] = Counter(
        {
            counts.CHECKS: 1,
            counts.checks_of(review.reason): 1,
            counts.UPHELD if upheld else counts.OVERTURNED: 1,
            counts.REVIEW_SECONDS: action.seconds or 0,
        }
    )
    if review.reason == "appeal" and not upheld:
        sums[counts.APPEALS_OVERTURNED] = 1
    # Recall is about real human faces: a photo upheld for something else was neither found nor missed by the model.
    face = upheld and action.label == "human_face"
    if review.decision is not None:
        version = (review.decision.model, review.decision.model_version)
        if review.reason == "flagged" and (face or not upheld):
            sums[counts.by_version(counts.FLAGGED_UPHELD if face else counts.FLAGGED_OVERTURNED, *version)] = 1
        if review.reason == "audit":
            sums[counts.by_version(counts.AUDIT_CHECKED, *version)] = 1
            sums[counts.by_version(counts.AUDIT_MISSED, *version)] = int(face)
    return dict(sums)


def bank_counts(step: Step, log: Sequence[OperatorAction]) -> dict[str, int]:
    """What a step's entries add to the counts of the banks; those that it takes out are named in `log`."""
    names = {"cleared": counts.BANK_CLEARED, "banned": counts.BANK_BANNED}
    sums: Counter[str] = Counter()
    for entry in step.added:
        sums[names[entry.bank]] += 1
    for line in log:
        if line.bank is not None and line.bank_added in step.removed:
            sums[names[line.bank]] -= 1
    return dict(sums)


def undone_counts(review: Review, log: Sequence[OperatorAction]) -> dict[str, int]:
    """What taking back the verdict that stands on a review takes out of the counts."""
    said = [line for line in log if line.review_id == review.review_id and line.verdict is not None]
    counted = verdict_counts(Step(review, review, said[-1])) if said else {}
    return {counts.UNDONE: 1} | {name: -number for name, number in counted.items()}
