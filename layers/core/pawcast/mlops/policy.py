"""The release policy: one small JSON document that says which models decide, and how.

It lives in an SSM parameter (`pawcast.adapters.policy_store`), is read by every warm function
(`pawcast.mlops.release`), and is replaced as a whole: a change is a new document with the next `version`.
There is no partial update and no default: what runs must be readable in one place. A field is added when
something reads it, with a value that means "as before", so that an old document still says the same.

The gate in front of it, which looks at the models themselves, is `pawcast.mlops.release_gate`; this module
needs no numpy, because functions that only read the policy have none.
"""

import json
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from pawcast.errors import InvalidPolicy, ReleaseUnavailable
from pawcast.mlops.registry import Document, ModelRef, Task, validation_sentences

MAX_DOCUMENT_BYTES = 4_096  # an SSM parameter of the Standard tier
NOTHING_RELEASED_VERSION = 0  # what CloudFormation writes when the stack is made: {"version": 0}

OpenUnit = Annotated[float, Field(gt=0, lt=1)]
Unit = Annotated[float, Field(ge=0, le=1)]


class Primary(Document):
    """The classifier that decides, and the probability from which it flags."""

    model: ModelRef
    threshold: OpenUnit


class SingleStrategy(Document):
    """The primary decides alone."""

    kind: Literal["single"]


class SerialStrategy(Document):
    """Inside the band `[low, high]` a photo is flagged iff the detector finds a face.

    A face counts from `min_score`. Outside the band the primary decides by its threshold.
    """

    kind: Literal["serial"]
    detector: ModelRef
    band: tuple[Unit, Unit]
    min_score: OpenUnit

    @model_validator(mode="after")
    def _band_is_a_range(self) -> Self:
        low, high = self.band
        if low >= high:
            raise ValueError(f"band: low must be below high, got [{low}, {high}]")
        return self


class FaceFinder(Document):
    """The detector that draws boxes for operators and covers faces in mosaics; it never decides."""

    model: ModelRef
    min_score: OpenUnit


class Limits(Document):
    """How much work the people behind the models have agreed to."""

    operator_checks_per_week: int = Field(ge=1)


class ReleasePolicy(Document):
    """What runs. `version` counts documents, not models: a rollback is a new version too."""

    version: int = Field(ge=1)
    primary: Primary
    strategy: Annotated[SingleStrategy | SerialStrategy, Field(discriminator="kind")]
    limits: Limits
    faces: FaceFinder | None = None
    # Share of passed photos that an operator looks at afterwards, to measure recall.
    audit_share: Unit = 0.0

    @model_validator(mode="after")
    def _band_holds_the_threshold(self) -> Self:
        if isinstance(self.strategy, SerialStrategy):
            low, high = self.strategy.band
            if not low <= self.primary.threshold <= high:
                raise ValueError(
                    f"strategy.band [{low}, {high}] must contain primary.threshold {self.primary.threshold}: "
                    "outside the band the primary decides by its threshold alone"
                )
        return self

    def models(self) -> tuple[tuple[ModelRef, Task], ...]:
        """Every model that the document names, with the task it is named for."""
        named: list[tuple[ModelRef, Task]] = [(self.primary.model, "face-classification")]
        if isinstance(self.strategy, SerialStrategy):
            named.append((self.strategy.detector, "face-detection"))
        if self.faces is not None and (self.faces.model, "face-detection") not in named:
            named.append((self.faces.model, "face-detection"))
        return tuple(named)

    def with_version(self, version: int) -> Self:
        """The same content as another version: what a rollback releases."""
        return self.model_copy(update={"version": version})

    def json_text(self) -> str:
        """The parameter's value: compact, because it may have 4,096 bytes only."""
        text = self.model_dump_json()
        size = len(text.encode())
        if size > MAX_DOCUMENT_BYTES:
            raise InvalidPolicy(
                f"the policy has {size:,} bytes as JSON; an SSM parameter of the Standard tier holds "
                f"{MAX_DOCUMENT_BYTES:,}"
            )
        return text


def parse_policy(text: str) -> ReleasePolicy:
    """A policy from JSON; `InvalidPolicy` names every field that is wrong.

    Raises `ReleaseUnavailable` for the sentinel that a fresh stack has: nothing was released yet.
    """
    if document_version(text) == NOTHING_RELEASED_VERSION:
        raise ReleaseUnavailable("nothing is released yet: publish a model, then `pawcast release set`")
    try:
        return ReleasePolicy.model_validate_json(text)
    except ValidationError as error:
        raise InvalidPolicy(f"the release policy is not valid: {validation_sentences(error)}") from error


def document_version(text: str) -> int | None:
    """The version a document claims, even one that is otherwise not valid; None when it claims none."""
    try:
        document = json.loads(text)
    except ValueError:
        return None
    version = document.get("version") if isinstance(document, dict) else None
    return version if isinstance(version, int) and not isinstance(version, bool) and version >= 0 else None
