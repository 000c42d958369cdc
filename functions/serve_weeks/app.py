"""The planners' part of the HTTP API: weeks, their stores and plans, edits, comments, decisions."""

import os
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.week_assembly import planner_api
from pawcast.http import answer, answer_errors, caller_of, json_body, query_of
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import ServeWeeksSettings

api = planner_api(ServeWeeksSettings.read(os.environ))
app = APIGatewayHttpResolver()
answer_errors(app)


@app.get("/weeks")
def weeks() -> Response[str]:
    """Weeks, newest first."""
    return answer(api.list(caller_of(app.current_event), query_of(app.current_event)))


@app.get("/weeks/<week>")
def one_week(week: str) -> Response[str]:
    """One week with gate, receipts and history."""
    return answer(api.one(caller_of(app.current_event), week))


@app.get("/weeks/<week>/stores")
def stores(week: str) -> Response[str]:
    """The stores of a week."""
    return answer(api.stores(caller_of(app.current_event), week, query_of(app.current_event)))


@app.get("/weeks/<week>/stores/<store_id>")
def one_store(week: str, store_id: str) -> Response[str]:
    """One store's plan."""
    return answer(api.store(caller_of(app.current_event), week, store_id))


@app.post("/weeks/<week>/stores/<store_id>/edits")
def edit(week: str, store_id: str) -> Response[str]:
    """Set the staff of days or hours."""
    return answer(api.edit(caller_of(app.current_event), week, store_id, json_body(app.current_event)))


@app.post("/weeks/<week>/comments")
def comment(week: str) -> Response[str]:
    """Add a comment to the week's history."""
    return answer(api.comment(caller_of(app.current_event), week, json_body(app.current_event)))


@app.post("/weeks/<week>/decision")
def decide(week: str) -> Response[str]:
    """Approve or reject."""
    return answer(api.decide(caller_of(app.current_event), week, json_body(app.current_event)))


@app.post("/weeks/<week>/resend")
def resend(week: str) -> Response[str]:
    """202: stores without a receipt are told."""
    return answer(api.resend(caller_of(app.current_event), week, json_body(app.current_event)), HTTPStatus.ACCEPTED)


@app.post("/weeks/<week>/runs")
def start(week: str) -> Response[str]:
    """202: a run of this week begins."""
    return answer(api.start(caller_of(app.current_event), week, json_body(app.current_event)), HTTPStatus.ACCEPTED)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Event: HTTP API, payload format 2.0."""
    metrics.add_metric("Requests", MetricUnit.Count, 1)
    return app.resolve(event, context)
