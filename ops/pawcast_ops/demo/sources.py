"""The pictures that the demo's uploads are made of, and cut-outs of the two that are composed with others.

All of them lie inside the installed wheels of scikit-image and scikit-learn, so nothing is downloaded. Only
pictures whose terms allow it are used: `CREDITS` names each with its terms, and README.md repeats them.
Left out on purpose: scikit-image's `lfw_subset` (press photos of persons) and `motorcycle_*` (no licence is
stated). The files are read by path; importing scikit-image or scikit-learn for that would cost a second.
"""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from PIL import Image, ImageDraw, ImageFilter

type SourceName = Literal[
    "astronaut",
    "brick",
    "camera",
    "cat",
    "coffee",
    "coins",
    "flower",
    "grass",
    "horse",
    "moon",
    "palace",
    "rocket",
]


@dataclass(frozen=True)
class Credit:
    """Where a picture comes from; `file` lies in the package that carries it."""

    package: str
    file: str
    what: str
    by: str
    terms: str


CREDITS: dict[SourceName, Credit] = {
    "astronaut": Credit("skimage", "astronaut.png", "Eileen Collins, portrait", "NASA", "public domain"),
    "brick": Credit("skimage", "brick.png", "brick wall", "CC0Textures", "CC0"),
    "camera": Credit("skimage", "camera.png", "photographer in profile", "Lav Varshney", "CC0"),
    "cat": Credit("skimage", "chelsea.png", "Chelsea the cat", "Stefan van der Walt", "CC0"),
    "coffee": Credit("skimage", "coffee.png", "cup of coffee", "Rachel Michetti", "CC0"),
    "coins": Credit("skimage", "coins.png", "coins from Pompeii", "Brooklyn Museum", "no known restrictions"),
    "flower": Credit("sklearn", "flower.jpg", "dahlia", "vultilion (Flickr)", "CC BY 2.0"),
    "grass": Credit("skimage", "grass.png", "grass", "CC0Textures", "CC0"),
    "horse": Credit("skimage", "horse.png", "silhouette of a horse", "Andreas Preuss", "CC0"),
    "moon": Credit("skimage", "moon.png", "surface of the moon", "NASA", "public domain"),
    "palace": Credit("sklearn", "china.jpg", "Summer Palace, Beijing", "danielbuechele (Flickr)", "CC BY 2.0"),
    "rocket": Credit("skimage", "rocket.jpg", "rocket on its pad", "SpaceX", "public domain"),
}
_FOLDERS = {"skimage": "data", "sklearn": "datasets/images"}

# Outlines in pixels of the source. The astronaut with her helmet; of the cat everything left of its right cheek,
# because the photo's own edges cut the rest.
_ASTRONAUT_OUTLINE = (
    (25, 512), (25, 430), (22, 390), (27, 340), (35, 300), (45, 275), (60, 250), (85, 225), (112, 207),
    (114, 190), (125, 167), (145, 152), (165, 149), (183, 152), (181, 133), (166, 126), (157, 108),
    (154, 82), (160, 57), (180, 41), (196, 27), (220, 18), (245, 17), (270, 27), (290, 42), (299, 66),
    (300, 90), (295, 110), (284, 126), (268, 138), (257, 158), (254, 170), (275, 183), (292, 206),
    (303, 236), (306, 244), (320, 247), (339, 266), (351, 290), (357, 320), (360, 350), (375, 347),
    (400, 345), (430, 350), (460, 370), (480, 400), (491, 440), (497, 457), (505, 475), (507, 512),
)  # fmt: skip
_CAT_OUTLINE = (
    (0, 0), (394, 0), (385, 25), (374, 55), (362, 80), (360, 105), (362, 130), (357, 150), (346, 176),
    (338, 205), (322, 232), (306, 262), (288, 284), (262, 300), (0, 300),
)  # fmt: skip


def source_path(name: SourceName) -> Path:
    """File of the picture inside the installed package; FileNotFoundError says what to install."""
    credit = CREDITS[name]
    spec = find_spec(credit.package)
    if spec is None or not spec.submodule_search_locations:
        message = f"the demo picture {name!r} is part of {credit.package}, which is not installed"
        raise FileNotFoundError(message)
    return Path(spec.submodule_search_locations[0]) / _FOLDERS[credit.package] / credit.file


@cache
def _opened(name: SourceName) -> Image.Image:
    image = Image.open(source_path(name))
    return image.convert("RGBA" if image.mode in ("RGBA", "LA", "P") else "RGB")


def picture(name: SourceName) -> Image.Image:
    """The source as RGB on white, at its own size; a copy that the caller may change."""
    image = _opened(name)
    if image.mode == "RGBA":
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image).convert("RGB")
    return image.copy()


def cut_out(
    name: Literal["astronaut", "cat"], *, height: int, mirrored: bool = False, feather: float = 1.6
) -> Image.Image:
    """The astronaut or the cat as RGBA of the given height, feathered, all around it transparent."""
    image = picture(name)
    outline = _ASTRONAUT_OUTLINE if name == "astronaut" else _CAT_OUTLINE
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).polygon(outline, fill=255)
    # Inwards first, so the feather does not show the old background.
    mask = mask.filter(ImageFilter.MinFilter(3)).filter(ImageFilter.GaussianBlur(feather))
    image.putalpha(mask)
    image = image.resize((round(image.width * height / image.height), height), Image.Resampling.LANCZOS)
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored else image
