"""Takes the picture out of its file, before a decoder sees any of it.

A JPEG, PNG or WebP is a row of parts, each with its length. Decoders read all of them, and hostile files make them pay:
EXIF with a million values, texts that unpack to gigabytes, thousands of scans. Here the parts are walked once, by their
lengths. The decoder gets a new file of the same format that holds only what makes pixels; orientation and colour
profile are read apart, and every other part is stepped over without a look at its content.

What is damaged beyond walking is left to the decoder to refuse, or raises `struct.error` and `IndexError`, which
`pawcast.screening.intake` takes for damage. To read one more kind of metadata, find its part in one of the three walks.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from pawcast.errors import AnimatedImage, TruncatedImage

# Parts in a file: the largest honest number is that of PNGs saved in rows, some thousands. A walk takes 0.1 s at most.
MAX_PARTS: Final = 65_536
# Bytes of tables before a JPEG's first scan: encoders write 1 to 2 KB, and Pillow reads them in Python.
MAX_TABLES: Final = 65_536
# Scans of a JPEG: encoders write up to 18, scan optimisers some more. Each costs a pass over all pixels, even if empty.
MAX_SCANS: Final = 64
# Pixels of all scans together: 52 megapixels in 20 scans.
MAX_SCANNED_PIXELS: Final = 1_040_000_000
# Bytes of a colour profile, unpacked: those of printing presses have 0.5 to 3 MB. Larger ones are left out.
MAX_PROFILE: Final = 8 * 1024 * 1024

_ORIENTATION_TAG = 0x0112
_BYTE_ORDERS = {b"II*\0": "<", b"MM\0*": ">"}
_ORIENTATION_TYPES = {3: "H", 4: "I"}

# In compressed data 0xFF is followed by 0 or a restart marker; 0xFF itself may be repeated before a marker.
_JPEG_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd8-\xfe]")
_SOI, _EOI, _SOS = 0xD8, 0xD9, 0xDA
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
# Tables, restart interval and number of lines, beside the frames.
_JPEG_TABLES = frozenset({0xC4, 0xCC, 0xDB, 0xDC, 0xDD})
_JFIF = b"\xff\xe0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0"
_PNG_PIXELS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_WEBP_PIXELS = frozenset({b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF"})
_WEBP_METADATA_FLAGS = 0x20 | 0x08 | 0x04  # profile, EXIF, XMP


@dataclass(frozen=True)
class BarePicture:
    """A file of the same format without metadata; orientation as in EXIF, 1 (upright) to 8; colour profile if any."""

    file: bytes
    orientation: int
    icc_profile: bytes | None


def bare_jpeg(data: bytes) -> BarePicture:
    """The first picture of a JPEG; phones append others.

    Raises:
        TruncatedImage: no scan, or more parts, tables or scans than encoders write.
    """
    tables: list[bytes] = []
    colours: dict[int, bytes] = {}
    exif, profile = b"", []
    frame, frame_marker = b"", 0
    for marker, start, end in _jpeg_segments(data):
        if marker == _SOS:
            break
        if marker in _FRAMES or marker in _JPEG_TABLES:
            tables.append(data[start - 4 : end])
        if marker in _FRAMES:
            frame, frame_marker = data[start:end], marker
        elif marker == _APP0 and data.startswith(b"JFIF\0", start):
            colours[marker] = _JFIF
        elif marker == _APP14 and data.startswith(b"Adobe", start) and end - start >= 12:
            colours[marker] = b"\xff\xee\x00\x0e" + data[start : start + 12]
        elif marker == _APP1 and not exif and data.startswith(b"Exif\0\0", start):
            exif = data[start:end]
        elif marker == _APP2 and data.startswith(b"ICC_PROFILE\0", start):
            profile.append(data[start + 12 : end])
    else:
        message = "the JPEG ends before its first scan"
        raise TruncatedImage(message)
    if sum(map(len, tables)) > MAX_TABLES:
        message = f"the JPEG's tables have more than {MAX_TABLES:,} bytes"
        raise TruncatedImage(message)
    # A first scan without all the colours means that there are more scans, in sequential JPEGs too.
    if frame_marker in _PROGRESSIVE or data[start] < frame[5]:
        height, width = struct.unpack_from(">HH", frame, 1)
        _check_scans(data, end, width * height)
    file = b"".join([data[:2], *colours.values(), *tables, memoryview(data)[start - 4 :]])
    return BarePicture(file, _orientation(exif), _joined(profile))


def bare_png(data: bytes) -> BarePicture:
    """The picture of a PNG.

    Raises:
        AnimatedImage: there is more than one.
        TruncatedImage: more parts than encoders write.
    """
    pixels: list[bytes | memoryview] = [data[:8]]
    exif, profile = b"", b""
    for kind, start, end in _chunks(data, 8, len(data), ">I4s", 4):
        if kind in _PNG_PIXELS:
            pixels.append(memoryview(data)[start - 8 : end + 4])
        elif kind == b"fdAT" or (kind == b"acTL" and data[start : start + 4] > b"\0\0\0\1"):
            message = "the PNG has more than one frame"
            raise AnimatedImage(message)
        elif kind == b"eXIf" and not exif:
            exif = data[start:end]
        elif kind == b"iCCP" and not profile:
            profile = data[start:end]
    return BarePicture(b"".join(pixels), _orientation(exif), _unpacked(profile))


def bare_webp(data: bytes) -> BarePicture:
    """The picture of a WebP.

    Raises:
        AnimatedImage: there is more than one.
        TruncatedImage: more parts than encoders write.
    """
    pixels: list[bytes | memoryview] = []
    exif, profile, frames = b"", b"", 0
    (size,) = struct.unpack_from("<I", data, 4)
    for kind, start, end in _chunks(data, 12, min(len(data), 8 + size), "<4sI", 0):
        if kind == b"VP8X":
            flags = data[start] & ~_WEBP_METADATA_FLAGS
            pixels.append(data[start - 8 : start] + bytes([flags]) + data[start + 1 : end])
        elif kind in _WEBP_PIXELS:
            pixels.append(memoryview(data)[start - 8 : end + (end - start) % 2])
        elif kind == b"EXIF" and not exif:
            exif = data[start:end]
        elif kind == b"ICCP" and not profile:
            profile = data[start:end]
        frames += kind == b"ANMF"
        if frames > 1:
            message = "the WebP has more than one frame"
            raise AnimatedImage(message)
    size = 4 + sum(map(len, pixels))
    file = b"".join([b"RIFF", struct.pack("<I", size), b"WEBP", *pixels])
    return BarePicture(file, _orientation(exif), profile if 0 < len(profile) <= MAX_PROFILE else None)


def _jpeg_segments(data: bytes, position: int = 2) -> Iterator[tuple[int, int, int]]:
    """Marker, start of content and end of each segment, up to the end of the picture; what lies between is skipped."""
    for _ in range(MAX_PARTS):
        found = _JPEG_MARKER.search(data, position)
        if found is None:
            return
        position = found.end()
        marker = data[position - 1]
        if marker == _EOI:
            return
        if marker != _SOI:
            start = position + 2
            position += max(int.from_bytes(data[position:start]), 2)
            yield marker, start, position
    raise _too_many_parts()


def _chunks(data: bytes, position: int, stop: int, header: str, behind: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of the content of each chunk of a PNG or WebP.

    `header` is the struct of length and kind in the format's order; `behind` is the size of what follows the content.
    """
    for _ in range(MAX_PARTS):
        if position + 8 > stop:
            return
        first, second = struct.unpack_from(header, data, position)
        kind, length = (second, first) if isinstance(first, int) else (first, second)
        start, end = position + 8, position + 8 + length
        yield kind, start, end
        # Chunks of a RIFF begin at even positions.
        position = end + (behind or length % 2)
    raise _too_many_parts()


def _too_many_parts() -> TruncatedImage:
    return TruncatedImage(f"the file consists of more than {MAX_PARTS:,} parts")


def _check_scans(data: bytes, position: int, pixels: int) -> None:
    """Refuse what takes minutes to decode: an empty scan has ten bytes, and costs the decoder as much as a full one."""
    most = min(MAX_SCANS, max(MAX_SCANNED_PIXELS // max(pixels, 1), 1))
    scans = 1
    for marker, _, _ in _jpeg_segments(data, position):
        scans += marker == _SOS
        if scans > most:
            message = f"the JPEG has more than {most} scans of {pixels:,} pixels"
            raise TruncatedImage(message)


def _orientation(exif: bytes) -> int:
    """1 to 8, as EXIF has it. Damaged EXIF says nothing, and is no reason to refuse a good picture: 1."""
    tiff = exif.removeprefix(b"Exif\0\0")
    order = _BYTE_ORDERS.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return 1
    (directory,) = struct.unpack_from(order + "I", tiff, 4)
    (count,) = struct.unpack(order + "H", tiff[directory : directory + 2].ljust(2, b"\0"))
    first = directory + 2
    entries = tiff[first : first + 12 * min(count, (len(tiff) - first) // 12)]
    for tag, value_type, _, value in struct.iter_unpack(order + "HHI4s", entries):
        if tag == _ORIENTATION_TAG and value_type in _ORIENTATION_TYPES:
            (turned,) = struct.unpack_from(order + _ORIENTATION_TYPES[value_type], value)
            return int(turned) if 1 <= turned <= 8 else 1
    return 1


def _joined(fragments: list[bytes]) -> bytes | None:
    """A JPEG's colour profile from its segments: number, number of all, content. None if one is missing."""
    ordered = sorted(fragments)
    if not ordered or len(ordered[0]) < 2 or ordered[0][1] != len(ordered):
        return None
    profile = b"".join(fragment[2:] for fragment in ordered)
    return profile if len(profile) <= MAX_PROFILE else None


def _unpacked(content: bytes) -> bytes | None:
    """A PNG's colour profile: name, 0, method 0, zlib data. None if it is damaged or larger than profiles are."""
    _, _, packed = content.partition(b"\0")
    unpacker = zlib.decompressobj()
    try:
        profile = unpacker.decompress(packed[1:], MAX_PROFILE)
    except zlib.error:
        return None
    return profile if unpacker.eof and packed[0] == 0 else None
