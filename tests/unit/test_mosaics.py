"""One message makes one mosaic, or gives the post back; whatever comes twice, late or in between changes nothing."""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from pawcast import errors
from pawcast.mlops.release import Release
from pawcast.screening import counts
from pawcast.screening.detector import FaceBox
from pawcast.screening.intake import IntakeLimits
from pawcast.screening.mosaic import Detector, Pixels
from pawcast.screening.mosaics import MosaicMaker, MosaicReport, request_of
from pawcast.screening.post import Mosaic, Post, PostState, Upload, move, outbox_of
from pawcast.screening.rendition import render
from tests.support.pictures import encoded, scene
from tests.support.screening import (
    NOW,
    FakeCounts,
    FakeEvents,
    FakeInferences,
    FakePhotos,
    FakePosts,
    a_policy,
    a_post,
    an_upload,
    post_id,
)

FINDER = {"model": {"name": "face-detector", "version": "1"}, "min_score": 0.3}
FACE = FaceBox(100, 80, 140, 120, 0.9)
PHOTO = encoded(scene())


class OnceFound:
    """Finds a face in what was never covered: one answer for each look."""

    def __init__(self, *looks: list[FaceBox]) -> None:
        self.looks = list(looks)

    def detect(self, rgb: Pixels) -> list[FaceBox]:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


@dataclass
class Photos(FakePhotos):
    """Also keeps copies, by key."""

    copies: dict[str, bytes] = field(default_factory=dict)

    def put_copy(self, post_id: str, key: str, content: bytes, at: datetime) -> Upload:
        self.copies[key] = content
        version = f"copy-{len(self.copies)}"
        return Upload(post_id=post_id, key=key, version_id=version, size_bytes=len(content), uploaded_at=at)


def waiting(**changes: Any) -> Post:
    """A post that was rejected for a face and whose owner asked for a mosaic."""
    asked: dict[str, Any] = {"state": "mosaic", "revision": 4, "reason": "human_face", "upload": an_upload()}
    return a_post(**asked | {"since": NOW - timedelta(minutes=1)} | changes)


@dataclass
class World:
    """Everything around one maker."""

    posts: FakePosts = field(default_factory=lambda: FakePosts(waiting()))
    photos: Photos = field(default_factory=lambda: Photos({f"{post_id(1)}:v1": PHOTO}))
    events: FakeEvents = field(default_factory=FakeEvents)
    inferences: FakeInferences = field(default_factory=FakeInferences)
    counts: FakeCounts = field(default_factory=FakeCounts)
    detector: Detector | None = field(default_factory=lambda: OnceFound([FACE], []))
    policy: Any = field(default_factory=lambda: a_policy(faces=FINDER))

    def make(self) -> MosaicReport:
        maker = MosaicMaker(
            posts=self.posts,
            photos=self.photos,
            events=self.events,
            inferences=self.inferences,
            counts=self.counts,
            release=lambda: Release(self.policy, self.detector),
            now=lambda: NOW,
        )
        return maker.make(post_id(1))

    @property
    def post(self) -> Post:
        return self.posts.posts[post_id(1)]

    @property
    def told(self) -> list[tuple[str, str | None]]:
        return [(event.event, event.reason) for event in self.events.published]


def test_the_owner_gets_a_copy_with_a_preview_to_look_at() -> None:
    world = World()

    report = world.make()

    key = f"mosaics/{post_id(1)}/5"
    mosaic = world.post.mosaic
    assert MosaicReport("made", faces=1) == report
    assert (PostState.MOSAIC, 5, None) == (world.post.state, world.post.revision, world.post.unfinished)
    assert [("MosaicReady", "human_face")] == world.told
    assert mosaic is not None
    assert (key, f"{key}.jpg", 1, NOW) == (mosaic.upload.key, mosaic.preview_key, mosaic.faces, mosaic.made_at)
    assert an_upload() == world.post.upload
    assert {counts.MOSAICS: 1} == world.counts.sums
    assert {f"{key}.jpg": render(world.photos.copies[key], limits=IntakeLimits())} == world.photos.renditions


def test_a_message_that_comes_again_changes_nothing() -> None:
    world = World()
    world.make()
    after = world.post

    report = world.make()

    assert (MosaicReport("nothing_to_do"), after) == (report, world.post)
    assert [("MosaicReady", "human_face")] == world.told
    assert 1 == len(world.photos.copies)


def test_without_a_face_the_post_goes_back_with_its_own_reason() -> None:
    world = World(detector=OnceFound([]))

    report = world.make()

    assert MosaicReport("mosaic_no_face") == report
    assert (PostState.REJECTED, "human_face", None) == (world.post.state, world.post.reason, world.post.mosaic)
    assert [("MosaicFailed", "mosaic_no_face")] == world.told
    assert ({}, {}, {}) == (world.photos.copies, world.photos.renditions, dict(world.counts.sums))


@pytest.mark.parametrize(
    ("content", "detector"),
    [
        (PHOTO, OnceFound([FACE])),
        (errors.NotFound("erased by retention"), OnceFound([FACE], [])),
        (b"\xff\xd8\xff and then nothing", OnceFound([FACE], [])),
    ],
    ids=["a face shows through", "the original is gone", "the original is damaged"],
)
def test_what_can_never_be_covered_goes_back_too(content: bytes | Exception, detector: Detector) -> None:
    world = World(photos=Photos({f"{post_id(1)}:v1": content}), detector=detector)

    report = world.make()

    assert (MosaicReport("mosaic_failed"), PostState.REJECTED) == (report, world.post.state)
    assert [("MosaicFailed", "mosaic_failed")] == world.told


@pytest.mark.parametrize("state", sorted(set(PostState) - {PostState.MOSAIC}))
def test_a_post_that_does_not_wait_for_a_mosaic_is_left_alone(state: PostState) -> None:
    world = World(posts=FakePosts(waiting(state=state)))
    before = world.post

    report = world.make()

    assert (MosaicReport("nothing_to_do"), before, []) == (report, world.post, world.told)
    assert {} == world.photos.copies


def test_a_request_of_an_earlier_time_does_not_touch_a_mosaic_that_is_there() -> None:
    upload = an_upload(version="copy", key=f"mosaics/{post_id(1)}/3")
    mosaic = Mosaic(upload=upload, preview_key="mosaics/x.jpg", faces=2, made_at=NOW)
    world = World(posts=FakePosts(waiting(mosaic=mosaic)))

    assert (MosaicReport("nothing_to_do"), mosaic) == (world.make(), world.post.mosaic)


def test_an_unknown_post_is_no_reason_to_come_again() -> None:
    assert MosaicReport("unknown") == World(posts=FakePosts()).make()


def test_a_post_that_was_withdrawn_meanwhile_stays_withdrawn_and_is_erased_once_more() -> None:
    world = World()

    def withdrawn() -> None:
        world.posts.before_save = lambda: None
        gone = move(world.post, PostState.WITHDRAWN, erased=True, upload=None)
        world.posts.posts[post_id(1)] = gone

    world.posts.before_save = withdrawn
    with pytest.raises(errors.DependencyUnavailable):
        world.make()
    again = world.make()

    assert (MosaicReport("nothing_to_do"), PostState.WITHDRAWN) == (again, world.post.state)
    assert ("erasing", NOW, []) == (world.post.unfinished, world.post.since, world.told)


def test_of_two_workers_with_the_same_message_one_makes_the_mosaic() -> None:
    world = World(detector=OnceFound([FACE], [], [FACE], []))

    def other_worker() -> None:
        world.posts.before_save = lambda: None
        world.make()

    world.posts.before_save = other_worker
    with pytest.raises(errors.DependencyUnavailable):
        world.make()
    world.make()

    assert ([("MosaicReady", "human_face")], 1) == (world.told, world.counts.sums[counts.MOSAICS])
    assert world.post.mosaic is not None
    assert world.post.mosaic.upload.key in world.photos.copies


@pytest.mark.parametrize("broken", [True, False], ids=["the topic is down", "the topic refuses it"])
def test_what_could_not_be_told_is_told_by_the_message_that_comes_again(*, broken: bool) -> None:
    world = World(events=FakeEvents(broken=broken, refused=set() if broken else {post_id(1)}))
    with pytest.raises(errors.DependencyUnavailable):
        world.make()
    untold = world.post
    world.events.broken, world.events.refused = False, set()

    report = world.make()

    assert (MosaicReport("nothing_to_do"), [("MosaicReady", "human_face")]) == (report, world.told)
    assert untold.outbox is not None
    assert [untold.outbox.event] == world.events.published
    assert (untold.mosaic, None) == (world.post.mosaic, world.post.outbox)


def test_the_rejection_is_told_before_what_became_of_the_mosaic() -> None:
    rejected = waiting(state="rejected", revision=3)
    asked = move(rejected.model_copy(update={"outbox": outbox_of(rejected, NOW)}), PostState.MOSAIC)
    world = World(posts=FakePosts(asked))

    world.make()

    assert [("PostRejected", "human_face"), ("MosaicReady", "human_face")] == world.told


def test_without_a_face_finder_the_post_waits_for_a_release_that_names_one() -> None:
    world = World(policy=a_policy(), detector=None)
    before = world.post

    with pytest.raises(errors.ReleaseUnavailable, match="names no face finder"):
        world.make()

    assert before == world.post


@pytest.mark.parametrize("broken", ["reading", "writing"])
def test_when_the_bucket_fails_the_post_waits_on(broken: str) -> None:
    down = errors.DependencyUnavailable("s3 is down")
    content: dict[str, bytes | Exception] = {f"{post_id(1)}:v1": down if broken == "reading" else PHOTO}
    world = World(photos=Photos(content, failing_renditions=broken == "writing"))
    before = world.post

    with pytest.raises(errors.DependencyUnavailable):
        world.make()

    assert (before, []) == (world.post, world.told)


def test_a_mosaic_that_is_not_counted_is_there_all_the_same() -> None:
    world = World(counts=FakeCounts(broken=True))

    report = world.make()

    assert ("made", True) == (report.outcome, isinstance(report.uncounted, errors.DependencyUnavailable))
    assert [("MosaicReady", "human_face")] == world.told


def test_a_request_names_its_post() -> None:
    assert post_id(7) == request_of(json.dumps({"post_id": post_id(7)})).post_id


@pytest.mark.parametrize("body", ["", "no json", "[]", "{}", '{"post_id": 7}', '{"post_id": "../x"}'])
def test_other_messages_are_refused(body: str) -> None:
    with pytest.raises(errors.InvalidRequest, match="no request for a mosaic"):
        request_of(body)
