"""The API client against a fake stack that speaks real HTTP."""

import socket
from collections.abc import Iterator
from datetime import UTC

import pytest

from pawcast_ops.api_types import NewPost
from pawcast_ops.client import (
    ClientError,
    Missing,
    PawcastClient,
    Refused,
    ServiceFailed,
    SignInFailed,
    TokenRefused,
    Unreachable,
    UploadRefused,
    pages,
    sign_in,
)
from tests.support.fake_pawcast import CLIENT_ID, PASSWORD, FakePawcast, serving

CAT = NewPost(title="Chelsea", content_type="image/jpeg", size_bytes=3, tags=("cat",), locale="ko")


@pytest.fixture
def fake() -> Iterator[FakePawcast]:
    with serving(FakePawcast()) as running:
        yield running


@pytest.fixture
def mina(fake: FakePawcast) -> Iterator[PawcastClient]:
    with a_client(fake, "mina") as client:
        yield client


def a_client(fake: FakePawcast, user: str, slept: list[float] | None = None) -> PawcastClient:
    naps: list[float] = [] if slept is None else slept
    return PawcastClient(fake.url, f"token-{user}", sleep=naps.append)


def signed_in(fake: FakePawcast, username: str, password: str = PASSWORD) -> str:
    return sign_in(username, password, user_pool_client_id=CLIENT_ID, region="us-east-1", endpoint_url=fake.url)


def test_signing_in_gives_the_id_token(fake: FakePawcast) -> None:
    assert signed_in(fake, "mina@example.com") == "token-mina"


def test_a_wrong_password_is_named_with_the_person(fake: FakePawcast) -> None:
    with pytest.raises(SignInFailed, match=r"mina@example\.com: Incorrect username or password"):
        signed_in(fake, "mina@example.com", "wrong")


def test_an_account_that_must_change_its_password_first_says_so(fake: FakePawcast) -> None:
    with pytest.raises(SignInFailed, match="NEW_PASSWORD_REQUIRED"):
        signed_in(fake, "new@example.com")


def test_a_submitted_post_waits_for_its_photo(mina: PawcastClient, fake: FakePawcast) -> None:
    post = mina.submit(CAT).post

    assert (post.title, post.tags, post.state, post.created_at.tzinfo) == (
        "Chelsea",
        ("cat",),
        "awaiting_upload",
        UTC,
    )
    assert fake.posts[post.post_id]["locale"] == "ko"


def test_the_upload_form_holds_the_signed_fields_in_their_order_and_the_file_last(
    mina: PawcastClient, fake: FakePawcast
) -> None:
    ticket = mina.submit(CAT)

    mina.upload(ticket, b"\xff\xd8\xff", filename="cat.jpg")

    expected = [
        ("Content-Type", None, b"image/jpeg"),
        ("key", None, f"posts/{ticket.post.post_id}/original".encode()),
        ("policy", None, b"p"),
        ("file", "cat.jpg", b"\xff\xd8\xff"),
    ]
    assert expected == fake.uploads[0]


def test_a_refusal_of_the_storage_carries_its_own_code(mina: PawcastClient) -> None:
    ticket = mina.submit(CAT)

    with pytest.raises(UploadRefused) as refusal:
        mina.upload(ticket, b"")

    assert (
        refusal.value.code,
        refusal.value.message,
        refusal.value.status,
    ) == ("EntityTooSmall", "Smaller than allowed.", 400)


@pytest.mark.parametrize(
    ("new", "code", "field"),
    [
        (NewPost("x" * 101, "image/jpeg", 3), "title_too_long", "title"),
        (NewPost("x", "image/gif", 3), "content_type_invalid", "content_type"),
        (NewPost("x", "image/jpeg", 0), "size_invalid", "size_bytes"),
        (NewPost("x", "image/jpeg", 3, tags=("a\x07",)), "tag_invalid", "tags"),
    ],
)
def test_a_refused_post_names_the_code_the_field_and_both_sentences(
    mina: PawcastClient, new: NewPost, code: str, field: str
) -> None:
    with pytest.raises(Refused) as refusal:
        mina.submit(new)

    assert (code, field, 400, "r-1") == (
        refusal.value.code,
        refusal.value.field,
        refusal.value.status,
        refusal.value.request_id,
    )
    assert refusal.value.message.ko == f"[ko] {refusal.value.message.en}"


def test_another_persons_unpublished_post_is_missing(mina: PawcastClient, fake: FakePawcast) -> None:
    post_id = mina.submit(CAT).post.post_id

    with a_client(fake, "jun") as jun, pytest.raises(Missing) as refusal:
        jun.post(post_id)

    assert refusal.value.code == "not_found"


def test_the_gateways_own_refusal_of_a_token_is_understood(fake: FakePawcast) -> None:
    with PawcastClient(fake.url, "stale") as client, pytest.raises(TokenRefused) as refusal:
        client.my_posts()

    assert (refusal.value.code, refusal.value.message.en) == ("http_401", "Unauthorized")


def test_lists_are_read_page_by_page_to_their_end(mina: PawcastClient, fake: FakePawcast) -> None:
    fake.page_size = 2
    for number in range(5):
        mina.upload(mina.submit(NewPost(f"cat {number}", "image/jpeg", 3, tags=("cat",))), b"cat")

    posts = [post.title for post in pages(lambda cursor: mina.my_posts(cursor=cursor))]
    feed = [post.title for post in pages(lambda cursor: mina.feed(tag="cat", cursor=cursor, limit=1))]
    notices = [notice.post_id for notice in pages(lambda cursor: mina.inbox(cursor=cursor))]

    newest_first = ["cat 4", "cat 3", "cat 2", "cat 1", "cat 0"]
    assert (newest_first, newest_first) == (posts, feed)
    assert len(set(notices)) == 5


def test_the_feed_of_an_unused_tag_is_empty(mina: PawcastClient) -> None:
    mina.upload(mina.submit(CAT), b"cat")

    assert mina.feed(tag="dog").items == ()


def test_a_published_photo_is_fetched_without_the_token(mina: PawcastClient, fake: FakePawcast) -> None:
    fake.rendition = b"the photo"
    ticket = mina.submit(CAT)
    mina.upload(ticket, b"cat")

    assert mina.photo(mina.post(ticket.post.post_id)) == b"the photo"


def test_a_post_without_a_photo_has_none_to_fetch(mina: PawcastClient) -> None:
    with pytest.raises(ServiceFailed, match="awaiting_upload"):
        mina.photo(mina.submit(CAT).post)


def test_reading_is_repeated_with_growing_pauses_until_it_succeeds(fake: FakePawcast) -> None:
    slept: list[float] = []
    fake.fail_next = [503, 500, 429]

    with a_client(fake, "mina", slept) as client:
        page = client.my_posts()

    assert page.items == ()
    assert slept == [0.4, 0.8, 1.6]


def test_reading_that_keeps_failing_ends_as_service_failed(fake: FakePawcast) -> None:
    fake.fail_next = [503] * 4

    with a_client(fake, "mina") as client, pytest.raises(ServiceFailed, match="GET /posts answered 503"):
        client.my_posts()


def test_a_post_is_never_submitted_twice(mina: PawcastClient, fake: FakePawcast) -> None:
    fake.fail_next = [502]

    with pytest.raises(ServiceFailed):
        mina.submit(CAT)

    assert fake.requests.count(("POST", "/posts")) == 1


def test_an_upload_survives_a_failing_storage(mina: PawcastClient, fake: FakePawcast) -> None:
    ticket = mina.submit(CAT)
    fake.fail_next = [503]

    mina.upload(ticket, b"cat")

    assert mina.post(ticket.post.post_id).state == "published"


def test_an_answer_outside_the_contract_is_a_failure_of_the_service(mina: PawcastClient, fake: FakePawcast) -> None:
    post_id = mina.submit(CAT).post.post_id
    fake.posts[post_id]["state"] = "lost in space"

    with pytest.raises(ServiceFailed, match="state"):
        mina.post(post_id)


def test_nobody_at_the_address_is_unreachable() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        with (
            PawcastClient(url, "token-mina", sleep=lambda _: None) as client,
            pytest.raises(Unreachable) as error,
        ):
            client.submit(CAT)

    assert error.value.unsent


def test_names_below_localhost_reach_this_machine_and_keep_their_host_header(fake: FakePawcast) -> None:
    port = fake.url.rpartition(":")[2]

    with PawcastClient(f"http://abc123.execute-api.localhost:{port}", "token-mina") as client:
        client.my_posts()

    assert fake.hosts == {f"abc123.execute-api.localhost:{port}"}


def test_every_error_of_the_client_is_a_client_error() -> None:
    kinds = [SignInFailed, Unreachable, ServiceFailed, UploadRefused, Refused, TokenRefused, Missing]

    assert all(issubclass(kind, ClientError) for kind in kinds)
