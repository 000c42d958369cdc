"""One record for each prediction: what a model was shown, what it said, and what was made of it.

Records go through Firehose to S3 as one JSON object a line, with keys in the order of the fields below;
Athena reads them, verdicts join them by `inference_id`, and the next head is fitted on their embeddings. So:
add fields at the end, never rename one, and change the meaning of none.

Delivery is at least once and a message may be screened twice, so `inference_id` is made from what was
predicted, not drawn: readers keep one record for each id. Records are dated by `occurred_at`, not by arrival:
the first ten characters are the day in UTC, which is the partition (`day=2026-11-23`).
"""

import hashlib
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, PlainSerializer

from pawcast.mlops.registry import Document, Name, Version


def inference_id(*, post_id: str, upload_version: str, model: str, model_version: str, role: str) -> str:
    """The same 32 hex digits for the same model looking at the same upload in the same role."""
    identity = "|".join((post_id, upload_version, model, model_version, role))
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def _millisecond_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Timestamp = Annotated[AwareDatetime, PlainSerializer(_millisecond_text, when_used="json")]
Unit = Annotated[float, Field(ge=0, le=1)]


class ImageFacts(Document):
    """What the photo was like, without showing it: the input side of drift."""

    width: int = Field(ge=1)
    height: int = Field(ge=1)
    format: Literal["jpeg", "png", "webp", "heic"]
    bytes: int = Field(ge=1)
    brightness: Unit
    contrast: Unit


class InferenceRecord(Document):
    """One prediction. `embedding` is null where the role makes none.

    No perceptual hash stands here: after a withdrawal that of a banned photo lives in the bank and nowhere else.
    """

    inference_id: str = Field(pattern=r"^[0-9a-f]{32}$")
    post_id: str = Field(min_length=1, max_length=128)
    occurred_at: Timestamp
    model: Name
    model_version: Version
    policy_version: int = Field(ge=1)
    role: Literal["primary", "second"]
    score: Unit
    threshold: Unit
    outcome: Literal["pass", "flag"]
    latency_ms: float = Field(ge=0)
    image: ImageFacts
    embedding: str | None = Field(default=None, max_length=100_000)

    @property
    def day(self) -> str:
        """The partition this record belongs to: its day in UTC, `2026-11-23`."""
        return _millisecond_text(self.occurred_at)[:10]

    def json_line(self) -> bytes:
        """One line with its line feed: Firehose glues records together as they are."""
        return self.model_dump_json().encode() + b"\n"
