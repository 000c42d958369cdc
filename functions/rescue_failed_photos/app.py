"""Hands photos that could not be screened to an operator: batches of the screening DLQ."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.assembly import rescuer
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import RescueFailedPhotosSettings
from pawcast.sqs import read_messages, to_be_delivered_again

rescuing = rescuer(RescueFailedPhotosSettings.read(os.environ))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Event: SQS with S3 notifications. What can't be read here either ends in the parking queue, which alarms."""
    messages, unreadable = read_messages(event)
    report = rescuing.rescue(messages)
    for post in report.rescued:
        metrics.add_metric("PhotosRescued", MetricUnit.Count, 1)
        logger.warning("photo handed to an operator", extra={"post_id": post.post_id})
    if report.uncounted is not None:
        logger.warning("decisions were not counted", exc_info=report.uncounted)
    return to_be_delivered_again(report.failed | unreadable)
