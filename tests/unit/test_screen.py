"""A batch of uploads is decided: once, by the release in force, and whatever goes wrong goes wrong for one photo."""

import io
import threading
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pawcast.errors import DependencyUnavailable, NotFound, ReleaseUnavailable
from pawcast.mlops.release import Release
from pawcast.screening.examine import Models
from pawcast.screening.post import PostState, Upload
from pawcast.screening.screen import READ_AHEAD, RESERVE_SECONDS, BatchReport
from pawcast.screening.uploads import Message
from tests.support.screening import (
    NOW,
    FakePhotos,
    FixedDetector,
    World,
    a_message,
    a_post,
    a_world,
    an_upload,
    plenty,
    post_id,
    serial_policy,
)


def picture(brightness: int, side: int = 64) -> bytes:
    """A JPEG that the fake classifier finds a face in when it is bright."""
    pixels = np.random.default_rng(brightness).integers(-9, 10, (side, side, 3)) + brightness
    file = io.BytesIO()
    Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(file, "JPEG", quality=95)
    return file.getvalue()


def no_release() -> Release[Models]:
    raise ReleaseUnavailable("nothing is released yet")


class CountingPhotos(FakePhotos):
    """Counts the photos that were read and not yet stored as renditions."""

    def __init__(self, content: dict[str, bytes | Exception]) -> None:
        super().__init__(content)
        self.held = self.most_held = 0
        self.lock = threading.Lock()

    def read(self, upload: Upload) -> bytes:
        with self.lock:
            self.held += 1
            self.most_held = max(self.most_held, self.held)
        return super().read(upload)

    def put_rendition(self, key: str, content: bytes) -> None:
        with self.lock:
            self.held -= 1


DARK, BRIGHT, MIDDLE = picture(20), picture(230), picture(128)


def test_a_dark_photo_is_published_with_its_rendition() -> None:
    world = a_world({1: DARK})

    world.screener().screen([a_message(1)], plenty)

    post = world.posts.posts[post_id(1)]
    assert (PostState.PUBLISHED, None, NOW) == (post.state, post.reason, post.published_at)
    assert [post.rendition_key] == list(world.photos.renditions)


def test_a_bright_photo_waits_for_an_operator_within_the_hour_with_a_rendition_for_them() -> None:
    world = a_world({1: BRIGHT})

    world.screener().screen([a_message(1)], plenty)

    post, (review,) = world.posts.posts[post_id(1)], world.posts.reviews.values()
    assert (PostState.IN_REVIEW, "human_face_suspected", None) == (post.state, post.reason, post.published_at)
    assert (an_upload().uploaded_at + timedelta(hours=1), post.decision) == (review.due_at, review.decision)
    assert (review.review_id, [post.rendition_key]) == (post.review_id, list(world.photos.renditions))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_file"),
        (b"hello, I am a text", "not_an_image"),
        (DARK[: len(DARK) // 2], "truncated_image"),
    ],
)
def test_what_is_no_photo_is_rejected_with_its_reason(content: bytes, reason: str) -> None:
    world = a_world({1: content})

    report = world.screener().screen([a_message(1)], plenty)

    post = world.posts.posts[post_id(1)]
    assert (PostState.REJECTED, reason, frozenset()) == (post.state, post.reason, report.failed)


def test_a_photo_that_was_deleted_before_it_was_read_is_rejected_as_missing() -> None:
    world = a_world({1: NotFound("gone")})

    world.screener().screen([a_message(1)], plenty)

    assert "photo_missing" == world.posts.posts[post_id(1)].reason


def test_every_decision_is_told_and_logged_once() -> None:
    world = a_world({1: DARK, 2: BRIGHT, 3: b""})

    world.screener().screen([a_message(n) for n in (1, 2, 3)], plenty)

    assert {"PostPublished", "PostHeld", "PostRejected"} == {event.event for event in world.events.published}
    assert {post_id(1), post_id(2)} == {record.post_id for record in world.inferences.records}
    assert all(post.outbox is None for post in world.posts.posts.values())


def test_ten_photos_take_one_round_trip_for_each_stage() -> None:
    world = a_world(dict.fromkeys(range(10), DARK))

    world.screener().screen([a_message(n) for n in range(10)], plenty)

    assert ["get", "save", "save", "clear"] == world.posts.round_trips


def test_a_photo_that_can_not_be_read_now_comes_back_alone() -> None:
    world = a_world({1: DependencyUnavailable("s3:GetObject"), 2: DARK})

    report = world.screener().screen([a_message(1), a_message(2)], plenty)

    assert ({"m1"}, PostState.PUBLISHED) == (set(report.failed), world.posts.posts[post_id(2)].state)
    assert PostState.SCREENING is world.posts.posts[post_id(1)].state


def test_a_model_that_breaks_on_one_photo_does_not_take_the_batch_along() -> None:
    world = a_world({1: MIDDLE, 2: DARK}, policy=serial_policy())  # a band, but no detector was loaded

    report = world.screener().screen([a_message(1), a_message(2)], plenty)

    assert ({"m1"}, [post_id(2)]) == (set(report.failed), [post.post_id for post in report.decided])


def test_a_rendition_that_can_not_be_stored_keeps_its_photo_undecided() -> None:
    world = a_world({1: DARK, 2: b"no photo"})
    world.photos.failing_renditions = True

    report = world.screener().screen([a_message(1), a_message(2)], plenty)

    assert ({"m1"}, PostState.SCREENING) == (set(report.failed), world.posts.posts[post_id(1)].state)


def test_when_time_runs_out_the_rest_comes_back_and_what_is_decided_is_saved() -> None:
    world = a_world({1: DARK, 2: DARK, 3: DARK})
    times = iter([900.0, RESERVE_SECONDS - 1, RESERVE_SECONDS - 1])

    report = world.screener().screen([a_message(n) for n in (1, 2, 3)], lambda: next(times))

    assert ({"m2", "m3"}, 1) == (set(report.failed), len(world.events.published))


def test_a_message_that_announces_nothing_needs_no_release() -> None:
    screener = replace(a_world({}).screener(), release=no_release)

    assert BatchReport() == screener.screen([Message("m1", ())], plenty)


def test_without_a_release_every_message_comes_back() -> None:
    screener = replace(a_world({1: DARK}).screener(), release=no_release)

    with pytest.raises(ReleaseUnavailable):
        screener.screen([a_message(1)], plenty)


def test_an_unknown_post_is_reported_and_not_asked_for_again() -> None:
    world = a_world({})

    report = world.screener().screen([a_message(9)], plenty)

    assert ((post_id(9),), frozenset()) == (report.unknown, report.failed)


def test_a_message_for_a_withdrawn_post_changes_nothing() -> None:
    world = World(type(a_world({}).posts)(a_post(1, state=PostState.WITHDRAWN)))

    report = world.screener().screen([a_message(1)], plenty)

    assert (1, [], PostState.WITHDRAWN) == (
        report.duplicates,
        world.events.published,
        world.posts.posts[post_id(1)].state,
    )


def test_a_photo_that_came_after_its_post_expired_is_screened_all_the_same() -> None:
    world = a_world({1: DARK})
    world.posts.posts[post_id(1)] = a_post(1, state=PostState.EXPIRED, revision=1)

    world.screener().screen([a_message(1)], plenty)

    assert PostState.PUBLISHED is world.posts.posts[post_id(1)].state


def test_a_second_upload_over_the_first_is_never_shown() -> None:
    world = a_world({1: DARK})
    world.photos.content[f"{post_id(1)}:v2"] = BRIGHT
    screener = world.screener()

    screener.screen([a_message(1, "v2", "late", uploaded_at=NOW), a_message(1, "v1", "early")], plenty)
    screener.screen([a_message(1, "v2", "late")], plenty)

    post = world.posts.posts[post_id(1)]
    assert (PostState.PUBLISHED, "v1") == (post.state, post.upload.version_id if post.upload else None)
    assert 1 == len(world.events.published)


def test_a_crash_after_the_decision_is_told_when_the_message_comes_back() -> None:
    world = a_world({1: DARK})
    world.events.broken = True
    with pytest.raises(DependencyUnavailable):
        world.screener().screen([a_message(1)], plenty)
    world.events.broken = False

    report = world.screener().screen([a_message(1)], plenty)

    assert (["PostPublished"], frozenset()) == (
        [event.event for event in world.events.published],
        report.failed,
    )
    assert [PostState.SCREENING, PostState.PUBLISHED] == world.posts.history[post_id(1)]


def test_an_event_that_the_topic_refused_is_told_next_time() -> None:
    world = a_world({1: DARK, 2: DARK})
    world.events.refused = {post_id(1)}
    first = world.screener().screen([a_message(1), a_message(2)], plenty)
    world.events.refused = set()

    world.screener().screen([a_message(1)], plenty)

    assert ({"m1"}, [post_id(2), post_id(1)]) == (
        set(first.failed),
        [event.post_id for event in world.events.published],
    )


def test_another_worker_that_was_faster_wins_and_nothing_is_told_twice() -> None:
    world = a_world({1: DARK})
    slow = world.screener()
    fast = world.screener()

    def let_the_fast_one_finish() -> None:
        world.posts.before_save = lambda: None
        fast.screen([a_message(1)], plenty)

    world.posts.before_save = let_the_fast_one_finish
    report = slow.screen([a_message(1)], plenty)

    assert ({"m1"}, 1) == (set(report.failed), len(world.events.published))


def test_inside_the_band_the_detector_clears_a_photo_and_is_logged_as_second() -> None:
    world = a_world({1: MIDDLE}, policy=serial_policy(0.3, 0.7), detector=FixedDetector(0.1))

    world.screener().screen([a_message(1)], plenty)

    assert PostState.PUBLISHED is world.posts.posts[post_id(1)].state
    assert ["primary", "second"] == [record.role for record in world.inferences.records]


def test_the_record_of_an_inference_holds_its_evidence() -> None:
    world = a_world({1: BRIGHT})

    world.screener().screen([a_message(1)], plenty)

    (record,) = world.inferences.records
    decision = world.posts.posts[post_id(1)].decision
    assert decision is not None
    assert (decision.probability, "flag", "1", 64) == (
        record.score,
        record.outcome,
        record.model_version,
        record.image.width,
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 4), st.sampled_from(["v1", "v2"]), st.integers(0, 50)), max_size=14),
    st.data(),
)
def test_however_messages_repeat_mix_and_split_each_post_is_decided_and_told_once(
    arrivals: list[tuple[int, str, int]], data: st.DataObject
) -> None:
    world = a_world({1: DARK, 2: BRIGHT, 3: b"", 4: DARK})
    for number in range(1, 5):
        world.photos.content[f"{post_id(number)}:v2"] = BRIGHT
    messages = [
        a_message(number, version, f"m{index}", uploaded_at=NOW - timedelta(seconds=age))
        for index, (number, version, age) in enumerate(arrivals)
    ]
    screener = world.screener()
    while messages:
        size = data.draw(st.integers(1, len(messages)))
        screener.screen(messages[:size], plenty)
        messages = messages[size:]

    announced = {number for number, _, _ in arrivals}
    decided = {n for n in announced if world.posts.posts[post_id(n)].unfinished is None}
    told = [event.post_id for event in world.events.published]
    assert announced == decided
    assert sorted(post_id(number) for number in announced) == sorted(told)


def test_bytes_of_few_photos_are_held_at_once() -> None:
    world = a_world(dict.fromkeys(range(10), DARK))
    photos = CountingPhotos(world.photos.content)

    replace(world.screener(), photos=photos).screen([a_message(n) for n in range(10)], plenty)

    assert photos.most_held <= READ_AHEAD + 2
