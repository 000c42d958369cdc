"""The bucket that senders drop files into, and where they find their reports."""

import io
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from pawcast.adapters.aws_errors import error_code, mapped
from pawcast.forecasting.ingest.intake import Drop, OpenedDrop

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "404", "NotFound", "MethodNotAllowed"})  # the last: a delete marker


class DropFiles:
    """Dropped files by version, and reports by name."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        """`bucket` by name."""
        self._s3 = s3
        self._bucket = bucket

    def open(self, drop: Drop) -> OpenedDrop | None:
        """Open a file; None when it is gone. Nothing of it is read yet."""
        try:
            with mapped("s3:GetObject", drop.key):
                if drop.version:
                    answer = self._s3.get_object(Bucket=self._bucket, Key=drop.key, VersionId=drop.version)
                else:
                    answer = self._s3.get_object(Bucket=self._bucket, Key=drop.key)
        except ClientError as error:
            if error_code(error) not in _GONE:
                raise
            return None
        return OpenedDrop(
            stream=cast("BinaryIO", io.BufferedReader(_Body(answer["Body"], drop.key), 1 << 20)),
            size_bytes=answer["ContentLength"],
            version=answer.get("VersionId") or answer["ETag"],
        )

    def report_of(self, report_key: str) -> Mapping[str, Any]:
        """The report that lies there; empty when there is none."""
        try:
            with mapped("s3:GetObject", report_key):
                found: dict[str, Any] = json.loads(
                    self._s3.get_object(Bucket=self._bucket, Key=report_key)["Body"].read()
                )
        except ClientError as error:
            if error_code(error) not in _GONE:
                raise
            return {}
        return found

    def put_report(self, report_key: str, document: Mapping[str, Any]) -> None:
        """Write a report."""
        content = json.dumps(document, ensure_ascii=False, indent=1).encode()
        with mapped("s3:PutObject", report_key):
            self._s3.put_object(
                Bucket=self._bucket, Key=report_key, Body=content, ContentType="application/json; charset=utf-8"
            )


class _Body(io.RawIOBase):
    """An answer's body as a file; a connection that breaks while it is read is trouble that passes."""

    def __init__(self, body: StreamingBody, key: str) -> None:
        self._body = body
        self._key = key

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with mapped("s3:GetObject", self._key):
            content = self._body.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._body.close()
        super().close()
