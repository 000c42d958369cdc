"""Ends posts whose photo never came and finishes what was left undone of others: every quarter of an hour."""

import os
from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.assembly import expirer
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import ExpireUploadsSettings

expiring = expirer(ExpireUploadsSettings.read(os.environ))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(_event: dict[str, Any], _context: LambdaContext) -> dict[str, int]:
    """Event: EventBridge Scheduler; its content does not matter."""
    report = expiring.run()
    metrics.add_metric("UploadsExpired", MetricUnit.Count, report.expired)
    metrics.add_metric("UploadsRequeued", MetricUnit.Count, report.requeued)
    metrics.add_metric("MosaicsGivenBack", MetricUnit.Count, report.given_back)
    metrics.add_metric("PostsErased", MetricUnit.Count, report.erased)
    done = asdict(report)
    logger.info("unfinished posts looked through", extra=done)
    return done
