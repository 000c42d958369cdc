"""Covers the faces of rejected photos whose owners asked for it: messages of the mosaic queue."""

import os
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.mosaic_assembly import mosaic_maker
from pawcast.errors import InvalidRequest
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.screening.mosaics import MosaicReport, request_of
from pawcast.settings import MosaicPhotosSettings
from pawcast.sqs import to_be_delivered_again

OUTCOME_METRICS = {
    "made": "MosaicsMade",
    "mosaic_no_face": "MosaicsWithoutFace",
    "mosaic_failed": "MosaicsFailed",
    "nothing_to_do": "DuplicateMessages",
    "unknown": "UnknownPosts",
}


def release_failed(error: Exception) -> None:
    """The release in force stays; somebody must look at the one that can't be loaded."""
    logger.error("release can't be loaded", exc_info=error)
    metrics.add_metric("ReleaseErrors", MetricUnit.Count, 1)


mosaics = mosaic_maker(MosaicPhotosSettings.read(os.environ), release_failed)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], _: LambdaContext) -> dict[str, Any]:
    """Event: SQS with `{"post_id"}`. Answers which messages are to be delivered again."""
    metrics.add_metric("Messages", MetricUnit.Count, len(event["Records"]))
    failed = []
    for record in event["Records"]:
        try:
            post_id = request_of(record["body"]).post_id
            measure(post_id, mosaics.make(post_id))
        except InvalidRequest as error:
            logger.error("message can't be read", extra={"message_id": record["messageId"], "error": str(error)})
            metrics.add_metric("UnreadableMessages", MetricUnit.Count, 1)
            failed.append(record["messageId"])
        except Exception:
            # Whatever it was, the message comes back, and in the end a person sees it in the DLQ.
            logger.exception("mosaic not made, its message comes back", extra={"message_id": record["messageId"]})
            metrics.add_metric("Retries", MetricUnit.Count, 1)
            failed.append(record["messageId"])
    return to_be_delivered_again(failed)


def measure(post_id: str, report: MosaicReport) -> None:
    """Count what became of one request."""
    metrics.add_metric(OUTCOME_METRICS[report.outcome], MetricUnit.Count, 1)
    extra = {"post_id": post_id, "outcome": report.outcome, "faces": report.faces}
    logger.info("mosaic asked for", extra=extra)
    if report.uncounted is not None:
        logger.warning("mosaic was not counted", exc_info=report.uncounted)
