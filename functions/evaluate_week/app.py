"""Holds the newest known week's forecast against what came."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.forecast_assembly import evaluator
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import EvaluateWeekSettings

evaluation = evaluator(EvaluateWeekSettings.read(os.environ))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Event: week and attempt of the run that evaluates."""
    evaluated = evaluation.evaluate(event["week"], event["attempt"])
    metrics.add_metric("WeeksEvaluated", MetricUnit.Count, int(evaluated["wape"] is not None))
    if evaluated["wape"] is not None:
        metrics.add_metric("ForecastWape", MetricUnit.Percent, 100 * evaluated["wape"])
    return evaluated
