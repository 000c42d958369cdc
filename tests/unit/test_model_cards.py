"""The rules a published version keeps."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawcast.errors import HashMismatch, ModelRejected
from pawcast.mlops.registry import check_bytes, in_version_order, parse_card, seal_card
from tests.support.releases import FITTED_AT, MODEL, a_card, a_detector_card, card_facts

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(metrics=st.dictionaries(st.text(), json_values, max_size=4), notes=st.text(max_size=50))
def test_a_card_reads_back_from_its_json_unchanged(metrics: dict[str, Any], notes: str) -> None:
    card = a_card(metrics=metrics, notes=notes)

    assert parse_card(card.json_bytes()) == card


def test_a_card_keeps_its_date_in_utc() -> None:
    seoul = datetime(2026, 11, 20, 18, 30, tzinfo=timezone(timedelta(hours=9)))

    assert a_card(created_at=seoul).created_at.isoformat() == "2026-11-20T09:30:00+00:00"


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"name": "Face Classifier"}, "name"),
        ({"name": "../face"}, "name"),
        ({"version": ""}, "version"),
        ({"version": "1/2"}, "version"),
        ({"version": ".."}, "version"),
        ({"task": "mind-reading"}, "task"),
        ({"licence": None}, "licence"),
        ({"licence": "  "}, "licence"),
        ({"sha256": "ABC"}, "sha256"),
        ({"size_bytes": 0}, "size_bytes"),
        ({"created_at": "2026-11-20T09:30:00"}, "created_at"),
        ({"metrics": {"roc_auc": float("nan")}}, "finite"),
        ({"metrics": {"by_tag": [{"animal": float("inf")}]}}, "finite"),
        ({"outputs": {"probability": [1]}}, "must answer embedding"),
        ({"inputs": {}}, "inputs.input_side"),
        ({"inputs": {"input_side": "480"}}, "inputs.input_side"),
        ({"inputs": {"input_side": True}}, "inputs.input_side"),
        ({"inputs": {"input_side": 16}}, "from 64 to 2048, got 16"),
        ({"data_set": {"id": "photos", "n": 0}}, "data_set.n"),
        ({"parent": {"name": "face-classifier", "version": "1", "sha256": "0" * 64}}, "made from itself"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_card_that_breaks_a_rule_is_refused_by_naming_it(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ModelRejected, match=complaint):
        parse_card(json.dumps(card_facts(**changes), default=str))


def test_a_stored_card_that_is_no_card_is_rejected_with_every_problem() -> None:
    with pytest.raises(ModelRejected, match=r"name: .*; version: .*"):
        parse_card('{"task": "face-detection"}')


def test_a_card_that_is_not_json_is_rejected() -> None:
    with pytest.raises(ModelRejected, match=r"card\.json is not valid: document: Invalid JSON"):
        parse_card(b"<html>")


def test_sealing_writes_hash_and_size_of_the_very_bytes_and_keeps_the_drafts_date() -> None:
    draft = card_facts() | {"sha256": None, "size_bytes": None, "version": "draft"}

    card = seal_card(draft, b"other bytes", version="2", created_at=datetime(2027, 1, 1, tzinfo=UTC))

    assert (card.version, card.size_bytes, card.created_at) == ("2", 11, FITTED_AT)
    assert card.sha256 == hashlib.sha256(b"other bytes").hexdigest()


def test_sealing_a_draft_without_a_date_takes_the_date_given() -> None:
    draft = {key: value for key, value in card_facts().items() if key != "created_at"}

    card = seal_card(draft, MODEL, version="1", created_at=datetime(2027, 1, 1, tzinfo=UTC))

    assert card.created_at == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_draft_that_breaks_a_rule_is_refused_by_naming_it() -> None:
    with pytest.raises(ModelRejected, match="the card draft is not valid: licence: Field required"):
        seal_card(card_facts() | {"licence": None}, MODEL, version="1", created_at=FITTED_AT)


def test_the_bytes_that_a_card_was_sealed_for_pass() -> None:
    assert check_bytes(a_card(MODEL), MODEL) is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize("model", [b"", MODEL + b"!", MODEL[:-1] + b"!"])
def test_any_other_bytes_are_a_hash_mismatch(model: bytes) -> None:
    with pytest.raises(HashMismatch, match="face-classifier/1: its card promises sha256"):
        check_bytes(a_card(MODEL), model)


def test_versions_are_ordered_by_their_numbers() -> None:
    shuffled = ["1.10", "2026-11-23", "1.9", "v2", "1.9-rc1", "1"]

    assert in_version_order(shuffled) == ["1", "1.9", "1.9-rc1", "1.10", "2026-11-23", "v2"]


def test_the_input_side_of_a_forecast_is_an_error_and_not_a_guess() -> None:
    forecast = a_card(task="visits-forecast", inputs={}, outputs={})

    assert a_detector_card().input_side == 640
    with pytest.raises(ModelRejected, match="visits-forecast model has no input_side"):
        _ = forecast.input_side
