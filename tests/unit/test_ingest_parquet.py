"""Parquet that was damaged on its way or made to do harm: refused in bounded time, and the process goes on."""

import io
import struct
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawcast.errors import RefusedDrop
from pawcast.forecasting.ingest import parquet_apart
from pawcast.forecasting.ingest.checks import VISITS_COLUMNS
from pawcast.forecasting.ingest.columns import Limits
from pawcast.forecasting.ingest.reading import read_table
from tests.support.drops import parquet

ROW = {"store_id": "S1", "ts": "2026-11-01", "visitors": 5}
WHOLE = parquet([ROW] * 100)


@pytest.fixture(autouse=True, scope="module")
def soon() -> Iterator[None]:
    """Nobody waits a minute here for what never ends."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet_apart, "SECONDS", 5)
        yield


def refusal(content: bytes, limits: Limits | None = None) -> RefusedDrop:
    with pytest.raises(RefusedDrop) as caught:
        read_table(io.BytesIO(content), "visits.parquet", VISITS_COLUMNS, limits)
    return caught.value


def with_footer(footer: bytes) -> bytes:
    return b"PAR1" + footer + struct.pack("<I", len(footer)) + b"PAR1"


@pytest.mark.parametrize(
    "content",
    [
        WHOLE[:-60],
        WHOLE[: len(WHOLE) // 2] + WHOLE[-8:],
        b"PAR1" + b"nothing" * 20,
        b"PAR1",
        b"PAR1" + struct.pack("<I", 2**32 - 1) + b"PAR1",
        with_footer(b"\x19\xfc\xff\xff\xff\xff\x07"),  # a list of two thousand million structs
    ],
    ids=["cut off", "a hole", "no end", "only its mark", "a footer of 4 GB", "a list without end"],
)
def test_a_damaged_file_is_refused(content: bytes) -> None:
    assert "parquet_damaged" == refusal(content).problem_code


def test_a_file_that_crashes_its_reader_is_refused() -> None:
    refused = refusal(with_footer(b"\x1c" * 2_000_000))  # two million structs inside each other

    assert ("parquet_damaged", "SIGSEGV") == (refused.problem_code, refused.value)


@settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.integers(4, len(WHOLE) - 9), st.integers(1, 255)), min_size=1, max_size=8))
def test_whatever_bytes_are_changed_it_is_a_table_or_refused(changes: list[tuple[int, int]]) -> None:
    content = bytearray(WHOLE)
    for place, flip in changes:
        content[place] ^= flip

    try:
        table = read_table(io.BytesIO(bytes(content)), "visits.parquet", VISITS_COLUMNS)
    except RefusedDrop:
        return
    assert {len(table)} == {len(column.at(np.arange(len(table)))) for column in table.columns.values()}


def test_a_file_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_apart, "SECONDS", 0.01)

    refused = refusal(WHOLE)

    assert ("parquet_damaged", "> 0.01 s") == (refused.problem_code, refused.value)


def test_what_unpacks_to_too_much_is_refused() -> None:
    refused = refusal(WHOLE, Limits(unpacked_bytes=10))

    assert ("file_too_large", "10 bytes unpacked") == (refused.problem_code, refused.limit)


def test_a_mistake_of_ours_is_no_fault_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet_apart, "_TASK", "elsewhere.json")

    with pytest.raises(RuntimeError, match="No such file or directory"):
        read_table(io.BytesIO(WHOLE), "visits.parquet", VISITS_COLUMNS)
