"""The operators' function with its real adapters: routes, event files, and one photo from the queue to the feed."""

import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import boto3
import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2
from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_s3 import S3Client
from mypy_boto3_ssm import SSMClient

from pawcast.adapters.items import to_item
from pawcast.errors import DependencyUnavailable
from pawcast.http import caller_of, json_body
from pawcast.screening.post import PostState
from pawcast.screening.verdicts import Case
from tests.support.aws import POLICY_PARAMETER, REGION
from tests.support.functions import FakeContext, load_function
from tests.support.review_fakes import a_case
from tests.support.screening import NOW, a_policy, post_id
from tests.support.template import ROOT, create_tables, environment_of, event, load

FILES = sorted(path.stem for path in (ROOT / "events" / "serve_reviews").glob("*.json"))
REVIEW = f"{post_id(1)}-2"
# The review that the event files are about.
IN_FILES = "4f1d9c2ab8e3475690aa1bc2d3e4f506-2"


class Function:
    """`functions/serve_reviews` among tables, buckets, queue and topic of the template."""

    def __init__(self, module: ModuleType, dynamodb: DynamoDBClient, names: dict[str, str]) -> None:
        self.module = module
        self.dynamodb = dynamodb
        self.names = names

    def put(self, *cases: Case) -> None:
        for case in cases:
            self.dynamodb.put_item(TableName=self.names["PostsTable"], Item=to_item(case.post))
            item = to_item(case.review, priority_due_at=case.review.priority_due_at)
            self.dynamodb.put_item(TableName=self.names["ReviewsTable"], Item=item)

    def send(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        answer = self.module.lambda_handler(request, FakeContext())
        return answer["statusCode"], json.loads(answer["body"])

    def call(self, name: str, review_id: str = REVIEW, **body: Any) -> tuple[int, dict[str, Any]]:
        """The event file, about this review and with this body, if any."""
        return self.send(about(event(f"serve_reviews/{name}"), review_id, body))


def about(request: dict[str, Any], review_id: str, body: dict[str, Any]) -> dict[str, Any]:
    changed = deepcopy(request)
    changed["rawPath"] = changed["rawPath"].replace(IN_FILES, review_id)
    changed["requestContext"]["http"]["path"] = changed["rawPath"]
    return changed | ({"body": json.dumps(body)} if body else {})


@pytest.fixture
def function(dynamodb: DynamoDBClient, s3: S3Client, ssm: SSMClient, monkeypatch: pytest.MonkeyPatch) -> Function:
    session = boto3.Session()
    ssm.put_parameter(Name=POLICY_PARAMETER, Value=a_policy().json_text(), Type="String")
    session.client("firehose").create_delivery_stream(
        DeliveryStreamName="InferenceStream",
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::123456789012:role/x",
            "BucketARN": "arn:aws:s3:::log",
        },
    )
    names = create_tables(dynamodb) | {
        "ScreeningQueue": session.client("sqs").create_queue(QueueName="screening")["QueueUrl"],
        "PostEventsTopic": session.client("sns").create_topic(Name="events")["TopicArn"],
        "ReleasePolicyParameter": POLICY_PARAMETER,
        "InferenceStream": "InferenceStream",
        "UploadsBucket": "uploads",
        "PublishedBucket": "published",
    }
    environment = environment_of("serve_reviews", names) | {"AWS_DEFAULT_REGION": REGION}
    return Function(load_function("serve_reviews", environment, monkeypatch), dynamodb, names)


def recent(number: int = 1, reason: Any = "flagged", **changes: Any) -> Case:
    """A case that began a few minutes ago by the real clock, which the function reads."""
    minute = int((datetime.now(UTC) - timedelta(minutes=5) - NOW) / timedelta(minutes=1))
    return a_case(number, reason, minute=minute, **changes)


@pytest.mark.parametrize("name", FILES)
def test_requests_carry_an_operator_and_lie_on_a_route(name: str) -> None:
    request = APIGatewayProxyEventV2(event(f"serve_reviews/{name}"))
    routes = {
        route["Properties"]["RouteKey"]
        for route in load()["Resources"].values()
        if route["Type"] == "AWS::ApiGatewayV2::Route" and "Reviews" in str(route["Properties"]["Target"])
    }

    caller_of(request).must_be_in("operators")
    assert request.raw_event["routeKey"] in routes
    assert name.startswith("get_") or isinstance(json_body(request), dict)


@pytest.mark.parametrize("name", FILES)
def test_every_route_is_for_operators(name: str, function: Function) -> None:
    request = event(f"serve_reviews/{name}")
    request["requestContext"]["authorizer"]["jwt"]["claims"]["cognito:groups"] = "[planners]"

    status, body = function.send(request)

    assert (403, "not_allowed") == (status, body["error"]["code"])


def test_a_photo_goes_from_the_queue_to_the_feed_and_back(function: Function) -> None:
    function.put(recent(1), recent(2))

    taken = function.call("post_take", count=1)
    seen = function.call("post_seen")
    noted = function.call("post_comment", text="no face at all")
    decided = function.call("post_verdict", verdict="overturn", label="fine")
    shift = function.call("get_shift")
    summary = function.call("get_summary")
    undone = function.call("post_undo")

    assert [200] * 7 == [status for status, _ in (taken, seen, noted, decided, shift, summary, undone)]
    assert [REVIEW] == [view["review_id"] for view in taken[1]["items"]]
    assert "published" in taken[1]["items"][0]["photo_url"]
    assert ("fine", 1, 1) == (
        decided[1]["review"]["verdict"]["label"],
        decided[1]["capacity"]["checks_done"],
        shift[1]["checked"],
    )
    assert (1, {"flagged": 1}, 1000) == (
        summary[1]["waiting"],
        summary[1]["by_reason"],
        summary[1]["capacity"]["checks_limit"],
    )
    assert ["take", "seen_photo", "comment", "overturn", "undo"] == [
        line["kind"] for line in undone[1]["review"]["history"]
    ]
    item = function.dynamodb.get_item(TableName=function.names["PostsTable"], Key={"post_id": {"S": post_id(1)}})
    assert PostState.IN_REVIEW == item["Item"]["state"]["S"]


def test_a_photo_that_was_never_rendered_is_signed_as_uploaded_and_sent_to_the_screener(function: Function) -> None:
    function.put(recent(1, "failed"))
    (view,) = function.call("post_take", count=1)[1]["items"]

    status, _ = function.call("post_verdict", verdict="overturn")

    messages: Any = boto3.Session().client("sqs").receive_message(QueueUrl=function.names["ScreeningQueue"])["Messages"]
    assert (200, 1) == (status, len(messages))
    assert f"posts/{post_id(1)}/original" in messages[0]["Body"]
    assert all(part in view["photo_url"] for part in ("uploads", "versionId=v1", "response-content-type=image%2Fjpeg"))


def test_a_photo_is_put_back_or_passed_on(function: Function) -> None:
    function.put(recent(1), recent(2))
    function.call("post_take", count=2)

    answers = [function.call("post_release"), function.call("post_skip", f"{post_id(2)}-2")]

    assert [(200, {}), (200, {})] == answers
    assert (2, 1, 0) == tuple(function.call("get_summary")[1][name] for name in ("waiting", "mine_blocked", "locked"))


def test_what_is_in_no_hands_is_a_conflict(function: Function) -> None:
    function.put(recent(1))

    assert [409] * 5 == [
        function.call(name)[0] for name in ("post_verdict", "post_undo", "post_skip", "post_release", "post_seen")
    ]
    assert 200 == function.call("get_review")[0]


def test_an_unknown_review_is_not_found(function: Function) -> None:
    assert [(404, "not_found")] * 2 == [
        (status, body["error"]["code"])
        for status, body in (function.call("get_review"), function.call("get_review", "desk#5b0c7e31"))
    ]


def test_a_body_that_is_refused_names_its_field(function: Function) -> None:
    status, body = function.call("post_take", count=6)

    assert (400, "invalid_request", "count") == (status, body["error"]["code"], body["error"]["field"])


def test_the_operations_page_has_its_route(function: Function) -> None:
    function.put(recent(1))

    status, body = function.call("get_operations")

    assert (200, 7, 1) == (status, body["days"], body["queues"]["reviews_waiting"])


def test_a_trouble_after_a_verdict_is_logged_and_the_verdict_stands(
    function: Function, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    function.put(recent(1))
    function.call("post_take", count=1)
    monkeypatch.setattr(type(function.module.api.reviewer.events), "publish_many", _unavailable)

    status, body = function.call("post_verdict")

    assert (200, "uphold") == (status, body["review"]["verdict"]["verdict"])
    assert "not told or counted" in caplog.text


def _unavailable(*_: Any) -> frozenset[str]:
    raise DependencyUnavailable("sns:PublishBatch")
