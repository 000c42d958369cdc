"""The two hash banks: photos that operators judged, so that a copy of one needs no model and no operator.

*Cleared* photos were held and then let pass, *banned* ones were upheld. A copy is a photo whose PDQ hash, in one of its
eight orientations, is at most `MATCH_BITS` of 256 bits away from an entry's; both must have structure enough
(`MATCH_QUALITY`). Of several entries the nearest decides, of equally near ones the later.

Here is what an entry is; `hash_banks` finds copies, and needs numpy for it, `adapters.bank_log` keeps the entries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, Protocol

from pawcast.screening.review import Label

# Meta's recommendation for PDQ: at most this many different bits are a match, and hashes below this quality match
# nothing.
MATCH_BITS = 31
MATCH_QUALITY = 50

Bank = Literal["cleared", "banned"]


@dataclass(frozen=True, slots=True)
class BankEntry:
    """One judged photo; `pdq` are 64 hexadecimal digits, `quality` is 0 to 100."""

    entry_id: str
    bank: Bank
    label: Label
    pdq: str
    quality: int
    post_id: str
    review_id: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Match:
    """The entry that a photo is a copy of, and how many of 256 bits differ."""

    entry: BankEntry
    distance: int


class Banks(Protocol):
    """Both banks as they stand."""

    def nearest(self, hashes: Sequence[str], *, without_banned: bool = False) -> Match | None:
        """The nearest entry to any of a photo's hashes (one for each orientation), None when nothing is near enough.

        `without_banned` asks the cleared bank only. The caller has made sure of the photo's own quality.
        """
        ...


def entry_id_of(added_at: datetime, review_id: str) -> str:
    """Sorted by time, and the same for every attempt to add the same verdict's entry."""
    return f"{added_at.astimezone(UTC).isoformat(timespec='microseconds')}#{review_id}"
