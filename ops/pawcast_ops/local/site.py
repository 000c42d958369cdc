"""The site on this machine: `web/` and, under the same origin, the API and the sign-in of the local stack.

    /               files of web/, with the security headers that they have in production
    /config.json    where API and sign-in are: {"api_url", "cognito_url", "user_pool_client_id"}
    /api/...        the stack's HTTP API
    /cognito        the emulator's Cognito: the operations that a browser needs
    /storage/...    the emulator's S3, for what the API signed: uploads and photos

One origin needs no CORS, which the emulator does not have, and lets the pages' policy say `connect-src 'self'`:
addresses of the emulator in the API's answers become addresses below /storage. Only requests to a loopback name are
answered, so no page of the internet reaches the emulator by a name that it points at 127.0.0.1. The stack is read anew
from `stack.json` for each request: a stack that was deployed again needs no new server.

    serve(port, stack)             in this process, until it is told to stop
    start(state) stop(state)       as a process of its own; `site.json` says where, its lock says whether it lives
"""

import fcntl
import json
import mimetypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import httpx

from pawcast_ops.local.emulator import LOOPBACK, LocalStackError, clean_environment
from pawcast_ops.outputs import LOCAL_HOSTS, Stack, StackNotFound, stack_outputs

WEB: Final = Path(__file__).resolve().parents[3] / "web"
START_SECONDS: Final = 10.0
STOP_SECONDS: Final = 5.0
TIMEOUT_SECONDS: Final = 60.0  # a function's first call locally
BODY_MAX: Final = 1_000_000  # bytes
UPLOAD_MAX: Final = 25_000_000  # bytes: a photo of 20 MiB and the form around it
COGNITO: Final = frozenset(
    f"AWSCognitoIdentityProviderService.{name}"
    for name in (
        "InitiateAuth",
        "RespondToAuthChallenge",
        "RevokeToken",
        "SignUp",
        "ConfirmSignUp",
        "ResendConfirmationCode",
        "ForgotPassword",
        "ConfirmForgotPassword",
    )
)
STORAGE: Final = "/storage"
SECURITY_HEADERS: Final = MappingProxyType(
    {
        "Content-Security-Policy": (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
            "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    }
)
TYPES: Final = {".js": "text/javascript", ".html": "text/html", ".css": "text/css", ".svg": "image/svg+xml"}

_children: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Site:
    """A running site."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        """Where a browser opens it."""
        return f"http://localhost:{self.port}"


class SiteServer(ThreadingHTTPServer):
    """Answers on the loopback interface only. Port 0: any that is free."""

    daemon_threads = True

    def __init__(self, port: int, stack: Callable[[], Stack], web: Path = WEB) -> None:
        super().__init__((LOOPBACK, port), SiteRequest)
        self.stack = stack
        self.web = web.resolve()
        self.upstream = httpx.Client(timeout=TIMEOUT_SECONDS, trust_env=False)

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self.server_address[1])

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that went away in the middle is no error."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    def server_close(self) -> None:
        """Stop listening."""
        super().server_close()
        self.upstream.close()


class SiteRequest(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: SiteServer

    def do_GET(self) -> None:
        """A file, the configuration or the API."""
        self._answer_or_explain()

    do_HEAD = do_POST = do_GET

    def version_string(self) -> str:
        """What runs here is nobody's business."""
        return "pawcast"

    def _answer_or_explain(self) -> None:
        try:
            self._answer()
        except StackNotFound as error:
            self._send_error(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        except httpx.HTTPError as error:
            self._send_error(HTTPStatus.BAD_GATEWAY, f"the local stack does not answer: {error}")

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        body = self._body()
        if body is None or urlsplit(f"//{self.headers.get('Host', '')}").hostname not in LOCAL_HOSTS:
            self._send_error(HTTPStatus.BAD_REQUEST, "not for this server")
        elif ".." in unquote(path).split("/"):
            self._send_error(HTTPStatus.NOT_FOUND, "no such file")
        elif path.startswith("/api/"):
            address = f"{self.server.stack().output('ApiUrl').rstrip('/')}{self.path.removeprefix('/api')}"
            self._pass_on(address, ("Authorization", "Content-Type"), body)
        elif path.startswith(f"{STORAGE}/"):
            self._storage(path, body)
        elif path == "/cognito":
            self._cognito(body)
        elif self.command == "POST":
            self._send_error(HTTPStatus.METHOD_NOT_ALLOWED, "POST is for /api, /cognito and /storage")
        elif path == "/config.json":
            client = self.server.stack().output("UserPoolClientId")
            config = {"api_url": "/api", "cognito_url": "/cognito", "user_pool_client_id": client}
            self._send(HTTPStatus.OK, json.dumps(config).encode(), "application/json")
        else:
            self._file(path)

    def _body(self) -> bytes | None:
        """What was sent; None when it says it is too long, or does not say how long it is."""
        length = self.headers.get("Content-Length", "0")
        if (
            not length.isascii()
            or not length.isdigit()
            or int(length) > (UPLOAD_MAX if self.path.startswith(f"{STORAGE}/") else BODY_MAX)
            or "Transfer-Encoding" in self.headers
        ):
            self.close_connection = True
            return None
        return self.rfile.read(int(length))

    def _storage(self, path: str, body: bytes) -> None:
        """Hand on what carries a signature: a form that uploads, or a link to a photo."""
        endpoint = self.server.stack().endpoint_url
        form = self.command == "POST" and self.headers.get("Content-Type", "").startswith("multipart/form-data")
        link = self.command == "GET" and "Signature=" in urlsplit(self.path).query
        # A form goes to a bucket, a link to a key in one.
        depth = len(path.removeprefix(STORAGE).strip("/").split("/"))
        if endpoint is None or not ((form and depth == 1) or (link and depth > 1)):
            self._send_error(HTTPStatus.FORBIDDEN, "only signed uploads and signed links pass through here")
        else:
            self._pass_on(f"{endpoint.rstrip('/')}{self.path.removeprefix(STORAGE)}", ("Content-Type",), body)

    def _cognito(self, body: bytes) -> None:
        endpoint = self.server.stack().endpoint_url
        if self.command != "POST" or self.headers.get("X-Amz-Target") not in COGNITO or endpoint is None:
            self._send_error(HTTPStatus.FORBIDDEN, "only signing in and signing up pass through here")
        else:
            self._pass_on(endpoint, ("Content-Type", "X-Amz-Target"), body)

    def _pass_on(self, address: str, names: tuple[str, ...], body: bytes) -> None:
        headers = {name: value for name in names if (value := self.headers.get(name))}
        answer = self.server.upstream.request(self.command, address, headers=headers, content=body)
        kind = answer.headers.get("Content-Type", "application/json")
        content, endpoint = answer.content, self.server.stack().endpoint_url
        if endpoint is not None and kind.startswith("application/json"):
            content = content.replace(f"{endpoint.rstrip('/')}/".encode(), f"{STORAGE}/".encode())
        self._send(HTTPStatus(answer.status_code), content, kind)

    def _file(self, path: str) -> None:
        wanted = (self.server.web / unquote(path).lstrip("/")).resolve()
        if wanted == self.server.web:
            wanted /= "index.html"
        is_hidden = any(part.startswith(".") for part in Path(unquote(path)).parts)
        if is_hidden or not wanted.is_relative_to(self.server.web) or not wanted.is_file():
            self._send_error(HTTPStatus.NOT_FOUND, "no such file")
            return
        kind = TYPES.get(wanted.suffix) or mimetypes.guess_type(wanted.name)[0] or "application/octet-stream"
        text = kind.startswith("text/")
        self._send(HTTPStatus.OK, wanted.read_bytes(), f"{kind}; charset=utf-8" if text else kind)

    def _send_error(self, status: HTTPStatus, message: str) -> None:
        text = {"ko": "로컬 사이트 서버의 답입니다: " + message, "en": message}
        document = {"error": {"code": "local_site", "message": text}}
        self._send(status, json.dumps(document, ensure_ascii=False).encode(), "application/json")

    def _send(self, status: HTTPStatus, body: bytes, content_type: str) -> None:
        self.send_response(status)
        headers: Mapping[str, str] = {
            "Content-Type": content_type,
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            **SECURITY_HEADERS,
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def serve(port: int, stack: Callable[[], Stack], web: Path = WEB) -> None:
    """Serve until the process is told to stop (Ctrl-C, SIGTERM)."""
    with SiteServer(port, stack, web) as server, suppress(KeyboardInterrupt):
        server.serve_forever()


def running(state: Path) -> Site | None:
    """The site of this state folder, if it lives."""
    if not _is_locked(state):
        return None
    try:
        return Site(**json.loads((state / "site.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise LocalStackError(f"a site runs, but {state / 'site.json'} can't be read ({error})") from error


def start(state: Path, port: int = 0, web: Path = WEB) -> Site:
    """Start the site of the stack in `state/stack.json`, or find the running one; on last time's port if it is free."""
    if site := running(state):
        return site
    state.mkdir(parents=True, exist_ok=True)
    wanted = port or _last_port(state)
    (state / "site.json").unlink(missing_ok=True)
    with (state / "site.lock").open("w") as lock, (state / "site.log").open("w") as log:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        process = subprocess.Popen(
            [sys.executable, "-m", "pawcast_ops.local.site", str(state.resolve()), str(wanted), str(web.resolve())],
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[lock.fileno()],
            start_new_session=True,
        )
    _children[process.pid] = process
    until = time.monotonic() + START_SECONDS
    while not (state / "site.json").exists():
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            process.wait(STOP_SECONDS)
            raise LocalStackError(f"the site did not start: {(state / 'site.log').read_text(encoding='utf-8')[-2000:]}")
        time.sleep(0.05)
    site = running(state)
    if site is None:
        raise LocalStackError(f"the site ended at once: {(state / 'site.log').read_text(encoding='utf-8')[-2000:]}")
    return site


def stop(state: Path) -> bool:
    """Stop it; False if none ran. Waits until it is gone."""
    site = running(state)
    if site is None:
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(site.pid, number)
        until = time.monotonic() + STOP_SECONDS
        while _is_locked(state) and time.monotonic() < until:
            time.sleep(0.02)
        if not _is_locked(state):
            break
    if child := _children.pop(site.pid, None):
        child.wait(STOP_SECONDS)
    return True


def _is_locked(state: Path) -> bool:
    try:
        with (state / "site.lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True


def _last_port(state: Path) -> int:
    try:
        return int(json.loads((state / "site.json").read_text(encoding="utf-8"))["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _main(state: Path, port: int, web: Path) -> None:
    """Be the process that `start` starts: its lock is inherited, `site.json` is written when it listens."""

    def stack() -> Stack:
        return stack_outputs(stack_file=state / "stack.json")

    try:
        server = SiteServer(port, stack, web)
    except OSError:
        server = SiteServer(0, stack, web)  # the port of last time is another's now
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with server:
        written = state / "site.json.new"
        written.write_text(json.dumps(asdict(Site(pid=os.getpid(), port=server.port))), encoding="utf-8")
        written.replace(state / "site.json")
        server.serve_forever()


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
