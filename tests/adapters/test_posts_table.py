"""Posts in DynamoDB: conditional moves in one transaction, pages, and the index of what is unfinished."""

from datetime import timedelta
from typing import Any, get_args

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from pawcast.adapters.posts_table import PostsTable
from pawcast.errors import DependencyUnavailable, InvalidRequest, VersionConflict
from pawcast.screening.ports import Change
from pawcast.screening.post import Post, PostState, Unfinished, move, outbox_of
from pawcast.screening.review import review_of
from tests.support.screening import NOW, OWNER, a_post, an_upload, post_id
from tests.support.template import create_tables


@pytest.fixture
def tables(dynamodb: DynamoDBClient) -> dict[str, str]:
    return create_tables(dynamodb)


@pytest.fixture
def posts(dynamodb: DynamoDBClient, tables: dict[str, str]) -> PostsTable:
    return PostsTable(dynamodb, posts=tables["PostsTable"], tags=tables["TagsTable"], reviews=tables["ReviewsTable"])


def screening(number: int = 1, **changes: object) -> Post:
    return move(a_post(number, **changes), PostState.SCREENING, upload=an_upload(number))


def published(number: int = 1, minute: int = 0, **changes: object) -> Post:
    at = NOW + timedelta(minutes=minute)
    post = move(screening(number, **changes), PostState.PUBLISHED, published_at=at, decided_at=at)
    return post.model_copy(update={"outbox": outbox_of(post, at)})


def put(posts: PostsTable, *stored: Post) -> None:
    """Bring posts to where they are, move by move."""
    for post in stored:
        start = post.model_copy(
            update={
                "state": PostState.AWAITING_UPLOAD,
                "revision": 0,
                "upload": None,
                "outbox": None,
                "published_at": None,
            }
        )
        posts.put_new(start)
        for revision in range(1, post.revision + 1):
            step = (
                post
                if revision == post.revision
                else start.model_copy(update={"revision": revision, "state": PostState.SCREENING})
            )
            assert frozenset() == posts.save_many([Change(step)])


def test_a_post_comes_back_as_it_was_stored(posts: PostsTable) -> None:
    post = published()
    put(posts, post)

    assert post == posts.get(post.post_id)


def test_an_id_is_given_once(posts: PostsTable) -> None:
    posts.put_new(a_post())

    with pytest.raises(VersionConflict, match="exists already"):
        posts.put_new(a_post(title="Another"))


def test_posts_that_do_not_exist_are_left_out(posts: PostsTable) -> None:
    posts.put_new(a_post(1))

    assert [post_id(1)] == list(posts.get_many([post_id(1), post_id(2)]))


def test_a_move_and_its_review_are_written_together(
    posts: PostsTable, dynamodb: DynamoDBClient, tables: dict[str, str]
) -> None:
    put(posts, screening())
    held = move(screening(), PostState.IN_REVIEW, decided_at=NOW)
    review = review_of(held, "flagged", due_at=NOW + timedelta(hours=1), now=NOW)

    lost = posts.save_many([Change(held, review)])

    answer = dynamodb.query(
        TableName=tables["ReviewsTable"],
        IndexName="by_status",
        KeyConditionExpression="#s = :s",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": {"S": "waiting"}},
    )
    assert (frozenset(), [review.review_id]) == (lost, [item["review_id"]["S"] for item in answer["Items"]])


def test_a_stale_move_is_named_and_the_others_are_written(posts: PostsTable) -> None:
    put(posts, screening(1), screening(2))
    first = move(screening(1), PostState.REJECTED, reason="empty_file")
    posts.save_many([Change(first)])

    lost = posts.save_many(
        [
            Change(move(screening(1), PostState.PUBLISHED)),
            Change(move(screening(2), PostState.REJECTED, reason="too_small")),
        ]
    )

    assert {post_id(1)} == lost
    assert ("empty_file", "too_small") == tuple(getattr(posts.get(post_id(n)), "reason", None) for n in (1, 2))


def test_more_moves_than_one_transaction_holds_are_all_written(posts: PostsTable) -> None:
    tags = tuple(f"tag-{n}" for n in range(10))
    put(posts, *(screening(number, tags=tags) for number in range(12)))

    lost = posts.save_many([Change(published(number, tags=tags)) for number in range(12)])

    assert (frozenset(), 12) == (lost, len(posts.feed("tag-3", None, 50).items))


def test_the_feed_is_newest_first_and_goes_on_where_it_stopped(posts: PostsTable) -> None:
    put(posts, *(published(number, minute=number) for number in range(5)))

    first = posts.feed(None, None, 2)
    second = posts.feed(None, first.next_key, 2)
    third = posts.feed(None, second.next_key, 2)

    assert [4, 3, 2, 1, 0] == [int(post.post_id, 16) for page in (first, second, third) for post in page.items]
    assert third.next_key is None


def test_a_tag_has_its_own_feed(posts: PostsTable) -> None:
    put(posts, published(1, 1, tags=("cat",)), published(2, 2, tags=("dog", "cat")), published(3, 3, tags=()))

    first = posts.feed("cat", None, 1)
    second = posts.feed("cat", first.next_key, 5)

    assert [2, 1] == [int(post.post_id, 16) for post in (*first.items, *second.items)]
    assert () == posts.feed("bird", None, 5).items


def test_a_post_that_is_no_longer_published_leaves_the_feed(posts: PostsTable) -> None:
    put(posts, published())
    posts.save_many([Change(move(published(), PostState.WITHDRAWN, outbox=None))])

    assert ((), ()) == (posts.feed(None, None, 5).items, posts.feed("cat", None, 5).items)


def test_a_user_sees_own_posts_only(posts: PostsTable) -> None:
    posts.put_new(a_post(1))
    posts.put_new(a_post(2, created_at=NOW))
    posts.put_new(a_post(3, user_id="someone-else"))

    page = posts.by_user(OWNER, None, 1)
    rest = posts.by_user(OWNER, page.next_key, 5)

    assert [2, 1] == [int(post.post_id, 16) for post in (*page.items, *rest.items)]


@pytest.mark.parametrize("start", ["", "nonsense", "|", "2026|"])
def test_a_start_key_that_dynamodb_refuses_is_the_callers_mistake(
    posts: PostsTable, dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    def refuse(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ValidationException"}}, "Query")

    monkeypatch.setattr(dynamodb, "query", refuse)

    for tag in (None, "cat"):
        with pytest.raises(InvalidRequest, match="cursor"):
            posts.feed(tag, start, 5)
    with pytest.raises(InvalidRequest, match="cursor"):
        posts.by_user(OWNER, start, 5)
    with pytest.raises(ClientError):
        posts.feed(None, None, 5)


def test_an_outbox_is_cleared_unless_the_post_moved_on(posts: PostsTable) -> None:
    put(posts, published(1), published(2))
    posts.save_many([Change(move(published(2), PostState.WITHDRAWN))])

    posts.clear_outboxes([published(1), published(2)])

    first, second = posts.get(post_id(1)), posts.get(post_id(2))
    assert first is not None
    assert second is not None
    assert (True, False) == (first.outbox is None, second.outbox is None)


def test_what_is_unfinished_is_found_oldest_first_until_it_is_finished(posts: PostsTable) -> None:
    posts.put_new(a_post(1, created_at=NOW - timedelta(hours=1)))
    posts.put_new(a_post(2, created_at=NOW - timedelta(hours=2)))
    put(posts, published(3))
    posts.clear_outboxes([published(3)])

    found = {kind: [int(post.post_id, 16) for post in posts.unfinished(kind, NOW)] for kind in get_args(Unfinished)}

    assert {
        "awaiting_upload": [2, 1],
        "screening": [],
        "announcing": [],
        "mosaicking": [],
        "erasing": [],
    } == found


def test_a_postponed_post_is_found_later(posts: PostsTable) -> None:
    posts.put_new(a_post())

    posts.postpone(a_post(), NOW)
    posts.postpone(a_post(revision=5), NOW + timedelta(hours=9))  # somebody moved it: nothing happens

    assert [] == list(posts.unfinished("awaiting_upload", NOW))
    assert 1 == len(list(posts.unfinished("awaiting_upload", NOW + timedelta(seconds=1))))


def test_keys_that_stay_unread_are_trouble_that_passes(
    posts: PostsTable, dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unread(RequestItems: object) -> dict[str, object]:
        return {"Responses": {}, "UnprocessedKeys": RequestItems}

    monkeypatch.setattr(dynamodb, "batch_get_item", unread)

    with pytest.raises(DependencyUnavailable, match="left keys unread"):
        posts.get(post_id(1))


def cancelled(*codes: str) -> ClientError:
    reasons = [{"Code": code} for code in codes]
    answer: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
    return ClientError(answer, "TransactWriteItems")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (cancelled("TransactionConflict", "None"), DependencyUnavailable),
        (cancelled("ThrottlingError", "None"), DependencyUnavailable),
        (cancelled("ValidationError", "None"), ClientError),
        (ClientError({"Error": {"Code": "AccessDeniedException"}}, "TransactWriteItems"), ClientError),
    ],
)
def test_a_transaction_that_fails_for_another_reason_than_a_stale_post_names_nobody(
    posts: PostsTable,
    dynamodb: DynamoDBClient,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    expected: type[Exception],
) -> None:
    def fail(**_: Any) -> None:
        raise error

    monkeypatch.setattr(dynamodb, "transact_write_items", fail)

    with pytest.raises(expected):
        posts.save_many([Change(screening(1)), Change(screening(2))])


def test_a_post_that_conflicts_while_another_is_stale_is_written_on_the_next_try(
    posts: PostsTable, dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(posts, screening(2))
    write, answers = dynamodb.transact_write_items, [cancelled("ConditionalCheckFailed", "TransactionConflict")]

    def first_cancelled(**request: Any) -> Any:
        if answers:
            raise answers.pop()
        return write(**request)

    monkeypatch.setattr(dynamodb, "transact_write_items", first_cancelled)
    lost = posts.save_many([Change(screening(1)), Change(move(screening(2), PostState.REJECTED, reason="too_small"))])

    stored = posts.get(post_id(2))
    assert {post_id(1)} == lost
    assert stored is not None
    assert "too_small" == stored.reason
