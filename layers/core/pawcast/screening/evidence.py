"""What is written down of each decision: facts of the photo, and one inference record for each model that was asked."""

from datetime import datetime

from pawcast.mlops.embedding import brightness_and_contrast, encode_embedding
from pawcast.mlops.inference_log import ImageFacts, InferenceRecord, inference_id
from pawcast.mlops.policy import ReleasePolicy, SerialStrategy
from pawcast.screening.classifier import Prediction
from pawcast.screening.hashing import PdqHash
from pawcast.screening.intake import Photo
from pawcast.screening.post import Decision, PhotoFacts, Upload


def facts_of(photo: Photo, fingerprint: PdqHash) -> PhotoFacts:
    """The facts of a photo that its post keeps."""
    return PhotoFacts(
        width=photo.width,
        height=photo.height,
        format=photo.format,
        pdq=fingerprint.hex,
        pdq_quality=fingerprint.quality,
    )


def records_of(
    upload: Upload,
    photo: Photo,
    facts: PhotoFacts,
    prediction: Prediction,
    decision: Decision,
    policy: ReleasePolicy,
    *,
    at: datetime,
    latency_ms: float,
) -> tuple[InferenceRecord, ...]:
    """One record for the primary, and one for the detector where the strategy asked it.

    `latency_ms` is that of all models together; it stands in the primary's record, the detector's has 0.
    """
    brightness, contrast = brightness_and_contrast(photo.rgb)
    primary = InferenceRecord(
        inference_id=inference_id(
            post_id=upload.post_id,
            upload_version=upload.version_id,
            model=decision.model,
            model_version=decision.model_version,
            role="primary",
        ),
        post_id=upload.post_id,
        occurred_at=at,
        model=decision.model,
        model_version=decision.model_version,
        policy_version=decision.policy_version,
        role="primary",
        score=decision.probability,
        threshold=decision.threshold,
        outcome="flag" if decision.probability >= decision.threshold else "pass",
        latency_ms=round(latency_ms, 3),
        image=ImageFacts(
            width=facts.width,
            height=facts.height,
            format=photo.format,
            bytes=max(upload.size_bytes, 1),
            brightness=brightness,
            contrast=contrast,
        ),
        embedding=encode_embedding(prediction.embedding),
    )
    strategy = policy.strategy
    if decision.detector_score is None or not isinstance(strategy, SerialStrategy):
        return (primary,)
    second = primary.model_copy(
        update={
            "inference_id": inference_id(
                post_id=upload.post_id,
                upload_version=upload.version_id,
                model=strategy.detector.name,
                model_version=strategy.detector.version,
                role="second",
            ),
            "model": strategy.detector.name,
            "model_version": strategy.detector.version,
            "role": "second",
            "score": decision.detector_score,
            "threshold": strategy.min_score,
            "outcome": decision.outcome,
            "latency_ms": 0.0,
            "embedding": None,
        }
    )
    return (primary, second)
