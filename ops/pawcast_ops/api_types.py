"""What goes over the wire of the Pawcast API, as `client.py` sends and reads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

type Language = Literal["ko", "en"]
type State = Literal[
    "awaiting_upload", "screening", "published", "in_review", "rejected",
    "appealed", "mosaic", "withdrawn", "expired",
]  # fmt: skip


class Text(BaseModel):
    """One sentence in both languages."""

    model_config = ConfigDict(frozen=True)

    ko: str
    en: str


class Answer(BaseModel):
    """What the API sends. Unknown fields are ignored: a newer API may say more."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Reason(Answer):
    """Why a post is not published."""

    code: str
    text: Text


class Decision(Answer):
    """What the model found; `probability` is that of a human face."""

    outcome: str
    probability: float
    threshold: float
    model: str
    model_version: str
    policy_version: int


class Post(Answer):
    """One post; `reason`, `decision` and the times of upload and decision are there for its owner only."""

    post_id: str
    title: str
    description: str
    tags: tuple[str, ...]
    state: State
    created_at: datetime
    user_id: str | None = None
    uploaded_at: datetime | None = None
    decided_at: datetime | None = None
    reason: Reason | None = None
    decision: Decision | None = None
    photo_url: str | None = None


class Upload(Answer):
    """The right to upload one photo to one key for a short time."""

    url: str
    fields: dict[str, str]
    expires_at: datetime


class Ticket(Answer):
    """A post that waits for its photo, and the right to upload it."""

    post: Post
    upload: Upload


class Notice(Answer):
    """One notice of an inbox."""

    notice_id: str
    post_id: str
    kind: str
    title: Text
    body: Text
    created_at: datetime
    read: bool = False


class Page[T: Answer](Answer):
    """One page of a list, newest first; `next_cursor` is None on the last."""

    items: tuple[T, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class NewPost:
    """What `POST /posts` is told."""

    title: str
    content_type: str
    size_bytes: int
    description: str = ""
    tags: Sequence[str] = ()
    locale: Language | None = None

    def as_json(self) -> dict[str, Any]:
        """The request's body."""
        body = {
            "title": self.title,
            "description": self.description,
            "tags": list(self.tags),
            "content_type": self.content_type,
            "size_bytes": self.size_bytes,
        }
        return body if self.locale is None else body | {"locale": self.locale}
