"""Who calls the HTTP API."""

from dataclasses import dataclass

from pawcast.errors import NotAllowed


@dataclass(frozen=True)
class Caller:
    """Who is asking, from a verified token."""

    user_id: str
    email: str | None
    language: str | None = None
    groups: frozenset[str] = frozenset()

    def must_be_in(self, group: str) -> None:
        """Refuse everybody else.

        Raises:
            NotAllowed: the caller is not in the group.
        """
        if group not in self.groups:
            raise NotAllowed(f"only members of {group} may do this")
