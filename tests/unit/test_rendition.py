"""The picture that is shown carries pixels and nothing else."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from pawcast import errors
from pawcast.screening.intake import IntakeLimits
from pawcast.screening.rendition import LONGEST_SIDE, render
from tests.support.pictures import corners, encoded, heic, scene

LIMITS = IntakeLimits()
GPS = 0x8825


def shown(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def loaded_photo() -> bytes:
    """A photo with place, camera, comment, profile and XMP."""
    exif = Image.Exif()
    exif[0x010F] = "SecretCam"
    exif[0x0112] = 6
    exif[GPS] = {1: "N", 2: (37.0, 33.0, 59.0)}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp = b"<x:xmpmeta>SecretPlace</x:xmpmeta>"
    return encoded(scene(), exif=exif, comment=b"SecretWords", icc_profile=profile, xmp=xmp)


def markers(jpeg: bytes) -> set[int]:
    """The markers before the pixels."""
    found, position = set(), 2
    while jpeg[position + 1] != 0xDA:
        found.add(jpeg[position + 1])
        position += 2 + int.from_bytes(jpeg[position + 2 : position + 4])
    return found


def test_no_metadata_is_left() -> None:
    rendition = render(loaded_photo(), limits=LIMITS)

    assert b"Secret" not in rendition
    assert not {marker for marker in markers(rendition) if 0xE1 <= marker <= 0xEF or marker == 0xFE}


def test_it_is_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6

    image = shown(render(encoded(corners(), quality=95, exif=exif), limits=LIMITS))

    assert (40, 60) == image.size
    assert np.abs(np.asarray(image).astype(int) - np.rot90(corners(), -1)).mean() < 12


@pytest.mark.parametrize(
    ("width", "height", "size"), [(4000, 3000, (1600, 1200)), (300, 200, (300, 200)), (1000, 3300, (485, 1600))]
)
def test_it_is_web_size_and_never_enlarged(width: int, height: int, size: tuple[int, int]) -> None:
    image = shown(render(encoded(scene(1, width, height)), limits=LIMITS))

    assert size == image.size
    assert max(image.size) <= LONGEST_SIDE


@pytest.mark.parametrize(
    "data", [encoded(scene(), "PNG"), encoded(scene(), "WEBP"), heic(scene())], ids=["png", "webp", "heic"]
)
def test_every_format_is_shown_as_jpeg(data: bytes) -> None:
    image = shown(render(data, limits=LIMITS))

    assert ("JPEG", "RGB") == (image.format, image.mode)


def test_colours_of_another_profile_are_brought_to_srgb() -> None:
    gray = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))  # no RGB profile: can't be used, so it is ignored
    plain = render(encoded(scene(), "PNG"), limits=LIMITS)

    assert plain == render(encoded(scene(), "PNG", icc_profile=gray.tobytes()), limits=LIMITS)
    assert plain == render(encoded(scene(), "PNG", icc_profile=b"damaged"), limits=LIMITS)


def test_what_is_no_photo_has_no_rendition() -> None:
    with pytest.raises(errors.TruncatedImage):
        render(loaded_photo()[:2000], limits=LIMITS)
