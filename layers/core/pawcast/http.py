"""What every HTTP function shares: who calls, what was sent, and how errors are answered.

The gateway has verified the token's signature, issuer, audience and time; here it is only read. Statuses follow from
the error's class, never from its words; an unexpected error tells the caller nothing but a request id.
"""

import json
import math
from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response, content_types
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from pawcast.callers import Caller
from pawcast.errors import (
    Conflict,
    DependencyUnavailable,
    InvalidRequest,
    NotAllowed,
    NotFound,
    NotSignedIn,
    PawcastError,
    Permanent,
    TooManyRequests,
    VersionConflict,
)
from pawcast.languages import LANGUAGES
from pawcast.observability import MetricUnit, logger, metrics
from pawcast.request_errors import REQUEST_ERRORS

BODY_MAX_BYTES = 32_768
STATUSES: Mapping[type[PawcastError], HTTPStatus] = MappingProxyType(
    {
        InvalidRequest: HTTPStatus.BAD_REQUEST,
        NotSignedIn: HTTPStatus.UNAUTHORIZED,
        NotAllowed: HTTPStatus.FORBIDDEN,
        NotFound: HTTPStatus.NOT_FOUND,
        Conflict: HTTPStatus.CONFLICT,
        VersionConflict: HTTPStatus.CONFLICT,
        TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
        DependencyUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    }
)


def caller_of(event: APIGatewayProxyEventV2) -> Caller:
    """Who is asking.

    Raises:
        NotSignedIn: the gateway passed no verified ID token.
    """
    claims = event.request_context.authorizer.jwt_claim
    # An access token passes the gateway too (its client_id counts as audience) but says nothing about a person.
    if not claims or claims.get("token_use") != "id" or not claims.get("sub"):
        message = "the request carries no verified ID token"
        raise NotSignedIn(message)
    locale = str(claims.get("locale", ""))[:2]
    return Caller(
        user_id=str(claims["sub"]),
        email=claims.get("email"),
        language=locale if locale in LANGUAGES else None,
        groups=_groups_of(claims.get("cognito:groups")),
    )


def _groups_of(claim: Any) -> frozenset[str]:
    """The token's groups. The gateway hands a list on as text: `[planners operators]`."""
    names = claim.strip("[]").replace(",", " ").split() if isinstance(claim, str) else claim or ()
    return frozenset(str(name) for name in names)


def json_body(event: APIGatewayProxyEventV2) -> dict[str, Any]:
    """The JSON object that was sent.

    Raises:
        InvalidRequest: no JSON object, or a larger body than any request needs.
    """
    try:
        text = event.decoded_body or ""
        if len(text) > BODY_MAX_BYTES:
            message = f"the body has more than {BODY_MAX_BYTES} bytes"
            raise InvalidRequest(message)
        body = json.loads(text)
    except (ValueError, RecursionError) as error:
        message = "the body is not JSON"
        raise InvalidRequest(message) from error
    if not isinstance(body, dict):
        message = "the body must be a JSON object"
        raise InvalidRequest(message)
    return body


def query_of(event: APIGatewayProxyEventV2) -> Mapping[str, str]:
    """The query parameters; the last of a repeated one, as API Gateway joins them with commas."""
    return event.query_string_parameters or {}


def answer(body: Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK) -> Response[str]:
    """A JSON answer that no cache keeps: what it says belongs to one caller."""
    return Response(
        status_code=status,
        content_type=content_types.APPLICATION_JSON,
        body=json.dumps(body, ensure_ascii=False),
        headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )


def code_of(error: Exception) -> str:
    """The code that a caller is told; what is not a refusal of theirs is an internal error to them."""
    status = _status_of(error)
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        return "internal_error"
    if status is HTTPStatus.CONFLICT:
        return "conflict"
    return error.request_code if isinstance(error, InvalidRequest) else getattr(error, "code", "internal_error")


def error_answer(error: Exception, request_id: str) -> Response[str]:
    """The answer for an error: code, sentences, the field where there is one, and the request id to ask about."""
    code = code_of(error)
    detail: dict[str, Any] = {"code": code, "message": REQUEST_ERRORS[code]}
    if isinstance(error, InvalidRequest):
        detail["detail"] = str(error)
        if error.field is not None:
            detail["field"] = error.field
    answered = answer({"error": detail, "request_id": request_id}, _status_of(error))
    if isinstance(error, TooManyRequests):
        answered.headers["Retry-After"] = str(math.ceil(error.retry_after.total_seconds()))
    return answered


def answer_errors(app: APIGatewayHttpResolver) -> None:
    """Answer every error of an API's routes; only what we did not expect is logged with its traceback."""

    def failed(error: Exception) -> Response[str]:
        refused = isinstance(error, Permanent)
        metrics.add_metric("RequestsRefused" if refused else "RequestsFailed", MetricUnit.Count, 1)
        if refused:
            logger.info("request refused", extra={"code": code_of(error)})
        else:
            logger.exception("request failed", exc_info=error)
        return error_answer(error, app.current_event.request_context.request_id)

    def unknown_route(_: NotFoundError) -> Response[str]:
        return error_answer(NotFound("no such route"), app.current_event.request_context.request_id)

    app.exception_handler(Exception)(failed)
    app.not_found(unknown_route)


def _status_of(error: Exception) -> HTTPStatus:
    kinds = (STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    return next(kinds, HTTPStatus.INTERNAL_SERVER_ERROR)
