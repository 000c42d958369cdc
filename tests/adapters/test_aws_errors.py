"""Which AWS failures pass, and which are answers or mistakes."""

from typing import Any

import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from pawcast.adapters.aws_errors import mapped
from pawcast.errors import DependencyUnavailable


def a_client_error(code: str, status: int = 400, **response: Any) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": status}} | response,  # type: ignore[arg-type]
        "PutItem",
    )


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("KMSThrottlingException", 400),
        ("ProvisionedThroughputExceededException", 400),
        ("RequestLimitExceeded", 400),
        ("TooManyRequestsException", 429),
        ("ConditionalRequestConflict", 409),
        ("TooManyUpdates", 400),
        ("RequestTimeout", 400),
        ("SlowDown", 503),
        ("InternalServerError", 500),
        ("", 502),
    ],
)
def test_throttling_and_server_errors_are_retryable_and_name_operation_and_resource(code: str, status: int) -> None:
    with pytest.raises(DependencyUnavailable) as caught, mapped("dynamodb:PutItem", "posts"):
        raise a_client_error(code, status)

    assert str(caught.value) == (f"dynamodb:PutItem on posts is unavailable for now: {code or 'unknown cause'}")
    assert isinstance(caught.value.__cause__, ClientError)


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url="https://s3.example"),
        ConnectTimeoutError(endpoint_url="https://s3.example"),
        ReadTimeoutError(endpoint_url="https://s3.example"),
        ConnectionClosedError(endpoint_url="https://s3.example"),
        ResponseStreamingError(error="reset by peer"),
        IncompleteReadError(actual_bytes=1, expected_bytes=2),
    ],
)
def test_broken_connections_and_timeouts_are_retryable(error: BotoCoreError) -> None:
    with (
        pytest.raises(DependencyUnavailable, match=rf"^s3:GetObject is .*: {type(error).__name__}$"),
        mapped("s3:GetObject"),
    ):
        raise error


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("AccessDeniedException", 403),
        ("AccessDenied", 403),
        ("ExpiredTokenException", 400),
        ("NoSuchKey", 404),
        ("PreconditionFailed", 412),
        ("ConditionalCheckFailedException", 400),
        ("ValidationException", 400),
        ("ResourceNotFoundException", 400),
    ],
)
def test_answers_and_mistakes_pass_through_unchanged(code: str, status: int) -> None:
    error = a_client_error(code, status)

    with pytest.raises(ClientError) as caught, mapped("dynamodb:PutItem", "posts"):
        raise error

    assert caught.value is error


@pytest.mark.parametrize("error", [NoCredentialsError(), ParamValidationError(report=""), ValueError("")])
def test_our_own_mistakes_pass_through_unchanged(error: Exception) -> None:
    with pytest.raises(type(error)) as caught, mapped("dynamodb:PutItem", "posts"):
        raise error

    assert caught.value is error


@pytest.mark.parametrize("reason", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_cancelled_by_load_is_retryable(reason: str) -> None:
    reasons = [{"Code": "None"}, {"Code": reason}]

    with pytest.raises(DependencyUnavailable), mapped("dynamodb:TransactWriteItems", "posts"):
        raise a_client_error("TransactionCanceledException", CancellationReasons=reasons)


@pytest.mark.parametrize("other", ["None", "TransactionConflict"])
def test_a_transaction_cancelled_by_a_condition_is_an_answer(other: str) -> None:
    reasons = [{"Code": other}, {"Code": "ConditionalCheckFailed"}]

    with pytest.raises(ClientError), mapped("dynamodb:TransactWriteItems", "posts"):
        raise a_client_error("TransactionCanceledException", CancellationReasons=reasons)


def test_nothing_happens_where_nothing_fails() -> None:
    with mapped("dynamodb:PutItem", "posts"):
        answer = 1

    assert answer == 1
