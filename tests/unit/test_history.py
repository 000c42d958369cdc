"""HISTORY: closed, zero and missing kept apart; nothing known after the last known day; facts where they belong."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawcast.forecasting import history as module
from pawcast.forecasting.history import data_version, freshness, history
from pawcast.forecasting.holidays_by_region import kind_of, of_year
from pawcast.forecasting.openness import Rows, usual_openings
from pawcast.forecasting.panel import panel_from_frame
from pawcast.forecasting.warehouse import CALENDAR, PROMOTIONS, STORES, VISITS
from pawcast.forecasting.weekly.week import Week

WEEK = Week.parse("2026-W49")  # 2026-11-30 to 12-06; known until 11-22
KNOWN = pd.date_range("2026-08-31", "2026-11-22")


def stores(*rows: dict[str, Any]) -> pd.DataFrame:
    base = {"region": "KR", "plans_by": "day", "time_zone": "Asia/Seoul"}
    return STORES.typed(pd.DataFrame([base | row for row in rows] or [base | {"store_id": "a"}]))


def visits(days: pd.DatetimeIndex = KNOWN, store: str = "a", visitors: float = 10.0, **more: Any) -> pd.DataFrame:
    rows = pd.DataFrame({"store_id": store, "ts": days, "visitors": visitors, "open": True} | more)
    return VISITS.typed(rows).copy()


def made(
    rows: pd.DataFrame, table: pd.DataFrame | None = None, calendar: Any = (), promotions: Any = (), week: Week = WEEK
) -> pd.DataFrame:
    known = stores() if table is None else table
    frames = [
        shape.typed(pd.DataFrame(list(given_))) for shape, given_ in ((CALENDAR, calendar), (PROMOTIONS, promotions))
    ]
    for frame, columns in zip(frames, (["day"], ["from_day", "to_day"]), strict=True):
        frame[columns] = frame[columns].astype("datetime64[us]")
    return history(rows, known, frames[0], frames[1], week).set_index("ts")


def times(frame: Any) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(frame.index)


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text)


def test_history_reaches_from_the_first_visit_to_the_sunday_of_the_target_week() -> None:
    found = made(visits())

    assert (KNOWN[0], day("2026-12-06"), 98) == (found.index[0], found.index[-1], len(found))
    assert found["visitors"][: day("2026-11-22")].notna().all()
    assert found["visitors"][day("2026-11-23") :].isna().all()
    assert found["open"].all()


def test_closed_zero_and_missing_are_three_things() -> None:
    rows = visits()
    rows.loc[rows["ts"] == day("2026-11-17"), "visitors"] = 0
    rows.loc[rows["ts"] == day("2026-11-18"), ["visitors", "open"]] = [np.nan, False]
    rows = rows[rows["ts"] != day("2026-11-19")]

    found = made(VISITS.typed(rows))

    assert (0, True) == tuple(found.loc[day("2026-11-17"), ["visitors", "open"]])
    assert not found.loc[day("2026-11-18"), "open"]
    assert found.loc[day("2026-11-19"), "open"]
    assert found.loc[[day("2026-11-18"), day("2026-11-19")], "visitors"].isna().all()


def test_a_store_that_never_opened_on_sundays_lately_is_closed_on_sundays() -> None:
    found = made(visits(KNOWN[KNOWN.day_of_week != 6]))

    sundays = times(found).day_of_week == 6
    assert not found["open"][sundays].any()
    assert found["open"][~sundays].all()


def test_the_calendar_says_otherwise() -> None:
    calendar = [
        {"store_id": "a", "day": day("2026-12-06"), "open": 1.0},
        {"region": "KR", "day": day("2026-12-02"), "open": 0.0},
    ]

    found = made(visits(KNOWN[KNOWN.day_of_week != 6]), calendar=calendar)

    assert (True, False) == (found.loc[day("2026-12-06"), "open"], found.loc[day("2026-12-02"), "open"])


def test_a_store_s_own_calendar_counts_more_than_its_region_s_and_everybody_s() -> None:
    same = day("2026-12-02")
    calendar = [
        {"store_id": "a", "day": same, "open": 1.0},
        {"region": "DE-BY", "day": same, "open": 0.0},
        {"region": "DE", "day": same, "open": 1.0},
        {"region": "*", "day": same, "open": 0.0},
    ]
    table = stores(
        {"store_id": "a", "region": "DE-BY"},
        {"store_id": "b", "region": "DE-BY"},
        {"store_id": "c", "region": "DE"},
        {"store_id": "d", "region": "JP"},
    )

    found = made(pd.concat([visits(store=store) for store in "abcd"]), table, calendar)

    assert {"a": True, "b": False, "c": True, "d": False} == found.loc[same].set_index("store_id")["open"].to_dict()


def test_two_weeks_of_rows_close_no_day_by_their_silence() -> None:
    found = made(visits(KNOWN[(KNOWN >= day("2026-11-09")) & (KNOWN.day_of_week != 6)]))

    assert found["open"].all()


def test_a_gap_of_weeks_does_not_teach_that_a_store_is_closed() -> None:
    found = made(visits(KNOWN[(KNOWN < day("2026-09-28")) & (KNOWN.day_of_week != 6)]))

    late = found[day("2026-10-05") :]
    assert ((times(late).day_of_week == 6) == ~late["open"]).all()


def test_a_holiday_on_which_a_store_was_closed_last_year_is_closed_this_year() -> None:
    long = pd.date_range("2025-09-01", "2026-11-22")
    rows = visits(long)
    rows.loc[rows["ts"] == day("2025-12-25"), "open"] = False

    found = made(rows, week=Week.parse("2026-W52"))

    assert not found.loc[day("2026-12-25"), "open"]
    assert "Christmas Day" == found.loc[day("2026-12-25"), "holiday_kind"]
    assert found.loc[day("2026-12-24"), "open"]


def test_holidays_are_those_of_the_store_s_region() -> None:
    table = stores(
        {"store_id": "a", "region": "KR"}, {"store_id": "b", "region": "DE-BY"}, {"store_id": "c", "region": "XX"}
    )

    found = made(pd.concat([visits(store=store) for store in "abc"]), table)

    assert {"a": "0", "b": "All Saints' Day", "c": "0"} == found.loc[day("2026-11-01")].set_index("store_id")[
        "holiday_kind"
    ].to_dict()
    assert "Hangul Day" == found[found["store_id"] == "a"].loc[day("2026-10-09"), "holiday_kind"]


def test_promotions_reach_whom_they_name_on_each_of_their_days() -> None:
    table = stores({"store_id": "a"}, {"store_id": "b", "region": "JP"})
    promotions = [
        {"promotion_id": "1", "store_id": "a", "from_day": day("2026-12-01"), "to_day": day("2026-12-02")},
        {"promotion_id": "2", "region": "JP", "from_day": day("2026-12-02"), "to_day": day("2026-12-03")},
        {"promotion_id": "3", "region": "*", "from_day": day("2026-12-06"), "to_day": day("2027-01-31")},
        {"promotion_id": "4", "region": "*", "from_day": day("2020-01-01"), "to_day": day("2020-01-31")},
    ]

    found = made(pd.concat([visits(), visits(store="b")]), table, promotions=promotions)

    on = {store: [ts.day for ts in part.index[part["promo"]]] for store, part in found.groupby("store_id")}
    assert {"a": [1, 2, 6], "b": [2, 3, 6]} == on


def test_school_holidays_come_from_the_calendar() -> None:
    found = made(visits(), calendar=[{"region": "KR", "day": day("2026-12-03"), "school_holiday": 1.0}])

    assert [day("2026-12-03")] == list(found.index[found["school_holiday"]])


def test_a_store_by_hour_opens_in_its_hours_and_where_it_has_rows() -> None:
    table = stores({"store_id": "a", "plans_by": "hour", "opens_at": 10, "closes_at": 13})
    hours = pd.DatetimeIndex(
        [ts + pd.Timedelta(hours=hour) for ts in KNOWN for hour in (10, 11, 12) if ts.day_of_week != 6 or hour != 10]
    )

    found = made(visits(hours), table)

    last = found[day("2026-12-05") :]
    assert [10, 11, 12, 11, 12] == list(times(last).hour)  # Saturday, Sunday
    assert last["open"].all()


def test_a_calendar_with_hours_changes_the_hours_of_a_day() -> None:
    table = stores({"store_id": "a", "plans_by": "hour", "opens_at": 10, "closes_at": 12})
    hours = pd.DatetimeIndex([ts + pd.Timedelta(hours=hour) for ts in KNOWN for hour in (10, 11)])
    calendar = [{"store_id": "a", "day": day("2026-12-04"), "opens_at": 8.0, "closes_at": 11.0}]

    found = made(visits(hours), table, calendar)

    friday = found.loc["2026-12-04"]
    assert [8, 9, 10] == list(times(friday[friday["open"]]).hour)


def test_days_of_a_store_that_went_from_days_to_hours_are_no_hours() -> None:
    table = stores({"store_id": "a", "plans_by": "hour", "opens_at": 10, "closes_at": 12})

    found = made(visits(visitors=500.0), table)

    assert {10, 11} == set(times(found).hour)
    assert found["visitors"].isna().all()


def test_hours_of_a_store_that_went_from_hours_to_days_add_up() -> None:
    hours = pd.DatetimeIndex([ts + pd.Timedelta(hours=hour) for ts in KNOWN for hour in (10, 11)])

    assert {20.0} == set(made(visits(hours, visitors=10.0))["visitors"].dropna())


def test_a_store_without_visits_has_the_target_week_alone() -> None:
    found = made(visits(), stores({"store_id": "a"}, {"store_id": "new"}))

    new = found[found["store_id"] == "new"]
    assert (list(pd.date_range("2026-11-30", "2026-12-06")), True) == (list(new.index), bool(new["open"].all()))


def test_no_store_and_no_visits_make_an_empty_history() -> None:
    assert 0 == len(made(VISITS.empty(), stores().iloc[:0]))


@pytest.mark.parametrize("plans_by", ["day", "hour"])
def test_the_model_takes_what_comes_out(plans_by: str) -> None:
    table = stores({"store_id": "a", "plans_by": plans_by}, {"store_id": "b", "plans_by": plans_by})
    ts = KNOWN + pd.Timedelta(hours=9 if plans_by == "hour" else 0)

    panel = panel_from_frame(made(visits(ts), table).reset_index(), slots=24 if plans_by == "hour" else 1)

    assert ["a", "b"] == list(panel.stores)
    assert panel.week_of(np.datetime64("2026-11-30")) == panel.weeks - 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_what_happens_after_the_last_known_day_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = pd.concat([visits(), visits(store="b")])[rng.random(2 * len(KNOWN)) < 0.8]
    later = visits(pd.date_range("2026-11-23", "2026-12-31"), visitors=999.0, open=rng.random(39) < 0.5)
    table = stores({"store_id": "a"}, {"store_id": "b", "region": "DE-BY"})

    pd.testing.assert_frame_equal(made(rows, table), made(pd.concat([later, rows]), table))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6))
def test_blocks_of_stores_do_not_show(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = pd.concat([visits(store=store) for store in "abcde"])[rng.random(5 * len(KNOWN)) < 0.7]
    table = stores(
        *(
            {"store_id": store, "region": region}
            for store, region in zip("abcde", ("KR", "JP", "DE", "US", "FR"), strict=True)
        )
    )
    whole = made(rows, table)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_CELLS", 1)
        apart = made(rows, table)

    pd.testing.assert_frame_equal(whole, apart)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_usual_openings_are_those_of_a_slow_loop(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weeks, known = 16, 14
    seen = (rng.random((3, weeks * 7, 2)) < rng.random((3, 1, 1))) & (rng.random((3, weeks, 1, 1)) < 0.7).repeat(
        7, 1
    ).reshape(3, -1, 1)
    opened = seen & (rng.random(seen.shape) < 0.5)
    found = usual_openings(Rows(seen, opened), known)

    by_week = [matrix.reshape(3, weeks, 14) for matrix in (seen, opened)]
    for store in range(3):
        told = [week for week in range(known) if by_week[0][store, week].any()]
        for week in range(weeks):
            past = [each for each in told if each <= week]
            looked_at = past[-8:] if len(past) >= 8 else told[:8]
            for cell in range(14):
                rows_there = any(by_week[0][store, each, cell] for each in looked_at)
                ever_open = any(by_week[1][store, each, cell] for each in looked_at)
                expected = ever_open or not (rows_there or len(looked_at) >= 3)
                assert expected == found.reshape(3, weeks, 14)[store, week, cell]


def test_freshness_names_the_stores_that_lack_a_day_they_usually_open() -> None:
    table = stores(*({"store_id": store} for store in ("full", "gone", "late", "new", "sunday")))
    rows = pd.concat(
        [
            visits(store="full"),
            visits(KNOWN[KNOWN < day("2026-10-01")], store="gone"),
            visits(KNOWN[KNOWN != day("2026-11-20")], store="late"),
            visits(KNOWN[KNOWN.day_of_week != 6], store="sunday"),
        ]
    )

    fresh = freshness(rows, table, WEEK, calendar=CALENDAR.empty(), version="v")

    assert ((5, ("gone", "late"), 0.6, "v"), len(rows)) == (
        (fresh.stores, fresh.missing, fresh.share, fresh.data_version),
        fresh.visits,
    )


def test_a_day_that_the_calendar_closes_is_not_missed() -> None:
    rows = visits(KNOWN[KNOWN != day("2026-11-20")])
    closed = CALENDAR.typed(pd.DataFrame([{"store_id": "a", "day": day("2026-11-20"), "open": 0.0}]))

    assert () == freshness(rows, stores(), WEEK, calendar=closed).missing


def test_the_data_version_is_of_rows_and_not_of_their_order() -> None:
    rows, until = visits(), WEEK.known_until
    changed = rows.assign(visitors=rows["visitors"] + (rows["ts"] == KNOWN[3]))
    later = pd.concat([rows, visits(pd.date_range("2026-11-23", "2026-11-24"))])

    version = data_version(rows, (stores(),), until)

    assert (
        version == data_version(VISITS.typed(rows[::-1]), (stores(),), until) == data_version(later, (stores(),), until)
    )
    assert version != data_version(changed, (stores(),), until)


def test_kinds_of_holidays_are_the_same_every_year() -> None:
    assert ("Buddha's Birthday", "substitute", "substitute", "one day off", "Independence Day") == tuple(
        kind_of(name)
        for name in (
            "Buddha's Birthday; Children's Day",
            "Alternative holiday for Chuseok",
            "Independence Day (observed)",
            "Presidential Election Day",
            "Independence Day",
        )
    )
    assert of_year("KR", 2026) == of_year("KR", 2026)
    with pytest.raises(KeyError, match="XX"):
        of_year("XX", 2026)
