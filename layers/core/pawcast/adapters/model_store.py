"""The model registry in S3: `models/<name>/<version>/{model.onnx,card.json}`.

Publishing writes the model first and its card last, both only where nothing is yet (`IfNoneMatch`): the card
is the commit, so a version is either whole or not there, and nobody can change it afterwards. Reading hashes
the bytes every time, also those from the cache directory (in Lambda `/tmp`, which outlives a crashed worker
and may hold half a file).

The reader's role needs `s3:ListBucket` on the bucket beside `s3:GetObject`: without it S3 answers 403
instead of 404 for a version that is not there, and the message could not say which versions exist.
"""

import hashlib
import logging
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pawcast.adapters.aws_errors import error_code, mapped
from pawcast.errors import HashMismatch, NotFound, VersionConflict
from pawcast.mlops.registry import (
    Card,
    ModelRef,
    check_bytes,
    check_digest,
    in_version_order,
    parse_card,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

CHUNK_BYTES = 1 << 20
CACHED_MODELS = 8  # newest kept; /tmp has 512 MB, and a warm function may live through many releases
DEFAULT_CACHE = Path(tempfile.gettempdir()) / "pawcast-models"

_log = logging.getLogger(__name__)


def model_key(ref: ModelRef) -> str:
    """Where the bytes of a version are."""
    return f"models/{ref.name}/{ref.version}/model.onnx"


def card_key(ref: ModelRef) -> str:
    """Where the card of a version is: the object that makes it a version."""
    return f"models/{ref.name}/{ref.version}/card.json"


class ModelStore:
    """Publishes and reads versions of models."""

    def __init__(self, s3_client: "S3Client", bucket: str, cache_directory: Path | None = None) -> None:
        self._s3 = s3_client
        self._bucket = bucket
        self._cache = cache_directory or DEFAULT_CACHE

    def publish(self, card: Card, model: bytes) -> Card:
        """Add a version and return its card as stored; publishing the same again changes nothing.

        Raises `HashMismatch` when the card was sealed for other bytes, `VersionConflict` when the version
        exists with another content. The date is no content: a second publishing returns the card of the
        first.
        """
        check_bytes(card, model)
        if not self._put_new(model_key(card.ref), model, "application/octet-stream"):
            self._refuse_other_model(card)
        if self._put_new(card_key(card.ref), card.json_bytes(), "application/json"):
            return card
        stored = self.card(card.ref)
        changed = [
            field
            for field in type(card).model_fields
            if field != "created_at" and getattr(card, field) != getattr(stored, field)
        ]
        if changed:
            raise VersionConflict(
                f"{card.ref} is published already with another card ({', '.join(changed)} differ); "
                "versions never change: publish under a new version"
            )
        return stored

    def card(self, ref: ModelRef) -> Card:
        """The card of a version. `NotFound` names the versions that exist, `ModelRejected` a damaged card."""
        with mapped("s3:GetObject", f"{self._bucket}/{card_key(ref)}"):
            try:
                document = self._s3.get_object(Bucket=self._bucket, Key=card_key(ref))["Body"].read()
            except ClientError as error:
                if error_code(error) != "NoSuchKey":
                    raise
                raise self._not_found(ref) from error
        card = parse_card(document)
        if card.ref != ref:
            raise HashMismatch(f"the card stored for {ref} is the card of {card.ref}")
        return card

    def fetch(self, ref: ModelRef) -> bytes:
        """The bytes of a version, hashed against its card; `HashMismatch` when they are others."""
        card = self.card(ref)
        cached = self._cached(card)
        if cached is not None:
            return cached
        model = self._download(card)
        self._keep(card, model)
        return model

    def versions(self, name: str) -> list[str]:
        """The published versions of a model, oldest label first; empty for an unknown one."""
        return in_version_order(ref.version for ref in self._refs(f"models/{name}/"))

    def names(self) -> list[str]:
        """Every model that has a published version."""
        return sorted({ref.name for ref in self._refs("models/")})

    def _refs(self, prefix: str) -> list[ModelRef]:
        refs = []
        with mapped("s3:ListBucket", f"{self._bucket}/{prefix}"):
            for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    match item["Key"].split("/"):
                        case ["models", name, version, "card.json"]:
                            refs.append(ModelRef(name=name, version=version))
        return refs

    def _not_found(self, ref: ModelRef) -> NotFound:
        versions = self.versions(ref.name)
        known = f"it has {', '.join(versions)}" if versions else "it has no version at all"
        return NotFound(f"model {ref.name} has no version {ref.version} in {self._bucket}: {known}")

    def _put_new(self, key: str, body: bytes, content_type: str) -> bool:
        """Write an object where none is; False when there is one."""
        with mapped("s3:PutObject", f"{self._bucket}/{key}"):
            try:
                self._s3.put_object(Bucket=self._bucket, Key=key, Body=body, ContentType=content_type, IfNoneMatch="*")
            except ClientError as error:
                if error_code(error) != "PreconditionFailed":
                    raise
                return False
        return True

    def _refuse_other_model(self, card: Card) -> None:
        try:
            self._download(card)
        except HashMismatch as error:
            raise VersionConflict(
                f"{card.ref} holds another model already; versions never change: publish under a new version"
            ) from error

    def _download(self, card: Card) -> bytes:
        model, digest = bytearray(), hashlib.sha256()
        with mapped("s3:GetObject", f"{self._bucket}/{model_key(card.ref)}"):
            try:
                body = self._s3.get_object(Bucket=self._bucket, Key=model_key(card.ref))["Body"]
            except ClientError as error:
                if error_code(error) != "NoSuchKey":
                    raise
                raise NotFound(f"{card.ref} has a card but no model.onnx in {self._bucket}") from error
            with closing(body):
                for chunk in body.iter_chunks(CHUNK_BYTES):
                    digest.update(chunk)
                    model += chunk
                    if len(model) > card.size_bytes:  # not the promised file: don't fill the memory with it
                        break
        check_digest(card, digest.hexdigest(), len(model))
        return bytes(model)

    def _cached(self, card: Card) -> bytes | None:
        path = self._cache / card.sha256
        try:
            model = path.read_bytes()
            check_bytes(card, model)
        except FileNotFoundError:
            return None
        except (OSError, HashMismatch) as error:
            _log.warning("the cached model %s is unusable and is fetched again: %s", card.ref, error)
            return None
        return model

    def _keep(self, card: Card, model: bytes) -> None:
        """Cache the bytes under their hash. A full or read-only disk costs the cache, not the photo."""
        try:
            self._cache.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._cache, prefix=".part-", delete=False) as part:
                try:
                    part.write(model)
                    part.flush()
                    Path(part.name).replace(self._cache / card.sha256)
                except OSError:
                    Path(part.name).unlink()
                    raise
            self._drop_oldest()
        except OSError as error:
            _log.warning("the model %s can't be cached in %s: %s", card.ref, self._cache, error)

    def _drop_oldest(self) -> None:
        newest_first = sorted(self._cache.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in newest_first[CACHED_MODELS:]:
            path.unlink(missing_ok=True)
