"""What a training run leaves in its folder: head.json, card.json and oof_scores.csv.

`card.json` is a draft: `pawcast models publish` adds version, hash and size. `oof_scores.csv` holds, for
each photo, the probability by a model that has not seen its source, and no file name: enough to choose a
threshold again when costs or capacity change, without the photos.
"""

import csv
import io
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from pawcast.mlops.threshold import LabelledScore, ThresholdChoice
from pawcast_ops.training import evaluation
from pawcast_ops.training.labels import LabelledPhotos

if TYPE_CHECKING:  # scikit-learn takes a second to import and is not needed to choose a threshold
    from pawcast_ops.training.head import Head

SCORES_FILE, HEAD_FILE, CARD_FILE = "oof_scores.csv", "head.json", "card.json"
COLUMNS = ("score", "face", "animal", "fold", "tags")
DIGITS = 4  # of the figures on a card

ADVICE = (
    "Fitted on the labelled photos named in data_set, whose terms are mixed and partly research-only: none "
    "of them is shipped, only weights. On a source of photos that it has not seen it is weaker than on a "
    "known one; refit on a few hundred labelled photos of your own: "
    "pawcast models train-head --photos DIR --labels CSV."
)
LICENCE = (
    "Head: the licence of this repository. Network below it: CenterFace, MIT. Photos it was fitted on: mixed "
    "terms, partly research only; see notes."
)


class BadScores(Exception):
    """A file of out-of-fold scores can't be used. The message names row, column and value."""


@dataclass(frozen=True)
class OutOfFold:
    """What is known of each photo, without the photo."""

    scores: NDArray[np.float64]
    face: NDArray[np.bool_]
    animal: NDArray[np.bool_]
    folds: NDArray[np.int64]
    tags: tuple[tuple[str, ...], ...]

    def labelled(self) -> list[LabelledScore]:
        """As a threshold is chosen from them."""
        return [LabelledScore(float(score), bool(face)) for score, face in zip(self.scores, self.face, strict=True)]


def out_of_fold(labels: LabelledPhotos, scores: NDArray[np.float64]) -> OutOfFold:
    """The photos' out-of-fold probabilities [photos] beside what their labels say."""
    photos = labels.photos
    return OutOfFold(
        scores=np.round(scores, 5),
        face=np.array([photo.human_face for photo in photos]),
        animal=np.array([photo.animal for photo in photos]),
        folds=np.array([photo.fold for photo in photos]),
        tags=tuple(photo.tags for photo in photos),
    )


def scores_csv(known: OutOfFold) -> str:
    """The content of oof_scores.csv."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for score, face, animal, fold, tags in zip(
        known.scores, known.face, known.animal, known.folds, known.tags, strict=True
    ):
        rows.writerow([f"{score:.5f}", int(face), int(animal), fold, ";".join(tags)])
    return text.getvalue()


def read_scores(path: Path) -> OutOfFold:
    """What `scores_csv` wrote, or one written by hand with at least `score` and `face`."""
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline="")))
    except (OSError, UnicodeDecodeError) as error:
        raise BadScores(f"{path} can't be read: {error}") from error
    scores, flags = [], []
    for number, row in enumerate(rows, start=2):
        try:
            scores.append(float(row["score"]))
            flags.append({"0": False, "1": True}[row["face"].strip()])
        except (KeyError, ValueError, AttributeError) as error:
            raise BadScores(
                f"{path}, row {number}: score = {row.get('score')!r} must be a number, "
                f"face = {row.get('face')!r} must be 0 or 1"
            ) from error
    if not rows:
        raise BadScores(f"{path} has no rows; `pawcast models train-head` writes it")
    return OutOfFold(
        scores=np.array(scores),
        face=np.array(flags),
        animal=np.array([row.get("animal") == "1" for row in rows]),
        folds=np.array([int(row.get("fold") or 0) for row in rows]),
        tags=tuple(tuple(tag for tag in (row.get("tags") or "").split(";") if tag) for row in rows),
    )


def rounded(value: Any) -> Any:
    """Figures as a card shows them, at any depth."""
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    return [rounded(part) for part in value] if isinstance(value, list | tuple) else value


def metrics(known: OutOfFold, choice: ThresholdChoice, facts: dict[str, Any]) -> dict[str, Any]:
    """The figures of a card. Everything is out of fold."""
    threshold = choice.chosen.threshold
    answer = {
        "judged_by": "leave one fold of sources out, strength of L2 chosen within each training part",
        **evaluation.overall(known.scores, known.face, known.animal),
        "at_advised_threshold": evaluation.at_threshold(known.scores, known.face, known.animal, threshold),
        "by_fold": evaluation.by_fold(known.scores, known.face, known.folds, threshold),
        "by_tag": evaluation.by_tag(known.scores, known.face, known.animal, known.tags, threshold),
    }
    advice = {
        "threshold": threshold,
        "facts": facts,
        "checks_per_week": choice.chosen.checks_per_week,
        "capacity_binds": choice.capacity_binds,
        "reason": {"ko": choice.reason_ko, "en": choice.reason_en},
    }
    rounded_advice = {**rounded(advice), "threshold": threshold}
    return {**rounded(answer), "threshold_advice": rounded_advice}


def card_draft(
    head: "Head", labels: LabelledPhotos, figures: dict[str, Any], *, created_at: datetime, data_set_name: str
) -> dict[str, Any]:
    """Everything on the classifier's card but its seal."""
    photos = labels.photos
    return {
        "name": "face-classifier",
        "task": "face-classification",
        "inputs": {"input_side": head.input_side},
        "outputs": {"probability": [1], "embedding": [head.features.dimensions]},
        "created_at": created_at.isoformat(),
        "data_set": {
            "id": f"sha256:{labels.data_set_id}",
            "n": len(photos),
            "name": data_set_name,
            "n_face": sum(photo.human_face for photo in photos),
            "n_animal": sum(photo.animal for photo in photos),
            "folds": len({photo.fold for photo in photos}),
            "folds_by_source": labels.folds_by_source,
        },
        "metrics": figures,
        "licence": LICENCE,
        "notes": ADVICE,
    }


def write(out: Path, head: "Head", draft: dict[str, Any], known: OutOfFold) -> None:
    """The three files, replaced as a whole."""
    out.mkdir(parents=True, exist_ok=True)
    (out / HEAD_FILE).write_text(head.model_dump_json(indent=2) + "\n", "utf-8")
    (out / CARD_FILE).write_text(json.dumps(draft, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (out / SCORES_FILE).write_text(scores_csv(known), "utf-8")
