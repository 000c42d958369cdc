"""Takes dropped files of visits, stores, calendar and promotions into the warehouse: batches of S3 notifications."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.forecast_data_assembly import ingester
from pawcast.errors import DependencyUnavailable, InvalidRequest
from pawcast.forecasting.ingest.intake import Taken, drops_of
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import IngestDropsSettings
from pawcast.sqs import to_be_delivered_again

ingesting = ingester(IngestDropsSettings.read(os.environ))
OUTCOME_METRICS = {
    "taken": "DropsTaken",
    "refused": "DropsRefused",
    "repeated": "DuplicateMessages",
    "gone": "DropsGone",
}


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Event: SQS with notifications of S3."""
    metrics.add_metric("Messages", MetricUnit.Count, len(event["Records"]))
    return to_be_delivered_again(record["messageId"] for record in event["Records"] if not taken(record))


def taken(record: dict[str, Any]) -> bool:
    """Take the drops of one message; False when it must be delivered again."""
    try:
        for drop in drops_of(record["body"]):
            count(ingesting.take(drop))
    except DependencyUnavailable as error:
        logger.warning(
            "drop not taken, its message comes back", extra={"message_id": record["messageId"]}, exc_info=error
        )
        metrics.add_metric("Retries", MetricUnit.Count, 1)
        return False
    except InvalidRequest as error:
        # A message that can't be read ends in the DLQ, where an alarm calls a person.
        logger.error("message can't be read", extra={"message_id": record["messageId"], "error": str(error)})
        metrics.add_metric("UnreadableMessages", MetricUnit.Count, 1)
        return False
    return True


def count(result: Taken) -> None:
    """Metrics and a log line; rows and codes, no values that a sender wrote."""
    metrics.add_metric(OUTCOME_METRICS[result.outcome], MetricUnit.Count, 1)
    facts: dict[str, Any] = {"kind": result.kind, "outcome": result.outcome}
    if result.report is not None:
        metrics.add_metric("RowsKept", MetricUnit.Count, result.report.rows_kept)
        metrics.add_metric("RowsSetAside", MetricUnit.Count, result.report.rows_set_aside)
        facts |= {
            "rows_kept": result.report.rows_kept,
            "rows_set_aside": result.report.rows_set_aside,
            "problems": {found.code: found.problems for found in result.report.counts},
        }
    logger.info("drop", extra=facts)
