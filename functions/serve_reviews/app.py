"""The operators' part of the HTTP API: the review queue and the operations page."""

import os
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.review_assembly import operators_apis
from pawcast.http import answer, answer_errors, caller_of, json_body, query_of
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import ServeReviewsSettings

api, operations = operators_apis(ServeReviewsSettings.read(os.environ))
app = APIGatewayHttpResolver()
answer_errors(app)


@app.get("/operations")
def overview() -> Response[str]:
    """The service in figures."""
    return answer(operations.overview(caller_of(app.current_event), query_of(app.current_event)))


@app.get("/reviews/summary")
def summary() -> Response[str]:
    """The queue in figures."""
    return answer(api.summary(caller_of(app.current_event)))


@app.get("/reviews/shift")
def shift() -> Response[str]:
    """What the caller did in the last hours."""
    return answer(api.shift(caller_of(app.current_event), query_of(app.current_event)))


@app.post("/reviews/take")
def take() -> Response[str]:
    """The next photos, locked for the caller."""
    return answer(api.take(caller_of(app.current_event), json_body(app.current_event)))


@app.get("/reviews/<review_id>")
def one_review(review_id: str) -> Response[str]:
    """One review."""
    return answer(api.one(caller_of(app.current_event), review_id))


@app.post("/reviews/<review_id>/verdict")
def decide(review_id: str) -> Response[str]:
    """Uphold or overturn."""
    return answer(api.decide(caller_of(app.current_event), review_id, json_body(app.current_event)))


@app.post("/reviews/<review_id>/undo")
def undo(review_id: str) -> Response[str]:
    """Take a verdict back."""
    return answer(api.undo(caller_of(app.current_event), review_id))


@app.post("/reviews/<review_id>/skip")
def skip(review_id: str) -> Response[str]:
    """Pass a photo on."""
    return answer(api.skip(caller_of(app.current_event), review_id, json_body(app.current_event)))


@app.post("/reviews/<review_id>/release")
def release(review_id: str) -> Response[str]:
    """Put a photo back."""
    return answer(api.release(caller_of(app.current_event), review_id))


@app.post("/reviews/<review_id>/comment")
def comment(review_id: str) -> Response[str]:
    """Add a comment."""
    return answer(api.comment(caller_of(app.current_event), review_id, json_body(app.current_event)))


@app.post("/reviews/<review_id>/seen")
def seen(review_id: str) -> Response[str]:
    """Note what was looked at."""
    return answer(api.seen(caller_of(app.current_event), review_id, json_body(app.current_event)))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Event: HTTP API, payload format 2.0."""
    metrics.add_metric("Requests", MetricUnit.Count, 1)
    return app.resolve(event, context)
