"""Notices: one for each event, in the reader's language, safe to show."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from pawcast.errors import DependencyUnavailable
from pawcast.mail import Mail, MailRejected
from pawcast.screening.messages import REASONS
from pawcast.screening.notices import CLAIM_FOR, Claim, MailOutcome, Notice, Notifier, User, mail_of, notice_of
from pawcast.screening.post import PostEvent
from tests.support.screening import NOW, OWNER, post_id


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
    desk.inbox.claim(notice_of(an_event()), NOW + CLAIM_FOR, NOW)

    with pytest.raises(DependencyUnavailable, match="another worker"):
        desk.notifier().notify(an_event())


def test_a_worker_that_died_while_mailing_is_replaced_when_its_claim_ends() -> None:
    desk = Desk()
    desk.inbox.claim(notice_of(an_event()), NOW + CLAIM_FOR, NOW)
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
    ],
)
def test_a_user_who_can_not_be_mailed_still_has_the_notice(mailer: FakeMailer, users: FakeUsers, outcome: str) -> None:
    desk = Desk(mailer=mailer, users=users)

    assert outcome == desk.notifier().notify(an_event())
    assert 1 == len(desk.inbox.notices)


@pytest.mark.parametrize("reason", sorted(REASONS))
@pytest.mark.parametrize("event", ["PostHeld", "PostRejected"])
def test_every_reason_is_told_in_both_languages(event: str, reason: str) -> None:
    notice = notice_of(an_event(event=event, reason=reason))

    assert REASONS[reason] == notice.body
    assert all("고양이" in notice.title[language] for language in ("ko", "en"))


def test_mail_is_written_in_the_users_language_with_a_link_to_the_post() -> None:
    user = User(user_id=OWNER, email="jun@example.com", language="en")

    mail = mail_of(notice_of(an_event()), user, "https://pawcast.example")

    assert ("jun@example.com", "Your photo “고양이” is published.") == (mail.to, mail.subject)
    assert f"https://pawcast.example/posts/{post_id(1)}" in mail.text


def test_a_title_can_not_put_markup_into_mail() -> None:
    user = User(user_id=OWNER, email="jun@example.com")

    mail = mail_of(notice_of(an_event(title="<script>alert(1)</script>")), user, "https://pawcast.example")

    assert "<script>" not in mail.html


def test_a_title_with_braces_is_shown_as_it_is() -> None:
    assert "{0}" in notice_of(an_event(title="{0}")).title["en"]
