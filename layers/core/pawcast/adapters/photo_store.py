"""Originals and renditions in S3, and the signatures that let a browser reach them by itself."""

from datetime import UTC
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pawcast.adapters.aws_errors import error_code, mapped
from pawcast.errors import DependencyUnavailable, NotFound
from pawcast.screening.post import Post, Upload

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

VIEW_SECONDS = 3600
_GONE = frozenset({"NoSuchKey", "NoSuchVersion", "404", "NotFound"})


class PhotoStore:
    """Photos in the uploads bucket and the published bucket; a function that needs only one names only that."""

    def __init__(self, s3: "S3Client", *, uploads: str, published: str = "") -> None:
        """Buckets by name."""
        self._s3 = s3
        self._uploads = uploads
        self._published = published

    def sign_upload(self, post: Post, max_bytes: int) -> dict[str, Any]:
        """A presigned POST for this post's key, type and size, until `upload_expires_at`."""
        seconds = int((post.upload_expires_at - post.created_at).total_seconds())
        signed = self._s3.generate_presigned_post(
            Bucket=self._uploads,
            Key=post.upload_key,
            Fields={"Content-Type": post.content_type},
            Conditions=[{"Content-Type": post.content_type}, ["content-length-range", 1, max_bytes]],
            ExpiresIn=seconds,
        )
        return {
            "url": signed["url"],
            "fields": signed["fields"],
            "expires_at": post.upload_expires_at.isoformat(),
        }

    def rendition_url(self, key: str) -> str:
        """A link to a rendition that works for an hour."""
        parameters = {"Bucket": self._published, "Key": key}
        return self._s3.generate_presigned_url("get_object", Params=parameters, ExpiresIn=VIEW_SECONDS)

    def read(self, upload: Upload) -> bytes:
        """The bytes of exactly this version; raises NotFound when it is gone."""
        try:
            with mapped("s3:GetObject", self._uploads):
                answer = self._s3.get_object(Bucket=self._uploads, Key=upload.key, VersionId=upload.version_id)
                return answer["Body"].read()
        except ClientError as error:
            if error_code(error) not in _GONE:
                raise
            message = f"version {upload.version_id} of {upload.key} is gone"
            raise NotFound(message) from error

    def find(self, post: Post) -> Upload | None:
        """The upload of a post, if it ever came."""
        try:
            with mapped("s3:HeadObject", self._uploads):
                head = self._s3.head_object(Bucket=self._uploads, Key=post.upload_key)
        except ClientError as error:
            if error_code(error) not in _GONE:
                raise
            return None
        return Upload(
            post_id=post.post_id,
            key=post.upload_key,
            version_id=head["VersionId"],
            size_bytes=head["ContentLength"],
            uploaded_at=head["LastModified"].astimezone(UTC),
        )

    def erase(self, post_id: str) -> None:
        """Delete every version of every original, copy and rendition of a post; may be repeated."""
        for bucket, folders in ((self._uploads, ("posts", "mosaics")), (self._published, ("photos", "mosaics"))):
            for folder in folders:
                self._erase(bucket, f"{folder}/{post_id}/")

    def _erase(self, bucket: str, prefix: str) -> None:
        while True:
            with mapped("s3:ListBucketVersions", bucket):
                # Always the first page: what it held is gone the next time.
                listed = self._s3.list_object_versions(Bucket=bucket, Prefix=prefix)
            found = [*listed.get("Versions", []), *listed.get("DeleteMarkers", [])]
            if not found:
                return
            objects: list[Any] = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
            with mapped("s3:DeleteObject", bucket):
                answer = self._s3.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
            if answer.get("Errors"):
                codes = ", ".join(sorted({error.get("Code", "") for error in answer["Errors"]}))
                message = f"s3:DeleteObject on {bucket}/{prefix} left objects: {codes}"
                raise DependencyUnavailable(message)

    def put_rendition(self, key: str, content: bytes) -> None:
        """Store a rendition; its key holds the post's revision, so it may be cached for ever."""
        with mapped("s3:PutObject", self._published):
            self._s3.put_object(
                Bucket=self._published,
                Key=key,
                Body=content,
                ContentType="image/jpeg",
                CacheControl="public, max-age=31536000, immutable",
            )
