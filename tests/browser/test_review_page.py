"""The review console in a browser: one photo after another by keyboard, verdicts in the background, undo, boxes."""

import io
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

playwright = pytest.importorskip("playwright.sync_api")

from tests.support.browser import assert_readable, keep_session, picture  # noqa: E402
from tests.support.fake_api import DOWN, Json, token  # noqa: E402
from tests.support.review_site import (  # noqa: E402
    FACE,
    FACE_COLOUR,
    HOSTILE,
    OPERATOR,
    OPERATORS,
    PASSWORD,
    Reviews,
    photo,
    queue_of,
    serving,
)

pytestmark = pytest.mark.browser
expect = playwright.expect


@pytest.fixture(scope="module", autouse=True)
def drawn() -> None:
    """Photos are drawn before anybody waits for them."""
    for number in range(4):
        photo(f"{('landscape', 'portrait')[number % 2]}-{number}")


@pytest.fixture
def behind() -> Iterator[Reviews]:
    with serving(queue_of(30, reasons=("flagged",))) as made:
        yield made


@pytest.fixture
def open_page(site: str, new_page: Callable[..., Any]) -> Callable[..., Any]:
    """Opens the console, signed in as an operator unless `session` says otherwise."""

    def make(*, session: dict[str, str] | None = None, script: str = "", **kind: Any) -> Any:
        page = new_page(**kind)
        page.add_init_script(script)
        keep_session(page, {"id": token(OPERATORS, OPERATOR), "refresh": "refresh"} if session is None else session)
        page.goto(f"{site}/review.html")
        return page

    return make


def reviewed(number: int) -> str:
    return f"{number:032x}-2"


def on_the_desk(page: Any, number: int) -> None:
    """Wait until this photo is before the operator and can be painted."""
    expect(page.get_by_role("heading", level=1)).to_have_text(HOSTILE if number == 1 else f"Photo {number}")
    expect(page.locator(".frame .veil, .frame img")).to_have_count(1)


def until(page: Any, truth: Callable[[], bool]) -> None:
    """Wait for what the API hears."""
    for _ in range(500):
        if truth():
            return
        page.wait_for_timeout(10)
    pytest.fail("it did not come about in five seconds")


def look_and_press(page: Any, *keys: str) -> None:
    for key in ("Space", *keys):
        page.keyboard.press(key)


# ---------------------------------------------------------------- who may sit here


def test_an_operator_signs_in_and_has_the_first_photo_before_them(
    open_page: Callable[..., Any], problems: list[str]
) -> None:
    page = open_page(session={})
    page.get_by_label("Email").fill("operator-1@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    on_the_desk(page, 0)


def test_somebody_who_is_no_operator_is_told_so_and_takes_no_photo(
    open_page: Callable[..., Any], behind: Reviews
) -> None:
    page = open_page(session={"id": token(["planners"]), "refresh": "refresh"})

    expect(page.get_by_role("main")).to_contain_text("This page is for operators")
    assert [] == behind.calls


# ---------------------------------------------------------------- a shift by keyboard


def test_twenty_photos_are_decided_by_keyboard_alone(open_page: Callable[..., Any], behind: Reviews) -> None:
    page = open_page()
    for number in range(20):
        on_the_desk(page, number)
        if number % 3 == 0:
            look_and_press(page, "o")
        elif number % 3 == 1:
            look_and_press(page, str(1 + number % 5), "u")
        else:
            look_and_press(page, "c")
            page.keyboard.type(f"Comment on {number}, 1 of us")
            page.keyboard.press("Escape")
            page.keyboard.press("u")
    on_the_desk(page, 20)
    until(page, lambda: len(behind.posts("/verdict")) == 20)

    labels = ["human_face", "printed_face", "no_living_animal", "gruesome", "other"]
    expected: list[tuple[str, Json]] = []
    for number in range(20):
        body: Json = {"verdict": "overturn", "label": "fine"}
        if number % 3 == 1:
            body = {"verdict": "uphold", "label": labels[number % 5]}
        elif number % 3 == 2:
            body = {"verdict": "uphold", "label": "human_face", "comment": f"Comment on {number}, 1 of us"}
        expected.append((reviewed(number), body))
    assert expected == behind.posts("/verdict")
    assert [(reviewed(number), {"what": "photo"}) for number in range(20)] == sorted(behind.posts("/seen"))
    expect(page.locator(".last li")).to_have_count(20)


def test_every_look_is_told_before_its_verdict(open_page: Callable[..., Any], behind: Reviews) -> None:
    behind.delay = 0.05
    page = open_page()
    for number in range(3):
        on_the_desk(page, number)
        look_and_press(page, "b", "u")
    until(page, lambda: len(behind.posts("/verdict")) == 3)

    order = [path for path, _ in behind.calls if path.startswith(f"/reviews/{reviewed(1)}/")]
    assert ["seen", "seen", "verdict"] == [path.rsplit("/", 1)[1] for path in order]
    told = [body for review_id, body in behind.posts("/seen") if review_id == reviewed(1)]
    assert [{"what": "photo"}, {"what": "boxes"}] == told


def test_two_quick_verdicts_decide_two_photos_in_order(open_page: Callable[..., Any], behind: Reviews) -> None:
    behind.delay = 0.2
    page = open_page()
    on_the_desk(page, 0)
    for key in ("Space", "u", "Space", "o"):
        page.keyboard.press(key)
    on_the_desk(page, 2)
    until(page, lambda: len(behind.posts("/verdict")) == 2)

    assert [
        (reviewed(0), {"verdict": "uphold", "label": "human_face"}),
        (reviewed(1), {"verdict": "overturn", "label": "fine"}),
    ] == behind.posts("/verdict")


def test_a_key_that_is_struck_twice_or_held_down_decides_one_photo(
    open_page: Callable[..., Any], behind: Reviews
) -> None:
    page = open_page()
    on_the_desk(page, 0)
    look_and_press(page, "u", "u")
    expect(page.get_by_text("Look at the photo first.")).to_be_visible()
    page.keyboard.press("Space")
    page.evaluate(
        "for (let times = 0; times < 9; times += 1)"
        " document.body.dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'u', code: 'KeyU', repeat: true, bubbles: true}))"
    )
    on_the_desk(page, 1)
    until(page, lambda: len(behind.posts("/verdict")) == 1)


def test_a_verdict_needs_a_label_where_nothing_suggests_one(open_page: Callable[..., Any], behind: Reviews) -> None:
    for review_id in behind.waiting:
        behind.views[review_id]["reason"] = "audit"
    page = open_page()
    on_the_desk(page, 0)
    look_and_press(page, "u")
    expect(page.get_by_text("Choose first what you see.")).to_be_visible()
    page.keyboard.press("3")
    page.keyboard.press("u")
    until(page, lambda: len(behind.posts("/verdict")) == 1)

    assert [(reviewed(0), {"verdict": "uphold", "label": "no_living_animal"})] == behind.posts("/verdict")


def test_an_appeal_suggests_the_label_that_is_appealed(open_page: Callable[..., Any], behind: Reviews) -> None:
    view = behind.views[reviewed(0)]
    line = {"at": view["created_at"], "kind": "uphold", "label": "printed_face", "comment": "", "operator": "you"}
    view |= {"reason": "appeal", "text": "Only a poster!", "history": [line]}
    page = open_page()
    on_the_desk(page, 0)

    expect(page.get_by_label("Face on a print or screen")).to_be_checked()
    expect(page.get_by_text("Only a poster!")).to_be_visible()


def test_keys_work_while_a_korean_keyboard_is_on(open_page: Callable[..., Any], behind: Reviews) -> None:
    page = open_page()
    on_the_desk(page, 0)
    page.keyboard.press("Space")
    page.evaluate("document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ㅕ', code: 'KeyU', bubbles: true}))")
    until(page, lambda: len(behind.posts("/verdict")) == 1)


def test_keys_can_be_switched_off_and_stay_off(open_page: Callable[..., Any], behind: Reviews) -> None:
    page = open_page()
    on_the_desk(page, 0)
    page.keyboard.press("?")
    page.get_by_label("Use single-letter keys").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    on_the_desk(page, 0)
    look_and_press(page, "u", "?")
    expect(page.locator(".frame .veil")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("button", name="Show the photo").click()
    page.get_by_role("button", name=re.compile("^Uphold")).click()

    on_the_desk(page, 1)


def test_the_help_names_every_key(open_page: Callable[..., Any]) -> None:
    page = open_page()
    on_the_desk(page, 0)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")

    expect(dialog).to_be_visible()
    keys = dialog.locator("kbd").all_text_contents()
    assert ["Space", "R", "B", "1", "2", "3", "4", "5", "U", "O", "S", "Z", "C", "P", "?"] == keys
    page.keyboard.press("u")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    on_the_desk(page, 0)


def test_a_skip_asks_why_and_passes_the_photo_on(open_page: Callable[..., Any], behind: Reviews) -> None:
    page = open_page()
    on_the_desk(page, 0)
    page.keyboard.press("s")
    page.keyboard.press("Escape")
    on_the_desk(page, 0)
    page.keyboard.press("s")
    page.keyboard.press("Enter")
    on_the_desk(page, 1)
    page.keyboard.press("s")
    page.get_by_label("Another reason").fill("My neighbour's dog")
    page.keyboard.press("Enter")
    on_the_desk(page, 2)
    until(page, lambda: len(behind.posts("/skip")) == 2)

    assert [
        (reviewed(0), {"reason": "Can't tell from the photo"}),
        (reviewed(1), {"reason": "My neighbour's dog"}),
    ] == behind.posts("/skip")


def test_a_comment_is_saved_without_a_verdict(open_page: Callable[..., Any], behind: Reviews) -> None:
    page = open_page()
    on_the_desk(page, 0)
    page.get_by_label("Comment (optional)").fill("<b>Look</b> at the mirror")
    page.get_by_role("button", name="Save the comment only").click()

    expect(page.locator(".history blockquote")).to_have_text("<b>Look</b> at the mirror")
    expect(page.get_by_label("Comment (optional)")).to_have_value("")
    assert [] == behind.posts("/verdict")


# ---------------------------------------------------------------- the photo


def test_a_photo_is_blurred_until_asked_for_and_so_is_the_next(open_page: Callable[..., Any]) -> None:
    page = open_page()
    on_the_desk(page, 0)
    expect(page.locator(".frame img")).to_have_count(0)
    veil = page.locator(".frame .veil")
    assert max(veil.evaluate("veil => [veil.width, veil.height]")) <= 160
    page.keyboard.press("Space")
    expect(page.locator(".frame img")).to_be_visible()
    page.keyboard.press("Space")
    expect(veil).to_be_visible()
    look_and_press(page, "u")
    on_the_desk(page, 1)

    expect(page.locator(".frame img")).to_have_count(0)


def test_a_veiled_photo_has_no_more_than_a_few_patches_of_colour(open_page: Callable[..., Any]) -> None:
    page = open_page()
    on_the_desk(page, 0)
    drawn = np.asarray(Image.open(io.BytesIO(page.locator(".frame .veil").screenshot())).convert("L"), float)
    inner = drawn[: drawn.shape[0] // 3]  # without the words over it

    assert np.abs(np.diff(inner, axis=1))[2:, 2:-2].max() < 20
    assert (
        np.abs(np.diff(np.asarray(Image.open(io.BytesIO(photo("landscape-0"))).convert("L"), float), axis=1)).max() > 60
    )


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("number", [0, 1], ids=["landscape", "portrait"])
def test_a_box_lies_on_its_face(open_page: Callable[..., Any], number: int, width: int) -> None:
    page = open_page(width=width)
    on_the_desk(page, 0)
    if number:
        look_and_press(page, "u")
        on_the_desk(page, number)
    page.keyboard.press("Space")
    frame = page.locator(".frame")
    expect(frame.locator("img")).to_be_visible()
    shown = np.asarray(Image.open(io.BytesIO(frame.screenshot())).convert("RGB"), int)
    rows, columns = np.nonzero((np.abs(shown - FACE_COLOUR) < 60).all(axis=2))
    page.keyboard.press("b")
    outer, inner = frame.bounding_box(), frame.locator("rect.box").bounding_box()

    assert outer["width"] / outer["height"] == pytest.approx(4 / 3 if number == 0 else 3 / 4, rel=0.01)
    drawn = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
    left, top = inner["x"] - outer["x"], inner["y"] - outer["y"]
    assert [left, top, left + inner["width"], top + inner["height"]] == pytest.approx(drawn, abs=3)
    assert left == pytest.approx(FACE["x0"] * outer["width"], abs=3)


def test_a_photo_without_found_faces_says_whether_somebody_looked(
    open_page: Callable[..., Any], behind: Reviews
) -> None:
    behind.views[reviewed(0)]["faces"] = None
    behind.views[reviewed(1)]["faces"] = []
    page = open_page()
    on_the_desk(page, 0)
    expect(page.get_by_text("Nobody looked for faces in this photo.")).to_be_visible()
    look_and_press(page, "b", "u")
    on_the_desk(page, 1)
    expect(page.get_by_text("No face was found.")).to_be_visible()
    assert [] == [body for _, body in behind.posts("/seen") if body["what"] == "boxes"]


def test_a_photo_that_can_not_be_loaded_is_not_decided_blind_and_can_be_asked_for_again(
    open_page: Callable[..., Any], behind: Reviews, problems: list[str]
) -> None:
    good = behind.views[reviewed(0)]["photo_url"]
    behind.views[reviewed(0)]["photo_url"] = "/no-such-photo.jpg"
    page = open_page()
    expect(page.get_by_text("The photo can't be loaded.")).to_be_visible()
    look_and_press(page, "u")
    expect(page.get_by_text("Look at the photo first.")).to_be_visible()
    behind.views[reviewed(0)]["photo_url"] = good
    page.get_by_role("button", name="Try again").click()

    expect(page.locator(".frame img")).to_be_visible()
    problems.clear()  # the browser complains of the 404


def test_a_failed_upload_without_a_picture_can_be_decided(open_page: Callable[..., Any], behind: Reviews) -> None:
    behind.views[reviewed(0)] |= {
        "reason": "failed",
        "photo_url": None,
        "width": None,
        "height": None,
        "faces": None,
        "decision": None,
    }
    page = open_page()
    expect(page.get_by_text("There is no picture to show.")).to_be_visible()
    page.keyboard.press("o")

    on_the_desk(page, 1)


# ---------------------------------------------------------------- undo


def test_a_verdict_is_taken_back_with_what_was_chosen_and_decided_anew(
    open_page: Callable[..., Any], behind: Reviews
) -> None:
    page = open_page()
    on_the_desk(page, 0)
    look_and_press(page, "4", "c")
    page.keyboard.type("a hunt")
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    on_the_desk(page, 1)
    expect(page.get_by_role("button", name=re.compile(r"^Undo (10:00|9:5\d)"))).to_be_visible()
    page.keyboard.press("z")
    on_the_desk(page, 0)
    expect(page.get_by_label("Gruesome")).to_be_checked()
    expect(page.get_by_label("Comment (optional)")).to_have_value("a hunt")
    expect(page.locator(".frame img")).to_be_visible()
    page.keyboard.press("o")
    on_the_desk(page, 1)
    until(page, lambda: len(behind.posts("/verdict")) == 2)

    assert ["uphold", "overturn"] == [body["verdict"] for _, body in behind.posts("/verdict")]
    assert [reviewed(0)] == [review_id for review_id, _ in behind.posts("/undo")]
    expect(page.locator(".last li")).to_have_count(1)


def test_an_undo_waits_for_the_verdict_that_is_still_being_sent(open_page: Callable[..., Any], behind: Reviews) -> None:
    behind.delay = 0.2
    page = open_page()
    on_the_desk(page, 0)
    look_and_press(page, "u", "z")
    on_the_desk(page, 0)
    until(page, lambda: len(behind.posts("/undo")) == 1)

    assert 1 == len(behind.posts("/verdict"))


def test_no_verdict_falls_while_another_one_is_taken_back(open_page: Callable[..., Any], behind: Reviews) -> None:
    page = open_page()
    on_the_desk(page, 0)
    look_and_press(page, "u")
    on_the_desk(page, 1)
    until(page, lambda: len(behind.posts("/verdict")) == 1)
    behind.delay = 0.3
    look_and_press(page, "z", "u")
    expect(page.get_by_text("Taking the verdict back.")).to_be_visible()
    on_the_desk(page, 0)

    assert 1 == len(behind.posts("/verdict"))


def test_an_older_verdict_is_taken_back_from_the_list(open_page: Callable[..., Any], behind: Reviews) -> None:
    page = open_page()
    for number in range(3):
        on_the_desk(page, number)
        look_and_press(page, "u")
    page.get_by_role("button", name="Take back the verdict on “Photo 0”").click()
    on_the_desk(page, 0)

    assert [reviewed(0)] == [review_id for review_id, _ in behind.posts("/undo")]


def test_the_time_to_take_a_verdict_back_runs_down_and_ends(open_page: Callable[..., Any]) -> None:
    page = open_page()
    page.clock.install()
    page.reload()
    on_the_desk(page, 0)
    look_and_press(page, "u")
    on_the_desk(page, 1)
    button = page.get_by_role("button", name="Take back the verdict on “Photo 0”")
    expect(button).to_contain_text(re.compile(r"(10:00|9:5\d)"))
    page.clock.run_for(60_000)
    expect(button).to_contain_text(re.compile(r"(9:00|8:5\d)"))
    page.keyboard.press("Space")
    page.clock.run_for(7 * 60_000)
    page.keyboard.press("Space")
    page.clock.run_for(130_000)

    expect(button).to_be_hidden()
    expect(page.get_by_role("button", name="Undo", exact=True)).to_be_disabled()


def test_verdicts_from_before_a_reload_can_be_taken_back(open_page: Callable[..., Any], behind: Reviews) -> None:
    page = open_page()
    on_the_desk(page, 0)
    look_and_press(page, "u")
    until(page, lambda: len(behind.posts("/verdict")) == 1)
    page.reload()
    on_the_desk(page, 1)
    expect(page.locator(".last li")).to_have_count(1)
    page.keyboard.press("z")

    on_the_desk(page, 0)


# ---------------------------------------------------------------- what goes wrong


def refuse_once(behind: Reviews, end: str, answer: tuple[int, Json]) -> None:
    """The next call of a path that ends so is refused."""
    left = [answer]
    behind.refuse = lambda method, path, body: left.pop() if path.endswith(end) and left else None


def test_a_verdict_that_is_refused_comes_back_as_the_next_photo_with_all_that_was_typed(
    open_page: Callable[..., Any], behind: Reviews, problems: list[str]
) -> None:
    behind.delay = 0.1
    page = open_page()
    on_the_desk(page, 0)
    refuse_once(behind, "/verdict", DOWN)
    look_and_press(page, "2", "c")
    page.keyboard.type("keep me")
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    on_the_desk(page, 1)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The verdict on “Photo 0” was not recorded. The photo comes back next.")
    expect(alert).to_contain_text("Please try again in a moment.")
    on_the_desk(page, 1)  # not swapped under the operator's fingers
    look_and_press(page, "o")
    on_the_desk(page, 0)
    expect(page.get_by_label("Face on a print or screen")).to_be_checked()
    expect(page.get_by_label("Comment (optional)")).to_have_value("keep me")
    page.keyboard.press("u")
    on_the_desk(page, 2)
    expect(alert).to_be_empty()
    until(page, lambda: len(behind.posts("/verdict")) == 3)

    assert [reviewed(number) for number in (0, 1, 0)] == [review_id for review_id, _ in behind.posts("/verdict")]
    assert {"verdict": "uphold", "label": "printed_face", "comment": "keep me"} == behind.posts("/verdict")[-1][1]
    problems.clear()  # the browser complains of the 503


def test_verdicts_that_fail_one_after_another_come_back_in_their_order(
    open_page: Callable[..., Any], behind: Reviews, problems: list[str]
) -> None:
    page = open_page()
    on_the_desk(page, 0)
    behind.refuse = lambda method, path, body: DOWN if path.endswith("/verdict") else None
    behind.delay = 0.8  # all three are given before the first one fails
    for number in range(3):
        on_the_desk(page, number)
        look_and_press(page, "u")
    on_the_desk(page, 3)
    expect(page.get_by_text("was not recorded")).to_have_count(3)
    behind.refuse = lambda *_: None
    behind.delay = 0.0
    for number in (3, 0, 1, 2, 4):
        on_the_desk(page, number)
        if page.locator(".frame img").count() == 0:
            page.keyboard.press("Space")
        page.keyboard.press("u")
    on_the_desk(page, 5)
    until(page, lambda: len(behind.done) == 5)

    assert [reviewed(number) for number in (3, 0, 1, 2, 4)] == behind.done
    problems.clear()  # the browser complains of the 503s


def test_a_photo_that_is_another_operators_by_now_is_said_and_its_comment_shown(
    open_page: Callable[..., Any], behind: Reviews, problems: list[str]
) -> None:
    page = open_page()
    on_the_desk(page, 0)
    page.keyboard.press("Space")
    until(page, lambda: len(behind.posts("/seen")) == 1)
    behind.locked.remove(reviewed(0))
    page.keyboard.press("c")
    page.keyboard.type("worth keeping")
    page.keyboard.press("Escape")
    page.keyboard.press("u")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("“Photo 0” is no longer in your hands. No verdict was recorded.")
    expect(alert).to_contain_text("Another operator has this photo.")
    expect(alert).to_contain_text("Your comment was: worth keeping")
    on_the_desk(page, 1)
    alert.get_by_role("button", name="OK").click()

    expect(alert).to_be_empty()
    problems.clear()  # the browser complains of the 409


def test_a_lock_that_is_lost_is_noticed_at_the_first_look(
    open_page: Callable[..., Any], behind: Reviews, problems: list[str]
) -> None:
    page = open_page()
    on_the_desk(page, 0)
    behind.locked.remove(reviewed(0))
    page.keyboard.press("Space")

    expect(page.get_by_role("alert")).to_contain_text("“Photo 0” is no longer in your hands.")
    on_the_desk(page, 1)
    problems.clear()  # the browser complains of the 409


def test_a_verdict_whose_answer_was_lost_counts_once(
    open_page: Callable[..., Any], behind: Reviews, problems: list[str]
) -> None:
    page = open_page()
    on_the_desk(page, 0)
    lost = [True]

    def swallow(method: str, path: str, body: Json) -> tuple[int, Json] | None:
        if path.endswith("/verdict") and lost:
            lost.pop()
            behind.act(path.split("/")[2], "verdict", body)
            return DOWN
        return None

    behind.refuse = swallow
    look_and_press(page, "u")
    expect(page.get_by_text("was not recorded")).to_be_visible()
    look_and_press(page, "u")
    on_the_desk(page, 0)
    page.keyboard.press("u")
    on_the_desk(page, 2)
    expect(page.locator(".last li[data-state=done]")).to_have_count(2)

    expect(page.get_by_role("alert")).to_be_empty()
    problems.clear()  # the browser complains of the 503 and the 409


def test_a_session_that_ends_keeps_the_comment_and_sends_the_verdict_after_signing_in(
    open_page: Callable[..., Any], behind: Reviews, problems: list[str]
) -> None:
    page = open_page()
    on_the_desk(page, 0)
    page.keyboard.press("Space")
    until(page, lambda: len(behind.posts("/seen")) == 1)
    behind.session_ends = True
    page.keyboard.press("u")
    # The next comment is begun before the browser hears that the session is over, or just after.
    page.get_by_label("Email").wait_for()
    page.get_by_label("Email").fill("operator-1@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    on_the_desk(page, 1)
    until(page, lambda: len(behind.posts("/verdict")) == 1)

    assert [reviewed(0)] == behind.done
    problems.clear()  # the browser complains of the 401s


def test_a_comment_that_is_being_written_outlives_the_session(
    open_page: Callable[..., Any], behind: Reviews, problems: list[str]
) -> None:
    page = open_page()
    on_the_desk(page, 0)
    page.get_by_label("Comment (optional)").fill("half a sent")
    page.get_by_label("Gruesome").check()
    behind.session_ends = True
    page.get_by_role("button", name="Save the comment only").click()
    page.get_by_label("Email").fill("operator-1@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    on_the_desk(page, 0)
    expect(page.get_by_label("Comment (optional)")).to_have_value("half a sent")
    expect(page.get_by_label("Gruesome")).to_be_checked()
    problems.clear()  # the browser complains of the 401s


def test_another_person_who_signs_in_does_not_send_the_first_ones_verdicts(
    open_page: Callable[..., Any], behind: Reviews, problems: list[str]
) -> None:
    page = open_page()
    on_the_desk(page, 0)
    page.keyboard.press("Space")
    until(page, lambda: len(behind.posts("/seen")) == 1)
    behind.session_ends = True
    page.keyboard.press("u")
    page.get_by_label("Email").fill("operator-2@example.com")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()

    on_the_desk(page, 0)
    assert [] == behind.posts("/verdict")
    problems.clear()  # the browser complains of the 401s


def test_photos_that_can_not_be_fetched_are_said_and_asked_for_again(
    open_page: Callable[..., Any], behind: Reviews, problems: list[str]
) -> None:
    behind.refuse = lambda method, path, body: DOWN if path.endswith("/take") else None
    page = open_page()
    expect(page.get_by_role("alert")).to_contain_text("More photos could not be fetched.")
    behind.refuse = lambda *_: None
    page.get_by_role("button", name="Try again").click()

    on_the_desk(page, 0)
    problems.clear()  # the browser complains of the 503


# ---------------------------------------------------------------- the queue


def test_the_queue_and_the_shift_are_summed_up(open_page: Callable[..., Any], behind: Reviews) -> None:
    page = open_page()
    strip = page.get_by_role("region", name="Waiting")
    expect(strip).to_contain_text("Suspected face 30")
    expect(strip).to_contain_text("52 min")
    expect(strip.get_by_role("img", name="412 done, 930 predicted, limit 1,200")).to_be_visible()
    on_the_desk(page, 0)
    look_and_press(page, "u")

    expect(strip.get_by_role("img", name="413 done, 930 predicted, limit 1,200")).to_be_visible()


def test_an_empty_queue_says_so_and_tells_when_a_photo_arrives(open_page: Callable[..., Any], behind: Reviews) -> None:
    later, behind.waiting = behind.waiting[1:3], behind.waiting[:1]
    page = open_page()
    page.clock.install()
    page.reload()
    on_the_desk(page, 0)
    look_and_press(page, "u")
    expect(page.get_by_role("heading", name="Nothing to review now")).to_be_visible()
    behind.waiting.extend(later)
    page.clock.run_for(31_000)
    expect(page.get_by_text("Photos waiting: 2.")).to_be_visible()
    page.get_by_role("button", name="Review them").click()

    on_the_desk(page, 1)


def test_the_last_verdict_can_be_taken_back_when_nothing_is_left(
    open_page: Callable[..., Any], behind: Reviews
) -> None:
    behind.waiting = behind.waiting[:1]
    page = open_page()
    on_the_desk(page, 0)
    look_and_press(page, "u")
    expect(page.get_by_role("heading", name="Nothing to review now")).to_be_visible()
    page.keyboard.press("z")

    on_the_desk(page, 0)


def test_a_pause_puts_the_photos_back_for_others(open_page: Callable[..., Any], behind: Reviews) -> None:
    page = open_page()
    on_the_desk(page, 0)
    until(page, lambda: len(behind.locked) == 4)
    page.keyboard.press("p")
    expect(page.get_by_role("heading", name="Paused")).to_be_visible()
    until(page, lambda: behind.locked == [])
    page.get_by_role("button", name="Go on").click()

    expect(page.get_by_role("heading", level=1)).to_contain_text("Photo")


def test_photos_go_back_when_the_operator_is_away(open_page: Callable[..., Any], behind: Reviews) -> None:
    page = open_page()
    page.clock.install()
    page.reload()
    on_the_desk(page, 0)
    page.clock.run_for(8 * 60_000 + 5_000)

    expect(page.get_by_role("heading", name="You were away")).to_be_visible()
    until(page, lambda: behind.locked == [])


def test_the_next_photo_is_there_before_the_verdict_is_answered(open_page: Callable[..., Any], behind: Reviews) -> None:
    page = open_page()
    on_the_desk(page, 0)
    asked: list[str] = []
    page.wait_for_load_state("networkidle")
    page.on("request", lambda request: asked.append(request.url))
    behind.delay = 3

    look_and_press(page, "u")
    on_the_desk(page, 1)
    page.keyboard.press("Space")
    expect(page.locator(".frame img")).to_be_visible()

    assert [] == behind.done
    assert [] == [url for url in asked if url.partition("?")[0].endswith("portrait-1.jpg")]


SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => list.getEntries().forEach((entry) => { window.shifted += entry.value; }))
  .observe({type: "layout-shift", buffered: true});
"""


@pytest.mark.parametrize("width", [1440, 390])
def test_nothing_jumps_while_the_first_photo_comes(open_page: Callable[..., Any], behind: Reviews, width: int) -> None:
    behind.delay = behind.photo_delay = 0.2
    page = open_page(width=width, script=SHIFTS)
    on_the_desk(page, 0)
    page.wait_for_load_state("networkidle")

    assert page.evaluate("shifted") < 0.1  # what Core Web Vitals call good


# ---------------------------------------------------------------- for everybody


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("locale", ["ko-KR", "en-GB"])
@pytest.mark.parametrize("state", ["photo", "signed out", "empty", "help", "trouble"])
def test_every_state_is_accessible_and_fits_its_screen(
    open_page: Callable[..., Any], behind: Reviews, state: str, locale: str, width: int, problems: list[str]
) -> None:
    for number, review_id in enumerate(behind.waiting[:4]):
        behind.views[review_id] |= queue_of(6).views[reviewed(number)]
    if state == "empty":
        behind.waiting = []
    page = open_page(width=width, locale=locale, session={} if state == "signed out" else None)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    if state in ("photo", "trouble", "help"):
        on_the_desk(page, 0)
        if state == "trouble":
            refuse_once(behind, "/verdict", DOWN)
        look_and_press(page, "u")
        on_the_desk(page, 1)
        look_and_press(page, "b")
        expect(page.locator(".last li:not([data-state=sending])")).to_have_count(1)
    if state == "help":
        page.keyboard.press("?")
    page.evaluate("scrollTo(0, 0)")
    page.screenshot(path=picture(f"review-{state.replace(' ', '-')}-{locale[:2]}-{width}"), full_page=state != "help")

    assert_readable(page)
    if state == "trouble":
        problems.clear()  # the browser complains of the 503


def test_both_languages_have_every_word(open_page: Callable[..., Any]) -> None:
    page = open_page()
    words = page.evaluate("import('/js/review/words.js').then((module) => module.WORDS)")

    assert [] == [code for code, (ko, en) in words.items() if not ko or not en or re.search("[가-힣]", en)]
    facts = {code: [set(re.findall(r"{(\w+)}", text)) for text in pair] for code, pair in words.items()}
    assert [] == [code for code, (ko, en) in facts.items() if ko != en]


def test_a_change_of_language_keeps_the_photo_and_what_was_typed(open_page: Callable[..., Any]) -> None:
    page = open_page()
    on_the_desk(page, 0)
    page.keyboard.press("Space")
    page.get_by_label("Comment (optional)").fill("a mirror")
    page.get_by_role("button", name="한국어").click()

    expect(page.get_by_label("메모(선택)")).to_have_value("a mirror")
    expect(page.locator(".frame img")).to_be_visible()
    on_the_desk(page, 0)


def test_focus_goes_to_the_next_photo_after_a_verdict_by_mouse(open_page: Callable[..., Any], behind: Reviews) -> None:
    page = open_page()
    on_the_desk(page, 0)
    page.get_by_role("button", name="Show the photo").click()
    page.get_by_role("button", name=re.compile("^Uphold")).click()
    on_the_desk(page, 1)
    expect(page.get_by_role("heading", level=1)).to_be_focused()
    page.keyboard.press("Space")

    expect(page.locator(".frame img")).to_be_visible()
    until(page, lambda: len(behind.posts("/verdict")) == 1)
