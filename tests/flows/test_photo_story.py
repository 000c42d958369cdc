"""The way of a photo through all five functions and their real adapters, in this process.

Only three things are not AWS's own words here: the bucket's notification is written by the test (moto sends none to
Lambda), the model is the one that calls bright pictures faces, and Firehose has no bucket to fill.
"""

import io
import json
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import boto3
import numpy as np
import pytest
from PIL import Image

from pawcast.adapters.photo_store import PhotoStore
from pawcast.screening.screen import Models
from tests.support.functions import FakeContext, load_function
from tests.support.screening import BrightnessClassifier, a_policy
from tests.support.template import create_tables

MINA = {"sub": "mina", "email": "mina@example.com", "token_use": "id", "locale": "ko"}
JUN = {"sub": "jun", "email": "jun@example.com", "token_use": "id", "locale": "en"}


def picture(brightness: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((80, 100, 3), brightness, np.uint8)).save(file, "JPEG")
    return file.getvalue()


class Stack:
    """The functions with tables, buckets, queue and topic around them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        session = boto3.Session()
        self.s3, self.sqs, self.ses = session.client("s3"), session.client("sqs"), session.client("sesv2")
        self.dynamodb = session.client("dynamodb")
        self.tables = create_tables(self.dynamodb)
        where: Any = {"LocationConstraint": session.region_name}
        for bucket in ("uploads", "published", "models", "inference-log"):
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        self.s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
        sns = session.client("sns")
        topic = sns.create_topic(Name="post-events")["TopicArn"]
        self.notices_queue = self.sqs.create_queue(QueueName="notices")["QueueUrl"]
        self.screening_queue = self.sqs.create_queue(QueueName="screening")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.notices_queue, AttributeNames=["QueueArn"])
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=arn["Attributes"]["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )
        self.ses.create_email_identity(EmailIdentity="pawcast@example.com")
        session.client("firehose").create_delivery_stream(
            DeliveryStreamName="inferences",
            ExtendedS3DestinationConfiguration={
                "RoleARN": "arn:aws:iam::123456789012:role/x",
                "BucketARN": "arn:aws:s3:::inference-log",
            },
        )
        policy = a_policy().json_text()
        session.client("ssm").put_parameter(Name="policy", Value=policy, Type="String")
        monkeypatch.setattr("pawcast.adapters.screener_assembly.load_models", lambda *_: Models(BrightnessClassifier()))
        environment = {
            "POWERTOOLS_METRICS_NAMESPACE": "Pawcast",
            "POWERTOOLS_SERVICE_NAME": "test",
            "POSTS_TABLE": self.tables["PostsTable"],
            "TAGS_TABLE": self.tables["TagsTable"],
            "REVIEWS_TABLE": self.tables["ReviewsTable"],
            "NOTICES_TABLE": self.tables["NoticesTable"],
            "USERS_TABLE": self.tables["UsersTable"],
            "UPLOADS_BUCKET": "uploads",
            "PUBLISHED_BUCKET": "published",
            "MODELS_BUCKET": "models",
            "POST_EVENTS_TOPIC_ARN": topic,
            "INFERENCE_STREAM": "inferences",
            "RELEASE_POLICY_PARAMETER": "policy",
            "SENDER_MAIL": "pawcast@example.com",
            "PUBLIC_BASE_URL": "https://pawcast.example",
            "SCREENING_QUEUE_URL": self.screening_queue,
        }
        self.functions: dict[str, ModuleType] = {
            name: load_function(name, environment, monkeypatch)
            for name in (
                "serve_posts",
                "screen_photos",
                "rescue_failed_photos",
                "send_notices",
                "expire_uploads",
            )
        }

    def call(
        self, claims: dict[str, str] | None, method: str, path: str, body: Any = None, **query: str
    ) -> tuple[int, Any]:
        """One HTTP request, as the gateway hands it on."""
        context: dict[str, Any] = {
            "requestId": "r1",
            "http": {"method": method, "path": path},
            "stage": "$default",
        }
        if claims is not None:
            context["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
        event = {
            "version": "2.0",
            "rawPath": path,
            "headers": {},
            "requestContext": context,
            "isBase64Encoded": False,
            "queryStringParameters": query or None,
            "body": json.dumps(body) if body is not None else None,
        }
        answer = self.functions["serve_posts"].lambda_handler(event, FakeContext())
        return answer["statusCode"], json.loads(answer["body"])

    def submit(self, claims: dict[str, str], photo: bytes | None) -> tuple[str, dict[str, Any]]:
        """Create a post and upload its photo; the post id and S3's notification."""
        request = {
            "title": "Cat",
            "tags": ["cat"],
            "content_type": "image/jpeg",
            "size_bytes": max(len(photo or b"x"), 1),
        }
        status, created = self.call(claims, "POST", "/posts", request)
        assert 201 == status
        key = created["upload"]["fields"]["key"]
        version = (
            self.s3.put_object(Bucket="uploads", Key=key, Body=photo)["VersionId"] if photo is not None else "none"
        )
        thing = {"key": key, "size": len(photo or b""), "versionId": version}
        record = {"eventTime": datetime.now(UTC).isoformat(), "s3": {"object": thing}}
        return created["post"]["post_id"], {"Records": [record]}

    def deliver(self, function: str, *bodies: Any) -> list[str]:
        """Hand messages to a function; the ids of those that come back."""
        texts = [body if isinstance(body, str) else json.dumps(body) for body in bodies]
        records = [{"messageId": f"m{index}", "body": text} for index, text in enumerate(texts)]
        answer = self.functions[function].lambda_handler({"Records": records}, FakeContext())
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def deliver_notices(self) -> list[str]:
        """Hand everything in the notices queue to its function."""
        bodies = []
        while messages := self.sqs.receive_message(QueueUrl=self.notices_queue, MaxNumberOfMessages=10).get(
            "Messages", []
        ):
            bodies += [message["Body"] for message in messages]
        return self.deliver("send_notices", *bodies) if bodies else []


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    return Stack(monkeypatch)


def test_a_harmless_photo_is_published_and_its_uploader_told(stack: Stack) -> None:
    post_id, notification = stack.submit(MINA, picture(30))

    failed = stack.deliver("screen_photos", notification) + stack.deliver_notices()

    _, post = stack.call(MINA, "GET", f"/posts/{post_id}")
    _, feed = stack.call(JUN, "GET", "/feed", tag="cat")
    _, inbox = stack.call(MINA, "GET", "/inbox")
    assert ([], "published", [post_id]) == (
        failed,
        post["state"],
        [item["post_id"] for item in feed["items"]],
    )
    assert ["PostPublished"] == [notice["kind"] for notice in inbox["items"]]


def test_a_photo_with_a_face_waits_and_is_seen_by_nobody_else(stack: Stack) -> None:
    post_id, notification = stack.submit(MINA, picture(240))

    stack.deliver("screen_photos", notification)

    _, own = stack.call(MINA, "GET", f"/posts/{post_id}")
    status, _ = stack.call(JUN, "GET", f"/posts/{post_id}")
    assert ("in_review", "human_face_suspected", None, 404) == (
        own["state"],
        own["reason"]["code"],
        own["photo_url"],
        status,
    )


def test_a_message_repeated_through_all_stages_changes_nothing(stack: Stack) -> None:
    _, notification = stack.submit(MINA, picture(30))

    for _ in range(3):
        stack.deliver("screen_photos", notification, notification)
        stack.deliver_notices()

    _, inbox = stack.call(MINA, "GET", "/inbox")
    assert 1 == len(inbox["items"])


def test_a_broken_message_comes_back_without_its_neighbours(stack: Stack) -> None:
    _, notification = stack.submit(MINA, picture(30))

    assert ["m0"] == stack.deliver("screen_photos", "not json", notification)


def test_a_photo_whose_storage_fails_stays_and_is_decided_when_storage_is_back(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pawcast.errors import DependencyUnavailable

    post_id, notification = stack.submit(MINA, picture(30))

    def failing(*_: Any) -> bytes:
        raise DependencyUnavailable("s3:GetObject on uploads is unavailable for now")

    with monkeypatch.context() as outage:
        outage.setattr(PhotoStore, "read", failing)
        during = stack.deliver("screen_photos", notification)
    after = stack.deliver("screen_photos", notification)

    assert (["m0"], [], "published") == (
        during,
        after,
        stack.call(MINA, "GET", f"/posts/{post_id}")[1]["state"],
    )


def test_a_photo_that_could_not_be_screened_goes_to_a_person_and_its_uploader_hears(stack: Stack) -> None:
    post_id, notification = stack.submit(JUN, picture(30))

    failed = stack.deliver("rescue_failed_photos", notification) + stack.deliver_notices()

    _, post = stack.call(JUN, "GET", f"/posts/{post_id}")
    _, inbox = stack.call(JUN, "GET", "/inbox")
    assert ([], "in_review", "screening_failed") == (failed, post["state"], post["reason"]["code"])
    assert ["screening_failed"] == [notice["reason"] for notice in inbox["items"]]


def test_a_throttled_table_returns_every_message(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    from pawcast.adapters.posts_table import PostsTable
    from pawcast.errors import DependencyUnavailable

    _, notification = stack.submit(MINA, picture(30))

    def throttled(*_: Any) -> Any:
        raise DependencyUnavailable("dynamodb:BatchGetItem is unavailable for now")

    monkeypatch.setattr(PostsTable, "get_many", throttled)

    with pytest.raises(DependencyUnavailable):  # Lambda then returns the whole batch to the queue
        stack.deliver("screen_photos", notification)


def test_a_post_without_photo_ends_and_a_forgotten_photo_is_screened(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    never, _ = stack.submit(MINA, None)
    forgotten, _ = stack.submit(MINA, picture(30))
    later = datetime.now(UTC) + timedelta(hours=3)
    expirer = stack.functions["expire_uploads"].expiring
    object.__setattr__(expirer, "now", lambda: later)

    report = stack.functions["expire_uploads"].lambda_handler({}, FakeContext())

    (message,) = stack.sqs.receive_message(QueueUrl=stack.screening_queue)["Messages"]
    stack.deliver("screen_photos", message["Body"])
    states = [stack.call(MINA, "GET", f"/posts/{post_id}")[1]["state"] for post_id in (never, forgotten)]
    assert ({"expired": 1, "requeued": 1}, ["expired", "published"]) == (report, states)


@pytest.mark.parametrize(
    ("claims", "method", "path", "body", "expected"),
    [
        (None, "GET", "/posts", None, (401, "not_signed_in")),
        (MINA | {"token_use": "access"}, "GET", "/feed", None, (401, "not_signed_in")),
        (MINA, "GET", "/nothing", None, (404, "not_found")),
        (MINA, "DELETE", "/posts", None, (404, "not_found")),
        (MINA, "GET", "/posts/" + "0" * 32, None, (404, "not_found")),
        (MINA, "GET", "/posts/%00", None, (404, "not_found")),
        (MINA, "POST", "/posts", [], (400, "invalid_request")),
        (MINA, "POST", "/posts", {"title": "x" * 10_000}, (400, "size_invalid")),
        (MINA, "POST", "/posts", {"title": "x" * 10_000, "size_bytes": 1}, (400, "title_too_long")),
    ],
)
def test_the_api_answers_what_it_refuses(
    stack: Stack, claims: dict[str, str] | None, method: str, path: str, body: Any, expected: tuple[int, str]
) -> None:
    status, answer = stack.call(claims, method, path, body)

    assert expected == (status, answer["error"]["code"])
