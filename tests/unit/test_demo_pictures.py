"""The demo's uploads: varied, deterministic, well-formed where they should be and broken where they say so."""

import hashlib
import io
from collections import Counter
from pathlib import Path

import pillow_heif
import pytest
from PIL import Image, ImageOps

from pawcast.errors import UnreadablePhoto
from pawcast.screening.intake import IntakeLimits, open_photo
from pawcast_ops.demo import files, scenes
from pawcast_ops.demo.contact_sheet import contact_sheet
from pawcast_ops.demo.pictures import build_uploads
from pawcast_ops.demo.sources import CREDITS, source_path
from pawcast_ops.demo.upload import GROUPS, UPLOAD_LIMIT, DemoUpload

pillow_heif.register_heif_opener()


@pytest.fixture(scope="module")
def uploads() -> dict[str, DemoUpload]:
    built = build_uploads()
    by_name = {upload.name: upload for upload in built}
    assert len(by_name) == len(built)
    return by_name


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def mean_difference(left: Image.Image, right: Image.Image) -> float:
    """Mean absolute difference of two pictures at 64 x 64, in grey levels."""
    small = [image.convert("L").resize((64, 64)).tobytes() for image in (left, right)]
    difference = sum(abs(a - b) for a, b in zip(small[0], small[1], strict=True))
    return difference / len(small[0])


def test_there_are_at_least_28_uploads_in_every_group_in_reading_order(uploads: dict[str, DemoUpload]) -> None:
    counts = Counter(upload.group for upload in uploads.values())

    assert len(uploads) >= 28
    assert list(counts) == list(GROUPS)
    assert min(counts.values()) >= 6


def test_every_upload_says_what_it_shows_and_what_to_expect(uploads: dict[str, DemoUpload]) -> None:
    assert [upload.name for upload in uploads.values() if not (upload.title and upload.note and upload.expect)] == []


def test_every_source_picture_is_installed_and_credited() -> None:
    assert {name for name in CREDITS if not source_path(name).is_file()} == set()
    assert {credit.terms for credit in CREDITS.values()} == {
        "CC0",
        "public domain",
        "no known restrictions",
        "CC BY 2.0",
    }


def test_the_readme_credits_every_picture_that_asks_for_it() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

    assert [credit.by for credit in CREDITS.values() if credit.by.split(" (")[0] not in readme] == []


def test_drawing_a_scene_twice_gives_the_same_pixels() -> None:
    draw = scenes.face_in_mirror.__wrapped__

    assert draw().tobytes() == draw().tobytes()


@pytest.mark.parametrize("orientation", [3, 5, 6, 8])
def test_a_turned_photo_is_stored_otherwise_and_shown_upright(orientation: int) -> None:
    upright = scenes.plain("coffee", side=320)

    stored = opened(files.turned(upright, orientation))
    shown = ImageOps.exif_transpose(stored)

    assert shown.size == upright.size
    assert mean_difference(shown, upright) < 3
    assert mean_difference(stored, upright) > 10


@pytest.mark.parametrize(
    ("name", "file_format", "mode", "size"),
    [
        ("sticker.png", "PNG", "RGBA", (720, 599)),
        ("colours-256.png", "PNG", "P", (800, 600)),
        ("cat.webp", "WEBP", "RGB", (1200, 800)),
        ("IMG_0412.heic", "HEIF", "RGB", (900, 600)),
        ("phone-12-megapixels.jpg", "JPEG", "RGB", (4000, 3000)),
        ("grey.jpg", "JPEG", "L", (1200, 800)),
        ("print-shop.jpg", "JPEG", "CMYK", (1200, 800)),
        ("editor-16-bit.png", "PNG", "RGB", (720, 480)),
    ],
)
def test_files_are_what_their_names_promise(
    uploads: dict[str, DemoUpload], name: str, file_format: str, mode: str, size: tuple[int, int]
) -> None:
    image = opened(uploads[name].data)

    assert (image.format, image.mode, image.size) == (file_format, mode, size)


def test_the_16_bit_png_really_has_16_bits_and_the_right_colours(uploads: dict[str, DemoUpload]) -> None:
    data = uploads["editor-16-bit.png"].data

    assert data[24] == 16
    assert mean_difference(opened(data), scenes.cat_in_garden()) < 2


def test_the_phone_photo_carries_a_place_an_owner_and_a_maker_note(uploads: dict[str, DemoUpload]) -> None:
    exif = opened(uploads["phone-12-megapixels.jpg"].data).getexif()

    details = exif.get_ifd(0x8769)
    assert exif.get_ifd(0x8825)[1] == "N"
    assert (details[0xA430], details[0x927C][:15]) == ("Demo Owner", b"Demo maker note")


def test_the_progressive_photo_is_progressive(uploads: dict[str, DemoUpload]) -> None:
    assert opened(uploads["progressive.jpg"].data).info["progressive"] == 1


def test_huge_metadata_is_larger_than_its_picture_and_leaves_it_readable(uploads: dict[str, DemoUpload]) -> None:
    data = uploads["huge-metadata.jpg"].data

    assert len(data) > 3_000_000
    assert opened(data).size == (1024, 681)


def test_the_repeated_upload_has_the_same_bytes_and_the_resized_one_has_not(uploads: dict[str, DemoUpload]) -> None:
    digests = [
        hashlib.sha256(uploads[name].data).hexdigest() for name in ("cat.jpg", "cat-again.jpg", "cat-again-smaller.jpg")
    ]

    assert digests[0] == digests[1] != digests[2]


def test_screening_opens_every_good_photo_and_names_what_is_wrong_with_every_broken_one(
    uploads: dict[str, DemoUpload],
) -> None:
    said: dict[str, str] = {}
    for upload in uploads.values():
        if not upload.expect.startswith("refused"):
            try:
                photo = open_photo(upload.data, limits=IntakeLimits())
            except UnreadablePhoto as error:
                said[upload.name] = f"rejected: {error.code}"
            else:
                assert max(photo.rgb.shape[:2]) <= 960 or not photo.scaled

    assert said == {name: upload.expect for name, upload in uploads.items() if upload.expect.startswith("rejected")}


def test_the_bomb_is_small_and_unpacks_to_900_megapixels(uploads: dict[str, DemoUpload]) -> None:
    data = uploads["bomb.png"].data

    assert len(data) < 200_000
    assert int.from_bytes(data[16:20]) * int.from_bytes(data[20:24]) == 900_000_000


def test_a_small_bomb_is_a_valid_png() -> None:
    assert opened(files.decompression_bomb(side=500)).size == (500, 500)


def test_the_truncated_photo_opens_but_does_not_load(uploads: dict[str, DemoUpload]) -> None:
    image = Image.open(io.BytesIO(uploads["truncated.jpg"].data))

    with pytest.raises(OSError, match="truncated"):
        image.load()


def test_the_animation_has_more_than_one_frame(uploads: dict[str, DemoUpload]) -> None:
    assert getattr(opened(uploads["animated.webp"].data), "n_frames", 1) == 4


def test_the_file_over_the_limit_is_one_byte_over_and_still_a_photo(uploads: dict[str, DemoUpload]) -> None:
    upload = uploads["over-20-mib.jpg"]

    assert (len(upload.data), upload.declared_size) == (UPLOAD_LIMIT + 1, UPLOAD_LIMIT + 1)
    assert opened(upload.data).size == (640, 426)


def test_clients_declare_the_true_size_except_for_the_one_that_lies(uploads: dict[str, DemoUpload]) -> None:
    liars = [upload.name for upload in uploads.values() if upload.declared_size != len(upload.data)]

    assert liars == ["empty-claims-1-byte.jpg"]


def test_the_contact_sheet_shows_every_upload(uploads: dict[str, DemoUpload]) -> None:
    sheet = opened(contact_sheet(list(uploads.values()), columns=8))

    assert sheet.size == (8 * 228 + 8, -(-len(uploads) // 8) * 191 + 8)
