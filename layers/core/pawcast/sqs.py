"""What every function behind the screening queues shares: reading messages, and partial batch answers."""

from collections.abc import Iterable, Mapping
from typing import Any

from pawcast.errors import InvalidRequest
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.screening.uploads import Message, parse_body


def read_messages(event: Mapping[str, Any]) -> tuple[list[Message], frozenset[str]]:
    """The messages of an SQS event, and the ids of those that can't be read: they go to the DLQ for a person."""
    metrics.add_metric("Messages", MetricUnit.Count, len(event["Records"]))
    messages, unreadable = [], set()
    for record in event["Records"]:
        try:
            messages.append(Message(record["messageId"], parse_body(record["body"])))
        except InvalidRequest as error:
            logger.error("message can't be read", extra={"message_id": record["messageId"], "error": str(error)})
            metrics.add_metric("UnreadableMessages", MetricUnit.Count, 1)
            unreadable.add(record["messageId"])
    return messages, frozenset(unreadable)


def to_be_delivered_again(message_ids: Iterable[str]) -> dict[str, Any]:
    """The partial batch answer: SQS deletes every message but these."""
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in sorted(message_ids)]}
