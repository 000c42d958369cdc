"""The reviews that wait, and the mark of what was told, in DynamoDB."""

from datetime import timedelta

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from pawcast.adapters.items import to_item
from pawcast.adapters.waiting_reviews import WaitingReviews
from pawcast.screening.post import ANSWER_WITHIN, PostState
from pawcast.screening.review import Review, ReviewReason, ReviewStatus, review_of
from tests.support.screening import NOW, a_post
from tests.support.template import create_tables

SHIFT = timedelta(hours=8)


@pytest.fixture
def table(dynamodb: DynamoDBClient) -> str:
    return create_tables(dynamodb, "ReviewsTable")["ReviewsTable"]


@pytest.fixture
def reviews(dynamodb: DynamoDBClient, table: str) -> WaitingReviews:
    return WaitingReviews(dynamodb, table)


def store(
    dynamodb: DynamoDBClient,
    table: str,
    number: int,
    *,
    reason: ReviewReason = "flagged",
    status: ReviewStatus = "waiting",
    padding: int = 0,
) -> Review:
    post = a_post(number, state=PostState.IN_REVIEW)
    review = review_of(post, reason, due_at=NOW + ANSWER_WITHIN, now=NOW, text="x" * padding)
    review = review.model_copy(update={"status": status})
    dynamodb.put_item(TableName=table, Item=to_item(review, priority_due_at=review.priority_due_at))
    return review


def test_all_that_wait_are_found_in_the_order_of_the_queue_however_many_pages(
    reviews: WaitingReviews, dynamodb: DynamoDBClient, table: str
) -> None:
    stored = [store(dynamodb, table, number, padding=90_000) for number in range(12)]
    claimed = store(dynamodb, table, 12, reason="claim")
    store(dynamodb, table, 13, status="done")
    store(dynamodb, table, 14, status="closed")

    found = list(reviews.waiting())

    assert claimed == found[0]
    assert {review.review_id for review in (claimed, *stored)} == {review.review_id for review in found}


def test_an_apology_is_marked_once_for_each_time_it_fell_due(
    reviews: WaitingReviews, dynamodb: DynamoDBClient, table: str
) -> None:
    review_id = store(dynamodb, table, 1).review_id

    marked = [reviews.mark_apologised(review_id, due) for due in (NOW, NOW, NOW + SHIFT, NOW, NOW + SHIFT)]

    assert [True, False, True, False, False] == marked
    assert [NOW + SHIFT] == [review.apologised_at for review in reviews.waiting()]


@pytest.mark.parametrize("status", ["done", "closed"])
def test_nothing_is_marked_where_nobody_waits_any_more(
    status: ReviewStatus, reviews: WaitingReviews, dynamodb: DynamoDBClient, table: str
) -> None:
    review_id = store(dynamodb, table, 1, status=status).review_id

    assert (False, False) == (reviews.mark_apologised(review_id, NOW), reviews.mark_apologised("unknown", NOW))
