"""The log of the hash banks, its snapshot, and what a warm function makes of both."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_s3 import S3Client

from pawcast.adapters.bank_log import REMOVALS_KEPT, BankLog, Removal
from pawcast.adapters.bank_snapshot import (
    KEY,
    RELOADED_AFTER,
    REWRITTEN_AFTER,
    SETTLED_AFTER,
    BankReader,
    Compaction,
    Compactor,
    Snapshot,
    SnapshotStore,
)
from pawcast.screening.banks import BankEntry, entry_id_of
from tests.support.screening import NOW
from tests.support.template import create_tables
from tests.unit.test_hash_banks import entry

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BUCKET = "banks"


class World:
    """The log and the bucket, and a clock that a test sets."""

    def __init__(self, dynamodb: DynamoDBClient, s3: S3Client) -> None:
        self.dynamodb, self.s3 = dynamodb, s3
        self.log = BankLog(dynamodb, create_tables(dynamodb, "BanksTable")["BanksTable"])
        self.store = SnapshotStore(s3, BUCKET)
        self.now: datetime = NOW

    def reader(self) -> BankReader:
        return BankReader(self.log, self.store, lambda: self.now)

    def compact(self) -> Compaction:
        return Compactor(self.log, self.store, lambda: self.now).run()

    def write(self, *actions: Any) -> None:
        self.dynamodb.transact_write_items(TransactItems=list(actions))

    def add(self, *entries: BankEntry) -> None:
        self.write(*map(self.log.add_action, entries))

    def remove(self, entry: BankEntry, at: datetime) -> None:
        self.write(*self.log.remove_actions(entry.entry_id, at))

    def forget(self) -> None:
        """As it was in the beginning."""
        table = self.log._table
        for item in self.dynamodb.scan(TableName=table)["Items"]:
            self.dynamodb.delete_item(TableName=table, Key={name: item[name] for name in ("log", "entry_id")})
        self.s3.delete_object(Bucket=BUCKET, Key=KEY)
        self.now = NOW


class SlowStore(SnapshotStore):
    """Of a compactor that read the snapshot and the log, and did not come to write yet."""

    made: Snapshot

    def write(self, snapshot: Snapshot) -> None:
        self.made = snapshot


@pytest.fixture
def world(dynamodb: DynamoDBClient, s3: S3Client) -> World:
    where: Any = {"LocationConstraint": s3.meta.region_name}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=where)
    return World(dynamodb, s3)


def pdq_of(number: int) -> str:
    """Hashes that are far from each other."""
    return f"{number:02x}" * 32


def known(number: int) -> BankEntry:
    return entry(number, pdq_of(number))


def found(reader: BankReader, *numbers: int) -> list[int]:
    """Which of these entries a photo with their hash would match."""
    banks = reader.current()
    matches = {number: banks.nearest([pdq_of(number)]) for number in numbers}
    return [number for number, match in matches.items() if match is not None and match.entry == known(number)]


ALL = (0x00, 0x0F, 0x33, 0x55, 0xF0)


def test_what_is_added_is_read_in_the_order_of_time(world: World) -> None:
    world.add(known(0x33), known(0x0F))

    assert [known(0x0F), known(0x33)] == list(world.log.lines())


def test_lines_are_read_from_the_first_moment_to_before_the_last(world: World) -> None:
    world.add(*map(known, ALL))

    lines = world.log.lines(since=known(0x0F).added_at, until=known(0x55).added_at)

    assert [known(0x0F), known(0x33)] == list(lines)


def test_a_removal_deletes_the_hash_and_leaves_a_line_that_expires(world: World) -> None:
    world.add(known(0x0F))

    world.write(*world.log.remove_actions(known(0x0F).entry_id, NOW + HOUR))

    (line,) = world.log.lines()
    (item,) = world.dynamodb.scan(TableName=world.log._table)["Items"]
    assert isinstance(line, Removal)
    assert known(0x0F).entry_id == line.removed
    assert {"log", "entry_id", "removed", "expires_at"} == set(item)


def test_a_removal_of_what_was_never_there_does_no_harm(world: World) -> None:
    world.write(*world.log.remove_actions(known(0x0F).entry_id, NOW))

    assert [] == found(world.reader(), 0x0F)


def test_more_lines_than_a_page_holds_are_all_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add(*map(known, ALL))
    query = world.dynamodb.query
    monkeypatch.setattr(world.dynamodb, "query", lambda **request: query(**request, Limit=2))

    assert len(ALL) == len(list(world.log.lines()))


def test_a_reader_without_a_snapshot_reads_the_log(world: World) -> None:
    world.add(*map(known, ALL))

    assert list(ALL) == found(world.reader(), *ALL)


def test_a_warm_reader_sees_each_new_line_at_its_next_batch(world: World) -> None:
    reader = world.reader()
    before = found(reader, *ALL)

    world.now = known(0x0F).added_at
    world.add(known(0x0F))
    added = found(reader, *ALL)
    world.now += MINUTE
    world.write(*world.log.remove_actions(known(0x0F).entry_id, world.now))

    assert ([], [0x0F], []) == (before, added, found(reader, *ALL))


def test_a_line_of_a_machine_whose_clock_is_late_is_not_missed(world: World) -> None:
    reader = world.reader()
    world.now = known(0x33).added_at + 10 * MINUTE
    found(reader, *ALL)

    world.add(known(0x33))
    world.now += MINUTE

    assert [0x33] == found(reader, *ALL)


def test_a_snapshot_holds_what_has_settled_and_the_log_the_rest(world: World) -> None:
    world.add(known(0x00), known(0x0F))
    world.now = known(0x0F).added_at + SETTLED_AFTER

    done = world.compact()

    snapshot, _ = world.store.read()
    assert snapshot is not None
    assert (Compaction(1, 1), (known(0x00),)) == (done, snapshot.entries)
    assert [0x00, 0x0F] == found(world.reader(), 0x00, 0x0F)


def test_a_compaction_continues_where_the_last_one_stopped_and_drops_what_was_removed(world: World) -> None:
    world.add(known(0x00), known(0x0F))
    world.now = NOW + 2 * HOUR
    world.compact()
    world.add(known(0xF0))
    world.write(*world.log.remove_actions(known(0x00).entry_id, world.now))
    world.now += 4 * HOUR

    done = world.compact()

    snapshot, _ = world.store.read()
    assert snapshot is not None
    assert (Compaction(2, 2), (known(0x0F), known(0xF0))) == (done, snapshot.entries)


def test_a_compaction_with_nothing_new_writes_nothing(world: World) -> None:
    world.add(known(0x00))
    world.now = NOW + HOUR
    world.compact()
    _, etag = world.store.read()
    world.now += HOUR
    world.compact()

    assert (None, etag) == world.store.read(unless=etag)


def test_a_reader_that_lives_through_a_compaction_keeps_and_loses_nothing(world: World) -> None:
    world.add(known(0x00), known(0x0F))
    world.now = NOW + HOUR
    reader = world.reader()
    before = found(reader, *ALL)
    world.write(*world.log.remove_actions(known(0x00).entry_id, world.now))
    world.add(known(0x55))
    world.now += RELOADED_AFTER
    world.compact()

    assert ([0x00, 0x0F], [0x0F, 0x55]) == (before, found(reader, *ALL))


def test_a_snapshot_is_written_once_a_day_though_nothing_is_new(world: World) -> None:
    world.add(known(0x00))
    world.now = NOW + HOUR
    world.compact()
    world.now += REWRITTEN_AFTER

    done = world.compact()

    snapshot, _ = world.store.read()
    assert snapshot is not None
    assert (Compaction(1, 0), world.now - SETTLED_AFTER) == (done, snapshot.through)


def test_a_snapshot_too_old_to_know_of_all_removals_is_not_used(world: World) -> None:
    world.add(known(0x00), known(0x0F))
    world.now = NOW + HOUR
    world.compact()
    world.remove(known(0x00), world.now)
    # What DynamoDB does with a removal that has expired.
    (removal,) = (line for line in world.log.lines() if isinstance(line, Removal))
    key: Any = {"log": {"S": "pdq"}, "entry_id": {"S": removal.entry_id}}
    world.dynamodb.delete_item(TableName=world.log._table, Key=key)
    world.now += REMOVALS_KEPT

    seen = found(world.reader(), 0x00, 0x0F)
    done = world.compact()

    assert ([0x0F], Compaction(1, 1)) == (seen, done)
    assert [0x0F] == found(world.reader(), 0x00, 0x0F)


def test_of_two_compactors_at_once_the_one_that_writes_last_may_know_less(world: World) -> None:
    world.add(known(0x00), known(0x0F))
    world.now = NOW + HOUR
    reader = world.reader()
    reader.current()
    slow = SlowStore(world.s3, BUCKET)
    Compactor(world.log, slow, lambda: world.now).run()
    world.remove(known(0x00), world.now)
    world.add(known(0x55))
    world.now += 2 * HOUR
    world.compact()
    before = found(reader, *ALL)
    world.store.write(slow.made)
    world.now += RELOADED_AFTER

    assert ([0x0F, 0x55], [0x0F, 0x55], [0x0F, 0x55]) == (
        before,
        found(reader, *ALL),
        found(world.reader(), *ALL),
    )


CLOCKS = st.integers(-7, 7)  # minutes that a machine's clock is wrong: two are at most SETTLED_AFTER apart
STEPS = st.one_of(
    st.tuples(st.just("add"), st.integers(0, 7), CLOCKS),
    st.tuples(st.just("remove"), st.integers(0, 7), CLOCKS),
    st.tuples(st.sampled_from(["read", "compact", "compact slowly", "write at last"]), st.just(0), CLOCKS),
    st.tuples(st.just("wait"), st.sampled_from([1, 10, 70, 3000]), st.just(0)),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(STEPS, max_size=30))
def test_whatever_comes_in_between_readers_know_exactly_what_the_verdicts_say(
    world: World, steps: list[tuple[str, int, int]]
) -> None:
    world.forget()
    warm = world.reader()
    said: dict[int, BankEntry] = {}
    slow: list[Snapshot] = []
    for count, (step, number, minutes) in enumerate([*steps, ("read", 0, 0)]):
        clock = world.now + minutes * MINUTE
        if step == "add" and number not in said:
            entry_id = entry_id_of(clock, f"review-{count}")
            said[number] = replace(known(number), entry_id=entry_id, review_id=f"review-{count}", added_at=clock)
            world.add(said[number])
        elif step == "remove" and number in said:
            world.remove(said.pop(number), clock)
        elif step == "compact":
            Compactor(world.log, world.store, lambda clock=clock: clock).run()
        elif step == "compact slowly":
            store = SlowStore(world.s3, BUCKET)
            Compactor(world.log, store, lambda clock=clock: clock).run()
            slow += [store.made] if hasattr(store, "made") else []
        elif step == "write at last" and slow:
            world.store.write(slow.pop())
        elif step == "wait":
            world.now += number * MINUTE
        elif step == "read":
            for reader in (warm, world.reader()):
                banks = reader.current()
                matches = {number: banks.nearest([pdq_of(number)]) for number in range(8)}
                assert said == {number: match.entry for number, match in matches.items() if match is not None}


@pytest.mark.parametrize("content", [b"", b"no snapshot", b"PK\x03\x04 half a file"])
def test_a_snapshot_that_can_not_be_read_is_made_again_from_the_log(world: World, content: bytes) -> None:
    world.add(known(0x00), known(0x0F))
    world.s3.put_object(Bucket=BUCKET, Key=KEY, Body=content)
    world.now = NOW + HOUR

    seen = found(world.reader(), 0x00, 0x0F)
    done = world.compact()

    assert ([0x00, 0x0F], Compaction(2, 2)) == (seen, done)


def test_a_snapshot_of_another_format_is_not_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pawcast.adapters.bank_snapshot.FORMAT", 2)
    content = Snapshot(NOW, (known(0x00),)).encoded()
    monkeypatch.undo()

    with pytest.raises(ValueError, match="format 2"):
        Snapshot.decoded(content)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.integers(0, 255), unique=True, max_size=20))
def test_a_snapshot_is_read_as_it_was_written(numbers: list[int]) -> None:
    entries = tuple(replace(known(number), quality=number % 101) for number in numbers)

    assert Snapshot(NOW, entries) == Snapshot.decoded(Snapshot(NOW, entries).encoded())


def test_a_right_that_is_missing_is_not_taken_for_an_empty_bank(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(**_: object) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")

    monkeypatch.setattr(world.s3, "get_object", refused)

    with pytest.raises(ClientError, match="AccessDenied"):
        world.reader().current()
