"""A run's files in the plans bucket: JSON documents and texts. Frames are `run_frames`, which needs pandas."""

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pawcast.adapters.aws_errors import error_code, mapped
from pawcast.errors import NotFound

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class RunFiles:
    """JSON documents and texts of runs."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        """`bucket` by name."""
        self._s3 = s3
        self._bucket = bucket

    def put_json(self, key: str, document: object) -> None:
        """Store a document, replacing one of the same key."""
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        self.put_bytes(key, text.encode(), "application/json")

    def get_json(self, key: str) -> Any:
        """A document; raises NotFound."""
        return json.loads(self.get_bytes(key))

    def put_text(self, key: str, text: str, content_type: str) -> None:
        """Store a text, such as a CSV or HTML."""
        self.put_bytes(key, text.encode(), content_type)

    def put_bytes(self, key: str, content: bytes, content_type: str) -> None:
        """Store bytes, replacing those of the same key."""
        with mapped("s3:PutObject", f"{self._bucket}/{key}"):
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=content, ContentType=content_type)

    def get_bytes(self, key: str) -> bytes:
        """The bytes of an object; raises NotFound."""
        with mapped("s3:GetObject", f"{self._bucket}/{key}"):
            try:
                return self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except ClientError as error:
                if error_code(error) != "NoSuchKey":
                    raise
                message = f"there is no {key} in {self._bucket}"
                raise NotFound(message) from error

    def copy(self, key: str, bucket: str, target: str) -> None:
        """Copy an object to another bucket."""
        with mapped("s3:PutObject", f"{bucket}/{target}"):
            self._s3.copy_object(CopySource={"Bucket": self._bucket, "Key": key}, Bucket=bucket, Key=target)

    def link(self, key: str, seconds: int) -> str:
        """A link that opens an object for so long."""
        return self._s3.generate_presigned_url(
            "get_object", Params={"Bucket": self._bucket, "Key": key}, ExpiresIn=seconds
        )
