"""A headless Chromium: the machine's own or the one that Playwright installed; without either, tests are skipped."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")

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
