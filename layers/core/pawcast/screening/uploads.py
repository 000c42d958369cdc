"""Messages of the screening queue: S3's own notifications, and ours that send a forgotten upload back.

S3 writes a test event when the notification is set up, URL-encodes keys, and may announce one object more than once
and in any order. A body that is none of this is an error: its message goes to the DLQ and from there to a person.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from pydantic import ValidationError

from pawcast.errors import InvalidRequest
from pawcast.screening.post import Upload


@dataclass(frozen=True)
class Message:
    """One message of the queue and the uploads it announces; none for S3's test event."""

    message_id: str
    uploads: tuple[Upload, ...]


def parse_body(body: str) -> tuple[Upload, ...]:
    """The uploads that a message body announces.

    Raises:
        InvalidRequest: the body is no S3 notification, or a key is none of ours.
    """
    try:
        content = json.loads(body)
        if content.get("Event") == "s3:TestEvent":
            return ()
        return tuple(_upload(record) for record in content["Records"])
    except (ValueError, KeyError, TypeError, AttributeError, ValidationError) as error:
        message = f"no S3 notification of an upload: {type(error).__name__} at {error!s:.120}"
        raise InvalidRequest(message, code="message_invalid") from error


def notification(uploads: Sequence[Upload]) -> str:
    """The body of a message that announces `uploads` again, in S3's own shape."""
    return json.dumps(
        {
            "Records": [
                {
                    "eventSource": "pawcast:expire_uploads",
                    "eventTime": upload.uploaded_at.isoformat(),
                    "s3": {
                        "object": {
                            "key": upload.key,
                            "size": upload.size_bytes,
                            "versionId": upload.version_id,
                        }
                    },
                }
                for upload in uploads
            ]
        }
    )


def _upload(record: Mapping[str, Any]) -> Upload:
    thing = record["s3"]["object"]
    key = unquote_plus(thing["key"])
    folder, post_id, name = key.split("/")
    # Mosaics are announced by us, when their owners send them.
    if (folder, name) != ("posts", "original") and folder != "mosaics":
        raise ValueError(key)
    return Upload(
        post_id=post_id,
        key=key,
        version_id=thing["versionId"],
        size_bytes=thing.get("size", 0),
        uploaded_at=record["eventTime"],
    )
