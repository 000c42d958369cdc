"""How long operators wait for the review queue: taking photos, verdicts, figures, and two operators at one queue.

    OMP_NUM_THREADS=1 python -m benchmarks.review_queue        # --waiting N --long N --shared N

The API's own operations run here against the tables of template.yaml in a MiniStack of their own (a temporary folder,
stopped at the end), so every call is an HTTP call as in Lambda, without its network and without the gateway. Times
depend on the machine and on what else runs there; MiniStack is one Python process and slower than DynamoDB, above all
where it lists an index. That no photo is seen twice and none is lost is asserted, not measured.

Writes docs/benchmarks/review-queue.md.
"""

import argparse
import platform
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import numpy as np
from botocore.config import Config

from pawcast.adapters.bank_log import BankLog
from pawcast.adapters.clock import utc_now
from pawcast.adapters.counts_table import CountsTable
from pawcast.adapters.items import to_item
from pawcast.adapters.operator_actions_table import OperatorActionsTable
from pawcast.adapters.posts_table import PostsTable
from pawcast.adapters.review_assembly import ReviewPhotos
from pawcast.adapters.reviews_table import ReviewsTable
from pawcast.callers import Caller
from pawcast.screening.review import ReviewReason
from pawcast.screening.reviews import Reviewer
from pawcast.screening.reviews_api import ReviewsApi, Week
from pawcast_ops.local import emulator as emulators
from tests.support.review_fakes import FakeUploads, a_case
from tests.support.screening import NOW, FakeEvents, FakeInferences
from tests.support.template import create_tables

RESULT = Path(__file__).parents[1] / "docs" / "benchmarks" / "review-queue.md"
REASONS: tuple[ReviewReason, ...] = ("flagged", "claim", "audit", "appeal", "failed")
IN_HAND, WRITERS = 4, 8
VERDICT = {"verdict": "uphold", "label": "human_face"}


@dataclass(frozen=True)
class Stand:
    """The API of one operator."""

    api: ReviewsApi
    who: Caller


@contextmanager
def tables() -> Iterator[tuple[Any, dict[str, str]]]:
    """DynamoDB of an emulator of our own, with the template's tables."""
    with tempfile.TemporaryDirectory() as folder:
        emulator = emulators.start(Path(folder))
        try:
            dynamodb: Any = boto3.Session("local", "local", region_name=emulators.REGION).client(
                "dynamodb", endpoint_url=emulator.endpoint_url, config=Config(max_pool_connections=20)
            )
            yield dynamodb, create_tables(dynamodb)
        finally:
            emulators.stop(Path(folder))


def stand(dynamodb: Any, names: dict[str, str], operator: str) -> Stand:
    """As `review_assembly` puts it together, without topic, stream and queue."""
    posts = PostsTable(dynamodb, posts=names["PostsTable"], tags=names["TagsTable"], reviews=names["ReviewsTable"])
    counts = CountsTable(dynamodb, names["CountsTable"])
    reviews = ReviewsTable(
        dynamodb,
        names["ReviewsTable"],
        posts=posts,
        banks=BankLog(dynamodb, names["BanksTable"]),
        actions=OperatorActionsTable(dynamodb, names["OperatorActionsTable"]),
    )
    reviewer = Reviewer(
        reviews=reviews,
        posts=posts,
        events=FakeEvents(),
        inferences=FakeInferences(),
        uploads=FakeUploads(),
        counts=counts,
        now=utc_now,
    )
    s3 = boto3.Session("local", "local", region_name=emulators.REGION).client("s3")
    api = ReviewsApi(reviewer, posts, ReviewPhotos(s3, uploads="u", published="p"), Week(counts, lambda: 1200), print)
    return Stand(api, Caller(operator, None, groups=frozenset({"operators"})))


def fill(dynamodb: Any, names: dict[str, str], first: int, size: int) -> None:
    """Posts that wait for an operator, by all reasons, of 100 uploaders, over the last hour."""
    since = int((datetime.now(UTC) - timedelta(hours=1) - NOW) / timedelta(minutes=1))

    def put(number: int) -> None:
        case = a_case(number, REASONS[number % len(REASONS)], minute=since + number % 60, user_id=f"u{number % 100}")
        dynamodb.put_item(TableName=names["PostsTable"], Item=to_item(case.post))
        item = to_item(case.review, priority_due_at=case.review.priority_due_at)
        dynamodb.put_item(TableName=names["ReviewsTable"], Item=item)

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(put, range(first, first + size)))


def timed[T](call: Callable[[], T], into: list[float]) -> T:
    """The call's answer, its milliseconds written down."""
    started = time.perf_counter()
    answer = call()
    into.append((time.perf_counter() - started) * 1000)
    return answer


def one_shift(console: Stand, photos: int) -> dict[str, list[float]]:
    """An operator at the console: look, decide, take the next; every tenth verdict is taken back and given again."""
    times: dict[str, list[float]] = {name: [] for name in ("take", "seen", "verdict", "undo")}
    api, who = console.api, console.who
    held = api.take(who, {"count": IN_HAND})["items"]
    for number in range(photos):
        review_id = held[0]["review_id"]
        timed(partial(api.seen, who, review_id, {"what": "photo"}), times["seen"])
        timed(partial(api.decide, who, review_id, VERDICT), times["verdict"])
        if number % 10 == 9:
            timed(partial(api.undo, who, review_id), times["undo"])
            api.decide(who, review_id, VERDICT)
        held = timed(partial(api.take, who, {"count": IN_HAND}), times["take"])["items"]
    return times


def two_at_once(dynamodb: Any, names: dict[str, str], size: int) -> tuple[float, list[int]]:
    """Two operators share a queue of this size; seconds, and how many each decided."""
    start = threading.Barrier(2)

    def work(operator: str) -> list[str]:
        console, seen = stand(dynamodb, names, operator), []
        start.wait()
        while items := console.api.take(console.who, {"count": 5})["items"]:
            for item in items:
                console.api.decide(console.who, item["review_id"], VERDICT)
                seen.append(item["review_id"])
        return seen

    started = time.perf_counter()
    with ThreadPoolExecutor(2) as people:
        anna, bora = people.map(work, ["anna", "bora"])
    seconds = time.perf_counter() - started
    seen = [*anna, *bora]
    if len(seen) != size or len(set(seen)) != size:
        raise AssertionError(f"{size} photos, {len(seen)} verdicts on {len(set(seen))} photos")
    return seconds, [len(anna), len(bora)]


def row(what: str, times: list[float]) -> str:
    """One line of the table."""
    p50, p95, most = np.percentile(times, [50, 95, 100])
    return f"| {what} | {len(times)} | {p50:.0f} | {p95:.0f} | {most:.0f} |"


def main() -> None:
    """Measure and write the page."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--waiting", type=int, default=1_000, help="reviews in the queue of one operator")
    options.add_argument("--long", type=int, default=10_000, help="reviews in the queue whose figures are read")
    options.add_argument("--shared", type=int, default=500, help="reviews that two operators share")
    options.add_argument("--photos", type=int, default=150, help="photos in the measured shift")
    asked = options.parse_args()

    with tables() as (dynamodb, names):
        fill(dynamodb, names, 0, asked.shared)
        shared_seconds, shares = two_at_once(dynamodb, names, asked.shared)
    with tables() as (dynamodb, names):
        fill(dynamodb, names, 0, asked.waiting)
        console = stand(dynamodb, names, "anna")
        one_shift(console, 5)
        times = one_shift(console, asked.photos)
        short: list[float] = []
        for _ in range(20):
            timed(lambda: console.api.summary(console.who), short)
        shift: list[float] = []
        for _ in range(20):
            timed(lambda: console.api.shift(console.who, {}), shift)
        fill(dynamodb, names, asked.waiting, asked.long - asked.waiting)
        full: list[float] = []
        for _ in range(5):
            summary = timed(lambda: console.api.summary(console.who), full)
    lines = [
        "# The review queue: how long operators wait",
        "",
        f"`OMP_NUM_THREADS=1 python -m benchmarks.review_queue`, {datetime.now(UTC):%Y-%m-%d}, {platform.machine()},",
        f"Python {platform.python_version()}, two shared cores, DynamoDB by MiniStack over HTTP, a process of its own.",
        "Milliseconds of one operation of the API with all its calls, warm. MiniStack walks its whole index for each",
        "page, which DynamoDB does not: of a summary's time about a quarter is ours. The target is p95 under 150 ms",
        "with 1,000 waiting.",
        "",
        f"| operation, {asked.waiting:,} waiting | calls | p50 | p95 | most |",
        "| --- | ---: | ---: | ---: | ---: |",
        row(f"take, {IN_HAND - 1} in hand and one new", times["take"]),
        row("verdict, with the week's capacity", times["verdict"]),
        row("undo", times["undo"]),
        row("seen", times["seen"]),
        row("shift", shift),
        row("summary", short),
        row(f"summary, {summary['waiting']:,} waiting, every one counted", full),
        "",
        f"Two operators at one queue of {asked.shared}, five photos at a time: {shares[0]} and {shares[1]} verdicts in "
        f"{shared_seconds:.0f} s, no photo seen twice and none lost.",
        "",
    ]
    RESULT.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
