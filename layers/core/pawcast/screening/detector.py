"""Where are the human faces? Boxes from CenterFace, for the serial strategy and for mosaics.

CenterFace answers on a grid of 4 x 4 pixels: how likely a face's centre is in the cell, and that face's
size and exact centre. The published graph (`pawcast_ops.training.graph.build_detector`) already keeps only
local maxima (`scores`, zero elsewhere) and works out the corners (`boxes`), both in pixels of the network's
input; what is left here is to drop doubles and to scale back. Method: Xu et al., CenterFace,
https://arxiv.org/abs/1911.03599.
"""

from dataclasses import dataclass
from os import PathLike

import numpy as np

from pawcast.screening.network_input import Rgb, network_input, open_session

OUTPUTS = ("scores", "boxes")
MIN_SCORE = 0.2  # below this a peak is noise; whoever uses a box sets a bar of their own above it
MAX_OVERLAP = 0.3  # intersection over union from which two boxes are one face, as in CenterFace

type Boxes = np.ndarray[tuple[int, int], np.dtype[np.float32]]


@dataclass(frozen=True, slots=True)
class FaceBox:
    """Left, top, right, bottom in pixels of the given photo, and how sure the network is (0 to 1)."""

    x0: float
    y0: float
    x1: float
    y1: float
    score: float


def without_doubles(corners: Boxes, scores: np.ndarray[tuple[int], np.dtype[np.float32]]) -> list[int]:
    """Indices of the boxes to keep, best first: greedy non-maximum suppression. `corners` is [N, 4]."""
    areas = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    waiting = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while waiting.size:
        best, rest = waiting[0], waiting[1:]
        kept.append(int(best))
        low = np.maximum(corners[best, :2], corners[rest, :2])
        high = np.minimum(corners[best, 2:], corners[rest, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        waiting = rest[shared <= MAX_OVERLAP * (areas[best] + areas[rest] - shared)]
    return kept


class FaceDetector:
    """Loaded once per warm function; `detect` is safe to call from several threads."""

    def __init__(self, model: bytes | str | PathLike[str], *, input_side: int, threads: int = 1) -> None:
        self._session = open_session(model, threads=threads, outputs=frozenset(OUTPUTS))
        self._input_side = input_side

    def detect(self, rgb: Rgb) -> list[FaceBox]:
        """Faces of an upright photo, uint8 [H, W, 3], best first; corners lie within the photo."""
        height, width = rgb.shape[:2]
        batch = network_input(rgb, self._input_side)
        score_map, box_map = (np.asarray(answer) for answer in self._session.run(OUTPUTS, {"image": batch}))
        scores = score_map.reshape(-1)
        found = np.flatnonzero(scores >= MIN_SCORE)
        corners = box_map.reshape(4, -1)[:, found].T
        scale = np.array([width / batch.shape[3], height / batch.shape[2]] * 2, np.float32)
        corners = np.clip(corners * scale, 0, np.array([width, height] * 2, np.float32)).astype(np.float32)
        answers: list[FaceBox] = []
        for index in without_doubles(corners, scores[found]):
            x0, y0, x1, y1 = map(float, corners[index])
            answers.append(FaceBox(x0, y0, x1, y1, float(scores[found][index])))
        return answers
