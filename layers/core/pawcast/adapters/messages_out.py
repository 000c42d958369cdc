"""What functions send: domain events to SNS, uploads to the screening queue, mail by SES."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pawcast.adapters.aws_errors import error_code, mapped
from pawcast.mail import Mail, MailRejected
from pawcast.screening.post import PostEvent, Upload
from pawcast.screening.uploads import notification

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

EVENTS_PER_CALL = 10
_REFUSED = frozenset({"MessageRejected", "BadRequestException", "InvalidParameterValue"})


class EventTopic:
    """The topic of domain events; subscribers choose by the message attribute `event`."""

    def __init__(self, sns: "SNSClient", topic_arn: str) -> None:
        """`topic_arn` of the topic."""
        self._sns = sns
        self._topic_arn = topic_arn

    def publish_many(self, events: Sequence[PostEvent]) -> frozenset[str]:
        """Publish; the post ids of events that the topic did not take."""
        untaken: set[str] = set()
        for start in range(0, len(events), EVENTS_PER_CALL):
            chunk = events[start : start + EVENTS_PER_CALL]
            with mapped("sns:PublishBatch", self._topic_arn):
                answer = self._sns.publish_batch(
                    TopicArn=self._topic_arn,
                    PublishBatchRequestEntries=[
                        {
                            "Id": event.post_id,
                            "Message": event.model_dump_json(),
                            "MessageAttributes": {"event": {"DataType": "String", "StringValue": event.event}},
                        }
                        for event in chunk
                    ],
                )
            untaken |= {failure["Id"] for failure in answer.get("Failed", [])}
        return frozenset(untaken)


class UploadQueue:
    """The screening queue, for uploads that must be announced again."""

    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        """`queue_url` of the queue."""
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, upload: Upload) -> None:
        """Announce an upload again."""
        with mapped("sqs:SendMessage", self._queue_url):
            self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=notification([upload]))


class MosaicRequests:
    """The queue of photos whose faces are to be covered."""

    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        """`queue_url` of the queue."""
        self._sqs = sqs
        self._queue_url = queue_url

    def send(self, post_id: str) -> None:
        """Ask for a post's mosaic."""
        with mapped("sqs:SendMessage", self._queue_url):
            self._sqs.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps({"post_id": post_id}))


class SesMailer:
    """Mail by SES."""

    def __init__(self, ses: "SESV2Client", sender: str) -> None:
        """`sender` is a verified address."""
        self._ses = ses
        self._sender = sender

    def send(self, mail: Mail) -> None:
        """Send; raises MailRejected when repeating can't help."""
        try:
            with mapped("ses:SendEmail"):
                self._ses.send_email(
                    FromEmailAddress=self._sender,
                    Destination={"ToAddresses": [mail.to]},
                    Content={
                        "Simple": {
                            "Subject": {"Data": mail.subject, "Charset": "UTF-8"},
                            "Body": {
                                "Text": {"Data": mail.text, "Charset": "UTF-8"},
                                "Html": {"Data": mail.html, "Charset": "UTF-8"},
                            },
                        }
                    },
                )
        except ClientError as error:
            if error_code(error) not in _REFUSED:
                raise
            raise MailRejected(error_code(error)) from error
