"""The models that a release policy names are fetched, checked and loaded; the detector only where it is asked for."""

import base64
from pathlib import Path

import numpy as np
import pytest
from mypy_boto3_s3 import S3Client

from pawcast.adapters.model_store import ModelStore
from pawcast.adapters.screener_assembly import load_models
from pawcast.errors import NotFound
from pawcast.mlops.policy import ReleasePolicy
from pawcast_ops.training.graph import build_detector, digest
from pawcast_ops.training.head import Head, build_classifier
from tests.support.releases import SERIAL, a_card, a_detector_card, policy_facts
from tests.support.tiny_centerface import TINY, night, tiny_centerface


def a_head() -> Head:
    weights = np.zeros(TINY.dimensions, np.float32)
    facts = {
        "features": TINY,
        "input_side": 480,
        "detector_sha256": digest(tiny_centerface()),
        "strength": 1.0,
        "bias": -3.0,
    }
    return Head.model_validate(facts | {"weights": base64.b64encode(weights.tobytes()).decode()})


@pytest.fixture
def store(s3: S3Client, models_bucket: str, tmp_path: Path) -> ModelStore:
    store = ModelStore(s3, models_bucket, tmp_path / "cache")
    classifier = build_classifier(tiny_centerface(), a_head())
    detector = build_detector(tiny_centerface(), TINY)
    store.publish(a_card(classifier), classifier)
    store.publish(a_detector_card(detector), detector)
    return store


def test_a_single_release_loads_the_classifier_alone(store: ModelStore) -> None:
    models = load_models(ReleasePolicy.model_validate(policy_facts()), store)

    assert models.detector is None
    assert 1 / (1 + np.exp(3)) == pytest.approx(models.classifier.predict(night(64, 48)).probability)


def test_a_serial_release_loads_the_detector_too(store: ModelStore) -> None:
    models = load_models(ReleasePolicy.model_validate(policy_facts(strategy=SERIAL)), store)

    assert models.detector is not None
    assert [] == models.detector.detect(night(64, 48))


def test_a_version_that_does_not_exist_is_named(store: ModelStore) -> None:
    missing = {"model": {"name": "face-classifier", "version": "404"}, "threshold": 0.5}

    with pytest.raises(NotFound, match="face-classifier has no version 404"):
        load_models(ReleasePolicy.model_validate(policy_facts(primary=missing)), store)
