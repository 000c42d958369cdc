"""Photos composed from the sources: who or what the demo's uploads show, before a file format is chosen.

Every function is deterministic and returns an RGB image (`cat_sticker`: RGBA). It is kept and given out again: don't
change it in place. A composite is three steps:
a background, cut-outs pasted by `_paste`, and a light `_grain` over everything, which hides that its parts
were taken by different cameras.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFilter, ImageOps

from pawcast_ops.demo.sources import SourceName, cut_out, picture

type Colour = tuple[int, int, int]


def _cover(image: Image.Image, size: tuple[int, int], centre: tuple[float, float] = (0.5, 0.5)) -> Image.Image:
    return ImageOps.fit(image, size, Image.Resampling.LANCZOS, centering=centre)


def _blurred(name: SourceName, size: tuple[int, int], radius: float) -> Image.Image:
    return _cover(picture(name), size).filter(ImageFilter.GaussianBlur(radius))


def _paste(background: Image.Image, piece: Image.Image, at: tuple[int, int]) -> None:
    background.paste(piece, at, piece.getchannel("A"))


def _tint(image: Image.Image, colour: Colour) -> Image.Image:
    return ImageChops.multiply(image, Image.new("RGB", image.size, colour))


def _tinted_cut_out(piece: Image.Image, colour: Colour, *, saturation: float = 1.0) -> Image.Image:
    toned = _tint(ImageEnhance.Color(piece.convert("RGB")).enhance(saturation), colour)
    toned.putalpha(piece.getchannel("A"))
    return toned


def _grain(image: Image.Image, *, seed: int, strength: float = 3.0) -> Image.Image:
    noise = np.random.default_rng(seed).standard_normal((image.height, image.width, 1), dtype=np.float32)
    pixels = np.asarray(image) + np.rint(noise * strength).astype(np.int16)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _gradient(size: tuple[int, int], colours: Sequence[Colour]) -> Image.Image:
    """Colours from top to bottom."""
    stops = np.linspace(0.0, 1.0, len(colours))
    at = np.linspace(0.0, 1.0, size[1])
    column = np.stack([np.interp(at, stops, [colour[c] for colour in colours]) for c in range(3)], axis=1)
    return Image.fromarray(np.broadcast_to(column[:, None, :], (size[1], size[0], 3)).astype(np.uint8))


def _brick_wall(size: tuple[int, int], colour: Colour) -> Image.Image:
    lying = picture("brick").transpose(Image.Transpose.ROTATE_90)
    return _tint(ImageEnhance.Brightness(_cover(lying, size)).enhance(1.7), colour)


@cache
def plain(name: SourceName, *, side: int = 1024) -> Image.Image:
    """A source alone, its longer side scaled to `side`."""
    image = picture(name)
    scale = side / max(image.size)
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)


@cache
def cat_in_garden() -> Image.Image:
    """The cat before a dahlia that is out of focus."""
    scene = _cover(picture("flower"), (1200, 800), (0.2, 0.3)).filter(ImageFilter.GaussianBlur(5))
    scene = ImageEnhance.Brightness(scene).enhance(1.25)
    _paste(scene, cut_out("cat", height=800, mirrored=True, feather=1.2), (0, 0))
    return _grain(scene, seed=1)


@cache
def grey_cat_at_dusk() -> Image.Image:
    """A grey cat (the same one, recoloured) before a rocket's lights."""
    scene = _blurred("rocket", (1200, 800), 6)
    cat = cut_out("cat", height=800)
    _paste(scene, _tinted_cut_out(cat, (178, 190, 222), saturation=0.15), (0, 0))
    return _grain(scene, seed=2)


@cache
def cat_and_coffee() -> Image.Image:
    """The cat beside a cup of coffee."""
    scene = Image.new("RGB", (1200, 800))
    scene.paste(plain("coffee", side=1200).filter(ImageFilter.GaussianBlur(1.5)), (330, 0))
    _paste(scene, _tinted_cut_out(cut_out("cat", height=800), (255, 240, 222)), (-300, 0))
    return _grain(scene, seed=3)


@cache
def cat_eye() -> Image.Image:
    """One eye, so near that no face is left to see."""
    eye = picture("cat").crop((110, 70, 260, 170))
    return _grain(eye.resize((1200, 800), Image.Resampling.LANCZOS), seed=4)


@cache
def six_cats() -> Image.Image:
    """A collage of six cats of different colours, as people post of a litter."""
    coats: tuple[tuple[Colour, float], ...] = (
        ((255, 255, 255), 1.0),
        ((188, 196, 220), 0.1),
        ((255, 214, 168), 1.5),
        ((150, 138, 132), 0.4),
        ((255, 240, 225), 0.5),
        ((236, 200, 186), 1.2),
    )
    behind: tuple[SourceName, ...] = ("flower", "grass", "coffee", "palace", "brick", "rocket")
    collage = Image.new("RGB", (3 * 400 + 4 * 12, 2 * 300 + 3 * 12), "white")
    for index, ((colour, saturation), name) in enumerate(zip(coats, behind, strict=True)):
        tile = _blurred(name, (400, 300), 6)
        cat = _tinted_cut_out(cut_out("cat", height=300, mirrored=index % 2 == 1), colour, saturation=saturation)
        _paste(tile, cat, (400 - cat.width if index % 2 else 0, 0))
        collage.paste(tile, (12 + (index % 3) * 412, 12 + (index // 3) * 312))
    return _grain(collage, seed=5, strength=2.0)


@cache
def horse_at_moonrise() -> Image.Image:
    """A horse against an evening sky with a large moon."""
    size = (1200, 900)
    scene = _gradient(size, ((28, 24, 66), (120, 60, 104), (240, 128, 84), (255, 205, 130)))
    disc = Image.new("L", (340, 340), 0)
    ImageDraw.Draw(disc).ellipse((4, 4, 336, 336), fill=255)
    moon = _tint(ImageOps.autocontrast(_cover(picture("moon"), (340, 340)), cutoff=1), (255, 236, 206))
    moon = Image.blend(moon, Image.new("RGB", moon.size, (255, 226, 190)), 0.45)
    moon.putalpha(disc.filter(ImageFilter.GaussianBlur(2)))
    _paste(scene, moon, (760, 70))
    shadow = ImageOps.invert(picture("horse").convert("L")).resize((720, 590), Image.Resampling.LANCZOS)
    scene.paste(Image.new("RGB", shadow.size, (22, 15, 26)), (150, 205), shadow)
    meadow = _tint(_cover(picture("grass"), (1200, 140)), (70, 52, 52))
    edge = Image.new("L", (1200, 140), 255)
    edge.paste(_gradient((1200, 36), ((0, 0, 0), (255, 255, 255))).convert("L"), (0, 0))
    scene.paste(meadow, (0, 760), edge)
    return _grain(scene, seed=6)


@cache
def person_beside_cat() -> Image.Image:
    """A portrait with a cat in front: the commonest photo that must be held."""
    scene = _blurred("palace", (1800, 900), 7)
    _paste(scene, cut_out("astronaut", height=850), (890, 50))
    _paste(scene, cut_out("cat", height=900, feather=1.2), (-190, 0))
    return _grain(scene, seed=7)


@cache
def small_face_far_away() -> Image.Image:
    """A visitor at the edge of a landscape, her face some 30 of 1,600 pixels wide."""
    scene = plain("palace", side=1600)
    _paste(scene, _tinted_cut_out(cut_out("astronaut", height=190), (235, 235, 225)), (1130, scene.height - 190))
    return _grain(scene, seed=8, strength=2.0)


@cache
def face_half_hidden() -> Image.Image:
    """A person who holds a dahlia before mouth and nose."""
    scene = _blurred("grass", (1200, 900), 4)
    scene = _tint(scene, (196, 226, 160))
    _paste(scene, cut_out("astronaut", height=1150), (130, 60))
    dahlia = plain("flower", side=640).convert("RGBA")
    mask = Image.new("L", dahlia.size, 0)
    ImageDraw.Draw(mask).ellipse((186, 66, 436, 316), fill=255)
    dahlia.putalpha(mask.filter(ImageFilter.GaussianBlur(3)))
    _paste(scene, dahlia.crop((171, 51, 451, 331)).resize((330, 330), Image.Resampling.LANCZOS), (505, 300))
    return _grain(scene, seed=9)


@cache
def face_in_mirror() -> Image.Image:
    """A wall with an oval mirror, in it a person, before it a cat."""
    wall = _brick_wall((1200, 900), (255, 226, 200))
    glass = (430, 570)
    reflection = _gradient(glass, ((196, 206, 210), (150, 160, 168)))
    _paste(reflection, cut_out("astronaut", height=540, mirrored=True), (-85, 40))
    reflection = _tint(reflection.filter(ImageFilter.GaussianBlur(0.8)), (226, 240, 244))
    oval = Image.new("L", glass, 0)
    ImageDraw.Draw(oval).ellipse((0, 0, glass[0] - 1, glass[1] - 1), fill=255)
    left, top = 640, 90
    shadow = Image.new("L", wall.size, 0)
    ImageDraw.Draw(shadow).ellipse((left - 18, top + 6, left + glass[0] + 34, top + glass[1] + 44), fill=150)
    wall.paste(Image.new("RGB", wall.size, (40, 28, 24)), (0, 0), shadow.filter(ImageFilter.GaussianBlur(16)))
    draw = ImageDraw.Draw(wall)
    for width, colour in ((26, (120, 84, 40)), (20, (196, 150, 78)), (8, (232, 196, 124))):
        draw.ellipse((left - width, top - width, left + glass[0] + width, top + glass[1] + width), fill=colour)
    wall.paste(reflection, (left, top), oval.filter(ImageFilter.GaussianBlur(1)))
    _paste(wall, cut_out("cat", height=900, feather=1.2), (-600, 0))
    return _grain(wall, seed=10)


@cache
def poster_on_wall() -> Image.Image:
    """A printed portrait on a brick wall: a face on paper also goes to the operators."""
    wall = _brick_wall((1200, 900), (236, 170, 144))
    poster = ImageOps.expand(_tint(picture("astronaut").resize((560, 560)), (250, 244, 232)), 26, (246, 243, 236))
    sheet = poster.convert("RGBA").rotate(3, Image.Resampling.BICUBIC, expand=True)
    dark = Image.new("RGBA", sheet.size, (20, 16, 14, 255))
    dark.putalpha(sheet.getchannel("A").point(lambda alpha: alpha * 6 // 10).filter(ImageFilter.GaussianBlur(8)))
    _paste(wall, dark, (296, 136))
    _paste(wall, sheet, (280, 120))
    return _grain(wall, seed=11)


@cache
def cat_sticker() -> Image.Image:
    """The cat's head on transparency, its edge soft: RGBA."""
    image = plain("cat", side=900).convert("RGBA")
    mask = Image.new("L", image.size, 0)
    ImageDraw.Draw(mask).ellipse((96, 30, 740, 580), fill=255)
    image.putalpha(mask.filter(ImageFilter.GaussianBlur(14)))
    return image.crop((60, 0, 780, image.height))


@cache
def phone_photo() -> Image.Image:
    """12 megapixels (4,000 x 3,000) of a cat, with the fine noise of a small sensor."""
    wide = _cover(picture("cat"), (2000, 1500), (0.4, 0.5)).resize((4000, 3000), Image.Resampling.BICUBIC)
    return _grain(wide, seed=12, strength=2.0)
