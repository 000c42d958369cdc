"""One record for each prediction, and its line in the log."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pawcast.mlops.embedding import brightness_and_contrast, decode_embedding, encode_embedding
from pawcast.mlops.inference_log import InferenceRecord, inference_id
from tests.support.releases import IDENTITY, a_record


def test_the_same_look_at_the_same_upload_has_the_same_id() -> None:
    assert inference_id(**IDENTITY) == "9588e1d7e317b316e81831c90d9f6a18"


@pytest.mark.parametrize("part", IDENTITY)
def test_every_part_of_the_identity_changes_the_id(part: str) -> None:
    assert inference_id(**(IDENTITY | {part: "another"})) != inference_id(**IDENTITY)


def test_a_record_is_one_json_line_with_keys_in_their_fixed_order() -> None:
    line = a_record().json_line()

    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert list(json.loads(line)) == [
        "inference_id",
        "post_id",
        "occurred_at",
        "model",
        "model_version",
        "policy_version",
        "role",
        "score",
        "threshold",
        "outcome",
        "latency_ms",
        "image",
        "embedding",
    ]


def test_a_record_is_dated_in_utc_to_the_millisecond_and_its_day_is_the_partition() -> None:
    past_midnight_in_seoul = datetime(2026, 11, 24, 0, 30, tzinfo=timezone(timedelta(hours=9)))
    record = a_record(occurred_at=past_midnight_in_seoul)

    assert json.loads(record.json_line())["occurred_at"] == "2026-11-23T15:30:00.000Z"
    assert record.day == "2026-11-23"


def test_a_line_reads_back_as_its_record() -> None:
    record = a_record(occurred_at=datetime(2026, 11, 23, 7, 47, 41, 123_000, tzinfo=UTC))

    assert InferenceRecord.model_validate_json(record.json_line()) == record


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("inference_id", "short"),
        ("occurred_at", datetime(2026, 11, 23)),  # noqa: DTZ001 - the point of the case
        ("score", float("nan")),
        ("score", 1.01),
        ("outcome", "banned"),
        ("role", "shadow"),
        ("latency_ms", -1),
        ("policy_version", 0),
        ("colour", "red"),
    ],
)
def test_a_record_that_readers_could_not_trust_is_not_made(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        a_record(**{field: value})


@given(values=st.lists(st.floats(-60_000, 60_000, width=16), min_size=1, max_size=64))
def test_an_embedding_of_float16_values_survives_the_log_exactly(values: list[float]) -> None:
    embedding = np.array(values, dtype=np.float32)

    assert decode_embedding(encode_embedding(embedding)).tolist() == embedding.tolist()


def test_an_embedding_beyond_float16_is_clipped_and_not_infinite() -> None:
    far = np.array([1e9, -1e9, 1.0], dtype=np.float32)

    assert decode_embedding(encode_embedding(far)).tolist() == [65504.0, -65504.0, 1.0]


def test_an_embedding_is_logged_to_three_digits() -> None:
    embedding = np.random.default_rng(3).normal(size=500).astype(np.float32)

    assert np.allclose(decode_embedding(encode_embedding(embedding)), embedding, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [
        (np.zeros((8, 8, 3), np.uint8), (0.0, 0.0)),
        (np.full((8, 8, 3), 255, np.uint8), (1.0, 0.0)),
        (
            np.repeat(np.array([[0], [255]], np.uint8), 4, axis=0).reshape(8, 1, 1) * np.ones((1, 8, 3), np.uint8),
            (0.5, 0.5),
        ),
        (np.full((5, 7, 3), (255, 0, 0), np.uint8), (0.299, 0.0)),
    ],
)
def test_brightness_and_contrast_are_mean_and_deviation_of_the_luma(
    rgb: np.ndarray[Any, np.dtype[np.uint8]], expected: tuple[float, float]
) -> None:
    assert brightness_and_contrast(rgb) == expected
