"""The forecast release in force, with the documents of its models."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from mypy_boto3_s3 import S3Client
from mypy_boto3_ssm import SSMClient

from pawcast.adapters.forecast_releases import ForecastReleases
from pawcast.adapters.model_store import ModelStore
from pawcast.errors import InvalidPolicy, ModelRejected, NotFound
from pawcast.forecasting.models import built_in_document, load_model, parse_release
from pawcast.mlops.registry import Card

PARAMETER = "/pawcast/forecast-release"


@pytest.fixture
def releases(ssm: SSMClient, s3: S3Client, models_bucket: str) -> ForecastReleases:
    ssm.put_parameter(Name=PARAMETER, Value='{"version": 0}', Type="String")
    return ForecastReleases(ssm, PARAMETER, ModelStore(s3, models_bucket))


def publish(s3: S3Client, bucket: str, version: str, content: bytes) -> None:
    card = Card(
        name="visits-forecast",
        version=version,
        task="visits-forecast",
        inputs={},
        outputs={},
        sha256=hashlib.sha256(content).hexdigest(),
        size_bytes=len(content),
        licence="Apache-2.0",
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    ModelStore(s3, bucket).publish(card, content)


def release(ssm: SSMClient, *versions: str) -> None:
    arms = [
        {"name": name, "model": {"name": "visits-forecast", "version": version}, "share": 1 / len(versions)}
        for name, version in zip(("champion", "candidate"), versions, strict=False)
    ]
    put(ssm, json.dumps({"version": 7, "experiment": "lift", "arms": arms}))


def put(ssm: SSMClient, text: str) -> None:
    ssm.put_parameter(Name=PARAMETER, Value=text, Type="String", Overwrite=True)


def test_where_nothing_was_released_the_built_in_model_runs(releases: ForecastReleases) -> None:
    current = releases.current()

    name = "visits-forecast/built-in"
    assert (1, [{"name": "champion", "model": name}]) == (current["version"], current["arms"])
    assert {name: built_in_document()} == current["models"]
    assert 1 == parse_release(current["release"]).version


def test_a_release_comes_with_the_documents_of_all_its_models(
    releases: ForecastReleases, ssm: SSMClient, s3: S3Client, models_bucket: str
) -> None:
    documents: dict[str, dict[str, Any]] = {"3": built_in_document(), "4": {"kind": "moving_average", "weeks": 4}}
    for version, document in documents.items():
        publish(s3, models_bucket, version, json.dumps(document).encode())
    release(ssm, "3", "4")

    current = releases.current()

    assert (7, ["champion", "candidate"]) == (current["version"], [arm["name"] for arm in current["arms"]])
    assert {f"visits-forecast/{version}": document for version, document in documents.items()} == current["models"]
    assert ["walk", "moving_average"] == [load_model(each).document.kind for each in current["models"].values()]
    assert json.loads(json.dumps(current)) == current


def test_a_model_that_is_not_in_the_registry_is_named(releases: ForecastReleases, ssm: SSMClient) -> None:
    release(ssm, "9")

    with pytest.raises(NotFound, match="visits-forecast has no version 9"):
        releases.current()


@pytest.mark.parametrize(("content", "problem"), [(b"\x89ONNX", "not JSON"), (b"[1, 2]", "not a JSON object")])
def test_a_model_whose_file_is_no_document_is_refused_by_name(
    releases: ForecastReleases, ssm: SSMClient, s3: S3Client, models_bucket: str, content: bytes, problem: str
) -> None:
    publish(s3, models_bucket, "3", content)
    release(ssm, "3")

    with pytest.raises(ModelRejected, match=f"visits-forecast/3 .*{problem}"):
        releases.current()


@pytest.mark.parametrize("text", ["nothing", "[]", "5", '{"version": 2}', '{"version": 2, "arms": []}'])
def test_a_parameter_that_holds_no_release_is_refused(releases: ForecastReleases, ssm: SSMClient, text: str) -> None:
    put(ssm, text)

    with pytest.raises(InvalidPolicy):
        releases.current()
