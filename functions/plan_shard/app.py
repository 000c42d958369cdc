"""Plans the staff of one shard of stores that was forecast."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.forecast_assembly import shard_planner
from pawcast.forecasting.weekly.shards import ShardTask
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import PlanShardSettings

planner = shard_planner(PlanShardSettings.read(os.environ))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Event: week, attempt, shard."""
    planned = planner.plan(ShardTask(event["week"], event["attempt"], event["shard"]))
    metrics.add_metric("StoresPlanned", MetricUnit.Count, planned["stores"])
    return planned
