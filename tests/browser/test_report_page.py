"""The weekly report in a browser: opened from disk, on a phone, on paper, with more stores than have charts."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")

from pawcast.forecasting.report import build_report  # noqa: E402
from tests.support.browser import assert_readable  # noqa: E402
from tests.support.reports import report_inputs  # noqa: E402

pytestmark = pytest.mark.browser
expect = playwright.expect


def test_the_report_opens_from_disk_without_asking_anybody(new_page: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "index.html"
    file.write_text(build_report(report_inputs(12, by_hour=3, hostile=True)).html, encoding="utf-8")
    page = new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.goto(file.as_uri())

    expect(page.locator("#chain-chart canvas")).to_be_visible()
    page.get_by_label("Find by name or id").fill("S0011")
    expect(page.locator("#hours-chart canvas")).to_be_visible()
    page.get_by_role("button", name="한국어").click()
    expect(page.get_by_role("heading", name="먼저 볼 매장")).to_be_visible()
    expect(page.get_by_role("heading", name="Stores to look at first")).to_be_hidden()
    assert [file.as_uri()] == asked


@pytest.fixture(scope="module")
def report_of_1200(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of more stores than have charts."""
    file = tmp_path_factory.mktemp("report") / "index.html"
    file.write_text(build_report(report_inputs(1200, by_hour=100, hostile=True)).html, encoding="utf-8")
    return file


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("locale", ["ko-KR", "en-GB"])
def test_the_report_is_accessible_and_fits_its_screen(
    new_page: Callable[..., Any], report_of_1200: Path, locale: str, width: int
) -> None:
    page = new_page(width=width, locale=locale)
    page.goto(report_of_1200.as_uri())
    page.evaluate("for (const one of document.querySelectorAll('details:not(#errors details)')) one.open = true")

    assert locale[:2] == page.evaluate("document.documentElement.lang")
    assert_readable(page)


def test_every_chart_of_the_report_has_its_figures_in_a_table(
    new_page: Callable[..., Any], report_of_1200: Path
) -> None:
    page = new_page()
    page.goto(report_of_1200.as_uri())
    page.get_by_label("Find by name or id").fill("S1199")

    data = json.loads(page.locator("#charts").text_content())
    store = next(one for one in data["stores"] if one["id"] == "S1199")
    past = page.locator("#store-past tbody tr")
    assert data["known"] == past.count()
    shown = [row.replace(",", "") for row in past.locator("td:nth-child(2)").all_text_contents()]
    assert ["–" if value is None else str(value) for value in store["a"]] == shown
    assert len(store["hours"]["t"]) == page.locator("#store-hours details tbody tr").count()
    assert 7 == page.locator("#store-table tbody tr").count()


def test_a_store_without_a_chart_says_where_its_days_are(new_page: Callable[..., Any], report_of_1200: Path) -> None:
    page = new_page()
    page.goto(report_of_1200.as_uri())
    stores = json.loads(page.locator("#charts").text_content())["stores"]
    without = next(one for one in stores if "p" not in one)
    page.get_by_label("Find by name or id").fill(without["id"])

    expect(page.locator("#store-table")).to_contain_text("plan.csv has this store's days")
    expect(page.locator("#store-facts")).to_contain_text(without["id"])
    expect(page.locator("#store-chart")).to_be_hidden()
    page.get_by_label("Find by name or id").fill("")
    expect(page.get_by_text("Type more to narrow it.")).to_be_visible()
    page.locator("[data-store]").first.click()
    expect(page.locator("#store-chart canvas")).to_be_visible()


def test_the_report_prints_its_charts_and_its_checks_on_paper(
    new_page: Callable[..., Any], report_of_1200: Path
) -> None:
    page = new_page(locale="en-GB")
    page.goto(report_of_1200.as_uri())
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")

    expect(page.locator("#chain-chart canvas")).to_be_visible()
    assert 660 == page.locator("#chain-chart .uplot").evaluate("chart => chart.offsetWidth")
    expect(page.get_by_role("table", name="Checks")).to_be_visible()
    expect(page.get_by_label("Find by name or id")).to_be_hidden()
    expect(page.get_by_role("button", name="English")).to_be_hidden()
    expect(page.locator("summary", has_text="As a table").first).to_be_hidden()
