"""What the HTTP API does, without HTTP: submit a post, read posts, the feed and the inbox, and who one is.

What people do about a decision is in `remedies_api`.

Every method takes the signed-in caller. A post that is not published exists for its owner only: to anyone else it
is `NotFound`, never "forbidden", so ids can't be probed.
"""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pawcast.callers import Caller
from pawcast.errors import InvalidRequest, NotFound
from pawcast.languages import DEFAULT_LANGUAGE, Language
from pawcast.screening.notices import Notice, User
from pawcast.screening.ports import Clock, Page
from pawcast.screening.post import POST_ID, Post, PostState
from pawcast.screening.post_views import Views
from pawcast.screening.rates import Rates
from pawcast.screening.submit import UPLOAD_MAX_BYTES, language, new_post, normal_tag

PAGE_DEFAULT, PAGE_MAX = 20, 50
CURSOR_MAX_CHARS = 300

Json = dict[str, Any]


class PostReader(Protocol):
    """The posts, as the API needs them."""

    def put_new(self, post: Post) -> None: ...  # noqa: D102
    def get(self, post_id: str) -> Post | None: ...  # noqa: D102
    def by_user(self, user_id: str, start: str | None, limit: int) -> Page[Post]: ...  # noqa: D102
    def feed(self, tag: str | None, start: str | None, limit: int) -> Page[Post]: ...  # noqa: D102


class Inbox(Protocol):
    """The notices of one user, newest first."""

    def inbox(self, user_id: str, start: str | None, limit: int) -> Page[Notice]: ...  # noqa: D102
    def unread(self, user_id: str, read_at: datetime | None) -> int: ...  # noqa: D102


class Users(Protocol):
    """Addresses, languages, and when somebody last read their inbox."""

    def get(self, user_id: str) -> User | None: ...  # noqa: D102
    def put(self, user: User) -> None: ...  # noqa: D102
    def mark_read(self, user_id: str, at: datetime) -> None: ...  # noqa: D102


class Signer(Protocol):
    """Signs what a browser may do with S3 by itself, for a short time."""

    def sign_upload(self, post: Post, max_bytes: int) -> Json: ...  # noqa: D102


@dataclass(frozen=True)
class PostsApi:
    """The API's operations."""

    posts: PostReader
    inboxes: Inbox
    users: Users
    photos: Signer
    views: Views
    rates: Rates
    now: Clock
    new_id: Callable[[], str]

    def submit(self, caller: Caller, request: Mapping[str, Any]) -> Json:
        """Store a post that waits for its photo, and the right to upload that photo."""
        chosen = language(request)
        now = self.now()
        post = new_post(request, user_id=caller.user_id, post_id=self.new_id(), now=now)
        self.rates.check(caller.user_id, "post", now)
        if caller.email:
            known = self.users.get(caller.user_id)
            user = User(user_id=caller.user_id, email=caller.email, language=chosen or _language_of(known, caller))
            if known is None or (known.email, known.language) != (user.email, user.language):
                self.users.put(user)
        self.posts.put_new(post)
        return {"post": self.views.of(post, caller), "upload": self.photos.sign_upload(post, UPLOAD_MAX_BYTES)}

    def mine(self, caller: Caller, query: Mapping[str, str]) -> Json:
        """The caller's posts, newest first."""
        page = self.posts.by_user(caller.user_id, _start(query), _limit(query))
        return _page([self.views.of(post, caller) for post in page.items], page.next_key)

    def one(self, caller: Caller, post_id: str) -> Json:
        """One post.

        Raises:
            NotFound: unknown, or neither published nor the caller's.
        """
        post = self.posts.get(post_id) if POST_ID.fullmatch(post_id) else None
        if post is None or (post.state is not PostState.PUBLISHED and post.user_id != caller.user_id):
            message = "no such post"
            raise NotFound(message)
        return self.views.of(post, caller)

    def feed(self, caller: Caller, query: Mapping[str, str]) -> Json:
        """Published posts, newest first, all or those with a tag."""
        tag = normal_tag(query["tag"]) if query.get("tag") else None
        page = self.posts.feed(tag, _start(query), _limit(query))
        return _page([self.views.of(post, caller) for post in page.items], page.next_key)

    def inbox(self, caller: Caller, query: Mapping[str, str]) -> Json:
        """The caller's notices, newest first, and how many of all have not been read."""
        page = self.inboxes.inbox(caller.user_id, _start(query), _limit(query))
        user = self.users.get(caller.user_id)
        read_at = user.inbox_read_at if user is not None else None
        items = [
            notice.model_dump(mode="json", exclude={"user_id", "read"})
            | {"read": read_at is not None and notice.created_at <= read_at}
            for notice in page.items
        ]
        return _page(items, page.next_key) | {"unread": self.inboxes.unread(caller.user_id, read_at)}

    def read_inbox(self, caller: Caller) -> Json:
        """Count every notice written until now as read."""
        self.users.mark_read(caller.user_id, self.now())
        return {"unread": 0}

    def me(self, caller: Caller) -> Json:
        """Who the caller is, and in which language they are told."""
        return _me(caller, _language_of(self.users.get(caller.user_id), caller))

    def choose_language(self, caller: Caller, request: Mapping[str, Any]) -> Json:
        """Be told in another language from now on.

        Raises:
            InvalidRequest: no language, or none of ours.
        """
        chosen = language(request, "language")
        if chosen is None:
            message = "language is missing"
            raise InvalidRequest(message, code="locale_invalid", field="language")
        self.users.put(User(user_id=caller.user_id, email=caller.email, language=chosen))
        return _me(caller, chosen)


def _language_of(user: User | None, caller: Caller) -> Language:
    if user is not None:
        return user.language
    return "en" if (caller.language or DEFAULT_LANGUAGE) == "en" else "ko"


def _me(caller: Caller, chosen: Language) -> Json:
    return {
        "user_id": caller.user_id,
        "email": caller.email,
        "language": chosen,
        "groups": sorted(caller.groups),
    }


def _page(items: Sequence[Json], next_key: str | None) -> Json:
    cursor = base64.urlsafe_b64encode(next_key.encode()).decode() if next_key else None
    return {"items": list(items), "next_cursor": cursor}


def _start(query: Mapping[str, str]) -> str | None:
    """Where a page starts. A cursor holds a sort key only: whose items are read follows from the caller."""
    cursor = query.get("cursor")
    if not cursor:
        return None
    try:
        if len(cursor) > CURSOR_MAX_CHARS:
            raise ValueError(len(cursor))
        start = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error) as error:
        message = "cursor is none that this API gave"
        raise InvalidRequest(message, code="cursor_invalid", field="cursor") from error
    return start


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit") or str(PAGE_DEFAULT)
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= PAGE_MAX):
        message = f"limit must be a whole number from 1 to {PAGE_MAX}, not {text[:20]!r}"
        raise InvalidRequest(message, code="limit_invalid", field="limit")
    return int(text)
