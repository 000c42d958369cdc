"""The story told against a fake stack: everybody is told, whoever is not is named."""

import io
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from PIL import Image

from pawcast_ops.client import PawcastClient
from pawcast_ops.demo.mails import Mail, caught_mails, mails_since
from pawcast_ops.demo.story import Outcome, Pace, Person, Snapshot, Story, leaks, published_photo, unanswered
from pawcast_ops.demo.upload import GIF, DemoUpload, an_upload
from tests.support.fake_pawcast import FakePawcast, Fate, serving

NAMES = ("Mina", "Jun", "Sora")


def a_jpeg(exif: Image.Exif | None = None) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(out, "JPEG", exif=b"" if exif is None else exif)
    return out.getvalue()


def a_photo(title: str, data: bytes = b"photo", content_type: str = "image/jpeg") -> DemoUpload:
    return an_upload("Animals", f"{title}.jpg", data, title=title, note="n", expect="e", content_type=content_type)


@pytest.fixture
def fake() -> Iterator[FakePawcast]:
    with serving(FakePawcast(rendition=a_jpeg())) as running:
        yield running


def told(
    fake: FakePawcast,
    uploads: list[DemoUpload],
    *,
    patience: float = 5.0,
    seen: list[Snapshot] | None = None,
) -> list[Outcome]:
    """Run a story with real threads and HTTP, and a clock that only sleeping moves."""
    time = [0.0]
    # Real pauses, short ones, so sending threads get on while the story's clock jumps.
    pause = threading.Event()

    def sleep(seconds: float) -> None:
        time[0] += seconds
        pause.wait(0.005)

    snapshots: list[Snapshot] = [] if seen is None else seen
    with ExitStack() as open_things:
        people = [
            Person(name, open_things.enter_context(PawcastClient(fake.url, f"token-{name}", sleep=lambda _: None)))
            for name in NAMES
        ]
        return Story(
            people=people,
            uploads=uploads,
            pace=Pace(uploads_at_once=4, poll_seconds=0.5, patience_seconds=patience),
            now=lambda: datetime.now(UTC),
            monotonic=lambda: time[0],
            sleep=sleep,
            on_change=snapshots.append,
        ).tell()


def test_published_held_and_rejected_photos_come_back_with_decision_and_reason(fake: FakePawcast) -> None:
    fates = {
        "cat": Fate("published", probability=0.02),
        "portrait": Fate("in_review", "human_face_suspected", 0.97),
        "letter": Fate("rejected", "not_an_image"),
    }
    fake.fate = lambda title, _data: fates[title]

    cat, portrait, letter = told(fake, [a_photo("cat"), a_photo("portrait"), a_photo("letter")])

    assert [cat.verdict, portrait.verdict, letter.verdict] == ["published", "held", "rejected"]
    assert [cat.person, portrait.person, letter.person] == ["Mina", "Jun", "Sora"]
    assert portrait.reason is not None
    assert portrait.reason.code == "human_face_suspected"
    assert portrait.post is not None
    assert portrait.post.decision is not None
    assert (portrait.post.decision.probability, portrait.post.decision.model_version) == (0.97, "1.0.0")
    assert letter.post is not None
    assert letter.post.decision is None
    assert all(outcome.seconds is not None for outcome in (cat, portrait, letter))


def test_a_refusal_of_the_api_or_the_storage_is_the_answer(fake: FakePawcast) -> None:
    lied = an_upload("Animals", "lie.jpg", b"", title="lie", note="n", expect="e", declared_size=1)

    gif, lie = told(fake, [a_photo("dance", content_type=GIF), lied])

    assert (gif.verdict, gif.reason and gif.reason.code) == ("refused", "content_type_invalid")
    assert (lie.verdict, lie.reason and lie.reason.code) == ("refused", "EntityTooSmall")
    assert unanswered([gif, lie]) == []


def test_a_photo_that_nobody_decides_is_named_after_patience_ends(fake: FakePawcast) -> None:
    fake.fate = lambda title, _data: Fate(None if title == "lost" else "published")

    cat, lost = told(fake, [a_photo("cat"), a_photo("lost")], patience=3.0)

    assert (cat.verdict, lost.verdict) == ("published", "undecided")
    assert lost.problem in {f"no notice after 3 s (post post-00{number})" for number in range(2)}
    assert unanswered([cat, lost]) == [lost]


def test_a_notice_without_a_decision_does_not_count(fake: FakePawcast) -> None:
    fake.fate = lambda _title, _data: Fate("screening")

    (photo,) = told(fake, [a_photo("cat")], patience=2.0)

    assert photo.verdict == "undecided"
    assert photo.problem is not None
    assert photo.problem.startswith("a notice but no decision after 2 s")


def test_a_service_that_fails_while_a_post_is_made_leaves_it_undecided_with_the_cause(fake: FakePawcast) -> None:
    fake.fail_next = [500]

    (photo,) = told(fake, [a_photo("cat")])

    assert photo.verdict == "undecided"
    assert photo.problem == "POST /posts answered 500 (request unknown)"


def test_a_failing_inbox_is_read_again_and_the_story_ends_well(fake: FakePawcast) -> None:
    def fate(_title: str, _data: bytes) -> Fate:
        fake.fail_next = [503] * 5
        return Fate("published")

    fake.fate = fate

    (photo,) = told(fake, [a_photo("cat")])

    assert photo.verdict == "published"


def test_many_uploads_are_all_told_over_small_pages(fake: FakePawcast) -> None:
    fake.page_size = 3
    uploads = [a_photo(f"cat {number}") for number in range(30)]
    seen: list[Snapshot] = []

    outcomes = told(fake, uploads, seen=seen)

    assert [outcome.verdict for outcome in outcomes] == ["published"] * 30
    assert [outcome.upload.name for outcome in outcomes] == [upload.name for upload in uploads]
    assert (seen[-1].done, seen[-1].by_person) == (30, {"Mina": (10, 10), "Jun": (10, 10), "Sora": (10, 10)})
    assert all(sum(snapshot.stages.values()) == 30 for snapshot in seen)


def test_a_published_photo_that_still_tells_its_place_is_a_leak(fake: FakePawcast) -> None:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (37.0, 33.0, 4.2)})
    fake.rendition = a_jpeg(exif)

    (photo,) = told(fake, [a_photo("cat")])

    assert photo.photo is not None
    assert photo.photo.metadata == ("exif",)
    assert leaks([photo]) == [photo]


def test_a_published_photo_that_cannot_be_seen_is_not_done(fake: FakePawcast) -> None:
    fake.rendition = b"no photo"

    (photo,) = told(fake, [a_photo("cat")])

    assert photo.verdict == "undecided"
    assert photo.problem is not None
    assert photo.problem.startswith("published, but its photo can't be seen")


def test_a_clean_photo_shows_its_size_and_no_metadata() -> None:
    data = a_jpeg()

    photo = published_photo(data)

    assert (photo.width, photo.height, photo.size_bytes, photo.metadata) == (60, 40, len(data), ())


def test_caught_mails_are_read_oldest_first(fake: FakePawcast) -> None:
    told(fake, [a_photo("cat"), a_photo("dog")])

    mails = caught_mails(fake.url)

    assert [mail.message_id for mail in mails] == ["m-0", "m-1"]
    assert {(mail.to, mail.subject) for mail in mails} == {("Mina@example.com", "cat"), ("Jun@example.com", "dog")}


def test_no_mail_list_means_no_mails() -> None:
    assert caught_mails("http://127.0.0.1:9") == []


def test_waiting_for_mails_ignores_old_ones_and_ends_when_all_are_there() -> None:
    old, first, second = (Mail(name, "a@example.com", name, "") for name in ("old", "first", "second"))
    answers = iter([[old], [old, first], [old, first, second]])
    slept: list[float] = []

    mails = mails_since({"old"}, lambda: next(answers), expected=2, monotonic=lambda: sum(slept), sleep=slept.append)

    assert [mail.message_id for mail in mails] == ["first", "second"]
    assert len(slept) == 2


def test_waiting_for_mails_gives_up_after_its_patience() -> None:
    slept: list[float] = []

    mails = mails_since(
        set(), lambda: [], expected=1, monotonic=lambda: sum(slept), sleep=slept.append, patience_seconds=1.0
    )

    assert (mails, sum(slept)) == ([], 1.0)
