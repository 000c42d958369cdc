"""A request to post a photo: what is accepted, and the post that it becomes.

The limits here are the API's contract; the site shows the same numbers. Text is normalised to Unicode NFC, so that a
Korean title typed on a Mac equals the same title typed elsewhere, and tags compare by their folded form.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from pawcast.errors import InvalidRequest
from pawcast.languages import LANGUAGES, Language
from pawcast.screening.post import Post, PostState

TITLE_MAX_CHARS = 100
DESCRIPTION_MAX_CHARS = 2_000
TAGS_MAX = 10
TAG_MAX_CHARS = 30
UPLOAD_MAX_BYTES = 20 * 1024 * 1024
CONTENT_TYPES = ("image/jpeg", "image/png", "image/webp", "image/heic")
UPLOAD_VALID_FOR = timedelta(minutes=15)

_TAG = re.compile(rf"[\w-]{{1,{TAG_MAX_CHARS}}}")


def new_post(request: Mapping[str, Any], *, user_id: str, post_id: str, now: datetime) -> Post:
    """The post that `request` asks for, waiting for its photo.

    Raises:
        InvalidRequest: a field breaks its limit; `request_code` and `field` say which.
    """
    _size(request.get("size_bytes"))
    return Post(
        post_id=post_id,
        user_id=user_id,
        title=_title(request.get("title")),
        description=_description(request.get("description")),
        tags=_tags(request.get("tags")),
        content_type=_content_type(request.get("content_type")),
        state=PostState.AWAITING_UPLOAD,
        created_at=now,
        upload_expires_at=now + UPLOAD_VALID_FOR,
    )


def language(request: Mapping[str, Any], field: str = "locale") -> Language | None:
    """The language that a request asks notices to be written in, None when it does not say.

    Raises:
        InvalidRequest: it is none of ours.
    """
    match request.get(field):
        case None:
            return None
        case "ko":
            return "ko"
        case "en":
            return "en"
    raise _invalid("locale_invalid", field, f"{field} must be one of {', '.join(LANGUAGES)}")


def normal_tag(tag: str) -> str:
    """The form in which a tag is stored and searched: NFC, folded, without the leading '#'.

    Raises:
        InvalidRequest: other characters than letters, digits, '_' and '-', or a length outside 1 to 30.
    """
    normal = unicodedata.normalize("NFC", tag.strip().removeprefix("#")).casefold()
    if not _TAG.fullmatch(normal):
        raise _invalid("tag_invalid", "tags", f"a tag has 1 to {TAG_MAX_CHARS} letters, digits, '_' or '-'")
    return normal


def _invalid(code: str, field: str, message: str) -> InvalidRequest:
    return InvalidRequest(message, code=code, field=field)


def plain_text(value: Any, field: str, *, lines: bool) -> str:
    """Text in NFC without surrounding spaces; `lines` allows line breaks and tabs.

    Raises:
        InvalidRequest: it is no string, or holds a character that must not be stored or shown.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _invalid(f"{field}_invalid", field, f"{field} must be a string, not {type(value).__name__}")
    text = unicodedata.normalize("NFC", value).strip()
    allowed = "\n\r\t" if lines else ""
    # Cc: control characters, Cs: lone surrogates (not storable), Cf without joiners: direction overrides fake a text.
    for char in text:
        kind = unicodedata.category(char)
        if (kind in ("Cc", "Cs") and char not in allowed) or (kind == "Cf" and char not in "\u200c\u200d"):
            raise _invalid(
                f"{field}_invalid",
                field,
                f"{field} holds the character U+{ord(char):04X}, which is not allowed",
            )
    return text


def _title(value: Any) -> str:
    title = plain_text(value, "title", lines=False)
    if not title:
        raise _invalid("title_missing", "title", "title is missing or empty")
    if len(title) > TITLE_MAX_CHARS:
        raise _invalid(
            "title_too_long",
            "title",
            f"title has {len(title)} characters, at most {TITLE_MAX_CHARS} are allowed",
        )
    return title


def _description(value: Any) -> str:
    description = plain_text(value, "description", lines=True)
    if len(description) > DESCRIPTION_MAX_CHARS:
        message = f"description has {len(description)} characters, at most {DESCRIPTION_MAX_CHARS} are allowed"
        raise _invalid("description_too_long", "description", message)
    return description


def _tags(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise _invalid("tag_invalid", "tags", "tags must be a list of strings")
    if len(value) > TAGS_MAX:
        raise _invalid("too_many_tags", "tags", f"{len(value)} tags, at most {TAGS_MAX} are allowed")
    return tuple(dict.fromkeys(normal_tag(tag) for tag in value))


def _content_type(value: Any) -> str:
    if value not in CONTENT_TYPES:
        raise _invalid(
            "content_type_invalid", "content_type", f"content_type must be one of {', '.join(CONTENT_TYPES)}"
        )
    return str(value)


def _size(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= UPLOAD_MAX_BYTES:
        raise _invalid("size_invalid", "size_bytes", f"size_bytes must be a whole number from 1 to {UPLOAD_MAX_BYTES}")
