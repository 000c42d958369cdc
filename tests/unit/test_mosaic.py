"""Faces are covered so that nobody finds them, and nothing else changes."""

import io
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from pawcast import errors
from pawcast.screening.detector import FaceBox, FaceDetector
from pawcast.screening.intake import IntakeLimits
from pawcast.screening.mosaic import (
    COATS,
    LONGEST_SIDE,
    TILE_OVERLAP,
    TILE_SIDE,
    Coat,
    FaceStillFound,
    NoFaceFound,
    Pixels,
    Region,
    cover_faces,
    covered,
    find_faces,
    grown,
    pixelate,
    tiles,
)
from pawcast_ops.demo import scenes
from pawcast_ops.demo.sources import cut_out
from pawcast_ops.publishing import SourceMissing, find_centerface
from pawcast_ops.training.graph import build_detector
from tests.support.pictures import corners, encoded, scene

LIMITS = IntakeLimits()
MIN_SCORE = 0.3
GPS = 0x8825


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    try:
        return FaceDetector(build_detector(find_centerface(None).model), input_side=640)
    except SourceMissing as error:
        pytest.skip(f"needs the real network: {error}")


class Stubborn:
    """Finds what it is told to, whatever it is shown: one answer for each look at a whole photo of one tile."""

    def __init__(self, *answers: list[FaceBox]) -> None:
        self.answers = list(answers)
        self.seen: list[Pixels] = []

    def detect(self, rgb: Pixels) -> list[FaceBox]:
        self.seen.append(rgb)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def pixels_of(content: bytes) -> Pixels:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


def box(x0: float, y0: float, x1: float, y1: float, score: float = 0.9) -> FaceBox:
    return FaceBox(x0, y0, x1, y1, score)


FACE = box(100, 80, 140, 120)


# ---------------------------------------------------------------- with the real detector


PEOPLE: dict[str, Callable[[], Image.Image]] = {
    "a portrait": lambda: Image.fromarray(data.astronaut()),
    "a person beside a cat": scenes.person_beside_cat,
    "a small face far away": scenes.small_face_far_away,
    "a face half hidden": scenes.face_half_hidden,
    "a face in a mirror": scenes.face_in_mirror,
    "a poster": scenes.poster_on_wall,
}


@pytest.mark.parametrize("name", PEOPLE)
def test_no_face_is_found_in_the_copy(name: str, detector: FaceDetector) -> None:
    photo = encoded(PEOPLE[name](), quality=92)

    copy = cover_faces(photo, detector, min_score=MIN_SCORE, limits=LIMITS)

    assert [] == find_faces(pixels_of(copy.content), detector, min_score=MIN_SCORE)
    assert 1 == copy.faces


def test_the_face_is_really_changed_and_the_rest_is_not(detector: FaceDetector) -> None:
    photo = encoded(data.astronaut(), "PNG")
    (face,) = find_faces(data.astronaut(), detector, min_score=MIN_SCORE)

    copy = pixels_of(cover_faces(photo, detector, min_score=MIN_SCORE, limits=LIMITS).content)

    change = np.abs(copy.astype(int) - data.astronaut()).mean(axis=2)
    inside = np.zeros(change.shape, bool)
    inside[math.floor(face.y0) : math.ceil(face.y1), math.floor(face.x0) : math.ceil(face.x1)] = True
    near = grown(face, COATS[0].margin + 0.2, 512, 512)
    outside = np.ones(change.shape, bool)
    outside[near.top : near.bottom, near.left : near.right] = False
    assert change[inside].mean() > 15
    assert change[outside].mean() < 3
    assert change[outside].max() < 40


def test_no_detail_of_a_face_is_left_within_a_square(detector: FaceDetector) -> None:
    (face,) = find_faces(data.astronaut(), detector, min_score=MIN_SCORE)

    copy = covered(data.astronaut(), {face: COATS[0]})

    part = copy[math.floor(face.y0) : math.ceil(face.y1), math.floor(face.x0) : math.ceil(face.x1)]
    colours = np.unique(part.reshape(-1, 3), axis=0)
    assert len(colours) <= 7 * 7


def test_a_photo_of_a_cat_has_nothing_to_cover(detector: FaceDetector) -> None:
    with pytest.raises(NoFaceFound):
        cover_faces(encoded(scenes.cat_in_garden()), detector, min_score=MIN_SCORE, limits=LIMITS)


def test_a_face_too_small_for_one_look_is_found_in_a_tile(detector: FaceDetector) -> None:
    visitor = cut_out("astronaut", height=110)
    landscape = scenes.plain("palace").resize((3200, 2136))
    landscape.paste(visitor, (2200, 1926), visitor.getchannel("A"))
    photo = np.asarray(landscape)
    whole = [found for found in detector.detect(photo) if found.score >= MIN_SCORE]

    (face,) = find_faces(photo, detector, min_score=MIN_SCORE)

    assert [] == whole
    assert (2249, 1951) == pytest.approx(((face.x0 + face.x1) / 2, (face.y0 + face.y1) / 2), abs=8)
    assert 15 < face.x1 - face.x0 < 30


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_a_photo_that_lies_on_its_side_is_turned_before_faces_are_looked_for(
    orientation: int, detector: FaceDetector
) -> None:
    turns = {3: 2, 6: 1, 8: 3}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    lying = encoded(np.rot90(data.astronaut(), turns), quality=95, exif=exif)

    copy = cover_faces(lying, detector, min_score=MIN_SCORE, limits=LIMITS)

    assert 1 == copy.faces
    # Her suit, far from the face, lies where it lay in the upright photo.
    there = np.s_[300:500, 100:400]
    assert np.abs(pixels_of(copy.content)[there].astype(int) - data.astronaut()[there]).mean() < 6


# ---------------------------------------------------------------- looking again


def test_a_face_that_shows_through_is_covered_more_coarsely_until_it_does_not() -> None:
    stubborn = Stubborn([FACE], [FACE], [box(110, 90, 150, 130)], [])

    copy = cover_faces(encoded(scene()), stubborn, min_score=0.5, limits=LIMITS)

    colours = [len(np.unique(seen[85:115, 105:135] // 8)) for seen in stubborn.seen]
    assert 1 == copy.faces
    assert sorted(colours, reverse=True) == colours
    assert colours[0] > colours[-1]


def test_a_face_that_shows_only_when_others_are_covered_is_covered_too() -> None:
    second = box(220, 150, 260, 190)
    photo = scene()

    copy = cover_faces(encoded(photo, "PNG"), Stubborn([FACE], [second], []), min_score=0.5, limits=LIMITS)

    change = np.abs(pixels_of(copy.content).astype(int) - photo).mean(axis=2)
    assert min(change[80:120, 100:140].mean(), change[150:190, 220:260].mean()) > 2 * change[:60].mean()


def test_a_face_that_can_not_be_covered_is_said_so() -> None:
    with pytest.raises(FaceStillFound, match="1 faces can still be found after covering 1"):
        cover_faces(encoded(scene()), Stubborn([FACE]), min_score=0.5, limits=LIMITS)


def test_what_is_below_the_bar_is_no_face() -> None:
    faint = Stubborn([box(100, 80, 140, 120, score=0.49)])

    with pytest.raises(NoFaceFound):
        cover_faces(encoded(scene()), faint, min_score=0.5, limits=LIMITS)


def test_what_is_looked_at_again_is_the_encoded_copy() -> None:
    stubborn = Stubborn([FACE], [])

    copy = cover_faces(encoded(scene(), "PNG"), stubborn, min_score=0.5, limits=LIMITS)

    assert np.array_equal(pixels_of(copy.content), stubborn.seen[-1])


def test_the_copy_carries_pixels_only() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SecretCam"
    exif[GPS] = {1: "N", 2: (37.0, 33.0, 59.0)}
    photo = encoded(scene(), exif=exif, comment=b"SecretWords", xmp=b"<x:xmpmeta>SecretPlace</x:xmpmeta>")

    copy = cover_faces(photo, Stubborn([FACE], []), min_score=0.5, limits=LIMITS)

    with Image.open(io.BytesIO(copy.content)) as image:
        assert not image.getexif()
        assert {"exif", "icc_profile", "xmp", "comment"}.isdisjoint(image.info)
    assert b"Secret" not in copy.content


def test_a_large_photo_gets_a_copy_of_bounded_size() -> None:
    copy = cover_faces(encoded(scene(1, 3600, 450)), Stubborn([FACE], []), min_score=0.5, limits=LIMITS)

    assert (LONGEST_SIDE, LONGEST_SIDE // 8) == pixels_of(copy.content).shape[1::-1]


def test_damaged_bytes_are_no_photo() -> None:
    with pytest.raises(errors.UnreadablePhoto):
        cover_faces(encoded(scene())[:500], Stubborn([]), min_score=0.5, limits=LIMITS)


# ---------------------------------------------------------------- squares


def slow_squares(rgb: Pixels, region: Region, side: int) -> Pixels:
    """Square by square."""
    answer = rgb.copy()
    for top in range(region.top, region.bottom, side):
        for left in range(region.left, region.right, side):
            square = np.s_[top : min(top + side, region.bottom), left : min(left + side, region.right)]
            answer[square] = np.rint(rgb[square].reshape(-1, 3).mean(axis=0))
    return answer


@given(
    left=st.integers(0, 59),
    top=st.integers(0, 39),
    width=st.integers(1, 60),
    height=st.integers(1, 40),
    side=st.integers(1, 70),
)
@example(left=0, top=0, width=60, height=40, side=70)
def test_squares_are_the_means_of_what_they_cover(left: int, top: int, width: int, height: int, side: int) -> None:
    picture = scene(2, 60, 40)
    region = Region(left, top, min(60, left + width), min(40, top + height))

    ours = picture.copy()
    pixelate(ours, region, side)

    assert np.abs(ours.astype(int) - slow_squares(picture, region, side)).max() <= 1  # a mean of exactly one half


edges = st.floats(-30, 350, allow_nan=False, width=32)


@given(xs=st.tuples(edges, edges), ys=st.tuples(edges, edges), coat=st.sampled_from(COATS))
@example(xs=(0, 320), ys=(0, 240), coat=COATS[-1])
@example(xs=(319.5, 320), ys=(239.5, 240), coat=COATS[0])
def test_faces_at_the_border_are_covered_within_the_photo(
    xs: tuple[float, float], ys: tuple[float, float], coat: Coat
) -> None:
    x0, x1 = (min(max(x, 0), 320) for x in sorted(xs))
    y0, y1 = (min(max(y, 0), 240) for y in sorted(ys))
    if x1 - x0 < 0.5 or y1 - y0 < 0.5:
        return
    picture = scene(3)

    copy = covered(picture, {box(x0, y0, x1, y1): coat})

    region = grown(box(x0, y0, x1, y1), coat.margin, 320, 240)
    assert region.left <= x0 <= x1 <= region.right
    assert region.top <= y0 <= y1 <= region.bottom
    untouched = np.ones(picture.shape[:2], bool)
    untouched[region.top : region.bottom, region.left : region.right] = False
    assert np.array_equal(picture[untouched], copy[untouched])
    inside = copy[region.top : region.bottom, region.left : region.right].reshape(-1, 3)
    assert len(np.unique(inside, axis=0)) <= coat.squares**2


def test_the_last_coat_is_one_colour() -> None:
    copy = covered(scene(), {FACE: COATS[-1]})

    region = grown(FACE, COATS[-1].margin, 320, 240)
    assert 1 == len(np.unique(copy[region.top : region.bottom, region.left : region.right].reshape(-1, 3), axis=0))


def test_the_photo_itself_stays_as_it_is() -> None:
    picture = corners()

    covered(picture, {box(10, 10, 50, 30): COATS[0]})

    assert np.array_equal(corners(), picture)


# ---------------------------------------------------------------- tiles


@given(width=st.integers(32, 3200), height=st.integers(32, 3200))
@example(width=3200, height=32)
def test_every_set_of_tiles_covers_the_photo(width: int, height: int) -> None:
    sets: dict[tuple[int, int], list[Region]] = {}
    for tile in tiles(width, height):
        sets.setdefault((tile.right - tile.left, tile.bottom - tile.top), []).append(tile)

    for (wide, high), found in sets.items():
        for length, span, starts in (
            (width, wide, sorted({tile.left for tile in found})),
            (height, high, sorted({tile.top for tile in found})),
        ):
            assert (0, length - span) == (starts[0], starts[-1])
            steps = np.diff(starts)
            assert all(steps <= math.ceil(span * (1 - TILE_OVERLAP)))
    assert max(min(sets)) <= TILE_SIDE


def test_a_face_on_the_border_of_tiles_is_counted_once() -> None:
    class Finder:
        """Finds the part of one face that it sees."""

        def detect(self, rgb: Pixels) -> list[FaceBox]:
            bright = np.argwhere(rgb[..., 0] > 200)
            if not len(bright):
                return []
            (y0, x0), (y1, x1) = bright.min(axis=0), bright.max(axis=0) + 1
            return [box(float(x0), float(y0), float(x1), float(y1), 0.5 + len(bright) / 20000)]

    picture: Any = np.zeros((1200, 1600, 3), np.uint8)
    picture[560:660, 760:860] = 255

    (face,) = find_faces(picture, Finder(), min_score=0.5)

    assert (760, 560, 860, 660) == (face.x0, face.y0, face.x1, face.y1)
