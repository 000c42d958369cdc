"""All that is behind *my posts* and the inbox but AWS: one person's posts and notices in dictionaries, drawn photos.

Views, reasons and notices are made by the code that makes them in production; a photo's address is its key.
"""

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np
from PIL import Image

from pawcast.callers import Caller
from pawcast.errors import Conflict
from pawcast.screening.notices import notice_of
from pawcast.screening.post import (
    Appeal,
    EventName,
    Mosaic,
    PhotoFacts,
    Post,
    PostState,
    Upload,
    move,
    outbox_of,
)
from pawcast.screening.post_views import Views
from pawcast.screening.remedies import appealed, mosaic_accepted, mosaic_declined, mosaic_wanted, withdrawn
from tests.support.fake_api import Asked, Json, answering, refusal, token
from tests.support.pictures import encoded
from tests.support.review_site import FACE, PASSWORD, photo

OWNER = Caller(user_id="owner-1", email="owner-1@example.com")
HOSTILE = "<img src=x onerror=alert(1)> “quoted” & long " + "word " * 8
NO_LONGER = refusal(409, "conflict", "This was changed in the meantime. Look again.")
TOO_MANY = refusal(429, "too_many_requests", "That was a lot in a short time. Please try again later.")
Refuse = Callable[[str, str], tuple[int, Json] | None]


class Links:
    """Links to photos: `landscape-1` and the like are drawn."""

    def rendition_url(self, key: str) -> str:
        """The address of a photo."""
        return f"/api/photos/{key}.jpg"


@dataclass
class Mine:
    """One person's posts and notices, newest first; `refuse` may say no to a call instead."""

    posts: dict[str, Post] = field(default_factory=dict)
    notices: list[Json] = field(default_factory=list)
    read_at: str = ""
    calls: list[tuple[str, str, Json]] = field(default_factory=list)
    refuse: Refuse = lambda *_: None
    url: str = ""
    session_ends: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    def sent(self, path: str) -> list[Json]:
        """The bodies that were posted to this path."""
        return [body for method, to, body in self.calls if (method, to) == ("POST", path)]

    def looks(self, path: str) -> int:
        """How often this path was read."""
        return len([1 for method, to, _ in self.calls if (method, to) == ("GET", path)])

    def answer(self, method: str, path: str, query: dict[str, str], body: Json) -> tuple[int, Json]:
        """One call of the API."""
        with self.lock:
            self.calls.append((method, path, body))
            if (said_no := self.refuse(method, path)) is not None:
                return said_no
            match (method, *path.strip("/").split("/")):
                case ("GET", "posts"):
                    page = paged(list(self.posts.values()), query)
                    return 200, page | {"items": [self.view(post) for post in page["items"]]}
                case ("GET", "posts", post_id) if post_id in self.posts:
                    return 200, self.view(self.posts[post_id])
                case ("POST", "posts", post_id, *what) if post_id in self.posts:
                    return self.act(post_id, "/".join(what), body)
                case ("GET", "inbox"):
                    page = paged(self.notices, query)
                    items = [one | {"read": one["created_at"] <= self.read_at} for one in page["items"]]
                    return 200, page | {"items": items, "unread": self.unread()}
                case ("POST", "inbox", "read"):
                    self.read_at = datetime.now(UTC).isoformat()
                    return 200, {"unread": 0}
                case (_, "me"):
                    me: Json = {"user_id": OWNER.user_id, "email": OWNER.email, "groups": []}
                    return 200, me | {"language": body.get("language", "en")}
            return refusal(404, "not_found", "There is no such thing.")

    def view(self, post: Post) -> Json:
        """A post as its owner sees it."""
        return Views(Links()).of(post, OWNER)

    def unread(self) -> int:
        return len([one for one in self.notices if one["created_at"] > self.read_at])

    def act(self, post_id: str, what: str, body: Json) -> tuple[int, Json]:
        """What an owner does, by the rules of the product."""
        post, now = self.posts[post_id], datetime.now(UTC)
        deeds: dict[str, Callable[[], Post]] = {
            "appeal": lambda: appealed(post, body["text"], not_for=None, now=now).post,
            "mosaic": lambda: mosaic_wanted(post, now),
            "mosaic/accept": lambda: mosaic_accepted(post, now),
            "mosaic/decline": lambda: mosaic_declined(post),
            "withdraw": lambda: withdrawn(post, now).post,
        }
        try:
            self.posts[post_id] = deeds[what]()
        except Conflict:
            return NO_LONGER
        return 200, {"post": self.view(self.posts[post_id])}

    def put(self, *posts: Post) -> None:
        """Add or replace posts, the newest last."""
        for post in posts:
            self.posts = {post.post_id: post} | {key: old for key, old in self.posts.items() if key != post.post_id}

    def moved(self, number: int, to: PostState, **changes: Any) -> None:
        """Something happens to a post behind the page's back."""
        with self.lock:
            self.posts[post_id(number)] = move(self.posts[post_id(number)], to, **changes)

    def covered(self, number: int, faces: int = 2) -> None:
        """The mosaic that a post waits for is made."""
        with self.lock:
            self.posts[post_id(number)] = with_mosaic(self.posts[post_id(number)], faces)

    def notify(self, post: Post, event: EventName | None = None, *, at: datetime, reason: str | None = None) -> Json:
        """Put a notice on top."""
        told = outbox_of(post, at, event=event).event
        told = told.model_copy(update={"reason": reason or told.reason})
        notice = notice_of(told, at).model_dump(mode="json", exclude={"user_id", "read"})
        # As text, times sort like moments only in one format.
        self.notices.insert(0, notice | {"created_at": at.isoformat()})
        return self.notices[0]


def paged(items: list[Any], query: dict[str, str]) -> Json:
    """A page of a list; a cursor is a place in it."""
    start, limit = int(query.get("cursor", "0")), int(query.get("limit", "20"))
    rest = start + limit < len(items)
    return {"items": items[start : start + limit], "next_cursor": str(start + limit) if rest else None}


def post_id(number: int) -> str:
    """The id of a post of a test."""
    return f"{number:032x}"


def post_of(number: int, state: PostState | str = PostState.PUBLISHED, *, age: float = 10, **changes: Any) -> Post:
    """A post whose photo came `age` minutes ago and was decided soon after; odd ones are upright."""
    state = PostState(state)
    at = datetime.now(UTC) - timedelta(minutes=age)
    bare = state in (PostState.AWAITING_UPLOAD, PostState.EXPIRED)
    name = f"{'portrait' if number % 2 else 'landscape'}-{number % 4}"
    decided = state in (PostState.PUBLISHED, PostState.REJECTED, PostState.APPEALED, PostState.MOSAIC)
    facts: Json = {
        "post_id": post_id(number),
        "user_id": OWNER.user_id,
        "title": f"Photo {number}",
        "description": "Nabi sleeps on the windowsill, as she does every afternoon.",
        "tags": ("cat", "창가"),
        "content_type": "image/jpeg",
        "state": state,
        "revision": 3,
        "created_at": at,
        "upload_expires_at": at + timedelta(hours=1),
        "upload": None if bare else upload_of(number, "1", at),
        "decided_at": at + timedelta(minutes=2) if decided else None,
        "published_at": at + timedelta(minutes=2) if state is PostState.PUBLISHED else None,
        "photo": None if bare else PhotoFacts(width=4032, height=3024, format="JPEG", pdq="0" * 64, pdq_quality=90),
        "rendition_key": None if bare or state is PostState.SCREENING else name,
    }
    return Post(**facts | changes)


def rejected(number: int, reason: str = "printed_face", **changes: Any) -> Post:
    """A post that a person rejected."""
    return post_of(number, PostState.REJECTED, reason=reason, **changes)


def upload_of(number: int, version: str, at: datetime) -> Upload:
    """A version of a photo in the bucket."""
    return Upload(post_id=post_id(number), key="original", version_id=version, size_bytes=1, uploaded_at=at)


def with_mosaic(post: Post, faces: int = 2) -> Post:
    """A post in the state `mosaic` whose copy with covered faces is made."""
    now = datetime.now(UTC)
    upload = upload_of(int(post.post_id, 16), "mosaic", now)
    made = Mosaic(upload=upload, preview_key=f"covered-{post.rendition_key}", faces=faces, made_at=now)
    return post.model_copy(update={"mosaic": made})


def one_of_each() -> list[Post]:
    """A post in every state that its owner can meet, the oldest first."""
    now = datetime.now(UTC)
    gone = withdrawn(post_of(1, age=9000), now).post
    return [
        gone,
        post_of(2, "expired", age=4000, title="Never came"),
        rejected(3, "truncated_image", age=3000, rendition_key=None, photo=None, title="A damaged file"),
        rejected(4, "human_face", age=2000, appeal=Appeal(text="It is a doll.", at=now), title="The doll"),
        rejected(5, "printed_face", age=1500, title=HOSTILE),
        with_mosaic(post_of(6, "mosaic", reason="human_face", age=1000, title="Two faces in the park")),
        post_of(7, "mosaic", reason="printed_face", age=900, title="A poster behind the cat"),
        post_of(
            8,
            "appealed",
            reason="no_living_animal",
            age=300,
            appeal=Appeal(text="My tortoise is alive.\nLook at its eye.", at=now - timedelta(minutes=5)),
            title="The tortoise",
        ),
        post_of(9, "in_review", reason="human_face_suspected", age=20, title="창가의 나비"),
        post_of(10, age=15),
        post_of(11, "screening", age=1),
        post_of(12, "awaiting_upload", age=0.2),
    ]


@contextmanager
def serving(behind: Mine) -> Iterator[Mine]:
    """The HTTP API, the photos and a Cognito that knows one person, in a thread of their own."""

    def answer(asked: Asked) -> tuple[int, Any]:
        if asked.path.startswith("/photos/"):
            return (404, {}) if (picture := drawn(asked.path)) is None else (200, picture)
        if asked.cognito:
            return cognito(behind, asked.body)
        if behind.session_ends or not asked.authorization:
            return 401, {"message": "Unauthorized"}
        return behind.answer(asked.method, asked.path, asked.query, asked.body)

    with answering(answer) as behind.url:
        yield behind


def drawn(path: str) -> bytes | None:
    """The photo behind an address; None where its link has ended."""
    name = path.removeprefix("/photos/").removesuffix(".jpg")
    if name == "ended":
        return None
    return covered(name.removeprefix("covered-")) if name.startswith("covered-") else photo(name)


@cache
def covered(name: str) -> bytes:
    """A drawn photo whose face is covered by a few grey tiles."""
    picture = Image.open(io.BytesIO(photo(name)))
    width, height = picture.size
    left, right = (int(FACE[side] * width) for side in ("x0", "x1"))
    top, bottom = (int(FACE[side] * height) for side in ("y0", "y1"))
    tiles = np.random.default_rng(1).integers(90, 190, (6, 5), np.uint8)
    cover = Image.fromarray(tiles).resize((right - left, bottom - top), Image.Resampling.NEAREST)
    picture.paste(cover.convert("RGB"), (left, top))
    return encoded(picture)


def cognito(behind: Mine, body: Json) -> tuple[int, Json]:
    """Sign-in with the password; renewal as long as the session has not ended."""
    given = body.get("AuthParameters", {})
    if given.get("PASSWORD") == PASSWORD:
        behind.session_ends = False
    elif behind.session_ends or given.get("REFRESH_TOKEN") != "refresh":
        return 400, {"__type": "NotAuthorizedException", "message": "no"}
    return 200, {"AuthenticationResult": {"IdToken": token(user=OWNER.user_id), "RefreshToken": "refresh"}}
