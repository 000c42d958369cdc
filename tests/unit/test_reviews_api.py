"""What the review console is told, and who is told anything."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawcast.callers import Caller
from pawcast.errors import Conflict, DependencyUnavailable, InvalidRequest, NotAllowed, NotFound
from pawcast.screening import counts
from pawcast.screening.counts import HourCounts
from pawcast.screening.ports import Page
from pawcast.screening.post import BankMatch, Face, Post, PostState
from pawcast.screening.reviews_api import COMMENT_MAX_CHARS, SKIP_REASON_MAX_CHARS, WEEK_FRESH, ReviewsApi, Week
from pawcast.screening.verdicts import Case
from tests.support.review_fakes import ANNA, BORA, FLAG, Room, a_case, facts
from tests.support.review_site import _view, queue_of
from tests.support.screening import NOW, OWNER, a_post, post_id

OPERATORS = frozenset({"operators"})
ANNA_SIGNED_IN = Caller(ANNA, "anna@example.com", groups=OPERATORS)
BORA_SIGNED_IN = Caller(BORA, "bora@example.com", groups=OPERATORS)
REVIEW = f"{post_id(1)}-2"
UPHOLD = {"verdict": "uphold", "label": "human_face"}


@dataclass
class Shelf:
    """The uploaders' posts, links and counts."""

    room: Room
    done: int = 400
    reads: int = 0
    broken: bool = False
    more: Sequence[Post] = ()

    def by_user(self, user_id: str, start: str | None, limit: int) -> Page[Post]:
        known = [*self.room.posts.posts.values(), *self.more]
        return Page(tuple(post for post in known if post.user_id == user_id)[:limit], None)

    def rendition_url(self, key: str) -> str:
        return f"https://published/{key}"

    def original_url(self, post: Post) -> str | None:
        return f"https://uploads/{post.upload.version_id}" if post.upload else None

    def hours(self, since: datetime, until: datetime) -> Sequence[HourCounts]:
        if self.broken:
            raise DependencyUnavailable("dynamodb:Query")
        self.reads += 1
        return [HourCounts(NOW.replace(hour=1), {counts.CHECKS: self.done})]

    def all_time(self) -> dict[str, int]:
        return {}


@dataclass
class Console:
    """The API before a queue."""

    room: Room
    shelf: Shelf = field(init=False)
    api: ReviewsApi = field(init=False)
    troubles: list[Exception] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shelf = Shelf(self.room)
        week = Week(self.shelf, lambda: 1200)
        self.api = ReviewsApi(self.room.reviewer, self.shelf, self.shelf, week, self.troubles.append)

    def take(self, count: int = 1, by: Caller = ANNA_SIGNED_IN) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.api.take(by, {"count": count})["items"]
        return items


def a_console(*cases: Case) -> Console:
    return Console(Room(*(cases or (a_case(),))))


ROUTES: dict[str, Callable[[ReviewsApi, Caller], object]] = {
    "summary": lambda api, who: api.summary(who),
    "take": lambda api, who: api.take(who, {"count": 1}),
    "one": lambda api, who: api.one(who, REVIEW),
    "decide": lambda api, who: api.decide(who, REVIEW, UPHOLD),
    "undo": lambda api, who: api.undo(who, REVIEW),
    "skip": lambda api, who: api.skip(who, REVIEW, {"reason": "no"}),
    "release": lambda api, who: api.release(who, REVIEW),
    "comment": lambda api, who: api.comment(who, REVIEW, {"text": "hm"}),
    "seen": lambda api, who: api.seen(who, REVIEW, {"what": "photo"}),
    "shift": lambda api, who: api.shift(who, {}),
}


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("groups", [(), ("planners",), ("Operators",), ("operators-of-others",)])
def test_nobody_but_operators_may_do_anything(route: str, groups: tuple[str, ...]) -> None:
    console = a_console()

    with pytest.raises(NotAllowed, match="operators"):
        ROUTES[route](console.api, Caller(OWNER, "mina@example.com", groups=frozenset(groups)))

    assert ([], "waiting", None) == (console.room.reviews.log, *_status(console))


def _status(console: Console) -> tuple[str, str | None]:
    review = console.room.review()
    return review.status, review.locked_by


@pytest.mark.parametrize("review_id", ["", "x", "desk#operator-anna", "../1", f"{post_id(1)}-", "A" * 32 + "-1"])
@pytest.mark.parametrize("route", ["one", "decide", "undo", "skip", "release", "comment", "seen"])
def test_what_is_no_review_id_is_not_even_looked_up(route: str, review_id: str) -> None:
    console = a_console()
    calls: dict[str, Callable[[], object]] = {
        "one": lambda: console.api.one(ANNA_SIGNED_IN, review_id),
        "decide": lambda: console.api.decide(ANNA_SIGNED_IN, review_id, UPHOLD),
        "undo": lambda: console.api.undo(ANNA_SIGNED_IN, review_id),
        "skip": lambda: console.api.skip(ANNA_SIGNED_IN, review_id, {"reason": "no"}),
        "release": lambda: console.api.release(ANNA_SIGNED_IN, review_id),
        "comment": lambda: console.api.comment(ANNA_SIGNED_IN, review_id, {"text": "hm"}),
        "seen": lambda: console.api.seen(ANNA_SIGNED_IN, review_id, {"what": "photo"}),
    }

    with pytest.raises(NotFound):
        calls[route]()


def test_a_view_has_the_shape_that_the_console_was_written_for() -> None:
    expected = _view(REVIEW, 1, "flagged", NOW)
    console = a_console(a_case(1, photo=facts().model_copy(update={"faces": (Face(x0=0, y0=0, x1=1, y1=1, score=1),)})))

    (view,) = console.take()

    assert set(expected) == set(view)
    assert {part: set(expected[part]) for part in ("decision", "uploader")} == {
        part: set(view[part]) for part in ("decision", "uploader")
    }
    assert [set(face) for face in expected["faces"]] == [set(face) for face in view["faces"]]


@pytest.mark.parametrize("answer", ["summary", "shift"])
def test_figures_have_the_shape_that_the_console_was_written_for(answer: str) -> None:
    site = queue_of(2)
    console = a_console(a_case(1), a_case(2))
    console.take()
    site.take(1)
    console.api.decide(ANNA_SIGNED_IN, REVIEW, UPHOLD)
    site.act(site.locked[0], "verdict", UPHOLD)
    expected, got = getattr(site, answer)(), getattr(console.api, answer)(ANNA_SIGNED_IN, *[{}] * (answer == "shift"))

    assert set(expected) == set(got)
    assert [set(line) for line in expected.get("last", [])] == [set(line) for line in got.get("last", [])]
    assert set(expected.get("capacity", {})) == set(got.get("capacity", {}))


def test_a_view_says_what_helps_to_decide() -> None:
    case = a_case(1, bank_match=BankMatch(bank="banned", entry_id="e", distance=7, label="gruesome"))
    console = a_console(case)

    (view,) = console.take()

    assert (f"https://published/photos/{post_id(1)}/2.jpg", 400, 300, None) == (
        view["photo_url"],
        view["width"],
        view["height"],
        view["faces"],
    )
    assert {
        "probability": 0.9,
        "threshold": 0.5,
        "model": "face-classifier",
        "model_version": "3",
        "detector_score": None,
        "outcome": "flag",
    } == view["decision"]
    assert 7 == view["bank_match"]["distance"]


def test_nothing_in_a_view_says_whose_photo_it_is() -> None:
    console = a_console()

    (view,) = console.take()

    assert not [known for known in (OWNER, "mina", ANNA, "user_id", "operator_id") if known in str(view)]


def test_a_photo_that_could_not_be_rendered_is_shown_as_it_was_uploaded() -> None:
    (view,) = a_console(a_case(1, "failed")).take()

    assert ("https://uploads/v1", None, None, None) == (
        view["photo_url"],
        view["width"],
        view["decision"],
        view["faces"],
    )


def test_the_uploader_is_numbers() -> None:
    console = a_console()
    console.shelf.more = (
        a_post(2, state=PostState.PUBLISHED, created_at=NOW - timedelta(days=90)),
        a_post(3, state=PostState.PUBLISHED, decision=FLAG),
        a_post(4, state=PostState.REJECTED, reason="gruesome"),
        a_post(5, state=PostState.APPEALED, reason="other_violation"),
        a_post(6, state=PostState.REJECTED, reason="empty_file"),
        a_post(7, state=PostState.PUBLISHED, user_id="somebody else"),
    )

    (view,) = console.take()

    assert {"posts": 6, "published": 2, "rejected": 2, "upheld": 2, "overturned": 1, "since": "2026-08"} == view[
        "uploader"
    ]


def test_the_history_says_you_or_another_operator() -> None:
    console = a_console()
    console.take()
    console.api.comment(ANNA_SIGNED_IN, REVIEW, {"text": "  a mirror?  "})

    told = [
        [(line["kind"], line["comment"], line["operator"]) for line in console.api.one(who, REVIEW)["history"]]
        for who in (ANNA_SIGNED_IN, BORA_SIGNED_IN)
    ]

    assert [
        [("take", "", "you"), ("comment", "a mirror?", "you")],
        [("take", "", "another operator"), ("comment", "a mirror?", "another operator")],
    ] == told


def test_several_photos_are_given_in_their_order() -> None:
    console = a_console(*(a_case(number) for number in range(7)))

    assert [f"{post_id(number)}-2" for number in range(5)] == [view["review_id"] for view in console.take(5)]


@pytest.mark.parametrize("count", [0, 6, -1, 1.0, "1", True, None])
def test_one_to_five_photos_are_taken(count: Any) -> None:
    with pytest.raises(InvalidRequest) as refused:
        a_console().api.take(ANNA_SIGNED_IN, {"count": count})

    assert "count" == refused.value.field


def test_a_verdict_answers_with_the_review_and_until_when_it_can_be_taken_back() -> None:
    console = a_console()
    console.take()

    answer = console.api.decide(ANNA_SIGNED_IN, REVIEW, UPHOLD | {"comment": "clear"})

    until = (console.room.now + timedelta(minutes=10)).isoformat()
    review = answer["review"]
    assert ("uphold", "human_face", "clear", until) == (
        review["verdict"]["verdict"],
        review["verdict"]["label"],
        review["verdict"]["comment"],
        review["undo_until"],
    )
    assert console.api.one(BORA_SIGNED_IN, REVIEW)["undo_until"] is None


def test_a_verdict_that_is_settled_can_not_be_taken_back_any_more() -> None:
    console = a_console(a_case(1), a_case(2, "failed"))
    console.take(2)
    console.api.decide(ANNA_SIGNED_IN, REVIEW, UPHOLD)
    console.api.decide(ANNA_SIGNED_IN, f"{post_id(2)}-2", {"verdict": "overturn", "label": "fine"})
    again = console.api.one(ANNA_SIGNED_IN, f"{post_id(2)}-2")["undo_until"]
    console.room.wait(minutes=11)

    last = console.api.shift(ANNA_SIGNED_IN, {})["last"]
    assert [None, None, None] == [again, console.api.one(ANNA_SIGNED_IN, REVIEW)["undo_until"], last[1]["undo_until"]]


@pytest.mark.parametrize(
    ("request_", "field_"),
    [
        ({}, "verdict"),
        ({"verdict": "maybe"}, "verdict"),
        ({"verdict": ["uphold"]}, "verdict"),
        ({"verdict": "uphold"}, "label"),
        ({"verdict": "uphold", "label": "fine"}, "label"),
        ({"verdict": "uphold", "label": ["human_face"]}, "label"),
        ({"verdict": "overturn", "label": "gruesome"}, "label"),
        (UPHOLD | {"comment": "x" * (COMMENT_MAX_CHARS + 1)}, "comment"),
        (UPHOLD | {"comment": 3}, "comment"),
        (UPHOLD | {"comment": "a\x00b"}, "comment"),
        (UPHOLD | {"comment": "\ud800"}, "comment"),
    ],
)
def test_a_verdict_that_says_nothing_clear_is_refused(request_: dict[str, Any], field_: str) -> None:
    console = a_console()
    console.take()

    with pytest.raises(InvalidRequest) as refused:
        console.api.decide(ANNA_SIGNED_IN, REVIEW, request_)

    assert (field_, "waiting") == (refused.value.field, console.room.review().status)


@pytest.mark.parametrize("reason", [None, "", "   ", "x" * (SKIP_REASON_MAX_CHARS + 1), 5, ["no"]])
def test_passing_on_needs_a_reason(reason: Any) -> None:
    console = a_console()
    console.take()

    with pytest.raises(InvalidRequest):
        console.api.skip(ANNA_SIGNED_IN, REVIEW, {"reason": reason})


@given(text=st.text(max_size=COMMENT_MAX_CHARS + 20))
def test_a_comment_is_kept_or_refused_never_changed_beyond_its_spaces(text: str) -> None:
    console = a_console()
    console.take()

    try:
        view = console.api.comment(ANNA_SIGNED_IN, REVIEW, {"text": text})["review"]
    except InvalidRequest:
        assert 1 == len(console.room.reviews.log)
    else:
        kept = view["history"][-1]["comment"]
        assert 1 <= len(kept) <= COMMENT_MAX_CHARS
        kept.encode()


@pytest.mark.parametrize("what", [None, "", "face", ["photo"], 1])
def test_only_photo_and_boxes_can_be_looked_at(what: Any) -> None:
    console = a_console()
    console.take()

    with pytest.raises(InvalidRequest):
        console.api.seen(ANNA_SIGNED_IN, REVIEW, {"what": what})


def test_looks_are_noted() -> None:
    console = a_console()
    console.take()
    answers = [console.api.seen(ANNA_SIGNED_IN, REVIEW, {"what": what}) for what in ("photo", "boxes")]

    assert ([{}, {}], ["take", "seen_photo", "seen_boxes"]) == (answers, [one.kind for one in console.room.reviews.log])


def test_the_shift_counts_what_stands() -> None:
    console = a_console(*(a_case(number) for number in range(1, 6)))
    ids = [view["review_id"] for view in console.take(5)]
    for seconds, review_id, verdict in zip((10, 20, 33), ids, (UPHOLD, {"verdict": "overturn"}, UPHOLD), strict=False):
        console.api.seen(ANNA_SIGNED_IN, review_id, {"what": "photo"})
        console.room.wait(seconds=seconds)
        console.api.decide(ANNA_SIGNED_IN, review_id, verdict)
    console.api.undo(ANNA_SIGNED_IN, ids[2])
    console.api.skip(ANNA_SIGNED_IN, ids[3], {"reason": "no"})

    shift = console.api.shift(ANNA_SIGNED_IN, {"hours": "8"})

    last = shift.pop("last")
    assert {
        "checked": 2,
        "upheld": 1,
        "overturned": 1,
        "skipped": 1,
        "undone": 1,
        "seconds_median": 15,
    } == shift
    assert [(ids[1], "overturn", "fine"), (ids[0], "uphold", "human_face")] == [
        (line["review_id"], line["verdict"], line["label"]) for line in last
    ]
    assert 0 == console.api.shift(BORA_SIGNED_IN, {})["checked"]


def test_the_shift_ends_with_its_hours() -> None:
    console = a_console()
    console.take()
    console.api.decide(ANNA_SIGNED_IN, REVIEW, UPHOLD)
    console.room.wait(hours=2)

    assert [0, 1] == [console.api.shift(ANNA_SIGNED_IN, {"hours": hours})["checked"] for hours in ("1", "3")]


@pytest.mark.parametrize("hours", ["0", "25", "-1", "1.5", "x", "９", "9" * 5000])
def test_a_shift_has_one_to_24_hours(hours: str) -> None:
    with pytest.raises(InvalidRequest, match="hours"):
        a_console().api.shift(ANNA_SIGNED_IN, {"hours": hours})


def test_the_summary_compares_the_week_with_its_limit() -> None:
    console = a_console(*(a_case(number, "claim" if number % 2 else "flagged") for number in range(5)))
    console.take(1, by=BORA_SIGNED_IN)

    summary = console.api.summary(ANNA_SIGNED_IN)

    assert (5, 1, 0, {"claim": 2, "flagged": 3}, 600, 0) == (
        summary["waiting"],
        summary["locked"],
        summary["mine_blocked"],
        summary["by_reason"],
        summary["oldest_seconds"],
        summary["overdue"],
    )
    assert {"week": "2026-W48", "checks_done": 400, "checks_predicted": 405, "checks_limit": 1200} == summary[
        "capacity"
    ]


def test_a_verdict_moves_the_weeks_count_without_reading_it_again() -> None:
    console = a_console(a_case(1), a_case(2))
    console.take(2)
    console.api.summary(ANNA_SIGNED_IN)

    done = [
        console.api.decide(ANNA_SIGNED_IN, f"{post_id(number)}-2", UPHOLD)["capacity"]["checks_done"]
        for number in (1, 2)
    ]
    back = console.api.undo(ANNA_SIGNED_IN, REVIEW)["capacity"]["checks_done"]

    assert ([401, 402], 401, 1) == (done, back, console.shelf.reads)


def test_the_weeks_count_is_read_again_after_a_while() -> None:
    console = a_console()
    console.take()
    console.api.summary(ANNA_SIGNED_IN)
    console.room.wait(seconds=WEEK_FRESH.total_seconds() + 1)
    console.shelf.done = 500

    capacity = console.api.decide(ANNA_SIGNED_IN, REVIEW, UPHOLD)["capacity"]

    assert (500, 500, 2) == (capacity["checks_done"], capacity["checks_predicted"], console.shelf.reads)


def test_a_verdict_is_answered_even_if_the_week_can_not_be_read() -> None:
    console = a_console()
    console.take()
    console.shelf.broken = True

    answer = console.api.decide(ANNA_SIGNED_IN, REVIEW, UPHOLD)

    assert (None, "uphold") == (answer["capacity"], answer["review"]["verdict"]["verdict"])
    assert [DependencyUnavailable] == [type(error) for error in console.troubles]


def test_what_fails_after_a_verdict_is_reported() -> None:
    console = a_console()
    console.room.events.broken = console.room.counts.broken = True
    console.take()

    console.api.decide(ANNA_SIGNED_IN, REVIEW, UPHOLD)

    assert 2 == len(console.troubles)


def test_a_photo_that_is_put_back_is_not_in_hand() -> None:
    console = a_console()
    console.take()

    assert {} == console.api.release(ANNA_SIGNED_IN, REVIEW)
    with pytest.raises(Conflict):
        console.api.decide(ANNA_SIGNED_IN, REVIEW, UPHOLD)
