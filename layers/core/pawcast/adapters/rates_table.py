"""Counters of rate limits in DynamoDB."""

from datetime import datetime
from typing import TYPE_CHECKING

from pawcast.adapters.aws_errors import mapped
from pawcast.adapters.items import values

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class RatesTable:
    """One item for each bucket, which DynamoDB deletes some time after it has ended."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        """`table` by name."""
        self._dynamodb = dynamodb
        self._table = table

    def add(self, bucket: str, expires_at: datetime) -> int:
        """Count one more in a bucket; what it holds now."""
        with mapped("dynamodb:UpdateItem", self._table):
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key=values(bucket=bucket),
                UpdateExpression="ADD counted :one SET expires_at = :expires",
                ExpressionAttributeValues={":one": {"N": "1"}, ":expires": {"N": str(int(expires_at.timestamp()))}},
                ReturnValues="UPDATED_NEW",
            )
        return int(answer["Attributes"]["counted"]["N"])
