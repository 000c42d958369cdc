"""Tells uploaders whose photo still waits, and measures the review queue: every ten minutes, also overnight."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.operations_assembly import apologiser
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import ApologiseSettings

apologising = apologiser(ApologiseSettings.read(os.environ))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, int]:
    """Event: EventBridge Scheduler; its content does not matter."""
    report = apologising.run()
    queue = report.queue
    metrics.add_metric("Apologies", MetricUnit.Count, report.told)
    metrics.add_metric("ScreeningLate", MetricUnit.Count, report.screening_late)
    metrics.add_metric("ReviewsWaiting", MetricUnit.Count, queue.waiting)
    metrics.add_metric("OldestReviewSeconds", MetricUnit.Seconds, queue.oldest_seconds or 0)
    metrics.add_metric("ReviewsOverdue", MetricUnit.Count, queue.overdue)
    figures = {
        "told": report.told,
        "screening_late": report.screening_late,
        "waiting": queue.waiting,
        "overdue": queue.overdue,
    }
    logger.info("waiting photos looked through", extra=figures)
    return figures
