"""*My posts* in a browser: what became of a photo, and what its owner can do about it."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")

from pawcast.screening.post import Appeal, PostState  # noqa: E402
from tests.support.browser import assert_readable, keep_session, picture  # noqa: E402
from tests.support.fake_api import DOWN, token  # noqa: E402
from tests.support.mine_site import (  # noqa: E402
    HOSTILE,
    NO_LONGER,
    OWNER,
    TOO_MANY,
    Mine,
    Refuse,
    covered,
    one_of_each,
    post_id,
    post_of,
    rejected,
    serving,
    with_mosaic,
)
from tests.support.review_site import PASSWORD, photo  # noqa: E402

pytestmark = pytest.mark.browser
expect = playwright.expect
POSTS_PAGE = 20  # as in web/js/mine/page.js


@pytest.fixture(scope="module", autouse=True)
def drawn() -> None:
    """Photos are drawn before anybody waits for them."""
    for number in range(4):
        photo(f"{('landscape', 'portrait')[number % 2]}-{number}")
    covered("landscape-2")


@pytest.fixture
def behind() -> Iterator[Mine]:
    with serving(Mine()) as made:
        yield made


@pytest.fixture
def open_page(site: str, new_page: Callable[..., Any]) -> Callable[..., Any]:
    """Opens the page, signed in unless `signed_in` says otherwise; `at` is what follows the address."""

    def make(at: str = "", *, signed_in: bool = True, clock: bool = False, **kind: Any) -> Any:
        page = new_page(**kind)
        if signed_in:
            keep_session(page, {"id": token(user=OWNER.user_id), "refresh": "refresh"})
        if clock:
            page.clock.install()
        page.goto(f"{site}/mine.html{at}")
        return page

    return make


def the_post(page: Any, number: int) -> Any:
    return page.locator(f"#post-{post_id(number)}")


def refuse(*, path: str, answer: tuple[int, Any]) -> Refuse:
    """Says no to posts to paths that end so."""
    return lambda method, to: answer if method == "POST" and to.endswith(path) else None


def no_answer(page: Any, path: str) -> None:
    page.route(re.compile(f"{path}$"), lambda route: route.abort())


# ---------------------------------------------------------------- the list


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (1, ["(withdrawn)", "The photo and its words are deleted"]),
        (2, ["The photo never came", "the post was closed"]),
        (3, ["Not published", "The file is damaged or incomplete", "Upload again"]),
        (4, ["Not published", "face can be recognised", "Another person looked", "It is a doll.", "Cover the faces"]),
        (5, ["Not published", "on a poster", "Cover the faces", "Appeal", "Post another photo"]),
        (6, ["Waiting for you", "2 faces are covered", "Before", "After"]),
        (7, ["Covering faces", "The faces are being covered"]),
        (8, ["Appeal being checked", "Another person than the one who decided first", "You will hear by"]),
        (9, ["A person is checking", "may show a human face", "You will hear by"]),
        (10, ["Published", "Everybody can see it", "See it in the feed"]),
        (11, ["Being checked", "The photo is being checked", "You will hear by"]),
        (12, ["Waiting for the photo", "If its upload broke off", "until"]),
    ],
)
def test_every_state_is_told_in_words_with_what_can_be_done(
    open_page: Callable[..., Any], behind: Mine, number: int, said: list[str]
) -> None:
    behind.put(*one_of_each())
    one = the_post(open_page(), number)

    for words in said:
        expect(one).to_contain_text(words)


def test_a_title_that_looks_like_markup_stays_text(open_page: Callable[..., Any], behind: Mine) -> None:
    behind.put(rejected(1, title=HOSTILE))

    expect(the_post(open_page(), 1).get_by_role("heading")).to_contain_text(HOSTILE.strip())


def test_only_what_the_rules_allow_is_offered(open_page: Callable[..., Any], behind: Mine) -> None:
    told = Appeal(text="No face.", at=datetime.now(UTC))
    behind.put(rejected(1, "gruesome"), rejected(2, "human_face", appeal=told), post_of(3, "withdrawn", title=""))
    page = open_page()
    expect(page.get_by_role("article")).to_have_count(3)

    def buttons(number: int) -> list[str]:
        names = the_post(page, number).locator(".buttons button, .buttons a").all_inner_texts()
        return [str(name) for name in names]

    assert ["Appeal", "Post another photo", "Withdraw"] == buttons(1)
    assert ["Cover the faces", "Post another photo", "Withdraw"] == buttons(2)
    assert [] == buttons(3)


def test_no_posts_lead_to_the_first_one(open_page: Callable[..., Any]) -> None:
    page = open_page()
    expect(page.get_by_role("main")).to_contain_text("You have not posted anything yet.")

    expect(page.get_by_role("main").get_by_role("link", name="Post a photo")).to_have_attribute("href", "post.html")


def test_older_posts_follow_as_one_scrolls_each_once(open_page: Callable[..., Any], behind: Mine) -> None:
    behind.put(*(post_of(number) for number in range(2 * POSTS_PAGE + 5)))
    page = open_page()
    articles = page.get_by_role("article")
    expect(articles.first).to_be_visible()
    assert POSTS_PAGE >= articles.count()
    for _ in range(5):
        page.mouse.wheel(0, 100_000)
        page.wait_for_timeout(50)
    expect(articles).to_have_count(2 * POSTS_PAGE + 5)

    titles = page.get_by_role("heading", level=2).all_inner_texts()
    assert [f"Photo {number}" for number in reversed(range(2 * POSTS_PAGE + 5))] == [
        title.replace("Published", "").strip() for title in titles
    ]


def test_a_list_that_can_not_be_loaded_is_said_and_loaded_when_asked_again(
    open_page: Callable[..., Any], behind: Mine, problems: list[str]
) -> None:
    behind.put(post_of(1))
    behind.refuse = lambda method, path: DOWN if path == "/posts" else None
    page = open_page()
    expect(page.get_by_role("alert")).to_contain_text("Please try again in a moment.")
    behind.refuse = lambda *_: None
    page.get_by_role("button", name="Try again").click()

    expect(the_post(page, 1)).to_be_visible()
    problems.clear()  # the browser complains of the 503


# ---------------------------------------------------------------- a link to one post


def test_a_link_goes_to_its_post(open_page: Callable[..., Any], behind: Mine) -> None:
    behind.put(*(post_of(number) for number in range(POSTS_PAGE)))
    page = open_page(f"#{post_id(3)}")

    expect(the_post(page, 3)).to_be_focused()
    expect(the_post(page, 3)).to_be_in_viewport()


def test_a_link_to_an_old_post_shows_it_before_the_newest_and_once(open_page: Callable[..., Any], behind: Mine) -> None:
    behind.put(*(post_of(number) for number in range(POSTS_PAGE + 5)))
    page = open_page(f"#{post_id(0)}")
    expect(the_post(page, 0)).to_be_focused()
    expect(page.get_by_role("article").first).to_have_id(f"post-{post_id(0)}")
    page.mouse.wheel(0, 100_000)

    expect(page.get_by_role("article")).to_have_count(POSTS_PAGE + 5)
    expect(the_post(page, 0)).to_have_count(1)


def test_a_link_to_a_post_that_is_nobodys_says_so_and_shows_the_list(
    open_page: Callable[..., Any], behind: Mine, problems: list[str]
) -> None:
    behind.put(post_of(1))
    page = open_page(f"#{post_id(77)}")

    expect(page.get_by_role("status")).to_have_text("The post that the link names can't be found.")
    expect(the_post(page, 1)).to_be_visible()
    problems.clear()  # the browser complains of the 404


def test_another_link_on_the_same_page_goes_there_without_loading_again(
    open_page: Callable[..., Any], behind: Mine
) -> None:
    behind.put(*(post_of(number) for number in range(10)))
    page = open_page()
    expect(the_post(page, 2)).to_be_attached()
    page.evaluate(f"location.hash = '{post_id(2)}'")
    expect(the_post(page, 2)).to_be_focused()
    page.evaluate("location.hash = 'content'")  # the skip link

    expect(the_post(page, 2)).to_be_attached()
    assert 1 == behind.looks("/posts")


# ---------------------------------------------------------------- while something is under way


def test_a_post_that_is_being_checked_shows_its_decision_by_itself(open_page: Callable[..., Any], behind: Mine) -> None:
    behind.put(post_of(1, "screening"))
    page = open_page(clock=True)
    expect(the_post(page, 1)).to_contain_text("Being checked")
    behind.moved(1, PostState.REJECTED, reason="human_face", rendition_key="portrait-1")
    page.clock.run_for(3_000)

    expect(the_post(page, 1)).to_contain_text("A person's face can be recognised in your photo.")
    expect(the_post(page, 1).get_by_role("img")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("“Photo 1”: Not published")


def test_looking_again_is_gentle_and_ends_with_the_decision(open_page: Callable[..., Any], behind: Mine) -> None:
    behind.put(post_of(1, "in_review", reason="human_face_suspected"), post_of(2))
    page = open_page(clock=True)
    expect(the_post(page, 1)).to_be_visible()
    path = f"/posts/{post_id(1)}"
    for _ in range(60):
        page.clock.run_for(10_000)
        page.wait_for_timeout(5)
    looks = behind.looks(path)
    assert 8 <= looks <= 20
    behind.moved(1, PostState.PUBLISHED, reason=None)
    for _ in range(30):
        page.clock.run_for(10_000)
        page.wait_for_timeout(5)
    expect(the_post(page, 1)).to_contain_text("Everybody can see it")

    assert behind.looks(path) - looks <= 2
    assert 0 == behind.looks(f"/posts/{post_id(2)}")


def test_a_look_that_fails_is_made_up_for(open_page: Callable[..., Any], behind: Mine, problems: list[str]) -> None:
    behind.put(post_of(1, "screening"))
    page = open_page(clock=True)
    expect(the_post(page, 1)).to_be_visible()
    behind.refuse = lambda method, path: DOWN if path == f"/posts/{post_id(1)}" else None
    page.clock.run_for(3_000)
    page.wait_for_timeout(100)
    behind.moved(1, PostState.PUBLISHED)
    behind.refuse = lambda *_: None
    page.clock.run_for(6_000)

    expect(the_post(page, 1)).to_contain_text("Everybody can see it")
    problems.clear()  # the browser complains of the 503


def test_a_photo_whose_link_has_ended_is_fetched_by_a_new_one(
    open_page: Callable[..., Any], behind: Mine, problems: list[str]
) -> None:
    behind.put(post_of(1, rendition_key="ended"))
    behind.refuse = lambda method, path: behind.put(post_of(1)) if path == f"/posts/{post_id(1)}" else None
    page = open_page()

    expect(the_post(page, 1).get_by_role("img")).to_have_attribute("src", "/api/photos/portrait-1.jpg")
    problems.clear()  # the browser complains of the 404


def test_a_decision_does_not_take_the_keyboard_out_of_the_post(open_page: Callable[..., Any], behind: Mine) -> None:
    behind.put(post_of(1, "screening"))
    page = open_page(clock=True)
    the_post(page, 1).get_by_role("button", name="Withdraw").focus()
    behind.moved(1, PostState.PUBLISHED)
    page.clock.run_for(3_000)
    expect(the_post(page, 1)).to_contain_text("Everybody can see it")

    expect(the_post(page, 1)).to_be_focused()


# ---------------------------------------------------------------- appeal


def test_an_appeal_is_sent_with_its_words_by_keyboard_alone(open_page: Callable[..., Any], behind: Mine) -> None:
    behind.put(rejected(1))
    page = open_page()
    the_post(page, 1).get_by_role("button", name="Appeal").press("Enter")
    expect(page.get_by_label("Why should it be published?")).to_be_focused()
    page.keyboard.type(" The poster is mine. ")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(the_post(page, 1)).to_contain_text("Appeal being checked")
    expect(page.get_by_role("status")).to_have_text("We have your appeal. You will hear within the hour.")
    expect(the_post(page, 1)).to_be_focused()
    expect(the_post(page, 1).get_by_role("button", name="Appeal")).to_have_count(0)
    assert [{"text": "The poster is mine."}] == behind.sent(f"/posts/{post_id(1)}/appeal")


@pytest.mark.parametrize(
    ("answer", "said"),
    [(DOWN, "Please try again in a moment."), (TOO_MANY, "Please try again later."), (NO_LONGER, "Look again.")],
)
def test_an_appeal_that_is_refused_says_why_and_keeps_its_words(
    open_page: Callable[..., Any], behind: Mine, problems: list[str], answer: Any, said: str
) -> None:
    behind.put(rejected(1))
    behind.refuse = refuse(path="/appeal", answer=answer)
    page = open_page()
    the_post(page, 1).get_by_role("button", name="Appeal").click()
    page.get_by_label("Why should it be published?").fill("Half of the poster is a dog.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text(said)
    expect(page.get_by_label("Why should it be published?")).to_have_value("Half of the poster is a dog.")
    behind.refuse = lambda *_: None
    page.get_by_role("button", name="Send").click()

    expect(the_post(page, 1)).to_contain_text("Appeal being checked")
    problems.clear()  # the browser complains of the refusal


def test_an_appeal_without_an_answer_says_so_and_keeps_its_words(
    open_page: Callable[..., Any], behind: Mine, problems: list[str]
) -> None:
    behind.put(rejected(1))
    page = open_page()
    no_answer(page, "/appeal")
    the_post(page, 1).get_by_role("button", name="Appeal").click()
    page.get_by_label("Why should it be published?").fill("No face.")
    page.get_by_role("button", name="Send").click()

    expect(page.get_by_role("alert").filter(has_text="The server can't be reached.")).to_be_visible()
    expect(page.get_by_label("Why should it be published?")).to_have_value("No face.")
    problems.clear()  # the browser complains of the connection


def test_an_appeal_that_was_closed_is_gone_on_with(open_page: Callable[..., Any], behind: Mine) -> None:
    behind.put(rejected(1), rejected(2))
    page = open_page()
    the_post(page, 1).get_by_role("button", name="Appeal").click()
    page.get_by_label("Why should it be published?").fill("half a sent")
    page.keyboard.press("Escape")
    the_post(page, 2).get_by_role("button", name="Appeal", exact=True).click()
    expect(page.get_by_label("Why should it be published?")).to_have_value("")
    page.keyboard.press("Escape")
    the_post(page, 1).get_by_role("button", name="Go on with your appeal").click()

    expect(page.get_by_label("Why should it be published?")).to_have_value("half a sent")


def test_an_appeal_outlives_the_session(open_page: Callable[..., Any], behind: Mine, problems: list[str]) -> None:
    behind.put(rejected(1))
    page = open_page()
    the_post(page, 1).get_by_role("button", name="Appeal").click()
    page.get_by_label("Why should it be published?").fill("It is a mannequin.")
    behind.session_ends = True
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_have_text("Please sign in again. What you wrote is kept.")
    page.get_by_label("Email").fill("owner-1@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Sign in").click()
    the_post(page, 1).get_by_role("button", name="Go on with your appeal").click()
    page.get_by_role("button", name="Send").click()

    expect(the_post(page, 1)).to_contain_text("Appeal being checked")
    assert [{"text": "It is a mannequin."}] == behind.sent(f"/posts/{post_id(1)}/appeal")
    problems.clear()  # the browser complains of the 401s


# ---------------------------------------------------------------- mosaic


def test_faces_are_covered_compared_and_the_copy_is_sent(open_page: Callable[..., Any], behind: Mine) -> None:
    behind.put(rejected(2))
    page = open_page(clock=True)
    one = the_post(page, 2)
    one.get_by_role("button", name="Cover the faces").click()
    expect(one).to_contain_text("The faces are being covered.")
    expect(one).to_be_focused()
    behind.covered(2, faces=1)
    page.clock.run_for(3_000)
    expect(one).to_contain_text("1 face is covered.")
    expect(page.get_by_role("status")).to_have_text("“Photo 2”: Waiting for you")
    before, after = one.get_by_role("img", name="Before: "), one.get_by_role("img", name="After: ")
    expect(before).to_have_attribute("src", "/api/photos/landscape-2.jpg")
    expect(after).to_have_attribute("src", "/api/photos/covered-landscape-2.jpg")
    assert before.bounding_box()["y"] == after.bounding_box()["y"]
    assert before.bounding_box()["x"] < after.bounding_box()["x"]
    one.get_by_role("button", name="Publish the covered photo").click()
    expect(one).to_contain_text("Being checked")

    expect(page.get_by_role("status")).to_contain_text("The covered photo is being checked.")
    assert [{}] == behind.sent(f"/posts/{post_id(2)}/mosaic/accept")


def test_a_copy_that_is_not_wanted_leaves_the_rejection(open_page: Callable[..., Any], behind: Mine) -> None:
    behind.put(with_mosaic(post_of(2, "mosaic", reason="human_face")))
    page = open_page()
    the_post(page, 2).get_by_role("button", name="Don't use it").click()

    expect(the_post(page, 2)).to_contain_text("Not published")
    expect(the_post(page, 2).get_by_role("button", name="Cover the faces")).to_be_visible()


def test_faces_that_can_not_be_covered_are_said(open_page: Callable[..., Any], behind: Mine) -> None:
    behind.put(rejected(2))
    page = open_page(clock=True)
    the_post(page, 2).get_by_role("button", name="Cover the faces").click()
    expect(the_post(page, 2)).to_contain_text("The faces are being covered.")
    behind.moved(2, PostState.REJECTED, mosaic=None)
    page.clock.run_for(3_000)

    expect(the_post(page, 2)).to_contain_text("The faces could not be covered. Your inbox says why.")
    expect(the_post(page, 2).get_by_role("link", name="Open the inbox")).to_have_attribute("href", "inbox.html")


@pytest.mark.parametrize(("answer", "said"), [(DOWN, "Please try again"), (TOO_MANY, "That was a lot")])
def test_a_mosaic_that_is_refused_says_why_in_its_post(
    open_page: Callable[..., Any], behind: Mine, problems: list[str], answer: Any, said: str
) -> None:
    behind.put(rejected(1), rejected(2))
    behind.refuse = refuse(path="/mosaic", answer=answer)
    page = open_page()
    the_post(page, 2).get_by_role("button", name="Cover the faces").click()

    expect(the_post(page, 2).get_by_role("alert")).to_contain_text(said)
    expect(the_post(page, 1).locator(".problem")).to_be_empty()
    expect(the_post(page, 2).get_by_role("button", name="Cover the faces")).to_be_enabled()
    problems.clear()  # the browser complains of the refusal


def test_a_post_that_another_tab_moved_says_so_and_shows_where_it_is(
    open_page: Callable[..., Any], behind: Mine, problems: list[str]
) -> None:
    behind.put(rejected(2))
    page = open_page()
    expect(the_post(page, 2)).to_be_visible()
    behind.act(post_id(2), "withdraw", {})
    the_post(page, 2).get_by_role("button", name="Cover the faces").click()

    expect(the_post(page, 2).get_by_role("alert")).to_contain_text("This was changed in the meantime.")
    expect(the_post(page, 2)).to_contain_text("The photo and its words are deleted.")
    problems.clear()  # the browser complains of the 409


# ---------------------------------------------------------------- withdraw


def test_withdrawing_says_what_goes_and_what_stays_and_starts_on_no(
    open_page: Callable[..., Any], behind: Mine
) -> None:
    behind.put(post_of(1))
    page = open_page()
    the_post(page, 1).get_by_role("button", name="Withdraw: Photo 1").click()
    dialog = page.get_by_role("dialog", name="Withdraw this photo?")
    for words in ("can't be undone", "every copy", "Title, description, tags", "A line without content", "fingerprint"):
        expect(dialog).to_contain_text(words)
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    assert [] == behind.sent(f"/posts/{post_id(1)}/withdraw")
    the_post(page, 1).get_by_role("button", name="Withdraw: Photo 1").click()
    page.get_by_role("button", name="Withdraw the photo").click()

    expect(the_post(page, 1)).to_contain_text("(withdrawn)")
    expect(the_post(page, 1).get_by_role("img")).to_have_count(0)
    expect(page.get_by_role("status")).to_have_text("The photo is withdrawn.")
    assert PostState.WITHDRAWN == behind.posts[post_id(1)].state


def test_a_withdrawal_that_fails_says_so_and_can_be_tried_again(
    open_page: Callable[..., Any], behind: Mine, problems: list[str]
) -> None:
    behind.put(post_of(1))
    behind.refuse = refuse(path="/withdraw", answer=DOWN)
    page = open_page()
    the_post(page, 1).get_by_role("button", name="Withdraw").click()
    page.get_by_role("button", name="Withdraw the photo").click()
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("Please try again in a moment.")
    behind.refuse = lambda *_: None
    page.get_by_role("button", name="Withdraw the photo").click()

    expect(the_post(page, 1)).to_contain_text("(withdrawn)")
    problems.clear()  # the browser complains of the 503


# ---------------------------------------------------------------- for everybody


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("locale", ["ko-KR", "en-GB"])
@pytest.mark.parametrize("state", ["list", "empty", "signed out", "appeal", "withdraw", "trouble"])
def test_every_state_is_accessible_and_fits_its_screen(
    open_page: Callable[..., Any], behind: Mine, state: str, locale: str, width: int, problems: list[str]
) -> None:
    if state != "empty":
        behind.put(*one_of_each())
    page = open_page(width=width, locale=locale, signed_in=state != "signed out")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if state not in ("empty", "signed out"):
        expect(page.get_by_role("article")).to_have_count(12)
    if state in ("appeal", "withdraw"):
        named = {"appeal": re.compile("^(Appeal|이의 제기)$"), "withdraw": re.compile("^(Withdraw|내리기): Photo 10")}
        page.get_by_role("button", name=named[state]).first.click()
    if state == "trouble":
        behind.refuse = refuse(path="/mosaic", answer=TOO_MANY)
        the_post(page, 5).locator("button.primary").click()
        expect(the_post(page, 5).get_by_role("alert")).not_to_be_empty()
    else:
        for image in page.locator("main img").all():
            image.evaluate("image => { image.loading = 'eager'; return image.decode(); }")
    page.screenshot(
        path=picture(f"mine-{state.replace(' ', '-')}-{locale[:2]}-{width}"),
        full_page=state in ("list", "empty", "signed out"),
    )

    assert_readable(page)
    if state == "trouble":
        problems.clear()  # the browser complains of the 429


def test_both_languages_have_every_word(open_page: Callable[..., Any]) -> None:
    words = open_page().evaluate("import('/js/mine/words.js').then((module) => module.WORDS)")

    assert [] == [code for code, (ko, en) in words.items() if not ko or not en or re.search("[가-힣]", en)]
    facts = {code: [set(re.findall(r"{(\w+)}", text)) for text in pair] for code, pair in words.items()}
    assert [] == [code for code, (ko, en) in facts.items() if ko != en]


def test_what_waits_longer_than_promised_names_no_hour_that_has_passed(
    open_page: Callable[..., Any], behind: Mine
) -> None:
    behind.put(
        post_of(1, "in_review", reason="human_face_suspected", age=61), post_of(2, "in_review", reason="claimed")
    )
    page = open_page()

    expect(the_post(page, 1)).to_contain_text("You will hear as soon as there is a result.")
    expect(the_post(page, 2)).not_to_contain_text("You will hear by")


def test_nothing_turns_where_less_motion_is_asked_for(open_page: Callable[..., Any], behind: Mine) -> None:
    behind.put(post_of(2, "mosaic", reason="human_face"))
    page = open_page()

    expect(page.locator(".turning")).to_have_css("animation-name", "none")
