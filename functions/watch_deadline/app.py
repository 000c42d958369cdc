"""Tells planners on Tuesday to Thursday when the week that is due next is not on its way."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.week_assembly import watcher
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import WatchDeadlineSettings

watching = watcher(WatchDeadlineSettings.read(os.environ))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(_: dict[str, Any], __: LambdaContext) -> dict[str, Any]:
    """Event: EventBridge Scheduler's; nothing in it is read."""
    watched = watching.watch()
    metrics.add_metric("DeadlinesAtRisk", MetricUnit.Count, int(watched["at_risk"]))
    return watched
