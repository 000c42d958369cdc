"""The local site: files with their headers, the stack behind the same origin, and nothing else."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from pawcast_ops.local import site as sites
from pawcast_ops.local.site import WEB, SiteServer
from pawcast_ops.outputs import Stack, StackNotFound


@dataclass
class Behind:
    """The stack behind the site: remembers what it was asked."""

    url: str
    answer: str = '{"from": "behind"}'
    asked: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def behind() -> Iterator[Behind]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length).decode()
            request = {"method": self.command, "path": self.path, "headers": dict(self.headers), "body": body}
            known.asked.append(request | {"length": length})
            self.send_response(409 if "conflict" in self.path else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(known.answer.encode())

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None: ...

    with running(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as url:
        known = Behind(url)
        yield known


class running:
    """A server in a thread of its own, as long as the block lasts."""

    def __init__(self, server: ThreadingHTTPServer) -> None:
        self.server = server
        self.thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> str:
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def web(tmp_path: Path) -> Path:
    folder = tmp_path / "web"
    (folder / "js").mkdir(parents=True)
    (folder / "index.html").write_text("<p>방문</p>", encoding="utf-8")
    (folder / "js" / "page.js").write_text("export {};", encoding="utf-8")
    (folder / ".hidden").write_text("secret", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (folder / "way-out.txt").symlink_to(tmp_path / "secret.txt")
    return folder


@pytest.fixture
def site(behind: Behind, web: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    monkeypatch.setattr(sites.SiteRequest, "log_message", lambda *_: None)
    outputs = {"ApiUrl": f"{behind.url}/execute/$default/", "UserPoolClientId": "client-1"}
    stack = Stack(outputs=outputs, endpoint_url=behind.url, region="us-east-1")
    with (
        running(SiteServer(0, lambda: stack, web)) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client


def test_files_come_with_their_type_and_a_policy_without_anything_inline(site: httpx.Client) -> None:
    page, script = site.get("/index.html"), site.get("/js/page.js?v=1")

    assert (200, "<p>방문</p>") == (page.status_code, page.text)
    assert "text/html; charset=utf-8" == page.headers["Content-Type"]
    assert "text/javascript; charset=utf-8" == script.headers["Content-Type"]
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert "nosniff" == page.headers["X-Content-Type-Options"]


def test_the_root_is_the_page(site: httpx.Client) -> None:
    assert site.get("/index.html").text == site.get("/").text
    assert "" == site.head("/").text


@pytest.mark.parametrize(
    "path",
    ["/%2e%2e/secret.txt", "/..%2fsecret.txt", "/.hidden", "/way-out.txt", "/js", "/nothing.html", "//etc/passwd"],
)
def test_nothing_outside_the_site_is_served(site: httpx.Client, path: str) -> None:
    answer = site.get(path)

    assert 404 == answer.status_code
    assert "secret" not in answer.text


def test_the_configuration_names_places_of_this_origin(site: httpx.Client) -> None:
    expected = {"api_url": "/api", "cognito_url": "/cognito", "user_pool_client_id": "client-1"}

    assert expected == site.get("/config.json").json()


def test_the_api_is_asked_with_the_token_the_query_and_the_body(site: httpx.Client, behind: Behind) -> None:
    site.get("/api/weeks/2026-W49/stores?q=%EA%B0%95", headers={"Authorization": "Bearer t", "Cookie": "no=1"})
    site.post("/api/weeks/2026-W49/comments", json={"text": "hi"})

    read, wrote = behind.asked
    assert ("GET", "/execute/$default/weeks/2026-W49/stores?q=%EA%B0%95") == (read["method"], read["path"])
    assert "Bearer t" == read["headers"]["Authorization"]
    assert "Cookie" not in read["headers"]
    assert ("POST", {"text": "hi"}) == (wrote["method"], json.loads(wrote["body"]))


def test_a_refusal_of_the_api_comes_through(site: httpx.Client) -> None:
    answer = site.get("/api/conflict")

    assert (409, {"from": "behind"}) == (answer.status_code, answer.json())


def test_the_way_out_of_the_api_is_closed(site: httpx.Client, behind: Behind) -> None:
    assert 404 == site.get("/api/%2e%2e/%2e%2e/other").status_code
    assert [] == behind.asked


def test_only_signing_in_and_up_reaches_cognito(site: httpx.Client, behind: Behind) -> None:
    service = "AWSCognitoIdentityProviderService"

    assert 200 == site.post("/cognito", headers={"X-Amz-Target": f"{service}.InitiateAuth"}, json={}).status_code
    assert 403 == site.post("/cognito", headers={"X-Amz-Target": f"{service}.AdminCreateUser"}, json={}).status_code
    assert 403 == site.get("/cognito").status_code
    assert [f"{service}.InitiateAuth"] == [one["headers"]["X-Amz-Target"] for one in behind.asked]


SIGNED = "X-Amz-Algorithm=a&X-Amz-Signature=s"


def test_what_the_api_signed_stays_on_this_origin(site: httpx.Client, behind: Behind) -> None:
    behind.answer = json.dumps({"url": f"{behind.url}/uploads", "photo_url": f"{behind.url}/published/a.jpg?x=1"})

    assert {"url": "/storage/uploads", "photo_url": "/storage/published/a.jpg?x=1"} == site.get("/api/posts").json()


def test_signed_uploads_and_signed_links_reach_the_storage(site: httpx.Client, behind: Behind) -> None:
    photo = b"x" * (sites.BODY_MAX + 1)

    sent = site.post("/storage/uploads", data={"key": "posts/1"}, files={"file": photo})
    read = site.get(f"/storage/published/photos/1.jpg?{SIGNED}")

    upload, link = behind.asked
    assert (200, "/uploads", True) == (sent.status_code, upload["path"], upload["length"] > len(photo))
    assert (200, f"/published/photos/1.jpg?{SIGNED}") == (read.status_code, link["path"])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/storage/published/photos/1.jpg"),
        ("GET", f"/storage/published?{SIGNED}"),
        ("GET", f"/storage/?{SIGNED}"),
        ("POST", "/storage/uploads"),
        ("HEAD", f"/storage/published/1.jpg?{SIGNED}"),
    ],
)
def test_nothing_else_reaches_the_storage(site: httpx.Client, behind: Behind, method: str, path: str) -> None:
    assert 403 == site.request(method, path).status_code
    assert [] == behind.asked


def test_a_foreign_host_name_is_refused(site: httpx.Client) -> None:
    assert 400 == site.get("/config.json", headers={"Host": "rebound.example"}).status_code


def test_a_body_that_is_too_long_is_refused(site: httpx.Client, behind: Behind) -> None:
    assert 400 == site.post("/api/weeks", content=b"x" * (sites.BODY_MAX + 1)).status_code
    assert [] == behind.asked


def test_a_stack_that_is_gone_is_said_in_words(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites.SiteRequest, "log_message", lambda *_: None)

    def none() -> Stack:
        raise StackNotFound("Run `make up`")

    with running(SiteServer(0, none, web)) as url:
        answer = httpx.get(f"{url}/config.json", trust_env=False)

    assert (503, "Run `make up`") == (answer.status_code, answer.json()["error"]["message"]["en"])


def test_a_stack_that_does_not_answer_is_said_in_words(web: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites.SiteRequest, "log_message", lambda *_: None)
    stack = Stack(outputs={"ApiUrl": "http://127.0.0.1:9"}, endpoint_url=None, region=None)

    with running(SiteServer(0, lambda: stack, web)) as url:
        assert 502 == httpx.get(f"{url}/api/weeks", trust_env=False).status_code


def test_a_started_site_is_found_again_and_nothing_of_a_stopped_one_runs(tmp_path: Path, web: Path) -> None:
    state = tmp_path / "state"
    try:
        started = sites.start(state, web=web)
        (state / "stack.json").write_text(json.dumps({"outputs": {"UserPoolClientId": "later"}}), encoding="utf-8")

        assert started == sites.running(state) == sites.start(state)
        assert "later" == httpx.get(f"{started.url}/config.json", trust_env=False).json()["user_pool_client_id"]
    finally:
        assert sites.stop(state)
    assert None is sites.running(state)
    assert not sites.stop(state)


def test_the_pages_hold_nothing_that_their_policy_forbids() -> None:
    for page in WEB.glob("*.html"):
        text = page.read_text(encoding="utf-8")

        assert "<style" not in text
        assert " style=" not in text
        assert text.count("<script") == text.count(' src="js/')
