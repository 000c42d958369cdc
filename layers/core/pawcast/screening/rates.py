"""How often one person may do something in an hour: what bounds cost and trouble that a single account can make.

Windows are whole hours of UTC: one number for each, no list of moments. Somebody who waits for the turn of the hour can
do twice as much in a few minutes, which is bounded all the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal, Protocol

from pawcast.errors import TooManyRequests

Action = Literal["post", "claim", "appeal", "mosaic"]
WINDOW = timedelta(hours=1)
# Posts cost the most, so their limit is a setting of the stack.
HOURLY: Mapping[Action, int] = MappingProxyType({"claim": 30, "appeal": 20, "mosaic": 20})


class RateCounts(Protocol):
    """Counters that end by themselves."""

    def add(self, bucket: str, expires_at: datetime) -> int:
        """Count one more in a bucket; what it holds now."""
        ...


@dataclass(frozen=True)
class Rates:
    """Says no to the one too many."""

    buckets: RateCounts
    posts_an_hour: int

    def check(self, user_id: str, action: Action, now: datetime) -> None:
        """Count one deed.

        Raises:
            TooManyRequests: it is one too many for this hour; says when the next hour begins.
        """
        limit = HOURLY.get(action, self.posts_an_hour)
        window = now.replace(minute=0, second=0, microsecond=0)
        counted = self.buckets.add(f"{user_id}#{action}#{window.isoformat()}", window + 2 * WINDOW)
        if counted > limit:
            left = window + WINDOW - now
            raise TooManyRequests(f"more than {limit} of {action} in an hour", retry_after=left)
