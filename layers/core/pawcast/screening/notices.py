"""Notices: what an uploader reads in the inbox and in mail, and how each is sent once however often it is asked for.

A notice's id follows from its event, so a repeated event meets the notice that is there. Mail has no such key: the
sender claims a notice for a while, mails, then marks it. Two senders at once therefore send one mail; only a crash
between mailing and marking can send a second.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Literal, Protocol

from pydantic import AwareDatetime

from pawcast.errors import DependencyUnavailable
from pawcast.languages import Text
from pawcast.mail import Mail, Mailer, MailRejected
from pawcast.screening.messages import NOTICES, PUBLISHED_BODY, REASONS
from pawcast.screening.ports import Clock
from pawcast.screening.post import PostEvent, PostId, Record

CLAIM_FOR = timedelta(seconds=60)
KEEP_FOR = timedelta(days=180)

MailOutcome = Literal["sent", "rejected", "no_address"]
Claim = Literal["claimed", "busy", "done"]


class Notice(Record):
    """One notice of one user, in both languages: the reader's choice may change after it was written."""

    user_id: str
    notice_id: str
    post_id: PostId
    kind: str
    reason: str | None = None
    title: Text
    body: Text
    created_at: AwareDatetime
    read: bool = False


class User(Record):
    """Where and in which language a user is told."""

    user_id: str
    email: str
    language: Literal["ko", "en"] = "ko"


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


def notice_of(event: PostEvent) -> Notice:
    """The notice that tells `event`."""
    title = NOTICES[event.event]
    return Notice(
        user_id=event.user_id,
        notice_id=event.notice_id,
        post_id=event.post_id,
        kind=event.event,
        reason=event.reason,
        title=Text(ko=title["ko"].format(title=event.title), en=title["en"].format(title=event.title)),
        body=REASONS[event.reason] if event.reason is not None else PUBLISHED_BODY,
        created_at=event.occurred_at,
    )


def mail_of(notice: Notice, user: User, base_url: str) -> Mail:
    """The mail that carries `notice` to `user`, as text and HTML; titles are other people's text and are escaped."""
    title, body = notice.title[user.language], notice.body[user.language]
    link = f"{base_url}/posts/{notice.post_id}"
    look = {"ko": "게시물 보기", "en": "See the post"}[user.language]
    html = (
        f'<!doctype html><html lang="{user.language}"><body style="font-family:sans-serif;line-height:1.6">'
        f'<h1 style="font-size:1.2em">{escape(title)}</h1><p>{escape(body)}</p>'
        f'<p><a href="{escape(link)}">{look}</a></p></body></html>'
    )
    return Mail(to=user.email, subject=title, text=f"{title}\n\n{body}\n\n{look}: {link}\n", html=html)


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
        notice = notice_of(event)
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
        if user is None:
            return "no_address"
        try:
            self.mailer.send(mail_of(notice, user, self.base_url))
        except MailRejected:
            return "rejected"
        return "sent"
