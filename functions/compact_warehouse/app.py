"""Every night: merges what drops have added to the warehouse into one file a month."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.forecast_data_assembly import warehouse
from pawcast.forecasting.warehouse import TABLES
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import CompactWarehouseSettings

store = warehouse(CompactWarehouseSettings.read(os.environ))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(_event: dict[str, Any], _: LambdaContext) -> dict[str, int]:
    """Event: the schedule's; nothing of it is read."""
    total = {"partitions": 0, "parts": 0, "left": 0}
    for table in TABLES:
        done = store.compact(table)
        logger.info("table compacted", extra={"table": table.name, "parts": done.parts, "left": done.left})
        total["partitions"] += done.partitions
        total["parts"] += done.parts
        total["left"] += len(done.left)
    metrics.add_metric("PartsCompacted", MetricUnit.Count, total["parts"])
    metrics.add_metric("PartitionsLeft", MetricUnit.Count, total["left"])
    return total
