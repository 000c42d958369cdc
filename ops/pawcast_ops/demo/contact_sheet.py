"""One picture of all demo uploads, as a person would see them: upright, on white, with their names."""

import io
import textwrap
from collections.abc import Sequence

import pillow_heif
from PIL import Image, ImageDraw, ImageOps

from pawcast_ops.demo.upload import DemoUpload

_TILE, _TEXT, _GAP = (220, 165), 18, 8
# Larger ones are named, not decoded: the decompression bomb is among the uploads.
_MAX_PIXELS = 20_000_000


def contact_sheet(uploads: Sequence[DemoUpload], *, columns: int = 8) -> bytes:
    """A JPEG with a tile for each upload; what can't be shown has an empty tile."""
    pillow_heif.register_heif_opener()
    cell = (_TILE[0] + _GAP, _TILE[1] + _TEXT + _GAP)
    rows = -(-len(uploads) // columns)
    sheet = Image.new("RGB", (columns * cell[0] + _GAP, rows * cell[1] + _GAP), (245, 245, 243))
    draw = ImageDraw.Draw(sheet)
    for index, upload in enumerate(uploads):
        left, top = _GAP + index % columns * cell[0], _GAP + index // columns * cell[1]
        draw.rectangle((left, top, left + _TILE[0] - 1, top + _TILE[1] - 1), fill=(226, 226, 222))
        shown = _shown(upload.data)
        if shown is None:
            draw.multiline_text((left + 12, top + 64), textwrap.fill(upload.note, 32), fill=(120, 60, 60))
        else:
            sheet.paste(shown, (left + (_TILE[0] - shown.width) // 2, top + (_TILE[1] - shown.height) // 2))
        draw.text((left + 2, top + _TILE[1] + 3), upload.name, fill=(60, 60, 60))
    out = io.BytesIO()
    sheet.save(out, "JPEG", quality=80, optimize=True)
    return out.getvalue()


def _shown(data: bytes) -> Image.Image | None:
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > _MAX_PIXELS:
                return None
            image.draft("RGB", (_TILE[0] * 2, _TILE[1] * 2))
            upright = ImageOps.exif_transpose(image).convert("RGBA")
    except (OSError, Image.DecompressionBombError):
        return None
    white = Image.new("RGBA", upright.size, "white")
    shown = Image.alpha_composite(white, upright).convert("RGB")
    shown.thumbnail(_TILE, Image.Resampling.LANCZOS)
    return shown
