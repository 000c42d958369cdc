"""What no message will ever finish is ended, or sent to the queue again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pawcast.screening.expire import ERASE_AFTER, MOSAIC_WITHIN, REQUEUE_AFTER, UPLOAD_GRACE, Expirer, ExpiryReport
from pawcast.screening.post import Mosaic, Post, PostState, Unfinished, Upload, move, outbox_of
from tests.support.screening import NOW, FakePosts, a_post, an_upload, post_id

LONG_AGO = NOW - timedelta(hours=5)


class UnfinishedPosts(FakePosts):
    """Posts with the index of unfinished ones."""

    def __init__(self, *posts: Post) -> None:
        super().__init__(*posts)
        self.since = {post.post_id: post.since or post.created_at for post in posts}

    def unfinished(self, kind: Unfinished, before: datetime) -> Iterator[Post]:
        found = [post for post in self.posts.values() if post.unfinished == kind and self.since[post.post_id] < before]
        return iter(sorted(found, key=lambda post: self.since[post.post_id]))

    def postpone(self, post: Post, since: datetime) -> None:
        self.since[post.post_id] = since


@dataclass
class Bucket:
    uploads: dict[str, Upload] = field(default_factory=dict)
    erased: list[str] = field(default_factory=list)

    def find(self, post: Post) -> Upload | None:
        return self.uploads.get(post.post_id)

    def erase(self, post_id: str) -> None:
        self.erased.append(post_id)


@dataclass
class Queue:
    sent: list[Upload] = field(default_factory=list)

    def send(self, upload: Upload) -> None:
        self.sent.append(upload)


def old_post(number: int = 1, **changes: object) -> Post:
    return a_post(number, created_at=LONG_AGO, upload_expires_at=LONG_AGO + timedelta(minutes=15), **changes)


def test_a_post_whose_photo_never_came_ends() -> None:
    posts = UnfinishedPosts(old_post())

    report = Expirer(posts, Bucket(), Queue(), lambda: NOW).run()

    assert (ExpiryReport(1, 0), PostState.EXPIRED) == (report, posts.posts[post_id(1)].state)


def test_a_post_that_may_still_be_uploading_is_left_alone() -> None:
    created = NOW - UPLOAD_GRACE - timedelta(minutes=1)
    posts = UnfinishedPosts(a_post(created_at=created, upload_expires_at=created + timedelta(minutes=15)))

    assert ExpiryReport(0, 0) == Expirer(posts, Bucket(), Queue(), lambda: NOW).run()


def test_a_photo_that_nobody_announced_is_sent_to_the_queue_once_in_a_while() -> None:
    upload = an_upload(uploaded_at=NOW - REQUEUE_AFTER - timedelta(minutes=1))
    posts, queue = UnfinishedPosts(old_post()), Queue()
    expirer = Expirer(posts, Bucket({post_id(1): upload}), queue, lambda: NOW)

    assert [ExpiryReport(0, 1), ExpiryReport(0, 0)] == [expirer.run(), expirer.run()]
    assert ([upload], PostState.AWAITING_UPLOAD) == (queue.sent, posts.posts[post_id(1)].state)


def test_a_photo_that_still_waits_in_a_long_queue_is_not_sent_again() -> None:
    upload = an_upload(uploaded_at=NOW - REQUEUE_AFTER + timedelta(minutes=5))
    queue = Queue()

    Expirer(UnfinishedPosts(old_post()), Bucket({post_id(1): upload}), queue, lambda: NOW).run()

    assert [] == queue.sent


def test_a_post_that_is_stuck_in_screening_or_untold_is_sent_again() -> None:
    stuck = move(old_post(1), PostState.SCREENING, upload=an_upload(1))
    decided = move(move(old_post(2), PostState.SCREENING, upload=an_upload(2)), PostState.REJECTED, reason="empty_file")
    untold = decided.model_copy(update={"outbox": outbox_of(decided, NOW)})
    queue = Queue()

    report = Expirer(UnfinishedPosts(stuck, untold), Bucket(), queue, lambda: NOW).run()

    assert (2, [an_upload(1), an_upload(2)]) == (report.requeued, queue.sent)


def test_a_photo_that_arrives_in_the_same_moment_wins_over_the_expiry() -> None:
    posts = UnfinishedPosts(old_post())

    def arrives() -> None:
        posts.posts[post_id(1)] = move(old_post(), PostState.SCREENING, upload=an_upload())

    posts.before_save = arrives

    assert (0, PostState.SCREENING) == (
        Expirer(posts, Bucket(), Queue(), lambda: NOW).run().expired,
        posts.posts[post_id(1)].state,
    )


def asked_for_mosaic(since: datetime) -> Post:
    return old_post(state="mosaic", reason="human_face", revision=4, upload=an_upload(), since=since)


def test_a_post_that_never_got_its_mosaic_goes_back_and_its_owner_is_told() -> None:
    posts, queue = UnfinishedPosts(asked_for_mosaic(NOW - MOSAIC_WITHIN - timedelta(minutes=1))), Queue()

    report = Expirer(posts, Bucket(), queue, lambda: NOW).run()

    post = posts.posts[post_id(1)]
    assert (ExpiryReport(given_back=1), PostState.REJECTED, "human_face") == (report, post.state, post.reason)
    assert post.outbox is not None
    assert ("MosaicFailed", "mosaic_failed") == (post.outbox.event.event, post.outbox.event.reason)
    assert [an_upload()] == queue.sent  # the screening function tells what is untold


def test_a_mosaic_that_may_still_be_made_is_waited_for() -> None:
    posts = UnfinishedPosts(asked_for_mosaic(NOW - MOSAIC_WITHIN + timedelta(minutes=1)))

    assert ExpiryReport() == Expirer(posts, Bucket(), Queue(), lambda: NOW).run()


def test_a_mosaic_that_is_made_in_the_same_moment_stays() -> None:
    asked = asked_for_mosaic(NOW - MOSAIC_WITHIN - timedelta(minutes=1))
    mosaic = Mosaic(upload=an_upload(version="copy"), preview_key="mosaics/x.jpg", faces=1, made_at=NOW)
    made = asked.model_copy(update={"mosaic": mosaic, "revision": asked.revision + 1})
    posts, queue = UnfinishedPosts(asked), Queue()
    posts.before_save = lambda: posts.posts.update({post_id(1): made})

    report = Expirer(posts, Bucket(), queue, lambda: NOW).run()

    assert (ExpiryReport(), made, []) == (report, posts.posts[post_id(1)], queue.sent)


def test_a_mosaic_that_nobody_announced_is_announced_by_the_screening_queue() -> None:
    asked = asked_for_mosaic(LONG_AGO)
    mosaic = Mosaic(upload=an_upload(version="copy"), preview_key="mosaics/x.jpg", faces=1, made_at=NOW)
    made = asked.model_copy(update={"mosaic": mosaic})
    untold = made.model_copy(update={"outbox": outbox_of(made, LONG_AGO, event="MosaicReady")})
    queue = Queue()

    report = Expirer(UnfinishedPosts(untold), Bucket(), queue, lambda: NOW).run()

    assert (ExpiryReport(requeued=1), [an_upload()]) == (report, queue.sent)


def test_the_photos_of_a_withdrawn_post_are_erased_once() -> None:
    posts, bucket = UnfinishedPosts(withdrawn(NOW - ERASE_AFTER - timedelta(minutes=1))), Bucket()
    expirer = Expirer(posts, bucket, Queue(), lambda: NOW)

    reports = [expirer.run(), expirer.run()]

    assert [ExpiryReport(erased=1), ExpiryReport()] == reports
    assert ([post_id(1)], True, None) == (
        bucket.erased,
        posts.posts[post_id(1)].erased,
        posts.posts[post_id(1)].unfinished,
    )


def test_photos_are_erased_when_nothing_can_be_writing_them_any_more() -> None:
    bucket = Bucket()

    Expirer(UnfinishedPosts(withdrawn(NOW - timedelta(minutes=15))), bucket, Queue(), lambda: NOW).run()

    assert [] == bucket.erased


def withdrawn(since: datetime) -> Post:
    return old_post(state="withdrawn", revision=6, since=since)
