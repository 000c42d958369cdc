"""Covers the faces of a photo with coarse squares, and makes sure that no face is left to be found.

    picture ─ look for faces ─ cover each ─ encode ─ look again ─┬─ none left ──> the copy
                                   ^                             │
                                   └── larger and coarser there <┘ (at most LOOKS times)

A face far away is a few pixels of the whole photo, so it is looked for at several scales: in the whole photo, then in
overlapping tiles of it, each half as long as those before, down to tiles that the detector sees nearly as they are.

A face is covered by squares whose side is a share of the face's own size, whatever the photo's: few enough squares
that neither a person nor the detector recognises somebody. Every square is the mean of what it covers, so nothing finer
can be worked out from it. The copy is looked at as it will be shown, after the encoder.
"""

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pawcast.errors import Permanent
from pawcast.screening.detector import FaceBox
from pawcast.screening.intake import IntakeLimits
from pawcast.screening.rendition import jpeg, picture

Pixels = NDArray[np.uint8]

# The copy's longer side: twice what is ever shown. A face too small to be found in it is too small to be known.
LONGEST_SIDE: Final = 3200
QUALITY: Final = 90
# Tiles are made smaller until their longer side is at most this; the detector then shrinks them by half at most.
TILE_SIDE: Final = 960
# Neighbouring tiles share at least this much of their sides, so that a face on the border of one is whole in another.
TILE_OVERLAP: Final = 0.25
# A box of which more than this share lies in a larger one is the same face.
SAME_FACE: Final = 0.5


class Coat(NamedTuple):
    """How a face is covered: how much its box grows on each side, as a share of the box, and squares along the result.

    The longer side counts.
    """

    margin: float
    squares: int


# What a face gets at first (five squares across the face itself), and what it gets while it can still be found: a head
# of any kind on shoulders looks like a face from far away, until head and surroundings are one square.
COATS: Final = (Coat(0.30, 8), Coat(0.45, 5), Coat(0.60, 3), Coat(0.80, 1))
# How often a copy is looked at: every coat, and some more for faces that show only when others are covered.
LOOKS: Final = 6


class Detector(Protocol):
    """Finds faces."""

    def detect(self, rgb: Pixels) -> list[FaceBox]:
        """`rgb` is [H, W, 3]."""
        ...


class Region(NamedTuple):
    """A rectangle of pixels: left and top inside, right and bottom outside."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True)
class Covered:
    """A photo with its faces covered, as JPEG, and how many faces it had before."""

    content: bytes
    faces: int


class NoFaceFound(Permanent):
    """There is nothing to cover."""

    code = "mosaic_no_face"


class FaceStillFound(Permanent):
    """A face was found in the copy even under the last coat."""

    code = "mosaic_failed"


def cover_faces(data: bytes, detector: Detector, *, min_score: float, limits: IntakeLimits) -> Covered:
    """A copy of an upload, at most 3,200 pixels long, in which `detector` finds no face from `min_score`.

    Raises:
        UnreadablePhoto: the bytes are no photo that Pawcast takes.
        NoFaceFound: the photo has no face.
        FaceStillFound: a face stays to be found however coarsely it is covered.
    """
    original = picture(data, limits=limits, longest_side=LONGEST_SIDE)
    faces = find_faces(original, detector, min_score=min_score)
    if not faces:
        message = f"no face from a score of {min_score} in {original.shape[1]} x {original.shape[0]} pixels"
        raise NoFaceFound(message)
    coats = dict.fromkeys(faces, COATS[0])
    for _ in range(LOOKS):
        content = jpeg(covered(original, coats), quality=QUALITY)
        with Image.open(io.BytesIO(content)) as shown:
            left = find_faces(np.asarray(shown), detector, min_score=min_score)
        if not left:
            return Covered(content, len(faces))
        for face in left:
            _thicken(coats, face)
    message = f"{len(left)} faces can still be found after covering {len(coats)}"
    raise FaceStillFound(message)


def covered(original: Pixels, coats: Mapping[FaceBox, Coat]) -> Pixels:
    """`original` with every face covered by its coat."""
    copy = original.copy()
    height, width = original.shape[:2]
    for face, coat in coats.items():
        # Of the box as it was before the photo's border cut it: a face at the border gets no finer squares.
        longest = _longer_side(face) * (1 + 2 * coat.margin)
        pixelate(copy, grown(face, coat.margin, width, height), math.ceil(longest / coat.squares) + 1)
    return copy


def grown(face: FaceBox, margin: float, width: int, height: int) -> Region:
    """The face's box, each side moved outwards by `margin` of the box's longer side, within the photo."""
    more = margin * _longer_side(face)
    return Region(
        max(0, math.floor(face.x0 - more)),
        max(0, math.floor(face.y0 - more)),
        min(width, math.ceil(face.x1 + more)),
        min(height, math.ceil(face.y1 + more)),
    )


def pixelate(rgb: Pixels, region: Region, side: int) -> None:
    """Replace `region` of `rgb` [H, W, 3], in place, by squares of `side` pixels, each the mean of what it covers.

    The last squares of each direction are cut off by the region's border.
    """
    part = rgb[region.top : region.bottom, region.left : region.right]
    rows, columns = _starts(part.shape[0], side), _starts(part.shape[1], side)
    sums = np.add.reduceat(np.add.reduceat(part.astype(np.uint32), rows, axis=0), columns, axis=1)
    heights, widths = np.diff(rows, append=part.shape[0]), np.diff(columns, append=part.shape[1])
    means = np.rint(sums / (heights[:, None] * widths)[..., None]).astype(np.uint8)
    part[:] = means.repeat(heights, axis=0).repeat(widths, axis=1)


def find_faces(rgb: Pixels, detector: Detector, *, min_score: float) -> list[FaceBox]:
    """Faces of every size, each once, in pixels of `rgb`, largest first."""
    found: list[FaceBox] = []
    for tile in tiles(rgb.shape[1], rgb.shape[0]):
        part = np.ascontiguousarray(rgb[tile.top : tile.bottom, tile.left : tile.right])
        found += [
            FaceBox(box.x0 + tile.left, box.y0 + tile.top, box.x1 + tile.left, box.y1 + tile.top, box.score)
            for box in detector.detect(part)
            if box.score >= min_score
        ]
    return _distinct(found)


def tiles(width: int, height: int) -> Iterator[Region]:
    """The whole photo, then ever smaller tiles, each set of which covers it with overlaps."""
    parts = 1
    while True:
        for top, bottom in _spans(height, parts):
            for left, right in _spans(width, parts):
                yield Region(left, top, right, bottom)
        if max(width, height) <= TILE_SIDE * parts:
            return
        parts *= 2


def _spans(length: int, parts: int) -> Sequence[tuple[int, int]]:
    """Spans of a `parts`-th of `length` that cover it with at least TILE_OVERLAP; begins are evenly spaced."""
    span = math.ceil(length / parts)
    count = math.ceil((length - span) / (span * (1 - TILE_OVERLAP))) + 1
    return [(start, start + span) for start in np.linspace(0, length - span, count).round().astype(int).tolist()]


def _distinct(found: Sequence[FaceBox]) -> list[FaceBox]:
    """Of boxes that are mostly one within the other the largest: a tile may have seen a part of a face only."""
    kept: list[FaceBox] = []
    for face in sorted(found, key=_area, reverse=True):
        if all(_shared(face, other) <= SAME_FACE * _area(face) for other in kept):
            kept.append(face)
    return kept


def _thicken(coats: dict[FaceBox, Coat], found: FaceBox) -> None:
    """The next coat for every face under whose coat `found` has its centre; otherwise it is a face of its own."""
    x, y = (found.x0 + found.x1) / 2, (found.y0 + found.y1) / 2
    known = [face for face, coat in coats.items() if _reaches(face, coat, x, y)]
    for face in known:
        coats[face] = COATS[min(COATS.index(coats[face]) + 1, len(COATS) - 1)]
    if not known:
        coats[found] = COATS[0]


def _reaches(face: FaceBox, coat: Coat, x: float, y: float) -> bool:
    more = coat.margin * _longer_side(face)
    return face.x0 - more <= x <= face.x1 + more and face.y0 - more <= y <= face.y1 + more


def _area(face: FaceBox) -> float:
    return (face.x1 - face.x0) * (face.y1 - face.y0)


def _shared(one: FaceBox, other: FaceBox) -> float:
    """The area that two boxes share."""
    width = min(one.x1, other.x1) - max(one.x0, other.x0)
    height = min(one.y1, other.y1) - max(one.y0, other.y0)
    return max(width, 0) * max(height, 0)


def _longer_side(face: FaceBox) -> float:
    return max(face.x1 - face.x0, face.y1 - face.y0)


def _starts(length: int, side: int) -> NDArray[np.intp]:
    return np.arange(0, length, side)
