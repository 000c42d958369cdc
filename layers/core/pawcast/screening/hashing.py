"""PDQ, the perceptual hash: copies of a photo that were resized or recompressed get nearly the same 256 bits.

Meta's algorithm (Dalins, Wilson, Boudry: "PDQ & TMK + PDQF", 2019), written in numpy because its binding `pdqhash` has
no wheels for CPython 3.13 or arm64 and so can't go into a layer; that binding is the oracle of the tests.

The reference blurs with two passes of a box filter and picks 64 x 64 samples. Both are linear and separable, so here
they are one matrix for each axis, kept for the photo sizes that come again and again: two small products instead of
four passes over all pixels.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

BITS = 256

_SIDE = 64
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)


@dataclass(frozen=True)
class PdqHash:
    """256 bits as 64 hexadecimal digits, and how much structure they stand on: 0 (a flat area) to 100."""

    hex: str
    quality: int


def pdq(rgb: NDArray[np.uint8]) -> PdqHash:
    """The hash of a picture, uint8 [H, W, 3], at least 64 pixels a side for a hash that means something."""
    frequencies, quality = _frequencies(rgb)
    return PdqHash(_hex(frequencies), quality)


def pdq_variants(rgb: NDArray[np.uint8]) -> tuple[PdqHash, ...]:
    """The hashes of a picture, uint8 [H, W, 3], in its eight orientations; the first is that of `pdq`.

    Mirroring an axis changes the sign of its odd frequencies, and transposing transposes them, so all eight cost little
    more than one, as in the reference's own dihedral hashes.
    """
    frequencies, quality = _frequencies(rgb)
    return tuple(
        PdqHash(_hex(turned * down[:, None] * across), quality)
        for turned in (frequencies, frequencies.T)
        for down in (_SAME, _MIRRORED)
        for across in (_SAME, _MIRRORED)
    )


def _frequencies(rgb: NDArray[np.uint8]) -> tuple[NDArray[np.float32], int]:
    """[16, 16]: the first frequencies of each axis but the constant one; and the quality."""
    luma = rgb.astype(np.float32) @ _LUMA
    small = _sampling(rgb.shape[0]) @ luma @ _sampling(rgb.shape[1]).T
    return np.asarray(_DCT @ small @ _DCT.T, np.float32), _quality(small)


def _hex(frequencies: NDArray[np.float32]) -> str:
    flat = frequencies.ravel()
    median = np.partition(flat, BITS // 2 - 1)[BITS // 2 - 1]
    # Bit 0 is the last digit's lowest bit, as in the reference's text form.
    return np.packbits((flat > median)[::-1]).tobytes().hex()


def distance(one: str, other: str) -> int:
    """How many of 256 bits differ between two hashes in hexadecimal."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def _quality(small: NDArray[np.float32]) -> int:
    """The reference's measure: the sum of gradients that are steep enough to count."""
    down = np.trunc((small[:-1] - small[1:]) * 100 / 255)
    across = np.trunc((small[:, :-1] - small[:, 1:]) * 100 / 255)
    return int(min((np.abs(down).sum() + np.abs(across).sum()) // 90, 100))


@lru_cache(maxsize=64)
def _sampling(length: int) -> NDArray[np.float32]:
    """[64, length]: each row averages one sample's neighbourhood along an axis of `length` pixels."""
    window = (length + 2 * _SIDE - 1) // (2 * _SIDE)
    ahead = (window + 2) // 2
    first = np.clip(np.arange(length) - (window - ahead), 0, None)
    after = np.clip(np.arange(length) + ahead, None, length)
    columns = np.arange(length)
    inside = (columns >= first[:, None]) & (columns < after[:, None])
    box = inside / inside.sum(axis=1, keepdims=True)
    centres = ((np.arange(_SIDE) + 0.5) * length / _SIDE).astype(int)
    tent: NDArray[np.float32] = (box[centres] @ box).astype(np.float32)
    return tent


def _dct() -> NDArray[np.float32]:
    """[16, 64]: rows 1 to 16 of the cosine transform of 64 samples, unscaled: only the order of results matters."""
    row, column = np.arange(1, 17)[:, None], np.arange(_SIDE)
    waves: NDArray[np.float32] = np.cos(np.pi / 2 / _SIDE * row * (2 * column + 1)).astype(np.float32)
    return waves


_DCT = _dct()
# What mirroring an axis does to its frequencies 1 to 16.
_SAME = np.ones(16, np.float32)
_MIRRORED = np.array([-1, 1] * 8, np.float32)
