"""The real template, deployed: photos go in through the API, and their owners hear what became of them."""

import io
import time
from collections.abc import Callable

import pytest
from PIL import Image

from pawcast_ops.api_types import NewPost, Notice
from pawcast_ops.client import Missing, PawcastClient, TokenRefused
from pawcast_ops.demo.files import phone_jpeg, truncated
from pawcast_ops.demo.sources import picture
from pawcast_ops.stack import LocalStack
from tests.support.stack import ROOT, RunningStack, quiet_steps

pytestmark = pytest.mark.e2e

PATIENCE_SECONDS = 120.0


def test_an_animal_is_published_a_face_waits_for_an_operator_and_a_broken_file_is_rejected(
    stack: RunningStack,
) -> None:
    photos = {
        "cat": phone_jpeg(picture("cat")),
        "astronaut": jpeg(picture("astronaut")),
        "truncated": truncated(jpeg(picture("cat"))),
    }
    with stack.signed_in("mina") as mina, stack.signed_in("jun") as jun:
        ids = {title: upload(mina, title, photo) for title, photo in photos.items()}
        notices = {title: notice_about(mina, post_id) for title, post_id in ids.items()}
        posts = {title: mina.post(post_id) for title, post_id in ids.items()}
        feed = jun.feed(tag="cat").items
        seen_by_jun = jun.photo(jun.post(ids["cat"]))
        with pytest.raises(Missing):
            jun.post(ids["astronaut"])

    assert {
        "cat": ("published", None),
        "astronaut": ("in_review", "human_face_suspected"),
        "truncated": ("rejected", "truncated_image"),
    } == {title: (post.state, post.reason.code if post.reason else None) for title, post in posts.items()}
    assert [ids["cat"]] == [post.post_id for post in feed]
    assert {} == dict(Image.open(io.BytesIO(seen_by_jun)).getexif())
    assert [] == [title for title, notice in notices.items() if not (notice.body.ko.strip() and notice.body.en.strip())]
    assert 3 == len(mails_to(stack, "mina@example.com", expected=3))


def test_without_a_valid_token_the_gateway_refuses(stack: RunningStack) -> None:
    with PawcastClient(stack.stack.output("ApiUrl"), "not.a.token") as nobody, pytest.raises(TokenRefused):
        nobody.my_posts()


def test_coming_up_again_changes_nothing_and_takes_a_moment(stack: RunningStack) -> None:
    started = time.monotonic()
    again = LocalStack(ROOT, stack.state).up(quiet_steps())

    assert stack.emulator == again
    assert time.monotonic() - started < 15


def upload(person: PawcastClient, title: str, photo: bytes) -> str:
    ticket = person.submit(NewPost(title=title, content_type="image/jpeg", size_bytes=len(photo), tags=("cat",)))
    person.upload(ticket, photo)
    return ticket.post.post_id


def notice_about(person: PawcastClient, post_id: str) -> Notice:
    def found() -> Notice | None:
        return next((notice for notice in person.inbox().items if notice.post_id == post_id), None)

    return wait_for(found)


def wait_for[T](look: Callable[[], T | None]) -> T:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if (found := look()) is not None:
            return found
        time.sleep(0.2)
    pytest.fail(f"nothing came within {PATIENCE_SECONDS:.0f} s")


def mails_to(stack: RunningStack, address: str, *, expected: int) -> list[str]:
    def found() -> list[str] | None:
        subjects = [mail.subject for mail in stack.mails() if address in mail.to]
        return subjects if len(subjects) >= expected else None  # a notice reaches the inbox first

    return wait_for(found)


def jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=90)
    return file.getvalue()
