"""What DynamoDB says of a start key that a caller made up."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError

from pawcast.adapters.aws_errors import error_code
from pawcast.errors import InvalidRequest


@contextmanager
def refused_cursor(start: str | None) -> Iterator[None]:
    """Raise InvalidRequest when a query is refused because of where it was to start."""
    try:
        yield
    except ClientError as error:
        if start is None or error_code(error) != "ValidationException":
            raise
        message = "cursor is none that this API gave"
        raise InvalidRequest(message, code="cursor_invalid", field="cursor") from error
