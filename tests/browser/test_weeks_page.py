"""The planners' page in a browser: sign-in, weeks, stores, edits, the decision; on a phone, in two languages."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

playwright = pytest.importorskip("playwright.sync_api")

from pawcast.forecasting.weekly.run import Receipt, RunState  # noqa: E402
from tests.support.browser import assert_readable, keep_session  # noqa: E402
from tests.support.fake_api import token  # noqa: E402
from tests.support.weeks_site import (  # noqa: E402
    FIRST_PASSWORD,
    HOSTILE,
    NOW,
    PASSWORD,
    Backend,
    backend,
    serving,
)

pytestmark = pytest.mark.browser
expect = playwright.expect
WEEK = "2026-W49"


@pytest.fixture
def behind() -> Iterator[Backend]:
    with serving(backend()) as made:
        yield made


@pytest.fixture
def open_page(site: str, new_page: Callable[..., Any]) -> Callable[..., Any]:
    """Opens a place of the page, signed in as a planner unless `signed_in` says otherwise."""

    def make(place: str = "#/", *, signed_in: bool = True, session: dict[str, str] | None = None, **kind: Any) -> Any:
        page = new_page(**kind)
        if signed_in:
            keep_session(page, session or {"id": token(["planners"], "planner-1"), "refresh": "refresh"})
        page.goto(f"{site}/weeks.html{place}")
        return page

    return make


def sign_in(page: Any, email: str, password: str) -> None:
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


# ---------------------------------------------------------------- signing in


def test_a_planner_signs_in_sees_the_weeks_and_signs_out(open_page: Callable[..., Any], behind: Backend) -> None:
    page = open_page(signed_in=False)
    sign_in(page, "planner@example.com", PASSWORD)

    expect(page.get_by_role("link", name=WEEK)).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name=WEEK)).to_be_visible()
    with page.expect_response(re.compile("/cognito")):
        page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert ["InitiateAuth USER_PASSWORD_AUTH", "RevokeToken"] == behind.sign_ins


def test_a_wrong_password_is_said_and_may_be_tried_again(open_page: Callable[..., Any], problems: list[str]) -> None:
    page = open_page(signed_in=False)
    sign_in(page, "planner@example.com", "wrong")

    expect(page.get_by_role("alert")).to_have_text("Email or password is not right.")
    expect(page.get_by_role("button", name="Sign in")).to_be_enabled()
    problems.clear()  # the browser complains of the 400


def test_a_first_sign_in_asks_for_a_new_password(open_page: Callable[..., Any]) -> None:
    page = open_page(signed_in=False)
    sign_in(page, "planner@example.com", FIRST_PASSWORD)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_role("link", name=WEEK)).to_be_visible()


def test_somebody_who_plans_nothing_is_told_so(open_page: Callable[..., Any]) -> None:
    page = open_page(session={"id": token([], "planner-1"), "refresh": "refresh"})

    expect(page.get_by_role("main")).to_contain_text("This page is for planners")


def test_a_token_that_has_ended_is_renewed(open_page: Callable[..., Any], behind: Backend) -> None:
    page = open_page(session={"id": token(["planners"], "planner-1", seconds=-5), "refresh": "refresh"})

    expect(page.get_by_role("link", name=WEEK)).to_be_visible()
    assert ["InitiateAuth REFRESH_TOKEN_AUTH"] == behind.sign_ins


def test_a_session_that_can_not_be_renewed_asks_to_sign_in(open_page: Callable[..., Any], problems: list[str]) -> None:
    page = open_page(session={"id": token(["planners"], "planner-1", seconds=-5), "refresh": "revoked"})

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    problems.clear()  # the browser complains of the 400


@pytest.mark.parametrize(
    "script",
    [
        "sessionStorage.setItem('pawcast-session', '{broken')",
        "sessionStorage.setItem('pawcast-session', '7')",
        "for (const area of ['localStorage', 'sessionStorage'])"
        " Object.defineProperty(window, area, {get() { throw new DOMException('blocked', 'SecurityError'); }})",
    ],
)
def test_a_browser_that_keeps_nothing_or_nonsense_can_sign_in(
    site: str, new_page: Callable[..., Any], script: str
) -> None:
    page = new_page()
    page.add_init_script(script)
    page.goto(f"{site}/weeks.html")
    sign_in(page, "planner@example.com", PASSWORD)

    expect(page.get_by_role("link", name=WEEK)).to_be_visible()
    page.get_by_role("button", name="한국어").click()
    expect(page.get_by_role("heading", name="주간 계획")).to_be_visible()


def test_an_address_that_says_nothing_is_answered_in_words(open_page: Callable[..., Any], problems: list[str]) -> None:
    page = open_page("#/%E0%A4%A")

    expect(page.get_by_role("alert")).not_to_be_empty()
    expect(page.get_by_role("link", name="All weeks")).to_be_visible()
    problems.clear()  # the browser complains of the 400


# ---------------------------------------------------------------- a week


def test_a_week_shows_its_state_its_checks_and_the_stores_to_look_at_first(open_page: Callable[..., Any]) -> None:
    page = open_page(f"#/{WEEK}")

    expect(page.get_by_role("heading", level=1)).to_contain_text("waiting for approval")
    expect(page.get_by_text("Checks: 2 / 2 passed")).to_be_visible()
    rows = page.get_by_role("table", name="Stores", exact=True).locator("tbody tr")
    expect(rows).to_have_count(50)
    expect(rows.first.locator(".why")).to_be_visible()
    page.get_by_role("button", name="Show more").click()
    expect(rows).to_have_count(60)


def test_a_search_finds_stores_by_name_and_a_hostile_name_stays_text(open_page: Callable[..., Any]) -> None:
    page = open_page(f"#/{WEEK}")
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.get_by_label("Find a store").fill("alert(1)")

    link = page.get_by_role("table", name="Stores", exact=True).get_by_role("link")
    expect(link).to_have_count(1)
    assert re.sub(r"\s+", " ", HOSTILE) == re.sub(r"\s+", " ", link.text_content())
    page.get_by_label("Find a store").fill("no such store")
    expect(page.get_by_text("There is no such store.")).to_be_visible()


def test_approving_asks_once_more_and_names_the_version(open_page: Callable[..., Any], behind: Backend) -> None:
    page = open_page(f"#/{WEEK}")
    page.get_by_role("button", name="Approve", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Approve version 1 of 2026-W49 and send it to 60 stores?")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    assert RunState.WAITING_FOR_APPROVAL is behind.weeks.runs[WEEK].state

    page.get_by_role("button", name="Approve", exact=True).click()
    dialog.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("approved")
    approval = behind.weeks.runs[WEEK].approval
    assert approval is not None
    assert ("approve", 1) == (approval.decision, approval.plan_version)


def test_rejecting_needs_a_reason(open_page: Callable[..., Any], behind: Backend) -> None:
    page = open_page(f"#/{WEEK}")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Please give a reason.")).to_be_visible()

    page.get_by_label("Reason (needed to reject)").fill("Holiday is missing")
    page.get_by_role("button", name="Reject").click()
    page.get_by_role("dialog").get_by_role("button", name="Reject").click()
    expect(page.get_by_role("blockquote")).to_have_text("Holiday is missing")
    assert RunState.REJECTED is behind.weeks.runs[WEEK].state


def test_a_decision_on_a_plan_that_changed_meanwhile_is_refused_and_the_newest_is_shown(
    open_page: Callable[..., Any], behind: Backend, problems: list[str]
) -> None:
    page = open_page(f"#/{WEEK}")
    expect(page.get_by_text("plan version 1")).to_be_visible()
    behind.weeks.save(behind.weeks.runs[WEEK].changed(plan_version=2))
    page.get_by_role("button", name="Approve", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()

    expect(page.get_by_text("Somebody changed the plan first")).to_be_visible()
    expect(page.get_by_text("plan version 2")).to_be_visible()
    assert RunState.WAITING_FOR_APPROVAL is behind.weeks.runs[WEEK].state
    problems.clear()  # the browser complains of the 409


def test_the_link_to_the_report_is_renewed_while_somebody_types(
    open_page: Callable[..., Any], behind: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = open_page(f"#/{WEEK}")
    page.clock.install()
    page.reload()
    link = page.get_by_role("link", name="Open the report")
    page.get_by_label("Reason (needed to reject)").fill("still thinking")
    monkeypatch.setattr(behind.api.files, "link", lambda key, seconds: f"http://localhost:9/new/{key}")
    page.clock.fast_forward("11:00")

    expect(link).to_have_attribute("href", re.compile("/new/"))
    expect(page.get_by_label("Reason (needed to reject)")).to_have_value("still thinking")


def test_a_comment_is_added_to_the_history(open_page: Callable[..., Any]) -> None:
    page = open_page(f"#/{WEEK}")
    page.get_by_label("Add a comment").fill("<b>Looks</b> right")
    page.get_by_role("button", name="Add", exact=True).click()

    expect(page.locator(".history li").first).to_contain_text("Comment: <b>Looks</b> right")
    expect(page.locator(".history li").first).to_contain_text("you")


def test_stores_that_are_missing_can_be_told_again(open_page: Callable[..., Any], behind: Backend) -> None:
    page = open_page(f"#/{WEEK}")
    page.get_by_role("button", name="Approve", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Approve").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("approved")
    behind.weeks.told = {
        "S0001": Receipt(week=WEEK, store_id="S0001", plan_version=1, state="told", at=NOW, key="k"),
        "S0002": Receipt(
            week=WEEK,
            store_id="S0002",
            plan_version=1,
            state="sending",
            at=NOW,
            key="k",
            claimed_until=NOW - timedelta(hours=1),
        ),
    }
    run = behind.weeks.runs[WEEK]
    for state in (RunState.DISTRIBUTING, RunState.DONE):
        run = run.moved(state)
        behind.weeks.save(run)
    page.reload()
    page.get_by_label("Also to those to be checked").check()
    page.get_by_role("button", name="Send to the stores that are missing").click()

    expect(page.get_by_text("Sending again has begun.")).to_be_visible()
    assert behind.workflow.started[-1][1]["resend"]["include_uncertain"]


def test_a_week_is_started_by_hand_with_a_reason_to_override(open_page: Callable[..., Any], behind: Backend) -> None:
    page = open_page()
    page.get_by_text("Start a week by hand").click()
    page.get_by_label("Week", exact=True).fill("2026-W50")
    page.get_by_label("Reason to override").fill("Festival")
    page.get_by_role("button", name="Start", exact=True).click()

    expect(page.get_by_text("2026-W50 has been started.")).to_be_visible()
    assert {"week": "2026-W50", "started_by": "planner-1", "override_gate_reason": "Festival"} == (
        behind.workflow.started[-1][1]
    )


def test_a_failed_week_says_why_and_can_be_run_again(open_page: Callable[..., Any], behind: Backend) -> None:
    page = open_page("#/2026-W47")

    expect(page.get_by_role("alert").first).to_have_text("Visits are missing.")
    page.get_by_text("Run this week again").click()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("2026-W47 has been started.")).to_be_visible()


def test_an_api_that_is_down_is_said_and_can_be_tried_again(
    open_page: Callable[..., Any], behind: Backend, problems: list[str]
) -> None:
    behind.down = True
    page = open_page(f"#/{WEEK}")
    expect(page.get_by_role("alert")).to_contain_text("can't be reached")

    behind.down = False
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(WEEK)
    problems.clear()  # the browser complains of the 503


# ---------------------------------------------------------------- a store


def test_staff_of_a_day_is_changed_with_a_reason(open_page: Callable[..., Any], behind: Backend) -> None:
    page = open_page(f"#/{WEEK}/S0001")
    save = page.get_by_role("button", name="Save")
    expect(save).to_be_disabled()
    cell = page.get_by_role("spinbutton").nth(1)
    cell.fill("25")
    expect(page.get_by_text("Cells changed: 1.")).to_be_visible()
    page.get_by_label("Reason").fill("School festival")
    save.click()

    expect(page.get_by_text("Saved. The plan is at version 2 now.")).to_be_visible()
    expect(page.get_by_role("spinbutton").nth(1)).to_have_value("25")
    expect(page.get_by_text("School festival")).to_be_visible()
    assert [25] == [edit.staff for edit in behind.weeks.edits(WEEK, "S0001")]


def test_an_edit_of_a_plan_that_changed_meanwhile_keeps_what_was_typed_beside_the_newest(
    open_page: Callable[..., Any], behind: Backend, problems: list[str]
) -> None:
    mine, other = (open_page(f"#/{WEEK}/S0001") for _ in range(2))
    for page, place, staff in ((mine, 1, "25"), (other, 2, "31")):
        page.get_by_role("spinbutton").nth(place).fill(staff)
        page.get_by_label("Reason").fill(f"fair {staff}")
    other.get_by_role("button", name="Save").click()
    expect(other.get_by_text("Saved.")).to_be_visible()
    mine.get_by_role("button", name="Save").click()

    expect(mine.get_by_text("with what you typed")).to_be_visible()
    expect(mine.get_by_role("spinbutton").nth(1)).to_have_value("25")
    expect(mine.get_by_role("spinbutton").nth(2)).to_have_value("31")
    mine.get_by_role("button", name="Save").click()
    expect(mine.get_by_text("Saved. The plan is at version 3 now.")).to_be_visible()
    assert {25, 31} == {edit.staff for edit in behind.weeks.edits(WEEK, "S0001")}
    problems.clear()  # the browser complains of the 409


def test_staff_below_the_minimum_is_not_sent(open_page: Callable[..., Any], behind: Backend) -> None:
    page = open_page(f"#/{WEEK}/S0001")
    page.get_by_role("spinbutton").first.fill("2")
    page.get_by_label("Reason").fill("Quiet")
    page.get_by_role("button", name="Save").click()

    assert not page.get_by_role("spinbutton").first.evaluate("field => field.checkValidity()")
    assert [] == behind.weeks.edits(WEEK, "S0001")


def test_staff_of_an_hour_is_changed(open_page: Callable[..., Any], behind: Backend) -> None:
    page = open_page(f"#/{WEEK}/S0059")
    page.locator("details > summary").nth(2).click()
    page.get_by_label(re.compile(r"Staff, .*10:00")).nth(2).fill("9")
    page.get_by_label("Reason").fill("Delivery")
    page.get_by_role("button", name="Save").click()

    expect(page.get_by_text("Saved.")).to_be_visible()
    assert [10] == [edit.ts.hour for edit in behind.weeks.edits(WEEK, "S0059")]


def test_what_was_typed_outlives_a_change_of_language(open_page: Callable[..., Any]) -> None:
    page = open_page(f"#/{WEEK}/S0001")
    page.get_by_role("spinbutton").first.fill("30")
    page.get_by_role("button", name="한국어").click()

    expect(page.get_by_role("button", name="저장")).to_be_enabled()
    expect(page.get_by_role("spinbutton").first).to_have_value("30")


# ---------------------------------------------------------------- for everybody


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("locale", ["ko-KR", "en-GB"])
@pytest.mark.parametrize("place", ["signed out", "#/", f"#/{WEEK}", f"#/{WEEK}/S0001", f"#/{WEEK}/S0059"])
def test_every_place_is_accessible_and_fits_its_screen(
    open_page: Callable[..., Any], place: str, locale: str, width: int
) -> None:
    signed_in = place != "signed out"
    page = open_page(place if signed_in else "#/", signed_in=signed_in, width=width, locale=locale)
    expect(page.get_by_role("heading", level=1)).to_be_visible()

    assert_readable(page)


def test_both_languages_have_every_word(open_page: Callable[..., Any]) -> None:
    page = open_page()
    words = page.evaluate("import('/js/weeks/words.js').then((module) => module.WORDS)")

    assert [] == [code for code, (ko, en) in words.items() if not ko or not en or re.search("[가-힣]", en)]
    facts = {code: [set(re.findall(r"{(\w+)}", text)) for text in pair] for code, pair in words.items()}
    assert [] == [code for code, (ko, en) in facts.items() if ko != en]


def test_a_week_is_approved_by_keyboard_alone(open_page: Callable[..., Any], behind: Backend) -> None:
    page = open_page(f"#/{WEEK}")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Approve":
            break
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", level=1)).to_contain_text("approved")
    assert RunState.APPROVED is behind.weeks.runs[WEEK].state
