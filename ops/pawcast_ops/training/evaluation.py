"""Scores and labels to the figures that cards, benchmarks and tests show. Plain functions on arrays.

A score is any number that is higher for faces; a photo is flagged from `threshold` on (>=). `face` is a
boolean array. Shares of a small test set are uncertain: the ones that decide something come with a 95 %
Wilson interval.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

TAGS = (
    "animal",
    "primate",
    "animal_closeup",
    "face_like",
    "person_no_face",
    "small_face",
    "occluded",
    "mask",
)
STREAM_FACE_SHARE = 0.05  # what a real stream is taken to hold; the labelled sets hold 43 %

type Scores = NDArray[np.floating[Any]]
type Flags = NDArray[np.bool_]


def roc_auc(scores: Scores, face: Flags) -> float:
    """Share of (face, no face) pairs in the right order, ties counted half."""
    without = np.sort(scores[~face])
    below = np.searchsorted(without, scores[face], "left")
    up_to = np.searchsorted(without, scores[face], "right")
    return float((below + up_to).mean() / (2 * without.size))


def threshold_at(scores: Scores, face: Flags, false_positive_rate: float) -> float:
    """The lowest threshold that flags at most this share of the photos without a face."""
    without = np.sort(scores[~face])[::-1]
    allowed = int(false_positive_rate * without.size + 1e-9)
    return float(np.nextafter(without[allowed], np.inf)) if allowed < without.size else float(without[-1])


def best_threshold(scores: Scores, face: Flags) -> float:
    """The threshold with the most right answers, half way to the next lower score."""
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], np.cumsum(np.where(face[order], 1, -1))
    last_of_ties = np.flatnonzero(np.append(np.diff(ranked) != 0, True))
    best = last_of_ties[np.argmax(hits[last_of_ties])]
    lower = ranked[best + 1] if best + 1 < ranked.size else ranked[best]
    return float((ranked[best] + lower) / 2)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    z = 1.959964
    share, spread = hits / n, z * z / n
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * (share * (1 - share) / n + spread / (4 * n)) ** 0.5
    return max(0.0, centre - half), min(1.0, centre + half)


def precision_at_share(recall: float, false_positive_rate: float, share: float = STREAM_FACE_SHARE) -> float | None:
    """Precision in a stream where this share of the photos has a face; None when nothing would be flagged."""
    right, wrong = share * recall, (1 - share) * false_positive_rate
    return right / (right + wrong) if right + wrong else None


def at_threshold(scores: Scores, face: Flags, animal: Flags, threshold: float) -> dict[str, Any]:
    """What happens to the photos at one threshold."""
    flagged = scores >= threshold
    hits, misses = int((flagged & face).sum()), int((~flagged & face).sum())
    false_holds, without = int((flagged & ~face).sum()), int((~face).sum())
    beasts = animal & ~face
    recall, rate = hits / max(1, hits + misses), false_holds / max(1, without)
    return {
        "threshold": float(threshold),
        "accuracy": float((flagged == face).mean()),
        "precision": hits / (hits + false_holds) if hits + false_holds else None,
        "recall": recall,
        "recall_interval": list(wilson(hits, hits + misses)) if hits + misses else None,
        "false_positive_rate": rate,
        "false_positive_interval": list(wilson(false_holds, without)) if without else None,
        "animal_photos_held": float(flagged[beasts].mean()) if beasts.any() else None,
        "precision_at_5_percent_faces": precision_at_share(recall, rate),
    }


def overall(scores: Scores, face: Flags, animal: Flags) -> dict[str, Any]:
    """The figures that need no chosen threshold. `best_accuracy` chooses its own and flatters a little."""
    thresholds = {percent: threshold_at(scores, face, percent / 100) for percent in (1, 2, 5)}
    recalls = {
        f"recall_at_{percent}_percent_fpr": float((scores[face] >= threshold).mean())
        for percent, threshold in thresholds.items()
    }
    beasts = animal & ~face
    return {
        "n": int(face.size),
        "n_face": int(face.sum()),
        "roc_auc": roc_auc(scores, face),
        **recalls,
        "best_accuracy": float(((scores >= best_threshold(scores, face)) == face).mean()),
        "animal_photos_held_at_2_percent_fpr": float((scores[beasts] >= thresholds[2]).mean())
        if beasts.any()
        else None,
    }


def by_fold(scores: Scores, face: Flags, folds: NDArray[np.int64], threshold: float) -> dict[str, dict[str, Any]]:
    """ROC AUC, recall and false-positive rate of each fold; AUC is None where a fold has one kind only."""
    answer = {}
    for fold in sorted(set(folds.tolist())):
        here = folds == fold
        mine, is_face = scores[here], face[here]
        both = bool(is_face.any() and (~is_face).any())
        answer[str(fold)] = {
            "n": int(here.sum()),
            "n_face": int(is_face.sum()),
            "roc_auc": roc_auc(mine, is_face) if both else None,
            "recall": float((mine[is_face] >= threshold).mean()) if is_face.any() else None,
            "false_positive_rate": float((mine[~is_face] >= threshold).mean()) if (~is_face).any() else None,
        }
    return answer


def by_tag(
    scores: Scores, face: Flags, animal: Flags, tags: Sequence[Sequence[str]], threshold: float
) -> Mapping[str, dict[str, Any]]:
    """For each tag that occurs: faces found among its photos with a face, false holds among those without."""
    answer = {}
    for tag in TAGS:
        here = animal if tag == "animal" else np.array([tag in words for words in tags], bool)
        if not here.any():
            continue
        flagged, is_face = scores[here] >= threshold, face[here]
        answer[tag] = {
            "n_face": int(is_face.sum()),
            "recall": float(flagged[is_face].mean()) if is_face.any() else None,
            "n_without": int((~is_face).sum()),
            "false_positive_rate": float(flagged[~is_face].mean()) if (~is_face).any() else None,
        }
    return answer
