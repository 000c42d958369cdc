"""What is taken out of a file before it is decoded: the picture, its orientation, its colour profile."""

import io
import struct
import zlib

import pytest
from PIL import Image

from pawcast.errors import AnimatedImage, TruncatedImage
from pawcast.screening.container import MAX_PARTS, BarePicture, bare_jpeg, bare_png, bare_webp
from tests.support.pictures import encoded, scene

SCENE = scene()
BARE = {"JPEG": bare_jpeg, "PNG": bare_png, "WEBP": bare_webp}
SECRETS = (b"secret", b"Exif", b"EXIF", b"eXIf", b"ICC", b"iCCP", b"XMP", b"tEXt", b"xap")


def bared(kind: str, **metadata: object) -> BarePicture:
    return BARE[kind](encoded(SCENE, kind, **metadata))


def segment(marker: int, content: bytes = b"") -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def inserted(kind: str, parts: bytes) -> bytes:
    """A good picture with parts put before its own, where its format allows it."""
    data = encoded(SCENE, kind)
    if kind == "WEBP":
        return b"RIFF" + struct.pack("<I", len(data) + len(parts) - 8) + b"WEBP" + parts + data[12:]
    start = {"JPEG": 2, "PNG": 33}[kind]
    return data[:start] + parts + data[start:]


def exif(order: str, value_type: str, orientation: int) -> bytes:
    """EXIF with a software tag before the orientation."""
    mark, number = {"<": b"II*\0", ">": b"MM\0*"}[order], {"H": 3, "I": 4}[value_type]
    value = struct.pack(order + value_type, orientation).ljust(4, b"\0")
    entries = (
        struct.pack(order + "HHI4s", 0x0131, 2, 4, b"abc\0") + struct.pack(order + "HHI", 0x0112, number, 1) + value
    )
    return b"Exif\0\0" + mark + struct.pack(order + "IH", 8, 2) + entries + bytes(4)


@pytest.mark.parametrize("kind", BARE)
def test_the_bare_file_shows_the_same_pixels_and_nothing_else(kind: str) -> None:
    tags = Image.Exif()
    tags[0x0131] = "secret"
    data = encoded(SCENE, kind, exif=tags, icc_profile=b"secret" * 100, xmp=b"secret")

    bare = BARE[kind](data)

    assert Image.open(io.BytesIO(data)).tobytes() == Image.open(io.BytesIO(bare.file)).tobytes()
    assert [] == [secret for secret in SECRETS if secret in bare.file]
    assert b"secret" * 100 == bare.icc_profile


@pytest.mark.parametrize("space", ["L", "RGB", "CMYK"])
def test_a_jpegs_colours_are_understood_as_before(space: str) -> None:
    data = encoded(Image.fromarray(SCENE).convert(space), "JPEG", keep_rgb=True)

    assert Image.open(io.BytesIO(data)).tobytes() == Image.open(io.BytesIO(bare_jpeg(data).file)).tobytes()


@pytest.mark.parametrize("kind", BARE)
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("value_type", ["H", "I"])
def test_the_orientation_is_read_from_every_way_to_write_it(kind: str, order: str, value_type: str) -> None:
    assert 6 == bared(kind, exif=exif(order, value_type, 6)).orientation


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"II*\0",
        b"XX*\0\x08\0\0\0\1\0",
        b"II*\0\xff\xff\xff\xff",
        b"II*\0\x08\0\0\0\xff\xff",
        exif("<", "H", 9)[6:],
        exif("<", "H", 0)[6:],
        exif("<", "H", 6)[6:-12],
    ],
)
def test_damaged_exif_means_upright(damaged: bytes) -> None:
    assert 1 == bare_jpeg(inserted("JPEG", segment(0xE1, b"Exif\0\0" + damaged))).orientation


def test_a_png_may_carry_its_exif_behind_the_pixels() -> None:
    data = encoded(SCENE, "PNG")

    assert 8 == bare_png(data[:-12] + chunk(b"eXIf", exif(">", "H", 8)) + data[-12:]).orientation


@pytest.mark.parametrize(
    ("pieces", "profile"),
    [
        ([b"\1\1abc"], b"abc"),
        ([b"\2\2def", b"\1\2abc"], b"abcdef"),
        ([b"\1\2abc"], None),
        ([b"\1\1abc", b"\1\1abc"], None),
        ([b"\1"], None),
        ([], None),
    ],
)
def test_a_jpegs_profile_is_joined_if_no_piece_is_missing(pieces: list[bytes], profile: bytes | None) -> None:
    segments = b"".join(segment(0xE2, b"ICC_PROFILE\0" + piece) for piece in pieces)

    assert profile == bare_jpeg(inserted("JPEG", segments)).icc_profile


@pytest.mark.parametrize(
    "content", [b"", b"name", b"name\0", b"name\0\0", b"name\0\0junk", b"name\0\1" + zlib.compress(b"a")]
)
def test_a_damaged_profile_of_a_png_is_left_out(content: bytes) -> None:
    assert bare_png(inserted("PNG", chunk(b"iCCP", content))).icc_profile is None


@pytest.mark.parametrize(
    ("kind", "chunks"),
    [
        ("PNG", chunk(b"acTL", struct.pack(">II", 2, 0))),
        ("PNG", chunk(b"fdAT", bytes(10))),
        ("WEBP", (b"ANMF\x10\0\0\0" + bytes(16)) * 2),
    ],
)
def test_a_second_frame_is_an_animation_whatever_the_header_says(kind: str, chunks: bytes) -> None:
    with pytest.raises(AnimatedImage):
        BARE[kind](inserted(kind, chunks))


def test_a_png_that_says_it_has_one_frame_is_a_picture() -> None:
    assert encoded(SCENE, "PNG") == bare_png(inserted("PNG", chunk(b"acTL", struct.pack(">II", 1, 0)))).file


@pytest.mark.parametrize(
    ("kind", "part"), [("JPEG", segment(0xE7)), ("PNG", chunk(b"prIV", b"")), ("WEBP", b"priv\0\0\0\0")]
)
def test_the_number_of_parts_is_bounded(kind: str, part: bytes) -> None:
    with pytest.raises(TruncatedImage, match="more than 65,536 parts"):
        BARE[kind](inserted(kind, part * MAX_PARTS))


def test_scans_are_counted_in_sequential_jpegs_too() -> None:
    # A frame of three colours whose scans have one each: decoded like a progressive JPEG.
    data = encoded(SCENE)
    scan = segment(0xDA, b"\1\1\0\0\x3f\0")

    with pytest.raises(TruncatedImage, match="more than 64 scans"):
        bare_jpeg(data[: data.index(b"\xff\xda")] + scan * 65 + b"\xff\xd9")


def test_a_small_picture_may_have_more_scans_than_a_large_one() -> None:
    data = encoded(Image.new("RGB", (7200, 7200)), "JPEG", progressive=True)
    last_scan = data[data.rindex(b"\xff\xda") : -2]

    with pytest.raises(TruncatedImage, match="more than 20 scans of 51,840,000 pixels"):
        bare_jpeg(data[:-2] + last_scan * 20 + data[-2:])


def test_what_a_phone_appends_does_not_count_as_scans() -> None:
    data = encoded(SCENE, "JPEG", progressive=True) + b"\xff\xda\0\x08" * 1_000

    assert data == bare_jpeg(data).file


@pytest.mark.parametrize("end", [2, 20, 200])
def test_a_jpeg_without_a_scan_is_truncated(end: int) -> None:
    with pytest.raises(TruncatedImage, match="ends before its first scan"):
        bare_jpeg(encoded(SCENE)[:end])


def test_a_second_start_of_the_picture_is_stepped_over() -> None:
    assert bare_jpeg(encoded(SCENE)) == bare_jpeg(inserted("JPEG", b"\xff\xd8"))
