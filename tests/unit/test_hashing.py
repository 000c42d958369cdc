"""PDQ: the reference's bits, and how near copies stay.

`tests/golden/pdq.json` was made by `pdqhash` 0.2.8 (Meta's C++ code) from `tests.support.pictures.scene`.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pawcast.screening.banks import MATCH_BITS
from pawcast.screening.hashing import distance, pdq, pdq_variants
from pawcast.screening.intake import IntakeLimits, open_photo
from tests.support.pictures import encoded, scene

# As `pdq_variants` has them: mirrored left to right, upside down, both; then the same of the transposed picture.
ORIENTATIONS = {
    "as it is": lambda rgb: rgb,
    "mirrored": lambda rgb: rgb[:, ::-1],
    "upside down": lambda rgb: rgb[::-1],
    "half a turn": lambda rgb: rgb[::-1, ::-1],
    "transposed": lambda rgb: rgb.transpose(1, 0, 2),
    "a quarter to the right": lambda rgb: rgb.transpose(1, 0, 2)[:, ::-1],
    "a quarter to the left": lambda rgb: rgb.transpose(1, 0, 2)[::-1],
    "transposed the other way": lambda rgb: rgb.transpose(1, 0, 2)[::-1, ::-1],
}
GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "pdq.json").read_text())
SOURCE = scene(11, 1200, 900)


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: f"{case['width']}x{case['height']}")
def test_hash_and_quality_are_the_references(case: dict[str, int | str]) -> None:
    found = pdq(scene(int(case["seed"]), int(case["width"]), int(case["height"])))

    # Two bits of leave: the reference sums in float32 in another order, so a frequency at the median may fall over.
    assert distance(str(case["hex"]), found.hex) <= 2
    assert abs(int(case["quality"]) - found.quality) <= 1


def slow_box(line: np.ndarray, window: int) -> np.ndarray:
    """The reference's moving average along one line, as its comment draws it."""
    ahead = (window + 2) // 2
    return np.array([line[max(0, i - (window - ahead)) : min(len(line), i + ahead)].mean() for i in range(len(line))])


def test_the_sampling_matrix_is_two_moving_averages_and_a_choice_of_centres() -> None:
    from pawcast.screening.hashing import _sampling

    line = np.random.default_rng(0).uniform(0, 255, 301)
    window = (301 + 127) // 128
    slow = slow_box(slow_box(line, window), window)[[int((k + 0.5) * 301 / 64) for k in range(64)]]

    np.testing.assert_allclose(_sampling(301) @ line.astype(np.float32), slow, rtol=1e-4)


@pytest.mark.parametrize(
    "copy",
    [
        pytest.param(Image.fromarray(SOURCE).resize((600, 450)), id="half size"),
        pytest.param(Image.fromarray(SOURCE).resize((200, 150)), id="a sixth of the size"),
        pytest.param(Image.fromarray(SOURCE).resize((1800, 1350)), id="enlarged"),
    ],
)
@pytest.mark.parametrize("quality", [95, 30])
def test_a_resized_and_recompressed_copy_matches(copy: Image.Image, quality: int) -> None:
    photo = open_photo(encoded(copy, quality=quality), limits=IntakeLimits())

    assert distance(pdq(SOURCE).hex, pdq(photo.rgb).hex) <= MATCH_BITS


def test_a_scaled_decode_gives_nearly_the_hash_of_a_full_one() -> None:
    data = encoded(scene(12, 4000, 3000), quality=90)
    scaled = open_photo(data, limits=IntakeLimits())
    full = open_photo(data, limits=IntakeLimits(working_side=4000))

    assert (True, False) == (scaled.scaled, full.scaled)
    assert distance(pdq(scaled.rgb).hex, pdq(full.rgb).hex) <= 8


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_different_pictures_do_not_match(one: int, other: int) -> None:
    if one == other:
        return

    assert distance(pdq(scene(one)).hex, pdq(scene(other)).hex) > MATCH_BITS


def test_a_flat_picture_has_no_quality_to_match_by() -> None:
    assert 0 == pdq(np.full((100, 100, 3), 128, np.uint8)).quality


@pytest.mark.parametrize("number", range(8), ids=list(ORIENTATIONS))
def test_each_orientation_has_the_hash_of_the_picture_that_was_really_turned(number: int) -> None:
    # Five pixels for each sample: the samples lie in the same places from either end, so nothing is approximate.
    square = scene(13, 320, 320)
    turned = list(ORIENTATIONS.values())[number](square)

    variant = pdq_variants(square)[number]

    # Two bits of leave, as above.
    assert distance(pdq(np.ascontiguousarray(turned)).hex, variant.hex) <= 2


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 1000), st.integers(300, 900), st.integers(300, 900), st.sampled_from(sorted(ORIENTATIONS)))
def test_a_turned_copy_of_any_size_matches_in_some_orientation(seed: int, width: int, height: int, way: str) -> None:
    picture = scene(seed, width, height)
    copy = np.ascontiguousarray(ORIENTATIONS[way](picture))

    nearest = min(distance(pdq(picture).hex, variant.hex) for variant in pdq_variants(copy))

    assert nearest <= MATCH_BITS


def test_the_eight_orientations_of_a_picture_are_unlike_each_other() -> None:
    variants = pdq_variants(SOURCE)

    apart = [distance(one.hex, other.hex) for row, one in enumerate(variants) for other in variants[:row]]

    assert (8, pdq(SOURCE), True) == (len(variants), variants[0], min(apart) > MATCH_BITS)


def test_half_of_the_bits_are_set() -> None:
    assert 128 == int(pdq(SOURCE).hex, 16).bit_count()
