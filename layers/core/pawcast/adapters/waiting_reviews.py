"""The reviews that wait, all of them, and the mark that an uploader was told of the wait."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pawcast.adapters.aws_errors import error_code, mapped
from pawcast.adapters.items import from_item, values
from pawcast.screening.review import Review

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "by_status"


class WaitingReviews:
    """The waiting part of the reviews table."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        """`table` by name."""
        self._dynamodb = dynamodb
        self._table = table

    def waiting(self) -> Iterator[Review]:
        """Every review that waits, in the order of the queue; the index may lag a moment behind the table."""
        query: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": INDEX,
            "KeyConditionExpression": "#status = :waiting",
            "ExpressionAttributeNames": {"#status": "status"},
            "ExpressionAttributeValues": {":waiting": {"S": "waiting"}},
        }
        while True:
            with mapped("dynamodb:Query", self._table):
                answer = self._dynamodb.query(**query)
            yield from (from_item(Review, item) for item in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def mark_apologised(self, review_id: str, due: datetime) -> bool:
        """Write down that the apology that fell due at `due` was told; False when it was, or nobody waits any more."""
        try:
            with mapped("dynamodb:UpdateItem", self._table):
                self._dynamodb.update_item(
                    TableName=self._table,
                    Key=values(review_id=review_id),
                    UpdateExpression="SET apologised_at = :due",
                    ConditionExpression=(
                        "#status = :waiting AND (attribute_not_exists(apologised_at) OR apologised_at < :due)"
                    ),
                    ExpressionAttributeNames={"#status": "status"},
                    ExpressionAttributeValues={":due": {"S": due.isoformat()}, ":waiting": {"S": "waiting"}},
                )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True
