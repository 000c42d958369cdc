"""Uploads that are special as files: formats and metadata that must work, bytes to be turned away."""

from PIL import Image

from pawcast_ops.demo import files, scenes
from pawcast_ops.demo.upload import (
    GIF,
    HEIC,
    PNG,
    PUBLISHED,
    UPLOAD_LIMIT,
    WEBP,
    DemoUpload,
    Group,
    an_upload,
)


def files_and_phones() -> list[DemoUpload]:
    """Photos as phones, editors and print shops write them; two of them are repeats of cat.jpg."""
    group: Group = "Files and phones"
    cat = scenes.plain("cat", side=900)
    plain_cat = files.jpeg(scenes.plain("cat"))
    return [
        an_upload(
            group,
            "turned-right.jpg",
            files.turned(cat, 6),
            title="Portrait mode",
            expect=PUBLISHED,
            note="EXIF orientation 6: shown upright",
        ),
        an_upload(
            group,
            "upside-down.jpg",
            files.turned(scenes.horse_at_moonrise(), 3),
            title="Handstand",
            tags=("horse",),
            expect=PUBLISHED,
            note="EXIF orientation 3: shown upright",
        ),
        an_upload(
            group,
            "mirrored.jpg",
            files.turned(scenes.cat_in_garden(), 5),
            title="Front camera",
            expect=PUBLISHED,
            note="EXIF orientation 5: mirrored and turned",
        ),
        an_upload(
            group,
            "sticker.png",
            files.png(scenes.cat_sticker()),
            title="Sticker",
            content_type=PNG,
            tags=("cat", "sticker"),
            note="PNG with soft transparency",
            expect=PUBLISHED,
        ),
        an_upload(
            group,
            "colours-256.png",
            files.png(scenes.horse_at_moonrise().resize((800, 600)).quantize(256)),
            title="Like 1995",
            content_type=PNG,
            tags=("horse",),
            note="PNG with a palette",
            expect=PUBLISHED,
        ),
        an_upload(
            group,
            "editor-16-bit.png",
            files.png_16_bit(scenes.cat_in_garden().resize((720, 480))),
            title="From the editor",
            content_type=PNG,
            note="PNG with 16 bits a channel",
            expect=PUBLISHED,
        ),
        an_upload(
            group,
            "cat.webp",
            files.webp(scenes.grey_cat_at_dusk()),
            title="Evening, smaller",
            content_type=WEBP,
            note="WebP",
            expect=PUBLISHED,
        ),
        an_upload(
            group,
            "IMG_0412.heic",
            files.heic(scenes.cat_and_coffee().resize((900, 600))),
            title="From my iPhone",
            content_type=HEIC,
            note="HEIC",
            expect=PUBLISHED,
        ),
        an_upload(
            group,
            "phone-12-megapixels.jpg",
            files.phone_jpeg(scenes.phone_photo()),
            title="From my phone",
            note="12 megapixels with GPS, owner and maker note: all removed",
            expect=PUBLISHED,
            private_metadata=True,
        ),
        an_upload(
            group,
            "grey.jpg",
            files.jpeg(scenes.cat_eye().convert("L")),
            title="Film look",
            note="greyscale JPEG",
            expect=PUBLISHED,
        ),
        an_upload(
            group,
            "print-shop.jpg",
            files.jpeg(scenes.cat_and_coffee().convert("CMYK")),
            title="For the calendar",
            note="CMYK JPEG",
            expect=PUBLISHED,
        ),
        an_upload(
            group,
            "progressive.jpg",
            files.jpeg(scenes.six_cats(), progressive=True),
            title="Progressive",
            note="progressive JPEG",
            expect=PUBLISHED,
        ),
        an_upload(
            group,
            "huge-metadata.jpg",
            files.with_huge_metadata(plain_cat),
            title="Edited forty times",
            note="3 MB of metadata before the picture",
            expect=PUBLISHED,
        ),
        an_upload(
            group,
            "cat-again.jpg",
            plain_cat,
            title="Chelsea again",
            note="the same bytes as cat.jpg",
            expect=PUBLISHED,
        ),
        an_upload(
            group,
            "cat-again-smaller.jpg",
            files.jpeg(scenes.plain("cat", side=560), quality=70),
            title="Chelsea, smaller",
            note="cat.jpg resized: another file, the same photo",
            expect=PUBLISHED,
        ),
    ]


def broken_and_refused() -> list[DemoUpload]:
    """What must be turned away: by the API, by the storage, or by screening."""
    group: Group = "Broken and refused"
    cat = scenes.plain("cat", side=640)
    photo = files.jpeg(cat)
    frames = [cat.rotate(turn, Image.Resampling.BICUBIC).resize((320, 213)) for turn in (0, 4, 8, 4)]
    text = b"Dear Pawcast,\nmy cat did not want to be photographed, so I describe her.\n" * 20
    return [
        an_upload(
            group,
            "truncated.jpg",
            files.truncated(files.jpeg(scenes.cat_in_garden())),
            title="Bad reception",
            note="the upload broke off",
            expect="rejected: truncated_image",
        ),
        an_upload(
            group,
            "letter.jpg",
            text,
            title="A thousand words",
            note="a text file named .jpg",
            expect="rejected: not_an_image",
        ),
        an_upload(
            group,
            "gif-named-png.png",
            files.animated(frames[:1], "GIF"),
            title="Renamed",
            content_type=PNG,
            note="a GIF that calls itself PNG",
            expect="rejected: unsupported_format",
        ),
        an_upload(
            group,
            "bomb.png",
            files.decompression_bomb(),
            title="Pure black",
            content_type=PNG,
            tags=("panther",),
            note="110 KB that unpack to 900 megapixels",
            expect="rejected: too_many_pixels",
        ),
        an_upload(
            group,
            "animated.webp",
            files.animated(frames, "WEBP"),
            title="She moves!",
            content_type=WEBP,
            note="animation: only its first frame would be screened",
            expect="rejected: animated_image",
        ),
        an_upload(
            group,
            "speck.png",
            files.png(cat.resize((6, 4))),
            title="Ant",
            content_type=PNG,
            tags=("ant",),
            note="6 x 4 pixels",
            expect="rejected: too_small",
        ),
        an_upload(
            group,
            "empty.jpg",
            b"",
            title="Nothing",
            note="no bytes, and the client says so",
            expect="refused by the API",
        ),
        an_upload(
            group,
            "empty-claims-1-byte.jpg",
            b"",
            title="Almost nothing",
            declared_size=1,
            note="no bytes, but the client claims one",
            expect="refused by the storage",
        ),
        an_upload(
            group,
            "dancing.gif",
            files.animated(frames, "GIF"),
            title="Dance",
            content_type=GIF,
            note="a type that is not taken",
            expect="refused by the API",
        ),
        an_upload(
            group,
            "over-20-mib.jpg",
            files.over_the_limit(photo, limit=UPLOAD_LIMIT),
            title="Full resolution",
            note="one byte over the size limit",
            expect="refused by the API",
        ),
        an_upload(
            group,
            "long-title.jpg",
            photo,
            title="meow " * 2_000,
            note="a title of 10,000 characters",
            expect="refused by the API",
        ),
        an_upload(
            group,
            "control-character.jpg",
            photo,
            title="Tagged",
            tags=("cat\x07",),
            note="a tag with a control character",
            expect="refused by the API",
        ),
    ]
