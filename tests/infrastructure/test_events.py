"""The files of `events/` have the shapes that AWS sends, and our code can read them."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from pawcast.forecasting.ingest.intake import drops_of
from pawcast.forecasting.weekly.closing import ended_elsewhere
from pawcast.forecasting.weekly.opening import StartRequest
from pawcast.http import caller_of, json_body
from pawcast.screening.post import PostEvent
from pawcast.screening.uploads import parse_body
from tests.support.template import ROOT, Template, event, folder_of, functions

FILES = sorted((ROOT / "events").rglob("*.json"))


def records(name: str) -> list[dict[str, Any]]:
    found = event(name)["Records"]
    assert isinstance(found, list)
    return found


def test_every_function_has_an_event(template: Template) -> None:
    assert {folder_of(logical_id) for logical_id in functions(template)} == {path.parent.name for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_messages_carry_the_hash_of_their_body(path: Path) -> None:
    for record in json.loads(path.read_text(encoding="utf-8")).get("Records", []):
        assert hashlib.md5(record["body"].encode()).hexdigest() == record["md5OfBody"]


def test_uploads_are_read_from_a_batch_of_two() -> None:
    uploads = [parse_body(record["body"]) for record in records("screen_photos/sqs_s3_object_created")]

    assert [1, 1] == [len(found) for found in uploads]
    assert [f"posts/{found[0].post_id}/original" for found in uploads] == [found[0].key for found in uploads]
    assert [3_145_728, 524_288] == [found[0].size_bytes for found in uploads]


def test_the_test_event_of_s3_announces_nothing() -> None:
    (record,) = records("screen_photos/sqs_s3_test_event")

    assert () == parse_body(record["body"])


def test_a_failed_message_is_the_one_that_came_first() -> None:
    (failed,) = records("rescue_failed_photos/sqs_dlq")
    first, _ = records("screen_photos/sqs_s3_object_created")

    assert first["body"] == failed["body"]
    assert first["eventSourceARN"] == failed["attributes"]["DeadLetterQueueSourceArn"]


def test_domain_events_arrive_raw() -> None:
    told = [PostEvent.model_validate_json(record["body"]) for record in records("send_notices/sqs_sns_raw")]

    assert [("PostPublished", None), ("PostHeld", "human_face_suspected")] == [(e.event, e.reason) for e in told]
    assert [e.event for e in told] == [
        record["messageAttributes"]["event"]["stringValue"] for record in records("send_notices/sqs_sns_raw")
    ]


@pytest.mark.parametrize("name", ["post_posts", "get_posts", "get_feed", "get_inbox"])
def test_requests_carry_a_signed_in_person(name: str) -> None:
    request = APIGatewayProxyEventV2(event(f"serve_posts/{name}"))

    caller = caller_of(request)

    assert ("c4a8d4d8-60f1-70c5-1b2a-3d4e5f607182", "mina@example.com", "ko") == (
        caller.user_id,
        caller.email,
        caller.language,
    )


def test_a_new_post_has_a_body() -> None:
    body = json_body(APIGatewayProxyEventV2(event("serve_posts/post_posts")))

    assert {"title", "description", "tags", "content_type", "size_bytes", "locale"} == set(body)


def test_groups_arrive_as_one_string() -> None:
    claims = event("serve_posts/get_feed")["requestContext"]["authorizer"]["jwt"]["claims"]

    assert "[operators]" == claims["cognito:groups"]


def test_drops_are_read_with_their_version_and_their_name() -> None:
    drops = [drop for record in records("ingest_drops/sqs_s3_object_created") for drop in drops_of(record["body"])]
    (test,) = records("ingest_drops/sqs_s3_test_event")

    assert ["drops/visits/2026-11-22/서울 south.csv", "drops/stores/stores-2026-11.csv"] == [drop.key for drop in drops]
    assert ["visits", "stores"] == [drop.kind for drop in drops]
    assert all(drop.version and drop.sequencer for drop in drops)
    assert () == drops_of(test["body"])


@pytest.mark.parametrize(
    ("name", "by"), [("schedule", "schedule"), ("by_hand", "7d1e9f20-40a1-70b3-9c5d-6e7f80912a3b")]
)
def test_weeks_are_started_by_somebody(name: str, by: str) -> None:
    assert by == StartRequest.model_validate(event(f"open_week/{name}")["request"]).started_by


@pytest.mark.parametrize(
    ("name", "week", "error"),
    [("aborted", None, "Operator"), ("timed_out", None, "TIMED_OUT"), ("failed", "2026-W49", "WeekFailed")],
)
def test_executions_that_ended_elsewhere_are_closed_as_failed(name: str, week: str | None, error: str) -> None:
    told = event(f"close_week/eventbridge_{name}")

    order = ended_elsewhere(told)

    assert ("failed", week, error) == (order["ending"], order["week"], order["error"]["Error"])
    assert told["detail"]["executionArn"].endswith(f":{order['execution']}")


def test_rules_of_event_bridge_match_these_events(template: Template) -> None:
    (source,) = template["Resources"]["CloseWeekFunction"]["Properties"]["Events"].values()
    pattern = source["Properties"]["Pattern"]
    events = [event(f"close_week/eventbridge_{name}") for name in ("aborted", "timed_out", "failed")]

    assert {(told["source"], told["detail-type"]) for told in events} == {
        (pattern["source"][0], pattern["detail-type"][0])
    }
    assert sorted(told["detail"]["status"] for told in events) == sorted(pattern["detail"]["status"])


REQUESTS = sorted(path.stem for path in (ROOT / "events" / "serve_weeks").glob("*.json"))


@pytest.mark.parametrize("name", REQUESTS)
def test_requests_about_weeks_carry_a_planner(name: str, template: Template) -> None:
    request = APIGatewayProxyEventV2(event(f"serve_weeks/{name}"))
    routes = {
        route["Properties"]["RouteKey"]
        for route in template["Resources"].values()
        if route["Type"] == "AWS::ApiGatewayV2::Route" and "Weeks" in str(route["Properties"]["Target"])
    }

    caller_of(request).must_be_in("planners")
    assert request.raw_event["routeKey"] in routes
    assert name.startswith("get_") or json_body(request)
