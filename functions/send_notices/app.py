"""Puts notices into inboxes and mails them: batches of domain events."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.assembly import notifier
from pawcast.errors import DependencyUnavailable
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.screening.post import PostEvent
from pawcast.settings import SendNoticesSettings
from pawcast.sqs import to_be_delivered_again

notices = notifier(SendNoticesSettings.read(os.environ))
OUTCOME_METRICS = {"sent": "MailsSent", "rejected": "MailsRejected", "no_address": "MailsWithoutAddress"}


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Event: SQS with raw SNS messages, each one `PostEvent`."""
    return to_be_delivered_again(record["messageId"] for record in event["Records"] if not told(record))


def told(record: dict[str, Any]) -> bool:
    """Tell one event; False when its message must be delivered again."""
    try:
        post_event = PostEvent.model_validate_json(record["body"])
        outcome = notices.notify(post_event)
    except (DependencyUnavailable, ValueError, KeyError) as error:
        # An event that can't be read comes back too, or one whose reason has no sentence, and ends in the DLQ, where
        # an alarm calls a person.
        logger.warning(
            "notice not sent, its message comes back",
            extra={"message_id": record["messageId"]},
            exc_info=error,
        )
        metrics.add_metric("Retries", MetricUnit.Count, 1)
        return False
    if outcome == "repeated":
        metrics.add_metric("DuplicateMessages", MetricUnit.Count, 1)
        return True
    metrics.add_metric("NoticesSent", MetricUnit.Count, 1)
    metrics.add_metric(OUTCOME_METRICS[outcome], MetricUnit.Count, 1)
    logger.info("notice sent", extra={"post_id": post_event.post_id, "event": post_event.event, "mail": outcome})
    return True
