"""Notices: what an uploader reads in the inbox and in mail, and how each is sent once however often it is asked for.

A notice's id follows from its event, so a repeated event meets the notice that is there. Mail has no such key: the
sender claims a notice for a while, mails, then marks it. Two senders at once therefore send one mail; only a crash
between mailing and marking can send a second.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Literal, Protocol

from pydantic import AwareDatetime

from pawcast.errors import DependencyUnavailable
from pawcast.languages import Language, Text
from pawcast.mail import Mail, Mailer, MailRejected
from pawcast.screening.messages import BODIES, LOOK_AT_POST, NOTICES, OPEN_MY_POSTS, REASONS, REMEDIES
from pawcast.screening.ports import Clock
from pawcast.screening.post import EventName, PostEvent, PostId, Record
from pawcast.screening.remedies import APPEALABLE, COVERABLE

CLAIM_FOR = timedelta(seconds=60)
KEEP_FOR = timedelta(days=180)

# The reason that an event carries is told with these; elsewhere it would be that of an earlier state.
TOLD_WITH_REASON: frozenset[EventName] = frozenset({"PostHeld", "PostRejected", "MosaicFailed"})
PUBLIC: frozenset[EventName] = frozenset({"PostPublished", "PostOverturned"})

MailOutcome = Literal["sent", "rejected", "no_address"]
Claim = Literal["claimed", "busy", "done"]


class Notice(Record):
    """One notice of one user, in both languages: the reader's choice may change after it was written."""

    user_id: str
    notice_id: str
    post_id: PostId
    kind: EventName
    reason: str | None = None
    title: Text
    body: Text
    created_at: AwareDatetime
    read: bool = False


class User(Record):
    """Where and in which language a user is told; notices written until `inbox_read_at` have been read."""

    user_id: str
    email: str | None = None
    language: Language = "ko"
    inbox_read_at: AwareDatetime | None = None


class Notices(Protocol):
    """Inboxes."""

    def claim(self, notice: Notice, until: datetime, now: datetime) -> Claim:
        """Store the notice if new, and take the right to mail it until a time."""
        ...

    def mark_mailed(self, notice: Notice, outcome: MailOutcome) -> None:
        """Write down that the mail is settled."""
        ...


class Users(Protocol):
    """Addresses and languages."""

    def get(self, user_id: str) -> User | None:
        """The user, None when unknown or deleted."""
        ...


def notice_of(event: PostEvent, now: datetime) -> Notice:
    """The notice that tells `event`, written into the inbox at `now`."""
    title = NOTICES[event.event]
    parts = tuple(_body_of(event))
    return Notice(
        user_id=event.user_id,
        notice_id=event.notice_id,
        post_id=event.post_id,
        kind=event.event,
        reason=event.reason if event.event in TOLD_WITH_REASON else None,
        title=Text(ko=title["ko"].format(title=event.title), en=title["en"].format(title=event.title)),
        body=Text(ko=" ".join(part["ko"] for part in parts), en=" ".join(part["en"] for part in parts)),
        created_at=now,
    )


def _body_of(event: PostEvent) -> Iterator[Text]:
    """What happened, and what can be done."""
    if event.event in TOLD_WITH_REASON and event.reason is not None:
        yield REASONS[event.reason]
    if event.event in BODIES:
        yield BODIES[event.event]
    if event.event == "PostRejected":
        if event.reason in APPEALABLE and not event.appealed:
            yield REMEDIES["appeal"]
        if event.reason in COVERABLE and not event.covered:
            yield REMEDIES["mosaic"]


def mail_of(notice: Notice, *, to: str, language: Language, base_url: str) -> Mail:
    """The mail that carries `notice`, as text and HTML; everything in it is escaped, titles are people's own text."""
    title, body = notice.title[language], notice.body[language]
    page, look = ("index.html", LOOK_AT_POST) if notice.kind in PUBLIC else ("mine.html", OPEN_MY_POSTS)
    link, label = f"{base_url}/{page}#{notice.post_id}", look[language]
    html = (
        f'<!doctype html><html lang="{language}"><body style="font-family:sans-serif;line-height:1.6">'
        f'<h1 style="font-size:1.2em">{escape(title)}</h1><p>{escape(body)}</p>'
        f'<p><a href="{escape(link)}">{escape(label)}</a></p></body></html>'
    )
    return Mail(to=to, subject=title, text=f"{title}\n\n{body}\n\n{label}: {link}\n", html=html)


@dataclass(frozen=True)
class Notifier:
    """Puts notices into inboxes and mails them."""

    notices: Notices
    users: Users
    mailer: Mailer
    base_url: str
    now: Clock

    def notify(self, event: PostEvent) -> MailOutcome | Literal["repeated"]:
        """Tell one event; "repeated" when it was told before.

        Raises:
            DependencyUnavailable: a service failed, or another worker is telling it right now: try again later.
        """
        now = self.now()
        notice = notice_of(event, now)
        claim = self.notices.claim(notice, now + CLAIM_FOR, now)
        if claim == "done":
            return "repeated"
        if claim == "busy":
            message = f"notice of post {notice.post_id} is being mailed by another worker"
            raise DependencyUnavailable(message)
        outcome = self._mail(notice)
        self.notices.mark_mailed(notice, outcome)
        return outcome

    def _mail(self, notice: Notice) -> MailOutcome:
        user = self.users.get(notice.user_id)
        if user is None or user.email is None:
            return "no_address"
        try:
            self.mailer.send(mail_of(notice, to=user.email, language=user.language, base_url=self.base_url))
        except MailRejected:
            return "rejected"
        return "sent"
