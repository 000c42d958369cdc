"""From a probability to a decision."""

import pytest

from pawcast.screening.decide import decide
from tests.support.screening import a_policy, serial_policy


def no_detector() -> float:
    raise AssertionError("the detector costs an inference and must not be asked here")


@pytest.mark.parametrize(("probability", "outcome"), [(0.0, "pass"), (0.499, "pass"), (0.5, "flag"), (1.0, "flag")])
def test_alone_the_primary_flags_from_its_threshold_on(probability: float, outcome: str) -> None:
    assert outcome == decide(probability, a_policy(), no_detector).outcome


@pytest.mark.parametrize(("probability", "outcome"), [(0.29, "pass"), (0.71, "flag")])
def test_outside_the_band_the_detector_is_not_asked(probability: float, outcome: str) -> None:
    decision = decide(probability, serial_policy(0.3, 0.7), no_detector)

    assert (outcome, None) == (decision.outcome, decision.detector_score)


@pytest.mark.parametrize(("score", "outcome"), [(0.0, "pass"), (0.59, "pass"), (0.6, "flag")])
@pytest.mark.parametrize("probability", [0.3, 0.5, 0.7])
def test_inside_the_band_the_detector_decides(probability: float, score: float, outcome: str) -> None:
    decision = decide(probability, serial_policy(0.3, 0.7, 0.6), lambda: score)

    assert (outcome, score) == (decision.outcome, decision.detector_score)


def test_a_decision_names_model_version_and_policy() -> None:
    decision = decide(0.9, a_policy(version=7), no_detector)

    assert ("face-classifier", "1", 7, 0.5) == (
        decision.model,
        decision.model_version,
        decision.policy_version,
        decision.threshold,
    )
