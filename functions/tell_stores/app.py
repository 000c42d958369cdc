"""Tells the stores of one shard their approved plan, each once."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.week_assembly import distributor
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import TellStoresSettings

distribution = distributor(TellStoresSettings.read(os.environ))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Event: week, attempt, shard, include_uncertain."""
    told = distribution.tell_shard(
        event["week"], event["attempt"], event["shard"], include_uncertain=event["include_uncertain"]
    )
    metrics.add_metric("StoresTold", MetricUnit.Count, told.get("told", 0))
    metrics.add_metric("StoresWithoutAddress", MetricUnit.Count, told.get("no_address", 0))
    metrics.add_metric("StoreMailsRefused", MetricUnit.Count, told.get("refused", 0))
    logger.info("stores told", extra={"week": event["week"], **told})
    return told
