"""What is to become of one photo: opened, compared with the hash banks, asked of the models, rendered.

    open ─ hash ─┬─ an operator let it pass ────────────────────────────> published
                 ├─ copy of a cleared photo ───────────────────────────> published
                 ├─ copy of a banned photo ────────────────────────────> rejected
                 └─ predict ─ decide ─┬─ pass ─ (drawn for an audit?) ─> published
                                      └─ flag ─────────────────────────> in review

Every photo that can be read is rendered, also what is held or rejected: operators and its owner look at the rendition,
and a verdict is then a change of state and nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from pawcast.errors import NotFound, UnreadablePhoto
from pawcast.mlops.inference_log import InferenceRecord
from pawcast.mlops.release import Release
from pawcast.screening.audit import is_drawn
from pawcast.screening.banks import MATCH_QUALITY, Banks, Match
from pawcast.screening.classifier import Prediction
from pawcast.screening.decide import decide
from pawcast.screening.detector import FaceBox
from pawcast.screening.evidence import facts_of, records_of
from pawcast.screening.hashing import PdqHash, pdq_variants
from pawcast.screening.intake import IntakeLimits, Photo, open_photo
from pawcast.screening.ports import Clock
from pawcast.screening.post import BankMatch, Decision, EventName, Face, PhotoFacts, Post, PostState, Upload
from pawcast.screening.rendition import render

Pixels = npt.NDArray[np.uint8]


class Classifier(Protocol):
    """Gives the probability of a human face."""

    def predict(self, rgb: Pixels) -> Prediction:
        """`rgb` is [H, W, 3]."""
        ...


class Detector(Protocol):
    """Finds faces."""

    def detect(self, rgb: Pixels) -> list[FaceBox]:
        """`rgb` is [H, W, 3]."""
        ...


@dataclass(frozen=True)
class Models:
    """The models of one release; the detectors only where its policy names them."""

    classifier: Classifier
    detector: Detector | None = None
    face_finder: Detector | None = None


@dataclass(frozen=True)
class Finding:
    """What is to become of one photo. `audit_share` is the probability that it was drawn with, if it was."""

    state: PostState
    reason: str | None = None
    event: EventName | None = None
    decision: Decision | None = None
    bank_match: BankMatch | None = None
    photo: PhotoFacts | None = None
    inferences: tuple[InferenceRecord, ...] = ()
    rendition: bytes | None = None
    audit_share: float | None = None


@dataclass(frozen=True)
class Examiner:
    """Looks at photos with the models of one release and the banks as they stand."""

    release: Release[Models]
    banks: Banks
    now: Clock
    monotonic: Callable[[], float]
    limits: IntakeLimits = field(default_factory=IntakeLimits)

    def examine(self, post: Post, upload: Upload, read: Callable[[], bytes]) -> Finding:
        """What is to become of `post`, whose photo `read` gives.

        Raises:
            Retryable: the photo could not be fetched.
        """
        try:
            data = read()
            photo = open_photo(data, limits=self.limits)
            rendition = render(data, limits=self.limits)
        except UnreadablePhoto as error:
            return Finding(PostState.REJECTED, error.code)
        except NotFound:
            return Finding(PostState.REJECTED, "photo_missing")
        fingerprints = pdq_variants(photo.rgb)
        facts = facts_of(photo, fingerprints[0])
        if post.cleared_by_review is not None:
            return Finding(PostState.PUBLISHED, event="PostOverturned", photo=facts, rendition=rendition)
        if (match := self._known(post, fingerprints)) is not None:
            return self._repeat(match, photo, facts, rendition)
        return self._new(upload, photo, facts, rendition)

    def _known(self, post: Post, fingerprints: Sequence[PdqHash]) -> Match | None:
        if fingerprints[0].quality < MATCH_QUALITY:
            return None
        # A mosaic still looks like the photo that was banned: the model judges it.
        return self.banks.nearest([print_.hex for print_ in fingerprints], without_banned=post.is_mosaic)

    def _repeat(self, match: Match, photo: Photo, facts: PhotoFacts, rendition: bytes) -> Finding:
        entry = match.entry
        found = BankMatch(bank=entry.bank, entry_id=entry.entry_id, distance=match.distance, label=entry.label)
        if entry.bank == "cleared":
            return Finding(PostState.PUBLISHED, bank_match=found, photo=facts, rendition=rendition)
        shown = self._with_faces(facts, photo)
        return Finding(PostState.REJECTED, "banned_repeat", bank_match=found, photo=shown, rendition=rendition)

    def _new(self, upload: Upload, photo: Photo, facts: PhotoFacts, rendition: bytes) -> Finding:
        models, policy = self.release.models, self.release.policy
        started = self.monotonic()
        prediction = models.classifier.predict(photo.rgb)
        decision = decide(prediction.probability, policy, lambda: _best_score(models.detector, photo))
        latency_ms = (self.monotonic() - started) * 1000
        records = records_of(upload, photo, facts, prediction, decision, policy, at=self.now(), latency_ms=latency_ms)
        if decision.outcome == "flag":
            return Finding(
                PostState.IN_REVIEW,
                "human_face_suspected",
                decision=decision,
                photo=self._with_faces(facts, photo),
                inferences=records,
                rendition=rendition,
            )
        audited = is_drawn(records[0].inference_id, policy.audit_share)
        return Finding(
            PostState.PUBLISHED,
            decision=decision,
            photo=self._with_faces(facts, photo) if audited else facts,
            inferences=records,
            rendition=rendition,
            audit_share=policy.audit_share if audited else None,
        )

    def _with_faces(self, facts: PhotoFacts, photo: Photo) -> PhotoFacts:
        """`facts` with the boxes that a person is shown; as they are where the policy names no face finder."""
        finder, faces = self.release.models.face_finder, self.release.policy.faces
        if finder is None or faces is None:
            return facts
        height, width = photo.rgb.shape[:2]
        boxes = [box for box in finder.detect(photo.rgb) if box.score >= faces.min_score]
        shares = tuple(
            Face(x0=box.x0 / width, y0=box.y0 / height, x1=box.x1 / width, y1=box.y1 / height, score=box.score)
            for box in boxes
        )
        return facts.model_copy(update={"faces": shares})


def _best_score(detector: Detector | None, photo: Photo) -> float:
    if detector is None:
        message = "the release's strategy asks for a detector that was not loaded"
        raise LookupError(message)
    return max((box.score for box in detector.detect(photo.rgb)), default=0.0)
