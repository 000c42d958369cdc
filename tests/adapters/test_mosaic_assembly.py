"""The maker of mosaics on tables, buckets, topic and registry as the template makes them."""

import io
from datetime import timedelta

import boto3
import numpy as np
import pytest
from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_s3 import S3Client
from mypy_boto3_ssm import SSMClient
from PIL import Image

from pawcast.adapters.clock import utc_now
from pawcast.adapters.model_store import ModelStore
from pawcast.adapters.mosaic_assembly import load_face_finder, mosaic_maker
from pawcast.adapters.mosaic_store import MosaicStore
from pawcast.adapters.posts_table import PostsTable
from pawcast.mlops.policy import ReleasePolicy
from pawcast.screening.post import Post, PostState, Upload
from pawcast.settings import MosaicPhotosSettings
from pawcast_ops.training.graph import build_detector
from tests.support.aws import POLICY_PARAMETER, REGION
from tests.support.pictures import encoded
from tests.support.releases import a_detector_card, policy_facts
from tests.support.screening import NOW, a_post, post_id
from tests.support.template import create_tables, environment_of
from tests.support.tiny_centerface import TINY, night, tiny_centerface

SIDE = 128  # a 128 x 96 picture is then seen as it is
FINDER = {"model": {"name": "face-detector", "version": "1.5.0"}, "min_score": 0.5}


def lantern() -> bytes:
    """A dark picture with a bright square, which the little network takes for a face."""
    picture = night(128, 96)
    picture[40:44, 60:64] = 255
    return encoded(picture, "PNG")


@pytest.fixture
def names(s3: S3Client, dynamodb: DynamoDBClient, ssm: SSMClient) -> dict[str, str]:
    session = boto3.Session()
    for bucket in ("uploads", "published", "models"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
    policy = ReleasePolicy.model_validate(policy_facts(faces=FINDER))
    ssm.put_parameter(Name=POLICY_PARAMETER, Value=policy.json_text(), Type="String", Overwrite=True)
    detector = build_detector(tiny_centerface(), TINY)
    ModelStore(s3, "models").publish(a_detector_card(detector, inputs={"input_side": SIDE}), detector)
    topic = session.client("sns").create_topic(Name="events")["TopicArn"]
    return create_tables(dynamodb) | {
        "UploadsBucket": "uploads",
        "PublishedBucket": "published",
        "ModelsBucket": "models",
        "PostEventsTopic": topic,
        "ReleasePolicyParameter": POLICY_PARAMETER,
    }


def asked_for(s3: S3Client) -> Post:
    """A post in the table's first revision, whose owner waits for a mosaic of the picture."""
    version = s3.put_object(Bucket="uploads", Key=a_post().upload_key, Body=lantern())["VersionId"]
    upload = Upload(post_id=post_id(1), key=a_post().upload_key, version_id=version, size_bytes=1, uploaded_at=NOW)
    since = utc_now() - timedelta(minutes=1)
    return a_post(state="mosaic", reason="human_face", upload=upload, since=since)


def test_a_mosaic_is_made_with_the_face_finder_of_the_release(
    s3: S3Client, dynamodb: DynamoDBClient, names: dict[str, str]
) -> None:
    posts = PostsTable(dynamodb, posts=names["PostsTable"], tags=names["TagsTable"], reviews=names["ReviewsTable"])
    posts.put_new(asked_for(s3))
    settings = MosaicPhotosSettings.read(environment_of("mosaic_photos", names))

    errors: list[Exception] = []
    report = mosaic_maker(settings, errors.append).make(post_id(1))

    post = posts.get(post_id(1))
    assert ("made", 1, []) == (report.outcome, report.faces, errors)
    assert post is not None
    assert post.mosaic is not None
    assert (PostState.MOSAIC, None, None) == (post.state, post.outbox, post.unfinished)
    copy = MosaicStore(s3, uploads="uploads").read(post.mosaic.upload)
    assert np.asarray(Image.open(io.BytesIO(copy))).max() < 120
    preview = s3.head_object(Bucket="published", Key=post.mosaic.preview_key)
    assert (f"mosaics/{post_id(1)}/1.jpg", "image/jpeg") == (post.mosaic.preview_key, preview["ContentType"])


def test_a_copy_is_an_upload_of_its_own_version(s3: S3Client, names: dict[str, str]) -> None:
    photos = MosaicStore(s3, uploads=names["UploadsBucket"], published=names["PublishedBucket"])

    first, second = (photos.put_copy(post_id(1), "mosaics/x/5", content, NOW) for content in (b"first", b"second"))

    assert (b"first", b"second") == (photos.read(first), photos.read(second))
    assert (post_id(1), "mosaics/x/5", 6, NOW) == (second.post_id, second.key, second.size_bytes, second.uploaded_at)


def test_a_policy_without_a_face_finder_loads_none(s3: S3Client, names: dict[str, str]) -> None:
    policy = ReleasePolicy.model_validate(policy_facts())

    assert load_face_finder(policy, ModelStore(s3, names["ModelsBucket"])) is None
