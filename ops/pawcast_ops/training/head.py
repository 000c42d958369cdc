"""The classifier's head: what it is (a few KB of JSON, committed) and how it is fitted.

Logistic regression on standardised features with L2. The strength of L2 is chosen by leave-one-fold-out log
loss; for the reported scores that choice is made again inside each training part (nested), so a fold has no
say in the model that judges it. The logits are then calibrated by two numbers (Platt 1999) fitted on the
out-of-fold logits: they change no ranking, only how far from 0.5 a probability goes. Standardisation and
calibration are folded into the weights, which therefore apply to the raw features, the embedding that is
logged.

Everything is deterministic: the solver is LBFGS from zero, nothing is drawn.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from pawcast.errors import ModelRejected
from pawcast.screening.classifier import SECOND_LOOK
from pawcast_ops.training.features import Features, PhotoFeatures
from pawcast_ops.training.graph import FeatureSpec, Weights, build_linear, digest

STRENGTHS = (0.003, 0.01, 0.03, 0.1)  # scikit-learn's C; smaller is stronger
SMALLEST_DEVIATION = 1e-3  # a feature that hardly moves must not get a huge weight
MAX_ITERATIONS = 5_000

type Doubles = NDArray[np.float64]


class Head(BaseModel):
    """probability = sigmoid(weights . embedding + bias). `weights` is base64 of little-endian float32."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: FeatureSpec
    input_side: int = Field(ge=64, le=2048)
    detector_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    strength: float = Field(gt=0)
    bias: float = Field(allow_inf_nan=False)
    weights: str

    @cached_property
    def weight_values(self) -> Weights:
        """The weights as numbers, float32 [D]."""
        return np.frombuffer(base64.b64decode(self.weights, validate=True), "<f4").astype(np.float32)

    @model_validator(mode="after")
    def _weights_fit_the_features(self) -> "Head":
        try:
            values = self.weight_values
        except ValueError as error:
            raise ValueError("weights: must be base64 of float32 numbers") from error
        if values.size != self.features.dimensions or not np.isfinite(values).all():
            raise ValueError(f"weights: {self.features.dimensions} finite numbers are needed, got {values.size}")
        return self


@dataclass(frozen=True)
class Linear:
    """A logit: weights . features + bias, on raw features."""

    weights: Doubles
    bias: float

    def logits(self, features: NDArray[Any]) -> Doubles:
        """Of features [photos, D]."""
        return np.asarray(features, np.float64) @ self.weights + self.bias


@dataclass(frozen=True)
class FittedHead:
    """The head's calibrated logit, each photo's out-of-fold probability, the chosen strength of L2."""

    linear: Linear
    out_of_fold: Doubles
    strength: float


def build_classifier(detector: bytes, head: Head) -> bytes:
    """The ONNX graph image -> probability, embedding. Refuses any other detector."""
    if digest(detector) != head.detector_sha256:
        raise ModelRejected(
            f"the head was fitted on the detector {head.detector_sha256[:12]}…, "
            f"this one is {digest(detector)[:12]}…: take that detector, "
            "or fit a head on this one (`pawcast models train-head`)"
        )
    return build_linear(detector, head.features, head.weight_values, head.bias)


def _logistic_regression(strength: float) -> Any:
    # Imported here: scikit-learn takes seconds to load, and publishing a head fits none.
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=MAX_ITERATIONS)


def fit_linear(features: NDArray[Any], face: NDArray[np.bool_], strength: float) -> Linear:
    """Logistic regression on standardised features, expressed on the raw ones."""
    doubles = np.asarray(features, np.float64)
    mean, deviation = doubles.mean(axis=0), np.maximum(doubles.std(axis=0), SMALLEST_DEVIATION)
    model = _logistic_regression(strength).fit((doubles - mean) / deviation, face)
    weights = model.coef_[0] / deviation
    return Linear(weights, float(model.intercept_[0] - weights @ mean))


def log_loss(logits: Doubles, face: NDArray[np.bool_]) -> float:
    """Mean over the photos, in nats."""
    return float(np.logaddexp(0, np.where(face, -logits, logits)).mean())


def calibrate(logits: Doubles, face: NDArray[np.bool_]) -> tuple[float, float]:
    """(slope, shift) so that sigmoid(slope * logit + shift) is a calibrated probability."""
    model = _logistic_regression(1e6).fit(logits.reshape(-1, 1), face)
    return max(1e-3, float(model.coef_[0, 0])), float(model.intercept_[0])


def as_served(plain: Doubles, mirrored: Doubles) -> Doubles:
    """Probabilities by the classifier's rule: the doubtful photos by the mean of both logits."""
    first, both = (1 / (1 + np.exp(-logits)) for logits in (plain, (plain + mirrored) / 2))
    doubtful = (first >= SECOND_LOOK[0]) & (first <= SECOND_LOOK[1])
    return np.where(doubtful, both, first)


class _Folds:
    """Fits with some folds left out; each (folds, strength) is fitted once, as nested choices ask again."""

    def __init__(
        self,
        features: PhotoFeatures,
        face: NDArray[np.bool_],
        folds: NDArray[np.int64],
        on_fit: Callable[[], None],
    ) -> None:
        self._features, self._face, self._folds, self._on_fit = features, face, folds, on_fit
        self._known: dict[tuple[frozenset[int], float], Linear] = {}
        self.names = sorted(set(folds.tolist()))

    def without(self, left_out: frozenset[int], strength: float) -> Linear:
        key = (left_out, strength)
        if key not in self._known:
            rows = ~np.isin(self._folds, list(left_out))
            both = np.concatenate([self._features.plain[rows], self._features.mirrored[rows]])
            self._known[key] = fit_linear(both, np.tile(self._face[rows], 2), strength)
            self._on_fit()
        return self._known[key]

    def logits(
        self, features: Features, judged: Sequence[int], always_out: frozenset[int], strengths: dict[int, float]
    ) -> Doubles:
        """Logits of the photos in `judged`, each by a fit without its own fold and `always_out`."""
        answer = np.full(self._face.size, np.nan)
        for fold in judged:
            rows = self._folds == fold
            answer[rows] = self.without(always_out | {fold}, strengths[fold]).logits(features[rows])
        return answer

    def best_strength(self, always_out: frozenset[int]) -> float:
        """The strength with the least log loss when each remaining fold is judged by the others."""
        judged = [fold for fold in self.names if fold not in always_out]
        if len(judged) < 2:  # nothing to choose with
            return STRENGTHS[len(STRENGTHS) // 2]
        rows = np.isin(self._folds, judged)

        def loss(strength: float) -> float:
            logits = self.logits(self._features.plain, judged, always_out, dict.fromkeys(judged, strength))
            return log_loss(logits[rows], self._face[rows])

        return min(STRENGTHS, key=loss)


def count_fits(folds: int) -> int:
    """How often `fit_head` calls `on_fit`, at most."""
    return len(STRENGTHS) * (folds + folds * (folds - 1) // 2) + 1


def fit_head(
    features: PhotoFeatures,
    face: NDArray[np.bool_],
    folds: NDArray[np.int64],
    *,
    on_fit: Callable[[], None] = lambda: None,
) -> FittedHead:
    """Fit on everything; report each photo's probability by a model that has not seen its fold."""
    work = _Folds(features, face, folds, on_fit)
    nested = {fold: work.best_strength(frozenset({fold})) for fold in work.names}
    plain, mirrored = (
        work.logits(looks, work.names, frozenset(), nested) for looks in (features.plain, features.mirrored)
    )
    slope, shift = calibrate((plain + mirrored) / 2, face)
    strength = work.best_strength(frozenset())
    whole = work.without(frozenset(), strength)
    return FittedHead(
        linear=Linear(whole.weights * slope, whole.bias * slope + shift),
        out_of_fold=as_served(slope * plain + shift, slope * mirrored + shift),
        strength=strength,
    )


def seal_head(fitted: FittedHead, spec: FeatureSpec, input_side: int, detector: bytes) -> Head:
    """What is committed."""
    return Head(
        features=spec,
        input_side=input_side,
        detector_sha256=digest(detector),
        strength=fitted.strength,
        bias=fitted.linear.bias,
        weights=base64.b64encode(fitted.linear.weights.astype("<f4").tobytes()).decode(),
    )
