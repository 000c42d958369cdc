"""The one place where an AWS failure becomes one of Pawcast's errors.

    with mapped("dynamodb:PutItem", table_name):
        client.put_item(...)

Trouble that passes (throttling, 5xx, time-outs, broken connections) leaves as the retryable
`DependencyUnavailable`, so a message goes back to its queue. Everything else passes through unchanged: an
`AccessDenied` or a `ValidationException` is our mistake and must not look like weather, and an answer that
means something to the caller (`NoSuchKey`, `ConditionalCheckFailedException`) is the caller's to read with
`error_code`. By the time an error arrives here, botocore has spent its own retries.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    ClientError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.exceptions import (
    ConnectionError as BrokenConnection,
)

from pawcast.errors import DependencyUnavailable

# Codes that arrive with a 4xx status and still mean "later". Every other throttle says so in its name.
_PASSING_CODES = frozenset(
    {
        "BandwidthLimitExceeded",
        "ConditionalRequestConflict",  # S3: two conditional writes of one key at the same moment
        "InternalError",
        "OperationAborted",  # S3: a conflicting operation is in progress
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceeded",  # as a reason inside a cancelled transaction
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "RequestTimeoutException",
        "SlowDown",
        "TooManyRequestsException",
        "TooManyUpdates",  # SSM: one update of a parameter at a time
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


def error_code(error: ClientError) -> str:
    """The service's own code, such as `NoSuchKey`; empty when it sent none."""
    return error.response.get("Error", {}).get("Code", "")


def is_passing_code(code: str) -> bool:
    """Whether a service's error code (also of one record in a batch) means that a later try may succeed."""
    return code in _PASSING_CODES or "throttl" in code.lower()


def is_passing(error: ClientError) -> bool:
    """Whether the same call may succeed later.

    A cancelled DynamoDB transaction passes when no condition failed: a failed condition is an answer.
    """
    code = error_code(error)
    if code == "TransactionCanceledException":
        reasons = [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])]
        return "ConditionalCheckFailed" not in reasons and any(map(is_passing_code, reasons))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= 500 or is_passing_code(code)


@contextmanager
def mapped(operation: str, resource: str = "") -> Iterator[None]:
    """Raise `DependencyUnavailable`, naming operation and resource, for trouble that passes.

    `operation` is written as in IAM (`s3:GetObject`). The body of a streamed answer must be read inside,
    since its connection can break there too.
    """
    try:
        yield
    except ClientError as error:
        if not is_passing(error):
            raise
        raise DependencyUnavailable(_sentence(operation, resource, error_code(error))) from error
    except (BrokenConnection, HTTPClientError, IncompleteReadError) as error:
        raise DependencyUnavailable(_sentence(operation, resource, type(error).__name__)) from error


def _sentence(operation: str, resource: str, cause: str) -> str:
    target = f" on {resource}" if resource else ""
    return f"{operation}{target} is unavailable for now: {cause or 'unknown cause'}"
