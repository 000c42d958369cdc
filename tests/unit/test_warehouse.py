"""Which row counts: the same whatever the order, the number and the grouping of merges."""

from datetime import UTC, datetime, timedelta
from random import Random

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from pawcast.forecasting.warehouse import (
    CALENDAR,
    STORES,
    VISITS,
    Origin,
    Partition,
    by_partition,
    concatenated,
    drop_id,
    latest,
    part_name,
    with_origin,
)

T0 = datetime(2026, 11, 1, tzinfo=UTC)


def drop(number: int, *rows: tuple[str, int, float]) -> pd.DataFrame:
    """Rows (store, day of November, visitors) of the drop that S3 took `number` seconds after midnight."""
    at = T0 + timedelta(seconds=number)
    frame = pd.DataFrame(
        {
            "store_id": [store for store, _, _ in rows],
            "ts": pd.to_datetime([f"2026-11-{day:02d}" for _, day, _ in rows]).astype("datetime64[us]"),
            "visitors": [visitors for _, _, visitors in rows],
            "open": True,
        }
    )
    return VISITS.typed(with_origin(frame, Origin(at, drop_id(at, "1", f"k{number}", "v"))))


def values(frame: pd.DataFrame) -> list[tuple[str, int, float]]:
    return [(str(s), ts.day, v) for s, ts, v in zip(frame["store_id"], frame["ts"], frame["visitors"], strict=True)]


drops = st.lists(
    st.lists(
        st.tuples(st.sampled_from(["a", "b"]), st.integers(1, 3), st.integers(0, 9).map(float)),
        max_size=4,
        unique_by=lambda r: r[:2],
    ),
    max_size=6,
)


@given(drops, st.randoms(use_true_random=False))
def test_merging_in_any_order_and_grouping_gives_what_a_dictionary_would(
    sent: list[list[tuple[str, int, float]]], chance: Random
) -> None:
    expected: dict[tuple[str, int], float] = {}
    for rows in sent:
        expected |= {(store, day): visitors for store, day, visitors in rows}
    parts = [drop(number, *rows) for number, rows in enumerate(sent)]
    chance.shuffle(parts)
    cut = chance.randint(0, len(parts))

    merged = latest([latest(parts[:cut], VISITS), *parts[cut:], *parts[: cut // 2]], VISITS)

    assert sorted((*key, visitors) for key, visitors in expected.items()) == values(merged)


def test_a_later_drop_replaces_what_it_names_and_nothing_else() -> None:
    first, correction = drop(1, ("a", 1, 5), ("a", 2, 6)), drop(2, ("a", 1, 7))

    assert [("a", 1, 7), ("a", 2, 6)] == values(latest([correction, first], VISITS))


def test_drops_of_one_moment_are_ordered_by_s3_s_sequencer() -> None:
    earlier, later = drop_id(T0, "00AB", "k", "v1"), drop_id(T0, "00AB1", "k", "v2")

    assert earlier < later < drop_id(T0 + timedelta(milliseconds=1), "0", "k", "v3")


def test_rows_go_to_the_month_of_their_day() -> None:
    frame = pd.concat(
        [drop(1, ("a", 1, 5)), drop(1, ("a", 2, 6)).assign(ts=pd.Timestamp("2025-01-31 23:00"))], ignore_index=True
    )

    found = list(by_partition(VISITS.typed(frame), VISITS))

    assert [Partition(2025, 1), Partition(2026, 11)] == [partition for partition, _ in found]
    assert "visits/year=2025/month=01/" == found[0][0].prefix(VISITS)
    assert "stores/" == Partition().prefix(STORES)


def test_a_part_is_hidden_from_other_readers_and_named_by_its_content() -> None:
    name = part_name("20261101T000000", b"rows")

    assert name.startswith("_20261101T000000-")
    assert name == part_name("20261101T000000", b"rows") != part_name("20261101T000000", b"other rows")


def test_no_rows_have_the_columns_of_the_table() -> None:
    for table in (VISITS, STORES, CALENDAR):
        empty = latest([], table)

        assert (0, list(table.columns)) == (len(empty), list(empty))
        assert empty.dtypes.equals(concatenated([table.empty(), table.empty()], table).dtypes)
