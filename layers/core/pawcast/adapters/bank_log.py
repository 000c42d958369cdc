"""The hash banks as a log in DynamoDB: one line for each entry, one for each removal, in the order of time.

A line is written in the same transaction as the verdict it comes from. Entries stay in the log as long as they are
valid, so a lost snapshot can be made again; a removal deletes its entry, hash and all, and leaves a line that names it,
for readers that have the entry in memory or in a snapshot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pawcast.adapters.aws_errors import mapped
from pawcast.adapters.items import values
from pawcast.screening.banks import BankEntry, entry_id_of

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# All lines are one partition: verdicts are people's work, a few in a second at most.
LOG = "pdq"
# DynamoDB deletes a removal after this long; an older snapshot is not used.
REMOVALS_KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Removal:
    """A line that takes `removed` out of the banks; both are entry ids."""

    entry_id: str
    removed: str


type Line = BankEntry | Removal


class BankLog:
    """Writes and reads the log."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        """`table` by name."""
        self._dynamodb = dynamodb
        self._table = table

    def add_action(self, entry: BankEntry) -> dict[str, Any]:
        """What adds an entry, as an action of a transaction."""
        item = values(
            log=LOG,
            entry_id=entry.entry_id,
            bank=entry.bank,
            label=entry.label,
            pdq=entry.pdq,
            quality=entry.quality,
            post_id=entry.post_id,
            review_id=entry.review_id,
        )
        return {"Put": {"TableName": self._table, "Item": item}}

    def remove_actions(self, entry_id: str, at: datetime) -> list[dict[str, Any]]:
        """What takes an entry out, as actions of a transaction; an entry that is not there does no harm."""
        line = values(
            log=LOG,
            entry_id=entry_id_of(at, f"remove#{entry_id}"),
            removed=entry_id,
            expires_at=int((at + REMOVALS_KEPT).timestamp()),
        )
        return [
            {"Delete": {"TableName": self._table, "Key": values(log=LOG, entry_id=entry_id)}},
            {"Put": {"TableName": self._table, "Item": line}},
        ]

    def lines(self, since: datetime | None = None, until: datetime | None = None) -> Iterator[Line]:
        """The lines whose time is from `since` on and before `until`, oldest first, read consistently."""
        start: Any = None
        while True:
            page: dict[str, Any] = {} if start is None else {"ExclusiveStartKey": start}
            with mapped("dynamodb:Query", self._table):
                answer = self._dynamodb.query(
                    TableName=self._table,
                    KeyConditionExpression="#log = :log AND entry_id BETWEEN :since AND :until",
                    ExpressionAttributeNames={"#log": "log"},
                    ExpressionAttributeValues={
                        ":log": {"S": LOG},
                        ":since": {"S": _moment(since) if since else " "},
                        # Ids begin with a digit, and a moment sorts before every id that it begins.
                        ":until": {"S": _moment(until) if until else "~"},
                    },
                    ConsistentRead=True,
                    **page,
                )
            yield from map(_line, answer["Items"])
            start = answer.get("LastEvaluatedKey")
            if start is None:
                return


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _line(item: Any) -> Line:
    entry_id = item["entry_id"]["S"]
    if "removed" in item:
        return Removal(entry_id, item["removed"]["S"])
    return BankEntry(
        entry_id=entry_id,
        bank=item["bank"]["S"],
        label=item["label"]["S"],
        pdq=item["pdq"]["S"],
        quality=int(item["quality"]["N"]),
        post_id=item["post_id"]["S"],
        review_id=item["review_id"]["S"],
        added_at=datetime.fromisoformat(entry_id.partition("#")[0]),
    )
