"""Ends a week's run: done, backfilled, or stopped by whatever went wrong, and tells the planners."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.week_assembly import closer
from pawcast.forecasting.weekly.closing import ended_elsewhere
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import CloseWeekSettings

closing = closer(CloseWeekSettings.read(os.environ))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Event: from the state machine, or EventBridge's word that an execution was aborted, failed or timed out."""
    order = ended_elsewhere(event) if "detail" in event else event
    closed = closing.close(order)
    metrics.add_metric("WeeksDone" if order["ending"] in ("done", "backfilled") else "WeeksFailed", MetricUnit.Count, 1)
    logger.info("week closed", extra={"ending": order["ending"], **closed})
    return closed
