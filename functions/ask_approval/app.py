"""Keeps the task token of a waiting week and asks the planners."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.week_assembly import approver
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import AskApprovalSettings

approving = approver(AskApprovalSettings.read(os.environ))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Event: week, attempt, task token. The token is neither answered nor logged."""
    asked = approving.ask(event["week"], event["attempt"], event["token"])
    metrics.add_metric("ApprovalsAsked", MetricUnit.Count, 1)
    return asked
