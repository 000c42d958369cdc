"""Fitting the head: the served graph agrees with scikit-learn, and no fold judges itself."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from typer.testing import CliRunner

from pawcast.errors import ModelRejected
from pawcast.screening.classifier import FaceClassifier
from pawcast_ops import models
from pawcast_ops.training import graph
from pawcast_ops.training.features import PhotoFeatures, extract, open_rgb
from pawcast_ops.training.head import (
    STRENGTHS,
    Head,
    Linear,
    as_served,
    build_classifier,
    calibrate,
    count_fits,
    fit_head,
    fit_linear,
    seal_head,
)
from pawcast_ops.training.labels import BadLabels, read_labels
from tests.support.tiny_centerface import TINY, night, tiny_centerface

RUNNER = CliRunner(env={"COLUMNS": "200"})


def a_case(n: int = 120, dimensions: int = 6) -> tuple[PhotoFeatures, NDArray[np.bool_], NDArray[np.int64]]:
    """Features whose first column tells faces apart, not quite."""
    random = np.random.default_rng(3)
    face = np.arange(n) % 2 == 0
    plain = random.normal(size=(n, dimensions)).astype(np.float32) * 10 + 50
    plain[:, 0] += np.where(face, 12, -12)
    mirrored = plain + random.normal(size=plain.shape).astype(np.float32)
    return PhotoFeatures(plain, mirrored), face, np.arange(n) % 3


def a_folder(folder: Path, n: int = 60) -> Path:
    """Drawn photos: half of them have a bright square, which the tiny network takes for a face."""
    random = np.random.default_rng(5)
    lines = ["file,human_face,animal,tags,fold"]
    for number in range(n):
        face = number % 2 == 0
        picture = night(128, 96)
        x, y = (int(place) for place in random.integers(0, 80, 2))
        picture[y : y + 8, x : x + 8] = random.integers(150, 255) if face else random.integers(60, 130)
        Image.fromarray(picture).save(folder / f"{number}.png")
        lines.append(f"{number}.png,{int(face)},{int(not face)},,{number % 3}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "detector.onnx").write_bytes(tiny_centerface())
    return folder


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """`train-head` on drawn photos; gives the folder it wrote."""
    monkeypatch.setattr(graph, "CENTERFACE", TINY)
    photos = tmp_path / "photos"
    photos.mkdir()
    a_folder(photos)

    def run(name: str = "head", *more: str) -> Path:
        command = ["train-head", "--photos", str(photos), "--detector", str(photos / "detector.onnx")]
        out = tmp_path / name
        given = ["--out", str(out), "--input-side", "128", "--date", "2026-11-23", *more]
        result = RUNNER.invoke(models.app, [*command, *given])
        assert result.exit_code == 0, result.output
        return out

    return run


def test_the_folded_weights_are_scikit_learns_decision() -> None:
    features, face, _ = a_case()
    scaler = StandardScaler().fit(features.plain)
    expected = LogisticRegression(C=0.1).fit(scaler.transform(features.plain), face)

    linear = fit_linear(features.plain, face, 0.1)

    decision = expected.decision_function(scaler.transform(features.plain))
    assert linear.logits(features.plain).tolist() == pytest.approx(decision.tolist(), abs=1e-3)


def test_a_feature_that_hardly_moves_gets_no_huge_weight() -> None:
    features, face, _ = a_case()
    features.plain[:, 1] = np.where(face, 1e-6, 0)

    assert abs(fit_linear(features.plain, face, 0.1).weights[1]) < 100  # a million without the floor


def test_the_served_probability_is_the_fitted_one(tmp_path: Path) -> None:
    photos = read_labels(a_folder(tmp_path) / "labels.csv", tmp_path).photos
    features = extract(graph.build_features(tiny_centerface(), TINY), photos, 128)
    face = np.array([photo.human_face for photo in photos])
    fitted = fit_head(features, face, np.array([photo.fold for photo in photos]))
    head = seal_head(fitted, TINY, 128, tiny_centerface())
    classifier = FaceClassifier(build_classifier(tiny_centerface(), head), input_side=head.input_side)

    served = [classifier.predict(open_rgb(photo.path)).probability for photo in photos]

    expected = as_served(fitted.linear.logits(features.plain), fitted.linear.logits(features.mirrored))
    assert served == pytest.approx(expected.tolist(), abs=1e-4)


def test_the_out_of_fold_score_is_that_of_a_fit_without_the_fold() -> None:
    features, face, folds = a_case()
    fitted = fit_head(features, face, folds)
    rest = folds != 2
    both = np.concatenate([features.plain[rest], features.mirrored[rest]])

    def ranks(scores: NDArray[np.float64]) -> list[int]:
        clear = (fitted.out_of_fold[~rest] < 0.1) | (fitted.out_of_fold[~rest] > 0.97)  # judged by one look
        return [int(rank) for rank in np.argsort(scores[clear])]

    candidates = [
        fit_linear(both, np.tile(face[rest], 2), strength).logits(features.plain[~rest]) for strength in STRENGTHS
    ]

    assert len(ranks(fitted.out_of_fold[~rest])) > 10
    assert ranks(fitted.out_of_fold[~rest]) in [ranks(logits) for logits in candidates]


def test_doubtful_photos_are_judged_by_both_looks() -> None:
    plain, mirrored = np.array([-4.0, 0.0, 1.0, 5.0]), np.array([4.0, 2.0, -3.0, -5.0])

    served = as_served(plain, mirrored)

    assert served.tolist() == pytest.approx([1 / (1 + np.exp(-logit)) for logit in (-4, 1, -1, 5)])


def test_fits_are_not_repeated_and_counted_beforehand() -> None:
    features, face, folds = a_case()
    fits: list[int] = []

    fit_head(features, face, folds, on_fit=lambda: fits.append(1))

    assert len(fits) == count_fits(3)


def test_two_folds_are_enough() -> None:
    features, face, _ = a_case()

    fitted = fit_head(features, face, np.arange(120) // 60)

    assert ((fitted.out_of_fold > 0.5) == face).mean() > 0.8


def test_calibration_finds_by_how_much_logits_are_too_sure() -> None:
    logits = np.random.default_rng(1).normal(0, 3, 20_000)
    face = np.random.default_rng(2).random(20_000) < 1 / (1 + np.exp(-(0.5 * logits + 1)))

    assert calibrate(logits, face) == pytest.approx((0.5, 1), abs=0.06)


def a_head(**changes: object) -> dict[str, object]:
    features, face, folds = a_case(dimensions=TINY.dimensions)
    head = seal_head(fit_head(features, face, folds), TINY, 128, tiny_centerface())
    return {**json.loads(head.model_dump_json()), **changes}


def test_a_head_survives_its_file() -> None:
    head = Head.model_validate(a_head())

    assert Head.model_validate_json(head.model_dump_json()).weight_values.tolist() == head.weight_values.tolist()


@pytest.mark.parametrize(
    ("weights", "complaint"),
    [
        ("no base64!", "must be base64"),
        (base64.b64encode(b"abc").decode(), "must be base64 of float32"),
        (base64.b64encode(np.ones(3, "<f4").tobytes()).decode(), "63 finite numbers are needed, got 3"),
        (base64.b64encode(np.full(63, np.nan, "<f4").tobytes()).decode(), "63 finite numbers are needed"),
    ],
)
def test_a_head_with_damaged_weights_is_refused(weights: str, complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        Head.model_validate(a_head(weights=weights))


def test_a_head_is_not_put_on_another_detector() -> None:
    head = Head.model_validate(a_head(detector_sha256="0" * 64))

    with pytest.raises(ModelRejected, match="fitted on the detector 000000000000…, this one is"):
        build_classifier(tiny_centerface(), head)


def test_a_photo_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.jpg").write_bytes(b"no photo")

    with pytest.raises(BadLabels, match=r"x\.jpg can't be opened as a photo .*: delete its row"):
        open_rgb(tmp_path / "x.jpg")


def test_training_twice_writes_the_same_files(train: Callable[..., Path]) -> None:
    first, second = train("first"), train("second")

    assert {file.name: file.read_bytes() for file in first.iterdir()} == {
        file.name: file.read_bytes() for file in second.iterdir()
    }


def test_the_card_says_what_was_learned_from_and_how_well(train: Callable[..., Path]) -> None:
    card = json.loads((train() / "card.json").read_text("utf-8"))

    assert card["created_at"] == "2026-11-23T00:00:00+00:00"
    assert (card["data_set"]["n"], card["data_set"]["n_face"], card["data_set"]["folds"]) == (60, 30, 3)
    assert card["metrics"]["roc_auc"] > 0.95
    assert set(card["metrics"]["by_fold"]) == {"0", "1", "2"}
    assert 0 < card["metrics"]["threshold_advice"]["threshold"] < 1
    assert "refit" in card["notes"]


def test_the_threshold_can_be_chosen_again_from_the_scores_alone(train: Callable[..., Path], tmp_path: Path) -> None:
    out = train()
    advised = json.loads((out / "card.json").read_text("utf-8"))["metrics"]["threshold_advice"]["threshold"]
    plot = tmp_path / "curve.svg"

    command = ["choose-threshold", "--scores", str(out / "oof_scores.csv"), "--plot", str(plot)]
    shown = RUNNER.invoke(models.app, command)
    as_json = RUNNER.invoke(models.app, [*command, "--json"])

    assert shown.exit_code == 0
    assert "◀" in shown.output
    assert json.loads(as_json.output)["chosen"]["threshold"] == advised
    assert plot.read_text("utf-8").startswith("<?xml")


def test_bad_labels_end_the_command_with_what_to_do(tmp_path: Path) -> None:
    a_folder(tmp_path)
    (tmp_path / "labels.csv").write_text("file,human_face\nnone.png,1\n", "utf-8")

    result = RUNNER.invoke(
        models.app, ["train-head", "--photos", str(tmp_path), "--detector", str(tmp_path / "detector.onnx")]
    )

    assert result.exit_code == 2
    assert "row 2, file = 'none.png': no such photo in the folder" in result.output


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("score,face\nhigh,1\n", "row 2: score = 'high' must be a number"),
        ("score,face\n0.5,maybe\n", "face = 'maybe' must be 0 or 1"),
        ("score\n0.5\n", "face = None must be 0 or 1"),
        ("score,face\n", "has no rows"),
        ("score,face\n0.5,1\n", "scores of both kinds are needed"),
    ],
)
def test_scores_that_can_not_be_read_end_the_command(tmp_path: Path, content: str, complaint: str) -> None:
    (tmp_path / "scores.csv").write_text(content, "utf-8")

    result = RUNNER.invoke(models.app, ["choose-threshold", "--scores", str(tmp_path / "scores.csv")])

    assert result.exit_code == 2
    assert complaint in result.output


def test_a_linear_logit_is_a_weighted_sum() -> None:
    assert Linear(np.array([1.0, -2.0]), 0.5).logits(np.array([[3.0, 1.0]])).tolist() == [1.5]
