"""A server behind a page: JSON, photos and tokens that nobody signed, in a thread of its own."""

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A request; `cognito` names the operation when it is one of Cognito's."""

    method: str
    path: str
    query: dict[str, str]
    body: Json
    authorization: str | None
    cognito: str


# A status, and a document of JSON or the bytes of a photo.
type Answer = Callable[[Asked], tuple[int, Any]]


@contextmanager
def answering(answer: Answer) -> Iterator[str]:
    """Serve with these answers as long as the block lasts; gives the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.respond({})

        def do_POST(self) -> None:
            self.respond(json.loads(self.rfile.read(int(self.headers["Content-Length"])) or b"{}"))

        def respond(self, body: Json) -> None:
            address = urlsplit(self.path)
            operation = self.headers.get("X-Amz-Target", "").partition(".")[2]
            query = dict(parse_qsl(address.query))
            asked = Asked(self.command, address.path, query, body, self.headers.get("Authorization"), operation)
            status, document = answer(asked)
            photo = isinstance(document, bytes)
            written = document if photo else json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "image/jpeg" if photo else "application/json")
            self.send_header("Content-Length", str(len(written)))
            self.end_headers()
            self.wfile.write(written)

        def log_message(self, format: str, *args: Any) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A browser that is closed in the middle is no error."""

    server = Server(("127.0.0.1", 0), Handler)
    with in_thread(server):
        yield f"http://127.0.0.1:{server.server_address[1]}"


@contextmanager
def in_thread(server: ThreadingHTTPServer) -> Iterator[str]:
    """Serve as long as the block lasts."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def token(groups: Sequence[str] = (), user: str = "somebody", seconds: int = 3600) -> str:
    """An unsigned token with the claims that the pages read."""
    claims = {
        "sub": user,
        "email": f"{user}@example.com",
        "cognito:groups": list(groups),
        "exp": int(time.time()) + seconds,
    }
    parts = ({"alg": "none"}, claims)
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return ".".join((*encoded, "x"))


def refusal(status: int, code: str, en: str, ko: str = "할 수 없습니다.") -> tuple[int, Json]:
    """An answer that says no, in the API's words."""
    return status, {"error": {"code": code, "message": {"ko": ko, "en": en}}, "request_id": "request-1"}


DOWN = refusal(503, "unavailable", "Please try again in a moment.")
