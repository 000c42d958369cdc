"""The committed head: its card tells the truth, and, where CenterFace is installed, it tells people from cats."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import data

from pawcast.mlops.threshold import ServiceFacts, choose_threshold
from pawcast.screening.classifier import FaceClassifier
from pawcast.screening.detector import FaceDetector
from pawcast_ops.publishing import SourceMissing, find_centerface
from pawcast_ops.training import report
from pawcast_ops.training.graph import build_detector
from pawcast_ops.training.head import Head, build_classifier

FOLDER = Path(__file__).parents[2] / "models" / "face-classifier"


@pytest.fixture(scope="module")
def centerface() -> bytes:
    try:
        return find_centerface(None).model
    except SourceMissing as error:
        pytest.skip(f"needs the real network: {error}")


@pytest.fixture(scope="module")
def head() -> Head:
    return Head.model_validate_json((FOLDER / "head.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def card() -> dict[str, Any]:
    return dict(json.loads((FOLDER / "card.json").read_text("utf-8")))


def test_the_cards_figures_are_those_of_its_out_of_fold_scores(card: dict[str, Any]) -> None:
    known = report.read_scores(FOLDER / "oof_scores.csv")
    facts = card["metrics"]["threshold_advice"]["facts"]
    choice = choose_threshold(known.labelled(), ServiceFacts(**facts))

    assert report.metrics(known, choice, facts) == card["metrics"]


def test_the_head_reaches_what_was_asked_for_on_sources_it_has_not_seen(card: dict[str, Any]) -> None:
    metrics = card["metrics"]

    assert metrics["recall_at_2_percent_fpr"] >= 0.93
    assert metrics["at_advised_threshold"]["accuracy"] >= 0.955
    assert metrics["at_advised_threshold"]["animal_photos_held"] <= 0.02


def test_the_card_describes_the_heads_graph(head: Head, card: dict[str, Any]) -> None:
    assert card["inputs"]["input_side"] == head.input_side
    assert card["outputs"]["embedding"] == [head.features.dimensions]


def test_a_portrait_is_held_and_a_cat_and_a_cup_are_not(centerface: bytes, head: Head, card: dict[str, Any]) -> None:
    classifier = FaceClassifier(build_classifier(centerface, head), input_side=head.input_side)
    pictures = {name: np.asarray(getattr(data, name)()) for name in ("astronaut", "cat", "coffee")}

    threshold = card["metrics"]["threshold_advice"]["threshold"]
    held = {name for name, rgb in pictures.items() if classifier.predict(rgb).probability >= threshold}

    assert held == {"astronaut"}


def test_the_answer_hardly_depends_on_the_size_of_the_photo(centerface: bytes, head: Head) -> None:
    classifier = FaceClassifier(build_classifier(centerface, head), input_side=head.input_side)
    small = np.asarray(data.astronaut())
    large = small.repeat(4, axis=0).repeat(4, axis=1)

    assert classifier.predict(small).probability == pytest.approx(classifier.predict(large).probability, abs=0.05)


def test_the_detector_finds_the_astronauts_face_where_it_is(centerface: bytes) -> None:
    (face,) = FaceDetector(build_detector(centerface), input_side=640).detect(np.asarray(data.astronaut()))

    assert (face.x0, face.y0, face.x1, face.y1) == pytest.approx((183, 60, 272, 178), abs=8)
    assert face.score > 0.8
