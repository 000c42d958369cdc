"""The picture that is shown: web-size, upright, sRGB, and free of everything that is not pixels.

Photos carry where they were taken, with which device and sometimes whom they show. A rendition is encoded from bare
pixels, so none of that can come along.
"""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from pawcast.screening.intake import IntakeLimits, decode

LONGEST_SIDE = 1600
QUALITY = 82


def render(data: bytes, *, limits: IntakeLimits) -> bytes:
    """A JPEG of an upload, at most 1,600 pixels long.

    Raises:
        UnreadablePhoto: the bytes are no photo that Pawcast takes.
    """
    return jpeg(picture(data, limits=limits, longest_side=LONGEST_SIDE), quality=QUALITY)


def picture(data: bytes, *, limits: IntakeLimits, longest_side: int) -> NDArray[np.uint8]:
    """The bare pixels of an upload: upright, sRGB, [H, W, 3], neither side longer than `longest_side`.

    Raises:
        UnreadablePhoto: the bytes are no photo that Pawcast takes.
    """
    decoded = decode(data, limits=limits, side=longest_side)
    # `thumbnail` keeps the aspect and never enlarges; a gap of 2 lets it shrink coarsely first.
    image = decoded.image
    image.thumbnail((longest_side, longest_side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    if decoded.icc_profile is not None:
        image = _to_srgb(image, decoded.icc_profile)
    return np.asarray(image)


def jpeg(rgb: NDArray[np.uint8], *, quality: int) -> bytes:
    """Pixels as a progressive JPEG. From a bare array: an Image would hand on its comments and profiles."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", quality=quality, progressive=True)
    return file.getvalue()


def _to_srgb(image: Image.Image, icc_profile: bytes) -> Image.Image:
    """Colours as they were meant (phones use Display P3). A profile that can't be used is ignored, as browsers do."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image
    return converted or image
