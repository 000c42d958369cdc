"""What decided photos add to the counts."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from pawcast.errors import DependencyUnavailable
from pawcast.screening import counts
from pawcast.screening.ports import Counts
from pawcast.screening.post import ANSWER_WITHIN, Post, PostState
from pawcast.screening.review import Review


def count(table: Counts, at: datetime, sums: Mapping[str, int]) -> DependencyUnavailable | None:
    """Add `sums` to the counts; the error that kept them out, which costs figures and undoes no decision."""
    try:
        table.add(at, sums)
    except DependencyUnavailable as error:
        return error
    return None


def tally_of(post: Post, review: Review | None, asked_at: datetime) -> Mapping[str, int]:
    """Counts of the decision that `post` has just got; `asked_at` is when its photo arrived or was sent again.

    A photo that an operator let pass was counted by the verdict.
    """
    if post.decided_at is None or (post.outbox is not None and post.outbox.event.event == "PostOverturned"):
        return {}
    took = post.decided_at - asked_at
    sums: Counter[str] = Counter({_outcome(post): 1})
    sums[counts.DECISION_MS] = max(0, round(took / timedelta(milliseconds=1)))
    sums[counts.DECIDED_LATE] = int(took > ANSWER_WITHIN)
    sums[counts.MOSAIC_CHECKED] = int(post.is_mosaic)
    if post.bank_match is not None:
        sums[counts.INFERENCES_AVOIDED] = 1
        # Banks hold only what an operator judged: without its entry this copy would have come to one again.
        sums[counts.CHECKS_AVOIDED] = 1
    if (decision := post.decision) is not None:
        sums[counts.INFERENCES] = 1 if decision.detector_score is None else 2
        outcome = counts.FLAGGED if decision.outcome == "flag" else counts.PASSED
        sums[counts.by_version(outcome, decision.model, decision.model_version)] = 1
        if review is not None and review.reason == "audit":
            sums[counts.by_version(counts.AUDITED, decision.model, decision.model_version)] = 1
    return {name: count for name, count in sums.items() if count}


def _outcome(post: Post) -> str:
    repeat = post.bank_match is not None
    if post.state is PostState.PUBLISHED:
        return counts.PUBLISHED_REPEAT if repeat else counts.PUBLISHED
    if post.state is PostState.REJECTED:
        return counts.REJECTED_REPEAT if repeat else counts.REJECTED_UNREADABLE
    return counts.HELD
