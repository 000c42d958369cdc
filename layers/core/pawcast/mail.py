"""Mail, for whoever sends some."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Mail:
    """One mail, ready to send."""

    to: str
    subject: str
    text: str
    html: str


class MailRejected(Exception):
    """The mail service refused this mail for good, such as an address on its suppression list."""


class Mailer(Protocol):
    """Sends mail."""

    def send(self, mail: Mail) -> None:
        """Send; raises MailRejected when repeating can't help."""
        ...
