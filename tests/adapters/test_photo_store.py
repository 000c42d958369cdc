"""Originals and renditions in S3."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_s3 import S3Client

from pawcast.adapters.assembly import client
from pawcast.adapters.photo_store import PhotoStore
from pawcast.errors import DependencyUnavailable, NotFound
from pawcast.screening.post import Post
from tests.support.aws import REGION
from tests.support.screening import a_post, an_upload

UPLOADS, PUBLISHED = "uploads", "published"


@pytest.fixture
def photos(s3: S3Client) -> PhotoStore:
    for bucket in (UPLOADS, PUBLISHED):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket=UPLOADS, VersioningConfiguration={"Status": "Enabled"})
    return PhotoStore(s3, uploads=UPLOADS, published=PUBLISHED)


def stored(s3: S3Client, content: bytes, post: Post | None = None) -> str:
    return s3.put_object(Bucket=UPLOADS, Key=(post or a_post()).upload_key, Body=content)["VersionId"]


def test_exactly_the_announced_version_is_read(photos: PhotoStore, s3: S3Client) -> None:
    first = stored(s3, b"first")
    stored(s3, b"second")

    assert b"first" == photos.read(an_upload(version=first))


@pytest.mark.parametrize("exists", [True, False])
def test_a_version_that_is_gone_is_not_found(photos: PhotoStore, s3: S3Client, *, exists: bool) -> None:
    if exists:
        version = stored(s3, b"first")
        s3.delete_object(Bucket=UPLOADS, Key=a_post().upload_key, VersionId=version)
    else:
        version = "nV5HWzkHIhOnXqhXkl3cbqHyKgGSCMYp"

    with pytest.raises(NotFound, match="is gone"):
        photos.read(an_upload(version=version))


def test_the_upload_of_a_post_is_found_by_its_key(photos: PhotoStore, s3: S3Client) -> None:
    version = stored(s3, b"12345")

    upload = photos.find(a_post())

    assert upload is not None
    assert (version, 5, None) == (upload.version_id, upload.size_bytes, photos.find(a_post(2)))


def test_the_signature_fixes_key_type_and_size(photos: PhotoStore) -> None:
    signed = photos.sign_upload(a_post(), 1_000)

    policy = json.loads(base64.b64decode(signed["fields"]["policy"]))
    assert ["content-length-range", 1, 1_000] in policy["conditions"]
    assert {"Content-Type": "image/jpeg"} in policy["conditions"]
    assert a_post().upload_key == signed["fields"]["key"]


def test_addresses_are_regional_because_a_browser_can_not_follow_a_redirected_post() -> None:
    photos = PhotoStore(client("s3"), uploads=UPLOADS, published=PUBLISHED)

    assert REGION in photos.sign_upload(a_post(), 10)["url"]
    assert REGION in photos.rendition_url("photos/1/2.jpg")


def test_a_rendition_is_stored_as_a_jpeg_that_caches_may_keep(photos: PhotoStore, s3: S3Client) -> None:
    photos.put_rendition("photos/1/2.jpg", b"jpeg")

    head = s3.head_object(Bucket=PUBLISHED, Key="photos/1/2.jpg")
    assert ("image/jpeg", True) == (head["ContentType"], "immutable" in head["CacheControl"])


def refusing(error: ClientError) -> Callable[..., Any]:
    def refuse(**_: Any) -> Any:
        raise error

    return refuse


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("SlowDown", 503, DependencyUnavailable),
        ("InternalError", 500, DependencyUnavailable),
        ("403", 403, ClientError),
    ],
)
def test_trouble_with_s3_is_passing_or_ours_but_never_a_missing_photo(
    photos: PhotoStore, s3: S3Client, monkeypatch: pytest.MonkeyPatch, code: str, status: int, expected: type[Exception]
) -> None:
    answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    for operation in ("get_object", "head_object"):
        monkeypatch.setattr(s3, operation, refusing(ClientError(answer, operation)))

    with pytest.raises(expected):
        photos.read(an_upload())
    with pytest.raises(expected):
        photos.find(a_post())


def test_erasing_leaves_no_version_of_a_post_and_every_version_of_others(photos: PhotoStore, s3: S3Client) -> None:
    ours, theirs = a_post(1), a_post(2)
    for post in (ours, theirs):
        folder = post.post_id
        for _ in range(2):
            stored(s3, b"photo", post)
        s3.put_object(Bucket=UPLOADS, Key=f"mosaics/{folder}/4", Body=b"mosaic")
        for key in (f"photos/{folder}/2.jpg", f"mosaics/{folder}/4.jpg"):
            photos.put_rendition(key, b"rendition")
    s3.delete_object(Bucket=UPLOADS, Key=ours.upload_key)  # leaves a delete marker

    for _ in range(2):
        photos.erase(ours.post_id)

    left = {
        (bucket, item["Key"].split("/")[1])
        for bucket in (UPLOADS, PUBLISHED)
        for item in s3.list_object_versions(Bucket=bucket).get("Versions", [])
    }
    assert {(UPLOADS, theirs.post_id), (PUBLISHED, theirs.post_id)} == left
    assert [] == s3.list_object_versions(Bucket=UPLOADS).get("DeleteMarkers", [])


def test_what_s3_refuses_to_delete_is_not_taken_for_erased(
    photos: PhotoStore, s3: S3Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored(s3, b"photo")
    monkeypatch.setattr(s3, "delete_objects", lambda **_: {"Errors": [{"Code": "InternalError"}]})

    with pytest.raises(DependencyUnavailable, match="left objects: InternalError"):
        photos.erase(a_post().post_id)
