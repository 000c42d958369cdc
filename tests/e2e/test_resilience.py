"""What must hold while things change or break under load: releases swap, workers die, and no photo is lost."""

import gzip
import io
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pawcast.adapters.items import from_item
from pawcast.adapters.model_store import ModelStore
from pawcast.adapters.policy_store import PolicyStore
from pawcast.mlops.inference_log import InferenceRecord
from pawcast.mlops.policy import ReleasePolicy
from pawcast.screening.post import Post, PostState
from pawcast_ops.api_types import NewPost
from pawcast_ops.client import PawcastClient
from tests.support.pictures import scene
from tests.support.stack import RunningStack

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

LIVE_WITHIN_SECONDS = 60
UPLOADS = 200


def test_a_release_swaps_and_rolls_back_while_photos_flow(stack: RunningStack, tmp_path: Path) -> None:
    policies = PolicyStore(stack.client("ssm"), stack.stack.output("ReleasePolicyParameterName"))
    first = policies.read()
    second = first.model_copy(
        update={
            "version": first.version + 1,
            "primary": first.primary.model_copy(update={"model": republished(stack, first, tmp_path)}),
        }
    )
    with stack.signed_in("mina") as mina, photos_flowing(mina) as sent:
        wait_until(lambda: newest_version(stack, sent) == first.primary.model.version)
        policies.put(second)
        swapped = wait_until(lambda: newest_version(stack, sent) == second.primary.model.version)
        policies.put(first.with_version(second.version + 1))
        rolled_back = wait_until(lambda: newest_version(stack, sent) == first.primary.model.version)

    wait_until(lambda: all(post.unfinished is None for post in stored_posts(stack, sent)))
    posts, records = stored_posts(stack, sent), records_of(stack, sent)
    assert len(sent) == len(posts)
    assert {PostState.PUBLISHED} == {post.state for post in posts}
    assert {(p.post_id, p.decision.model_version, p.decision.policy_version) for p in posts if p.decision} == {
        (record.post_id, record.model_version, record.policy_version) for record in records
    }
    assert max(swapped, rolled_back) < LIVE_WITHIN_SECONDS


def test_workers_that_are_killed_in_the_middle_leave_every_upload_decided_exactly_once(stack: RunningStack) -> None:
    # On AWS a killed worker's messages come back after three minutes; the test does not wait that long.
    queue = stack.stack.output("ScreeningQueueUrl")
    stack.client("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"VisibilityTimeout": "8"})
    mails_before = len(stack.mails())
    with stack.signed_in("jun") as jun, ThreadPoolExecutor(8) as pool:
        uploads = [pool.submit(upload, jun, number) for number in range(UPLOADS)]
        killed = 0
        for share in (UPLOADS // 5, UPLOADS // 2):
            wait_until(lambda share=share: finished(stack, [u.result() for u in uploads if u.done()]) >= share)  # type: ignore[misc]
            killed += kill_workers(stack, "ScreenPhotosFunction")
        sent = [upload.result() for upload in uploads]

    wait_until(lambda: finished(stack, sent) == UPLOADS, patience=240)
    wait_until(lambda: len(stack.mails()) - mails_before >= UPLOADS)
    posts, records = stored_posts(stack, sent), records_of(stack, sent)
    assert killed >= 2
    # Revision 2 is: begun once, decided once.
    assert {(PostState.PUBLISHED, 2): UPLOADS} == Counter((post.state, post.revision) for post in posts)
    assert UPLOADS == len({record.inference_id for record in records})
    assert UPLOADS == len(stack.mails()) - mails_before


def republished(stack: RunningStack, policy: ReleasePolicy, cache: Path) -> Any:
    """The same model under another version, as a retrained one would come."""
    store = ModelStore(stack.client("s3"), stack.stack.output("ModelsBucketName"), cache)
    card = store.card(policy.primary.model)
    return store.publish(
        card.model_copy(update={"version": f"{card.version}-b"}), store.fetch(policy.primary.model)
    ).ref


@contextmanager
def photos_flowing(person: PawcastClient) -> Iterator[list[str]]:
    """A few photos a second, until the block ends; the post ids so far."""
    sent: list[str] = []
    stop = threading.Event()

    def flow() -> None:
        while not stop.wait(0.4):
            sent.append(upload(person, len(sent)))

    with ThreadPoolExecutor(1) as pool:
        flowing = pool.submit(flow)
        try:
            yield sent
        finally:
            stop.set()
            flowing.result()


def upload(person: PawcastClient, number: int) -> str:
    """Post a drawn picture."""
    file = io.BytesIO()
    Image.fromarray(scene(number, 160, 120)).save(file, "JPEG")
    photo = file.getvalue()
    ticket = person.submit(NewPost(title=f"Scene {number}", content_type="image/jpeg", size_bytes=len(photo), tags=()))
    person.upload(ticket, photo)
    return ticket.post.post_id


def stored_posts(stack: RunningStack, post_ids: list[str]) -> list[Post]:
    """Posts as the table has them."""
    pages = stack.client("dynamodb").get_paginator("scan").paginate(TableName=stack.stack.output("PostsTableName"))
    wanted = set(post_ids)
    posts = [from_item(Post, item) for page in pages for item in page["Items"]]
    return [post for post in posts if post.post_id in wanted]


def finished(stack: RunningStack, post_ids: list[str]) -> int:
    """How many posts rest: decided and told."""
    return sum(post.unfinished is None for post in stored_posts(stack, post_ids))


def newest_version(stack: RunningStack, post_ids: list[str]) -> str | None:
    """The model version that made the latest decision."""
    decided = [post for post in stored_posts(stack, post_ids) if post.decided_at and post.decision]
    latest = max(decided, key=lambda post: str(post.decided_at), default=None)
    return latest.decision.model_version if latest and latest.decision else None


def records_of(stack: RunningStack, post_ids: list[str]) -> list[InferenceRecord]:
    """What the inference log holds of posts; waits until every post is there."""
    s3, bucket, wanted = stack.client("s3"), stack.stack.output("LogsBucketName"), set(post_ids)
    read: dict[str, list[InferenceRecord]] = {}

    def all_there() -> bool:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="inference/"):
            for found in page.get("Contents", []):
                if found["Key"] not in read:
                    body = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
                    text = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
                    read[found["Key"]] = [InferenceRecord.model_validate_json(line) for line in text.splitlines()]
        return wanted <= {record.post_id for records in read.values() for record in records}

    wait_until(all_there)
    return [record for records in read.values() for record in records if record.post_id in wanted]


def kill_workers(stack: RunningStack, function: str) -> int:
    """SIGKILL every worker process of a function; how many there were."""
    killed = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            environment = (process / "environ").read_bytes()
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # it ended while we looked
        if parent == stack.emulator.pid and f"AWS_LAMBDA_FUNCTION_NAME=pawcast-{function}".encode() in environment:
            os.kill(int(process.name), signal.SIGKILL)
            killed += 1
    return killed


def wait_until(holds: Callable[[], bool], patience: float = 120.0) -> float:
    """Seconds until something holds."""
    started = time.monotonic()
    while not holds():
        if time.monotonic() - started > patience:
            raise TimeoutError(f"still not so after {patience:.0f} s")
        time.sleep(1.0)
    return time.monotonic() - started
