"""The warehouse on moto: parts, bases, readers and compactions that get in each other's way."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from botocore.exceptions import ClientError

from pawcast.adapters.run_frames import frame_of
from pawcast.adapters.warehouse_store import WarehouseStore
from pawcast.errors import DependencyUnavailable
from pawcast.forecasting.warehouse import CALENDAR, PROMOTIONS, STORES, VISITS, Origin, Partition, drop_id
from pawcast.forecasting.weekly.week import Week
from tests.support.aws import REGION

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T0 = datetime(2026, 11, 1, tzinfo=UTC)
NOVEMBER = Partition(2026, 11)


def origin(number: int) -> Origin:
    at = T0 + timedelta(minutes=number)
    return Origin(at, drop_id(at, "1", f"drops/visits/{number}.csv", "v"))


def rows(visitors: float, *days: str, stores: tuple[str, ...] = ("a",)) -> pd.DataFrame:
    frames = [
        pd.DataFrame({"store_id": store, "ts": pd.to_datetime(list(days)), "visitors": visitors, "open": True})
        for store in stores
    ]
    return pd.concat(frames, ignore_index=True)


@pytest.fixture
def store(s3: "S3Client") -> WarehouseStore:
    s3.create_bucket(Bucket="warehouse", CreateBucketConfiguration={"LocationConstraint": REGION})
    return WarehouseStore(s3, "warehouse")


def keys(store: WarehouseStore) -> list[str]:
    return [thing["Key"] for thing in store.s3.list_objects_v2(Bucket="warehouse").get("Contents", ())]


def seen_by_athena(store: WarehouseStore) -> float:
    """The sum over all files that a Hive reader looks at."""
    visible = [key for key in keys(store) if not key.rpartition("/")[2].startswith("_")]
    bodies = [store.s3.get_object(Bucket="warehouse", Key=key)["Body"].read() for key in visible]
    return float(sum(frame_of(body)["visitors"].sum() for body in bodies))


def read_values(store: WarehouseStore) -> list[tuple[str, str, float]]:
    found = store.read(VISITS)
    return [
        (str(s), str(t.date()), v) for s, t, v in zip(found["store_id"], found["ts"], found["visitors"], strict=True)
    ]


def interrupt(store: WarehouseStore, monkeypatch: pytest.MonkeyPatch, call: str, what: Callable[[], object]) -> None:
    """Do something once, just before the store makes its next call of this name."""
    real = getattr(store.s3, call)

    def meddled(**request: Any) -> Any:
        monkeypatch.setattr(store.s3, call, real)
        what()
        return real(**request)

    monkeypatch.setattr(store.s3, call, meddled)


def test_a_drop_adds_one_hidden_part_a_month(store: WarehouseStore) -> None:
    store.add(VISITS, rows(1, "2026-10-31", "2026-11-01"), origin(1))

    assert ["visits/year=2026/month=10", "visits/year=2026/month=11"] == [key.rpartition("/")[0] for key in keys(store)]
    assert 0 == seen_by_athena(store)
    assert 2 == len(store.read(VISITS))


def test_the_same_drop_again_changes_nothing(store: WarehouseStore) -> None:
    for _ in range(2):
        store.add(VISITS, rows(1, "2026-11-01"), origin(1))

    assert 1 == len(keys(store)) == len(store.read(VISITS))


def test_the_order_of_arrival_does_not_matter(store: WarehouseStore) -> None:
    store.add(VISITS, rows(2, "2026-11-01"), origin(2))
    store.compact(VISITS)
    store.add(VISITS, rows(1, "2026-11-01", "2026-11-02"), origin(1))

    assert [("a", "2026-11-01", 2), ("a", "2026-11-02", 1)] == read_values(store)


def test_compaction_leaves_one_file_with_each_row_once(store: WarehouseStore) -> None:
    for number in range(1, 4):
        store.add(VISITS, rows(number, "2026-11-01", f"2026-11-0{number + 1}"), origin(number))
    before = read_values(store)

    done = store.compact(VISITS)

    assert (1, 3, 4) == (done.partitions, done.parts, done.rows)
    assert ["visits/year=2026/month=11/visits.parquet"] == keys(store)
    assert (before, 3 + 1 + 2 + 3) == (read_values(store), seen_by_athena(store))
    assert 0 == store.compact(VISITS).partitions


def test_a_compaction_that_dies_before_it_deletes_loses_and_doubles_nothing(
    store: WarehouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(VISITS, rows(1, "2026-11-01"), origin(1))
    store.add(VISITS, rows(2, "2026-11-02"), origin(2))
    with monkeypatch.context() as patch:
        patch.setattr(store.s3, "delete_object", lambda **_: (_ for _ in ()).throw(RuntimeError("killed")))
        with pytest.raises(RuntimeError):
            store.compact(VISITS)

    assert (3, 3) == (len(keys(store)), seen_by_athena(store))
    assert [("a", "2026-11-01", 1), ("a", "2026-11-02", 2)] == read_values(store)
    store.compact(VISITS)
    assert (1, 3) == (len(keys(store)), seen_by_athena(store))


def test_two_compactions_at_once_lose_no_row(store: WarehouseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.add(VISITS, rows(1, "2026-11-01"), origin(1))
    other = WarehouseStore(store.s3, "warehouse")

    def faster() -> None:
        other.add(VISITS, rows(2, "2026-11-02"), origin(2))
        other.compact(VISITS)

    interrupt(store, monkeypatch, "put_object", faster)
    store.compact(VISITS)

    assert [("a", "2026-11-01", 1), ("a", "2026-11-02", 2)] == read_values(store)
    assert 1 == len(keys(store))


def test_a_part_that_arrives_while_its_month_is_compacted_stays(
    store: WarehouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(VISITS, rows(1, "2026-11-01"), origin(1))
    interrupt(store, monkeypatch, "delete_object", lambda: store.add(VISITS, rows(2, "2026-11-02"), origin(2)))

    store.compact(VISITS)

    assert [("a", "2026-11-01", 1), ("a", "2026-11-02", 2)] == read_values(store)
    assert 2 == len(keys(store))


def test_a_reader_whose_part_is_compacted_away_reads_again(
    store: WarehouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(VISITS, rows(1, "2026-11-01"), origin(1))
    store.add(VISITS, rows(2, "2026-11-02"), origin(2))
    other = WarehouseStore(store.s3, "warehouse")
    interrupt(store, monkeypatch, "get_object", lambda: other.compact(VISITS))

    assert [("a", "2026-11-01", 1), ("a", "2026-11-02", 2)] == read_values(store)


def test_a_compaction_gives_up_when_others_are_always_faster(
    store: WarehouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(VISITS, rows(1, "2026-11-01"), origin(1))
    lost = ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
    monkeypatch.setattr(store.s3, "put_object", lambda **_: (_ for _ in ()).throw(lost))

    assert ("visits/year=2026/month=11/",) == store.compact(VISITS).left
    assert 1 == len(keys(store))


def test_a_large_month_waits_for_the_night(store: WarehouseStore) -> None:
    (touched,) = store.add(VISITS, rows(1, "2026-11-01"), origin(1))

    assert 0 == store.compact(VISITS, [touched], at_most_bytes=10).partitions
    assert 1 == store.compact(VISITS, [touched]).partitions


def test_reading_up_to_a_day_opens_no_later_month(store: WarehouseStore) -> None:
    store.add(VISITS, rows(1, "2026-10-31", "2026-11-01"), origin(1))

    assert [pd.Timestamp("2026-10-31")] == store.read(VISITS, until=date(2026, 10, 31))["ts"].tolist()


def test_files_that_are_none_of_the_table_s_are_left_alone(store: WarehouseStore) -> None:
    for key in ("visits/notes.txt", "visits/year=2026/month=xx/_a.parquet", "visits/year=2026/month=11/copy.parquet"):
        store.s3.put_object(Bucket="warehouse", Key=key, Body=b"x")

    assert (0, 0) == (len(store.read(VISITS)), store.compact(VISITS).partitions)
    assert 3 == len(keys(store))


def test_trouble_that_passes_is_retryable(store: WarehouseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = ClientError({"Error": {"Code": "SlowDown"}}, "PutObject")
    monkeypatch.setattr(store.s3, "put_object", lambda **_: (_ for _ in ()).throw(slow))

    with pytest.raises(DependencyUnavailable):
        store.add(VISITS, rows(1, "2026-11-01"), origin(1))


def test_a_month_that_is_never_still_is_told_as_trouble_that_passes(
    store: WarehouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(VISITS, rows(1, "2026-11-01"), origin(1))
    gone = ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
    monkeypatch.setattr(store.s3, "get_object", lambda **_: (_ for _ in ()).throw(gone))

    with pytest.raises(DependencyUnavailable, match="month=11"):
        store.read(VISITS)


def test_a_store_that_was_taken_back_is_no_fact_any_more(store: WarehouseStore) -> None:
    table = pd.DataFrame([{"store_id": "a", "active": 1.0}, {"store_id": "b", "active": 1.0}])
    store.add(STORES, table, origin(1))
    store.add(STORES, pd.DataFrame([{"store_id": "b", "active": 0.0}]), origin(2))

    assert ["a"] == store.facts(STORES)["store_id"].tolist()
    assert ["a", "b"] == store.read(STORES)["store_id"].tolist()


def test_a_snapshot_holds_history_stores_and_freshness(store: WarehouseStore) -> None:
    table = pd.DataFrame([{"store_id": name, "region": "KR", "plans_by": "day", "active": True} for name in ("a", "b")])
    store.add(STORES, table, origin(1))
    days = [str(day.date()) for day in pd.date_range("2026-09-28", "2026-11-24")]
    store.add(VISITS, rows(5, *days), origin(2))
    store.add(
        CALENDAR,
        pd.DataFrame([{"store_id": "a", "region": "", "day": pd.Timestamp("2026-12-01"), "open": 0.0}]),
        origin(3),
    )
    promotion = {
        "promotion_id": "p",
        "store_id": "",
        "region": "*",
        "from_day": pd.Timestamp("2026-12-02"),
        "to_day": pd.Timestamp("2026-12-02"),
        "active": True,
    }
    store.add(PROMOTIONS, pd.DataFrame([promotion]), origin(4))
    week = Week.parse("2026-W49")

    first = store.snapshot(week)
    for table_ in (VISITS, STORES, CALENDAR, PROMOTIONS):
        store.compact(table_)
    second = store.snapshot(week)

    pd.testing.assert_frame_equal(first.history, second.history)
    assert first.freshness == second.freshness
    assert (2, 56, ()) == (first.freshness.stores, first.freshness.visits, first.freshness.missing)
    assert ["a", "b"] == first.stores["store_id"].tolist()
    monday = first.history[(first.history["store_id"] == "a") & (first.history["ts"] >= "2026-11-30")]
    assert [True, False, True] == monday["open"].tolist()[:3]
    assert [False, False, True] == monday["promo"].tolist()[:3]
