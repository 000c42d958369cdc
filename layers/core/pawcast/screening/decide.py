"""From a probability to a decision, as the release policy says. Pure."""

from collections.abc import Callable

from pawcast.mlops.policy import ReleasePolicy, SerialStrategy
from pawcast.screening.post import Decision


def decide(probability: float, policy: ReleasePolicy, best_face_score: Callable[[], float]) -> Decision:
    """The decision on a photo whose face probability is `probability` (0 to 1).

    `single` compares with the threshold. `serial` does so outside its band; inside, the photo is flagged exactly when
    the detector finds a face of at least `min_score`. `best_face_score` gives the detector's best score, 0 without a
    face; it costs an inference and is called only inside the band.
    """
    threshold = policy.primary.threshold
    flagged, detector_score = probability >= threshold, None
    strategy = policy.strategy
    if isinstance(strategy, SerialStrategy) and strategy.band[0] <= probability <= strategy.band[1]:
        detector_score = best_face_score()
        flagged = detector_score >= strategy.min_score
    return Decision(
        outcome="flag" if flagged else "pass",
        probability=probability,
        threshold=threshold,
        model=policy.primary.model.name,
        model_version=policy.primary.model.version,
        policy_version=policy.version,
        detector_score=detector_score,
    )
