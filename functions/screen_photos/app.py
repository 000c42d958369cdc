"""Decides on uploaded photos: batches of the screening queue, with partial failures."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.screener_assembly import screener
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.screening.post import asked_at
from pawcast.screening.screen import BatchReport
from pawcast.settings import ScreenPhotosSettings
from pawcast.sqs import read_messages, to_be_delivered_again

STATE_METRICS = {"published": "PhotosPublished", "in_review": "PhotosHeld", "rejected": "PhotosRejected"}
LATE_AFTER_SECONDS = 3600


def release_failed(error: Exception) -> None:
    """The release in force stays; somebody must look at the one that can't be loaded."""
    logger.error("release can't be loaded", exc_info=error)
    metrics.add_metric("ReleaseErrors", MetricUnit.Count, 1)


screening = screener(ScreenPhotosSettings.read(os.environ), release_failed)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Event: SQS with S3 notifications. Answers which messages are to be delivered again."""
    messages, unreadable = read_messages(event)
    report = screening.screen(messages, lambda: context.get_remaining_time_in_millis() / 1000)
    measure(report)
    return to_be_delivered_again(report.failed | unreadable)


def measure(report: BatchReport) -> None:
    """Count what became of a batch, and how long each uploader's photo took."""
    for post in report.decided:
        metrics.add_metric("Decisions", MetricUnit.Count, 1)
        metrics.add_metric(STATE_METRICS[post.state], MetricUnit.Count, 1)
        if post.upload is not None and post.decided_at is not None:
            seconds = (post.decided_at - asked_at(post, post.upload)).total_seconds()
            metrics.add_metric("DecisionSeconds", MetricUnit.Seconds, max(seconds, 0.0))
            metrics.add_metric("DecisionsLate", MetricUnit.Count, int(seconds > LATE_AFTER_SECONDS))
        if post.state == "rejected" and post.bank_match is None:
            metrics.add_metric("UnreadablePhotos", MetricUnit.Count, 1)
        logger.info("photo decided", extra={"post_id": post.post_id, "state": post.state, "reason": post.reason})
    if report.uncounted is not None:
        logger.warning("decisions were not counted", exc_info=report.uncounted)
    if report.duplicates:
        metrics.add_metric("DuplicateMessages", MetricUnit.Count, report.duplicates)
    for post_id in report.unknown:
        metrics.add_metric("UnknownPosts", MetricUnit.Count, 1)
        logger.warning("upload of an unknown post", extra={"post_id": post_id})
    for post_id, error in report.errors:
        metrics.add_metric("Retries", MetricUnit.Count, 1)
        logger.warning("photo not decided, its message comes back", extra={"post_id": post_id}, exc_info=error)
