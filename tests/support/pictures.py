"""Drawn pictures for every test of pixels: seeded, small, and like photos in having large and small structure."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def scene(seed: int = 1, width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    """A colourful scene, uint8 [height, width, 3]: smooth hills, a few discs, a little grain."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0 : 1 : 1j * height, 0 : 1 : 1j * width]
    channels = []
    for _ in range(3):
        hills = sum(
            rng.uniform(10, 40)
            * np.sin(2 * np.pi * (rng.uniform(0.5, 4) * x + rng.uniform(0.5, 4) * y) + rng.uniform(0, 6))
            for _ in range(4)
        )
        channels.append(120 + hills)
    picture = np.stack(channels, axis=-1)
    for _ in range(6):
        disc = (x - rng.random()) ** 2 + (y - rng.random()) ** 2 < rng.uniform(0.02, 0.15) ** 2
        picture[disc] = rng.uniform(0, 255, 3)
    picture += rng.normal(0, 3, picture.shape)
    drawn: NDArray[np.uint8] = np.clip(picture, 0, 255).astype(np.uint8)
    return drawn


def corners() -> NDArray[np.uint8]:
    """A 60 x 40 picture with another colour in each corner: red, green, blue, white, clockwise from the upper left."""
    picture = np.zeros((40, 60, 3), np.uint8)
    picture[:20, :30], picture[:20, 30:] = (255, 0, 0), (0, 255, 0)
    picture[20:, 30:], picture[20:, :30] = (0, 0, 255), (255, 255, 255)
    return picture


def encoded(picture: "NDArray[Any] | Image.Image", kind: str = "JPEG", **options: Any) -> bytes:
    """The bytes of a picture file."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def heic(picture: NDArray[np.uint8]) -> bytes:
    """The bytes of a HEIC file."""
    import pillow_heif

    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(picture)).save(file, quality=90)
    return file.getvalue()
