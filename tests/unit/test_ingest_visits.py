"""Visits: every problem is named by row and value, good rows are kept, bad rows are set aside."""

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawcast.errors import RefusedDrop
from pawcast.forecasting.ingest.cells import parse_count, parse_when
from pawcast.forecasting.ingest.checks import VISITS_COLUMNS, check_visits
from pawcast.forecasting.ingest.reading import read_table
from pawcast.forecasting.ingest.sentences import SENTENCES, WARNINGS
from tests.support.drops import HOURLY, NOW, counted, kept, lines, parquet, registered, visits


def test_good_rows_reach_the_warehouse_with_closed_unknown_and_zero_kept_apart() -> None:
    checked = visits(
        lines("S1,2026-11-01,120,1", "S1,2026-11-02,0,1", "S1,2026-11-03,,0", "S1,2026-11-04,,1", "S2,2026-11-01,0,0")
    )

    assert [
        ("S1", "2026-11-01", 120, True),
        ("S1", "2026-11-02", 0, True),
        ("S1", "2026-11-03", None, False),
        ("S1", "2026-11-04", None, True),
        ("S2", "2026-11-01", None, False),
    ] == kept(checked)
    assert {"visitors_unknown": 1} == counted(checked)


@pytest.mark.parametrize(
    ("row", "code", "column"),
    [
        ("S3,2026-11-01,5,1", "store_unknown", "store_id"),
        (",2026-11-01,5,1", "store_missing", "store_id"),
        ("S1,2026-11-24,5,1", "time_future", "ts"),
        ("S1,,5,1", "time_missing", "ts"),
        ("S1,01/02/2026,5,1", "time_unreadable", "ts"),
        ("S1,2026-02-30,5,1", "time_unreadable", "ts"),
        ("S1,1026-11-01,5,1", "time_too_old", "ts"),
        ("S1,2026-11-01 13:00,5,1", "time_step_differs", "ts"),
        ("S1,2026-11-01,-5,1", "visitors_negative", "visitors"),
        ("S1,2026-11-01,5.5,1", "visitors_fractional", "visitors"),
        ("S1,2026-11-01,many,1", "visitors_unreadable", "visitors"),
        ("S1,2026-11-01,5000000,1", "visitors_impossible", "visitors"),
        ("S1,2026-11-01,,", "visitors_missing", "visitors"),
        ("S1,2026-11-01,5,0", "closed_with_visitors", "visitors"),
        ("S1,2026-11-01,5,perhaps", "flag_unreadable", "open"),
        ("S1,2026-11-01,5", "row_ragged", None),
        ('S1,2026-11-01,"5,1', "row_quotes", None),
        ('S"1,2026-11-01,"5,1', "row_quotes", None),
        ("S1,2026-11-01,5\0,1", "row_control_character", None),
    ],
)
def test_a_bad_row_is_set_aside_with_its_place_and_a_sentence_in_both_languages(
    row: str, code: str, column: str | None
) -> None:
    checked = visits(lines("S2,2026-11-01,10,1", row, "S2,2026-11-02,11,1"))

    problem = next(found for found in checked.report.problems if found.code == code)
    assert ("visits.csv", 3, column) == (problem.file, problem.row, problem.column)
    assert all(problem.text(language) for language in ("ko", "en"))
    assert [(3, code)] == list(checked.set_aside[["row", "problem"]].itertuples(index=False, name=None))
    assert 2 == len(checked.kept)
    assert (3, 2, 1) == (checked.report.rows_read, checked.report.rows_kept, checked.report.rows_set_aside)


def test_a_row_with_two_mistakes_is_told_both_and_set_aside_once() -> None:
    checked = visits(lines("S9,2026-11-01,-5,1", "S1,2026-11-01,5,1"))

    assert {"store_unknown": 1, "visitors_negative": 1} == counted(checked)
    assert ["store_unknown"] == checked.set_aside["problem"].tolist()


def test_an_unknown_store_is_told_which_one_may_be_meant() -> None:
    stores = registered(S0017="day:Asia/Seoul")

    checked = visits(lines("S017,2026-11-01,5,1"), stores)

    assert "(S0017?)" in checked.report.problems[0].text("en")


def test_of_duplicates_one_row_counts_the_last() -> None:
    checked = visits(lines("S1,2026-11-01,5,1", "S1,2026-11-02,7,1", "S1,2026-11-01,6,1", "S1,2026-11-02,7,1"))

    assert [("S1", "2026-11-01", 6, True), ("S1", "2026-11-02", 7, True)] == kept(checked)
    assert {"duplicate_disagrees": 1, "duplicate_identical": 1} == counted(checked)
    assert [(2, 4), (3, 5)] == [(problem.row, problem.other_row) for problem in checked.report.problems]


def test_a_bad_row_does_not_replace_a_good_one_of_the_same_day() -> None:
    checked = visits(lines("S1,2026-11-01,5,1", "S1,2026-11-01,-6,1"))

    assert [("S1", "2026-11-01", 5, True)] == kept(checked)


def test_twenty_four_o_clock_is_midnight_of_the_next_day() -> None:
    checked = visits(lines("K1,2026-11-01 23:00,4,1", "K1,2026-11-01 24:00,5,1"), HOURLY)

    assert [("K1", "2026-11-01 23:00", 4, True), ("K1", "2026-11-02", 5, True)] == kept(checked)
    assert {"hour_ending_labels": 1} == counted(checked)


def test_an_hour_that_daylight_saving_skips_is_refused() -> None:
    checked = visits(lines("B1,2026-03-29 02:00,4,1", "B1,2026-03-29 03:00,5,1"), HOURLY)

    assert {"time_does_not_exist": 1} == counted(checked)
    assert "Europe/Berlin" in checked.report.problems[0].text("en")
    assert [("B1", "2026-03-29 03:00", 5, True)] == kept(checked)


@pytest.mark.parametrize(
    "rows",
    [
        ("B1,2026-10-25 02:00,4,1", "B1,2026-10-25 02:00,5,1"),
        ("B1,2026-10-25T02:00+02:00,4,1", "B1,2026-10-25T02:00+01:00,5,1"),
        ("B1,2026-10-25T00:00Z,4,1", "B1,2026-10-25T01:00Z,5,1"),
    ],
)
def test_an_hour_that_daylight_saving_repeats_is_summed(rows: tuple[str, str]) -> None:
    checked = visits(lines(*rows), HOURLY)

    assert [("B1", "2026-10-25 02:00", 9, True)] == kept(checked)
    assert 2 == checked.report.rows_kept


def test_a_lonely_repeated_hour_is_kept_and_mentioned() -> None:
    assert {"hour_repeated": 1} == counted(visits(lines("B1,2026-10-25 02:00,4,1"), HOURLY))


def test_times_in_utc_become_each_store_s_wall_clock() -> None:
    checked = visits(lines("B1,2026-11-01T08:00Z,4,1", "K1,2026-11-01T08:00Z,5,1"), HOURLY)

    assert [("B1", "2026-11-01 09:00", 4, True), ("K1", "2026-11-01 17:00", 5, True)] == kept(checked)


def test_rows_in_another_time_zone_than_most_are_set_aside() -> None:
    checked = visits(lines("K1,2026-11-01 09:00,4,1", "K1,2026-11-01 10:00,4,1", "K1,2026-11-01T02:00Z,4,1"), HOURLY)

    assert {"time_zone_mixed": 1} == counted(checked)
    assert [4] == checked.set_aside["row"].tolist()


def test_a_day_in_utc_that_begins_at_no_local_midnight_is_set_aside() -> None:
    checked = visits(lines("S1,2026-11-01T15:00Z,5,1", "S1,2026-11-01T13:00Z,5,1"))

    assert ({"day_not_midnight": 1}, [("S1", "2026-11-02", 5, True)]) == (counted(checked), kept(checked))


def test_a_store_by_hour_does_not_take_days() -> None:
    assert {"time_step_differs": 1} == counted(visits(lines("K1,2026-11-01,4,1"), HOURLY))


def test_a_day_that_is_not_over_is_kept_and_mentioned() -> None:
    checked = visits(lines("S1,2026-11-23,4,1"))

    assert ({"time_not_over": 1}, 1) == (counted(checked), len(checked.kept))


def test_zeros_without_a_column_open_are_mentioned_once() -> None:
    checked = visits(lines("S1,2026-11-01,0", "S1,2026-11-02,0", header="store_id,ts,visitors"))

    assert ({"zero_without_open": 1}, 2) == (counted(checked), len(checked.kept))


def test_a_count_far_above_a_store_s_own_is_kept_and_mentioned() -> None:
    days = [f"S1,2026-10-{day:02d},{40 + day},1" for day in range(1, 31)]

    checked = visits(lines(*days, "S1,2026-11-01,900,1"))

    assert {"visitors_unusual": 1} == counted(checked)
    assert "900" in checked.report.problems[0].text("en")


def test_day_and_hour_may_stand_in_two_columns() -> None:
    content = lines("K1,2026-11-01,13,4", "K1,2026-11-01,14:00,5", header="store_id,date,hour,visitors")

    assert [("K1", "2026-11-01 13:00", 4, True), ("K1", "2026-11-01 14:00", 5, True)] == kept(visits(content, HOURLY))


def test_parquet_passes_the_same_checks() -> None:
    days = np.array(["2026-11-01", "2026-11-02", "2026-11-25"], dtype="datetime64[ms]")
    content = parquet(
        [
            {"store_id": "S1", "ts": day, "visitors": number, "open": True}
            for day, number in zip(days, (5.0, -1.0, 3.0), strict=True)
        ]
    )

    checked = visits(content)

    assert [("S1", "2026-11-01", 5, True)] == kept(checked)
    assert [("time_future", 3), ("visitors_negative", 2)] == sorted(
        (found.code, found.row) for found in checked.report.problems
    )


def test_without_any_store_the_file_is_refused() -> None:
    with pytest.raises(RefusedDrop, match="no_stores"):
        visits(lines("S1,2026-11-01,5,1"), registered())


def test_a_file_of_bad_rows_alone_keeps_nothing_and_says_so() -> None:
    checked = visits(lines("S1,2026-11-01", "S1,2026-11-02"))

    assert (0, 2, 0) == (len(checked.kept), checked.report.rows_set_aside, checked.report.rows_kept)
    assert list(checked.kept) == ["store_id", "ts", "visitors", "open"]


def test_a_thousand_problems_are_listed_and_all_are_counted() -> None:
    checked = visits(lines(*(f"S1,2026-11-01,-{number},1" for number in range(1, 1502))))

    document = checked.report.document()
    assert (1000, 501) == (len(checked.report.problems), document["not_listed"])
    assert {"visitors_negative": 1501} == counted(checked)


def test_a_value_is_shown_short_and_on_one_line() -> None:
    checked = visits(lines("S1,2026-11-01," + "\x1b" + "[31m=cmd|" * 30 + ",1"))

    shown = checked.report.problems[0].value
    assert 80 == len(shown)
    assert "\x1b" not in shown


cell = st.one_of(
    st.sampled_from(
        ["S1", "S2", "S9", "", "2026-11-01", "2026-11-02", "2026-11-01 13:00", "2026-11-01T00:00Z", "2027-01-01"]
    ),
    st.sampled_from(["5", "-1", "2.5", "0", "many", "1e3", "12,5", "0", "1", "예", '"', "\0", "\r", " "]),
    st.text(max_size=5),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(cell, min_size=1, max_size=6), min_size=1, max_size=15))
def test_every_row_is_kept_or_set_aside_whatever_is_sent(rows: list[list[str]]) -> None:
    content = lines("S1,2026-10-01,5,1", *(",".join(row) for row in rows))
    try:
        table = read_table(io.BytesIO(content), "visits.csv", VISITS_COLUMNS)
    except RefusedDrop:
        return

    checked = check_visits(table, registered(S1="day:Asia/Seoul", S2="hour:Europe/Berlin"), NOW)

    report = checked.report
    assert len(table) == report.rows_read == report.rows_kept + report.rows_set_aside
    assert report.rows_set_aside == len(checked.set_aside) == checked.set_aside["row"].nunique()
    assert not checked.kept.duplicated(["store_id", "ts"]).any()
    numbers = checked.kept["visitors"]
    assert ((numbers >= 0) & (numbers == numbers.round()) | numbers.isna()).all()
    assert numbers[~checked.kept["open"]].isna().all()
    assert (checked.kept["ts"] <= pd.Timestamp("2026-11-23 12:00")).all()
    assert all(problem.text("ko") and problem.text("en") for problem in report.problems)


@given(st.integers(0, 1_000_000), st.sampled_from([".", ","]))
def test_a_whole_number_is_read_as_it_is_written(number: int, decimal: str) -> None:
    thousands = "," if decimal == "." else "."

    assert number == parse_count(str(number), decimal) == parse_count(f"{number:,}".replace(",", thousands), decimal)


@given(st.text(max_size=40))
def test_any_text_is_a_moment_or_a_code(text: str) -> None:
    found = parse_when(text)

    assert not isinstance(found, str) or found in SENTENCES


def test_every_code_has_both_languages_and_warnings_are_codes() -> None:
    assert set(SENTENCES) >= WARNINGS
    assert all({"ko", "en"} == set(sentence) for sentence in SENTENCES.values())
