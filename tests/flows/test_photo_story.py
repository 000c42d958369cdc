"""The way of a photo through all five functions and their real adapters, in this process."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pawcast.adapters.photo_store import PhotoStore
from pawcast.adapters.posts_table import PostsTable
from pawcast.errors import DependencyUnavailable
from tests.support.flow import JUN, MINA, Stack, picture
from tests.support.functions import FakeContext


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    return Stack(monkeypatch)


def test_a_harmless_photo_is_published_and_its_uploader_told(stack: Stack) -> None:
    post_id, notification = stack.submit(MINA, picture(30))

    failed = stack.deliver("screen_photos", notification) + stack.deliver_notices()

    _, post = stack.call(MINA, "GET", f"/posts/{post_id}")
    _, feed = stack.call(JUN, "GET", "/feed", tag="cat")
    _, inbox = stack.call(MINA, "GET", "/inbox")
    assert ([], "published", [post_id]) == (
        failed,
        post["state"],
        [item["post_id"] for item in feed["items"]],
    )
    assert ["PostPublished"] == [notice["kind"] for notice in inbox["items"]]


def test_a_photo_with_a_face_waits_and_is_seen_by_nobody_else(stack: Stack) -> None:
    post_id, notification = stack.submit(MINA, picture(240))

    stack.deliver("screen_photos", notification)

    _, own = stack.call(MINA, "GET", f"/posts/{post_id}")
    status, _ = stack.call(JUN, "GET", f"/posts/{post_id}")
    assert ("in_review", "human_face_suspected", 404) == (own["state"], own["reason"]["code"], status)
    assert f"/photos/{post_id}/" in own["photo_url"]


def test_a_message_repeated_through_all_stages_changes_nothing(stack: Stack) -> None:
    _, notification = stack.submit(MINA, picture(30))

    for _ in range(3):
        stack.deliver("screen_photos", notification, notification)
        stack.deliver_notices()

    _, inbox = stack.call(MINA, "GET", "/inbox")
    assert 1 == len(inbox["items"])


def test_a_broken_message_comes_back_without_its_neighbours(stack: Stack) -> None:
    _, notification = stack.submit(MINA, picture(30))

    assert ["m0"] == stack.deliver("screen_photos", "not json", notification)


def test_a_photo_whose_storage_fails_stays_and_is_decided_when_storage_is_back(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    post_id, notification = stack.submit(MINA, picture(30))

    def failing(*_: Any) -> bytes:
        raise DependencyUnavailable("s3:GetObject on uploads is unavailable for now")

    with monkeypatch.context() as outage:
        outage.setattr(PhotoStore, "read", failing)
        during = stack.deliver("screen_photos", notification)
    after = stack.deliver("screen_photos", notification)

    assert (["m0"], [], "published") == (
        during,
        after,
        stack.call(MINA, "GET", f"/posts/{post_id}")[1]["state"],
    )


def test_a_photo_that_could_not_be_screened_goes_to_a_person_and_its_uploader_hears(stack: Stack) -> None:
    post_id, notification = stack.submit(JUN, picture(30))

    failed = stack.deliver("rescue_failed_photos", notification) + stack.deliver_notices()

    _, post = stack.call(JUN, "GET", f"/posts/{post_id}")
    _, inbox = stack.call(JUN, "GET", "/inbox")
    assert ([], "in_review", "screening_failed") == (failed, post["state"], post["reason"]["code"])
    assert ["screening_failed"] == [notice["reason"] for notice in inbox["items"]]


def test_a_throttled_table_returns_every_message(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    _, notification = stack.submit(MINA, picture(30))

    def throttled(*_: Any) -> Any:
        raise DependencyUnavailable("dynamodb:BatchGetItem is unavailable for now")

    monkeypatch.setattr(PostsTable, "get_many", throttled)

    with pytest.raises(DependencyUnavailable):  # Lambda then returns the whole batch to the queue
        stack.deliver("screen_photos", notification)


def test_a_post_without_photo_ends_and_a_forgotten_photo_is_screened(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    never, _ = stack.submit(MINA, None)
    forgotten, _ = stack.submit(MINA, picture(30))
    later = datetime.now(UTC) + timedelta(hours=3)
    expirer = stack.functions["expire_uploads"].expiring
    object.__setattr__(expirer, "now", lambda: later)

    report = stack.functions["expire_uploads"].lambda_handler({}, FakeContext())

    (message,) = stack.sqs.receive_message(QueueUrl=stack.screening_queue)["Messages"]
    stack.deliver("screen_photos", message["Body"])
    states = [stack.call(MINA, "GET", f"/posts/{post_id}")[1]["state"] for post_id in (never, forgotten)]
    done = {"expired": 1, "requeued": 1, "given_back": 0, "erased": 0}
    assert (done, ["expired", "published"]) == (report, states)


@pytest.mark.parametrize(
    ("claims", "method", "path", "body", "expected"),
    [
        (None, "GET", "/posts", None, (401, "not_signed_in")),
        (MINA | {"token_use": "access"}, "GET", "/feed", None, (401, "not_signed_in")),
        (MINA, "GET", "/nothing", None, (404, "not_found")),
        (MINA, "DELETE", "/posts", None, (404, "not_found")),
        (MINA, "GET", "/posts/" + "0" * 32, None, (404, "not_found")),
        (MINA, "GET", "/posts/%00", None, (404, "not_found")),
        (MINA, "POST", "/posts", [], (400, "invalid_request")),
        (MINA, "POST", "/posts", {"title": "x" * 10_000}, (400, "size_invalid")),
        (MINA, "POST", "/posts", {"title": "x" * 10_000, "size_bytes": 1}, (400, "title_too_long")),
    ],
)
def test_the_api_answers_what_it_refuses(
    stack: Stack, claims: dict[str, str] | None, method: str, path: str, body: Any, expected: tuple[int, str]
) -> None:
    status, answer = stack.call(claims, method, path, body)

    assert expected == (status, answer["error"]["code"])
