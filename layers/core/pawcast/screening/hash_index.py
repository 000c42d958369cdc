"""Finds hashes near a hash among many without comparing with all: multi-index hashing.

256 bits are sixteen chunks of sixteen. Two hashes that differ in at most 31 bits differ in at most one bit of some
chunk, since two or more in each of sixteen would be 32. So for each chunk the 17 values within one bit are looked up in
a table of that chunk, and only what is found there is compared: exact, not approximate (Norouzi, Punjani, Fleet: "Fast
Exact Search in Hamming Space with Multi-Index Hashing", 2014).
"""

import numpy as np
from numpy.typing import NDArray

CHUNKS, CHUNK_BITS = 16, 16
# Pigeonhole: with one bit more, every chunk could differ in two.
MAX_RADIUS = 2 * CHUNKS - 1

type Codes = NDArray[np.uint64]  # [N, 4]: 256 bits each
_FLIPS = np.array([0, *(1 << bit for bit in range(CHUNK_BITS))], np.uint16)


def codes_of(hashes: list[str]) -> Codes:
    """[N, 4] from N hashes of 64 hexadecimal digits."""
    return np.frombuffer(bytes.fromhex("".join(hashes)), np.uint64).reshape(-1, 4)


def distances(codes: Codes, query: Codes) -> NDArray[np.int64]:
    """Differing bits; `codes` and `query` are broadcast against each other, the last axis is 4."""
    return np.bitwise_count(codes ^ query).sum(axis=-1, dtype=np.int64)


class HashIndex:
    """A table for each chunk: rows sorted by the chunk's value, and where each value begins. Never changes."""

    def __init__(self, codes: Codes) -> None:
        """`codes` is [N, 4]; takes 64 bytes a hash and 4 MB for the tables' heads."""
        self.codes = codes
        chunks = codes.view(np.uint16)
        self._rows = np.empty((CHUNKS, len(codes)), np.int32)
        self._starts = np.empty((CHUNKS, (1 << CHUNK_BITS) + 1), np.int32)
        for chunk in range(CHUNKS):
            values = chunks[:, chunk]
            self._rows[chunk] = np.argsort(values, kind="stable")
            sizes = np.bincount(values, minlength=1 << CHUNK_BITS)
            self._starts[chunk] = np.concatenate(([0], np.cumsum(sizes)))

    def within(self, queries: Codes, radius: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows within `radius` bits of any of `queries` [Q, 4], each once, and their distance to the nearest query.

        Raises:
            ValueError: `radius` is too large for the tables to find all.
        """
        if not 0 <= radius <= MAX_RADIUS:
            message = f"radius {radius} is not within 0 and {MAX_RADIUS}"
            raise ValueError(message)
        rows, asked = self._candidates(queries)
        found = distances(self.codes[rows], queries[asked])
        near = found <= radius
        rows, found = rows[near], found[near]
        order = np.lexsort((found, rows))
        unique, first = np.unique(rows[order], return_index=True)
        return unique, found[order][first]

    def _candidates(self, queries: Codes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows that share a chunk, but for one bit, with a query, and which query; pairs may repeat."""
        looked_up = queries.view(np.uint16)[:, :, None] ^ _FLIPS  # [Q, chunks, 17]
        chunk = np.arange(CHUNKS)[None, :, None]
        starts = self._starts[chunk, looked_up]
        sizes = (self._starts[chunk, looked_up.astype(np.int64) + 1] - starts).ravel()
        # Positions start, start + 1, ... of every look-up that found something, all at once.
        begins = np.repeat(starts.ravel() - np.concatenate(([0], np.cumsum(sizes)[:-1])), sizes)
        positions = begins + np.arange(len(begins))
        per_query = CHUNKS * len(_FLIPS)
        look_up = np.repeat(np.arange(len(sizes)), sizes)
        rows = self._rows[look_up % per_query // len(_FLIPS), positions].astype(np.int64)
        return rows, look_up // per_query
