"""Posts, the tags they are found by, and the reviews they open, in DynamoDB.

A move is one `TransactWriteItems` for the whole batch: post, review and tags are written together or not at all.
When one post of the batch was moved by someone else, DynamoDB cancels the whole transaction and names the culprit:
it is taken out and the rest is written again, so the common case stays one round trip.

Index attributes (`feed`, `unfinished`, `unfinished_since`) are made here from the post, nowhere else.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pawcast.adapters.aws_errors import error_code, mapped
from pawcast.adapters.cursors import refused_cursor
from pawcast.adapters.items import Item, from_item, to_item, values
from pawcast.errors import DependencyUnavailable, VersionConflict
from pawcast.screening.ports import Change, Page
from pawcast.screening.post import Post, PostState, Unfinished

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

FEED = "all"
ACTIONS_PER_TRANSACTION = 100
KEYS_PER_READ = 100
READ_ATTEMPTS = 5


class PostsTable:
    """The posts table with its tags and reviews."""

    def __init__(self, dynamodb: "DynamoDBClient", *, posts: str, tags: str, reviews: str) -> None:
        """Tables by name."""
        self._dynamodb = dynamodb
        self._posts = posts
        self._tags = tags
        self._reviews = reviews

    def get(self, post_id: str) -> Post | None:
        """The post, read consistently."""
        return self.get_many([post_id]).get(post_id)

    def get_many(self, post_ids: Sequence[str]) -> Mapping[str, Post]:
        """The posts that exist, read consistently; keys that DynamoDB leaves unprocessed are asked for again."""
        found: dict[str, Post] = {}
        for chunk in _chunks(list(post_ids), KEYS_PER_READ):
            request: dict[str, Any] = {
                self._posts: {"Keys": [values(post_id=post_id) for post_id in chunk], "ConsistentRead": True}
            }
            for _ in range(READ_ATTEMPTS):
                with mapped("dynamodb:BatchGetItem", self._posts):
                    answer = self._dynamodb.batch_get_item(RequestItems=request)
                for item in answer["Responses"].get(self._posts, []):
                    post = from_item(Post, item)
                    found[post.post_id] = post
                request = dict(answer.get("UnprocessedKeys") or {})
                if not request:
                    break
            else:
                message = f"dynamodb:BatchGetItem on {self._posts} left keys unread {READ_ATTEMPTS} times"
                raise DependencyUnavailable(message)
        return found

    def put_new(self, post: Post) -> None:
        """Store a post that does not exist yet."""
        try:
            with mapped("dynamodb:PutItem", self._posts):
                self._dynamodb.put_item(
                    TableName=self._posts,
                    Item=_post_item(post),
                    ConditionExpression="attribute_not_exists(post_id)",
                )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise
            message = f"post {post.post_id} exists already"
            raise VersionConflict(message) from error

    def save_many(self, changes: Sequence[Change]) -> frozenset[str]:
        """Write each change whose post is still one revision behind; the post ids of those that were not."""
        lost: set[str] = set()
        for group in _groups(changes, self.actions):
            lost |= self._save(group)
        return frozenset(lost)

    def clear_outboxes(self, posts: Sequence[Post]) -> None:
        """Remove the outbox of each post that is still at the given revision."""
        for chunk in _chunks(list(posts), ACTIONS_PER_TRANSACTION):
            waiting = list(chunk)
            while waiting:
                failed = self._transact([[self._clear_action(post)] for post in waiting])
                if not failed:
                    break
                # A post that moved on has a new outbox, or none: not ours to clear.
                waiting = [post for index, post in enumerate(waiting) if index not in failed]

    def postpone(self, post: Post, since: datetime) -> None:
        """Count a post as unfinished only from `since`."""
        try:
            with mapped("dynamodb:UpdateItem", self._posts):
                self._dynamodb.update_item(
                    TableName=self._posts,
                    Key=values(post_id=post.post_id),
                    UpdateExpression="SET unfinished_since = :since",
                    ConditionExpression="revision = :revision AND attribute_exists(unfinished)",
                    ExpressionAttributeValues=values_with_colon(since=since.isoformat(), revision=post.revision),
                )
        except ClientError as error:
            # Somebody finished it in between, which is all that was wanted.
            if error_code(error) != "ConditionalCheckFailedException":
                raise

    def unfinished(self, kind: Unfinished, before: datetime) -> Iterator[Post]:
        """Posts that have been unfinished in this way since before a time, oldest first."""
        query: dict[str, Any] = {
            "TableName": self._posts,
            "IndexName": "by_unfinished",
            "KeyConditionExpression": "unfinished = :kind AND unfinished_since < :before",
            "ExpressionAttributeValues": values_with_colon(kind=kind, before=before.isoformat()),
            "Limit": KEYS_PER_READ,
        }
        while True:
            with mapped("dynamodb:Query", self._posts):
                answer = self._dynamodb.query(**query)
            posts = self.get_many([item["post_id"]["S"] for item in answer["Items"]])
            # The index lags behind the table: what was finished meanwhile is left out.
            yield from (post for post in posts.values() if post.unfinished == kind)
            if "LastEvaluatedKey" not in answer:
                return
            query["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def by_user(self, user_id: str, start: str | None, limit: int) -> Page[Post]:
        """A user's posts, newest first; `start` is the `next_key` of the page before."""
        items, next_key = self._query(
            {"TableName": self._posts, "IndexName": "by_user"},
            ("user_id", user_id),
            "created_at",
            start,
            limit,
        )
        return Page(self._in_order(items), next_key)

    def feed(self, tag: str | None, start: str | None, limit: int) -> Page[Post]:
        """Published posts, newest first, all or those with a tag."""
        if tag is None:
            table = {"TableName": self._posts, "IndexName": "by_feed"}
            items, next_key = self._query(table, ("feed", FEED), "published_at", start, limit)
        else:
            items, next_key = self._query(
                {"TableName": self._tags},
                ("tag", tag),
                "published_at_post_id",
                start,
                limit,
                has_id_in_sort_key=True,
            )
        # What was withdrawn since is still in the index for a moment.
        shown = (post for post in self._in_order(items) if post.state is PostState.PUBLISHED)
        return Page(tuple(shown), next_key)

    def _in_order(self, items: Sequence[Item]) -> tuple[Post, ...]:
        """The posts that index items point to."""
        ids = [item["post_id"]["S"] for item in items]
        posts = self.get_many(ids)
        return tuple(posts[post_id] for post_id in ids if post_id in posts)

    def _query(
        self,
        table: Mapping[str, str],
        partition: tuple[str, str],
        sort: str,
        start: str | None,
        limit: int,
        *,
        has_id_in_sort_key: bool = False,
    ) -> tuple[list[Item], str | None]:
        """One page of an index, newest first. A start key is `<sort key>|<post id>`; the partition is the caller's."""
        name, value = partition
        query: dict[str, Any] = {
            **table,
            "KeyConditionExpression": "#partition = :value",
            "ExpressionAttributeNames": {"#partition": name},
            "ExpressionAttributeValues": values_with_colon(value=value),
            "ScanIndexForward": False,
            "Limit": limit,
        }
        if start is not None:
            sort_value, _, post_id = start.rpartition("|")
            key = {name: value, sort: sort_value}
            query["ExclusiveStartKey"] = values(**key) if has_id_in_sort_key else values(**key, post_id=post_id)
        with mapped("dynamodb:Query", table["TableName"]), refused_cursor(start):
            answer = self._dynamodb.query(**query)
        last = answer.get("LastEvaluatedKey")
        if not last:
            return answer["Items"], None
        post_id = answer["Items"][-1]["post_id"]["S"]
        return answer["Items"], f"{last[sort]['S']}|{post_id}"

    def _save(self, changes: Sequence[Change]) -> set[str]:
        waiting, lost = list(changes), set()
        while waiting:
            failed = self._transact([self.actions(change) for change in waiting])
            if not failed:
                break
            lost |= {waiting[index].post.post_id for index in failed}
            waiting = [change for index, change in enumerate(waiting) if index not in failed]
        return lost

    def _transact(self, groups: Sequence[Sequence[Mapping[str, Any]]]) -> set[int]:
        """Write all groups of actions in one transaction; the indexes of groups whose condition failed.

        Nothing was written when the answer is not empty.
        """
        owners = [index for index, group in enumerate(groups) for _ in group]
        actions: Any = [action for group in groups for action in group]
        try:
            with mapped("dynamodb:TransactWriteItems", self._posts):
                self._dynamodb.transact_write_items(TransactItems=actions)
        except ClientError as error:
            if error_code(error) != "TransactionCanceledException":
                raise
            reasons = [reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])]
            failed = {
                owner for owner, reason in zip(owners, reasons, strict=True) if reason == "ConditionalCheckFailed"
            }
            if not failed:
                raise
            return failed
        return set()

    def actions(self, change: Change) -> list[dict[str, Any]]:
        """What writes a change, as actions of a transaction; the first one is the post's own, with its condition."""
        post = change.post
        actions: list[dict[str, Any]] = [
            {
                "Put": {
                    "TableName": self._posts,
                    "Item": _post_item(post),
                    "ConditionExpression": "revision = :before",
                    "ExpressionAttributeValues": values_with_colon(before=post.revision - 1),
                }
            }
        ]
        if change.review is not None:
            item = to_item(change.review, priority_due_at=change.review.priority_due_at)
            actions.append({"Put": {"TableName": self._reviews, "Item": item}})
        if change.before is not None:
            actions += [{"Delete": {"TableName": self._tags, "Key": key}} for key in _tag_keys(change.before)]
        actions += [
            {"Put": {"TableName": self._tags, "Item": key | values(post_id=post.post_id)}} for key in _tag_keys(post)
        ]
        return actions

    def _clear_action(self, post: Post) -> dict[str, Any]:
        # Told, but perhaps still waiting for something else, such as its erasure.
        left = _index_attributes(post.model_copy(update={"outbox": None}))
        kept = {name: value for name, value in left.items() if name != "feed" and value is not None}
        removed = ["outbox", *(name for name in ("unfinished", "unfinished_since") if name not in kept)]
        assigned = f"SET {', '.join(f'{name} = :{name}' for name in kept)} " if kept else ""
        return {
            "Update": {
                "TableName": self._posts,
                "Key": values(post_id=post.post_id),
                "UpdateExpression": f"{assigned}REMOVE {', '.join(removed)}",
                "ConditionExpression": "revision = :revision",
                "ExpressionAttributeValues": values_with_colon(revision=post.revision, **kept),
            }
        }


def values_with_colon(**fields: str | int) -> Item:
    """Expression attribute values: `since` becomes `:since`."""
    return {f":{name}": value for name, value in values(**fields).items()}


def _tag_keys(post: Post) -> list[Item]:
    """Where a post is listed by tag: nowhere unless it is published."""
    if post.state is not PostState.PUBLISHED or post.published_at is None:
        return []
    sort_key = f"{post.published_at.isoformat()}#{post.post_id}"
    return [values(tag=tag, published_at_post_id=sort_key) for tag in post.tags]


def _post_item(post: Post) -> Item:
    return to_item(post, **_index_attributes(post))


def _index_attributes(post: Post) -> dict[str, str | None]:
    """What the indexes find a post by; None where they do not hold it."""
    since = post.outbox.event.occurred_at if post.outbox else post.since
    if since is None:
        arrived = post.upload.uploaded_at if post.upload else None
        since = post.created_at if post.state is PostState.AWAITING_UPLOAD else arrived
    return {
        "feed": FEED if post.state is PostState.PUBLISHED else None,
        "unfinished": post.unfinished,
        "unfinished_since": since.isoformat() if since and post.unfinished else None,
    }


def _chunks[T](things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(things), size):
        yield things[start : start + size]


def _groups(changes: Sequence[Change], actions: Any) -> Iterator[list[Change]]:
    """Changes in as few transactions as fit; one change is never split."""
    group: list[Change] = []
    size = 0
    for change in changes:
        count = len(actions(change))
        if group and size + count > ACTIONS_PER_TRANSACTION:
            yield group
            group, size = [], 0
        group.append(change)
        size += count
    if group:
        yield group
