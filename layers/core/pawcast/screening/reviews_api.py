"""What the review console asks for, without HTTP. Only operators may; a review says nothing about whose photo it is."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, cast

from pawcast.callers import Caller
from pawcast.errors import DependencyUnavailable, InvalidRequest, NotFound
from pawcast.screening.operations import OPERATORS, PACE_DAYS, CountReader, OperatorWeek, operator_week
from pawcast.screening.operator_actions import ActionKind, shift_of
from pawcast.screening.ports import Page
from pawcast.screening.post import Post
from pawcast.screening.review import Label
from pawcast.screening.review_views import Json, review_view, shift_view, uploader_of
from pawcast.screening.reviews import Reviewer, queue_of
from pawcast.screening.verdicts import REASONS, Case, Done, Finding

TAKE_MAX = 5
COMMENT_MAX_CHARS = 500
SKIP_REASON_MAX_CHARS = 200
SHIFT_HOURS_DEFAULT, SHIFT_HOURS_MAX = 8, 24
# An uploader's numbers are over this many of their latest posts.
UPLOADER_POSTS = 50
# The week's counts are read again for a verdict's answer when they are older.
WEEK_FRESH = timedelta(seconds=30)
SEEN: Mapping[str, ActionKind] = {"photo": "seen_photo", "boxes": "seen_boxes"}
_REVIEW_ID = re.compile(r"[0-9a-f]{32}-[0-9]{1,9}")


class UserPosts(Protocol):
    """The posts of one user, newest first."""

    def by_user(self, user_id: str, start: str | None, limit: int) -> Page[Post]: ...  # noqa: D102


class Viewer(Protocol):
    """Signs what a browser may load from S3 by itself, for a short time."""

    def rendition_url(self, key: str) -> str: ...  # noqa: D102
    def original_url(self, post: Post) -> str | None: ...  # noqa: D102


@dataclass
class Week:
    """The operators' week. A verdict's answer uses what was read lately, so that it waits for no sum over the queue."""

    counts: CountReader
    # Checks a week that operators agreed to; None as long as nothing is released.
    checks_limit: Callable[[], int | None]
    _known: tuple[datetime, OperatorWeek] | None = field(default=None, init=False)

    def read(self, waiting: int, now: datetime) -> OperatorWeek:
        """The week from its counts, with this many reviews that wait."""
        hours = self.counts.hours(now - timedelta(days=PACE_DAYS), now)
        week = operator_week(hours, waiting, self.checks_limit(), now)
        self._known = (now, week)
        return week

    def after(self, verdicts: int, waiting: Callable[[], int], now: datetime) -> OperatorWeek:
        """The week once more was decided; what is predicted stays, one that waited is one that is done."""
        if self._known is None or self._known[0] < now - WEEK_FRESH or self._known[1].week != f"{now:%G-W%V}":
            return self.read(waiting(), now)
        read_at, known = self._known
        week = replace(known, checks_done=max(0, known.checks_done + verdicts))
        self._known = (read_at, week)
        return week


@dataclass(frozen=True)
class ReviewsApi:
    """The API's operations. `trouble` hears of what failed after a verdict was written."""

    reviewer: Reviewer
    users: UserPosts
    photos: Viewer
    week: Week
    trouble: Callable[[Exception], None]

    def summary(self, caller: Caller) -> Json:
        """The queue in figures, and the operators' week."""
        caller.must_be_in(OPERATORS)
        now = self.reviewer.now()
        queue = queue_of(self.reviewer.reviews.waiting(), caller.user_id, now)
        return {
            "waiting": queue.waiting,
            "mine_blocked": queue.blocked,
            "by_reason": dict(queue.by_reason),
            "oldest_seconds": queue.oldest_seconds,
            "overdue": queue.overdue,
            "locked": queue.locked,
            "capacity": asdict(self.week.read(queue.waiting, now)),
        }

    def take(self, caller: Caller, request: Mapping[str, Any]) -> Json:
        """Photos for this operator, locked for ten minutes: first those in hand, then the next of the queue."""
        caller.must_be_in(OPERATORS)
        wanted = request.get("count")
        if isinstance(wanted, bool) or not isinstance(wanted, int) or not 1 <= wanted <= TAKE_MAX:
            message = f"count must be a whole number from 1 to {TAKE_MAX}"
            raise InvalidRequest(message, field="count")
        return {"items": self._views(self.reviewer.take(caller.user_id, wanted), caller)}

    def one(self, caller: Caller, review_id: str) -> Json:
        """One review."""
        caller.must_be_in(OPERATORS)
        return self._view(self.reviewer.one(_known_id(review_id)), caller)

    def decide(self, caller: Caller, review_id: str, request: Mapping[str, Any]) -> Json:
        """Uphold or overturn; the review and the operators' week after it."""
        caller.must_be_in(OPERATORS)
        case = self._done(self.reviewer.decide(caller.user_id, _known_id(review_id), _finding(request)))
        return {"review": self._view(case, caller), "capacity": self._capacity(1)}

    def undo(self, caller: Caller, review_id: str) -> Json:
        """Take the verdict back; the photo is in the operator's hands again."""
        caller.must_be_in(OPERATORS)
        case = self._done(self.reviewer.undo(caller.user_id, _known_id(review_id)))
        return {"review": self._view(case, caller), "capacity": self._capacity(-1)}

    def skip(self, caller: Caller, review_id: str, request: Mapping[str, Any]) -> Json:
        """Pass the photo on to somebody else."""
        caller.must_be_in(OPERATORS)
        reason = _text(request.get("reason"), "reason", SKIP_REASON_MAX_CHARS)
        self._done(self.reviewer.skip(caller.user_id, _known_id(review_id), reason))
        return {}

    def release(self, caller: Caller, review_id: str) -> Json:
        """Put the photo back."""
        caller.must_be_in(OPERATORS)
        self._done(self.reviewer.release(caller.user_id, _known_id(review_id)))
        return {}

    def comment(self, caller: Caller, review_id: str, request: Mapping[str, Any]) -> Json:
        """Add a comment to the photo's history."""
        caller.must_be_in(OPERATORS)
        text = _text(request.get("text"), "text", COMMENT_MAX_CHARS)
        return {"review": self._view(self.reviewer.comment(caller.user_id, _known_id(review_id), text), caller)}

    def seen(self, caller: Caller, review_id: str, request: Mapping[str, Any]) -> Json:
        """Write down that the operator looked at the photo, or at the boxes of its faces."""
        caller.must_be_in(OPERATORS)
        kind = SEEN.get(what) if isinstance(what := request.get("what"), str) else None
        if kind is None:
            message = f"what must be one of {', '.join(SEEN)}"
            raise InvalidRequest(message, field="what")
        self.reviewer.seen(caller.user_id, _known_id(review_id), kind)
        return {}

    def shift(self, caller: Caller, query: Mapping[str, str]) -> Json:
        """What this operator did in the last hours."""
        caller.must_be_in(OPERATORS)
        now = self.reviewer.now()
        since = now - timedelta(hours=_hours(query))
        return shift_view(shift_of(self.reviewer.reviews.actions_by(caller.user_id, since)), now)

    def _capacity(self, verdicts: int) -> Json | None:
        """The week after a verdict; None when it can't be read, since the verdict stands."""
        reviews = self.reviewer.reviews
        try:
            return asdict(self.week.after(verdicts, lambda: sum(1 for _ in reviews.waiting()), self.reviewer.now()))
        except DependencyUnavailable as error:
            self.trouble(error)
            return None

    def _done(self, done: Done) -> Case:
        for error in done.troubles:
            self.trouble(error)
        return done.case

    def _views(self, cases: Sequence[Case], caller: Caller) -> list[Json]:
        if len(cases) < 2:
            return [self._view(case, caller) for case in cases]
        with ThreadPoolExecutor(len(cases)) as readers:
            return list(readers.map(lambda case: self._view(case, caller), cases))

    def _view(self, case: Case, caller: Caller) -> Json:
        post = case.post
        log = self.reviewer.reviews.actions(post.post_id)
        posts = self.users.by_user(post.user_id, None, UPLOADER_POSTS).items
        url = self.photos.rendition_url(post.rendition_key) if post.rendition_key else self.photos.original_url(post)
        return review_view(case, log, uploader_of(posts, post), url, caller.user_id, self.reviewer.now())


def _known_id(review_id: str) -> str:
    if not _REVIEW_ID.fullmatch(review_id):
        message = "no such review"
        raise NotFound(message)
    return review_id


def _finding(request: Mapping[str, Any]) -> Finding:
    comment = _text(request.get("comment") or "", "comment", COMMENT_MAX_CHARS, least=0)
    label = request.get("label")
    match request.get("verdict"):
        case "uphold":
            if not isinstance(label, str) or label not in REASONS:
                message = f"label of an upheld photo must be one of {', '.join(REASONS)}"
                raise InvalidRequest(message, field="label")
            return Finding("uphold", cast("Label", label), comment)
        case "overturn":
            if label not in (None, "fine"):
                message = "label of an overturned photo must be fine"
                raise InvalidRequest(message, field="label")
            return Finding("overturn", "fine", comment)
    message = "verdict must be uphold or overturn"
    raise InvalidRequest(message, field="verdict")


def _text(value: Any, name: str, most: int, *, least: int = 1) -> str:
    text = unicodedata.normalize("NFC", value).strip() if isinstance(value, str) else None
    if text is None or not least <= len(text) <= most:
        message = f"{name} must be a text of {least} to {most} characters"
        raise InvalidRequest(message, field=name)
    # Cc: control characters, Cs: lone surrogates, which can't be stored.
    if any(unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\r\t" for char in text):
        message = f"{name} holds a control character"
        raise InvalidRequest(message, field=name)
    return text


def _hours(query: Mapping[str, str]) -> int:
    text = query.get("hours") or str(SHIFT_HOURS_DEFAULT)
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= SHIFT_HOURS_MAX):
        message = f"hours must be a whole number from 1 to {SHIFT_HOURS_MAX}, not {text[:20]!r}"
        raise InvalidRequest(message, field="hours")
    return int(text)
