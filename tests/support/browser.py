"""A headless Chromium: the machine's own or the one that Playwright installed; without either, tests are skipped."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pawcast_ops.local.site import SiteRequest, SiteServer
from pawcast_ops.outputs import Stack
from tests.support.fake_api import in_thread

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
playwright = pytest.importorskip("playwright.sync_api")

PICTURES = Path(__file__).parents[2] / "test-output" / "pages"

ARGUMENTS = (
    "--no-sandbox",  # in a container, as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        own = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        try:
            browser = started.chromium.launch(executable_path=own, args=list(ARGUMENTS))
        except playwright.Error as error:
            pytest.skip(f"no Chromium here: {error.message.splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture
def problems() -> list[str]:
    """What went wrong in a page, filled by `watched`."""
    return []


@pytest.fixture
def new_page(chromium: Any, problems: list[str]) -> Iterator[Any]:
    """Makes pages of a width and language; each must end without a complaint of the browser."""
    contexts = []

    def make(width: int = 1440, locale: str = "en-GB") -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, locale=locale, timezone_id="Asia/Seoul", reduced_motion="reduce"
        )
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        return page

    yield make
    for context in contexts:
        context.close()
    assert [] == problems, problems


@pytest.fixture
def site(behind: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The site's own server, before what a module's fixture `behind` answers."""
    monkeypatch.setattr(SiteRequest, "log_message", lambda *_: None)
    outputs = {"ApiUrl": behind.url, "UserPoolClientId": "client-1"}
    with in_thread(SiteServer(0, lambda: Stack(outputs, behind.url, "us-east-1"))) as url:
        yield url


def keep_session(page: Any, session: dict[str, str]) -> None:
    """Open the page with this session; what it does to it later is not undone by a reload."""
    page.add_init_script(
        "if (!sessionStorage.getItem('seeded')) { sessionStorage.setItem('seeded', '1');"
        f"sessionStorage.setItem('pawcast-session', {json.dumps(json.dumps(session))}); }}"
    )


def picture(name: str) -> Path:
    """Where a picture of a page is kept."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES / f"{name}.png"


def assert_readable(page: Any) -> None:
    """Axe finds nothing, and nothing is wider than the screen."""
    found = axe.Axe().run(page).response["violations"]
    assert [] == [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
