"""The mails that the local stack caught: MiniStack lists what SES was asked to send."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Mail:
    """One mail."""

    message_id: str
    to: str
    subject: str
    text: str


def caught_mails(endpoint_url: str) -> list[Mail]:
    """All mails since the emulator started, oldest first; empty when it does not answer."""
    try:
        answer = httpx.get(f"{endpoint_url.rstrip('/')}/_ministack/ses/messages", timeout=10, trust_env=False)
        accounts: dict[str, list[dict[str, Any]]] = answer.raise_for_status().json()["messages"]
    except (httpx.HTTPError, ValueError, KeyError):
        return []
    messages = [message for messages in accounts.values() for message in messages]
    return [
        Mail(message["MessageId"], ", ".join(message["To"]), message["Subject"], message["BodyText"])
        for message in sorted(messages, key=lambda message: float(message["Timestamp"]))
    ]


def mails_since(
    known: set[str],
    read: Callable[[], list[Mail]],
    *,
    expected: int,
    monotonic: Callable[[], float],
    sleep: Callable[[float], None],
    patience_seconds: float = 10.0,
) -> list[Mail]:
    """Mails that are not `known`. Waits for `expected` ones: a notice reaches the inbox first."""
    until = monotonic() + patience_seconds
    while True:
        new = [mail for mail in read() if mail.message_id not in known]
        if len(new) >= expected or monotonic() >= until:
            return new
        sleep(0.25)
