"""What is a photo and what is not, whatever the bytes."""

import math
import random
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from pawcast import errors
from pawcast.screening.intake import IntakeLimits, Photo, decode, open_photo
from tests.support.pictures import corners, encoded, heic, scene

LIMITS = IntakeLimits()
SCENE = scene()


def opened(data: bytes, **limits: int) -> Photo:
    return open_photo(data, limits=IntakeLimits(**limits))


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds almost nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", content) + chunk(b"IEND", b"")


def with_orientation(picture: np.ndarray, orientation: int, kind: str = "JPEG") -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(picture, kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {}))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (encoded(SCENE, "JPEG", quality=95), "jpeg"),
        (encoded(SCENE, "JPEG", quality=95, progressive=True), "jpeg"),
        (encoded(SCENE, "JPEG", quality=95) + b"trailing garbage", "jpeg"),
        (encoded(SCENE, "PNG"), "png"),
        (encoded(SCENE, "WEBP", quality=95), "webp"),
        (encoded(SCENE, "WEBP", lossless=True), "webp"),
        (heic(SCENE), "heic"),
        (encoded(Image.fromarray(SCENE).quantize(256), "PNG"), "png"),
        (encoded(Image.fromarray(SCENE).convert("CMYK"), "JPEG", quality=95), "jpeg"),
    ],
    ids=["jpeg", "progressive", "garbage behind", "png", "webp", "lossless webp", "heic", "palette", "cmyk"],
)
def test_every_accepted_format_becomes_the_same_picture(data: bytes, kind: str) -> None:
    photo = opened(data)

    assert (kind, 320, 240, (240, 320, 3), False) == (
        photo.format,
        photo.width,
        photo.height,
        photo.rgb.shape,
        photo.scaled,
    )
    assert np.abs(photo.rgb.astype(int) - SCENE).mean() < 9


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (encoded(np.full((50, 50), 77, np.uint8), "PNG"), 77),
        (encoded(np.full((50, 50), 77 * 256, np.uint16), "PNG"), 77),
        (encoded(Image.new("1", (50, 50), 1), "PNG"), 255),
        (encoded(Image.new("LA", (50, 50), (0, 0)), "PNG"), 255),
        (encoded(Image.new("RGBA", (50, 50), (0, 0, 0, 0)), "PNG"), 255),
        (encoded(Image.new("RGBA", (50, 50), (9, 9, 9, 255)), "WEBP", lossless=True), 9),
        (encoded(Image.new("L", (50, 50), 77), "JPEG"), 77),
        (encoded(Image.new("RGBA", (2000, 1600), (0, 0, 0, 0)), "PNG"), 255),
    ],
    ids=["gray", "16 bit", "1 bit", "clear gray", "clear", "opaque", "gray jpeg", "large and clear"],
)
def test_every_kind_of_pixel_becomes_rgb_on_white(data: bytes, value: int) -> None:
    photo = opened(data)

    assert (3, "uint8") == (photo.rgb.shape[2], photo.rgb.dtype.name)
    assert {value} == set(photo.rgb.ravel().tolist())


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(("orientation", "turns"), [(1, 0), (2, 0), (3, 2), (4, 2), (5, 3), (6, 1), (7, 1), (8, 3)])
def test_a_photo_is_turned_upright(kind: str, orientation: int, turns: int) -> None:
    photo = opened(with_orientation(corners(), orientation, kind))

    # EXIF 6: the camera stood on its left side, so the picture is turned a quarter clockwise; even ones mirror first.
    mirrored = corners()[:, ::-1] if orientation in (2, 4, 5, 7) else corners()
    expected = np.rot90(mirrored, -turns)
    assert (expected.shape[1], expected.shape[0]) == (photo.width, photo.height)
    assert np.abs(photo.rgb.astype(int) - expected).mean() < 12


def test_a_large_jpeg_is_decoded_small_and_keeps_its_size_on_record() -> None:
    photo = opened(with_orientation(scene(1, 4000, 3000), 6))

    assert (3000, 4000, True, (500, 375, 3)) == (photo.width, photo.height, photo.scaled, photo.rgb.shape)


@pytest.mark.parametrize("width", [481, 640, 959, 960, 961, 1919, 1921, 3841])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_scaled_photo_is_never_smaller_than_the_working_side(width: int, kind: str) -> None:
    photo = opened(encoded(np.zeros((100, width, 3), np.uint8), kind))

    assert max(photo.rgb.shape) >= LIMITS.working_side


@pytest.mark.parametrize("size", [(4031, 3023), (4032, 3024), (4033, 3025), (3000, 4001), (3839, 100), (1601, 1201)])
@pytest.mark.parametrize("side", [480, 1600])
def test_a_jpeg_of_any_size_is_decoded_at_the_smallest_scale_that_suffices(size: tuple[int, int], side: int) -> None:
    decoded = decode(encoded(Image.new("RGB", size)), limits=LIMITS, side=side)

    step = max(step for step in (1, 2, 4, 8) if math.ceil(max(size) / step) >= side)
    assert (math.ceil(size[0] / step), math.ceil(size[1] / step)) == decoded.image.size
    assert size == (decoded.width, decoded.height)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", errors.EmptyFile),
        (b"\0", errors.NotAnImage),
        (b"This is a text named photo.jpg", errors.NotAnImage),
        (b"%PDF-1.7", errors.NotAnImage),
        (b"PK\x03\x04", errors.NotAnImage),
        (encoded(SCENE, "GIF"), errors.UnsupportedFormat),
        (encoded(SCENE, "BMP"), errors.UnsupportedFormat),
        (encoded(SCENE, "TIFF"), errors.UnsupportedFormat),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", errors.UnsupportedFormat),
        (b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", errors.UnsupportedFormat),
        (b"\0\0\0\x18ftypavis\0\0\0\0avismsf1", errors.UnsupportedFormat),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1miafavif", errors.UnsupportedFormat),
        (b"\0\0\0\x1cftypmsf1\0\0\0\0msf1miafavis", errors.UnsupportedFormat),
        (b"\0\0\0\x1cftypMA1B\0\0\0\0mif1miafavif", errors.UnsupportedFormat),
        (b"\xff\xd8\xff", errors.TruncatedImage),
        (b"\x89PNG\r\n\x1a\n", errors.TruncatedImage),
        (b"RIFF\0\0\0\0WEBP", errors.TruncatedImage),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", errors.TruncatedImage),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", errors.TruncatedImage),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heicavif behind the brands", errors.TruncatedImage),
        (encoded(SCENE, "JPEG")[:3000], errors.TruncatedImage),
        (encoded(SCENE, "PNG")[:3000], errors.TruncatedImage),
        (encoded(SCENE, "WEBP")[:3000], errors.TruncatedImage),
        (heic(SCENE)[:3000], errors.TruncatedImage),
        (png_of_size(60_000, 60_000), errors.TooManyPixels),
        (png_of_size(20_000, 40), errors.TooManyPixels),
        (png_of_size(8_000, 8_000), errors.TooManyPixels),
        (encoded(np.zeros((31, 300, 3), np.uint8), "PNG"), errors.TooSmall),
    ],
)
def test_what_is_no_photo_is_refused_by_its_kind(data: bytes, error: type[errors.UnreadablePhoto]) -> None:
    with pytest.raises(error):
        opened(data)


def test_a_file_with_too_many_bytes_is_not_looked_at() -> None:
    with pytest.raises(errors.TooLarge, match="at most 100"):
        opened(encoded(SCENE), max_bytes=100)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_an_animation_is_refused(kind: str) -> None:
    frames = [Image.fromarray(scene(seed)) for seed in (1, 2)]

    with pytest.raises(errors.AnimatedImage):
        opened(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))


def test_of_a_phones_double_jpeg_the_first_picture_counts() -> None:
    first, second = Image.fromarray(SCENE), Image.fromarray(scene(2))

    photo = opened(encoded(first, "MPO", save_all=True, append_images=[second], quality=95))

    assert ("jpeg", True) == (photo.format, bool(np.abs(photo.rgb.astype(int) - SCENE).mean() < 9))


@pytest.mark.parametrize("exif", [b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0", b"\xff" * 60_000])
def test_damaged_metadata_does_not_make_a_good_picture_bad(exif: bytes) -> None:
    assert 320 == opened(encoded(SCENE, "JPEG", exif=exif)).width


def test_much_metadata_is_only_skipped() -> None:
    info = PngImagePlugin.PngInfo()
    for number in range(10):
        info.add_itxt(f"key{number}", "x" * 1_000_000)

    assert 320 == opened(encoded(SCENE, "PNG", pnginfo=info)).width


def test_a_text_that_explodes_when_unpacked_is_never_unpacked() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("bomb", "x" * 50_000_000, zip=True)

    assert 320 == opened(encoded(SCENE, "PNG", pnginfo=info)).width


def jpeg_segment(marker: int, content: bytes = b"") -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def tiff(entries: int, each: int, size: int) -> bytes:
    """EXIF of `size` bytes, whose entries all show the same `each` bytes."""
    directory = b"".join(struct.pack("<HHII", 1000 + number, 7, each, 10) for number in range(entries))
    return (b"II*\0\x08\0\0\0" + struct.pack("<H", entries) + directory).ljust(size, b"\0")


def stormy(kind: str, storm: bytes) -> bytes:
    """A good picture with a storm of metadata where its format allows it."""
    data = encoded(SCENE, kind)
    if kind == "WEBP":
        content = b"WEBPVP8X\x0a\0\0\0\x08\0\0\0\x3f\x01\0\xef\0\0" + data[12:] + storm
        return b"RIFF" + struct.pack("<I", len(content)) + content
    start = {"JPEG": 2, "PNG": 33}[kind]
    return data[:start] + storm + data[start:]


@contextmanager
def less_than_a_second() -> Iterator[None]:
    started = time.process_time()
    yield
    assert time.process_time() - started < 1


SIZE = 20_000_000
# Written by functions: all of them at once would fill the memory of a test run.
SKIPPED: dict[str, Callable[[], bytes]] = {
    "exif": lambda: stormy("JPEG", jpeg_segment(0xE1, b"Exif\0\0" + tiff(5_000, 60_000, 65_000)) * 300),
    "pictures of a phone": lambda: stormy("JPEG", jpeg_segment(0xE2, b"MPF\0" + tiff(5_000, 60_000, 65_000)) * 300),
    "photoshop": lambda: stormy("JPEG", jpeg_segment(0xED, b"Photoshop 3.0\0" + b"8BIM\0\1" * 10_000) * 300),
    "padding": lambda: stormy("JPEG", b"\xff" * SIZE),
    "junk": lambda: stormy("JPEG", jpeg_segment(0xE5) + b"junk" * (SIZE // 4)),
    "packed texts": lambda: stormy("PNG", chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(1_000_000))) * 10_000),
    "profiles": lambda: stormy("PNG", chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(20_000_000), 9)) * 900),
    "png exif": lambda: stormy("PNG", chunk(b"eXIf", tiff(60_000, 1_000_000, SIZE))),
    "webp exif": lambda: stormy("WEBP", b"EXIF" + struct.pack("<I", SIZE) + tiff(60_000, 1_000_000, SIZE)),
}
REFUSED: dict[str, Callable[[], bytes]] = {
    "segments": lambda: stormy("JPEG", jpeg_segment(0xE5) * (SIZE // 4)),
    "tables": lambda: stormy("JPEG", jpeg_segment(0xDB, (b"\0" + b"\1" * 64) * 1_000) * 300),
    "texts": lambda: stormy("PNG", chunk(b"tEXt", b"a\0b") * (SIZE // 15)),
    "chunks": lambda: stormy("PNG", chunk(b"prIV", b"") * (SIZE // 12)),
    "webp chunks": lambda: stormy("WEBP", b"priv\0\0\0\0" * (SIZE // 8)),
}


@pytest.mark.parametrize("storm", SKIPPED)
def test_a_storm_of_metadata_is_skipped(storm: str) -> None:
    data = SKIPPED[storm]()

    with less_than_a_second():
        assert 320 == opened(data, max_bytes=2 * SIZE).width


@pytest.mark.parametrize("storm", REFUSED)
def test_a_storm_of_parts_is_refused(storm: str) -> None:
    data = REFUSED[storm]()

    with less_than_a_second(), pytest.raises(errors.TruncatedImage, match="more than 65,536"):
        opened(data, max_bytes=2 * SIZE)


def test_a_jpeg_of_a_thousand_scans_is_refused_before_decoding() -> None:
    photo = encoded(Image.new("RGB", (4000, 3000)), "JPEG", progressive=True)
    last_scan = photo[photo.rindex(b"\xff\xda") : -2]

    with pytest.raises(errors.TruncatedImage, match="more than 64 scans"):
        opened(photo[:-2] + last_scan * 1_000 + photo[-2:])


def test_the_largest_progressive_jpeg_with_every_ordinary_scan_is_taken() -> None:
    # libjpeg's script for four colours has the most scans: 18.
    photo = encoded(Image.new("CMYK", (7200, 7200)), "JPEG", progressive=True)

    assert 7200 == opened(photo).width


def test_a_webp_has_a_lower_pixel_limit_than_other_formats() -> None:
    with pytest.raises(errors.TooManyPixels, match=r"at most 26,000,000 .* in webp"):
        opened(encoded(Image.new("RGB", (5100, 5100)), "WEBP", lossless=True, method=0))

    assert 5100 == opened(encoded(Image.new("RGB", (5100, 5100)), "PNG")).width


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read from Linux' /proc")
def test_the_largest_webp_is_opened_in_half_a_gigabyte(tmp_path: Path) -> None:
    photo = tmp_path / "photo.webp"
    photo.write_bytes(encoded(Image.new("RGBA", (6240, 4160), (9, 99, 200, 128)), "WEBP", quality=80, method=0))
    # Not getrusage: its peak counts the process that started this one.
    program = (
        "import pathlib, sys\n"
        "from pawcast.screening.intake import IntakeLimits, open_photo\n"
        "photo = open_photo(pathlib.Path(sys.argv[1]).read_bytes(), limits=IntakeLimits())\n"
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "print(photo.width, next(line.split()[1] for line in status.splitlines() if line.startswith('VmHWM')))"
    )
    path = f"import sys; sys.path[:0] = {sys.path!r}\n"

    ran = subprocess.run([sys.executable, "-c", path + program, photo], capture_output=True, text=True, check=True)
    width, peak_kb = map(int, ran.stdout.split())

    assert 6240 == width
    assert peak_kb < 512 * 1024


@pytest.mark.parametrize("megabytes", [0.5, 1.5, 2, 3])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_large_colour_profile_is_no_reason_to_refuse(kind: str, megabytes: float) -> None:
    profile = random.Random(1).randbytes(int(megabytes * 1_000_000))

    decoded = decode(encoded(SCENE, kind, icc_profile=profile), limits=LIMITS, side=480)

    assert profile == decoded.icc_profile


def test_a_colour_profile_that_explodes_when_unpacked_is_left_out() -> None:
    bomb = stormy("PNG", chunk(b"iCCP", b"bomb\0\0" + zlib.compress(bytes(50_000_000), 9)))

    decoded = decode(bomb, limits=LIMITS, side=480)

    assert (320, None) == (decoded.width, decoded.icc_profile)


SEEDS = [
    encoded(SCENE, "JPEG"),
    encoded(SCENE, "PNG"),
    encoded(SCENE, "WEBP"),
    heic(SCENE),
    with_orientation(corners(), 6),
]


@settings(max_examples=250, deadline=None)
@given(st.data())
def test_damaged_files_are_a_photo_or_a_typed_refusal_and_never_anything_else(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(SEEDS)))
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, min(len(content), 2_000) - 1))] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(1, len(content)))

    try:
        photo = opened(bytes(content[:end]))
    except errors.UnreadablePhoto:
        return

    assert (3, "uint8") == (photo.rgb.shape[2], photo.rgb.dtype.name)


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from([b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"RIFF0000WEBP", b"0000ftypheic"]),
    st.binary(max_size=400),
)
def test_arbitrary_bytes_are_refused_with_a_typed_error(head: bytes, tail: bytes) -> None:
    with pytest.raises(errors.UnreadablePhoto):
        opened(head + tail)


def test_a_refusal_shows_nothing_of_the_file() -> None:
    with pytest.raises(errors.TruncatedImage) as caught:
        opened(b"\xff\xd8\xff my secret")

    assert "secret" not in str(caught.value)
