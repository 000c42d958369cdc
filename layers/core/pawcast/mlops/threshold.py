"""From which probability on is a photo held? Chosen from costs and the operators' time, never by taste.

Given are out-of-fold scores of labelled photos (each judged by a model that has not seen its source) and
five facts about the service. For every possible threshold the curve says what a week would bring: how many
photos go to the operators, how many faces are published, how many harmless photos are held, and what that
costs. The cheapest threshold within the operators' capacity is chosen.

The labelled photos hold far more faces than a real stream, so recall and false-positive rate are taken from
them and weighted by the expected share. Rates of a few hundred photos are never taken at their word: the
rate of mistakes is (mistakes + 1/2) / (photos + 1), or the curve would promise no false hold at all where
the set just had none.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Self

READABLE = (0.01, 0.02, *(step / 20 for step in range(1, 20)), 0.98, 0.99)  # thresholds of a curve that people read


@dataclass(frozen=True, slots=True)
class LabelledScore:
    """A probability that the model gave to a photo, and whether a person saw a face on it."""

    score: float
    face: bool


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """What the choice depends on. A false hold's cost holds the operator's time and the user's patience."""

    uploads_per_week: int
    face_share: float
    operator_checks_per_week: int
    miss_cost_krw: float
    false_hold_cost_krw: float

    def __post_init__(self) -> None:
        if self.uploads_per_week < 1 or self.operator_checks_per_week < 1:
            raise ValueError(
                "uploads_per_week and operator_checks_per_week must be at least 1, "
                f"got {self.uploads_per_week} and {self.operator_checks_per_week}"
            )
        if not 0 < self.face_share < 1:
            raise ValueError(f"face_share must lie between 0 and 1 (0.05 is 5 %), got {self.face_share}")
        if not (self.miss_cost_krw > 0 and self.false_hold_cost_krw > 0):
            raise ValueError(
                f"both costs must be above 0, got a miss {self.miss_cost_krw} "
                f"and a false hold {self.false_hold_cost_krw}"
            )


@dataclass(frozen=True, slots=True)
class ThresholdPoint:
    """What a week brings when photos are held from this probability on."""

    threshold: float
    recall: float
    false_positive_rate: float
    precision: float
    checks_per_week: float
    misses_per_week: float
    false_holds_per_week: float
    cost_krw_per_week: float

    @classmethod
    def of(cls, threshold: float, recall: float, false_positive_rate: float, facts: ServiceFacts) -> Self:
        """The two rates, carried over to a week of the service."""
        faces = facts.uploads_per_week * facts.face_share
        found, misses = faces * recall, faces * (1 - recall)
        false_holds = (facts.uploads_per_week - faces) * false_positive_rate
        return cls(
            threshold=threshold,
            recall=recall,
            false_positive_rate=false_positive_rate,
            precision=found / (found + false_holds),
            checks_per_week=found + false_holds,
            misses_per_week=misses,
            false_holds_per_week=false_holds,
            cost_krw_per_week=misses * facts.miss_cost_krw + false_holds * facts.false_hold_cost_krw,
        )


@dataclass(frozen=True, slots=True)
class ThresholdChoice:
    """`curve` runs from the lowest threshold up. `capacity_binds`: a cheaper one needs more checks."""

    chosen: ThresholdPoint
    curve: tuple[ThresholdPoint, ...]
    capacity_binds: bool
    reason_ko: str
    reason_en: str


def threshold_curve(scores: Sequence[LabelledScore], facts: ServiceFacts) -> tuple[ThresholdPoint, ...]:
    """A point between each two neighbouring scores, lowest first: between them nothing changes."""
    n_face = sum(labelled.face for labelled in scores)
    n_without = len(scores) - n_face
    if not n_face or not n_without:
        raise ValueError(f"scores of both kinds are needed, got {n_face} with a face and {n_without} without")
    if bad := [labelled.score for labelled in scores if not 0 <= labelled.score <= 1]:
        raise ValueError(f"scores must be probabilities from 0 to 1, got {bad[0]}")
    levels = [
        (score, sum(labelled.face for labelled in group), len(group))
        for score, members in groupby(sorted(scores, key=_score), key=_score)
        for group in [list(members)]
    ]
    missed, false_holds, points = 0, n_without, []
    for (score, faces, count), (higher, _, _) in pairwise(levels):
        missed += faces
        false_holds -= count - faces
        recall = 1 - (missed + 0.5) / (n_face + 1)
        rate = (false_holds + 0.5) / (n_without + 1)
        points.append(ThresholdPoint.of(round((score + higher) / 2, 6), recall, rate, facts))
    if not points:
        raise ValueError("all scores are equal: no threshold parts them")
    return tuple(points)


def choose_threshold(scores: Sequence[LabelledScore], facts: ServiceFacts) -> ThresholdChoice:
    """The cheapest threshold within capacity; where none is within it, the one with the fewest checks.

    Of equally cheap ones the highest is taken: precision comes first.
    """
    curve = threshold_curve(scores, facts)

    def cheapness(point: ThresholdPoint) -> tuple[float, float]:
        return point.cost_krw_per_week, -point.threshold

    cheapest = min(curve, key=cheapness)
    affordable = [point for point in curve if point.checks_per_week <= facts.operator_checks_per_week]
    chosen = min(affordable, key=cheapness) if affordable else min(curve, key=_checks)
    reason_ko, reason_en = _reason(chosen, cheapest, facts, fits=bool(affordable))
    return ThresholdChoice(chosen, curve, chosen is not cheapest, reason_ko, reason_en)


def readable(choice: ThresholdChoice) -> tuple[ThresholdPoint, ...]:
    """The points of the curve next to round thresholds, and the chosen one: what a table of one page can show."""
    shown = {min(choice.curve, key=lambda point: abs(point.threshold - level)) for level in READABLE}
    return tuple(sorted({*shown, choice.chosen}, key=_threshold))


def _threshold(point: ThresholdPoint) -> float:
    return point.threshold


def _score(labelled: LabelledScore) -> float:
    return labelled.score


def _checks(point: ThresholdPoint) -> float:
    return point.checks_per_week


def _reason(chosen: ThresholdPoint, cheapest: ThresholdPoint, facts: ServiceFacts, *, fits: bool) -> tuple[str, str]:
    capacity = facts.operator_checks_per_week
    what_ko = (
        f"임계값 {chosen.threshold:.3f}: 얼굴의 {chosen.recall:.1%}를 찾고, 얼굴이 없는 사진의 "
        f"{chosen.false_positive_rate:.1%}를 보류하며, 매주 {chosen.checks_per_week:,.0f}건을 확인합니다."
    )
    what_en = (
        f"Threshold {chosen.threshold:.3f} finds {chosen.recall:.1%} of the faces, holds "
        f"{chosen.false_positive_rate:.1%} of the photos without one "
        f"and asks for {chosen.checks_per_week:,.0f} checks a week."
    )
    if not fits:
        return (
            f"{what_ko} 어떤 임계값도 한도 {capacity:,}건을 지키지 못합니다. 운영자를 늘리거나 한도를 올리세요.",
            f"{what_en} No threshold keeps to the limit of {capacity:,}: add operators or raise the limit.",
        )
    if chosen is cheapest:
        return (
            f"{what_ko} 미탐 {facts.miss_cost_krw:,.0f}원, 오탐 {facts.false_hold_cost_krw:,.0f}원일 때 "
            f"가장 저렴하며 한도 {capacity:,}건 안에 있습니다.",
            f"{what_en} It is the cheapest when a miss costs {facts.miss_cost_krw:,.0f} KRW and a false hold "
            f"{facts.false_hold_cost_krw:,.0f} KRW, and within the limit of {capacity:,} checks.",
        )
    saved = chosen.cost_krw_per_week - cheapest.cost_krw_per_week
    return (
        f"{what_ko} 한도 {capacity:,}건 안에서 가장 저렴합니다. 매주 {cheapest.checks_per_week:,.0f}건을 "
        f"확인할 수 있다면 임계값 {cheapest.threshold:.3f}로 매주 {saved:,.0f}원을 아낍니다.",
        f"{what_en} It is the cheapest within the limit of {capacity:,} checks; with "
        f"{cheapest.checks_per_week:,.0f} checks a week, threshold {cheapest.threshold:.3f} would save "
        f"{saved:,.0f} KRW a week.",
    )
