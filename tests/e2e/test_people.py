"""People and the model's decisions, on the deployed stack: verdicts, banks, mosaics, appeals, reports, withdrawals."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from pawcast.adapters.posts_table import PostsTable
from pawcast.screening.ports import Change
from pawcast.screening.post import PhotoFacts, Post, PostEvent, PostState, move
from pawcast.screening.review import review_of
from pawcast_ops.client import PawcastClient, pages
from pawcast_ops.demo.files import jpeg
from pawcast_ops.demo.people import PeopleStory
from pawcast_ops.demo.sources import picture
from pawcast_ops.demo.steps import Steps
from tests.e2e.test_local_stack import mails_to, wait_for
from tests.support.stack import RunningStack

pytestmark = pytest.mark.e2e

QUEUE = 500
REPEATS = 200


def test_what_people_say_is_done_told_once_and_remembered(stack: RunningStack) -> None:
    with (
        stack.signed_in("mina") as mina,
        stack.signed_in("jun") as jun,
        stack.signed_in("operator") as one,
        stack.signed_in("operator-two") as other,
    ):
        story = PeopleStory(mina, jun, (one, other), Steps(Console(stderr=True), patience=90))
        story.tell()
        jun_told = list(pages(lambda cursor: jun.inbox(cursor=cursor)))
        told = [*jun_told, *pages(lambda cursor: mina.inbox(cursor=cursor))]
        banks = one.get_json("/operations", days=1)["banks"]

    kinds = Counter(notice.kind for notice in told)
    assert len(told) == len({notice.notice_id for notice in told})
    assert {"PostHeld", "PostOverturned", "PostRejected", "PostPublished", "MosaicReady"} <= set(kinds)
    assert banks["inferences_avoided"] >= 2  # the poster's and the portrait's copies
    assert len(jun_told) == len(mails_to(stack, "jun@example.com", expected=len(jun_told)))


def test_two_operators_take_500_photos_at_once_and_see_none_twice_and_lose_none(stack: RunningStack) -> None:
    waiting = fill_the_queue(stack)
    taken: list[str] = []
    noted = threading.Lock()

    def work(operator: PawcastClient) -> None:
        while items := operator.post_json("/reviews/take", {"count": 5})["items"]:
            for item in items:
                if item["review_id"] in waiting:
                    with noted:
                        taken.append(item["review_id"])
                operator.post_json(f"/reviews/{item['review_id']}/verdict", {"verdict": "overturn", "label": "fine"})

    with (
        stack.signed_in("operator") as one,
        stack.signed_in("operator-two") as other,
        ThreadPoolExecutor(2) as pool,
    ):
        for done in [pool.submit(work, operator) for operator in (one, other)]:
            done.result()

    assert Counter(taken) == Counter(waiting)


def test_an_event_that_is_delivered_200_times_is_one_notice_and_one_mail(stack: RunningStack) -> None:
    sns = stack.client("sns")
    with stack.signed_in("sora") as sora:
        me = sora.get_json("/me")
        event = PostEvent(
            event="PostLate",
            post_id="f" * 32,
            user_id=me["user_id"],
            title="The one that waits",
            revision=3,
            occurred_at=datetime.now(UTC),
        )
        sora.post_json("/me", {"language": "en"})
        body = event.model_dump_json()
        topic = stack.stack.output("PostEventsTopicArn")
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: sns.publish(TopicArn=topic, Message=body), range(REPEATS)))
        queue = stack.stack.output("NoticesQueueUrl")
        wait_for(lambda: True if is_empty(stack, queue) else None)
        notices = [notice for notice in sora.inbox().items if notice.post_id == event.post_id]

    about_it = [subject for subject in mails_to(stack, "sora@example.com", expected=1) if event.title in subject]
    assert (1, 1) == (len(notices), len(about_it))


def is_empty(stack: RunningStack, queue: str) -> bool:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    counted = stack.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return all(int(counted[name]) == 0 for name in names)


def fill_the_queue(stack: RunningStack) -> set[str]:
    """Held posts as the screener leaves them, written straight into the tables; the ids of their reviews."""
    output = stack.stack.output
    # One photo for all of them: the feed shows it in other tests.
    photo = "photos/of-all/1.jpg"
    shown = jpeg(picture("cat"))
    stack.client("s3").put_object(Bucket=output("PublishedBucketName"), Key=photo, Body=shown, ContentType="image/jpeg")
    posts = PostsTable(
        stack.client("dynamodb"),
        posts=output("PostsTableName"),
        tags=output("TagsTableName"),
        reviews=output("ReviewsTableName"),
    )
    now = datetime.now(UTC)
    changes = []
    for number in range(QUEUE):
        post = Post(
            post_id=f"{number:032x}",
            user_id="somebody",
            title=f"Photo {number}",
            content_type="image/jpeg",
            state=PostState.SCREENING,
            created_at=now,
            upload_expires_at=now + timedelta(minutes=15),
        )
        posts.put_new(post)
        held = move(
            post,
            PostState.IN_REVIEW,
            decided_at=now,
            reason="human_face_suspected",
            rendition_key=photo,
            # Too flat for a bank: each would match every other.
            photo=PhotoFacts(width=800, height=600, format="jpeg", pdq="0" * 64, pdq_quality=0),
            review_id=f"{post.post_id}-1",
        )
        changes.append(Change(held, review_of(held, "flagged", due_at=now + timedelta(hours=1), now=now)))
    assert frozenset() == posts.save_many(changes)
    return {change.review.review_id for change in changes if change.review is not None}
