"""Notices: one for each event, in the reader's language, safe to show."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawcast.errors import DependencyUnavailable
from pawcast.languages import Language
from pawcast.mail import Mail, MailRejected
from pawcast.screening.messages import BODIES, REASONS, REMEDIES
from pawcast.screening.notices import (
    CLAIM_FOR,
    PUBLIC,
    Claim,
    MailOutcome,
    Notice,
    Notifier,
    User,
    mail_of,
    notice_of,
)
from pawcast.screening.post import EventName, PostEvent
from pawcast.screening.remedies import APPEALABLE, COVERABLE
from tests.support.screening import NOW, OWNER, post_id

LANGUAGES: tuple[Language, ...] = ("ko", "en")


def an_event(**changes: object) -> PostEvent:
    fields = {
        "event": "PostPublished",
        "post_id": post_id(1),
        "user_id": OWNER,
        "title": "고양이",
        "revision": 2,
        "occurred_at": NOW,
    }
    return PostEvent.model_validate(fields | changes)


@dataclass
class FakeInbox:
    notices: dict[str, Notice] = field(default_factory=dict)
    claims: dict[str, datetime] = field(default_factory=dict)
    mails: dict[str, MailOutcome] = field(default_factory=dict)

    def claim(self, notice: Notice, until: datetime, now: datetime) -> Claim:
        if notice.notice_id in self.mails:
            return "done"
        if self.claims.get(notice.notice_id, now) > now:
            return "busy"
        self.notices[notice.notice_id] = notice
        self.claims[notice.notice_id] = until
        return "claimed"

    def mark_mailed(self, notice: Notice, outcome: MailOutcome) -> None:
        self.mails[notice.notice_id] = outcome


@dataclass
class FakeUsers:
    users: dict[str, User] = field(default_factory=lambda: {OWNER: User(user_id=OWNER, email="mina@example.com")})

    def get(self, user_id: str) -> User | None:
        return self.users.get(user_id)


@dataclass
class FakeMailer:
    sent: list[Mail] = field(default_factory=list)
    error: Exception | None = None

    def send(self, mail: Mail) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append(mail)


@dataclass
class Desk:
    inbox: FakeInbox = field(default_factory=FakeInbox)
    users: FakeUsers = field(default_factory=FakeUsers)
    mailer: FakeMailer = field(default_factory=FakeMailer)
    now: datetime = NOW

    def notifier(self) -> Notifier:
        return Notifier(self.inbox, self.users, self.mailer, "https://pawcast.example", lambda: self.now)


def test_two_hundred_repeats_of_one_event_make_one_notice_and_one_mail() -> None:
    desk = Desk()

    outcomes = [desk.notifier().notify(an_event()) for _ in range(200)]

    assert (["sent"] + ["repeated"] * 199, 1, 1) == (outcomes, len(desk.inbox.notices), len(desk.mailer.sent))


def test_two_moves_of_one_post_are_two_notices() -> None:
    desk = Desk()

    desk.notifier().notify(an_event(event="PostHeld", revision=2, reason="human_face_suspected"))
    desk.notifier().notify(an_event(revision=3))

    assert 2 == len(desk.mailer.sent)


def test_while_one_worker_mails_another_waits_its_turn() -> None:
    desk = Desk()
    desk.inbox.claim(notice_of(an_event(), NOW), NOW + CLAIM_FOR, NOW)

    with pytest.raises(DependencyUnavailable, match="another worker"):
        desk.notifier().notify(an_event())


def test_a_worker_that_died_while_mailing_is_replaced_when_its_claim_ends() -> None:
    desk = Desk()
    desk.inbox.claim(notice_of(an_event(), NOW), NOW + CLAIM_FOR, NOW)
    desk.now = NOW + CLAIM_FOR + timedelta(seconds=1)

    assert "sent" == desk.notifier().notify(an_event())


def test_a_failing_mail_service_leaves_the_notice_in_the_inbox_and_the_mail_for_later() -> None:
    desk = Desk(mailer=FakeMailer(error=DependencyUnavailable("ses:SendEmail")))

    with pytest.raises(DependencyUnavailable):
        desk.notifier().notify(an_event())

    assert (1, {}) == (len(desk.inbox.notices), desk.inbox.mails)


@pytest.mark.parametrize(
    ("mailer", "users", "outcome"),
    [
        (FakeMailer(error=MailRejected("suppressed")), FakeUsers(), "rejected"),
        (FakeMailer(), FakeUsers({}), "no_address"),
        (FakeMailer(), FakeUsers({OWNER: User(user_id=OWNER)}), "no_address"),
    ],
)
def test_a_user_who_can_not_be_mailed_still_has_the_notice(mailer: FakeMailer, users: FakeUsers, outcome: str) -> None:
    desk = Desk(mailer=mailer, users=users)

    assert outcome == desk.notifier().notify(an_event())
    assert 1 == len(desk.inbox.notices)


@pytest.mark.parametrize("reason", sorted(REASONS))
@pytest.mark.parametrize("event", ["PostHeld", "PostRejected", "MosaicFailed"])
def test_every_reason_is_told_in_both_languages(event: str, reason: str) -> None:
    notice = notice_of(an_event(event=event, reason=reason), NOW)

    for language in LANGUAGES:
        assert notice.body[language].startswith(REASONS[reason][language])
        assert "고양이" in notice.title[language]


@pytest.mark.parametrize("event", ["PostPublished", "PostOverturned", "PostLate", "MosaicReady"])
def test_a_reason_of_an_earlier_state_is_not_told_again(event: str) -> None:
    notice = notice_of(an_event(event=event, reason="human_face_suspected"), NOW)

    assert (None, BODIES[event]) == (notice.reason, notice.body)


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_a_rejection_offers_what_can_be_done_about_it_and_nothing_else(reason: str) -> None:
    notice = notice_of(an_event(event="PostRejected", reason=reason), NOW)

    offered = {name for name, text in REMEDIES.items() if text["ko"] in notice.body["ko"]}
    assert (reason in APPEALABLE, reason in COVERABLE) == ("appeal" in offered, "mosaic" in offered)


@pytest.mark.parametrize("event", get_args(EventName))
@pytest.mark.parametrize("language", LANGUAGES)
def test_mail_leads_to_the_page_where_something_can_be_done(event: EventName, language: Language) -> None:
    notice = notice_of(an_event(event=event, reason="human_face"), NOW)

    mail = mail_of(notice, to="jun@example.com", language=language, base_url="https://pawcast.example")

    page = "index.html" if event in PUBLIC else "mine.html"
    link = f"https://pawcast.example/{page}#{post_id(1)}"
    assert link in mail.text
    assert f'href="{link}"' in mail.html
    assert (notice.title[language], f'lang="{language}"' in mail.html) == (mail.subject, True)
    assert notice.body[language] in mail.text


class TagReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)


@given(st.text(min_size=1, max_size=100))
def test_nothing_in_a_title_becomes_markup_in_mail(title: str) -> None:
    notice = notice_of(an_event(title=title), NOW)
    mail = mail_of(notice, to="jun@example.com", language="ko", base_url="https://pawcast.example")

    reader = TagReader()
    reader.feed(mail.html)

    assert ["html", "body", "h1", "p", "p", "a"] == reader.tags


def test_a_title_with_braces_is_shown_as_it_is() -> None:
    assert "{0}" in notice_of(an_event(title="{0}"), NOW).title["en"]


def test_a_notice_is_dated_by_when_it_was_written_so_that_an_inbox_read_before_does_not_hide_it() -> None:
    desk = Desk(now=NOW + timedelta(minutes=9))

    desk.notifier().notify(an_event(event="PostLate", revision=0))

    (notice,) = desk.inbox.notices.values()
    assert (NOW + timedelta(minutes=9), NOW.isoformat()) == (notice.created_at, notice.notice_id.split("#")[0])
