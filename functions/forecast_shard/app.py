"""Forecasts one shard of stores; with `fallback`, by the seasonal-naive forecast alone."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.forecast_assembly import shard_forecaster
from pawcast.forecasting.weekly.shards import ShardTask
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import ForecastShardSettings

forecaster = shard_forecaster(ForecastShardSettings.read(os.environ))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Event: week, attempt, shard, fallback."""
    task = ShardTask(event["week"], event["attempt"], event["shard"])
    made = forecaster.forecast(task, fallback=event["fallback"])
    metrics.add_metric("StoresForecast", MetricUnit.Count, made["stores"])
    metrics.add_metric("StoresQuarantined", MetricUnit.Count, made["quarantined"])
    return made
