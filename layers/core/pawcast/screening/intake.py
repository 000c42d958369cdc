"""Opens what was uploaded: bytes from anybody, decoded once, as small as the models need, or refused with a reason.

What a file is follows from its first bytes, never from its name or declared type. Sizes are checked in the header,
before a pixel is decoded, and decoders see the picture only, without its metadata (`pawcast.screening.container`).
Large JPEGs are decoded at a fraction of their size, which costs a fifth of a full decode.
Everything that Pillow and libheif throw at damaged or hostile bytes becomes one of the errors below `UnreadablePhoto`.
"""

import io
import struct
import warnings
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pillow_heif import HeifFile, open_heif

from pawcast.errors import (
    EmptyFile,
    NotAnImage,
    TooLarge,
    TooManyPixels,
    TooSmall,
    TruncatedImage,
    UnsupportedFormat,
)
from pawcast.screening.container import BarePicture, bare_jpeg, bare_png, bare_webp

Format = Literal["jpeg", "png", "webp", "heic"]

# Pillow would only warn, and only above 89 megapixels; `_check_size` refuses earlier and before decoding.
Image.MAX_IMAGE_PIXELS = None

# Pillow's name of each format that it decodes, and what takes the picture out of the file before.
_PILLOW: Final[dict[Format, tuple[str, Callable[[bytes], BarePicture]]]] = {
    "jpeg": ("JPEG", bare_jpeg),
    "png": ("PNG", bare_png),
    "webp": ("WEBP", bare_webp),
}
_HEVC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx"})
# Containers for pictures of any codec: the compatible brands tell which.
_HEIF_BRANDS = frozenset({b"mif1", b"msf1"})
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
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
    """What an upload may be.

    52 megapixels let the 50-megapixel phones in and keep a decoded PNG at 210 MB. libwebp and Pillow together hold a
    WebP four times, with 4 bytes a pixel: 26 megapixels let the 24-megapixel cameras in and take 420 MB.
    """

    max_bytes: int = 20 * 1024 * 1024
    max_pixels: int = 52_000_000
    max_webp_pixels: int = 26_000_000
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
        # Pillow warns of oddities in other people's files: noise in a log. Photos are decoded in one thread only.
        with warnings.catch_warnings(action="ignore"):
            source, turn, icc_profile = _open(data, kind)
            width, height = source.size
            _check_size(width, height, kind, limits)
            image = _small_rgb(source, side)
    except _DECODER_ERRORS as error:
        message = f"the {kind} data can't be decoded: {type(error).__name__}"
        raise TruncatedImage(message) from error
    if turn is not None:
        image = image.transpose(turn)
        width, height = (height, width) if turn in _SWAPS_SIDES else (width, height)
    return Decoded(image, width, height, kind, icc_profile)


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
    brands = _brands(data)
    avif = not _AVIF_BRANDS.isdisjoint(brands)
    if brands and (brands[0] in _HEVC_BRANDS or (brands[0] in _HEIF_BRANDS and not avif)):
        return "heic"
    if avif or head.startswith(_OTHER_IMAGES) or b"<svg" in data[:1024]:
        message = "an image, but neither JPEG, PNG, WebP nor HEIC"
        raise UnsupportedFormat(message)
    message = "the bytes begin like no image format"
    raise NotAnImage(message)


def _brands(data: bytes) -> list[bytes]:
    """What a file of HEIF's family says it is: the major brand, then the compatible ones; empty for other files."""
    if data[4:8] != b"ftyp":
        return []
    # Four bytes of version stand between the brands; real files have less than twenty.
    end = min(int.from_bytes(data[:4]), 256)
    return [data[8:12], *(data[start : start + 4] for start in range(16, end, 4))]


def _open(data: bytes, kind: Format) -> "tuple[Image.Image | HeifFile, Image.Transpose | None, bytes | None]":
    """The picture with only its header read, how to turn it upright, and its colour profile.

    Nothing but the decoder of its own format gets to see the bytes.
    """
    if kind == "heic":
        # libheif turns pictures itself; every other decoder leaves it to EXIF.
        heif = open_heif(io.BytesIO(data), convert_hdr_to_8bit=True)
        profile = heif.info.get("icc_profile")
        return heif, None, profile if isinstance(profile, bytes) else None
    plugin, bare = _PILLOW[kind]
    picture = bare(data)
    image = Image.open(io.BytesIO(picture.file), formats=[plugin])
    return image, _UPRIGHT.get(picture.orientation), picture.icc_profile


def _check_size(width: int, height: int, kind: Format, limits: IntakeLimits) -> None:
    most = min(limits.max_pixels, limits.max_webp_pixels) if kind == "webp" else limits.max_pixels
    if width * height > most or max(width, height) > limits.max_side:
        message = f"{width} x {height} pixels, at most {most:,} and {limits.max_side:,} a side are allowed in {kind}"
        raise TooManyPixels(message)
    if min(width, height) < limits.min_side:
        message = f"{width} x {height} pixels, each side needs at least {limits.min_side}"
        raise TooSmall(message)


def _small_rgb(source: "Image.Image | HeifFile", side: int) -> Image.Image:
    """Decode, shrink by a whole number while the longer side stays at least `side`, and convert to RGB."""
    image = source.to_pillow() if isinstance(source, HeifFile) else source
    scale = max(max(image.size) // side, 1)
    if image.format == "JPEG":
        # libjpeg decodes at 1/2, 1/4, 1/8 and rounds sides up. Pillow takes the scale from the size asked for, rounded
        # down: a size rounded up, or of another aspect, gets it one scale too large.
        step = next((step for step in (8, 4, 2) if -(-max(image.size) // step) >= side), 1)
        image.draft(None, (image.width // step, image.height // step))
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
