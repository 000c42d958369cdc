"""First step of the weekly forecast: claims the week, looks at its data, splits its stores into shards."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.forecast_assembly import opener
from pawcast.forecasting.weekly.opening import StartRequest
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import OpenWeekSettings

opening = opener(OpenWeekSettings.read(os.environ))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Event: the execution's input and name. Answers what the map runs over, or that there is nothing to do."""
    request = StartRequest.model_validate(event["request"])
    opened = opening.open(request, event["execution"])
    metrics.add_metric("WeeksOpened" if opened["outcome"] == "opened" else "WeeksNothingToDo", MetricUnit.Count, 1)
    logger.info("week opened", extra={key: opened.get(key) for key in ("week", "attempt", "outcome")})
    return opened
