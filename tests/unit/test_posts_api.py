"""What the API does, without HTTP."""

import base64
from dataclasses import dataclass, field
from typing import Any

import pytest

from pawcast.callers import Caller
from pawcast.errors import InvalidRequest, NotFound
from pawcast.screening.notices import Notice, User
from pawcast.screening.ports import Page
from pawcast.screening.post import Decision, Post, PostState
from pawcast.screening.posts_api import PostsApi
from tests.support.screening import NOW, OWNER, a_post, post_id

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
class Shelf:
    """Posts, inboxes, users and signatures in one fake; pages hold everything."""

    posts: dict[str, Post] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
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
        return Page((), None)

    def put(self, user: User) -> None:
        self.users[user.user_id] = user

    def sign_upload(self, post: Post, max_bytes: int) -> dict[str, Any]:
        return {"url": "https://uploads", "fields": {"key": post.upload_key}, "max": max_bytes}

    def rendition_url(self, key: str) -> str:
        return f"https://published/{key}"


def an_api(*posts: Post) -> tuple[PostsApi, Shelf]:
    shelf = Shelf({post.post_id: post for post in posts})
    return PostsApi(shelf, shelf, shelf, shelf, lambda: NOW, lambda: post_id(7)), shelf


def published(**changes: Any) -> Post:
    key = f"photos/{post_id(1)}/2.jpg"
    return a_post(state=PostState.PUBLISHED, published_at=NOW, rendition_key=key, decision=DECISION, **changes)


def test_a_submitted_post_waits_for_its_photo_and_its_user_is_known() -> None:
    api, shelf = an_api()

    answer = api.submit(MINA, REQUEST)

    assert ("awaiting_upload", f"posts/{post_id(7)}/original") == (
        answer["post"]["state"],
        answer["upload"]["fields"]["key"],
    )
    assert User(user_id=OWNER, email="mina@example.com", language="ko") == shelf.users[OWNER]


def test_the_language_of_a_request_is_kept_for_notices() -> None:
    api, shelf = an_api()

    api.submit(MINA, REQUEST | {"locale": "en"})

    assert "en" == shelf.users[OWNER].language


def test_a_published_post_is_shown_to_everybody_without_its_decision() -> None:
    api, _ = an_api(published())

    view = api.one(JUN, post_id(1))

    assert f"https://published/photos/{post_id(1)}/2.jpg" == view["photo_url"]
    assert not {"user_id", "decision", "reason", "upload"} & set(view)


def test_the_owner_sees_the_decision_and_its_reason() -> None:
    api, _ = an_api(a_post(state=PostState.REJECTED, reason="empty_file"))

    view = api.one(MINA, post_id(1))

    assert ("empty_file", {"ko", "en"}, None) == (
        view["reason"]["code"],
        set(view["reason"]["text"]),
        view["photo_url"],
    )


@pytest.mark.parametrize("state", [state for state in PostState if state is not PostState.PUBLISHED])
def test_another_users_post_does_not_exist_until_it_is_published(state: PostState) -> None:
    api, _ = an_api(a_post(state=state))

    with pytest.raises(NotFound) as theirs:
        api.one(JUN, post_id(1))
    with pytest.raises(NotFound) as unknown:
        api.one(JUN, post_id(2))

    assert str(unknown.value) == str(theirs.value)


@pytest.mark.parametrize("post_id", ["x" * 5_000, "", "../secrets", "é" * 32, "A" * 32])
def test_what_is_no_post_id_is_not_even_looked_up(post_id: str) -> None:
    api, shelf = an_api()
    shelf.posts[post_id] = published()

    with pytest.raises(NotFound):
        api.one(JUN, post_id)


def test_a_cursor_leads_to_the_next_page_of_the_callers_own_posts() -> None:
    api, shelf = an_api(published())
    cursor = api.mine(MINA, {})["next_cursor"]

    api.mine(JUN, {"cursor": cursor, "limit": "5"})

    assert (JUN.user_id, "there|x", 5) == shelf.asked[-1]


@pytest.mark.parametrize("cursor", ["%%%", "a", "é", base64.urlsafe_b64encode(b"\xff\xfe").decode(), "A" * 301])
def test_a_cursor_that_is_none_of_ours_is_refused(cursor: str) -> None:
    api, _ = an_api()

    with pytest.raises(InvalidRequest, match="cursor"):
        api.feed(MINA, {"cursor": cursor})


@pytest.mark.parametrize("limit", ["0", "51", "-1", "1.5", "x", "９", "9" * 5000])
def test_a_page_has_one_to_fifty_items(limit: str) -> None:
    api, _ = an_api()

    with pytest.raises(InvalidRequest, match="limit"):
        api.inbox(MINA, {"limit": limit})


def test_a_tag_is_searched_in_the_form_in_which_it_is_stored() -> None:
    api, shelf = an_api(published())

    assert 1 == len(api.feed(JUN, {"tag": "#CAT"})["items"])
    assert "cat" == shelf.asked[-1][0]
