"""The inbox in a browser: what became of one's photos, what is new, and the way to each post."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")

from tests.support.browser import assert_readable, keep_session, picture  # noqa: E402
from tests.support.fake_api import DOWN, Json, token  # noqa: E402
from tests.support.mine_site import (  # noqa: E402
    HOSTILE,
    OWNER,
    Mine,
    post_id,
    post_of,
    rejected,
    serving,
)
from tests.support.review_site import PASSWORD  # noqa: E402

pytestmark = pytest.mark.browser
expect = playwright.expect
NOTICES_PAGE = 20  # as in web/js/inbox/page.js


@pytest.fixture
def behind() -> Iterator[Mine]:
    with serving(Mine()) as made:
        yield made


@pytest.fixture
def open_page(site: str, new_page: Callable[..., Any]) -> Callable[..., Any]:
    """Opens the inbox, signed in unless `signed_in` says otherwise."""

    def make(*, signed_in: bool = True, clock: bool = False, **kind: Any) -> Any:
        page = new_page(**kind)
        if signed_in:
            keep_session(page, {"id": token(user=OWNER.user_id), "refresh": "refresh"})
        if clock:
            page.clock.install()
        page.goto(f"{site}/inbox.html")
        return page

    return make


def ago(minutes: float) -> datetime:
    return datetime.now(UTC) - timedelta(minutes=minutes)


def published(behind: Mine, *numbers: int) -> None:
    """Notices of published photos, the last number the newest."""
    for number in numbers:
        behind.notify(post_of(number), at=ago(1000 - number))


def one_of_each(behind: Mine) -> None:
    """Every kind of notice; the three newest are unread."""
    behind.notify(post_of(1), at=ago(9000))
    behind.notify(rejected(2, "truncated_image", title="A damaged file"), at=ago(5000))
    behind.notify(post_of(3, "in_review", title=HOSTILE, reason="claimed"), at=ago(4000))
    behind.notify(rejected(4, "human_face", title="창가의 나비"), at=ago(2000))
    behind.notify(rejected(4, title="창가의 나비"), "MosaicFailed", at=ago(1990), reason="mosaic_no_face")
    behind.read_at = ago(100).isoformat()
    behind.notify(post_of(6, "in_review", reason="human_face_suspected"), "PostLate", at=ago(50))
    behind.notify(post_of(7, "mosaic", title="A poster behind the cat"), "MosaicReady", at=ago(20))
    behind.notify(post_of(8), "PostOverturned", at=ago(3))


def notices(page: Any) -> Any:
    return page.get_by_role("main").get_by_role("article")


def marked(page: Any) -> list[bool]:
    """Which of the notices are marked as new, from the top."""
    return [one.get_by_text("New", exact=True).count() == 1 for one in notices(page).all()]


# ---------------------------------------------------------------- reading


def test_notices_are_read_newest_first_with_what_to_do(open_page: Callable[..., Any], behind: Mine) -> None:
    one_of_each(behind)
    page = open_page()
    expect(notices(page)).to_have_count(8)

    told = notices(page).all_inner_texts()
    for place, words in enumerate(
        (
            "A person checked your photo “Photo 8”, and it is published.",
            "The faces in your photo “A poster behind the cat” are covered.",
            "We are sorry",
            "could not be covered",
            "You can also publish it with the faces covered",
            "Several people reported this photo.",
            "The file is damaged or incomplete.",
            "Everybody can see it in the feed now.",
        )
    ):
        assert words in told[place]


def test_every_notice_leads_to_its_post(open_page: Callable[..., Any], behind: Mine) -> None:
    one_of_each(behind)
    page = open_page()
    expect(notices(page)).to_have_count(8)

    links = [one.get_by_role("link").get_attribute("href") for one in notices(page).all()]
    assert [
        f"index.html#{post_id(8)}",
        *(f"mine.html#{post_id(number)}" for number in (7, 6, 4, 4, 3, 2)),
        f"index.html#{post_id(1)}",
    ] == links


def test_opening_the_inbox_reads_it_and_what_was_new_stays_marked_until_one_leaves(
    open_page: Callable[..., Any], behind: Mine
) -> None:
    one_of_each(behind)
    page = open_page()
    expect(notices(page)).to_have_count(8)
    assert [True] * 3 + [False] * 5 == marked(page)
    expect(page.get_by_role("link", name="Inbox", exact=True)).to_be_visible()  # without a number
    page.get_by_role("button", name="한국어").click()
    expect(notices(page)).to_have_count(8)
    expect(notices(page).first).to_contain_text("새 알림")
    page.get_by_role("button", name="English").click()
    expect(notices(page).first).to_contain_text("New")
    assert [True] * 3 + [False] * 5 == marked(page)
    page.reload()
    expect(notices(page)).to_have_count(8)

    assert [False] * 8 == marked(page)
    assert 0 == behind.unread()
    assert [{}] == behind.sent("/inbox/read")


def test_older_unread_notices_are_marked_although_they_count_as_read_by_then(
    open_page: Callable[..., Any], behind: Mine
) -> None:
    published(behind, *range(NOTICES_PAGE + 10))
    behind.read_at = ago(1000 - 4.5).isoformat()  # notices 0 to 4 were read
    page = open_page()
    expect(notices(page).first).to_be_visible()
    page.mouse.wheel(0, 100_000)
    expect(notices(page)).to_have_count(NOTICES_PAGE + 10)

    assert [True] * (NOTICES_PAGE + 5) + [False] * 5 == marked(page)


def test_a_title_that_looks_like_markup_stays_text(open_page: Callable[..., Any], behind: Mine) -> None:
    behind.notify(post_of(1, title=HOSTILE), at=ago(1))

    expect(open_page().get_by_role("heading", level=2)).to_contain_text(HOSTILE.strip())


def test_older_notices_follow_as_one_scrolls(open_page: Callable[..., Any], behind: Mine) -> None:
    published(behind, *range(3 * NOTICES_PAGE))
    page = open_page()
    expect(notices(page).first).to_contain_text(f"“Photo {3 * NOTICES_PAGE - 1}”")
    for _ in range(5):
        page.mouse.wheel(0, 100_000)
        page.wait_for_timeout(50)
    expect(notices(page)).to_have_count(3 * NOTICES_PAGE)

    expect(notices(page).last).to_contain_text("“Photo 0”")


# ---------------------------------------------------------------- what arrives meanwhile


def test_a_notice_that_arrives_while_one_reads_is_put_on_top_and_read(
    open_page: Callable[..., Any], behind: Mine
) -> None:
    published(behind, 1)
    page = open_page(clock=True)
    expect(notices(page)).to_have_count(1)
    page.clock.run_for(1_000)
    behind.notify(rejected(2), at=datetime.now(UTC))
    page.clock.run_for(30_000)

    expect(notices(page)).to_have_count(2)
    expect(notices(page).first).to_contain_text("Your photo “Photo 2” could not be published.")
    expect(notices(page).first).to_contain_text("New")
    expect(page.get_by_role("status")).to_have_text("A new notice has arrived.")
    assert 2 == len(behind.sent("/inbox/read"))


def test_the_first_notice_of_all_is_shown_when_it_arrives(open_page: Callable[..., Any], behind: Mine) -> None:
    page = open_page(clock=True)
    expect(page.get_by_role("main")).to_contain_text("No notices yet.")
    published(behind, 1)
    page.clock.run_for(31_000)

    expect(notices(page)).to_have_count(1)
    expect(page.get_by_role("main")).not_to_contain_text("No notices yet.")


# ---------------------------------------------------------------- when something fails


def test_notices_are_shown_and_stay_unread_when_they_can_not_be_marked(
    open_page: Callable[..., Any], behind: Mine, problems: list[str]
) -> None:
    one_of_each(behind)
    behind.refuse = lambda method, path: DOWN if path == "/inbox/read" else None
    page = open_page()
    expect(notices(page)).to_have_count(8)

    assert [True] * 3 + [False] * 5 == marked(page)
    expect(page.get_by_role("link", name="Inbox 3 unread")).to_be_visible()
    problems.clear()  # the browser complains of the 503


def test_an_inbox_that_can_not_be_loaded_is_said_and_loaded_when_asked_again(
    open_page: Callable[..., Any], behind: Mine, problems: list[str]
) -> None:
    published(behind, 1)
    behind.refuse = lambda *_: DOWN
    page = open_page()
    expect(page.get_by_role("alert")).to_contain_text("Please try again in a moment.")
    behind.refuse = lambda *_: None
    page.get_by_role("button", name="Try again").click()

    expect(notices(page)).to_have_count(1)
    problems.clear()  # the browser complains of the 503


def test_a_session_that_ends_asks_to_sign_in_and_goes_on(
    open_page: Callable[..., Any], behind: Mine, problems: list[str]
) -> None:
    published(behind, 1)
    behind.session_ends = True
    page = open_page()
    page.get_by_label("Email").fill("owner-1@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()

    expect(notices(page)).to_have_count(1)
    problems.clear()  # the browser complains of the 401s


# ---------------------------------------------------------------- for everybody


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("locale", ["ko-KR", "en-GB"])
@pytest.mark.parametrize("state", ["list", "empty", "signed out"])
def test_every_state_is_accessible_and_fits_its_screen(
    open_page: Callable[..., Any], behind: Mine, state: str, locale: str, width: int
) -> None:
    if state == "list":
        one_of_each(behind)
    page = open_page(width=width, locale=locale, signed_in=state != "signed out")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if state == "list":
        expect(notices(page)).to_have_count(8)
    if state == "empty":
        expect(page.get_by_role("main").get_by_role("link")).to_be_visible()
    page.screenshot(path=picture(f"inbox-{state.replace(' ', '-')}-{locale[:2]}-{width}"), full_page=True)

    assert_readable(page)


def test_both_languages_have_every_word(open_page: Callable[..., Any]) -> None:
    words: dict[str, Json] = open_page().evaluate("import('/js/inbox/words.js').then((module) => module.WORDS)")

    assert [] == [code for code, (ko, en) in words.items() if not ko or not en or re.search("[가-힣]", en)]
