"""Writes what uploaders and visitors do about a decision: post, reviews, banks and reports in one transaction."""

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pawcast.adapters.aws_errors import error_code, mapped
from pawcast.adapters.bank_log import BankLog
from pawcast.adapters.items import from_item, to_item, values
from pawcast.adapters.operator_actions_table import OperatorActionsTable
from pawcast.adapters.posts_table import PostsTable
from pawcast.errors import DependencyUnavailable
from pawcast.screening.operator_actions import OperatorAction, standing_entries
from pawcast.screening.post import Post
from pawcast.screening.remedies_api import Deed
from pawcast.screening.review import Review

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

READ_ATTEMPTS = 5
KEYS_PER_READ = 100


class RemediesTable:
    """Reviews, banks and reports as the remedies need them."""

    def __init__(
        self,
        dynamodb: "DynamoDBClient",
        *,
        posts: PostsTable,
        reviews: str,
        claims: str,
        banks: BankLog,
        actions: OperatorActionsTable,
    ) -> None:
        """`reviews` and `claims` by name."""
        self._dynamodb = dynamodb
        self._posts = posts
        self._reviews = reviews
        self._claims = claims
        self._banks = banks
        self._actions = actions

    def write(self, deed: Deed) -> bool:
        """Write a deed; False when the post or a review is not as it was read, or the report is there already."""
        actions: list[Any] = self._posts.actions(deed.change)
        if deed.claim is not None:
            actions.append(
                {
                    "Put": {
                        "TableName": self._claims,
                        "Item": to_item(deed.claim),
                        "ConditionExpression": "attribute_not_exists(user_id)",
                    }
                }
            )
        for before, after in deed.closed:
            actions.append(
                {
                    "Put": {
                        "TableName": self._reviews,
                        "Item": to_item(after, priority_due_at=after.priority_due_at),
                        # A verdict given meanwhile has moved the post too; this is for those that move nothing.
                        "ConditionExpression": "#status = :status",
                        "ExpressionAttributeNames": {"#status": "status"},
                        "ExpressionAttributeValues": {":status": {"S": before.status}},
                    }
                }
            )
        for entry_id in deed.removed:
            actions += self._banks.remove_actions(entry_id, deed.at)
        try:
            with mapped("dynamodb:TransactWriteItems"):
                self._dynamodb.transact_write_items(TransactItems=actions)
        except ClientError as error:
            if error_code(error) != "TransactionCanceledException":
                raise
            return False
        return True

    def has_claimed(self, post_id: str, user_id: str) -> bool:
        """Whether this person has reported this post, read consistently."""
        with mapped("dynamodb:GetItem", self._claims):
            answer = self._dynamodb.get_item(
                TableName=self._claims, Key=values(post_id=post_id, user_id=user_id), ConsistentRead=True
            )
        return "Item" in answer

    def review(self, review_id: str) -> Review | None:
        """The review, read consistently."""
        return next(iter(self._read([review_id])), None)

    def reviews_of(self, post: Post) -> list[Review]:
        """Every review that the post has opened: their ids are its own with a revision."""
        ids = [f"{post.post_id}-{revision}" for revision in range(1, post.revision + 1)]
        return [
            review for start in range(0, len(ids), KEYS_PER_READ) for review in self._read(ids[start:][:KEYS_PER_READ])
        ]

    def cleared_entries(self, post_id: str) -> list[str]:
        """Entries of the cleared bank that operators' verdicts on this post put there and that still stand."""
        log = self._actions.of_post(post_id)
        versions = {line.photo_version for line in log}
        standing: list[OperatorAction] = [line for version in versions for line in standing_entries(log, version)]
        return [line.bank_added for line in standing if line.bank == "cleared" and line.bank_added is not None]

    def _read(self, review_ids: list[str]) -> list[Review]:
        keys: list[Any] = [values(review_id=review_id) for review_id in review_ids]
        reviews: list[Review] = []
        for _ in range(READ_ATTEMPTS):
            if not keys:
                return reviews
            with mapped("dynamodb:BatchGetItem", self._reviews):
                answer = self._dynamodb.batch_get_item(
                    RequestItems={self._reviews: {"Keys": keys, "ConsistentRead": True}}
                )
            reviews += [from_item(Review, item) for item in answer["Responses"].get(self._reviews, [])]
            unread: dict[str, Any] = dict(answer.get("UnprocessedKeys") or {})
            keys = unread[self._reviews]["Keys"] if unread else []
        message = f"dynamodb:BatchGetItem on {self._reviews} left keys unread {READ_ATTEMPTS} times"
        raise DependencyUnavailable(message)
