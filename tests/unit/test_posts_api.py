"""What the API does, without HTTP."""

import base64
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from pawcast.callers import Caller
from pawcast.errors import InvalidRequest, NotFound, TooManyRequests
from pawcast.languages import Text
from pawcast.screening.notices import Notice, User
from pawcast.screening.ports import Page
from pawcast.screening.post import Decision, Post, PostState
from pawcast.screening.post_views import Views
from pawcast.screening.posts_api import PostsApi
from pawcast.screening.rates import Rates
from tests.support.screening import NOW, OWNER, FakeRates, a_post, post_id

MINA = Caller(OWNER, "mina@example.com", "ko")
JUN = Caller("99999999-2222-3333-4444-555555555555", "jun@example.com")
REQUEST = {"title": "Cat", "tags": ["cat"], "content_type": "image/jpeg", "size_bytes": 10}
DECISION = Decision(
    outcome="pass",
    probability=0.1,
    threshold=0.5,
    model="face-classifier",
    model_version="1",
    policy_version=1,
)


@dataclass
class FakeUsers:
    """Users by id; writing an address keeps when the inbox was read."""

    users: dict[str, User] = field(default_factory=dict)
    writes: int = 0

    def get(self, user_id: str) -> User | None:
        return self.users.get(user_id)

    def put(self, user: User) -> None:
        self.writes += 1
        known = self.users.get(user.user_id)
        self.users[user.user_id] = user.model_copy(update={"inbox_read_at": known.inbox_read_at if known else None})

    def mark_read(self, user_id: str, at: datetime) -> None:
        known = self.users.get(user_id) or User(user_id=user_id)
        self.users[user_id] = known.model_copy(update={"inbox_read_at": at})


@dataclass
class Shelf:
    """Posts, inboxes and signatures in one fake; pages hold everything."""

    posts: dict[str, Post] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def put_new(self, post: Post) -> None:
        self.posts[post.post_id] = post

    def get(self, post_id: str) -> Post | None:
        return self.posts.get(post_id)

    def by_user(self, user_id: str, start: str | None, limit: int) -> Page[Post]:
        self.asked.append((user_id, start, limit))
        return Page(tuple(post for post in self.posts.values() if post.user_id == user_id), "there|x")

    def feed(self, tag: str | None, start: str | None, limit: int) -> Page[Post]:
        self.asked.append((tag, start, limit))
        return Page(tuple(post for post in self.posts.values() if post.state is PostState.PUBLISHED), None)

    def inbox(self, user_id: str, start: str | None, limit: int) -> Page[Notice]:
        self.asked.append((user_id, start, limit))
        return Page(tuple(self.notices), None)

    def unread(self, user_id: str, read_at: datetime | None) -> int:
        return sum(read_at is None or notice.created_at > read_at for notice in self.notices)

    def sign_upload(self, post: Post, max_bytes: int) -> dict[str, Any]:
        return {"url": "https://uploads", "fields": {"key": post.upload_key}, "max": max_bytes}

    def rendition_url(self, key: str) -> str:
        return f"https://published/{key}"


def an_api(*posts: Post) -> tuple[PostsApi, Shelf, FakeUsers]:
    shelf, users = Shelf({post.post_id: post for post in posts}), FakeUsers()
    rates = Rates(FakeRates(), posts_an_hour=3)
    return PostsApi(shelf, shelf, users, shelf, Views(shelf), rates, lambda: NOW, lambda: post_id(7)), shelf, users


def published(**changes: Any) -> Post:
    key = f"photos/{post_id(1)}/2.jpg"
    return a_post(state=PostState.PUBLISHED, published_at=NOW, rendition_key=key, decision=DECISION, **changes)


def test_a_submitted_post_waits_for_its_photo_and_its_user_is_known() -> None:
    api, _, users = an_api()

    answer = api.submit(MINA, REQUEST)

    assert ("awaiting_upload", f"posts/{post_id(7)}/original") == (
        answer["post"]["state"],
        answer["upload"]["fields"]["key"],
    )
    assert User(user_id=OWNER, email="mina@example.com", language="ko") == users.users[OWNER]


def test_the_language_of_a_request_is_kept_for_notices() -> None:
    api, _, users = an_api()

    api.submit(MINA, REQUEST | {"locale": "en"})

    assert "en" == users.users[OWNER].language


def test_a_published_post_is_shown_to_everybody_without_its_decision() -> None:
    api, _, _ = an_api(published())

    view = api.one(JUN, post_id(1))

    assert f"https://published/photos/{post_id(1)}/2.jpg" == view["photo_url"]
    assert not {"user_id", "decision", "reason", "upload"} & set(view)


def test_the_owner_sees_the_decision_and_its_reason() -> None:
    api, _, _ = an_api(a_post(state=PostState.REJECTED, reason="empty_file"))

    view = api.one(MINA, post_id(1))

    assert ("empty_file", {"ko", "en"}, None) == (
        view["reason"]["code"],
        set(view["reason"]["text"]),
        view["photo_url"],
    )


@pytest.mark.parametrize("state", [state for state in PostState if state is not PostState.PUBLISHED])
def test_another_users_post_does_not_exist_until_it_is_published(state: PostState) -> None:
    api, _, _ = an_api(a_post(state=state))

    with pytest.raises(NotFound) as theirs:
        api.one(JUN, post_id(1))
    with pytest.raises(NotFound) as unknown:
        api.one(JUN, post_id(2))

    assert str(unknown.value) == str(theirs.value)


@pytest.mark.parametrize("post_id", ["x" * 5_000, "", "../secrets", "é" * 32, "A" * 32])
def test_what_is_no_post_id_is_not_even_looked_up(post_id: str) -> None:
    api, shelf, _ = an_api()
    shelf.posts[post_id] = published()

    with pytest.raises(NotFound):
        api.one(JUN, post_id)


def test_a_cursor_leads_to_the_next_page_of_the_callers_own_posts() -> None:
    api, shelf, _ = an_api(published())
    cursor = api.mine(MINA, {})["next_cursor"]

    api.mine(JUN, {"cursor": cursor, "limit": "5"})

    assert (JUN.user_id, "there|x", 5) == shelf.asked[-1]


@pytest.mark.parametrize("cursor", ["%%%", "a", "é", base64.urlsafe_b64encode(b"\xff\xfe").decode(), "A" * 301])
def test_a_cursor_that_is_none_of_ours_is_refused(cursor: str) -> None:
    api, _, _ = an_api()

    with pytest.raises(InvalidRequest, match="cursor"):
        api.feed(MINA, {"cursor": cursor})


@pytest.mark.parametrize("limit", ["0", "51", "-1", "1.5", "x", "９", "9" * 5000])
def test_a_page_has_one_to_fifty_items(limit: str) -> None:
    api, _, _ = an_api()

    with pytest.raises(InvalidRequest, match="limit"):
        api.inbox(MINA, {"limit": limit})


def test_a_tag_is_searched_in_the_form_in_which_it_is_stored() -> None:
    api, shelf, _ = an_api(published())

    assert 1 == len(api.feed(JUN, {"tag": "#CAT"})["items"])
    assert "cat" == shelf.asked[-1][0]


def test_a_language_that_was_chosen_once_stays_until_another_is_chosen() -> None:
    api, _, users = an_api()

    api.choose_language(MINA, {"language": "en"})
    api.submit(MINA, REQUEST)

    assert ("en", "en") == (users.users[OWNER].language, api.me(MINA)["language"])


def test_an_address_that_is_known_is_not_written_with_every_post() -> None:
    api, _, users = an_api()

    for _ in range(3):
        api.submit(MINA, REQUEST)

    assert 1 == users.writes


@pytest.mark.parametrize("request_", [{}, {"language": "fr"}, {"language": None}])
def test_a_language_that_is_none_of_ours_is_refused(request_: dict[str, Any]) -> None:
    api, _, _ = an_api()

    with pytest.raises(InvalidRequest) as refused:
        api.choose_language(MINA, request_)

    assert ("locale_invalid", "language") == (refused.value.request_code, refused.value.field)


def test_me_says_who_is_asking() -> None:
    api, _, _ = an_api()

    shown = api.me(Caller("u1", "a@example.com", None, frozenset({"operators", "planners"})))

    groups = ["operators", "planners"]
    assert {"user_id": "u1", "email": "a@example.com", "language": "ko", "groups": groups} == shown


def a_notice(minutes: int) -> Notice:
    text: Text = {"ko": "안녕", "en": "hello"}
    at = NOW - timedelta(minutes=minutes)
    return Notice(
        user_id=OWNER,
        notice_id=f"{at.isoformat()}#x",
        post_id=post_id(1),
        kind="PostHeld",
        title=text,
        body=text,
        created_at=at,
    )


def test_notices_are_unread_until_the_inbox_was_looked_at() -> None:
    api, shelf, _ = an_api()
    shelf.notices = [a_notice(1), a_notice(2)]
    before = api.inbox(MINA, {})

    api.read_inbox(MINA)
    shelf.notices.insert(0, a_notice(-1))
    after = api.inbox(MINA, {})

    assert (2, [False, False]) == (before["unread"], [item["read"] for item in before["items"]])
    assert (1, [False, True, True]) == (after["unread"], [item["read"] for item in after["items"]])


def test_one_post_too_many_in_an_hour_is_refused_until_the_next_hour() -> None:
    api, shelf, _ = an_api()
    for _ in range(3):
        api.submit(MINA, REQUEST)

    with pytest.raises(TooManyRequests) as refused:
        api.submit(MINA, REQUEST)

    assert (timedelta(hours=1), 1) == (refused.value.retry_after, len(shelf.posts))


def test_a_request_that_is_refused_anyway_counts_towards_no_limit() -> None:
    api, _, _ = an_api()
    for _ in range(9):
        with pytest.raises(InvalidRequest):
            api.submit(MINA, REQUEST | {"title": ""})

    assert api.submit(MINA, REQUEST)


@pytest.mark.parametrize("state", list(PostState))
def test_owners_see_their_photo_and_what_they_can_do_in_every_state(state: PostState) -> None:
    reason = "human_face" if state is PostState.REJECTED else None
    api, _, _ = an_api(published().model_copy(update={"state": state, "reason": reason}))

    view = api.one(MINA, post_id(1))

    offered = {PostState.REJECTED: ["mosaic", "appeal", "upload_again"], PostState.EXPIRED: ["upload_again"]}
    assert view["photo_url"] is not None
    assert (True, offered.get(state, [])) == (view["is_own"], view["remedies"])
    assert ({"state": "making", "after_url": None} if state is PostState.MOSAIC else None) == (
        view["mosaic"] and {name: view["mosaic"][name] for name in ("state", "after_url")}
    )
