"""What one demo upload is: the bytes, and what a client says of them, true or not."""

from dataclasses import dataclass
from typing import Literal

type Group = Literal["Animals", "People", "Files and phones", "Broken and refused"]
GROUPS: tuple[Group, ...] = ("Animals", "People", "Files and phones", "Broken and refused")
UPLOAD_LIMIT = 20 * 1024 * 1024

JPEG, PNG, WEBP, HEIC, GIF = "image/jpeg", "image/png", "image/webp", "image/heic", "image/gif"
PUBLISHED, HELD = "published", "held for an operator"


@dataclass(frozen=True)
class DemoUpload:
    """One upload; `content_type` and `declared_size` are what the client claims, true or not."""

    name: str
    group: Group
    title: str
    description: str
    tags: tuple[str, ...]
    content_type: str
    data: bytes
    note: str
    expect: str
    declared_size: int
    private_metadata: bool = False


def an_upload(
    group: Group,
    name: str,
    data: bytes,
    *,
    title: str,
    note: str,
    expect: str,
    content_type: str = JPEG,
    tags: tuple[str, ...] = ("cat",),
    description: str = "",
    declared_size: int | None = None,
    private_metadata: bool = False,
) -> DemoUpload:
    """An upload whose client tells the truth unless `content_type` or `declared_size` says otherwise."""
    size = len(data) if declared_size is None else declared_size
    return DemoUpload(name, group, title, description, tags, content_type, data, note, expect, size, private_metadata)
