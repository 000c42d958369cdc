"""All functions of screening with their real adapters around moto, for flow tests.

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

from pawcast.screening.detector import FaceBox
from pawcast.screening.examine import Models
from tests.support.functions import FakeContext, load_function
from tests.support.screening import BrightnessClassifier, a_policy
from tests.support.template import create_tables

FUNCTIONS = (
    "serve_posts",
    "screen_photos",
    "rescue_failed_photos",
    "send_notices",
    "expire_uploads",
    "serve_reviews",
    "mosaic_photos",
    "apologise",
    "compact_banks",
)
FINDER = {"model": {"name": "face-detector", "version": "1"}, "min_score": 0.3}
ANNA = {"sub": "anna", "token_use": "id", "cognito:groups": "[operators]"}
BORA = {"sub": "bora", "token_use": "id", "cognito:groups": "[operators]"}
MINA = {"sub": "mina", "email": "mina@example.com", "token_use": "id", "locale": "ko"}
JUN = {"sub": "jun", "email": "jun@example.com", "token_use": "id", "locale": "en"}


def picture(brightness: int) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((80, 100, 3), brightness, np.uint8)).save(file, "JPEG")
    return file.getvalue()


class FirstLook:
    """Finds a face when it looks for the first time, and none once it is covered."""

    def __init__(self) -> None:
        self.looks = 0

    def detect(self, rgb: np.ndarray[Any, np.dtype[np.uint8]]) -> list[FaceBox]:
        self.looks += 1
        return [FaceBox(30, 20, 60, 60, 0.9)] if self.looks == 1 else []


def function_of(path: str) -> str:
    """The function behind a path, as the routes of template.yaml say."""
    return "serve_reviews" if path.startswith("/reviews") or path == "/operations" else "serve_posts"


class Stack:
    """The functions with tables, buckets, queue and topic around them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        session = boto3.Session()
        self.s3, self.sqs, self.ses = session.client("s3"), session.client("sqs"), session.client("sesv2")
        self.dynamodb = session.client("dynamodb")
        self.tables = create_tables(self.dynamodb)
        where: Any = {"LocationConstraint": session.region_name}
        for bucket in ("uploads", "published", "models", "banks", "inference-log"):
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        self.s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": "Enabled"})
        sns = session.client("sns")
        topic = sns.create_topic(Name="post-events")["TopicArn"]
        self.notices_queue = self.sqs.create_queue(QueueName="notices")["QueueUrl"]
        self.screening_queue = self.sqs.create_queue(QueueName="screening")["QueueUrl"]
        self.mosaic_queue = self.sqs.create_queue(QueueName="mosaic")["QueueUrl"]
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
        policy = a_policy(faces=FINDER).json_text()
        session.client("ssm").put_parameter(Name="policy", Value=policy, Type="String")
        monkeypatch.setattr("pawcast.adapters.screener_assembly.load_models", lambda *_: Models(BrightnessClassifier()))
        monkeypatch.setattr("pawcast.adapters.mosaic_assembly.load_face_finder", lambda *_: FirstLook())
        environment = {
            "POWERTOOLS_METRICS_NAMESPACE": "Pawcast",
            "POWERTOOLS_SERVICE_NAME": "test",
            "POSTS_AN_HOUR": "1000",
            "POSTS_TABLE": self.tables["PostsTable"],
            "TAGS_TABLE": self.tables["TagsTable"],
            "REVIEWS_TABLE": self.tables["ReviewsTable"],
            "NOTICES_TABLE": self.tables["NoticesTable"],
            "USERS_TABLE": self.tables["UsersTable"],
            "BANKS_TABLE": self.tables["BanksTable"],
            "OPERATOR_ACTIONS_TABLE": self.tables["OperatorActionsTable"],
            "CLAIMS_TABLE": self.tables["ClaimsTable"],
            "RATES_TABLE": self.tables["RatesTable"],
            "COUNTS_TABLE": self.tables["CountsTable"],
            "UPLOADS_BUCKET": "uploads",
            "BANKS_BUCKET": "banks",
            "PUBLISHED_BUCKET": "published",
            "MODELS_BUCKET": "models",
            "POST_EVENTS_TOPIC_ARN": topic,
            "INFERENCE_STREAM": "inferences",
            "RELEASE_POLICY_PARAMETER": "policy",
            "SENDER_MAIL": "pawcast@example.com",
            "PUBLIC_BASE_URL": "https://pawcast.example",
            "SCREENING_QUEUE_URL": self.screening_queue,
            "MOSAIC_QUEUE_URL": self.mosaic_queue,
            "MONTHLY_BUDGET_KRW": "1500000",
            "KRW_PER_USD": "1400",
            "SCREENING_MEMORY_MB": "1769",
            "ARCHITECTURE": "arm64",
        }
        self.functions: dict[str, ModuleType] = {
            name: load_function(name, environment, monkeypatch) for name in FUNCTIONS
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
        answer = self.functions[function_of(path)].lambda_handler(event, FakeContext())
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
        return self.deliver_queue("send_notices", self.notices_queue)

    def deliver_queue(self, function: str, queue: str) -> list[str]:
        """Hand everything in a queue to a function; the ids of messages that come back."""
        bodies = []
        while messages := self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            bodies += [message["Body"] for message in messages]
        return self.deliver(function, *bodies) if bodies else []

    def held(self, claims: dict[str, str]) -> str:
        """A bright photo, which waits for an operator; the post id."""
        post_id, notification = self.submit(claims, picture(240))
        assert [] == self.deliver("screen_photos", notification)
        return post_id

    def decide(self, claims: dict[str, str], verdict: str, label: str) -> tuple[int, Any]:
        """An operator takes the next photo and decides."""
        _, taken = self.call(claims, "POST", "/reviews/take", {"count": 1})
        path = f"/reviews/{taken['items'][0]['review_id']}/verdict"
        return self.call(claims, "POST", path, {"verdict": verdict, "label": label})
