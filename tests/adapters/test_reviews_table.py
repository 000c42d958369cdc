"""The review queue in DynamoDB: locks that two operators can't share, verdicts as one transaction, exact figures."""

import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from pawcast.adapters.bank_log import BankLog
from pawcast.adapters.items import from_item, to_item, values
from pawcast.adapters.operator_actions_table import OperatorActionsTable
from pawcast.adapters.posts_table import PostsTable
from pawcast.adapters.reviews_table import ATTEMPTS, PAGE, ReviewsTable
from pawcast.errors import Conflict, DependencyUnavailable, VersionConflict
from pawcast.screening.banks import BankEntry
from pawcast.screening.operator_actions import action_of
from pawcast.screening.post import Post, PostState, move
from pawcast.screening.review import Review
from pawcast.screening.reviews import Lock, Reviewer, lock_of, queue_of
from pawcast.screening.verdicts import Case, Finding, Step
from tests.support.review_fakes import ANNA, BORA, FakeUploads, a_case
from tests.support.screening import NOW, FakeCounts, FakeEvents, FakeInferences, post_id
from tests.support.template import create_tables

FACE, FINE = Finding("uphold", "human_face"), Finding("overturn", "fine")
REVIEW = f"{post_id(1)}-2"


@dataclass
class Tables:
    """The tables, and what fills and reads them past our own code."""

    dynamodb: DynamoDBClient
    names: dict[str, str]

    @property
    def posts(self) -> PostsTable:
        names = self.names
        return PostsTable(
            self.dynamodb, posts=names["PostsTable"], tags=names["TagsTable"], reviews=names["ReviewsTable"]
        )

    @property
    def banks(self) -> BankLog:
        return BankLog(self.dynamodb, self.names["BanksTable"])

    @property
    def actions(self) -> OperatorActionsTable:
        return OperatorActionsTable(self.dynamodb, self.names["OperatorActionsTable"])

    def reviews(self, dynamodb: Any = None) -> ReviewsTable:
        return ReviewsTable(
            dynamodb or self.dynamodb,
            self.names["ReviewsTable"],
            posts=self.posts,
            banks=self.banks,
            actions=self.actions,
        )

    def reviewer(self, since: datetime = NOW) -> Reviewer:
        """A reviewer whose clock goes on by a millisecond whenever it is looked at."""
        ticks = count()
        return Reviewer(
            reviews=self.reviews(),
            posts=self.posts,
            events=FakeEvents(),
            inferences=FakeInferences(),
            uploads=FakeUploads(),
            counts=FakeCounts(),
            now=lambda: since + timedelta(milliseconds=next(ticks)),
        )

    def put(self, *cases: Case) -> None:
        for case in cases:
            self.dynamodb.put_item(TableName=self.names["PostsTable"], Item=to_item(case.post))
            item = to_item(case.review, priority_due_at=case.review.priority_due_at)
            self.dynamodb.put_item(TableName=self.names["ReviewsTable"], Item=item)

    def review(self, number: int = 1) -> Review:
        key = values(review_id=f"{post_id(number)}-2")
        item = self.dynamodb.get_item(TableName=self.names["ReviewsTable"], Key=key)["Item"]
        return from_item(Review, item)

    def post(self, number: int = 1) -> Post:
        return self.posts.get_many([post_id(number)])[post_id(number)]

    def entries(self) -> list[BankEntry]:
        return [line for line in self.banks.lines() if isinstance(line, BankEntry)]

    def tags(self) -> list[str]:
        return [item["tag"]["S"] for item in self.dynamodb.scan(TableName=self.names["TagsTable"])["Items"]]


@pytest.fixture
def tables(dynamodb: DynamoDBClient) -> Tables:
    return Tables(dynamodb, create_tables(dynamodb))


class Elsewhere:
    """The client, with something that happens elsewhere just before a transaction."""

    def __init__(self, dynamodb: DynamoDBClient, *happenings: Any) -> None:
        self._dynamodb = dynamodb
        self.happenings = list(happenings)
        self.transactions = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dynamodb, name)

    def transact_write_items(self, **request: Any) -> Any:
        self.transactions += 1
        if self.happenings:
            self.happenings.pop(0)(request["TransactItems"])
        return self._dynamodb.transact_write_items(**request)


def meets_another(*indexes: int) -> Any:
    """DynamoDB's answer when another transaction writes the same items."""

    def refuse(actions: Sequence[Any]) -> None:
        codes = ["TransactionConflict" if index in indexes else "None" for index in range(len(actions))]
        reasons = [{"Code": code} for code in codes]
        error: Any = {
            "Error": {"Code": "TransactionCanceledException", "Message": "x"},
            "CancellationReasons": reasons,
        }
        raise ClientError(error, "TransactWriteItems")

    return refuse


def locks(tables: Tables, *numbers: int, by: str = ANNA, now: datetime = NOW) -> list[Lock]:
    return [lock_of(tables.review(number), by, now) for number in numbers]


# ---------------------------------------------------------------- the queue


def test_the_queue_is_ordered_and_holds_only_what_waits(tables: Tables) -> None:
    done = a_case(4)
    tables.put(a_case(1, "audit"), a_case(2, minute=5), a_case(3), a_case(5, "claim"))
    tables.put(Case(done.review.model_copy(update={"status": "done"}), done.post))

    assert [post_id(number) for number in (5, 3, 2, 1)] == [review.post_id for review in tables.reviews().queue()]


def test_the_queue_goes_on_after_its_first_page(tables: Tables) -> None:
    tables.put(*(a_case(number) for number in range(PAGE + 3)))

    assert PAGE + 3 == len({review.review_id for review in tables.reviews().queue()})


def test_figures_are_over_every_page(tables: Tables, dynamodb: DynamoDBClient) -> None:
    tables.put(*(a_case(number, "claim" if number % 3 else "flagged", minute=number) for number in range(7)))

    class Paged(Elsewhere):
        def query(self, **request: Any) -> Any:
            return self._dynamodb.query(**request, Limit=2)

    reviews = tables.reviews(Paged(dynamodb))
    queue = queue_of(reviews.waiting(), ANNA, NOW + timedelta(minutes=62))

    assert ({"claim": 4, "flagged": 3}, 62 * 60, 2) == (queue.by_reason, queue.oldest_seconds, queue.overdue)


def test_figures_know_who_holds_and_who_passed_on(tables: Tables) -> None:
    tables.put(a_case(1), a_case(2), a_case(3))
    reviewer = tables.reviewer()
    reviewer.take(ANNA, 2)
    reviewer.skip(ANNA, REVIEW, "no")

    queue = queue_of(tables.reviews().waiting(), ANNA, NOW)

    assert (3, 1, 1) == (queue.waiting, queue.locked, queue.blocked)


# ---------------------------------------------------------------- locks


def test_of_two_operators_who_saw_the_same_free_photo_one_gets_it(tables: Tables) -> None:
    tables.put(a_case(1), a_case(2))
    reviews = tables.reviews()
    anna, bora = locks(tables, 1), locks(tables, 1, 2, by=BORA)

    _, lost_by_anna = reviews.lock(ANNA, reviews.desk(ANNA), anna)
    desk, lost_by_bora = reviews.lock(BORA, reviews.desk(BORA), bora)

    assert (frozenset(), frozenset({REVIEW})) == (lost_by_anna, lost_by_bora)
    assert (ANNA, BORA) == (tables.review(1).locked_by, tables.review(2).locked_by)
    assert (f"{post_id(2)}-2",) == desk.ids == reviews.desk(BORA).ids
    assert [(post_id(1), ANNA), (post_id(2), BORA)] == [
        (line.post_id, line.operator_id) for number in (1, 2) for line in tables.actions.of_post(post_id(number))
    ]


def test_a_lock_that_was_prolonged_in_the_meantime_can_not_be_taken_over(tables: Tables) -> None:
    tables.put(a_case(1))
    reviews = tables.reviews()
    reviews.lock(ANNA, reviews.desk(ANNA), locks(tables, 1))
    late = NOW + timedelta(minutes=11)
    takeover = locks(tables, 1, by=BORA, now=late)
    reviews.lock(ANNA, reviews.desk(ANNA), locks(tables, 1, now=late))

    _, lost = reviews.lock(BORA, reviews.desk(BORA), takeover)

    assert (frozenset({REVIEW}), ANNA) == (lost, tables.review().locked_by)


def test_a_photo_that_was_passed_on_in_the_meantime_is_not_locked(tables: Tables) -> None:
    tables.put(a_case(1))
    reviews, reviewer = tables.reviews(), tables.reviewer()
    seen_free = locks(tables, 1)
    reviewer.take(ANNA, 1)
    reviewer.skip(ANNA, REVIEW, "no")

    _, lost = reviews.lock(ANNA, reviews.desk(ANNA), seen_free)

    assert frozenset({REVIEW}) == lost


def test_a_desk_that_was_changed_elsewhere_stops_the_taking(tables: Tables) -> None:
    tables.put(a_case(1), a_case(2))
    reviews = tables.reviews()
    desk = reviews.desk(ANNA)
    reviews.lock(ANNA, desk, locks(tables, 1))

    with pytest.raises(VersionConflict):
        reviews.lock(ANNA, desk, locks(tables, 2))

    assert tables.review(2).locked_by is None


def test_what_another_operator_is_just_taking_is_left_to_them(tables: Tables, dynamodb: DynamoDBClient) -> None:
    tables.put(a_case(1), a_case(2))
    reviews = tables.reviews(Elsewhere(dynamodb, meets_another(1)))

    _, lost = reviews.lock(ANNA, reviews.desk(ANNA), locks(tables, 1, 2))

    assert (frozenset({REVIEW}), ANNA) == (lost, tables.review(2).locked_by)


def test_a_desk_that_keeps_being_written_is_trouble_that_passes(tables: Tables, dynamodb: DynamoDBClient) -> None:
    tables.put(a_case(1))
    reviews = tables.reviews(Elsewhere(dynamodb, *[meets_another(0)] * 20))

    with pytest.raises(DependencyUnavailable):
        reviews.lock(ANNA, reviews.desk(ANNA), locks(tables, 1))


def test_the_desk_keeps_what_is_still_held_and_forgets_the_rest(tables: Tables) -> None:
    tables.put(*(a_case(number) for number in range(4)))
    reviewer = tables.reviewer()
    first, _ = reviewer.take(ANNA, 2)
    reviewer.decide(ANNA, first.review.review_id, FACE)

    reviewer.take(ANNA, 3)

    assert [f"{post_id(number)}-2" for number in (1, 2, 3)] == list(tables.reviews().desk(ANNA).ids)


def test_two_operators_at_once_share_a_queue_with_nothing_seen_twice_and_nothing_lost(tables: Tables) -> None:
    size = 60
    tables.put(*(a_case(number) for number in range(size)))
    start = threading.Barrier(2)

    def work(operator: str) -> list[str]:
        reviewer, seen = tables.reviewer(), []
        start.wait(timeout=5)
        while cases := reviewer.take(operator, 5):
            for case in cases:
                reviewer.decide(operator, case.review.review_id, FACE)
                seen.append(case.review.review_id)
        return seen

    with ThreadPoolExecutor(2) as people:
        anna, bora = people.map(work, [ANNA, BORA])

    verdicts = [tables.review(number).verdict for number in range(size)]
    assert size == len(anna) + len(bora) == len({*anna, *bora})
    assert {ANNA: len(anna), BORA: len(bora)} == Counter(verdict.operator_id for verdict in verdicts if verdict)


# ---------------------------------------------------------------- verdicts


def test_a_verdict_writes_post_tags_review_bank_and_log_together(tables: Tables) -> None:
    tables.put(a_case(1))
    reviewer = tables.reviewer()
    reviewer.take(ANNA, 1)

    reviewer.decide(ANNA, REVIEW, FINE)

    post, review = tables.post(), tables.review()
    assert (PostState.PUBLISHED, ["cat"], "done") == (post.state, tables.tags(), review.status)
    assert [("cleared", REVIEW)] == [(entry.bank, entry.review_id) for entry in tables.entries()]
    assert ["take", "overturn"] == [line.kind for line in tables.actions.of_post(post_id(1))]
    assert (None, None) == (review.locked_by, review.locked_until)


def test_nothing_of_a_verdict_is_written_when_the_post_moved_on(tables: Tables, dynamodb: DynamoDBClient) -> None:
    case = a_case(1)
    tables.put(case)
    reviewer = tables.reviewer()
    reviewer.take(ANNA, 1)
    withdrawn = move(case.post, PostState.WITHDRAWN)
    dynamodb.put_item(TableName=tables.names["PostsTable"], Item=to_item(withdrawn))

    with pytest.raises(Conflict):
        reviewer.decide(ANNA, REVIEW, FACE)

    assert ("waiting", [], ["take"]) == (
        tables.review().status,
        tables.entries(),
        [line.kind for line in tables.actions.of_post(post_id(1))],
    )


def test_of_two_verdicts_on_what_was_read_before_the_first_counts(tables: Tables) -> None:
    tables.put(a_case(1))
    tables.reviewer().take(ANNA, 1)
    review = tables.review()
    done = review.model_copy(update={"status": "done", "locked_by": None, "locked_until": None})
    step = Step(review, done, action_of(review, "release", ANNA, NOW))
    reviews = tables.reviews()

    assert [True, False] == [reviews.write(step), reviews.write(step)]


def test_an_apology_in_the_same_moment_is_kept(tables: Tables, dynamodb: DynamoDBClient) -> None:
    tables.put(a_case(1))
    reviewer = tables.reviewer()
    reviewer.take(ANNA, 1)
    dynamodb.update_item(
        TableName=tables.names["ReviewsTable"],
        Key=values(review_id=REVIEW),
        UpdateExpression="SET apologised_at = :at",
        ExpressionAttributeValues={":at": {"S": NOW.isoformat()}},
    )

    reviewer.decide(ANNA, REVIEW, FACE)

    assert ("done", NOW) == (tables.review().status, tables.review().apologised_at)


def test_a_verdict_that_meets_another_transaction_comes_again(tables: Tables, dynamodb: DynamoDBClient) -> None:
    tables.put(a_case(1))
    tables.reviewer().take(ANNA, 1)
    elsewhere = Elsewhere(dynamodb, meets_another(0), meets_another(1))
    review = tables.review()
    done = review.model_copy(update={"status": "done", "locked_by": None, "locked_until": None})

    written = tables.reviews(elsewhere).write(Step(review, done, action_of(review, "release", ANNA, NOW)))

    assert (True, 3, "done") == (written, elsewhere.transactions, tables.review().status)


def test_a_verdict_that_keeps_meeting_others_is_trouble_that_passes(tables: Tables, dynamodb: DynamoDBClient) -> None:
    tables.put(a_case(1))
    review = tables.review()
    closed = review.model_copy(update={"status": "closed"})

    with pytest.raises(DependencyUnavailable):
        tables.reviews(Elsewhere(dynamodb, *[meets_another(0)] * ATTEMPTS)).write(Step(review, closed, None))


def test_what_else_goes_wrong_in_a_transaction_is_no_lost_race(tables: Tables, dynamodb: DynamoDBClient) -> None:
    tables.put(a_case(1))
    review = tables.review()

    def refuse(_: Sequence[Any]) -> None:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "x"}}, "TransactWriteItems")

    with pytest.raises(ClientError, match="AccessDenied"):
        tables.reviews(Elsewhere(dynamodb, refuse)).write(Step(review, review.model_copy(update={"status": "x"}), None))


def test_a_verdict_that_is_taken_back_is_waiting_and_in_hand_again(tables: Tables) -> None:
    case = a_case(1)
    tables.put(case)
    reviewer = tables.reviewer()
    reviewer.take(ANNA, 1)
    reviewer.decide(ANNA, REVIEW, FINE)

    reviewer.undo(ANNA, REVIEW)

    assert (PostState.IN_REVIEW, [], [], case.review.decision) == (
        tables.post().state,
        tables.tags(),
        tables.entries(),
        tables.review().decision,
    )
    assert [REVIEW] == [one.review.review_id for one in reviewer.take(ANNA, 1)]
    assert [REVIEW] == [review.review_id for review in tables.reviews().queue()]


def test_a_verdict_is_taken_back_once_even_by_two_windows(tables: Tables) -> None:
    tables.put(a_case(1, "audit"))
    reviewer = tables.reviewer()
    reviewer.take(ANNA, 1)
    reviewer.decide(ANNA, REVIEW, FINE)
    review = tables.review()
    again = {"status": "waiting", "locked_by": ANNA, "locked_until": NOW, "verdict": None}
    step = Step(review, review.model_copy(update=again), action_of(review, "undo", ANNA, NOW))
    reviewer.undo(ANNA, REVIEW)
    later = tables.reviewer(NOW + timedelta(seconds=1))
    later.decide(ANNA, REVIEW, FINE)

    assert not tables.reviews().write(step)
    assert "done" == tables.review().status


def test_desks_are_no_reviews(tables: Tables) -> None:
    tables.put(a_case(1))
    tables.reviewer().take(ANNA, 1)

    assert tables.reviews().get(f"desk#{ANNA}") is None
    assert 1 == len(list(tables.reviews().waiting()))


def test_reviews_that_dynamodb_leaves_unread_are_asked_for_again(tables: Tables, dynamodb: DynamoDBClient) -> None:
    tables.put(a_case(1))

    class Stingy(Elsewhere):
        def batch_get_item(self, **request: Any) -> Any:
            if self.happenings:
                return {"Responses": {}, "UnprocessedKeys": self.happenings.pop() or request["RequestItems"]}
            return self._dynamodb.batch_get_item(**request)

    assert tables.reviews(Stingy(dynamodb, None)).get(REVIEW) == tables.review()
    with pytest.raises(DependencyUnavailable):
        tables.reviews(Stingy(dynamodb, *[None] * 9)).get(REVIEW)


# ---------------------------------------------------------------- the log


@pytest.fixture
def lines(tables: Tables) -> OperatorActionsTable:
    review = a_case(1).review
    for minute, kind in enumerate(("take", "seen_photo", "uphold", "undo", "skip")):
        tables.actions.append(action_of(review, kind, ANNA, NOW + timedelta(minutes=minute)))  # type: ignore[arg-type]
    tables.actions.append(action_of(a_case(2).review, "uphold", BORA, NOW))
    return tables.actions


def test_a_shift_is_an_operators_own_verdicts_since_a_time(lines: OperatorActionsTable) -> None:
    found = lines.of_operator(ANNA, NOW + timedelta(minutes=3))

    assert ["undo", "skip"] == [line.kind for line in found]
    assert ["uphold", "undo", "skip"] == [line.kind for line in lines.of_operator(ANNA, NOW)]


def test_a_line_is_never_written_over(lines: OperatorActionsTable) -> None:
    with pytest.raises(ClientError, match="ConditionalCheckFailed"):
        lines.append(action_of(a_case(1).review, "take", ANNA, NOW, "something else"))


def test_the_log_of_a_post_is_read_to_its_end(lines: OperatorActionsTable, tables: Tables) -> None:
    class Paged(Elsewhere):
        def query(self, **request: Any) -> Any:
            return self._dynamodb.query(**request, Limit=2)

    paged: Any = Paged(tables.dynamodb)
    found = OperatorActionsTable(paged, tables.names["OperatorActionsTable"]).of_post(post_id(1))

    assert ["take", "seen_photo", "uphold", "undo", "skip"] == [line.kind for line in found]
