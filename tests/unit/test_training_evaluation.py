"""The figures, against obvious loops and known values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from pawcast_ops.training.evaluation import (
    at_threshold,
    best_threshold,
    by_fold,
    by_tag,
    overall,
    precision_at_share,
    roc_auc,
    threshold_at,
    wilson,
)

FACE = np.array([True, True, True, True, False, False, False, False, False])
ANIMAL = np.array([True, False, False, False, True, True, True, False, False])
SCORES = np.array([0.9, 0.8, 0.7, 0.3, 0.6, 0.4, 0.2, 0.1, 0.0])

cases = st.integers(2, 30).flatmap(
    lambda n: st.tuples(
        arrays.arrays(np.float64, n, elements=st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])),
        arrays.arrays(np.bool_, n).filter(lambda face: face.any() and not face.all()),
    )
)


@given(cases)
def test_roc_auc_is_the_share_of_pairs_in_the_right_order(case: tuple[NDArray[np.float64], NDArray[np.bool_]]) -> None:
    scores, face = case
    pairs = [(own > other) + (own == other) / 2 for own in scores[face] for other in scores[~face]]

    assert roc_auc(scores, face) == pytest.approx(sum(pairs) / len(pairs))


@given(cases, st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_a_threshold_keeps_to_its_false_positive_rate(
    case: tuple[NDArray[np.float64], NDArray[np.bool_]], rate: float
) -> None:
    scores, face = case

    assert (scores[~face] >= threshold_at(scores, face, rate)).mean() <= rate


@given(cases)
def test_no_threshold_has_more_right_answers_than_the_best_one(
    case: tuple[NDArray[np.float64], NDArray[np.bool_]],
) -> None:
    scores, face = case
    best = ((scores >= best_threshold(scores, face)) == face).sum()

    assert best >= max(((scores >= threshold) == face).sum() for threshold in scores)


def test_the_figures_at_a_threshold_are_counted() -> None:
    figures = at_threshold(SCORES, FACE, ANIMAL, 0.5)

    assert figures["recall"] == 3 / 4
    assert figures["false_positive_rate"] == 1 / 5
    assert figures["precision"] == 3 / 4
    assert figures["accuracy"] == pytest.approx(7 / 9)
    assert figures["animal_photos_held"] == 1 / 3  # a person with an animal is no animal photo


def test_what_a_set_can_not_tell_is_none() -> None:
    face = np.array([True, True])

    figures = at_threshold(np.array([0.1, 0.2]), face, ~face, 0.5)

    assert figures["precision"] is None
    assert figures["false_positive_interval"] is None
    assert figures["animal_photos_held"] is None


def test_recall_at_a_rate_takes_the_lowest_threshold_that_keeps_to_it() -> None:
    figures = overall(SCORES, FACE, ANIMAL)

    assert (figures["n"], figures["n_face"]) == (9, 4)
    assert figures["recall_at_5_percent_fpr"] == 3 / 4  # no false positive is allowed among five
    assert figures["best_accuracy"] == pytest.approx(8 / 9)


def test_precision_is_recomputed_for_the_share_of_a_real_stream() -> None:
    assert precision_at_share(0.9, 0.02) == pytest.approx(0.05 * 0.9 / (0.05 * 0.9 + 0.95 * 0.02))
    assert precision_at_share(0.0, 0.0) is None


def test_the_interval_of_a_share_is_wilsons() -> None:
    assert wilson(9, 10) == pytest.approx((0.5958, 0.9821), abs=1e-4)
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == pytest.approx(1)


def test_a_fold_with_one_kind_of_photo_has_no_auc() -> None:
    folds = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])

    figures = by_fold(SCORES, FACE, folds, 0.5)

    assert figures["0"] == {"n": 4, "n_face": 4, "roc_auc": None, "recall": 0.75, "false_positive_rate": None}
    assert figures["1"] == {"n": 5, "n_face": 0, "roc_auc": None, "recall": None, "false_positive_rate": 0.2}


def test_a_tag_counts_its_faces_and_its_other_photos_apart() -> None:
    tags = [("mask",), (), (), ("mask",), ("mask",), (), (), (), ()]

    figures = by_tag(SCORES, FACE, ANIMAL, tags, 0.5)

    assert figures["mask"] == {"n_face": 2, "recall": 0.5, "n_without": 1, "false_positive_rate": 1.0}
    assert figures["animal"] == {"n_face": 1, "recall": 1.0, "n_without": 3, "false_positive_rate": 1 / 3}
    assert "primate" not in figures
