"""The HTTP API: submit a post, my posts, one post, the feed, the inbox."""

import os
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from pawcast.adapters.assembly import posts_api
from pawcast.http import answer, answer_errors, caller_of, json_body, query_of
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.settings import ServePostsSettings

api = posts_api(ServePostsSettings.read(os.environ))
app = APIGatewayHttpResolver()
answer_errors(app)


@app.post("/posts")
def submit_post() -> Response[str]:
    """201 with the post that waits for its photo, and the right to upload that photo."""
    created = api.submit(caller_of(app.current_event), json_body(app.current_event))
    logger.info("post created", extra={"post_id": created["post"]["post_id"]})
    return answer(created, HTTPStatus.CREATED)


@app.get("/posts")
def my_posts() -> Response[str]:
    """The caller's posts, newest first."""
    return answer(api.mine(caller_of(app.current_event), query_of(app.current_event)))


@app.get("/posts/<post_id>")
def one_post(post_id: str) -> Response[str]:
    """One post, if it is published or the caller's."""
    return answer(api.one(caller_of(app.current_event), post_id))


@app.get("/feed")
def feed() -> Response[str]:
    """Published posts, newest first, all or by tag."""
    return answer(api.feed(caller_of(app.current_event), query_of(app.current_event)))


@app.get("/inbox")
def inbox() -> Response[str]:
    """The caller's notices, newest first."""
    return answer(api.inbox(caller_of(app.current_event), query_of(app.current_event)))


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Event: HTTP API, payload format 2.0."""
    metrics.add_metric("Requests", MetricUnit.Count, 1)
    return app.resolve(event, context)
