"""Inboxes and users in DynamoDB."""

import os
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from pawcast.adapters.notices_table import NoticesTable, UsersTable
from pawcast.errors import DependencyUnavailable
from pawcast.mail import Mail
from pawcast.screening.notices import CLAIM_FOR, KEEP_FOR, Notice, Notifier, User, notice_of
from pawcast.screening.post import EventName, PostEvent
from tests.support.screening import NOW, OWNER, post_id
from tests.support.template import create_tables


@pytest.fixture
def tables(dynamodb: DynamoDBClient) -> dict[str, str]:
    return create_tables(dynamodb)


@pytest.fixture
def notices(dynamodb: DynamoDBClient, tables: dict[str, str]) -> NoticesTable:
    return NoticesTable(dynamodb, tables["NoticesTable"])


@pytest.fixture
def users(dynamodb: DynamoDBClient, tables: dict[str, str]) -> UsersTable:
    return UsersTable(dynamodb, tables["UsersTable"])


class SlowMailer:
    """Lets other workers in between claiming and marking."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []

    def send(self, mail: Mail) -> None:
        os.sched_yield()
        self.sent.append(mail)


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
        ),
        at,
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


def test_a_user_is_found_as_last_stored_and_unknown_ones_are_none(users: UsersTable) -> None:
    users.put(User(user_id=OWNER, email="old@example.com"))
    users.put(User(user_id=OWNER, email="mina@example.com", language="en"))

    assert (User(user_id=OWNER, email="mina@example.com", language="en"), None) == (
        users.get(OWNER),
        users.get("x"),
    )


def test_reading_the_inbox_and_changing_the_language_do_not_undo_each_other(users: UsersTable) -> None:
    users.mark_read(OWNER, NOW)
    users.put(User(user_id=OWNER, email="mina@example.com"))
    users.put(User(user_id=OWNER, language="en"))

    assert User(user_id=OWNER, email="mina@example.com", language="en", inbox_read_at=NOW) == users.get(OWNER)


def test_what_was_written_after_the_last_look_is_unread(notices: NoticesTable) -> None:
    for minute in range(3):
        notices.claim(a_notice(minute), NOW, NOW)

    counted = [notices.unread(OWNER, at) for at in (None, NOW, NOW + timedelta(minutes=1, seconds=59), NOW + KEEP_FOR)]

    assert [3, 2, 1, 0] == counted


def test_two_hundred_repeats_of_three_events_at_once_are_one_notice_and_one_mail_of_each(
    notices: NoticesTable, users: UsersTable
) -> None:
    """Interleaved and concurrent, as an at-least-once queue with many workers delivers them."""
    users.put(User(user_id=OWNER, email="mina@example.com"))
    mailer = SlowMailer()
    notifier = Notifier(notices, users, mailer, "https://pawcast.example", lambda: NOW)
    told: tuple[EventName, ...] = ("PostHeld", "PostLate", "PostOverturned")
    events = [
        PostEvent(
            event=name,
            post_id=post_id(number),
            user_id=OWNER,
            title="Cat",
            revision=number,
            occurred_at=NOW,
            reason="human_face",
        )
        for number, name in enumerate(told)
    ]

    def tell(event: PostEvent) -> str:
        try:
            return notifier.notify(event)
        except DependencyUnavailable:
            return "comes back"

    with ThreadPoolExecutor(16) as workers:
        outcomes = list(workers.map(tell, events * 200))
    again = [notifier.notify(event) for event in events]

    assert (3, 3 * 200 - 3) == (outcomes.count("sent"), outcomes.count("repeated") + outcomes.count("comes back"))
    assert ["repeated"] * 3 == again
    assert sorted(event.notice_id for event in events) == sorted(
        notice.notice_id for notice in notices.inbox(OWNER, None, 50).items
    )
    assert 3 == len({mail.subject for mail in mailer.sent}) == len(mailer.sent)
