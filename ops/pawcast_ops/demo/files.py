"""Image files as phones, editors and attackers write them: encodings, metadata, and bytes that are no photo.

Each function returns the bytes of one file. What Pillow can't write (a 16-bit colour PNG, a PNG whose
header is the whole attack) is put together here chunk by chunk.
"""

import io
import struct
import zlib
from collections.abc import Iterable

import numpy as np
import pillow_heif
from PIL import Image

# How to turn an upright picture into the stored one that a viewer must turn back (EXIF 2.32, tag 0x0112).
_STORED_BY_ORIENTATION = {
    3: Image.Transpose.ROTATE_180,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}
_ORIENTATION, _MAKE, _MODEL, _TAKEN_AT = 0x0112, 0x010F, 0x0110, 0x0132
_EXIF_IFD, _GPS_IFD, _MAKER_NOTE, _OWNER = 0x8769, 0x8825, 0x927C, 0xA430


def jpeg(image: Image.Image, *, quality: int = 88, progressive: bool = False, exif: Image.Exif | None = None) -> bytes:
    """Baseline or progressive JPEG in the image's own mode (RGB, L or CMYK)."""
    out = io.BytesIO()
    # Without `exif`, Pillow would copy what the image was opened with.
    image.save(out, "JPEG", quality=quality, progressive=progressive, exif=b"" if exif is None else exif)
    return out.getvalue()


def png(image: Image.Image) -> bytes:
    """PNG in the image's own mode."""
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=4)
    return out.getvalue()


def webp(image: Image.Image) -> bytes:
    """Lossy WebP."""
    out = io.BytesIO()
    image.save(out, "WEBP", quality=82, method=2)
    return out.getvalue()


def heic(image: Image.Image) -> bytes:
    """HEIC, as iPhones write it."""
    out = io.BytesIO()
    pillow_heif.from_pillow(image).save(out, format="HEIF", quality=70)
    return out.getvalue()


def turned(image: Image.Image, orientation: int) -> bytes:
    """JPEG whose pixels lie turned or mirrored and whose EXIF orientation says how to show them."""
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    return jpeg(image.transpose(_STORED_BY_ORIENTATION[orientation]), exif=exif)


def phone_jpeg(image: Image.Image) -> bytes:
    """JPEG with what a phone writes into it: place, time, owner, camera and a maker's own block."""
    exif = Image.Exif()
    exif[_MAKE], exif[_MODEL], exif[_TAKEN_AT] = "Pawcast", "Demo Phone 12", "2026:05:09 14:03:22"
    exif[_ORIENTATION] = 1
    exif.get_ifd(_EXIF_IFD).update({_OWNER: "Demo Owner", _MAKER_NOTE: b"Demo maker note\0" * 64})
    # N Seoul Tower: a place that everybody may know.
    exif.get_ifd(_GPS_IFD).update({1: "N", 2: (37.0, 33.0, 4.2), 3: "E", 4: (126.0, 59.0, 17.5)})
    return jpeg(image, quality=90, exif=exif)


def with_huge_metadata(photo: bytes, *, segments: int = 48) -> bytes:
    """A JPEG with `segments` full APP4 segments (64 KiB each) of noise before its picture."""
    noise = np.random.default_rng(48).bytes(65_533)
    return photo[:2] + (b"\xff\xe4" + struct.pack(">H", 65_535) + noise) * segments + photo[2:]


def _png_of(header: bytes, data: Iterable[bytes]) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    body = b"".join(data)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def png_16_bit(image: Image.Image) -> bytes:
    """Colour PNG with 16 bits a channel, as photo editors export."""
    wide = np.asarray(image.convert("RGB")).astype(">u2") * np.uint16(257)
    rows = np.concatenate([np.zeros((image.height, 1), np.uint8), wide.view(np.uint8).reshape(image.height, -1)], 1)
    header = struct.pack(">IIBBBBB", image.width, image.height, 16, 2, 0, 0, 0)
    return _png_of(header, [zlib.compress(rows.tobytes(), 4)])


def decompression_bomb(side: int = 30_000) -> bytes:
    """A valid PNG of some 110 KB that unpacks to side x side pixels (900 megapixels)."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (side + 7) // 8)
    rows = [packer.compress(row * 500) for _ in range(side // 500)]
    return _png_of(struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0), [*rows, packer.flush()])


def animated(frames: list[Image.Image], file_format: str) -> bytes:
    """Animated WebP or GIF."""
    out = io.BytesIO()
    frames[0].save(out, file_format, save_all=True, append_images=frames[1:], duration=120, loop=0)
    return out.getvalue()


def truncated(photo: bytes, share: float = 0.55) -> bytes:
    """The first part of a file: an upload over a connection that broke."""
    return photo[: int(len(photo) * share)]


def over_the_limit(photo: bytes, *, limit: int = 20 * 1024 * 1024) -> bytes:
    """A readable JPEG, padded to one byte more than an upload may have."""
    return photo + bytes(limit + 1 - len(photo))
