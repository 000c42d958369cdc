"""What no message will ever finish is ended, or sent to the queue again."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pawcast.screening.expire import REQUEUE_AFTER, UPLOAD_GRACE, Expirer, ExpiryReport
from pawcast.screening.post import Post, PostState, Unfinished, Upload, move, outbox_of
from tests.support.screening import NOW, FakePosts, a_post, an_upload, post_id

LONG_AGO = NOW - timedelta(hours=5)


class UnfinishedPosts(FakePosts):
    """Posts with the index of unfinished ones."""

    def __init__(self, *posts: Post) -> None:
        super().__init__(*posts)
        self.since = {post.post_id: post.created_at for post in posts}

    def unfinished(self, kind: Unfinished, before: datetime) -> Iterator[Post]:
        found = [post for post in self.posts.values() if post.unfinished == kind and self.since[post.post_id] < before]
        return iter(sorted(found, key=lambda post: self.since[post.post_id]))

    def postpone(self, post: Post, since: datetime) -> None:
        self.since[post.post_id] = since


@dataclass
class Bucket:
    uploads: dict[str, Upload] = field(default_factory=dict)

    def find(self, post: Post) -> Upload | None:
        return self.uploads.get(post.post_id)


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
