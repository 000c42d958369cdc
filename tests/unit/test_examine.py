"""What operators judged decides on copies, what they let pass is shown, and what they will look at gets its boxes."""

import io
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pawcast.screening import counts
from pawcast.screening.banks import Bank, BankEntry, entry_id_of
from pawcast.screening.hashing import pdq
from pawcast.screening.post import Mosaic, Post, PostState
from pawcast.screening.review import Label
from pawcast.screening.uploads import Message
from tests.support.screening import (
    NOW,
    FakeBanks,
    FixedDetector,
    World,
    a_message,
    a_policy,
    a_post,
    a_world,
    an_upload,
    plenty,
    post_id,
)

FINDER = {"model": {"name": "face-detector", "version": "1"}, "min_score": 0.4}
VERSION = "face-classifier/1"


def pixels(brightness: int, seed: int = 1) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A picture with structure enough for a hash; the fake classifier finds a face in it when it is bright."""
    coarse = np.random.default_rng(seed).integers(-90, 91, (12, 16, 1)) + brightness
    image = Image.fromarray(np.clip(np.repeat(coarse, 3, 2), 0, 255).astype(np.uint8))
    return np.asarray(image.resize((320, 240), Image.Resampling.BICUBIC))


def jpeg(picture: np.ndarray[Any, np.dtype[np.uint8]]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=90)
    return file.getvalue()


BRIGHT, DARK = pixels(160), pixels(70)


def entry(bank: Bank, picture: np.ndarray[Any, np.dtype[np.uint8]], number: int = 9) -> BankEntry:
    fingerprint = pdq(picture)
    review_id = f"{post_id(number)}-2"
    label: Label = "human_face" if bank == "banned" else "fine"
    return BankEntry(
        entry_id_of(NOW, review_id), bank, label, fingerprint.hex, fingerprint.quality, post_id(number), review_id, NOW
    )


def screened(world: World, message: Message | None = None) -> Post:
    report = world.screener().screen([message or a_message(1)], plenty)
    assert () == report.errors
    return world.posts.posts[post_id(1)]


def test_a_copy_of_a_cleared_photo_is_published_without_asking_the_model() -> None:
    world = a_world({1: jpeg(BRIGHT)}, banks=FakeBanks([entry("cleared", BRIGHT)]))

    post = screened(world)

    assert (PostState.PUBLISHED, None, []) == (post.state, post.decision, world.inferences.records)
    assert post.bank_match is not None
    assert ("cleared", "fine") == (post.bank_match.bank, post.bank_match.label)
    assert [post.rendition_key] == list(world.photos.renditions)


def test_a_copy_of_a_banned_photo_is_rejected_without_asking_the_model() -> None:
    world = a_world({1: jpeg(DARK)}, banks=FakeBanks([entry("banned", DARK)]))

    post = screened(world)

    assert (PostState.REJECTED, "banned_repeat", None) == (post.state, post.reason, post.decision)
    assert ([], ["PostRejected"]) == (world.inferences.records, [event.event for event in world.events.published])


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_turned_or_mirrored_copy_is_still_a_copy(turns: int, mirrored: bool) -> None:
    turned = np.rot90(DARK[:, ::-1] if mirrored else DARK, turns)
    world = a_world({1: jpeg(np.ascontiguousarray(turned))}, banks=FakeBanks([entry("banned", DARK)]))

    assert "banned_repeat" == screened(world).reason


def test_repeats_are_counted_with_the_work_that_they_saved() -> None:
    world = a_world(
        {1: jpeg(BRIGHT), 2: jpeg(DARK)}, banks=FakeBanks([entry("cleared", BRIGHT), entry("banned", DARK)])
    )

    world.screener().screen([a_message(1), a_message(2)], plenty)

    sums = world.counts.sums
    assert (1, 1) == (sums[counts.PUBLISHED_REPEAT], sums[counts.REJECTED_REPEAT])
    assert (2, 2, 0) == (sums[counts.INFERENCES_AVOIDED], sums[counts.CHECKS_AVOIDED], sums[counts.INFERENCES])


def test_a_picture_without_structure_is_a_copy_of_nothing() -> None:
    flat = np.full((240, 320, 3), 60, np.uint8)
    world = a_world({1: jpeg(flat)}, banks=FakeBanks([entry("banned", flat)]))

    post = screened(world)

    assert (PostState.PUBLISHED, None) == (post.state, post.bank_match)


def with_mosaic(state: PostState) -> Post:
    """A post whose photo was rejected, and whose mosaic is sent to be screened."""
    mosaic = an_upload(version="mosaic", key=f"mosaics/{post_id(1)}/4", uploaded_at=NOW - timedelta(days=2))
    return a_post(
        state=state,
        revision=6,
        upload=mosaic,
        mosaic=Mosaic(upload=mosaic, preview_key="mosaics/x.jpg", faces=1, made_at=NOW),
        since=NOW - timedelta(minutes=3),
    )


def test_a_mosaic_is_judged_by_the_model_though_it_looks_like_the_photo_that_was_banned() -> None:
    world = a_world({1: b""}, banks=FakeBanks([entry("banned", DARK)]))
    world.posts.posts[post_id(1)] = with_mosaic(PostState.SCREENING)
    world.photos.content[f"{post_id(1)}:mosaic"] = jpeg(DARK)

    post = screened(world, Message("m1", (with_mosaic(PostState.SCREENING).upload,)))  # type: ignore[arg-type]

    assert (PostState.PUBLISHED, 1) == (post.state, len(world.inferences.records))
    assert (1, 0) == (world.counts.sums[counts.MOSAIC_CHECKED], world.counts.sums[counts.DECIDED_LATE])


def test_the_hour_of_a_second_screening_begins_when_its_owner_sent_it() -> None:
    world = a_world({1: b""})
    world.posts.posts[post_id(1)] = with_mosaic(PostState.SCREENING)
    world.photos.content[f"{post_id(1)}:mosaic"] = jpeg(BRIGHT)

    screened(world, Message("m1", (with_mosaic(PostState.SCREENING).upload,)))  # type: ignore[arg-type]

    assert [NOW + timedelta(minutes=57)] == [review.due_at for review in world.posts.reviews.values()]


def test_a_photo_that_an_operator_let_pass_is_rendered_and_published_without_any_model() -> None:
    cleared = a_post(state=PostState.SCREENING, revision=3, upload=an_upload(), cleared_by_review="r1")
    world = a_world({1: jpeg(BRIGHT)}, banks=FakeBanks([entry("banned", BRIGHT)]))
    world.posts.posts[post_id(1)] = cleared

    post = screened(world)

    assert (PostState.PUBLISHED, None) == (post.state, post.cleared_by_review)
    assert (["PostOverturned"], []) == ([event.event for event in world.events.published], world.inferences.records)
    assert 0 == world.counts.sums[counts.PUBLISHED]


def test_held_photos_get_the_boxes_that_are_good_enough_as_shares_of_the_photo() -> None:
    world = a_world({1: jpeg(BRIGHT)}, policy=a_policy(faces=FINDER), face_finder=FixedDetector(0.5))

    photo = screened(world).photo

    assert photo is not None
    assert photo.faces is not None
    assert [(1 / 320, 1 / 240, 9 / 320, 9 / 240, 0.5)] == [
        (face.x0, face.y0, face.x1, face.y1, face.score) for face in photo.faces
    ]


def test_a_box_below_the_policys_bar_is_not_drawn() -> None:
    world = a_world({1: jpeg(BRIGHT)}, policy=a_policy(faces=FINDER), face_finder=FixedDetector(0.3))

    photo = screened(world).photo

    assert photo is not None
    assert () == photo.faces


def test_nobody_looks_for_faces_in_a_photo_that_passes() -> None:
    finder = FixedDetector(0.9)
    world = a_world({1: jpeg(DARK)}, policy=a_policy(faces=FINDER), face_finder=finder)

    assert (PostState.PUBLISHED, 0) == (screened(world).state, finder.asked)


def test_a_passed_photo_of_the_sample_is_published_and_also_goes_to_an_operator() -> None:
    world = a_world({1: jpeg(DARK)}, policy=a_policy(audit_share=1.0, faces=FINDER), face_finder=FixedDetector(0.0))

    post, (review,) = screened(world), world.posts.reviews.values()

    assert (PostState.PUBLISHED, "audit", 1.0) == (post.state, review.reason, review.sampling_probability)
    assert (post.review_id, ["PostPublished"]) == (review.review_id, [event.event for event in world.events.published])
    assert (1, 1) == (
        world.counts.sums[counts.by_version(counts.AUDITED, *VERSION.split("/"))],
        world.counts.sums[counts.by_version(counts.PASSED, *VERSION.split("/"))],
    )


def test_held_photos_are_not_audited() -> None:
    world = a_world({1: jpeg(BRIGHT)}, policy=a_policy(audit_share=1.0))

    screened(world)

    assert ["flagged"] == [review.reason for review in world.posts.reviews.values()]


def test_counts_that_can_not_be_kept_cost_no_decision() -> None:
    world = a_world({1: jpeg(DARK)})
    world.counts.broken = True

    report = world.screener().screen([a_message(1)], plenty)

    assert (1, frozenset(), True) == (len(report.decided), report.failed, report.uncounted is not None)


def test_a_message_that_comes_again_counts_nothing_twice() -> None:
    world = a_world({1: jpeg(DARK)})

    for _ in range(3):
        world.screener().screen([a_message(1)], plenty)

    assert (1, 1) == (world.counts.sums[counts.UPLOADS], world.counts.sums[counts.PUBLISHED])
