"""Finds the entry of a hash bank that a photo is a copy of."""

from collections.abc import Collection, Iterable, Sequence

from pawcast.screening.banks import MATCH_BITS, MATCH_QUALITY, BankEntry, Match
from pawcast.screening.hash_index import HashIndex, codes_of, distances


class HashBanks:
    """Both banks at one moment: many settled entries behind an index, and the few that came or went since.

    Never changes; `with_changes` makes the next one and shares the index.
    """

    def __init__(self, settled: Sequence[BankEntry]) -> None:
        """An index over `settled`; entries without structure enough match nothing and are left out."""
        self._settled = [entry for entry in settled if entry.quality >= MATCH_QUALITY]
        self._index = HashIndex(codes_of([entry.pdq for entry in self._settled]))
        self._recent: list[BankEntry] = []
        self._recent_codes = codes_of([])
        self._removed: frozenset[str] = frozenset()

    def with_changes(self, added: Iterable[BankEntry], removed: Collection[str]) -> "HashBanks":
        """These settled entries with all that came and went since they settled; `removed` are entry ids."""
        changed = HashBanks.__new__(HashBanks)
        changed._settled, changed._index = self._settled, self._index
        changed._recent = [entry for entry in added if entry.quality >= MATCH_QUALITY]
        changed._recent_codes = codes_of([entry.pdq for entry in changed._recent])
        changed._removed = frozenset(removed)
        return changed

    def nearest(self, hashes: Sequence[str], *, without_banned: bool = False) -> Match | None:
        """As `Banks.nearest`."""
        queries = codes_of(list(hashes))
        rows, apart = self._index.within(queries, MATCH_BITS)
        matches = [Match(self._settled[row], bits) for row, bits in zip(rows.tolist(), apart.tolist(), strict=True)]
        if self._recent:
            nearest = distances(self._recent_codes[:, None], queries[None]).min(axis=1)
            matches += [
                Match(entry, bits)
                for entry, bits in zip(self._recent, nearest.tolist(), strict=True)
                if bits <= MATCH_BITS
            ]
        valid = [
            match
            for match in matches
            if match.entry.entry_id not in self._removed and not (without_banned and match.entry.bank == "banned")
        ]
        if not valid:
            return None
        least = min(match.distance for match in valid)
        return max((match for match in valid if match.distance == least), key=lambda match: match.entry.entry_id)
