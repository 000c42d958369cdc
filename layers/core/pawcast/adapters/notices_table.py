"""Inboxes and users in DynamoDB. The users table is the only one that holds a mail address."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pawcast.adapters.aws_errors import error_code, mapped
from pawcast.adapters.cursors import refused_cursor
from pawcast.adapters.items import from_item, to_item, values
from pawcast.screening.notices import KEEP_FOR, Claim, MailOutcome, Notice, User
from pawcast.screening.ports import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

UNREAD_AT_MOST = 100
_MAY_CLAIM = "attribute_not_exists(notice_id) OR (attribute_not_exists(mail) AND claimed_until < :now)"


class NoticesTable:
    """Notices by user, newest last; `mail` holds how the mail of a notice ended, `claimed_until` who is at it."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        """`table` by name."""
        self._dynamodb = dynamodb
        self._table = table

    def claim(self, notice: Notice, until: datetime, now: datetime) -> Claim:
        """Store the notice if new, and take the right to mail it until a time."""
        item = to_item(
            notice,
            claimed_until=until.isoformat(),
            expires_at=int((notice.created_at + KEEP_FOR).timestamp()),
        )
        try:
            with mapped("dynamodb:PutItem", self._table):
                self._dynamodb.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression=_MAY_CLAIM,
                    ExpressionAttributeValues={":now": {"S": now.isoformat()}},
                )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            return "done" if self._is_mailed(notice) else "busy"
        return "claimed"

    def mark_mailed(self, notice: Notice, outcome: MailOutcome) -> None:
        """Write down that the mail is settled."""
        with mapped("dynamodb:UpdateItem", self._table):
            self._dynamodb.update_item(
                TableName=self._table,
                Key=values(user_id=notice.user_id, notice_id=notice.notice_id),
                UpdateExpression="SET mail = :outcome REMOVE claimed_until",
                ExpressionAttributeValues={":outcome": {"S": outcome}},
            )

    def inbox(self, user_id: str, start: str | None, limit: int) -> Page[Notice]:
        """A user's notices, newest first; `start` is the `next_key` of the page before."""
        query: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "user_id = :user",
            "ExpressionAttributeValues": {":user": {"S": user_id}},
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if start is not None:
            query["ExclusiveStartKey"] = values(user_id=user_id, notice_id=start)
        with mapped("dynamodb:Query", self._table), refused_cursor(start):
            answer = self._dynamodb.query(**query)
        last = answer.get("LastEvaluatedKey")
        notices = tuple(from_item(Notice, item) for item in answer["Items"])
        return Page(notices, last["notice_id"]["S"] if last else None)

    def unread(self, user_id: str, read_at: datetime | None) -> int:
        """How many of a user's newest `UNREAD_AT_MOST` notices were written after they last looked."""
        newest = self.inbox(user_id, None, UNREAD_AT_MOST).items
        return sum(read_at is None or notice.created_at > read_at for notice in newest)

    def _is_mailed(self, notice: Notice) -> bool:
        key = values(user_id=notice.user_id, notice_id=notice.notice_id)
        with mapped("dynamodb:GetItem", self._table):
            answer = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return "mail" in answer.get("Item", {})


class UsersTable:
    """Addresses and languages."""

    def __init__(self, dynamodb: "DynamoDBClient", table: str) -> None:
        """`table` by name."""
        self._dynamodb = dynamodb
        self._table = table

    def get(self, user_id: str) -> User | None:
        """The user, None when unknown or deleted."""
        with mapped("dynamodb:GetItem", self._table):
            answer = self._dynamodb.get_item(TableName=self._table, Key=values(user_id=user_id))
        return from_item(User, answer["Item"]) if "Item" in answer else None

    def put(self, user: User) -> None:
        """Store address and language as the latest request said; when the inbox was read stays as it is."""
        known = {"email": user.email} if user.email is not None else {}
        self._set(user.user_id, language=user.language, **known)

    def mark_read(self, user_id: str, at: datetime) -> None:
        """Count every notice written until `at` as read."""
        self._set(user_id, inbox_read_at=at.isoformat())

    def _set(self, user_id: str, **fields: str) -> None:
        with mapped("dynamodb:UpdateItem", self._table):
            self._dynamodb.update_item(
                TableName=self._table,
                Key=values(user_id=user_id),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in fields),
                ExpressionAttributeNames={f"#{name}": name for name in fields},
                ExpressionAttributeValues={f":{name}": value for name, value in values(**fields).items()},
            )
