"""The copies with covered faces, which lie beside the originals in the uploads bucket."""

from datetime import datetime

from pawcast.adapters.aws_errors import mapped
from pawcast.adapters.photo_store import PhotoStore
from pawcast.screening.post import Upload


class MosaicStore(PhotoStore):
    """Originals, renditions and copies."""

    def put_copy(self, post_id: str, key: str, content: bytes, at: datetime) -> Upload:
        """Store a copy beside the originals; what it is as an upload that came in at `at`."""
        with mapped("s3:PutObject", self._uploads):
            answer = self._s3.put_object(Bucket=self._uploads, Key=key, Body=content, ContentType="image/jpeg")
        return Upload(post_id=post_id, key=key, version_id=answer["VersionId"], size_bytes=len(content), uploaded_at=at)
