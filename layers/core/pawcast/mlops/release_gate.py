"""The gate in front of the release policy: whatever it refuses never reaches a warm function.

It runs where an operator releases, not in Lambda. Models are loaded and asked about two pictures through a
probe that the caller gives, since the core's rules do not know ONNX Runtime.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pawcast.errors import InvalidPolicy, ModelRejected, NotFound
from pawcast.mlops.policy import ReleasePolicy
from pawcast.mlops.registry import Card, ModelRef, Task

type Rgb = np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]


@dataclass(frozen=True)
class Probed:
    """What a model said about one picture."""

    scores: tuple[float, ...]  # every probability or face score, all of them in [0, 1]
    embedding: tuple[float, ...] | None = None  # classifiers only


type Probe = Callable[[Card, bytes, Rgb], Probed]


class Models(Protocol):
    """The registry as the gate sees it: `ModelStore`, or a dictionary in tests."""

    def card(self, ref: ModelRef) -> Card:
        """The card; `NotFound` for a version that does not exist."""
        ...

    def fetch(self, ref: ModelRef) -> bytes:
        """The bytes, checked against the card."""
        ...


def validate_release(policy: ReleasePolicy, models: Models, probe: Probe) -> tuple[Card, ...]:
    """The cards of everything the policy names, after each model was loaded and asked about two pictures.

    Raises `InvalidPolicy` for a model that is missing or made for another task, `ModelRejected` (also its
    `HashMismatch`) for one that does not load or answers nonsense. Call it before a document goes live.
    """
    policy.json_text()  # refuses a document that the parameter can't hold
    return tuple(_checked_card(ref, task, models, probe) for ref, task in policy.models())


def _checked_card(ref: ModelRef, task: Task, models: Models, probe: Probe) -> Card:
    try:
        card = models.card(ref)
        if card.task != task:
            raise InvalidPolicy(f"the policy needs a {task} model, but {ref} is one for {card.task}")
        model = models.fetch(ref)
    except NotFound as error:
        raise InvalidPolicy(f"the policy names a model that is not in the registry: {error}") from error
    check_model(card, model, probe)
    return card


def check_model(card: Card, model: bytes, probe: Probe) -> None:
    """Raise `ModelRejected` unless the model loads and answers two pictures sensibly."""
    gray, noise = (_answer(card, model, picture, probe) for picture in probe_pictures())
    if gray.embedding is not None and gray.embedding == noise.embedding:
        raise ModelRejected(f"{card.ref} answers the same to a gray picture and to noise: it does not look at them")


def _answer(card: Card, model: bytes, picture: Rgb, probe: Probe) -> Probed:
    try:
        answer = probe(card, model, picture)
    except Exception as error:  # a runtime raises what it likes; whatever it is, this model must not go live
        raise ModelRejected(f"{card.ref} can't be loaded or run: {type(error).__name__}: {error}") from error
    wrong = [score for score in answer.scores if not (math.isfinite(score) and 0 <= score <= 1)]
    if wrong:
        raise ModelRejected(f"{card.ref} answers {wrong[0]} where a probability from 0 to 1 is due")
    if card.task == "face-classification":
        if len(answer.scores) != 1:
            raise ModelRejected(f"{card.ref} gives {len(answer.scores)} probabilities for a picture, not 1")
        if not answer.embedding or not all(map(math.isfinite, answer.embedding)):
            raise ModelRejected(f"{card.ref} gives an embedding that is empty or not finite")
    return answer


def probe_pictures() -> tuple[Rgb, Rgb]:
    """An even gray and seeded noise, [240, 320, 3]: no photo is needed to see that a model answers at all."""
    gray = np.full((240, 320, 3), 128, dtype=np.uint8)
    noise = np.random.default_rng(20).integers(0, 256, size=gray.shape, dtype=np.uint8)
    return gray, noise
