"""Appeals, mosaics, reports and withdrawals on the real tables: once each, whoever else moves the post meanwhile."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from pawcast.adapters.bank_log import BankLog, Removal
from pawcast.adapters.items import to_item
from pawcast.adapters.operator_actions_table import OperatorActionsTable
from pawcast.adapters.posts_table import PostsTable
from pawcast.adapters.rates_table import RatesTable
from pawcast.adapters.remedies_table import RemediesTable
from pawcast.callers import Caller
from pawcast.errors import Conflict, DependencyUnavailable, NotAllowed, NotFound, TooManyRequests
from pawcast.screening import counts
from pawcast.screening.banks import BankEntry, entry_id_of
from pawcast.screening.operator_actions import action_of
from pawcast.screening.ports import Change
from pawcast.screening.post import BankMatch, Post, PostState, Upload, outbox_of
from pawcast.screening.post_views import Views
from pawcast.screening.rates import HOURLY, Rates
from pawcast.screening.remedies import CLAIMS_HIDE
from pawcast.screening.remedies_api import Deed, RemediesApi
from pawcast.screening.review import Review, Verdict, review_of
from tests.support.screening import NOW, OWNER, FakeCounts, FakeEvents, FakeInferences, post_id
from tests.support.template import create_tables
from tests.unit.test_remedies import MADE, published, rejected

MINA = Caller(OWNER, "mina@example.com", "ko")


def visitor(number: int) -> Caller:
    return Caller(f"visitor-{number}", None)


class Links:
    def rendition_url(self, key: str) -> str:
        return f"https://published/{key}"


@dataclass
class Sent[T]:
    """A queue."""

    sent: list[T] = field(default_factory=list)
    broken: bool = False

    def send(self, thing: T) -> None:
        if self.broken:
            raise DependencyUnavailable("sqs:SendMessage")
        self.sent.append(thing)


@dataclass
class Erased:
    """The buckets."""

    erased: list[str] = field(default_factory=list)
    broken: bool = False

    def erase(self, post_id: str) -> None:
        if self.broken:
            raise DependencyUnavailable("s3:DeleteObject")
        self.erased.append(post_id)


class World:
    """The tables, and fakes of what is behind queues and topics."""

    def __init__(self, dynamodb: DynamoDBClient) -> None:
        self.dynamodb = dynamodb
        names = create_tables(dynamodb)
        self.names = names
        self.posts = PostsTable(
            dynamodb, posts=names["PostsTable"], tags=names["TagsTable"], reviews=names["ReviewsTable"]
        )
        self.banks = BankLog(dynamodb, names["BanksTable"])
        self.actions = OperatorActionsTable(dynamodb, names["OperatorActionsTable"])
        self.remedies = RemediesTable(
            dynamodb,
            posts=self.posts,
            reviews=names["ReviewsTable"],
            claims=names["ClaimsTable"],
            banks=self.banks,
            actions=self.actions,
        )
        self.events, self.counts = FakeEvents(), FakeCounts()
        self.mosaics, self.uploads, self.photos = Sent[str](), Sent[Upload](), Erased()
        self.troubles: list[Exception] = []
        self.now: datetime = NOW

    def api(self) -> RemediesApi:
        return RemediesApi(
            posts=self.posts,
            remedies=self.remedies,
            events=self.events,
            inferences=FakeInferences(),
            mosaics=self.mosaics,
            uploads=self.uploads,
            photos=self.photos,
            rates=Rates(RatesTable(self.dynamodb, self.names["RatesTable"]), 60),
            counts=self.counts,
            views=Views(Links()),
            now=lambda: self.now,
            trouble=self.troubles.append,
        )

    def put(self, post: Post, *reviews: Review) -> Post:
        """The post at its revision, past the states before it."""
        self.posts.put_new(post.model_copy(update={"revision": 0}))
        put: Any = self.posts.actions(Change(post))[0]["Put"]
        self.dynamodb.put_item(TableName=put["TableName"], Item=put["Item"])
        for review in reviews:
            item = to_item(review, priority_due_at=review.priority_due_at)
            self.dynamodb.put_item(TableName=self.names["ReviewsTable"], Item=item)
        return post

    def post(self, number: int = 1) -> Post:
        return self.posts.get_many([post_id(number)])[post_id(number)]

    def reviews(self) -> dict[str, Review]:
        return {review.reason: review for review in self.remedies.reviews_of(self.post())}


@pytest.fixture
def world(dynamodb: DynamoDBClient) -> World:
    return World(dynamodb)


def judged(post: Post, operator: str = "anna", **changes: Any) -> Review:
    """The review behind a rejection."""
    review = review_of(post.model_copy(update={"revision": 2}), "flagged", due_at=NOW, now=NOW)
    verdict = Verdict(
        verdict="uphold",
        label="human_face",
        operator_id=operator,
        at=NOW,
        before=PostState.IN_REVIEW,
        revision=3,
        **changes,
    )
    return review.model_copy(update={"status": "done", "verdict": verdict})


def test_an_appeal_goes_to_another_operator(world: World) -> None:
    review = judged(rejected())
    world.put(rejected(review_id=review.review_id), review)

    shown = world.api().appeal(MINA, post_id(1), {"text": "Look again"})["post"]

    opened = world.reviews()["appeal"]
    assert ("appealed", "Look again", []) == (shown["state"], shown["appeal"]["text"], shown["remedies"])
    assert ("anna", "Look again", "waiting") == (opened.not_for, opened.text, opened.status)
    assert 1 == world.counts.sums[counts.APPEALS]


def test_an_appeal_against_a_banks_verdict_goes_to_another_than_who_banned_the_photo(world: World) -> None:
    first = judged(rejected().model_copy(update={"post_id": post_id(9)}), operator="bora")
    entry_id = entry_id_of(NOW, first.review_id)
    match = BankMatch(bank="banned", entry_id=entry_id, distance=3, label="human_face")
    world.put(rejected("banned_repeat", bank_match=match), first)

    world.api().appeal(MINA, post_id(1), {"text": "It is me"})

    assert "bora" == world.reviews()["appeal"].not_for


def test_a_rejection_is_appealed_once_also_by_two_requests_at_once(world: World) -> None:
    world.put(rejected())

    def attempt(_: int) -> str:
        try:
            world.api().appeal(MINA, post_id(1), {"text": "Look again"})
        except Conflict:
            return "refused"
        return "taken"

    with ThreadPoolExecutor(4) as people:
        outcomes = list(people.map(attempt, range(4)))

    assert ["refused"] * 3 + ["taken"] == sorted(outcomes)
    assert ["appeal"] == list(world.reviews())


def test_an_event_that_was_not_told_yet_is_told_before_the_post_moves_on(world: World) -> None:
    post = rejected()
    world.put(post.model_copy(update={"outbox": outbox_of(post, NOW)}))

    world.api().appeal(MINA, post_id(1), {"text": "Look again"})

    assert ["PostRejected"] == [event.event for event in world.events.published]


@pytest.mark.parametrize(
    "deed",
    [
        lambda api, caller: api.appeal(caller, post_id(1), {"text": "x"}),
        lambda api, caller: api.ask_mosaic(caller, post_id(1)),
        lambda api, caller: api.accept_mosaic(caller, post_id(1)),
        lambda api, caller: api.decline_mosaic(caller, post_id(1)),
        lambda api, caller: api.withdraw(caller, post_id(1)),
    ],
    ids=["appeal", "mosaic", "accept", "decline", "withdraw"],
)
def test_what_belongs_to_somebody_else_does_not_exist(
    world: World, deed: Callable[[RemediesApi, Caller], object]
) -> None:
    world.put(rejected())

    with pytest.raises(NotFound):
        deed(world.api(), visitor(1))

    assert rejected() == world.post()


@pytest.mark.parametrize("unknown", [post_id(7), "x", "../" * 900])
def test_a_post_that_is_not_there_is_not_found(world: World, unknown: str) -> None:
    with pytest.raises(NotFound):
        world.api().withdraw(MINA, unknown)
    with pytest.raises(NotFound):
        world.api().claim(MINA, unknown, {"reason": "other"})


def test_a_mosaic_is_asked_for_once_and_again_as_long_as_it_is_not_there(world: World) -> None:
    world.put(rejected())

    first = world.api().ask_mosaic(MINA, post_id(1))["post"]
    again = world.api().ask_mosaic(MINA, post_id(1))["post"]

    assert ("mosaic", "making", [post_id(1)] * 2) == (first["state"], first["mosaic"]["state"], world.mosaics.sent)
    assert (first["state"], 4) == (again["state"], world.post().revision)


def test_a_mosaic_whose_message_was_lost_is_asked_for_by_repeating_the_request(world: World) -> None:
    world.put(rejected())
    world.mosaics.broken = True
    with pytest.raises(DependencyUnavailable):
        world.api().ask_mosaic(MINA, post_id(1))

    world.mosaics.broken = False
    world.api().ask_mosaic(MINA, post_id(1))

    assert [post_id(1)] == world.mosaics.sent


def test_an_accepted_mosaic_goes_to_the_screening_queue_also_when_it_is_accepted_twice(world: World) -> None:
    world.put(rejected(state=PostState.MOSAIC, mosaic=MADE))

    shown = [world.api().accept_mosaic(MINA, post_id(1))["post"] for _ in range(2)]

    assert ["screening"] * 2 == [post["state"] for post in shown]
    assert [MADE.upload] * 2 == world.uploads.sent
    assert 4 == world.post().revision


def test_a_mosaic_is_shown_beside_the_photo_and_can_be_declined(world: World) -> None:
    post = world.put(rejected(state=PostState.MOSAIC, mosaic=MADE))

    shown = Views(Links()).of(post, MINA)["mosaic"]
    declined = world.api().decline_mosaic(MINA, post_id(1))["post"]

    before, after = f"https://published/{post.rendition_key}", f"https://published/{MADE.preview_key}"
    assert {"state": "ready", "before_url": before, "after_url": after, "faces": 2} == shown
    assert ("rejected", None) == (declined["state"], declined["mosaic"])


def test_a_visitors_report_counts_once(world: World) -> None:
    world.put(published())

    new = [world.api().claim(visitor(1), post_id(1), {"reason": "other"}) for _ in range(3)]

    assert ([True, False, False], 1, 1) == (new, world.post().claims, world.counts.sums[counts.CLAIMS])


def test_reports_of_different_visitors_at_once_are_all_counted_and_hide_the_post(world: World) -> None:
    world.put(published())

    def report(number: int) -> None:
        try:
            world.api().claim(visitor(number), post_id(1), {"reason": "gruesome"})
        except DependencyUnavailable:
            world.api().claim(visitor(number), post_id(1), {"reason": "gruesome"})

    with ThreadPoolExecutor(CLAIMS_HIDE) as people:
        list(people.map(report, range(CLAIMS_HIDE)))

    assert (PostState.IN_REVIEW, CLAIMS_HIDE) == (world.post().state, world.post().claims)
    assert (["claim"], ["PostHeld"]) == (list(world.reviews()), [event.event for event in world.events.published])


def test_a_hidden_post_is_gone_for_later_reporters_and_known_to_those_before(world: World) -> None:
    world.put(published(claims=CLAIMS_HIDE - 1))
    world.api().claim(visitor(1), post_id(1), {"reason": "other"})

    again = world.api().claim(visitor(1), post_id(1), {"reason": "other"})
    with pytest.raises(NotFound):
        world.api().claim(visitor(2), post_id(1), {"reason": "other"})

    assert again is False


def test_nobody_reports_their_own_post(world: World) -> None:
    world.put(published())

    with pytest.raises(NotAllowed):
        world.api().claim(MINA, post_id(1), {"reason": "other"})


def test_too_many_reports_of_one_person_are_refused(world: World) -> None:
    for number in range(1, HOURLY["claim"] + 2):
        post = published().model_copy(update={"post_id": post_id(number)})
        world.put(post)
    for number in range(1, HOURLY["claim"] + 1):
        world.api().claim(visitor(1), post_id(number), {"reason": "other"})

    with pytest.raises(TooManyRequests):
        world.api().claim(visitor(1), post_id(HOURLY["claim"] + 1), {"reason": "other"})


def test_a_withdrawal_leaves_neither_words_nor_a_cleared_hash_and_closes_the_review(world: World) -> None:
    post = published(revision=3, tags=("cat",), review_id=f"{post_id(1)}-2")
    review = review_of(post.model_copy(update={"revision": 2}), "appeal", due_at=NOW, now=NOW, text="I am Mina")
    world.put(post, review)
    cleared, banned = entry("cleared", "-1"), entry("banned", "-2")
    world.dynamodb.transact_write_items(
        TransactItems=[world.banks.add_action(cleared), world.banks.add_action(banned)]  # type: ignore[list-item]
    )
    for one, version in ((cleared, "v1"), (banned, "v0")):
        line = action_of(review, "overturn" if one.bank == "cleared" else "uphold", "anna", one.added_at)
        noted = {"bank": one.bank, "bank_added": one.entry_id, "photo_version": version, "label": one.label}
        world.actions.append(line.model_copy(update=noted))

    shown = world.api().withdraw(MINA, post_id(1))["post"]

    lines = list(world.banks.lines())
    assert ("withdrawn", "", [], None) == (shown["state"], shown["title"], shown["tags"], shown["photo_url"])
    assert [banned] == [line for line in lines if isinstance(line, BankEntry)]
    assert [cleared.entry_id] == [line.removed for line in lines if isinstance(line, Removal)]
    assert ("closed", "") == (world.reviews()["appeal"].status, world.reviews()["appeal"].text)
    assert ([post_id(1)], 1, -1) == (
        world.photos.erased,
        world.counts.sums[counts.WITHDRAWN],
        world.counts.sums[counts.BANK_CLEARED],
    )


def entry(bank: Any, suffix: str) -> BankEntry:
    review_id = f"{post_id(1)}{suffix}"
    at = NOW + timedelta(seconds=int(suffix[1:]))
    label: Any = "fine" if bank == "cleared" else "human_face"
    return BankEntry(entry_id_of(at, review_id), bank, label, "ab" * 32, 90, post_id(1), review_id, at)


def test_a_withdrawal_whose_photos_could_not_be_erased_yet_stands_and_can_be_repeated(world: World) -> None:
    world.put(published())
    world.photos.broken = True
    world.api().withdraw(MINA, post_id(1))

    unfinished = list(world.posts.unfinished("erasing", NOW + timedelta(hours=1)))
    world.photos.broken = False
    world.api().withdraw(MINA, post_id(1))

    assert ([post_id(1)], [post_id(1)], 1) == (
        [post.post_id for post in unfinished],
        world.photos.erased,
        len(world.troubles),
    )


def test_a_post_that_somebody_else_moves_meanwhile_is_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put(published())
    write = world.remedies.write
    meanwhile = [lambda: world.api().claim(visitor(1), post_id(1), {"reason": "other"})]

    def overtaken(deed: Deed) -> bool:
        while meanwhile:
            meanwhile.pop()()
        return write(deed)

    monkeypatch.setattr(world.remedies, "write", overtaken)

    shown = world.api().withdraw(MINA, post_id(1))["post"]

    assert ("withdrawn", "closed") == (shown["state"], world.reviews()["claim"].status)


def test_a_post_that_never_comes_to_rest_is_left_for_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.put(published())
    monkeypatch.setattr(world.remedies, "write", lambda _: False)

    with pytest.raises(DependencyUnavailable, match="kept being changed"):
        world.api().withdraw(MINA, post_id(1))


def test_what_can_not_be_told_or_counted_after_a_deed_undoes_nothing(world: World) -> None:
    world.put(published(claims=CLAIMS_HIDE - 1))
    world.counts.broken = world.events.broken = True

    assert world.api().claim(visitor(1), post_id(1), {"reason": "other"})

    assert (PostState.IN_REVIEW, 2) == (world.post().state, len(world.troubles))
