"""Inboxes and users in DynamoDB."""

from datetime import timedelta

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from pawcast.adapters.notices_table import NoticesTable, UsersTable
from pawcast.screening.notices import CLAIM_FOR, KEEP_FOR, Notice, User, notice_of
from pawcast.screening.post import PostEvent
from tests.support.screening import NOW, OWNER, post_id
from tests.support.template import create_tables


@pytest.fixture
def tables(dynamodb: DynamoDBClient) -> dict[str, str]:
    return create_tables(dynamodb)


@pytest.fixture
def notices(dynamodb: DynamoDBClient, tables: dict[str, str]) -> NoticesTable:
    return NoticesTable(dynamodb, tables["NoticesTable"])


def a_notice(minute: int = 0, user_id: str = OWNER) -> Notice:
    at = NOW + timedelta(minutes=minute)
    return notice_of(
        PostEvent(
            event="PostPublished",
            post_id=post_id(1),
            user_id=user_id,
            title="Cat",
            revision=2,
            occurred_at=at,
        )
    )


def test_a_notice_is_claimed_by_one_until_it_is_mailed(notices: NoticesTable) -> None:
    until = NOW + CLAIM_FOR
    before = [notices.claim(a_notice(), until, NOW), notices.claim(a_notice(), until, NOW)]
    notices.mark_mailed(a_notice(), "sent")

    assert (["claimed", "busy"], "done") == (before, notices.claim(a_notice(), until, NOW))


def test_a_claim_that_ran_out_is_taken_over(notices: NoticesTable) -> None:
    notices.claim(a_notice(), NOW + CLAIM_FOR, NOW)
    later = NOW + CLAIM_FOR + timedelta(seconds=1)

    assert "claimed" == notices.claim(a_notice(), later + CLAIM_FOR, later)


def test_an_inbox_is_newest_first_and_its_owners_only(notices: NoticesTable) -> None:
    for minute in range(3):
        notices.claim(a_notice(minute), NOW, NOW)
    notices.claim(a_notice(user_id="someone-else"), NOW, NOW)

    first = notices.inbox(OWNER, None, 2)
    second = notices.inbox(OWNER, first.next_key, 2)

    assert [a_notice(2), a_notice(1), a_notice(0)] == [*first.items, *second.items]
    assert second.next_key is None


def test_a_notice_ends_by_itself_after_half_a_year(
    notices: NoticesTable, dynamodb: DynamoDBClient, tables: dict[str, str]
) -> None:
    notices.claim(a_notice(), NOW, NOW)

    (item,) = dynamodb.scan(TableName=tables["NoticesTable"])["Items"]

    assert str(int((NOW + KEEP_FOR).timestamp())) == item["expires_at"]["N"]


def test_a_user_is_found_as_last_stored_and_unknown_ones_are_none(
    dynamodb: DynamoDBClient, tables: dict[str, str]
) -> None:
    users = UsersTable(dynamodb, tables["UsersTable"])
    users.put(User(user_id=OWNER, email="old@example.com"))
    users.put(User(user_id=OWNER, email="mina@example.com", language="en"))

    assert (User(user_id=OWNER, email="mina@example.com", language="en"), None) == (
        users.get(OWNER),
        users.get("x"),
    )
