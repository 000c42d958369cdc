"""Is a human face visible? One probability for a whole photo, from one ONNX graph.

The graph is made by `pawcast_ops.training`: a face detector's network, cut before its boxes, whose inner maps are
pooled and judged by a fitted logistic head. The same pass gives the embedding (the pooled features themselves), which
is logged, so that the next head can be fitted on human verdicts without opening a photo again.

A photo that is neither clearly with nor clearly without a face is looked at a second time, mirrored, and the two
logits are averaged: that is worth about one point of recall at 2 % false positives, and costs time for the few
doubtful photos only (docs/decisions/0003-face-classifier.md). Training judges its photos by the same rule.
"""

import math
from dataclasses import dataclass
from os import PathLike

import numpy as np

from pawcast.errors import ModelRejected
from pawcast.screening.network_input import Batch, Rgb, network_input, open_session

OUTPUTS = ("probability", "embedding")
SECOND_LOOK = (0.1, 0.97)  # probabilities between which a photo is looked at again


def between(first: float, second: float) -> float:
    """The probability whose logit is the mean of theirs. Certainty (0 or 1) is taken as one in ten million."""
    logits = (math.log(p / (1 - p)) for p in (min(max(p, 1e-7), 1 - 1e-7) for p in (first, second)))
    return 1 / (1 + math.exp(-sum(logits) / 2))


@dataclass(frozen=True, slots=True)
class Prediction:
    """`probability` 0 to 1, as calibrated on the head's own labels; `embedding` float32 [D], of the first look."""

    probability: float
    embedding: np.ndarray[tuple[int], np.dtype[np.float32]]


class FaceClassifier:
    """Loaded once per warm function; `predict` is safe to call from several threads."""

    def __init__(self, model: bytes | str | PathLike[str], *, input_side: int, threads: int = 1) -> None:
        self._session = open_session(model, threads=threads, outputs=frozenset(OUTPUTS))
        self._input_side = input_side

    def predict(self, rgb: Rgb) -> Prediction:
        """The prediction for an upright photo, uint8 [H, W, 3] of any size."""
        batch = network_input(rgb, self._input_side)
        first = self._look(batch)
        if not SECOND_LOOK[0] <= first.probability <= SECOND_LOOK[1]:
            return first
        second = self._look(np.ascontiguousarray(batch[:, :, :, ::-1]))
        return Prediction(between(first.probability, second.probability), first.embedding)

    def _look(self, batch: Batch) -> Prediction:
        probability, embedding = self._session.run(OUTPUTS, {"image": batch})
        answer = float(np.asarray(probability).reshape(-1)[0])
        if not 0 <= answer <= 1:  # NaN too: weights that are damaged but load
            raise ModelRejected(f"the model answered {answer} where a probability was expected")
        return Prediction(probability=answer, embedding=np.asarray(embedding, np.float32).reshape(-1))
