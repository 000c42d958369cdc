"""Recall in operation: held against scipy, exact enumeration and a simulation that draws photos one by one."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.stats import beta, hypergeom

from pawcast.mlops.recall import CONFIDENCE, missed_bounds, recall


@st.composite
def samples(draw: st.DrawFn) -> tuple[int, int, int]:
    """Passed, checked, missed."""
    passed = draw(st.integers(1, 400))
    checked = draw(st.integers(1, passed))
    return passed, checked, draw(st.integers(0, checked))


def slow_bounds(passed: int, checked: int, missed: int) -> tuple[int, int]:
    """Every total that neither one-sided test refuses."""
    tail = (1 - CONFIDENCE) / 2
    kept = [
        total
        for total in range(missed, passed - checked + missed + 1)
        if hypergeom.cdf(missed, passed, total, checked) > tail
        and hypergeom.sf(missed - 1, passed, total, checked) > tail
    ]
    return kept[0], kept[-1]


@given(samples())
@settings(max_examples=60, deadline=None)
def test_bounds_are_those_of_trying_every_total(sample: tuple[int, int, int]) -> None:
    missed = sample[2]
    chances = [
        chance
        for total in range(missed, sample[0] - sample[1] + missed + 1)
        for chance in (
            hypergeom.cdf(missed, sample[0], total, sample[1]),
            hypergeom.sf(missed - 1, sample[0], total, sample[1]),
        )
    ]
    # A chance of exactly the tail, such as 1 in 40, falls on either side of it by the last bit.
    assume(min(abs(chance - (1 - CONFIDENCE) / 2) for chance in chances) > 1e-9)

    assert slow_bounds(*sample) == missed_bounds(*sample)


@pytest.mark.parametrize("missed", [0, 1, 4])
def test_in_a_population_without_end_the_bounds_are_clopper_and_pearsons(missed: int) -> None:
    passed, checked = 10_000_000, 500
    exact = (
        beta.ppf(0.025, missed, checked - missed + 1) if missed else 0.0,
        beta.ppf(0.975, missed + 1, checked - missed),
    )

    low, high = missed_bounds(passed, checked, missed)

    assert exact == pytest.approx((low / passed, high / passed), rel=1e-3, abs=1e-6)


@pytest.mark.parametrize(("passed", "checked"), [(2_000, 60), (2_000, 200), (500, 400)])
@pytest.mark.parametrize("missing", [0, 1, 7, 40])
def test_the_interval_holds_the_truth_at_least_as_often_as_it_says(passed: int, checked: int, missing: int) -> None:
    """Over every sample there is, by its probability."""
    outcomes = range(max(0, checked - (passed - missing)), min(missing, checked) + 1)
    held = [low <= missing <= high for low, high in (missed_bounds(passed, checked, hits) for hits in outcomes)]

    coverage = float(np.sum(hypergeom.pmf(outcomes, passed, missing, checked) * held))

    assert CONFIDENCE <= coverage <= 1 + 1e-9


def test_photos_drawn_one_by_one_give_the_recall_that_was_put_in() -> None:
    rng = np.random.default_rng(20)
    passed, missing, upheld, share, rounds = 4_000, 60, 240, 0.1, 1_000
    truth = upheld / (upheld + missing)
    is_missed = np.arange(passed) < missing
    estimates, covered = [], 0
    for _ in range(rounds):
        drawn = rng.random(passed) < share
        found = recall(
            passed=passed, checked=int(drawn.sum()), missed=int((drawn & is_missed).sum()), flagged_upheld=upheld
        )
        assert found is not None
        estimates.append(found.estimate)
        covered += found.low <= truth <= found.high

    assert truth == pytest.approx(np.mean(estimates), abs=0.015)
    assert 0.94 <= covered / rounds <= 0.985


@given(samples(), st.integers(0, 500))
def test_the_estimate_lies_in_its_interval(sample: tuple[int, int, int], upheld: int) -> None:
    passed, checked, missed = sample
    found = recall(passed=passed, checked=checked, missed=missed, flagged_upheld=upheld)

    assert found is None or 0 <= found.low <= found.estimate <= found.high <= 1


@given(st.integers(1, 400), st.integers(0, 50), st.integers(1, 50))
def test_when_every_passed_photo_was_checked_nothing_is_uncertain(passed: int, missed: int, upheld: int) -> None:
    missed = min(missed, passed)
    found = recall(passed=passed, checked=passed, missed=missed, flagged_upheld=upheld)

    assert found is not None
    assert [pytest.approx(upheld / (upheld + missed))] * 3 == [found.low, found.estimate, found.high]


@given(samples(), st.integers(1, 500))
def test_a_face_more_in_the_sample_never_raises_recall(sample: tuple[int, int, int], upheld: int) -> None:
    passed, checked, missed = sample
    fewer = recall(passed=passed, checked=checked, missed=max(missed - 1, 0), flagged_upheld=upheld)
    more = recall(passed=passed, checked=checked, missed=missed, flagged_upheld=upheld)

    assert fewer is not None
    assert more is not None
    assert more.low <= fewer.low
    assert more.estimate <= fewer.estimate
    assert more.high <= fewer.high


@pytest.mark.parametrize(("checked", "missed", "upheld"), [(0, 0, 12), (0, 0, 0), (50, 0, 0)])
def test_without_a_checked_photo_or_any_face_there_is_no_recall(checked: int, missed: int, upheld: int) -> None:
    assert recall(passed=100, checked=checked, missed=missed, flagged_upheld=upheld) is None


def test_a_verdict_taken_back_in_a_later_window_does_no_harm() -> None:
    found = recall(passed=0, checked=2, missed=-1, flagged_upheld=3)

    assert found is not None
    assert 1.0 == found.estimate
