"""What is a photo and what is not, whatever the bytes."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from pawcast import errors
from pawcast.screening.intake import IntakeLimits, Photo, open_photo
from tests.support.pictures import corners, encoded, heic, scene

LIMITS = IntakeLimits()
SCENE = scene()


def opened(data: bytes, **limits: int) -> Photo:
    return open_photo(data, limits=IntakeLimits(**limits))


def png_of_size(width: int, height: int) -> bytes:
    """A PNG that claims a size and holds almost nothing."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

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
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", errors.UnsupportedFormat),
        (b"\xff\xd8\xff", errors.TruncatedImage),
        (b"\x89PNG\r\n\x1a\n", errors.TruncatedImage),
        (b"RIFF\0\0\0\0WEBP", errors.TruncatedImage),
        (b"\0\0\0\x1cftypheic\0\0\0\0mif1heic", errors.TruncatedImage),
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


def test_a_text_that_explodes_when_unpacked_is_refused() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_text("bomb", "x" * 50_000_000, zip=True)

    with pytest.raises(errors.TruncatedImage):
        opened(encoded(SCENE, "PNG", pnginfo=info))


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
