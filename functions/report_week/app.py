"""Makes the report of a week that was forecast and planned, and holds it against the gate."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.forecast_assembly import reporter
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import ReportWeekSettings

reporting = reporter(ReportWeekSettings.read(os.environ))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Event: week, attempt. Answers whether the gate lets it pass, and how long planners have."""
    reported = reporting.report(event["week"], event["attempt"])
    metrics.add_metric("GatesPassed" if reported["gate_passed"] else "GatesFailed", MetricUnit.Count, 1)
    logger.info("week reported", extra={"week": event["week"], "gate_passed": reported["gate_passed"]})
    return reported
