"""Stores, calendar and promotions: defaults, what is refused, whom a row speaks of."""

import pandas as pd
import pytest

from tests.support.drops import counted, facts, lines

STORE = "store_id,region,time_zone,plans_by,visitors_per_person"


def stores(*rows: str, more: str = "") -> pd.DataFrame:
    return facts("stores", lines(*rows, header=STORE + more)).kept


def test_a_store_needs_five_columns_and_gets_defaults() -> None:
    (row,) = stores("S1,de-by,Europe/Berlin,day,40").to_dict("records")

    assert ("S1", "DE-BY", "en", "", 0.8, 3, 0, 1) == tuple(
        row[name]
        for name in ("name", "region", "language", "mail", "service_quantile", "min_staff", "max_staff", "active")
    )
    assert pd.isna(row["opens_at"])


@pytest.mark.parametrize(
    ("row", "more", "code"),
    [
        (",KR,Asia/Seoul,day,40", "", "value_missing"),
        ("S 1,KR,Asia/Seoul,day,40", "", "store_id_unusable"),
        ("S1,Atlantis,Asia/Seoul,day,40", "", "region_unknown"),
        ("S1,KR,Seoul,day,40", "", "zone_unknown"),
        ("S1,KR,../etc,day,40", "", "zone_unknown"),
        ("S1,KR,Asia/Seoul,week,40", "", "choice_unknown"),
        ("S1,KR,Asia/Seoul,day,0", "", "number_unreadable"),
        ("S1,KR,Asia/Seoul,day,nan", "", "value_missing"),
        ("S1,KR,Asia/Seoul,day,40,2", ",min_staff", "number_unreadable"),
        ("S1,KR,Asia/Seoul,day,40,0.85", ",service_quantile", "choice_unknown"),
        ("S1,KR,Asia/Seoul,day,40,5,4", ",min_staff,max_staff", "number_unreadable"),
        ("S1,KR,Asia/Seoul,day,40,21,9", ",opens_at,closes_at", "hours_reversed"),
        ("S1,KR,Asia/Seoul,day,40,9,", ",opens_at,closes_at", "hours_reversed"),
        ("S1,KR,Asia/Seoul,day,40,25,26", ",opens_at,closes_at", "number_unreadable"),
        ("S1,KR,Asia/Seoul,day,40,maybe", ",active", "flag_unreadable"),
    ],
)
def test_a_bad_store_is_set_aside_and_the_others_stay(row: str, more: str, code: str) -> None:
    extra = "," * more.count(",")

    checked = facts("stores", lines(f"S2,KR,Asia/Seoul,day,40{extra}", row, header=STORE + more))

    assert ({code}, ["S2"]) == (set(counted(checked)), checked.kept["store_id"].tolist())
    assert [3] == checked.set_aside["row"].tolist()


def test_a_store_with_an_unusable_address_is_taken_without_it() -> None:
    checked = facts("stores", lines("S1,KR,Asia/Seoul,day,40,nobody", header=STORE + ",mail"))

    assert ({"mail_unreadable": 1}, [""]) == (counted(checked), checked.kept["mail"].tolist())


def test_a_calendar_row_speaks_of_a_registered_store_a_region_or_everybody() -> None:
    rows = ("S1,,2026-12-25,0", ",KR,2026-12-25,1", ",*,2026-12-31,0", "S9,,2026-12-25,0", ",,2026-12-25,0")

    checked = facts("calendar", lines(*rows, header="store_id,region,day,open"))

    assert [("S1", ""), ("", "KR"), ("", "*")] == list(
        checked.kept[["store_id", "region"]].itertuples(index=False, name=None)
    )
    assert {"store_unknown": 1, "value_missing": 1} == counted(checked)


def test_a_school_holiday_may_have_a_name() -> None:
    checked = facts("calendar", lines("KR,2026-12-25,winter", "KR,2026-12-26,0", header="region,day,school_holiday"))

    assert [1, 0] == checked.kept["school_holiday"].tolist()


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("P2,*,2026-12-01,", "promotion_without_end"),
        ("P2,*,2026-12-05,2026-12-01", "promotion_reversed"),
        ("P2,*,2026-12-01,2029-12-01", "promotion_too_long"),
        ("P2,*,2026-12-01 13:00,2026-12-02", "day_not_midnight"),
        ("P2,,2026-12-01,2026-12-02", "value_missing"),
        (",*,2026-12-01,2026-12-02", "value_missing"),
    ],
)
def test_a_promotion_that_can_t_be_used_is_set_aside(row: str, code: str) -> None:
    checked = facts(
        "promotions", lines("P1,KR,2026-12-01,2026-12-05", row, header="promotion_id,region,from_day,to_day")
    )

    assert ({code: 1}, ["P1"]) == (counted(checked), checked.kept["promotion_id"].tolist())


def test_of_two_rows_of_a_store_the_last_counts() -> None:
    checked = facts("stores", lines("S1,KR,Asia/Seoul,day,40", "S1,KR,Asia/Seoul,day,50", header=STORE))

    assert ({"duplicate_disagrees": 1}, [50]) == (counted(checked), checked.kept["visitors_per_person"].tolist())
