"""Counts of what happened in DynamoDB: one item for each hour, one for all time, one attribute for each name.

`UpdateItem ADD` makes the item and the attributes as they are needed, and concurrent workers never lose a count. It is
not idempotent: when an answer got lost and the call is repeated by botocore, an hour may count something twice.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from pawcast.adapters.aws_errors import mapped
from pawcast.adapters.items import Item, values
from pawcast.screening.counts import ALL_TIME, HourCounts

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

KEY = frozenset({"day", "hour"})
# The item of `counts.ALL_TIME`, apart from every day.
SINCE_EVER = ("all", "all")
# Days read at once: a month in the time of four queries.
READERS = 8


class CountsTable:
    """Counts by day and hour, UTC."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        """`table` by name."""
        self._dynamodb = dynamodb
        self._table = table

    def add(self, at: datetime, counts: Mapping[str, int]) -> None:
        """Add to the counts of the hour of `at`, and to those of all time; what adds nothing calls nothing."""
        moment = at.astimezone(UTC)
        hourly = {name: count for name, count in counts.items() if count and name not in ALL_TIME}
        lasting = {name: count for name, count in counts.items() if count and name in ALL_TIME}
        self._add((moment.date().isoformat(), f"{moment.hour:02d}"), hourly)
        self._add(SINCE_EVER, lasting)

    def hours(self, since: datetime, until: datetime) -> Sequence[HourCounts]:
        """The hours that begin from `since` on and before `until`, oldest first; hours without counts are missing."""
        first, last = since.astimezone(UTC), until.astimezone(UTC)
        days = [first.date() + timedelta(days=index) for index in range((last.date() - first.date()).days + 1)]
        with ThreadPoolExecutor(READERS) as readers:
            items = [item for found in readers.map(self._day, map(date.isoformat, days)) for item in found]
        hours = [
            HourCounts(datetime.fromisoformat(f"{item['day']['S']}T{item['hour']['S']}:00:00+00:00"), _counts_of(item))
            for item in items
        ]
        return [hour for hour in hours if first <= hour.at < last]

    def all_time(self) -> Mapping[str, int]:
        """The counts of all time; what was never counted is missing."""
        day, _ = SINCE_EVER
        return next((_counts_of(item) for item in self._day(day)), {})

    def _add(self, key: tuple[str, str], counts: Mapping[str, int]) -> None:
        if not counts:
            return
        with mapped("dynamodb:UpdateItem", self._table):
            self._dynamodb.update_item(
                TableName=self._table,
                Key=values(day=key[0], hour=key[1]),
                UpdateExpression="ADD " + ", ".join(f"#n{index} :v{index}" for index in range(len(counts))),
                ExpressionAttributeNames={f"#n{index}": name for index, name in enumerate(counts)},
                ExpressionAttributeValues={f":v{index}": {"N": str(n)} for index, n in enumerate(counts.values())},
            )

    def _day(self, day: str) -> list[Item]:
        with mapped("dynamodb:Query", self._table):
            # At most 24 small items: always one page.
            answer = self._dynamodb.query(
                TableName=self._table,
                KeyConditionExpression="#day = :day",
                ExpressionAttributeNames={"#day": "day"},
                ExpressionAttributeValues={":day": {"S": day}},
            )
        return answer["Items"]


def _counts_of(item: Item) -> Mapping[str, int]:
    return {name: int(value["N"]) for name, value in item.items() if name not in KEY}
