"""Photos to features, by running the very graph and input code that serve photos later.

Each photo gives two rows, itself and its mirror image: a mirrored face is a face, and the fit sees twice
the poses. The mirror image is for fitting only; a photo is judged by its own row.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from pawcast.screening.network_input import Rgb, network_input, open_session
from pawcast_ops.training.labels import BadLabels, LabelledPhoto

type Features = NDArray[np.float32]


@dataclass(frozen=True)
class PhotoFeatures:
    """`plain` and `mirrored`, both [photos, D]."""

    plain: Features
    mirrored: Features


def open_rgb(path: Path) -> Rgb:
    """The upright photo as uint8 [H, W, 3]."""
    try:
        with Image.open(path) as image:
            return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    except (OSError, UnidentifiedImageError) as error:
        raise BadLabels(f"{path.name} can't be opened as a photo ({error}): delete its row or replace it") from error


def extract(
    graph: bytes,
    photos: Sequence[LabelledPhoto],
    input_side: int,
    *,
    threads: int = 1,
    on_photo: Callable[[], None] = lambda: None,
) -> PhotoFeatures:
    """The features of every photo, from a graph of `pawcast_ops.training.graph.build_features`."""
    session = open_session(graph, threads=threads, outputs=frozenset({"embedding"}))
    plain: list[Features] = []
    mirrored: list[Features] = []
    for photo in photos:
        batch = network_input(open_rgb(photo.path), input_side)
        for rows, image in ((plain, batch), (mirrored, np.ascontiguousarray(batch[:, :, :, ::-1]))):
            rows.append(np.asarray(session.run(["embedding"], {"image": image})[0], np.float32)[0])
        on_photo()
    return PhotoFeatures(np.stack(plain), np.stack(mirrored))
