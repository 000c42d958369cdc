"""Small cards, models and policies for tests: valid unless a test says otherwise."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from pawcast.errors import NotFound
from pawcast.mlops.embedding import encode_embedding
from pawcast.mlops.inference_log import InferenceRecord, inference_id
from pawcast.mlops.policy import ReleasePolicy
from pawcast.mlops.registry import Card, ModelRef
from pawcast.mlops.release_gate import Probed, Rgb

MODEL = b"the bytes of a classifier"
FITTED_AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def card_facts(model: bytes = MODEL, **changes: Any) -> dict[str, Any]:
    """A valid face-classifier card as a dictionary, with `changes` on top."""
    facts = {
        "name": "face-classifier",
        "version": "1",
        "task": "face-classification",
        "inputs": {"input_side": 480},
        "outputs": {"probability": [1], "embedding": [1, 4]},
        "sha256": hashlib.sha256(model).hexdigest(),
        "size_bytes": len(model),
        "created_at": FITTED_AT,
        "data_set": {"id": "photos-2026-11", "n": 1_200},
        "parent": {"name": "face-detector", "version": "1.5.0", "sha256": "0" * 64},
        "metrics": {"roc_auc": 0.987, "recall_at_fpr": {"0.02": 0.93}},
        "licence": "MIT",
        "notes": "",
    }
    return facts | changes


def a_card(model: bytes = MODEL, **changes: Any) -> Card:
    return Card.model_validate(card_facts(model, **changes))


def a_detector_card(model: bytes = MODEL, **changes: Any) -> Card:
    detector = {
        "name": "face-detector",
        "version": "1.5.0",
        "task": "face-detection",
        "inputs": {"input_side": 640},
        "outputs": {"boxes": ["n", 4], "scores": ["n"]},
        "parent": None,
    }
    return a_card(model, **(detector | changes))


def policy_facts(**changes: Any) -> dict[str, Any]:
    """A valid single policy as a dictionary, with `changes` on top."""
    facts = {
        "version": 1,
        "primary": {"model": {"name": "face-classifier", "version": "1"}, "threshold": 0.6},
        "strategy": {"kind": "single"},
        "limits": {"operator_checks_per_week": 400},
        "faces": None,
        "audit_share": 0.0,
    }
    return facts | changes


def a_policy(version: int = 1, *, model_version: str = "1", **changes: Any) -> ReleasePolicy:
    primary = {"model": {"name": "face-classifier", "version": model_version}, "threshold": 0.6}
    return ReleasePolicy.model_validate(policy_facts(**({"version": version, "primary": primary} | changes)))


SERIAL = {
    "kind": "serial",
    "detector": {"name": "face-detector", "version": "1.5.0"},
    "band": [0.4, 0.8],
    "min_score": 0.5,
}


class Shelf:
    """A registry in a dictionary."""

    def __init__(self, *models: tuple[Card, bytes]) -> None:
        self._models: Mapping[ModelRef, tuple[Card, bytes]] = {card.ref: (card, data) for card, data in models}

    def card(self, ref: ModelRef) -> Card:
        if ref not in self._models:
            raise NotFound(f"no {ref} on the shelf")
        return self._models[ref][0]

    def fetch(self, ref: ModelRef) -> bytes:
        return self._models[ref][1]


def healthy(card: Card, _: bytes, picture: Rgb) -> Probed:
    """The probe of a model that looks at its picture."""
    if card.task == "face-detection":
        return Probed(())
    return Probed((0.25,), (float(picture.mean()), float(picture.std()), 0.0, 1.0))


IDENTITY = {
    "post_id": "post-1",
    "upload_version": "v1",
    "model": "face-classifier",
    "model_version": "1",
    "role": "primary",
}


def a_record(**changes: Any) -> InferenceRecord:
    facts = {
        "inference_id": inference_id(**IDENTITY),
        "post_id": "post-1",
        "occurred_at": datetime(2026, 11, 23, 7, 47, 41, 123_456, tzinfo=UTC),
        "model": "face-classifier",
        "model_version": "1",
        "policy_version": 3,
        "role": "primary",
        "score": 0.91,
        "threshold": 0.6,
        "outcome": "flag",
        "latency_ms": 41.5,
        "image": {
            "width": 4000,
            "height": 3000,
            "format": "jpeg",
            "bytes": 3_141_592,
            "brightness": 0.5,
            "contrast": 0.2,
        },
        "embedding": encode_embedding(np.array([0.5, -1.25])),
    }
    return InferenceRecord.model_validate(facts | changes)
