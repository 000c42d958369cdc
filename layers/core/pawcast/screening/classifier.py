"""Is a human face visible? One probability for a whole photo, from one ONNX graph.

The graph is made by `pawcast_ops.training`: a face detector's network, cut before its boxes, whose inner
maps are pooled and judged by a fitted logistic head. The same pass gives the embedding (the pooled features
themselves), which is logged, so that the next head can be fitted on human verdicts without opening a photo
again.
"""

from dataclasses import dataclass
from os import PathLike

import numpy as np

from pawcast.errors import ModelRejected
from pawcast.screening.network_input import Rgb, network_input, open_session

OUTPUTS = ("probability", "embedding")


@dataclass(frozen=True, slots=True)
class Prediction:
    """`probability` 0 to 1, as calibrated on the head's own labels; `embedding` float32 [D]."""

    probability: float
    embedding: np.ndarray[tuple[int], np.dtype[np.float32]]


class FaceClassifier:
    """Loaded once per warm function; `predict` is safe to call from several threads."""

    def __init__(self, model: bytes | str | PathLike[str], *, input_side: int, threads: int = 1) -> None:
        self._session = open_session(model, threads=threads, outputs=frozenset(OUTPUTS))
        self._input_side = input_side

    def predict(self, rgb: Rgb) -> Prediction:
        """The prediction for an upright photo, uint8 [H, W, 3] of any size."""
        probability, embedding = self._session.run(OUTPUTS, {"image": network_input(rgb, self._input_side)})
        answer = float(np.asarray(probability).reshape(-1)[0])
        if not 0 <= answer <= 1:  # NaN too: weights that are damaged but load
            raise ModelRejected(f"the model answered {answer} where a probability was expected")
        return Prediction(probability=answer, embedding=np.asarray(embedding, np.float32).reshape(-1))
