"""A stand-in for the deployed stack: the API, S3's presigned POST, Cognito's sign-in and the mail list.

Real HTTP on a free port of this machine, state in dictionaries. What becomes of a photo is given by `fate`
(a function of the post's title and the uploaded bytes), so tests tell stories without a model.
"""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

type Json = dict[str, Any]

PASSWORD = "correct-horse-Battery-9"
CLIENT_ID = "fake-client"
SIZE_LIMIT = 20 * 1024 * 1024
_TYPES = ("image/jpeg", "image/png", "image/webp", "image/heic")


@dataclass(frozen=True)
class Fate:
    """What screening says of a photo; without `state` nothing is ever said."""

    state: str | None
    reason: str | None = None
    probability: float | None = None


def everything_is_published(_title: str, _data: bytes) -> Fate:
    """The default fate."""
    return Fate("published", probability=0.012)


@dataclass
class FakePawcast:
    """The state behind the fake, and what was asked of it."""

    fate: Callable[[str, bytes], Fate] = everything_is_published
    rendition: bytes = b""
    page_size: int = 50
    fail_next: list[int] = field(default_factory=list)
    posts: dict[str, Json] = field(default_factory=dict)
    notices: list[Json] = field(default_factory=list)
    mails: list[Json] = field(default_factory=list)
    uploads: list[list[tuple[str, str | None, bytes]]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)


def _error(status: int, code: str, english: str, name: str | None = None) -> tuple[int, Json]:
    error: Json = {"code": code, "message": {"ko": f"[ko] {english}", "en": english}}
    return status, {"error": error | ({"field": name} if name else {}), "request_id": "r-1"}


def _submitted(fake: FakePawcast, user: str, body: Json) -> tuple[int, Json]:
    if len(body["title"]) > 100:
        return _error(400, "title_too_long", "A title may have up to 100 characters.", "title")
    if any(not re.fullmatch(r"[\w-]{1,30}", tag) for tag in body["tags"]):
        return _error(400, "tag_invalid", "A tag has 1 to 30 letters, digits, underscores or hyphens.", "tags")
    if body["content_type"] not in _TYPES:
        return _error(400, "content_type_invalid", "Only JPEG, PNG, WebP and HEIC photos are accepted.", "content_type")
    if not 1 <= body["size_bytes"] <= SIZE_LIMIT:
        return _error(400, "size_invalid", "A photo has 1 byte to 20 MB.", "size_bytes")
    post_id = f"post-{len(fake.posts):03}"
    now = datetime.now(UTC).isoformat()
    post: Json = {
        "post_id": post_id,
        "user_id": user,
        "title": body["title"],
        "description": body["description"],
        "tags": body["tags"],
        "state": "awaiting_upload",
        "created_at": now,
        "uploaded_at": None,
        "decided_at": None,
        "decision": None,
        "reason": None,
        "photo_url": None,
        "locale": body.get("locale"),
    }
    fake.posts[post_id] = post
    fields = {"Content-Type": body["content_type"], "key": f"posts/{post_id}/original", "policy": "p"}
    return 201, {
        "post": post,
        "upload": {"url": f"{fake.url}/uploads-bucket", "fields": fields, "expires_at": now},
    }


def _multipart(content_type: str, body: bytes) -> list[tuple[str, str | None, bytes]]:
    boundary = content_type.partition("boundary=")[2].encode()
    parts = []
    for part in body.split(b"--" + boundary)[1:-1]:
        head, _, value = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        names = re.findall(rb'; (?:file)?name="([^"]*)"', head)
        filename = names[1].decode() if len(names) > 1 else None
        parts.append((names[0].decode(), filename, value.removesuffix(b"\r\n")))
    return parts


def _uploaded(fake: FakePawcast, parts: list[tuple[str, str | None, bytes]]) -> tuple[int, str]:
    fake.uploads.append(parts)
    data = parts[-1][2]
    if not data:
        return 400, "<Error><Code>EntityTooSmall</Code><Message>Smaller than allowed.</Message></Error>"
    key = next(value.decode() for name, _, value in parts if name == "key")
    post = fake.posts[key.split("/")[1]]
    fate = fake.fate(post["title"], data)
    if fate.state is None:
        post["state"] = "screening"
        return 204, ""
    now = datetime.now(UTC).isoformat()
    post |= {"state": fate.state, "uploaded_at": now, "decided_at": now}
    text = {"ko": "[ko] why", "en": "why"}
    if fate.reason:
        post["reason"] = {"code": fate.reason, "text": text}
    if fate.probability is not None:
        post["decision"] = {
            "outcome": "flag" if fate.state == "in_review" else "pass",
            "probability": fate.probability,
            "threshold": 0.5,
            "model": "face-classifier",
            "model_version": "1.0.0",
            "policy_version": 1,
        }
    if fate.state == "published":
        post["photo_url"] = f"{fake.url}/published/{post['post_id']}"
    fake.notices.append(
        {
            "notice_id": f"n-{len(fake.notices):03}",
            "user_id": post["user_id"],
            "post_id": post["post_id"],
            "kind": "PostPublished",
            "title": text,
            "body": text,
            "created_at": now,
            "read": False,
        }
    )
    fake.mails.append(
        {
            "MessageId": f"m-{len(fake.mails)}",
            "To": [f"{post['user_id']}@example.com"],
            "Subject": post["title"],
            "BodyText": "why",
            "Timestamp": float(len(fake.mails)),
        }
    )
    return 204, ""


def _page(items: list[Json], query: dict[str, list[str]], size: int) -> Json:
    start = int(query.get("cursor", ["0"])[0])
    end = start + min(size, int(query.get("limit", ["50"])[0]))
    return {"items": items[start:end], "next_cursor": str(end) if end < len(items) else None}


def _read(fake: FakePawcast, user: str, path: str, query: dict[str, list[str]]) -> tuple[int, Json]:
    newest_first = list(reversed(fake.posts.values()))
    if path == "/posts":
        return 200, _page([post for post in newest_first if post["user_id"] == user], query, fake.page_size)
    if path == "/feed":
        tags = query.get("tag", [])
        seen = [p for p in newest_first if p["state"] == "published" and all(tag in p["tags"] for tag in tags)]
        return 200, _page(seen, query, fake.page_size)
    if path == "/inbox":
        mine = [notice for notice in reversed(fake.notices) if notice["user_id"] == user]
        return 200, _page(mine, query, fake.page_size)
    post = fake.posts.get(path.removeprefix("/posts/"))
    if post is None or (post["user_id"] != user and post["state"] != "published"):
        return _error(404, "not_found", "Not found.")
    return 200, post


def _signed_in(body: Json) -> tuple[int, Json]:
    given = body["AuthParameters"]
    if given["PASSWORD"] != PASSWORD or body["ClientId"] != CLIENT_ID:
        return 400, {"__type": "NotAuthorizedException", "message": "Incorrect username or password."}
    if given["USERNAME"].startswith("new"):
        return 200, {"ChallengeName": "NEW_PASSWORD_REQUIRED", "ChallengeParameters": {}}
    return 200, {"AuthenticationResult": {"IdToken": f"token-{given['USERNAME'].partition('@')[0]}"}}


def _handler(fake: FakePawcast) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_arguments: object) -> None: ...

        def do_GET(self) -> None:
            self._answered(b"")

        def do_POST(self) -> None:
            self._answered(self.rfile.read(int(self.headers["Content-Length"])))

        def _answered(self, body: bytes) -> None:
            with fake.lock:
                fake.requests.append((self.command, urlsplit(self.path).path))
                fake.hosts.add(self.headers["Host"])
                status, content = self._answer(body)
            data = content if isinstance(content, bytes) else content.encode()
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if status != 204:
                self.wfile.write(data)

        def _answer(self, body: bytes) -> tuple[int, str | bytes]:
            parts = urlsplit(self.path)
            if "X-Amz-Target" in self.headers:
                status, content = _signed_in(json.loads(body))
                return status, json.dumps(content)
            if parts.path == "/_ministack/ses/messages":
                return 200, json.dumps({"messages": {"000000000000": fake.mails}})
            if fake.fail_next:
                return fake.fail_next.pop(0), "{}"
            if parts.path == "/uploads-bucket":
                return _uploaded(fake, _multipart(self.headers["Content-Type"], body))
            if parts.path.startswith("/published/"):
                return (400, "two signatures") if "Authorization" in self.headers else (200, fake.rendition)
            bearer, _, user = self.headers.get("Authorization", "").partition("token-")
            if bearer != "Bearer ":
                return 401, json.dumps({"message": "Unauthorized"})
            if self.command == "POST":
                status, content = _submitted(fake, user, json.loads(body))
            else:
                status, content = _read(fake, user, parts.path, parse_qs(parts.query))
            return status, json.dumps(content)

    return Handler


@contextmanager
def serving(fake: FakePawcast) -> Iterator[FakePawcast]:
    """Serve `fake` on a free port; its address is `fake.url`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(fake))
    server.daemon_threads = True
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
