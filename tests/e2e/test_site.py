"""The site in a browser, on the deployed stack: the whole story of a photo, told by keyboard and mouse.

Screenshots at 1440 and 390 pixels go to test-output/pages.
"""

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

from pawcast_ops.demo import scenes
from pawcast_ops.local import site as sites
from tests.support.browser import assert_readable, picture
from tests.support.stack import RunningStack

playwright = pytest.importorskip("playwright.sync_api")
expect = playwright.expect

pytestmark = pytest.mark.e2e

PATIENCE = 60_000  # ms: a function's first call takes seconds
PAGES = ("index", "post", "mine", "inbox", "review", "operations", "weeks")

type Sign = Callable[..., Any]


@pytest.fixture(scope="module")
def address(stack: RunningStack) -> Iterator[str]:
    site = sites.start(stack.state)
    yield site.url
    sites.stop(stack.state)


@pytest.fixture
def sign_in(stack: RunningStack, address: str, new_page: Callable[..., Any]) -> Sign:
    """Opens a page of the site as somebody."""

    def signed_in(name: str, path: str = "index.html", **how: Any) -> Any:
        person = stack.people[name]
        page = new_page(**how)
        page.context.set_default_timeout(PATIENCE)
        page.goto(f"{address}/{path}")
        page.locator("input[type=email]").fill(person.email)
        page.locator("input[type=password]").fill(person.password)
        page.keyboard.press("Enter")
        expect(page.locator("#who .email")).to_have_text(person.email, timeout=PATIENCE)
        return page

    return signed_in


@pytest.fixture
def empty_queue(stack: RunningStack) -> None:
    """What other tests left waiting is let pass, so that the next photo in the console is this story's."""
    with stack.signed_in("operator") as one, stack.signed_in("operator-two") as two:
        for operator in (one, two):
            while items := operator.post_json("/reviews/take", {"count": 5})["items"]:
                for item in items:
                    operator.post_json(f"/reviews/{item['review_id']}/verdict", {"verdict": "overturn"})


def jpeg(image: Image.Image, quality: int = 88) -> bytes:
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=quality)
    return file.getvalue()


def post(page: Any, address: str, title: str, photo: bytes) -> Any:
    """Post a photo on the page for it, and go on to watch it; the post among one's own."""
    page.goto(f"{address}/post.html")
    page.locator("#photo").set_input_files({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo})
    expect(page.get_by_alt_text("Preview of your photo")).to_be_visible()
    page.get_by_label("Title").fill(title)
    page.get_by_label("Tags").fill("cat #story")
    page.get_by_role("button", name="Post", exact=True).click()
    expect(page.get_by_role("heading", name="We have your photo!")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("link", name="Watch it").click()
    own = page.get_by_role("article").filter(has=page.get_by_role("heading", name=re.compile(re.escape(title))))
    expect(own).to_be_visible()
    return own


def reaches(own: Any, state: str) -> None:
    """The post on the page of one's own gets there by itself."""
    expect(own.locator(".state")).to_have_text(state, timeout=PATIENCE)


def decide(page: Any, title: str, key: str) -> None:
    """An operator looks at the photo that comes next, and decides with a key."""
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("Space")
    expect(page.locator(".frame img")).to_be_visible()
    page.keyboard.press(key)
    expect(page.get_by_role("heading", level=1, name=title)).to_be_hidden(timeout=PATIENCE)


@pytest.mark.usefixtures("empty_queue")
def test_a_photo_held_by_mistake_is_published_and_its_copy_at_once(sign_in: Sign, address: str) -> None:
    photo = scenes.face_half_hidden()
    mina = sign_in("mina")
    own = post(mina, address, "Behind the dahlia", jpeg(photo))
    reaches(own, "A person is checking")

    operator = sign_in("operator", "review.html")
    decide(operator, "Behind the dahlia", "o")
    reaches(own, "Published")

    jun = sign_in("jun")
    copy = post(jun, address, "The same, smaller", jpeg(photo.resize((photo.width // 2, photo.height // 2))))
    reaches(copy, "Published")
    jun.goto(f"{address}/index.html#tag=story")
    expect(jun.get_by_role("heading", name="Behind the dahlia")).to_be_visible()
    expect(jun.get_by_role("heading", name="The same, smaller")).to_be_visible()
    mina.goto(f"{address}/inbox.html")
    expect(mina.get_by_role("article").first).to_contain_text("Behind the dahlia")
    expect(mina.get_by_role("link", name="See it in the feed").first).to_be_visible()


@pytest.mark.usefixtures("empty_queue")
def test_a_face_is_covered_and_published_and_the_uncovered_photo_stays_out(sign_in: Sign, address: str) -> None:
    photo = scenes.face_in_mirror()
    mina = sign_in("mina")
    own = post(mina, address, "In the mirror", jpeg(photo))
    reaches(own, "A person is checking")
    operator = sign_in("operator", "review.html")
    decide(operator, "In the mirror", "u")
    reaches(own, "Not published")

    own.get_by_role("button", name="Cover the faces").click()
    expect(own.get_by_alt_text("After")).to_be_visible(timeout=PATIENCE)
    own.scroll_into_view_if_needed()
    mina.screenshot(path=picture("mosaic-en-1440"))
    own.get_by_role("button", name="Publish the covered photo").click()
    expect(own.locator(".state")).to_have_text(re.compile("Published|A person is checking"), timeout=PATIENCE)
    if "checking" in own.locator(".state").inner_text():
        decide(operator, "In the mirror", "o")
    reaches(own, "Published")

    jun = sign_in("jun")
    copy = post(jun, address, "The mirror, uncovered", jpeg(photo, quality=40))
    reaches(copy, "Not published")
    expect(copy).to_contain_text("This is the same photo")
    copy.get_by_role("button", name="Appeal").click()
    jun.get_by_label("Why should it be published?").fill("It is my own mirror.")
    jun.get_by_role("button", name="Send").click()
    reaches(copy, "Appeal being checked")
    other = sign_in("operator-two", "review.html")
    decide(other, "The mirror, uncovered", "u")
    reaches(copy, "Not published")
    expect(copy.get_by_role("button", name="Appeal")).to_be_hidden()


def test_a_visitor_reports_a_photo_and_its_author_withdraws_it(sign_in: Sign, address: str) -> None:
    mina = sign_in("mina")
    own = post(mina, address, "Cat and coffee", jpeg(scenes.cat_and_coffee()))
    reaches(own, "Published")

    jun = sign_in("jun", "index.html#tag=story")
    card = jun.get_by_role("article").filter(has=jun.get_by_role("heading", name="Cat and coffee"))
    card.get_by_role("button", name="Report").click()
    jun.get_by_label("Something else").check()
    jun.get_by_role("button", name="Send the report").click()
    expect(jun.locator("#said")).to_have_text("Reported. A person will look at it soon.")

    own.get_by_role("button", name="Withdraw").click()
    mina.get_by_role("button", name="Withdraw the photo").click()
    expect(mina.locator("#said")).to_have_text("The photo is withdrawn.")
    jun.reload()
    expect(jun.locator(".photos")).to_be_visible()
    expect(jun.get_by_role("heading", name="Cat and coffee")).to_be_hidden()


def test_a_photo_that_can_not_be_taken_is_refused_before_it_is_sent(sign_in: Sign, address: str) -> None:
    page = sign_in("sora", "post.html")
    page.locator("#photo").set_input_files({"name": "cv.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"})
    expect(page.get_by_role("alert").first).to_have_text("This is no photo, or of a kind that can't be taken: cv.pdf")

    page.get_by_label("Title").fill("My cat")
    page.get_by_role("button", name="한국어").click()

    expect(page.get_by_label("제목")).to_have_value("My cat")
    page.get_by_role("button", name="올리기", exact=True).click()
    expect(page.get_by_role("alert").first).to_have_text("사진을 골라 주세요.")


def test_somebody_new_signs_up_from_the_page(
    stack: RunningStack, address: str, new_page: Callable[..., Any], problems: list[str]
) -> None:
    page = new_page()
    page.goto(f"{address}/")
    page.get_by_role("button", name="New here? Create an account").click()
    page.get_by_label("Email").fill("new@example.com")
    page.get_by_label("New password").fill("Correct-Horse-1")
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("heading", name="Confirm your email")).to_be_visible(timeout=PATIENCE)
    # Nobody reads the mail with the code here: an administrator confirms instead.
    pool = stack.client("cognito-idp")
    pool.admin_confirm_sign_up(UserPoolId=stack.stack.output("UserPoolId"), Username="new@example.com")
    page.get_by_role("button", name="I have an account: sign in").click()
    expect(page.get_by_label("Email")).to_have_value("new@example.com")
    page.get_by_label("Password").fill("wrong-Password-1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Email or password is not right.")
    problems.clear()  # the browser complains of the refusal
    page.get_by_label("Password").fill("Correct-Horse-1")
    page.keyboard.press("Enter")
    expect(page.locator("#who .email")).to_have_text("new@example.com", timeout=PATIENCE)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_every_page_is_accessible_fits_its_screen_and_is_kept_as_a_picture(
    sign_in: Sign, address: str, width: int, new_page: Callable[..., Any]
) -> None:
    locale = "ko-KR" if width == 390 else "en-GB"
    pages = {"welcome": new_page(width, locale)}
    pages["welcome"].goto(f"{address}/")
    people = {"review": "operator", "operations": "operator", "weeks": "planner"}
    for name in PAGES:
        pages[name] = sign_in(people.get(name, "mina"), f"{name}.html", width=width, locale=locale)

    for name, page in pages.items():
        page.wait_for_load_state("networkidle")
        page.screenshot(path=picture(f"{name}-{locale[:2]}-{width}"), full_page=True)
        assert_readable(page)


def test_nobody_sees_a_page_that_is_not_for_them(sign_in: Sign, address: str) -> None:
    page = sign_in("mina", "review.html")
    expect(page.get_by_text("This page is for operators")).to_be_visible()
    for name in ("operations", "weeks"):
        page.goto(f"{address}/{name}.html")
        expect(page.locator("main .card")).to_be_visible()
    links = page.locator("#menu a").all_inner_texts()

    assert ["Feed", "Post a photo", "My posts", "Inbox"] == [re.sub(r"\s*\d.*", "", text) for text in links]
