"""The operators' audit log in DynamoDB: lines are added and read, and no function has the right to change one."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pawcast.adapters.aws_errors import mapped
from pawcast.adapters.items import from_item, to_item
from pawcast.adapters.posts_table import values_with_colon
from pawcast.screening.operator_actions import OperatorAction

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "by_operator"
# What a shift is made of; a photo that is taken or looked at changes nothing in it.
SHIFT_KINDS = ("uphold", "overturn", "skip", "undo")


class OperatorActionsTable:
    """The log by post, and by operator."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        """`table` by name."""
        self._dynamodb = dynamodb
        self._table = table

    def action(self, line: OperatorAction) -> dict[str, Any]:
        """What appends a line, as an action of a transaction; it never replaces one."""
        return {"Put": self._put(line)}

    def append(self, line: OperatorAction) -> None:
        """Append a line."""
        with mapped("dynamodb:PutItem", self._table):
            self._dynamodb.put_item(**self._put(line))

    def of_post(self, post_id: str) -> Sequence[OperatorAction]:
        """The lines of a post, oldest first, read consistently."""
        query = {
            "KeyConditionExpression": "post_id = :post",
            "ExpressionAttributeValues": values_with_colon(post=post_id),
            "ConsistentRead": True,
        }
        return tuple(self._lines(query))

    def of_operator(self, operator_id: str, since: datetime) -> Sequence[OperatorAction]:
        """An operator's verdicts, skips and undos since a time (UTC), oldest first; the index may lag a moment."""
        kinds = {f"kind{index}": kind for index, kind in enumerate(SHIFT_KINDS)}
        query = {
            "IndexName": INDEX,
            "KeyConditionExpression": "operator_id = :operator AND action_id >= :since",
            "FilterExpression": f"kind IN ({', '.join(f':{name}' for name in kinds)})",
            "ExpressionAttributeValues": values_with_colon(operator=operator_id, since=since.isoformat(), **kinds),
        }
        return tuple(self._lines(query))

    def _put(self, line: OperatorAction) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Item": to_item(line, action_id=line.action_id),
            "ConditionExpression": "attribute_not_exists(action_id)",
        }

    def _lines(self, query: dict[str, Any]) -> Iterator[OperatorAction]:
        query = {**query, "TableName": self._table}
        while True:
            with mapped("dynamodb:Query", self._table):
                answer = self._dynamodb.query(**query)
            yield from (from_item(OperatorAction, item) for item in answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
