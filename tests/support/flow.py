"""All five functions with their real adapters around moto, for flow tests.

Only three things are not AWS's own words here: the bucket's notification is written by the test (moto sends none to
Lambda), the model is the one that calls bright pictures faces, and Firehose has no bucket to fill.
"""

import io
import json
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import boto3
import numpy as np
import pytest
from PIL import Image

from pawcast.screening.screen import Models
from tests.support.functions import FakeContext, load_function
from tests.support.screening import BrightnessClassifier, a_policy
from tests.support.template import create_tables

FUNCTIONS = ("serve_posts", "screen_photos", "rescue_failed_photos", "send_notices", "expire_uploads")
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
