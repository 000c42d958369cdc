"""Opens what was uploaded: bytes from anybody, decoded once, as small as the models need, or refused with a reason.

What a file is follows from its first bytes, never from its name or declared type. Sizes are checked in the header,
before a pixel is decoded. Large JPEGs are decoded at a fraction of their size, which costs a fifth of a full decode.
Everything that Pillow and libheif throw at damaged or hostile bytes becomes one of the errors below `UnreadablePhoto`.
"""

import io
import math
import struct
import warnings
import zlib
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pillow_heif import HeifFile, open_heif

from pawcast.errors import (
    AnimatedImage,
    EmptyFile,
    NotAnImage,
    TooLarge,
    TooManyPixels,
    TooSmall,
    TruncatedImage,
    UnsupportedFormat,
)

Format = Literal["jpeg", "png", "webp", "heic"]

# Pillow would only warn, and only above 89 megapixels; `_check_size` refuses earlier and before decoding.
Image.MAX_IMAGE_PIXELS = None

_PLUGINS: Final[dict[Format, str]] = {"jpeg": "JPEG", "png": "PNG", "webp": "WEBP"}
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_OTHER_IMAGES = (
    b"GIF8",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"8BPS",
    b"\0\0\1\0",
    b"\xff\x0a",
    b"\0\0\0\x0cJXL ",
    b"\0\0\0\x0cjP  ",
)
_ORIENTATION_TAG = 0x0112
_UPRIGHT: Final[dict[int, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SWAPS_SIDES = frozenset(
    {Image.Transpose.TRANSPOSE, Image.Transpose.TRANSVERSE, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_270}
)
# What decoders raise on damaged bytes: they index, unpack and convert what they read.
_DECODER_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    RuntimeError,
    LookupError,
    TypeError,
    ArithmeticError,
    AttributeError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True)
class IntakeLimits:
    """What an upload may be. 52 megapixels let the 50-megapixel phones in and keep a decoded PNG at 210 MB."""

    max_bytes: int = 20 * 1024 * 1024
    max_pixels: int = 52_000_000
    max_side: int = 16_384
    min_side: int = 32
    working_side: int = 480


@dataclass(frozen=True)
class Photo:
    """A photo as the models see it: uint8 [H, W, 3], upright, transparency on white.

    `width` and `height` are those of the upright original; `scaled` tells that `rgb` is smaller. Its longer side is at
    least the working side, unless the original's is not.
    """

    rgb: NDArray[np.uint8]
    width: int
    height: int
    format: Format
    scaled: bool


@dataclass(frozen=True)
class Decoded:
    """A decoded picture: upright RGB, and the colour profile that its numbers are in, if the file carried one."""

    image: Image.Image
    width: int
    height: int
    format: Format
    icc_profile: bytes | None


def open_photo(data: bytes, *, limits: IntakeLimits) -> Photo:
    """Decode an upload for hash and models.

    Raises:
        UnreadablePhoto: one of its subclasses, by what is wrong with the bytes.
    """
    decoded = decode(data, limits=limits, side=limits.working_side)
    rgb = np.asarray(decoded.image)
    scaled = rgb.shape[:2] != (decoded.height, decoded.width)
    return Photo(rgb, decoded.width, decoded.height, decoded.format, scaled)


def decode(data: bytes, *, limits: IntakeLimits, side: int) -> Decoded:
    """Decode an upload at the smallest cheap scale whose longer side is at least `side` pixels.

    Raises:
        UnreadablePhoto: one of its subclasses, by what is wrong with the bytes.
    """
    if not data:
        message = "the file has no bytes"
        raise EmptyFile(message)
    if len(data) > limits.max_bytes:
        message = f"the file has {len(data):,} bytes, at most {limits.max_bytes:,} are allowed"
        raise TooLarge(message)
    kind = format_of(data)
    try:
        # Pillow warns of every oddity in other people's EXIF: noise in a log. Photos are decoded in one thread only.
        with warnings.catch_warnings(action="ignore"):
            source = _open(data, kind)
            width, height = source.size
            _check_size(width, height, limits)
            # libheif turns pictures itself; every other decoder leaves it to EXIF.
            turn = None if isinstance(source, HeifFile) else _turn(source)
            icc_profile = source.info.get("icc_profile")
            image = _small_rgb(source, side)
    except _DECODER_ERRORS as error:
        message = f"the {kind} data can't be decoded: {type(error).__name__}"
        raise TruncatedImage(message) from error
    if turn is not None:
        image = image.transpose(turn)
        width, height = (height, width) if turn in _SWAPS_SIDES else (width, height)
    return Decoded(image, width, height, kind, icc_profile if isinstance(icc_profile, bytes) else None)


def format_of(data: bytes) -> Format:
    """The format that the first bytes show.

    Raises:
        UnsupportedFormat: an image of another kind.
        NotAnImage: nothing that looks like an image.
    """
    head = data[:32]
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
        return "heic"
    if head.startswith(_OTHER_IMAGES) or head[4:12] == b"ftypavif" or b"<svg" in data[:1024]:
        message = "an image, but neither JPEG, PNG, WebP nor HEIC"
        raise UnsupportedFormat(message)
    message = "the bytes begin like no image format"
    raise NotAnImage(message)


def _open(data: bytes, kind: Format) -> "Image.Image | HeifFile":
    """The picture with only its header read. Nothing but the decoder of its own format gets to see the bytes."""
    if kind == "heic":
        return open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
    image = Image.open(io.BytesIO(data), formats=[_PLUGINS[kind]])
    # Phones append pictures to a JPEG (MPO): the first is the photo. In PNG and WebP frames are an animation.
    if kind != "jpeg" and getattr(image, "n_frames", 1) > 1:
        message = "the picture has more than one frame"
        raise AnimatedImage(message)
    return image


def _check_size(width: int, height: int, limits: IntakeLimits) -> None:
    if width * height > limits.max_pixels or max(width, height) > limits.max_side:
        message = f"{width} x {height} pixels, at most {limits.max_pixels:,} and {limits.max_side:,} a side are allowed"
        raise TooManyPixels(message)
    if min(width, height) < limits.min_side:
        message = f"{width} x {height} pixels, each side needs at least {limits.min_side}"
        raise TooSmall(message)


def _turn(image: Image.Image) -> Image.Transpose | None:
    """How to turn the picture upright. Damaged EXIF says nothing, and is no reason to refuse a good picture."""
    try:
        return _UPRIGHT.get(image.getexif().get(_ORIENTATION_TAG, 1))
    except _DECODER_ERRORS:
        return None


def _small_rgb(source: "Image.Image | HeifFile", side: int) -> Image.Image:
    """Decode, shrink by a whole number while the longer side stays at least `side`, and convert to RGB."""
    image = source.to_pillow() if isinstance(source, HeifFile) else source
    scale = max(max(image.size) // side, 1)
    if image.format in ("JPEG", "MPO"):
        # libjpeg decodes at 1/2, 1/4, 1/8. The size asked for must have the photo's own aspect, or it stops at half.
        step = next((step for step in (8, 4, 2) if step <= scale), 1)
        image.draft(None, (math.ceil(image.width / step), math.ceil(image.height / step)))
        scale = 1
    image.load()
    if image.mode.startswith("I"):
        image = _sixteen_bit(image)
    if image.mode == "P" or "transparency" in image.info:
        image = image.convert("RGBA")
    if scale > 1:
        image = image.reduce(scale)
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return image.convert("RGB")


def _sixteen_bit(image: Image.Image) -> Image.Image:
    """16-bit gray as 8-bit: Pillow's own conversion would clip instead of scale."""
    return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
