"""Apologies and the overview on tables, topic and queue as the template makes them."""

import json
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_ssm import SSMClient

from pawcast.adapters.counts_table import CountsTable
from pawcast.adapters.notices_table import NoticesTable, UsersTable
from pawcast.adapters.operations_assembly import apologiser, operations_api
from pawcast.adapters.posts_table import PostsTable
from pawcast.callers import Caller
from pawcast.mail import Mail
from pawcast.screening.counts import APOLOGIES, BANK_BANNED, PUBLISHED, UPLOADS, totals
from pawcast.screening.notices import Notifier
from pawcast.screening.ports import Change
from pawcast.screening.post import ANSWER_WITHIN, PostEvent, PostState, move
from pawcast.screening.review import review_of
from pawcast.settings import ApologiseSettings, ServeReviewsSettings
from tests.support.aws import POLICY_PARAMETER
from tests.support.screening import NOW, OWNER, a_policy, a_post, an_upload, post_id
from tests.support.template import create_tables, environment_of

LATE = NOW + timedelta(minutes=50)


@pytest.fixture
def names(dynamodb: DynamoDBClient) -> dict[str, str]:
    session = boto3.Session()
    queue = session.client("sqs").create_queue(QueueName="screening")["QueueUrl"]
    topic = session.client("sns").create_topic(Name="events")["TopicArn"]
    return create_tables(dynamodb) | {
        "ScreeningQueue": queue,
        "PostEventsTopic": topic,
        "ReleasePolicyParameter": POLICY_PARAMETER,
    }


@pytest.fixture
def posts(dynamodb: DynamoDBClient, names: dict[str, str]) -> PostsTable:
    return PostsTable(dynamodb, posts=names["PostsTable"], tags=names["TagsTable"], reviews=names["ReviewsTable"])


def at(now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pawcast.adapters.operations_assembly.utc_now", lambda: now)


def hold(posts: PostsTable, number: int) -> None:
    """A post that has waited for an operator since `NOW`."""
    post = a_post(number)
    posts.put_new(post)
    screening = move(post, PostState.SCREENING, upload=an_upload(number, uploaded_at=NOW))
    held = move(screening, PostState.IN_REVIEW, decided_at=NOW, reason="human_face_suspected")
    posts.save_many([Change(screening)])
    posts.save_many([Change(held, review_of(held, "flagged", due_at=NOW + ANSWER_WITHIN, now=NOW))])


def topic_messages(queue_url: str) -> list[PostEvent]:
    sqs = boto3.Session().client("sqs")
    found: list[PostEvent] = []
    while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages", []):
        found += [PostEvent.model_validate_json(message["Body"]) for message in messages]
        for message in messages:
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    return found


class Outgoing:
    def __init__(self) -> None:
        self.mails: list[Mail] = []

    def send(self, mail: Mail) -> None:
        self.mails.append(mail)


def subscribed(topic: str) -> str:
    session = boto3.Session()
    url = session.client("sqs").create_queue(QueueName="notices")["QueueUrl"]
    attributes = session.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    session.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=attributes["QueueArn"], Attributes={"RawMessageDelivery": "true"}
    )
    return url


def test_late_photos_of_twenty_three_people_are_apologised_for_once_and_counted(
    dynamodb: DynamoDBClient, names: dict[str, str], posts: PostsTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 23):
        hold(posts, number)
    stuck = a_post(23)
    posts.put_new(stuck)
    posts.save_many([Change(move(stuck, PostState.SCREENING, upload=an_upload(23, uploaded_at=NOW)))])
    notices = subscribed(names["PostEventsTopic"])
    settings = ApologiseSettings.read(environment_of("apologise", names))
    reports = []
    for minutes in (30, 50, 60, 70):
        at(NOW + timedelta(minutes=minutes), monkeypatch)
        reports.append(apologiser(settings).run())
    events = topic_messages(notices)
    mailer = Outgoing()
    notifier = Notifier(
        NoticesTable(dynamodb, names["NoticesTable"]),
        UsersTable(dynamodb, names["UsersTable"]),
        mailer,
        "https://pawcast.example",
        lambda: LATE,
    )
    for event in events:
        notifier.notify(event)

    assert [0, 22, 0, 0] == [report.told for report in reports]
    assert [0, 0, 0, 22] == [report.queue.overdue for report in reports]
    assert {post_id(number) for number in range(1, 24)} == {event.post_id for event in events}
    inbox = NoticesTable(dynamodb, names["NoticesTable"]).inbox(OWNER, None, 50)
    assert 23 == len(inbox.items)
    counted = CountsTable(dynamodb, names["CountsTable"]).hours(NOW, NOW + timedelta(hours=2))
    assert 22 == totals(counted)[APOLOGIES]


def test_the_overview_is_read_from_what_the_template_made(
    dynamodb: DynamoDBClient,
    names: dict[str, str],
    posts: PostsTable,
    ssm: SSMClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at(LATE, monkeypatch)
    ssm.put_parameter(Name=POLICY_PARAMETER, Value=a_policy().json_text(), Type="String")
    boto3.Session().client("sqs").send_message(QueueUrl=names["ScreeningQueue"], MessageBody="{}")
    hold(posts, 1)
    counts = CountsTable(dynamodb, names["CountsTable"])
    counts.add(NOW, {UPLOADS: 4, PUBLISHED: 3, BANK_BANNED: 2})

    found = overview(names)

    assert {"screening_messages": 1, "reviews_waiting": 1, "oldest_review_seconds": 3_000} == found["queues"]
    assert (4, 3) == (found["hours"][-1]["uploads"], found["slo"]["decided"])
    assert (1_000, 2, 1_500_000) == (
        found["operators"]["checks_limit"],
        found["banks"]["banned"],
        found["cost"]["budget_krw"],
    )
    assert 0 < found["cost"]["krw_estimated"] < found["cost"]["krw_month_end"]
    assert found == json.loads(json.dumps(found))


@pytest.mark.parametrize("document", ['{"version": 0}', '{"version": 3, "primary": "?"}'])
def test_without_a_policy_that_can_be_read_the_overview_has_no_limit(
    document: str, names: dict[str, str], ssm: SSMClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(LATE, monkeypatch)
    ssm.put_parameter(Name=POLICY_PARAMETER, Value=document, Type="String")

    assert overview(names)["operators"]["checks_limit"] is None


def overview(names: dict[str, str]) -> dict[str, Any]:
    settings = ServeReviewsSettings.read(environment_of("serve_reviews", names))
    return operations_api(settings).overview(Caller("op", None, groups=frozenset({"operators"})), {})
