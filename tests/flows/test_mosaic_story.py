"""From a rejected photo to its published mosaic, with the real detector and classifier, through the functions."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from pawcast.adapters.posts_table import PostsTable
from pawcast.screening.classifier import FaceClassifier
from pawcast.screening.detector import FaceDetector
from pawcast.screening.examine import Models
from pawcast.screening.expire import ERASE_AFTER
from pawcast.screening.intake import IntakeLimits
from pawcast.screening.mosaic import find_faces
from pawcast.screening.ports import Change
from pawcast.screening.post import Post, PostState, move
from pawcast.screening.rendition import picture
from pawcast.screening.uploads import notification
from pawcast_ops.demo import scenes
from pawcast_ops.publishing import SourceMissing, find_centerface
from pawcast_ops.training.graph import build_detector
from pawcast_ops.training.head import Head, build_classifier
from tests.support.flow import MINA, Stack
from tests.support.functions import FakeContext, load_function
from tests.support.pictures import encoded
from tests.support.screening import a_policy

HEAD = Path(__file__).parents[2] / "models" / "face-classifier" / "head.json"
FINDER = {"model": {"name": "face-detector", "version": "1"}, "min_score": 0.3}


@pytest.fixture(scope="module")
def models() -> Models:
    try:
        network = find_centerface(None).model
    except SourceMissing as error:
        pytest.skip(f"needs the real network: {error}")
    head = Head.model_validate_json(HEAD.read_text("utf-8"))
    classifier = FaceClassifier(build_classifier(network, head), input_side=head.input_side)
    return Models(classifier, face_finder=FaceDetector(build_detector(network), input_side=640))


class Story(Stack):
    """The functions, with the one that makes mosaics, and the real models."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, models: Models) -> None:
        super().__init__(monkeypatch)
        monkeypatch.setattr("pawcast.adapters.screener_assembly.load_models", lambda *_: models)
        monkeypatch.setattr("pawcast.adapters.mosaic_assembly.load_face_finder", lambda *_: models.face_finder)
        policy = a_policy(faces=FINDER).json_text()
        boto3.Session().client("ssm").put_parameter(Name="policy", Value=policy, Overwrite=True)
        self.functions["mosaic_photos"] = load_function("mosaic_photos", {}, monkeypatch)
        self.posts = PostsTable(
            self.dynamodb,
            posts=self.tables["PostsTable"],
            tags=self.tables["TagsTable"],
            reviews=self.tables["ReviewsTable"],
        )

    def post(self, post_id: str) -> Post:
        found = self.posts.get(post_id)
        assert found is not None
        return found

    def change(self, post_id: str, to: PostState, **changes: Any) -> Post:
        """What a person does to a post, without the notices."""
        after = move(self.post(post_id), to, **changes)
        assert not self.posts.save_many([Change(after)])
        return after

    def mosaic_of(self, photo: bytes) -> Post:
        """A post whose photo was held and rejected, and whose owner asked for a mosaic; as it is when that is done."""
        post_id, announced = self.submit(MINA, photo)
        assert [] == self.deliver("screen_photos", announced)
        self.change(post_id, PostState.REJECTED, reason="human_face")
        self.change(post_id, PostState.MOSAIC, since=datetime.now(UTC))
        assert [] == self.deliver("mosaic_photos", {"post_id": post_id})
        return self.post(post_id)

    def object(self, bucket: str, key: str) -> bytes:
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def keys_of(self, bucket: str, post_id: str) -> list[str]:
        """The folders in which a bucket holds any version of anything of a post."""
        versions = self.s3.list_object_versions(Bucket=bucket).get("Versions", [])
        return sorted({version["Key"].split("/")[0] for version in versions if post_id in version["Key"]})

    def notices(self) -> list[tuple[str, str | None]]:
        """What Mina's inbox says, oldest first."""
        assert [] == self.deliver_notices()
        _, inbox = self.call(MINA, "GET", "/inbox")
        return [(item["kind"], item["reason"]) for item in reversed(inbox["items"])]


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch, models: Models) -> Story:
    return Story(monkeypatch, models)


def faces_in(content: bytes, models: Models) -> int:
    """How many faces the detector finds in a picture file."""
    assert models.face_finder is not None
    return len(
        find_faces(picture(content, limits=IntakeLimits(), longest_side=3200), models.face_finder, min_score=0.3)
    )


def test_a_rejected_photo_is_published_with_its_face_covered(story: Story, models: Models) -> None:
    photo = encoded(scenes.person_beside_cat(), quality=90)
    assert 1 == faces_in(photo, models)

    ready = story.mosaic_of(photo)

    assert (PostState.MOSAIC, None) == (ready.state, ready.outbox)
    assert ready.mosaic is not None
    preview = story.object("published", ready.mosaic.preview_key)
    copy = story.object("uploads", ready.mosaic.upload.key)
    assert [0, 0] == [faces_in(content, models) for content in (preview, copy)]

    # Its owner sends it, and it is screened like any upload.
    sent = story.change(ready.post_id, PostState.SCREENING, upload=ready.mosaic.upload, since=datetime.now(UTC))
    assert [] == story.deliver("screen_photos", notification([ready.mosaic.upload]))
    shown = story.post(ready.post_id)
    assert (PostState.PUBLISHED, True) == (shown.state, sent.is_mosaic)
    assert shown.rendition_key is not None
    assert 0 == faces_in(story.object("published", shown.rendition_key), models)
    assert ["PostHeld", "MosaicReady", "PostPublished"] == [kind for kind, _ in story.notices()]


def test_a_request_that_comes_five_times_makes_one_mosaic_and_one_notice(story: Story) -> None:
    ready = story.mosaic_of(encoded(scenes.poster_on_wall(), quality=90))

    again = story.deliver("mosaic_photos", *[{"post_id": ready.post_id}] * 5)

    assert ([], ready) == (again, story.post(ready.post_id))
    assert ["PostHeld", "MosaicReady"] == [kind for kind, _ in story.notices()]


def test_a_photo_without_a_face_goes_back_to_its_owner(story: Story) -> None:
    post = story.mosaic_of(encoded(scenes.cat_in_garden(), quality=90))

    assert (PostState.REJECTED, "human_face", None) == (post.state, post.reason, post.mosaic)
    assert ("MosaicFailed", "mosaic_no_face") == story.notices()[-1]


def test_a_mosaic_that_was_never_made_is_given_back_and_told_by_the_clean_up(
    story: Story,
) -> None:
    post_id, announced = story.submit(MINA, encoded(scenes.person_beside_cat(), quality=90))
    story.deliver("screen_photos", announced)
    story.change(post_id, PostState.REJECTED, reason="human_face")
    story.change(post_id, PostState.MOSAIC, since=datetime.now(UTC) - timedelta(minutes=61))

    done = story.functions["expire_uploads"].lambda_handler({}, FakeContext())

    (message,) = story.sqs.receive_message(QueueUrl=story.screening_queue)["Messages"]
    assert [] == story.deliver("screen_photos", message["Body"])
    post = story.post(post_id)
    assert {"expired": 0, "requeued": 0, "given_back": 1, "erased": 0} == done
    assert (PostState.REJECTED, "human_face", None) == (post.state, post.reason, post.outbox)
    assert ("MosaicFailed", "mosaic_failed") == story.notices()[-1]


def test_nothing_of_a_withdrawn_photo_is_left_also_not_what_was_written_meanwhile(story: Story) -> None:
    ready = story.mosaic_of(encoded(scenes.person_beside_cat(), quality=90))
    before = {bucket: story.keys_of(bucket, ready.post_id) for bucket in ("uploads", "published")}
    ago = datetime.now(UTC) - ERASE_AFTER - timedelta(minutes=1)
    story.change(ready.post_id, PostState.WITHDRAWN, upload=None, mosaic=None, since=ago)

    runs = [story.functions["expire_uploads"].lambda_handler({}, FakeContext()) for _ in range(2)]

    assert {"uploads": ["mosaics", "posts"], "published": ["mosaics", "photos"]} == before
    assert [[], []] == [story.keys_of(bucket, ready.post_id) for bucket in ("uploads", "published")]
    assert ([1, 0], True) == ([done["erased"] for done in runs], story.post(ready.post_id).erased)
