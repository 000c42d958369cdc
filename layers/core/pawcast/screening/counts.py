"""Names of what is counted, hour by hour, for the operations page.

Whoever decides something adds to its counts once the write has won: a repeated message that changed nothing counts
nothing. Counts are sums of whole numbers, so the order in which workers add them does not matter; a worker that dies
between write and count loses its counts, which figures that people look at bear.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

# Photos. A decided upload counts in exactly one of published, held, rejected_unreadable (by screening or its rescue),
# published_repeat and rejected_repeat (by a hash bank, without a model).
UPLOADS: Final = "uploads"
PUBLISHED: Final = "published"
HELD: Final = "held"
REJECTED_UNREADABLE: Final = "rejected_unreadable"
PUBLISHED_REPEAT: Final = "published_repeat"
REJECTED_REPEAT: Final = "rejected_repeat"
DECIDED: Final = (PUBLISHED, HELD, REJECTED_UNREADABLE, PUBLISHED_REPEAT, REJECTED_REPEAT)
DECIDED_LATE: Final = "decided_late"  # more than an hour after the upload
DECISION_MS: Final = "decision_ms"  # from upload to decision, summed
SCREENING_MS: Final = "screening_ms"  # that screening functions were at work, summed
INFERENCES: Final = "inferences"
INFERENCES_AVOIDED: Final = "inferences_avoided"
CHECKS_AVOIDED: Final = "checks_avoided"
MOSAIC_CHECKED: Final = "mosaic_checked"

# By model version, see `by_version`. Passed and flagged are the primary's decisions; of the passed ones some are
# audited, that is drawn for an operator; audited ones are checked, and missed when the operator saw a face after all.
PASSED: Final = "passed"
FLAGGED: Final = "flagged"
AUDITED: Final = "audited"
AUDIT_CHECKED: Final = "audit_checked"
AUDIT_MISSED: Final = "audit_missed"
FLAGGED_UPHELD: Final = "flagged_upheld"
FLAGGED_OVERTURNED: Final = "flagged_overturned"
VERSION_COUNTS: Final = (PASSED, FLAGGED, AUDITED, AUDIT_CHECKED, AUDIT_MISSED, FLAGGED_UPHELD, FLAGGED_OVERTURNED)

# Operators. Taking a verdict back counts -1 on everything that the verdict counted, and `undone`.
CHECKS: Final = "checks"
UPHELD: Final = "upheld"
OVERTURNED: Final = "overturned"
UNDONE: Final = "undone"
SKIPPED: Final = "skipped"
REVIEW_SECONDS: Final = "review_seconds"  # from taking a photo to its verdict, summed

# Uploaders and visitors.
APPEALS: Final = "appeals"
APPEALS_OVERTURNED: Final = "appeals_overturned"
CLAIMS: Final = "claims"
MOSAICS: Final = "mosaics"
WITHDRAWN: Final = "withdrawn"
APOLOGIES: Final = "apologies"

# Entries of the hash banks: 1 for each that is added, -1 for each that is taken out. Their sum since ever is asked
# for, so they are kept once and not by hour.
BANK_CLEARED: Final = "bank_cleared"
BANK_BANNED: Final = "bank_banned"
ALL_TIME: Final = frozenset({BANK_CLEARED, BANK_BANNED})


@dataclass(frozen=True)
class HourCounts:
    """What was counted in the hour that begins at `at` (UTC); what is missing was counted zero times."""

    at: datetime
    counts: Mapping[str, int]


def by_version(name: str, model: str, version: str) -> str:
    """The name of a count that is kept for each model version, such as `passed@face-classifier/3`."""
    return f"{name}@{model}/{version}"


def split_version(counted: str) -> tuple[str, str]:
    """The name and the model version in what `by_version` made; the version of any other name is empty."""
    name, _, model_version = counted.partition("@")
    return name, model_version


def checks_of(reason: str) -> str:
    """The name of the count of checks for one review reason, such as `checks_flagged`."""
    return f"checks_{reason}"


def totals(hours: Iterable[HourCounts]) -> Mapping[str, int]:
    """Sums over hours; a name that was never counted is missing."""
    sums: dict[str, int] = {}
    for hour in hours:
        for name, count in hour.counts.items():
            sums[name] = sums.get(name, 0) + count
    return sums
