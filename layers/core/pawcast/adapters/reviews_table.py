"""The review queue in DynamoDB: locks, verdicts, and the figures over what waits.

    review_id   one item for each review, found in the index `by_status` by priority and due time as long as it waits
    desk#…      one item for each operator: the ids of what they took last. It has no status, so no index holds it

Whatever belongs together is one `TransactWriteItems`. A review is written only if its status, its holder and its skips
are as they were read, so two operators can't both take it, and of two verdicts the first counts. The desk is there
because the index lags: what an operator holds is read from the table itself.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol, cast

from botocore.exceptions import ClientError

from pawcast.adapters.aws_errors import error_code, mapped
from pawcast.adapters.items import Item, from_item, to_item, values
from pawcast.adapters.operator_actions_table import OperatorActionsTable
from pawcast.adapters.posts_table import PostsTable, values_with_colon
from pawcast.errors import DependencyUnavailable, VersionConflict
from pawcast.screening.banks import BankEntry
from pawcast.screening.operator_actions import OperatorAction
from pawcast.screening.review import Review, ReviewReason
from pawcast.screening.reviews import Desk, Lock, Waiting
from pawcast.screening.verdicts import Step

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

INDEX = "by_status"
# Reviews asked for at once when an operator takes some; the next page only where these are in other hands.
PAGE = 25
# Two transactions that touch one item at the same moment: one of them is refused and simply comes again.
ATTEMPTS = 5
READ_ATTEMPTS = 5
# What a step may change in a review, `verdict` by way of the status.
CHANGED = ("status", "locked_by", "locked_until", "skips", "verdict")
# All that the figures over the queue need.
WAITING_FIELDS = ("reason", "user_id", "created_at", "due_at", "not_for", "skips", "locked_by", "locked_until")


class BankActions(Protocol):
    """What writes hash bank entries, as actions of a transaction."""

    def add_action(self, entry: BankEntry) -> dict[str, Any]: ...  # noqa: D102
    def remove_actions(self, entry_id: str, at: datetime) -> list[dict[str, Any]]: ...  # noqa: D102


class ReviewsTable:
    """The reviews, with posts, banks and the audit log that a verdict is written to as well."""

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        table: str,
        *,
        posts: PostsTable,
        banks: BankActions,
        actions: OperatorActionsTable,
    ) -> None:
        """`table` by name."""
        self._dynamodb = dynamodb
        self._table = table
        self._posts = posts
        self._banks = banks
        self._actions = actions

    def get(self, review_id: str) -> Review | None:
        """The review, read consistently."""
        return next(iter(self._reviews([review_id])), None)

    def queue(self) -> Iterator[Review]:
        """The reviews that wait, in the order of the queue, a page at a time; the index may lag a moment."""
        for item in self._waiting({"Limit": PAGE}):
            yield from_item(Review, item)

    def waiting(self) -> Iterator[Waiting]:
        """What the figures need of every review that waits."""
        names = {f"#{name}": name for name in WAITING_FIELDS}
        for item in self._waiting({"ProjectionExpression": ", ".join(names)}, names):
            yield _waiting_of(item)

    def desk(self, operator_id: str) -> Desk:
        """What the operator took last, read consistently."""
        with mapped("dynamodb:GetItem", self._table):
            answer = self._dynamodb.get_item(TableName=self._table, Key=_desk_key(operator_id), ConsistentRead=True)
        ids = tuple(value["S"] for value in answer.get("Item", {}).get("held", {}).get("L", []))
        return Desk(ids, tuple(self._reviews(ids)))

    def lock(self, operator_id: str, desk: Desk, locks: Sequence[Lock]) -> tuple[Desk, frozenset[str]]:
        """Lock what can be locked, and write down on the desk what the operator holds now.

        Raises:
            VersionConflict: the same operator took something at the same time.
        """
        lost: set[str] = set()
        waiting = list(locks)
        for _ in range(ATTEMPTS + len(locks)):
            if not waiting:
                return desk, frozenset(lost)
            after = _desk_after(operator_id, desk, waiting)
            groups = [[self._desk_action(operator_id, desk, after)], *(self._lock_actions(lock) for lock in waiting)]
            failed, conflicts = self._transact(groups)
            if not failed and not conflicts:
                return after, frozenset(lost)
            if 0 in failed:
                message = f"the desk of operator {operator_id} was changed at the same time"
                raise VersionConflict(message)
            # A lock that another operator is just taking is as good as taken.
            gone = {index for index in failed | conflicts if index > 0}
            lost |= {waiting[index - 1].before.review_id for index in gone}
            waiting = [lock for index, lock in enumerate(waiting, start=1) if index not in gone]
        message = f"dynamodb:TransactWriteItems on {self._table} kept meeting other transactions"
        raise DependencyUnavailable(message)

    def write(self, step: Step) -> bool:
        """Write a step; False when review or post are not as they were read, and nothing was written."""
        groups: list[list[dict[str, Any]]] = [[self._review_action(step.before, step.after)]]
        if step.change is not None:
            groups.append(self._posts.actions(step.change))
        if step.action is not None:
            at = step.action.at
            removed = [action for entry_id in step.removed for action in self._banks.remove_actions(entry_id, at)]
            groups.append([*removed, *map(self._banks.add_action, step.added), self._actions.action(step.action)])
        if step.after.locked_by is not None:
            groups.append([self._put_on_desk(step.after.locked_by, step.after.review_id)])
        for _ in range(ATTEMPTS):
            failed, conflicts = self._transact(groups)
            if failed:
                return False
            if not conflicts:
                return True
        message = f"dynamodb:TransactWriteItems on {self._table} kept meeting other transactions"
        raise DependencyUnavailable(message)

    def append(self, action: OperatorAction) -> None:
        """Append a line to the log."""
        self._actions.append(action)

    def actions(self, post_id: str) -> Sequence[OperatorAction]:
        """The log of a post, oldest first, read consistently."""
        return self._actions.of_post(post_id)

    def actions_by(self, operator_id: str, since: datetime) -> Sequence[OperatorAction]:
        """An operator's verdicts, skips and undos since a time, oldest first."""
        return self._actions.of_operator(operator_id, since)

    def _reviews(self, review_ids: Sequence[str]) -> list[Review]:
        """The reviews that exist, in this order, read consistently."""
        found: dict[str, Review] = {}
        keys = [values(review_id=review_id) for review_id in dict.fromkeys(review_ids)]
        for _ in range(READ_ATTEMPTS):
            if not keys:
                return [found[review_id] for review_id in review_ids if review_id in found]
            request: Any = {self._table: {"Keys": keys, "ConsistentRead": True}}
            with mapped("dynamodb:BatchGetItem", self._table):
                answer = self._dynamodb.batch_get_item(RequestItems=request)
            for item in answer["Responses"].get(self._table, []):
                if "status" in item:
                    review = from_item(Review, item)
                    found[review.review_id] = review
            unread: dict[str, Any] = dict(answer.get("UnprocessedKeys") or {})
            keys = unread[self._table]["Keys"] if unread else []
        message = f"dynamodb:BatchGetItem on {self._table} left keys unread {READ_ATTEMPTS} times"
        raise DependencyUnavailable(message)

    def _waiting(self, how: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Iterator[Item]:
        query: dict[str, Any] = {
            "TableName": self._table,
            "IndexName": INDEX,
            "KeyConditionExpression": "#status = :waiting",
            "ExpressionAttributeNames": {"#status": "status", **(names or {})},
            "ExpressionAttributeValues": values_with_colon(waiting="waiting"),
            **how,
        }
        while True:
            with mapped("dynamodb:Query", self._table):
                answer = self._dynamodb.query(**query)
            yield from answer["Items"]
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _lock_actions(self, lock: Lock) -> list[dict[str, Any]]:
        update = self._review_action(lock.before, lock.after)
        return [update] if lock.action is None else [update, self._actions.action(lock.action)]

    def _review_action(self, before: Review, after: Review) -> dict[str, Any]:
        """Write what differs, if nobody else changed the review since it was read."""
        old, new = to_item(before), to_item(after)
        changed = [name for name in CHANGED if old.get(name) != new.get(name)]
        expected = ["status", "locked_by", "skips"]
        if before.locked_by is not None and before.locked_by != after.locked_by and after.locked_by is not None:
            # Taken over from somebody whose lock ran out: it must not have been prolonged meanwhile.
            expected.append("locked_until")
        # Only one thing can be done about a settled review: its verdict, and no later one, is taken back.
        if before.verdict is not None:
            expected.append("verdict")
        conditions = [
            f"#{name} = :old_{name}" if name in old else f"attribute_not_exists(#{name})" for name in expected
        ]
        put = [f"#{name} = :{name}" for name in changed if name in new]
        removed = [f"#{name}" for name in changed if name not in new]
        update = " ".join(
            part
            for part in (f"SET {', '.join(put)}" * bool(put), f"REMOVE {', '.join(removed)}" * bool(removed))
            if part
        )
        return {
            "Update": {
                "TableName": self._table,
                "Key": values(review_id=before.review_id),
                "UpdateExpression": update,
                "ConditionExpression": " AND ".join(conditions),
                "ExpressionAttributeNames": {f"#{name}": name for name in {*changed, *expected}},
                "ExpressionAttributeValues": {f":old_{name}": old[name] for name in expected if name in old}
                | {f":{name}": new[name] for name in changed if name in new},
            }
        }

    def _desk_action(self, operator_id: str, before: Desk, after: Desk) -> dict[str, Any]:
        condition = "held = :before" if before.ids else "attribute_not_exists(held) OR held = :before"
        return {
            "Update": {
                "TableName": self._table,
                "Key": _desk_key(operator_id),
                "UpdateExpression": "SET held = :after",
                "ConditionExpression": condition,
                "ExpressionAttributeValues": {":before": _strings(before.ids), ":after": _strings(after.ids)},
            }
        }

    def _put_on_desk(self, operator_id: str, review_id: str) -> dict[str, Any]:
        return {
            "Update": {
                "TableName": self._table,
                "Key": _desk_key(operator_id),
                "UpdateExpression": "SET held = list_append(:new, if_not_exists(held, :none))",
                "ExpressionAttributeValues": {":new": _strings([review_id]), ":none": _strings([])},
            }
        }

    def _transact(self, groups: Sequence[Sequence[Mapping[str, Any]]]) -> tuple[set[int], set[int]]:
        """Write all groups in one transaction; the groups whose condition failed, and those that met another one.

        Nothing was written unless both are empty.
        """
        owners = [index for index, group in enumerate(groups) for _ in group]
        actions: Any = [action for group in groups for action in group]
        with mapped("dynamodb:TransactWriteItems", self._table):
            try:
                self._dynamodb.transact_write_items(TransactItems=actions)
            except ClientError as error:
                failed, conflicts = _refused(error, owners)
                if not failed and not conflicts:
                    raise
                return failed, conflicts
        return set(), set()


def _refused(error: ClientError, owners: Sequence[int]) -> tuple[set[int], set[int]]:
    if error_code(error) != "TransactionCanceledException":
        return set(), set()
    codes = [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])]
    return (
        {owner for owner, code in zip(owners, codes, strict=True) if code == "ConditionalCheckFailed"},
        {owner for owner, code in zip(owners, codes, strict=True) if code == "TransactionConflict"},
    )


def _desk_after(operator_id: str, desk: Desk, locks: Sequence[Lock]) -> Desk:
    """The desk once these are locked: what is still held, then what is new."""
    locked = {lock.after.review_id: lock.after for lock in locks}
    held = {one.review_id: one for one in desk.reviews if one.status == "waiting" and one.locked_by == operator_id}
    reviews = held | locked
    return Desk(tuple(reviews), tuple(reviews.values()))


def _desk_key(operator_id: str) -> Item:
    return values(review_id=f"desk#{operator_id}")


def _strings(texts: Iterable[str]) -> Item:
    return {"L": [{"S": text} for text in texts]}


def _waiting_of(item: Item) -> Waiting:
    # By hand: records of 10,000 reviews would take a second to validate.
    return Waiting(
        reason=cast("ReviewReason", item["reason"]["S"]),
        user_id=item["user_id"]["S"],
        created_at=datetime.fromisoformat(item["created_at"]["S"]),
        due_at=datetime.fromisoformat(item["due_at"]["S"]),
        not_for=item.get("not_for", {}).get("S"),
        skips=tuple(
            (skip["M"]["operator_id"]["S"], datetime.fromisoformat(skip["M"]["at"]["S"])) for skip in item["skips"]["L"]
        ),
        locked_until=datetime.fromisoformat(item["locked_until"]["S"]) if "locked_until" in item else None,
    )
