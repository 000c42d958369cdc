"""How many messages wait in a queue."""

from typing import TYPE_CHECKING

from pawcast.adapters.aws_errors import mapped

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class QueueDepth:
    """The depth of one queue."""

    def __init__(self, sqs: "SQSClient", queue_url: str) -> None:
        """`queue_url` of the queue."""
        self._sqs = sqs
        self._queue_url = queue_url

    def depth(self) -> int:
        """About how many messages wait in it; those that a function works on are not among them."""
        with mapped("sqs:GetQueueAttributes", self._queue_url):
            answer = self._sqs.get_queue_attributes(
                QueueUrl=self._queue_url, AttributeNames=["ApproximateNumberOfMessages"]
            )
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])
