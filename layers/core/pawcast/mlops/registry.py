"""What the registry knows about one version of a model, and the rules a version must keep.

A version is two objects, `models/<name>/<version>/{model.onnx,card.json}`. The card is written last: a
version without a card does not exist. Versions are immutable; what runs is said by the release policy
(`pawcast.mlops.policy`), never by a "latest". Nothing here reads or writes storage: that is
`pawcast.adapters.model_store`, and whatever loads bytes calls `check_bytes` before it uses them.

To add a task, add it to `Task` and say in `REQUIRED_OUTPUTS` what its graph must answer.
"""

import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    model_validator,
)

from pawcast.errors import HashMismatch, ModelRejected

Task = Literal["face-classification", "face-detection", "visits-forecast"]

# What the code that serves a task reads from its model; a card that does not promise it is refused.
REQUIRED_OUTPUTS: Mapping[Task, frozenset[str]] = {
    "face-classification": frozenset({"probability", "embedding"}),
    "face-detection": frozenset({"boxes", "scores"}),
    "visits-forecast": frozenset(),
}
IMAGE_TASKS: frozenset[Task] = frozenset({"face-classification", "face-detection"})
INPUT_SIDES = range(64, 2049)


def validation_sentences(error: ValidationError) -> str:
    """Every problem as `field: what is wrong (got value)`, in one line an operator can act on."""
    return "; ".join(
        f"{'.'.join(map(str, problem['loc'])) or 'document'}: {problem['msg']}{_shown(problem)}"
        for problem in error.errors(include_url=False)
    )


def _shown(problem: Any) -> str:
    if problem["type"] in ("missing", "json_invalid") or isinstance(problem["input"], dict | list):
        return ""
    return f" (got {str(problem['input'])[:80]!r})"


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _finite(value: JsonValue) -> JsonValue:
    """JSON has no NaN: such a figure would come back as null and look like "not measured"."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("every figure must be finite")
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _finite(part)
    return value


Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=63)]
Version = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]*$", max_length=63)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Text = Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"\S")]
Facts = Mapping[str, Annotated[JsonValue, AfterValidator(_finite)]]


class Document(BaseModel):
    """Base of every stored JSON document: nothing unknown gets in, nothing changes afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ModelRef(Document):
    """One version of one model. Its text form is `name/version`."""

    name: Name
    version: Version

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"


class Parent(ModelRef):
    """The version that this one was made from, held by content."""

    sha256: Sha256


class DataSet(BaseModel):
    """What the model was fitted on. Further facts (sources, splits, terms) may stand beside the two."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)

    id: Text
    n: int = Field(ge=1)


class Card(Document):
    """Everything that must be known before a version may run."""

    name: Name
    version: Version
    task: Task
    inputs: Facts
    outputs: Facts
    sha256: Sha256
    size_bytes: int = Field(ge=1)
    created_at: Annotated[AwareDatetime, AfterValidator(_utc)]
    data_set: DataSet | None = None
    parent: Parent | None = None
    metrics: Facts = Field(default_factory=dict)
    load_verdict: Facts | None = None
    licence: Text
    notes: str = Field(default="", max_length=4_000)

    @property
    def ref(self) -> ModelRef:
        """The version this card is of."""
        return ModelRef(name=self.name, version=self.version)

    @property
    def input_side(self) -> int:
        """Pixels of the longer side that an image model sees."""
        side = self.inputs.get("input_side")
        if not isinstance(side, int) or isinstance(side, bool):
            raise ModelRejected(f"{self.ref}: a {self.task} model has no input_side")
        return side

    @model_validator(mode="after")
    def _keeps_the_contract_of_its_task(self) -> Self:
        missing = sorted(REQUIRED_OUTPUTS[self.task] - self.outputs.keys())
        if missing:
            raise ValueError(f"outputs: a {self.task} model must answer {', '.join(missing)}")
        side = self.inputs.get("input_side")
        is_whole = isinstance(side, int) and not isinstance(side, bool)
        if self.task in IMAGE_TASKS and not (is_whole and side in INPUT_SIDES):
            raise ValueError(
                f"inputs.input_side: a {self.task} model needs a whole number of pixels from "
                f"{INPUT_SIDES.start} to {INPUT_SIDES.stop - 1}, got {side!r}"
            )
        return self

    @model_validator(mode="after")
    def _is_not_its_own_parent(self) -> Self:
        if self.parent and (self.parent.name, self.parent.version) == (self.name, self.version):
            raise ValueError(f"parent: {self.ref} can't be made from itself")
        return self

    def json_bytes(self) -> bytes:
        """The content of card.json: indented, because people read it in the bucket."""
        return self.model_dump_json(indent=2).encode() + b"\n"


def parse_card(document: bytes | str) -> Card:
    """A card read from storage; `ModelRejected` names every field that is wrong."""
    try:
        return Card.model_validate_json(document)
    except ValidationError as error:
        raise ModelRejected(f"card.json is not valid: {validation_sentences(error)}") from error


def seal_card(draft: Mapping[str, Any], model: bytes, *, version: str, created_at: datetime) -> Card:
    """A card for exactly these bytes, from a draft that holds everything but the seal.

    `created_at` stands in only when the draft names no date: a committed card keeps the day it was fitted, so
    publishing twice makes the same card.
    """
    facts = {"created_at": created_at, **{key: value for key, value in draft.items() if value is not None}}
    seal = {"version": version, "sha256": hashlib.sha256(model).hexdigest(), "size_bytes": len(model)}
    try:
        return Card.model_validate({**facts, **seal})
    except ValidationError as error:
        raise ModelRejected(f"the card draft is not valid: {validation_sentences(error)}") from error


def check_bytes(card: Card, model: bytes) -> None:
    """Raise `HashMismatch` unless these are the bytes that the card was sealed for."""
    check_digest(card, hashlib.sha256(model).hexdigest(), len(model))


def check_digest(card: Card, sha256: str, size_bytes: int) -> None:
    """As `check_bytes`, for bytes that were hashed while they streamed by."""
    if (sha256, size_bytes) != (card.sha256, card.size_bytes):
        raise HashMismatch(
            f"{card.ref}: its card promises sha256 {card.sha256[:12]}… and {card.size_bytes} bytes, "
            f"the model has {sha256[:12]}… and {size_bytes}"
        )


def in_version_order(versions: Iterable[str]) -> list[str]:
    """Oldest label first, numbers compared as numbers: 1.9 comes before 1.10."""

    def key(version: str) -> list[tuple[int, int, str]]:
        parts = version.replace("-", ".").replace("_", ".").split(".")
        return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]

    return sorted(versions, key=key)
