"""What functions send, as the other side gets it."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pawcast.adapters.messages_out import EventTopic, SesMailer, UploadQueue
from pawcast.errors import DependencyUnavailable
from pawcast.mail import Mail, MailRejected
from pawcast.screening.post import PostEvent
from pawcast.screening.uploads import parse_body
from tests.support.screening import NOW, OWNER, an_upload, post_id

MAIL = Mail(to="mina@example.com", subject="제목", text="본문", html="<p>본문</p>")


def events(count: int) -> list[PostEvent]:
    return [
        PostEvent(event="PostPublished", post_id=post_id(n), user_id=OWNER, title="Cat", revision=2, occurred_at=NOW)
        for n in range(count)
    ]


@pytest.mark.usefixtures("aws")
def test_events_reach_a_subscribed_queue_in_batches_of_ten() -> None:
    sns, sqs = boto3.client("sns"), boto3.client("sqs")
    topic = sns.create_topic(Name="events")["TopicArn"]
    queue = sqs.create_queue(QueueName="notices")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})

    untaken = EventTopic(sns, topic).publish_many(events(23))

    received: list[PostEvent] = []
    while messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
        received += [PostEvent.model_validate_json(message["Body"]) for message in messages]
    assert (frozenset(), events(23)) == (untaken, sorted(received, key=lambda event: event.post_id))


@pytest.mark.usefixtures("aws")
def test_events_that_the_topic_refuses_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    sns = boto3.client("sns")
    answer = {"Successful": [], "Failed": [{"Id": post_id(1), "Code": "InternalError", "SenderFault": False}]}
    monkeypatch.setattr(sns, "publish_batch", lambda **_: answer)

    assert {post_id(1)} == EventTopic(sns, "arn").publish_many(events(2))


@pytest.mark.usefixtures("aws")
def test_an_upload_that_is_sent_again_can_be_read_like_s3s_own_message() -> None:
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="screening")["QueueUrl"]

    UploadQueue(sqs, queue).send(an_upload())

    (message,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert (an_upload(),) == parse_body(message["Body"])


@pytest.mark.usefixtures("aws")
def test_mail_goes_out_with_text_and_html() -> None:
    ses = boto3.client("sesv2")
    ses.create_email_identity(EmailIdentity="pawcast@example.com")

    SesMailer(ses, "pawcast@example.com").send(MAIL)

    assert 1 == boto3.client("ses").get_send_quota()["SentLast24Hours"]


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("MessageRejected", 400, MailRejected),
        ("BadRequestException", 400, MailRejected),
        ("TooManyRequestsException", 429, DependencyUnavailable),
        ("InternalFailure", 500, DependencyUnavailable),
        ("AccessDeniedException", 403, ClientError),
    ],
)
def test_what_ses_answers_decides_whether_mail_is_tried_again(
    code: str, status: int, expected: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    ses = boto3.client("sesv2")

    def refuse(**_: Any) -> None:
        answer: Any = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(answer, "SendEmail")

    monkeypatch.setattr(ses, "send_email", refuse)

    with pytest.raises(expected):
        SesMailer(ses, "pawcast@example.com").send(MAIL)


def test_an_event_says_what_a_notice_needs_and_no_address() -> None:
    body = json.loads(events(1)[0].model_dump_json())

    told = {"event", "post_id", "user_id", "title", "revision", "occurred_at", "reason", "appealed", "covered"}
    assert told == set(body)
