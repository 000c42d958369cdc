"""Choosing the threshold from costs and the operators' time."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawcast.mlops.threshold import (
    LabelledScore,
    ServiceFacts,
    choose_threshold,
    readable,
    threshold_curve,
)

FACTS = ServiceFacts(
    uploads_per_week=10_000,
    face_share=0.05,
    operator_checks_per_week=2_000,
    miss_cost_krw=10_000,
    false_hold_cost_krw=1_000,
)
# 10 faces from 0.35 up, 20 photos without one up to 0.6: they overlap between 0.35 and 0.6
FACES = [0.35, 0.55, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.99]
OTHERS = [0.02 * n for n in range(18)] + [0.45, 0.6]
SCORES = [LabelledScore(score, True) for score in FACES] + [LabelledScore(score, False) for score in OTHERS]

scores = st.lists(
    st.builds(LabelledScore, st.floats(0, 1).map(lambda score: round(score, 3)), st.booleans()), min_size=2, max_size=40
).filter(
    lambda found: len({labelled.face for labelled in found}) == 2 and len({labelled.score for labelled in found}) > 1
)


def test_rates_are_counted_with_half_a_mistake_more() -> None:
    point = next(point for point in threshold_curve(SCORES, FACTS) if point.threshold == pytest.approx(0.5))

    assert point.recall == pytest.approx(1 - 1.5 / 11)  # 0.35 is missed
    assert point.false_positive_rate == pytest.approx(1.5 / 21)  # 0.6 is held


def test_a_week_is_worked_out_from_the_two_rates() -> None:
    point = next(point for point in threshold_curve(SCORES, FACTS) if point.threshold == pytest.approx(0.5))

    found, misses, false_holds = 500 * (1 - 1.5 / 11), 500 * 1.5 / 11, 9_500 * 1.5 / 21
    assert point.checks_per_week == pytest.approx(found + false_holds)
    assert point.precision == pytest.approx(found / (found + false_holds))
    assert point.cost_krw_per_week == pytest.approx(misses * 10_000 + false_holds * 1_000)


@given(scores)
def test_the_choice_is_what_a_plain_search_finds(found: list[LabelledScore]) -> None:
    choice = choose_threshold(found, FACTS)

    n_face = sum(labelled.face for labelled in found)
    levels = sorted({labelled.score for labelled in found})
    costs = {}
    for low, high in pairwise(levels):
        threshold = (low + high) / 2
        missed = sum(labelled.face and labelled.score < threshold for labelled in found)
        held = sum(not labelled.face and labelled.score >= threshold for labelled in found)
        misses = 500 * (missed + 0.5) / (n_face + 1)
        false_holds = 9_500 * (held + 0.5) / (len(found) - n_face + 1)
        if 500 - misses + false_holds <= FACTS.operator_checks_per_week:
            costs[threshold] = misses * 10_000 + false_holds * 1_000
    if costs:
        assert choice.chosen.cost_krw_per_week == pytest.approx(min(costs.values()))
    else:
        assert choice.chosen.checks_per_week > FACTS.operator_checks_per_week


@given(scores)
def test_a_higher_threshold_never_asks_for_more_checks(found: list[LabelledScore]) -> None:
    checks = [point.checks_per_week for point in threshold_curve(found, FACTS)]

    assert checks == sorted(checks, reverse=True)


def test_dearer_misses_lower_the_threshold() -> None:
    cheap = choose_threshold(SCORES, replace(FACTS, miss_cost_krw=1_000)).chosen
    dear = choose_threshold(SCORES, replace(FACTS, miss_cost_krw=200_000, operator_checks_per_week=10_000)).chosen

    assert dear.threshold < cheap.threshold


def test_capacity_raises_the_threshold_and_the_reason_says_so() -> None:
    facts = replace(FACTS, miss_cost_krw=200_000)
    free = choose_threshold(SCORES, replace(facts, operator_checks_per_week=10_000))
    bound = choose_threshold(SCORES, replace(facts, operator_checks_per_week=800))

    assert not free.capacity_binds
    assert bound.capacity_binds
    assert bound.chosen.threshold > free.chosen.threshold
    assert bound.chosen.checks_per_week <= 800
    assert f"threshold {free.chosen.threshold:.3f} would save" in bound.reason_en
    assert f"임계값 {free.chosen.threshold:.3f}" in bound.reason_ko


def test_when_no_threshold_fits_the_fewest_checks_are_chosen_and_help_is_asked_for() -> None:
    choice = choose_threshold(SCORES, replace(FACTS, operator_checks_per_week=1))

    assert choice.chosen == choice.curve[-1]
    assert "add operators or raise the limit" in choice.reason_en
    assert "운영자를 늘리거나" in choice.reason_ko


def test_a_choice_within_capacity_names_the_costs_that_made_it() -> None:
    choice = choose_threshold(SCORES, FACTS)

    assert "a miss costs 10,000 KRW and a false hold 1,000 KRW" in choice.reason_en
    assert "미탐 10,000원, 오탐 1,000원" in choice.reason_ko


def test_the_readable_curve_is_short_and_holds_the_choice() -> None:
    many = [LabelledScore(n / 2_000, n % 3 == 0 or n > 1_500) for n in range(2_000)]

    choice = choose_threshold(many, FACTS)
    shown = readable(choice)

    assert 20 < len(shown) < 26
    assert choice.chosen in shown
    assert list(shown) == sorted(shown, key=lambda point: point.threshold)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"uploads_per_week": 0}, "must be at least 1, got 0 and 2000"),
        ({"operator_checks_per_week": 0}, "must be at least 1, got 10000 and 0"),
        ({"face_share": 5.0}, r"face_share must lie between 0 and 1 \(0\.05 is 5 %\), got 5\.0"),
        ({"face_share": 0.0}, "face_share must lie between 0 and 1"),
        ({"miss_cost_krw": 0.0}, "both costs must be above 0"),
        ({"false_hold_cost_krw": float("nan")}, "both costs must be above 0"),
    ],
)
def test_impossible_facts_are_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        replace(FACTS, **changes)


@pytest.mark.parametrize(
    ("found", "complaint"),
    [
        ([], "scores of both kinds are needed, got 0 with a face and 0 without"),
        ([LabelledScore(0.5, True)], "got 1 with a face and 0 without"),
        ([LabelledScore(0.5, True), LabelledScore(1.5, False)], r"probabilities from 0 to 1, got 1\.5"),
        ([LabelledScore(0.5, True), LabelledScore(float("nan"), False)], "probabilities from 0 to 1, got nan"),
        ([LabelledScore(0.5, True), LabelledScore(0.5, False)], "no threshold parts them"),
    ],
)
def test_scores_that_can_not_be_used_are_refused(found: list[LabelledScore], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        choose_threshold(found, FACTS)
