"""The registry in S3: what is published can't change, what is read is what was published."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from pawcast.adapters.model_store import CACHED_MODELS, ModelStore, card_key, model_key
from pawcast.errors import DependencyUnavailable, HashMismatch, ModelRejected, NotFound, VersionConflict
from pawcast.mlops.registry import ModelRef
from tests.support.releases import MODEL, a_card, a_detector_card

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

REF = a_card().ref


@pytest.fixture
def store(s3: "S3Client", models_bucket: str, tmp_path: Path) -> ModelStore:
    return ModelStore(s3, models_bucket, tmp_path / "cache")


@pytest.fixture
def stubbed() -> Iterator[tuple["S3Client", Stubber]]:
    client = boto3.Session().client("s3")
    with Stubber(client) as stubber:
        yield client, stubber


def test_a_published_model_is_fetched_with_its_bytes_and_card(store: ModelStore) -> None:
    card = store.publish(a_card(), MODEL)

    assert store.fetch(REF) == MODEL
    assert store.card(REF) == card == a_card()


def test_a_version_is_a_model_and_a_card_at_fixed_keys(store: ModelStore, s3: "S3Client", models_bucket: str) -> None:
    store.publish(a_card(), MODEL)

    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=models_bucket)["Contents"]]

    assert keys == ["models/face-classifier/1/card.json", "models/face-classifier/1/model.onnx"]


def test_publishing_the_same_again_writes_nothing_and_returns_the_first_card(
    store: ModelStore, s3: "S3Client", models_bucket: str
) -> None:
    s3.put_bucket_versioning(Bucket=models_bucket, VersioningConfiguration={"Status": "Enabled"})
    first = store.publish(a_card(), MODEL)

    again = store.publish(a_card(created_at=datetime(2027, 1, 1, tzinfo=UTC)), MODEL)

    assert again == first
    assert len(s3.list_object_versions(Bucket=models_bucket)["Versions"]) == 2


def test_other_bytes_under_a_published_version_are_a_conflict(store: ModelStore) -> None:
    store.publish(a_card(), MODEL)

    with pytest.raises(VersionConflict, match="face-classifier/1 holds another model already"):
        store.publish(a_card(b"another model"), b"another model")

    assert store.fetch(REF) == MODEL


def test_another_card_for_the_same_bytes_is_a_conflict_that_names_the_fields(store: ModelStore) -> None:
    store.publish(a_card(), MODEL)

    with pytest.raises(VersionConflict, match=r"another card \(metrics, licence differ\)"):
        store.publish(a_card(licence="Apache-2.0", metrics={"roc_auc": 0.5}), MODEL)


def test_a_card_sealed_for_other_bytes_is_not_published(store: ModelStore) -> None:
    with pytest.raises(HashMismatch):
        store.publish(a_card(), MODEL + b"!")

    assert store.versions("face-classifier") == []


def test_a_model_whose_card_was_never_written_is_no_version_and_can_be_finished(
    store: ModelStore, s3: "S3Client", models_bucket: str
) -> None:
    s3.put_object(Bucket=models_bucket, Key=model_key(REF), Body=MODEL)

    before = store.versions("face-classifier")
    store.publish(a_card(), MODEL)

    assert (before, store.versions("face-classifier")) == ([], ["1"])


def test_a_missing_version_is_named_with_the_versions_that_exist(store: ModelStore) -> None:
    for version in ("1.10", "1.9"):
        store.publish(a_card(version=version), MODEL)

    with pytest.raises(NotFound, match=r"has no version 2 in models-bucket: it has 1\.9, 1\.10"):
        store.fetch(ModelRef(name="face-classifier", version="2"))


def test_a_missing_model_is_named_without_any_version(store: ModelStore) -> None:
    with pytest.raises(NotFound, match="has no version 1 in models-bucket: it has no version at all"):
        store.card(REF)


def test_versions_and_names_count_published_ones_only(store: ModelStore, s3: "S3Client", models_bucket: str) -> None:
    store.publish(a_card(version="10"), MODEL)
    store.publish(a_card(version="9"), MODEL)
    store.publish(a_detector_card(), MODEL)
    s3.put_object(Bucket=models_bucket, Key="models/face-classifier/11/model.onnx", Body=MODEL)
    s3.put_object(Bucket=models_bucket, Key="models/readme.txt", Body=b"")

    assert store.names() == ["face-classifier", "face-detector"]
    assert store.versions("face-classifier") == ["9", "10"]
    assert store.versions("face") == []


@pytest.mark.parametrize("stored", [MODEL + b"!", MODEL[:-1], b"", b"x" * 5_000_000])
def test_bytes_that_are_not_the_cards_are_a_hash_mismatch_and_are_not_cached(
    store: ModelStore, s3: "S3Client", models_bucket: str, tmp_path: Path, stored: bytes
) -> None:
    store.publish(a_card(), MODEL)
    s3.put_object(Bucket=models_bucket, Key=model_key(REF), Body=stored)

    with pytest.raises(HashMismatch, match="face-classifier/1"):
        store.fetch(REF)

    assert list(tmp_path.glob("cache/*")) == []


def test_a_damaged_card_is_rejected(store: ModelStore, s3: "S3Client", models_bucket: str) -> None:
    s3.put_object(Bucket=models_bucket, Key=card_key(REF), Body=b"{")

    with pytest.raises(ModelRejected, match=r"card\.json is not valid"):
        store.fetch(REF)


def test_a_card_moved_to_another_version_is_rejected(store: ModelStore, s3: "S3Client", models_bucket: str) -> None:
    s3.put_object(Bucket=models_bucket, Key=card_key(REF), Body=a_card(version="2").json_bytes())

    with pytest.raises(HashMismatch, match="stored for face-classifier/1 is the card of face-classifier/2"):
        store.card(REF)


def test_a_card_whose_model_is_gone_says_so(store: ModelStore, s3: "S3Client", models_bucket: str) -> None:
    store.publish(a_card(), MODEL)
    s3.delete_object(Bucket=models_bucket, Key=model_key(REF))

    with pytest.raises(NotFound, match=r"face-classifier/1 has a card but no model\.onnx"):
        store.fetch(REF)


def test_a_cached_model_is_not_downloaded_again(store: ModelStore, s3: "S3Client", models_bucket: str) -> None:
    store.publish(a_card(), MODEL)
    store.fetch(REF)
    s3.delete_object(Bucket=models_bucket, Key=model_key(REF))

    assert store.fetch(REF) == MODEL


@pytest.mark.parametrize("damage", [b"", MODEL[:7], MODEL[:-1] + b"?"])
def test_a_damaged_cache_file_is_fetched_anew_and_mended(
    store: ModelStore, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes
) -> None:
    store.publish(a_card(), MODEL)
    store.fetch(REF)
    cached = tmp_path / "cache" / a_card().sha256
    cached.write_bytes(damage)

    with caplog.at_level(logging.WARNING):
        fetched = store.fetch(REF)

    assert (fetched, cached.read_bytes()) == (MODEL, MODEL)
    assert "the cached model face-classifier/1 is unusable" in caplog.text


def test_a_cache_that_cannot_be_written_costs_the_cache_and_not_the_model(
    s3: "S3Client", models_bucket: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"no directory")
    store = ModelStore(s3, models_bucket, tmp_path / "file" / "cache")
    store.publish(a_card(), MODEL)

    assert store.fetch(REF) == MODEL
    assert "can't be cached" in caplog.text


def test_a_cache_entry_that_cannot_be_replaced_leaves_no_part_behind(
    store: ModelStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store.publish(a_card(), MODEL)
    (tmp_path / "cache" / a_card().sha256 / "in the way").mkdir(parents=True)

    assert store.fetch(REF) == MODEL
    assert "can't be cached" in caplog.text
    assert [path.name for path in (tmp_path / "cache").iterdir()] == [a_card().sha256]


def test_the_cache_keeps_the_newest_models_only_and_no_parts(store: ModelStore, tmp_path: Path) -> None:
    models = [f"model {number}".encode() for number in range(CACHED_MODELS + 3)]
    for number, model in enumerate(models):
        card = store.publish(a_card(model, version=str(number)), model)
        store.fetch(card.ref)

    names = {path.name for path in tmp_path.glob("cache/*")} | {path.name for path in tmp_path.glob("cache/.*")}

    assert len(names) == CACHED_MODELS
    assert a_card(models[-1]).sha256 in names
    assert a_card(models[0]).sha256 not in names


def test_s3_slow_or_failing_is_retryable_and_names_the_object(stubbed: tuple["S3Client", Stubber]) -> None:
    client, stubber = stubbed
    stubber.add_client_error("get_object", "SlowDown", http_status_code=503)

    with pytest.raises(DependencyUnavailable, match=r"s3:GetObject on b/models/face-classifier/1/card\.json"):
        ModelStore(client, "b").fetch(REF)


@pytest.mark.parametrize("operation", ["get_object", "put_object"])
def test_a_missing_permission_is_not_taken_for_weather(stubbed: tuple["S3Client", Stubber], operation: str) -> None:
    client, stubber = stubbed
    stubber.add_client_error(operation, "AccessDenied", http_status_code=403)
    store = ModelStore(client, "b")

    with pytest.raises(ClientError, match="AccessDenied"):
        store.card(REF) if operation == "get_object" else store.publish(a_card(), MODEL)


def test_a_missing_permission_on_the_model_itself_passes_through(
    stubbed: tuple["S3Client", Stubber], s3: "S3Client", models_bucket: str, tmp_path: Path
) -> None:
    ModelStore(s3, models_bucket).publish(a_card(), MODEL)
    client, stubber = stubbed
    card: Any = s3.get_object(Bucket=models_bucket, Key=card_key(REF))
    stubber.add_response("get_object", card)
    stubber.add_client_error("get_object", "AccessDenied", http_status_code=403)

    with pytest.raises(ClientError, match="AccessDenied"):
        ModelStore(client, models_bucket, tmp_path / "cache").fetch(REF)
