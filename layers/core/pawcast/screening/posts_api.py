"""What the HTTP API does, without HTTP: submit a post, read posts, the feed and the inbox.

Every method takes the signed-in caller. A post that is not published exists for its owner only: to anyone else it
is `NotFound`, never "forbidden", so ids can't be probed.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pawcast.callers import Caller
from pawcast.errors import InvalidRequest, NotFound
from pawcast.languages import DEFAULT_LANGUAGE
from pawcast.screening.messages import REASONS
from pawcast.screening.notices import Notice, User
from pawcast.screening.ports import Clock, Page
from pawcast.screening.post import Post, PostState
from pawcast.screening.submit import UPLOAD_MAX_BYTES, language, new_post, normal_tag

PAGE_DEFAULT, PAGE_MAX = 20, 50
CURSOR_MAX_CHARS = 300
_POST_ID = re.compile(r"[0-9a-f]{32}")

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


class UserWriter(Protocol):
    """Addresses and languages."""

    def put(self, user: User) -> None: ...  # noqa: D102


class Signer(Protocol):
    """Signs what a browser may do with S3 by itself, for a short time."""

    def sign_upload(self, post: Post, max_bytes: int) -> Json: ...  # noqa: D102
    def rendition_url(self, key: str) -> str: ...  # noqa: D102


@dataclass(frozen=True)
class PostsApi:
    """The API's operations."""

    posts: PostReader
    inboxes: Inbox
    users: UserWriter
    photos: Signer
    now: Clock
    new_id: Callable[[], str]

    def submit(self, caller: Caller, request: Mapping[str, Any]) -> Json:
        """Store a post that waits for its photo, and the right to upload that photo."""
        chosen = language(request, caller.language or DEFAULT_LANGUAGE)
        post = new_post(request, user_id=caller.user_id, post_id=self.new_id(), now=self.now())
        if caller.email:
            self.users.put(User(user_id=caller.user_id, email=caller.email, language="en" if chosen == "en" else "ko"))
        self.posts.put_new(post)
        return {"post": self._view(post, caller), "upload": self.photos.sign_upload(post, UPLOAD_MAX_BYTES)}

    def mine(self, caller: Caller, query: Mapping[str, str]) -> Json:
        """The caller's posts, newest first."""
        page = self.posts.by_user(caller.user_id, _start(query), _limit(query))
        return _page([self._view(post, caller) for post in page.items], page.next_key)

    def one(self, caller: Caller, post_id: str) -> Json:
        """One post.

        Raises:
            NotFound: unknown, or neither published nor the caller's.
        """
        post = self.posts.get(post_id) if _POST_ID.fullmatch(post_id) else None
        if post is None or (post.state is not PostState.PUBLISHED and post.user_id != caller.user_id):
            message = "no such post"
            raise NotFound(message)
        return self._view(post, caller)

    def feed(self, caller: Caller, query: Mapping[str, str]) -> Json:
        """Published posts, newest first, all or those with a tag."""
        tag = normal_tag(query["tag"]) if query.get("tag") else None
        page = self.posts.feed(tag, _start(query), _limit(query))
        return _page([self._view(post, caller) for post in page.items], page.next_key)

    def inbox(self, caller: Caller, query: Mapping[str, str]) -> Json:
        """The caller's notices, newest first."""
        page = self.inboxes.inbox(caller.user_id, _start(query), _limit(query))
        return _page([notice.model_dump(mode="json", exclude={"user_id"}) for notice in page.items], page.next_key)

    def _view(self, post: Post, caller: Caller) -> Json:
        fields = {"post_id", "title", "description", "tags", "state", "created_at", "published_at"}
        own = post.user_id == caller.user_id
        if own:
            fields |= {"user_id", "decided_at", "decision", "content_type", "upload_expires_at"}
        view = post.model_dump(mode="json", include=fields)
        shown = post.state is PostState.PUBLISHED and post.rendition_key is not None
        view["photo_url"] = self.photos.rendition_url(post.rendition_key) if shown and post.rendition_key else None
        if own:
            view["reason"] = {"code": post.reason, "text": REASONS[post.reason]} if post.reason else None
            view["uploaded_at"] = post.upload.uploaded_at.isoformat() if post.upload else None
        return view


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
