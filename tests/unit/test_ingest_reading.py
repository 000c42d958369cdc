"""Files as senders make them: any separator and encoding, and whatever is no table is refused by name."""

import io
import tracemalloc

import pytest

from pawcast.errors import RefusedDrop
from pawcast.forecasting.ingest.checks import VISITS_COLUMNS
from pawcast.forecasting.ingest.columns import Limits, RawTable
from pawcast.forecasting.ingest.reading import read_table, refuse_size
from tests.support.drops import counted, kept, lines, parquet, visits

TEXT = "매장,날짜,방문자,비고\nS1,2026-11-01,5,추석\nS2,2026-11-02,6,눈\n"


def read(content: bytes, limits: Limits | None = None) -> RawTable:
    return read_table(io.BytesIO(content), "visits.csv", VISITS_COLUMNS, limits)


def refused(content: bytes, limits: Limits | None = None) -> str:
    with pytest.raises(RefusedDrop) as caught:
        read(content, limits)
    return caught.value.problem_code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_csv_is_read_however_it_is_written(encoding: str, separator: str, line_end: str) -> None:
    content = TEXT.replace(",", separator).replace("\n", line_end).encode(encoding)

    assert [("S1", "2026-11-01", 5, True), ("S2", "2026-11-02", 6, True)] == kept(visits(content))


def test_excel_s_first_line_and_decimal_comma_are_understood() -> None:
    content = b"sep=;\nstore_id;ts;visitors\nS1;2026-11-01;1.200\nS1;2026-11-02;1,5\n"

    checked = visits(content)

    assert [("S1", "2026-11-01", 1200, True)] == kept(checked)
    assert {"visitors_fractional": 1} == counted(checked)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"\xef\xbb\xbf \r\n", "file_empty"),
        (b"store_id,ts,visitors\n", "no_rows"),
        (b"PK\x03\x04" + bytes(100), "spreadsheet"),
        (b"\xd0\xcf\x11\xe0" + bytes(100), "spreadsheet"),
        (b"\x1f\x8b" + bytes(100), "compressed_file"),
        (b"<!DOCTYPE html><html>", "web_page"),
        (TEXT.encode("utf-16"), "encoding_unknown"),
        (TEXT.encode("utf-16-le"), "encoding_unknown"),
        (bytes(range(256)) * 40, "not_a_table"),
        (b"a,b,c\n1,2,3\n", "header_missing"),
        (b"store_id,ts\nS1,2026-11-01\n", "column_missing"),
        (b"store_id,ts,date,visitors\nS1,1,2,3\n", "column_twice"),
        (b"PAR1" + b"nothing" * 20, "parquet_damaged"),
        (parquet([{"store_id": "S1", "ts": "2026-11-01"}]), "column_missing"),
        (parquet([{"store_id": "S1", "ts": "2026-11-01", "visitors": 1}])[:-60], "parquet_damaged"),
    ],
)
def test_what_is_no_table_of_visits_is_refused_by_name(content: bytes, code: str) -> None:
    assert code == refused(content)


def test_a_file_of_2_gb_is_refused_by_its_size_alone() -> None:
    with pytest.raises(RefusedDrop) as caught:
        refuse_size(2 * 1024**3, Limits())

    assert ("file_too_large", "268,435,456 bytes") == (caught.value.problem_code, caught.value.limit)


def test_more_rows_than_the_limit_are_refused() -> None:
    rows = [f"S1,2026-11-{day:02d},5,1" for day in range(1, 12)]

    assert "too_many_rows" == refused(lines(*rows), Limits(rows=10))
    assert "too_many_rows" == refused(
        parquet([{"store_id": "S1", "ts": "2026-11-01", "visitors": 1}] * 11), Limits(rows=10)
    )


def test_a_million_columns_cost_little_and_are_not_all_listed() -> None:
    header = "store_id,ts,visitors," + ",".join(f"c{number}" for number in range(5_000))
    content = lines("S1,2026-11-01,5," + "x," * 4_999 + "x", header=header)

    assert counted(visits(content))["column_ignored"] == 20


def test_a_line_without_end_is_no_table() -> None:
    content = b"store_id,ts,visitors\n" + b"S1,2026-11-01,5" + b"x" * 30_000_000
    tracemalloc.start()
    code = refused(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert "not_a_table" == code
    assert peak < 20_000_000


def test_a_huge_cell_is_one_bad_row() -> None:
    checked = visits(lines("S1,2026-11-01," + "9" * 500_000 + ",1", "S1,2026-11-02,5,1"))

    assert [("S1", "2026-11-02", 5, True)] == kept(checked)
    assert len(checked.set_aside["line"].iloc[0]) < 1_000


def test_separators_alone_below_the_table_are_no_rows() -> None:
    assert 1 == len(read(lines("S1,2026-11-01,5,1", ",,,", "", ",,,")))


def test_a_file_read_in_a_wrong_way_is_refused_instead_of_reported_row_by_row() -> None:
    assert "too_many_broken_rows" == refused(lines("S1,2026-11-01,5,1", *["a,b,c,d,e,f"] * 10_001))


def test_bytes_of_another_encoding_break_their_row_only() -> None:
    content = TEXT.encode() + b"S1,2026-11-03,7,\xff\xfe\n"

    assert {"row_undecodable": 1} == {
        code: number for code, number in counted(visits(content)).items() if code != "column_ignored"
    }
