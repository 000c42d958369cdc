"""Runs of weeks in DynamoDB: one partition a week, told apart by the sort key.

run                          the record of the newest attempt; also in the index `by_week`
event#<time>#<step>#...      history
edit#<store>#<ts>            newest edit of a cell
receipt#<version>#<store>    what became of a store's plan
token#<attempt>              the task token that waits for a decision: read by `token` alone
notice#<name>                told once
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pawcast.adapters.aws_errors import error_code, mapped
from pawcast.adapters.cursors import refused_cursor
from pawcast.adapters.items import Item, from_item, to_item, values
from pawcast.errors import VersionConflict
from pawcast.forecasting.weekly.ports import Page
from pawcast.forecasting.weekly.run import Edit, Receipt, ReceiptState, Run, RunEvent

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

ALL_RUNS = "all"
EDITS_A_WRITE = 99  # one transaction holds 100 writes, one is the run's


class WeeksTable:
    """Run records and what belongs to them."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        """`table` by name."""
        self._dynamodb = dynamodb
        self._table = table

    # ------------------------------------------------------------ runs

    def get(self, week: str) -> Run | None:
        """The newest attempt at a week, read consistently."""
        item = self._read(week, "run")
        return None if item is None else from_item(Run, item)

    def put_new(self, run: Run, replaced: Run | None) -> None:
        """Begin an attempt where `replaced` (or nothing) stands; raises VersionConflict when something else does."""
        condition = "attribute_not_exists(week)" if replaced is None else "revision = :before"
        before = None if replaced is None else {":before": {"N": str(replaced.revision)}}
        self._put(self._run_item(run), condition, before, f"week {run.week} was claimed by another start")

    def save(self, run: Run) -> None:
        """Write a record whose stored revision is one behind; raises VersionConflict otherwise."""
        before = {":before": {"N": str(run.revision - 1)}}
        self._put(self._run_item(run), "revision = :before", before, f"week {run.week} was changed by someone else")

    def latest(self, start: str | None, limit: int) -> Page[Run]:
        """Runs of all weeks, newest week first."""
        query: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": "by_week",
            "KeyConditionExpression": "runs = :all",
            "ExpressionAttributeValues": {":all": {"S": ALL_RUNS}},
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if start is not None:
            query["ExclusiveStartKey"] = values(week=start, item="run", runs=ALL_RUNS)
        with mapped("dynamodb:Query", self._table), refused_cursor(start):
            answer = self._dynamodb.query(**query)
        last = answer.get("LastEvaluatedKey")
        return Page(tuple(from_item(Run, item) for item in answer["Items"]), last["week"]["S"] if last else None)

    def _run_item(self, run: Run) -> Item:
        return to_item(run, item="run", runs=ALL_RUNS)

    # ------------------------------------------------------------ history

    def add_event(self, event: RunEvent) -> None:
        """Append to the history; the same step of an attempt by the same person at the same moment is one event."""
        key = f"event#{event.at.isoformat(timespec='microseconds')}#{event.attempt:04d}#{event.step}#{event.by}"
        with mapped("dynamodb:PutItem", self._table):
            self._dynamodb.put_item(TableName=self._table, Item=to_item(event, item=key))

    def events(self, week: str) -> Sequence[RunEvent]:
        """The history of a week, oldest first."""
        return [from_item(RunEvent, item) for item in self._beginning(week, "event#")]

    # ------------------------------------------------------------ token and notices

    def put_token(self, week: str, attempt: int, token: str) -> None:
        """Keep the task token that waits for a decision."""
        with mapped("dynamodb:PutItem", self._table):
            item = values(week=week, item=f"token#{attempt:04d}", token=token)
            self._dynamodb.put_item(TableName=self._table, Item=item)

    def token(self, week: str, attempt: int) -> str | None:
        """That token."""
        item = self._read(week, f"token#{attempt:04d}")
        return None if item is None else str(item["token"]["S"])

    def was_told(self, week: str, notice: str) -> bool:
        """Whether a notice of a week was told."""
        return self._read(week, f"notice#{notice}") is not None

    def note_told(self, week: str, notice: str) -> None:
        """Write down that it was."""
        with mapped("dynamodb:PutItem", self._table):
            self._dynamodb.put_item(TableName=self._table, Item=values(week=week, item=f"notice#{notice}"))

    # ------------------------------------------------------------ edits

    def put_edits(self, run: Run, edits: Sequence[Edit]) -> None:
        """Store edits and the run's next plan version together; raises VersionConflict when the run moved meanwhile."""
        if len(edits) > EDITS_A_WRITE:
            message = f"{len(edits)} edits at once, at most {EDITS_A_WRITE} fit into one transaction"
            raise ValueError(message)
        changed = run.changed(plan_version=run.plan_version + 1)
        writes: list[Any] = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": self._run_item(changed),
                    "ConditionExpression": "revision = :before",
                    "ExpressionAttributeValues": {":before": {"N": str(run.revision)}},
                }
            }
        ]
        for edit in edits:
            key = f"edit#{edit.store_id}#{edit.ts.isoformat()}"
            writes.append({"Put": {"TableName": self._table, "Item": to_item(edit, item=key)}})
        try:
            with mapped("dynamodb:TransactWriteItems", self._table):
                self._dynamodb.transact_write_items(TransactItems=writes)
        except ClientError as error:
            if error_code(error) != "TransactionCanceledException":
                raise
            message = f"the plan of {run.week} was changed by someone else"
            raise VersionConflict(message) from error

    def edits(self, week: str, store_id: str | None = None) -> Sequence[Edit]:
        """The newest edit of each cell of a week, or of one store of it."""
        prefix = "edit#" if store_id is None else f"edit#{store_id}#"
        return [from_item(Edit, item) for item in self._beginning(week, prefix)]

    # ------------------------------------------------------------ receipts

    def receipts(self, week: str, plan_version: int) -> Mapping[str, Receipt]:
        """Receipts of one plan version by store."""
        found = (from_item(Receipt, item) for item in self._beginning(week, f"receipt#{plan_version:06d}#"))
        return {receipt.store_id: receipt for receipt in found}

    def claim_receipt(self, receipt: Receipt) -> bool:
        """Store a receipt in state `sending` where this store and plan version has none; whether it was new."""
        return self._put_if(to_item(receipt, item=_receipt_key(receipt)), "attribute_not_exists(week)")

    def settle_receipt(self, receipt: Receipt, state: ReceiptState) -> None:
        """Write down what became of a claimed receipt."""
        with mapped("dynamodb:UpdateItem", self._table):
            self._dynamodb.update_item(
                TableName=self._table,
                Key=values(week=receipt.week, item=_receipt_key(receipt)),
                UpdateExpression="SET #state = :state REMOVE claimed_until",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={":state": {"S": state}},
            )

    def release_receipt(self, receipt: Receipt) -> None:
        """Forget a claim whose mail surely did not leave, so that it is tried again."""
        with mapped("dynamodb:DeleteItem", self._table):
            self._dynamodb.delete_item(
                TableName=self._table,
                Key=values(week=receipt.week, item=_receipt_key(receipt)),
            )

    # ------------------------------------------------------------ reading and writing

    def _read(self, week: str, item: str) -> Mapping[str, Any] | None:
        with mapped("dynamodb:GetItem", self._table):
            answer = self._dynamodb.get_item(
                TableName=self._table, Key=values(week=week, item=item), ConsistentRead=True
            )
        return answer.get("Item")

    def _beginning(self, week: str, prefix: str) -> Iterator[Mapping[str, Any]]:
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "week = :week AND begins_with(#item, :prefix)",
            "ExpressionAttributeNames": {"#item": "item"},
            "ExpressionAttributeValues": {":week": {"S": week}, ":prefix": {"S": prefix}},
            "ConsistentRead": True,
        }
        while True:
            with mapped("dynamodb:Query", self._table):
                answer = self._dynamodb.query(**query)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _put(self, item: Item, condition: str, before: Mapping[str, Any] | None, message: str) -> None:
        if not self._put_if(item, condition, before):
            raise VersionConflict(message)

    def _put_if(self, item: Item, condition: str, before: Mapping[str, Any] | None = None) -> bool:
        request: dict[str, Any] = {"TableName": self._table, "Item": item, "ConditionExpression": condition}
        if before is not None:
            request["ExpressionAttributeValues"] = before
        try:
            with mapped("dynamodb:PutItem", self._table):
                self._dynamodb.put_item(**request)
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return False
        return True


def _receipt_key(receipt: Receipt) -> str:
    return f"receipt#{receipt.plan_version:06d}#{receipt.store_id}"
