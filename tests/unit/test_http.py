"""Who calls, what was sent, and how errors are answered."""

import json
from typing import Any

import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2

from pawcast import errors
from pawcast.callers import Caller
from pawcast.http import BODY_MAX_BYTES, caller_of, error_answer, json_body

CLAIMS = {"sub": "u1", "email": "mina@example.com", "token_use": "id", "locale": "en-US"}


def an_event(claims: dict[str, str] | None = None, body: str | None = None) -> APIGatewayProxyEventV2:
    authorizer = {"jwt": {"claims": claims, "scopes": None}} if claims is not None else None
    context: dict[str, Any] = {"requestId": "r1", "http": {"method": "GET", "path": "/"}}
    if authorizer:
        context["authorizer"] = authorizer
    return APIGatewayProxyEventV2({"requestContext": context, "body": body, "isBase64Encoded": False, "headers": {}})


def test_the_caller_is_who_the_id_token_names() -> None:
    assert Caller("u1", "mina@example.com", "en") == caller_of(an_event(CLAIMS))


@pytest.mark.parametrize(
    "claims", [None, {}, {"token_use": "id"}, CLAIMS | {"token_use": "access"}, CLAIMS | {"sub": ""}]
)
def test_without_a_verified_id_token_nobody_is_signed_in(claims: dict[str, str] | None) -> None:
    with pytest.raises(errors.NotSignedIn):
        caller_of(an_event(claims))


def test_a_language_that_pawcast_does_not_speak_is_left_open() -> None:
    assert caller_of(an_event(CLAIMS | {"locale": "fr-FR"})).language is None


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "{",
        "[]",
        "3",
        '"text"',
        "[" * 100_000,
        "x" * (BODY_MAX_BYTES + 1),
        '{"a": ' + '{"a": ' * 5_000,
    ],
)
def test_a_body_that_is_no_json_object_is_refused(body: str | None) -> None:
    with pytest.raises(errors.InvalidRequest, match="body"):
        json_body(an_event(CLAIMS, body))


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.InvalidRequest("no", code="title_missing", field="title"), 400, "title_missing"),
        (errors.NotSignedIn("no"), 401, "not_signed_in"),
        (errors.NotAllowed("no"), 403, "not_allowed"),
        (errors.NotFound("no"), 404, "not_found"),
        (errors.Conflict("no"), 409, "conflict"),
        (errors.VersionConflict("no"), 409, "conflict"),
        (errors.DependencyUnavailable("no"), 503, "dependency_unavailable"),
        (errors.HashMismatch("no"), 500, "internal_error"),
        (KeyError("secret"), 500, "internal_error"),
    ],
)
def test_an_error_is_answered_with_its_status_and_both_languages(error: Exception, status: int, code: str) -> None:
    answer = error_answer(error, "r1")
    body = json.loads(answer.body or "")

    assert (status, code, "r1", {"ko", "en"}) == (
        answer.status_code,
        body["error"]["code"],
        body["request_id"],
        set(body["error"]["message"]),
    )


def test_an_unexpected_error_tells_the_caller_nothing() -> None:
    assert "secret" not in str(error_answer(KeyError("secret"), "r1").body)
