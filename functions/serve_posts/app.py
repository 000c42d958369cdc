"""The people's part of the HTTP API: posts, what can be done about a decision, the feed, the inbox, who one is."""

import os
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.assembly import posts_apis
from pawcast.callers import Caller
from pawcast.http import answer, answer_errors, caller_of, json_body, query_of
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import ServePostsSettings

api, remedies = posts_apis(ServePostsSettings.read(os.environ))
app = APIGatewayHttpResolver()
ACCEPTED = HTTPStatus.ACCEPTED
answer_errors(app)


def caller() -> Caller:
    """Who is asking."""
    return caller_of(app.current_event)


@app.post("/posts")
def submit_post() -> Response[str]:
    """201 with the post that waits for its photo, and the right to upload that photo."""
    created = api.submit(caller(), json_body(app.current_event))
    logger.info("post created", extra={"post_id": created["post"]["post_id"]})
    return answer(created, HTTPStatus.CREATED)


@app.post("/posts/<post_id>/appeal")
def appeal(post_id: str) -> Response[str]:
    """Object to a rejection."""
    return answer(remedies.appeal(caller(), post_id, json_body(app.current_event)))


@app.post("/posts/<post_id>/claims")
def claim(post_id: str) -> Response[str]:
    """201 when the report is new, 200 when this person had reported the post before."""
    new = remedies.claim(caller(), post_id, json_body(app.current_event))
    return answer({"claimed": True}, HTTPStatus.CREATED if new else HTTPStatus.OK)


@app.post("/me")
def choose_language() -> Response[str]:
    """Be told in another language."""
    return answer(api.choose_language(caller(), json_body(app.current_event)))


app.get("/posts")(lambda: answer(api.mine(caller(), query_of(app.current_event))))
app.get("/feed")(lambda: answer(api.feed(caller(), query_of(app.current_event))))
app.get("/inbox")(lambda: answer(api.inbox(caller(), query_of(app.current_event))))
app.get("/posts/<post_id>")(lambda post_id: answer(api.one(caller(), post_id)))
app.get("/me")(lambda: answer(api.me(caller())))
app.post("/inbox/read")(lambda: answer(api.read_inbox(caller())))
# 202 where work goes on after the answer.
app.post("/posts/<post_id>/mosaic")(lambda post_id: answer(remedies.ask_mosaic(caller(), post_id), ACCEPTED))
app.post("/posts/<post_id>/mosaic/accept")(lambda post_id: answer(remedies.accept_mosaic(caller(), post_id), ACCEPTED))
app.post("/posts/<post_id>/mosaic/decline")(lambda post_id: answer(remedies.decline_mosaic(caller(), post_id)))
app.post("/posts/<post_id>/withdraw")(lambda post_id: answer(remedies.withdraw(caller(), post_id)))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Event: HTTP API, payload format 2.0."""
    metrics.add_metric("Requests", MetricUnit.Count, 1)
    return app.resolve(event, context)
