"""The operations page in a browser: the service in figures, which are never older or better than they say."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

playwright = pytest.importorskip("playwright.sync_api")

from tests.support.browser import assert_readable, keep_session, picture  # noqa: E402
from tests.support.fake_api import DOWN, Json, token  # noqa: E402
from tests.support.review_site import Reviews, figures, serving  # noqa: E402

pytestmark = pytest.mark.browser
expect = playwright.expect
SEOUL = ZoneInfo("Asia/Seoul")


@pytest.fixture
def behind() -> Iterator[Reviews]:
    with serving(Reviews(operations=figures())) as made:
        yield made


@pytest.fixture
def open_page(site: str, new_page: Callable[..., Any]) -> Callable[..., Any]:
    """Opens the page as somebody of a group."""

    def make(*, group: str = "operators", **kind: Any) -> Any:
        page = new_page(**kind)
        keep_session(page, {"id": token([group]), "refresh": "refresh"})
        page.goto(f"{site}/operations.html")
        return page

    return make


def section(page: Any, name: str) -> Any:
    return page.get_by_role("region", name=name)


def with_changes(found: Json, **changes: Json) -> Json:
    """The figures with some facts of some sections changed."""
    return found | {name: found[name] | facts for name, facts in changes.items()}


def test_an_operator_reads_what_was_promised_what_waits_and_what_it_costs(
    open_page: Callable[..., Any], behind: Reviews
) -> None:
    behind.operations = with_changes(
        figures(),
        slo={"decided": 10_000, "late": 4, "share_in_time": 0.9996, "budget_left": 0.6},
        queues={"screening_messages": 12, "reviews_waiting": 34, "oldest_review_seconds": 3_000},
        cost={"month": "2026-11", "krw_estimated": 812_345, "krw_month_end": 1_104_000, "budget_krw": 1_500_000},
    )

    page = open_page()

    promise = section(page, "The promise")
    expect(promise).to_contain_text("99.96 %")
    expect(promise).to_contain_text("4 of 10,000")
    expect(promise).to_contain_text("60 %")
    expect(section(page, "What waits")).to_contain_text("50 min")
    expect(section(page, "Cost")).to_contain_text("1,104,000 KRW")


def test_what_is_over_its_limit_is_said_in_words(open_page: Callable[..., Any], behind: Reviews) -> None:
    behind.operations = with_changes(
        figures(),
        slo={"decided": 1_000, "late": 5, "share_in_time": 0.995, "budget_left": -4.0},
        operators={"checks_done": 900, "checks_predicted": 2_000, "checks_limit": 1_500},
    )

    page = open_page()

    expect(section(page, "The promise")).to_contain_text("The error budget is spent")
    expect(section(page, "Operators")).to_contain_text("This week's forecast is over the limit.")


@pytest.mark.parametrize(("window", "rows"), [("1 day", 24), ("7 days", 7), ("28 days", 28)])
def test_the_chart_s_figures_are_there_as_a_table_too(
    open_page: Callable[..., Any], behind: Reviews, window: str, rows: int
) -> None:
    days = int(window.split(maxsplit=1)[0])
    behind.operations = figures(days)
    page = open_page()

    page.get_by_role("button", name=window).click()
    expect(page.get_by_role("button", name=window)).to_have_attribute("aria-pressed", "true")
    page.get_by_text("As a table").click()

    table = section(page, "Photos").locator("details table")
    expect(table.locator("tbody tr")).to_have_count(rows)
    uploads = [int(text.replace(",", "")) for text in table.locator("tbody tr td:nth-of-type(1)").all_inner_texts()]
    hours = behind.operations["hours"]
    if days > 1:  # whole days in Seoul
        first = datetime.now(SEOUL).date() - timedelta(days=rows - 1)
        hours = [hour for hour in hours if datetime.fromisoformat(hour["at"]).astimezone(SEOUL).date() >= first]
    assert sum(hour["uploads"] for hour in hours) == sum(uploads)
    page.screenshot(path=picture(f"operations-{rows}-rows"), full_page=True)


def test_a_new_stack_knows_nothing_yet_and_says_so(open_page: Callable[..., Any], behind: Reviews) -> None:
    behind.operations = figures(empty=True)

    page = open_page()

    expect(section(page, "The promise")).to_contain_text("not yet")
    expect(section(page, "Estimated recall")).to_contain_text("No model has been audited yet.")
    assert "NaN" not in page.get_by_role("main").inner_text()


def test_figures_that_can_not_be_renewed_stay_with_their_time(
    open_page: Callable[..., Any], behind: Reviews, problems: list[str]
) -> None:
    page = open_page()
    expect(section(page, "Cost")).to_be_visible()
    behind.refuse = lambda *_: DOWN

    page.get_by_role("button", name="1 day").click()

    expect(page.get_by_role("alert")).to_contain_text("New figures could not be loaded. These are of")
    expect(section(page, "Cost")).to_be_visible()
    problems.clear()  # the browser complains of the refusal
    behind.refuse = lambda *_: None
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_have_count(0)


def test_somebody_who_is_no_operator_gets_no_figures(open_page: Callable[..., Any], behind: Reviews) -> None:
    asked: list[str] = []
    behind.refuse = lambda method, path, _: asked.append(path)

    page = open_page(group="planners")

    expect(page.get_by_role("main")).to_contain_text("Only operators can see this page.")
    assert "/operations" not in asked


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("state", ["busy", "empty"])
def test_every_state_can_be_read_by_everybody_and_fits_the_screen(
    open_page: Callable[..., Any], behind: Reviews, language: str, width: int, state: str
) -> None:
    behind.operations = figures(empty=state == "empty")
    page = open_page(width=width, locale="ko-KR" if language == "ko" else "en-GB")
    expect(page.locator(".chart canvas")).to_be_visible()

    page.screenshot(path=picture(f"operations-{state}-{language}-{width}"), full_page=True)

    assert_readable(page)
