"""Visits: from columns of text to rows of the warehouse, and everything that can be wrong with them.

Each distinct text is read once (`cells`); what follows are masks over all rows. Checks that do not need each other all
run, so a sender hears of a wrong store and a wrong count in the same row at once.

Closed is not zero: `open` 0 has no visitors, whatever its count says (0 or empty). Missing is not closed: `open` 1
without a count is kept as open and unknown; without `open`, an empty count is refused, because nobody can say what it
means. The moment that "future" is measured by is when S3 took the file, so the same file is always read the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawcast.errors import RefusedDrop
from pawcast.forecasting.ingest.cells import (
    EARLIEST_YEAR,
    LARGEST_COUNT,
    NO_OFFSET,
    When,
    is_nothing,
    parse_count,
    parse_flag,
    parse_when,
)
from pawcast.forecasting.ingest.checked import Bools, Checked, RowChecks, microseconds, store_positions, texts_of
from pawcast.forecasting.ingest.clocks import DAY_US, HOUR_US, Moments, place
from pawcast.forecasting.ingest.columns import Columns, Encoded, RawTable
from pawcast.forecasting.ingest.report import LISTED_AT_MOST

VISITS_COLUMNS: Final = Columns(
    required=("store_id", "ts", "visitors"),
    optional=("open", "hour"),
    numbers=("visitors",),
    also_called={
        **dict.fromkeys(("store", "store_no", "shop", "shop_id", "매장", "매장번호", "매장_번호", "점포"), "store_id"),
        **dict.fromkeys(("date", "day", "datetime", "timestamp", "visit_date", "날짜", "일자", "일시"), "ts"),
        **dict.fromkeys(
            ("visits", "customers", "count", "방문자", "방문자수", "방문자_수", "방문객", "고객수"), "visitors"
        ),
        **dict.fromkeys(("is_open", "영업", "영업여부", "영업_여부"), "open"),
        **dict.fromkeys(("time", "시간", "시각", "시"), "hour"),
    },
)
MINUTE_US: Final = 60_000_000
# A count far above a store's own: four times what 98 % of its rows stay below, if it has enough rows to say.
UNUSUAL_TIMES: Final = 4
UNUSUAL_SHARE: Final = 0.98
UNUSUAL_ROWS: Final = 28
UNUSUAL_LEAST: Final = 50
UNSAID: Final = -1


def check_visits(table: RawTable, stores: pd.DataFrame, received_at: datetime) -> Checked:
    """Check a file of visits against the registered stores (STORES).

    Returns:
        kept: store_id, ts, visitors, open.

    Raises:
        RefusedDrop: no store is registered.
    """
    if stores.empty:
        raise RefusedDrop("no_stores")
    known = stores["store_id"].astype(str).tolist()
    by_day = (stores["plans_by"] == "day").to_numpy(np.bool_)
    checks = RowChecks(table)
    store = _stores(checks, known)
    times = _times(checks)
    visitors, is_open = _counts(checks)
    timed = np.flatnonzero((store >= 0) & times.read)
    moments = _placed(checks, times, store, stores, by_day, timed)
    utc, wall = np.zeros(len(store), np.int64), np.zeros(len(store), np.int64)
    utc[timed], wall[timed] = moments.utc_us, moments.wall_us
    _check_steps(checks, times, wall, store, by_day, timed)
    _check_future(checks, utc, store, by_day, timed, microseconds(received_at))
    count = np.where(np.isnan(visitors), -1, visitors).astype(np.int64)
    checks.duplicates((store.astype(np.int64) << 32) + utc // MINUTE_US, 2 * count + is_open, "visitors")
    _mention(checks, store, visitors, is_open, times, wall, by_day)
    return checks.finished(_frame(checks.good, store, wall, visitors, is_open, known))


def _stores(checks: RowChecks, known: Sequence[str]) -> NDArray[np.int32]:
    column = checks.table.columns["store_id"]
    positions, problems, guesses = store_positions(column.texts, known)
    checks.by_text("store_id", problems, limit_of_text=guesses)
    return positions[column.codes]


@dataclass(frozen=True, eq=False)
class _Times:
    """[row] times as written; `read` where they could be."""

    written_us: NDArray[np.int64]
    offset_minutes: NDArray[np.int16]
    has_hour: Bools
    was_24: Bools
    read: Bools


def _times(checks: RowChecks) -> _Times:
    column = checks.table.columns["ts"]
    hours = checks.table.columns.get("hour")
    codes, texts = (column.codes, column.texts) if hours is None else _with_hours(column, hours)
    parsed = [parse_when(text) for text in texts]
    whens = [found if isinstance(found, When) else When(0, NO_OFFSET, False) for found in parsed]
    problem = np.array([found if isinstance(found, str) else "" for found in parsed], dtype=object)
    for code in sorted(set(problem.tolist()) - {""}):
        limit = str(EARLIEST_YEAR) if code == "time_too_old" else ""
        checks.set_aside(code, (problem == code)[codes], "ts", limits=limit)
    return _Times(
        np.array([when.wall_us for when in whens], np.int64)[codes],
        np.array([when.offset_minutes for when in whens], np.int16)[codes],
        np.array([when.has_hour for when in whens], np.bool_)[codes],
        np.array([when.was_24 for when in whens], np.bool_)[codes],
        (problem == "")[codes],
    )


def _with_hours(days: Encoded, hours: Encoded) -> tuple[NDArray[np.intp], list[str]]:
    """A day in one column and its hour (13, 13:00) in another, as one text."""
    pairs = days.codes.astype(np.int64) * len(hours.texts) + hours.codes
    distinct, codes = np.unique(pairs, return_inverse=True)
    day, hour = np.divmod(distinct, len(hours.texts))
    texts = []
    for day_code, hour_code in zip(day, hour, strict=True):
        clock = hours.texts[hour_code].strip()
        written = days.texts[day_code].strip()
        texts.append(written if is_nothing(clock) else f"{written} {clock}")
    return codes, texts


def _counts(checks: RowChecks) -> tuple[NDArray[np.float64], NDArray[np.int8]]:
    """[row] visitors (NaN: none) and whether open, after settling what the two columns say together."""
    column, flags = checks.table.columns["visitors"], texts_of(checks.table, "open")
    counts = [parse_count(text, checks.table.decimal) for text in column.texts]
    numbers = np.array([found if isinstance(found, int) else np.nan for found in counts], np.float64)[column.codes]
    empty = np.array([found == "visitors_missing" for found in counts], np.bool_)[column.codes]
    problems = [found if isinstance(found, str) and found != "visitors_missing" else "" for found in counts]
    checks.by_text("visitors", problems, limit_of_text=f"{LARGEST_COUNT:,}")
    said = [parse_flag(text) for text in flags.texts]
    if "open" in checks.table.columns:
        checks.by_text("open", [found if isinstance(found, str) else "" for found in said])
    flag = np.array([UNSAID if isinstance(found, str) else found for found in said], np.int8)[flags.codes]
    checks.set_aside("closed_with_visitors", (flag == 0) & (numbers > 0), "visitors")
    checks.set_aside("visitors_missing", empty & (flag == UNSAID), "visitors")
    numbers[flag == 0] = np.nan
    if ((flag == UNSAID) & (numbers == 0) & checks.good).any():
        checks.log.file_problem("zero_without_open", column="open")
    checks.warn("visitors_unknown", empty & (flag == 1) & checks.good, "visitors")
    return numbers, np.where(flag == 0, 0, 1).astype(np.int8)


def _placed(
    checks: RowChecks,
    times: _Times,
    store: NDArray[np.int32],
    stores: pd.DataFrame,
    by_day: Bools,
    timed: NDArray[np.intp],
) -> Moments:
    zones, zone_of_store = np.unique(stores["time_zone"].astype(str).to_numpy(dtype=object), return_inverse=True)
    zone_of_row = zone_of_store[store[timed]].astype(np.int32)
    moments = place(
        times.written_us[timed],
        times.offset_minutes[timed],
        zone_of_row,
        [str(zone) for zone in zones],
        store[timed],
        by_day[store[timed]],
    )
    on_rows = partial(_on_rows, timed, len(store))
    checks.set_aside("time_zone_mixed", on_rows(moments.mixed), "ts", limits=moments.way)
    skipped = np.flatnonzero(moments.nonexistent)
    limits = [str(zones[zone]) for zone in zone_of_row[skipped]]
    checks.set_aside("time_does_not_exist", on_rows(moments.nonexistent), "ts", limits=limits)
    checks.warn("hour_repeated", on_rows(moments.repeated) & checks.good, "ts")
    return moments


def _on_rows(timed: NDArray[np.intp], rows: int, marks: Bools) -> Bools:
    found = np.zeros(rows, np.bool_)
    found[timed[marks]] = True
    return found


def _check_steps(
    checks: RowChecks,
    times: _Times,
    wall: NDArray[np.int64],
    store: NDArray[np.int32],
    by_day: Bools,
    timed: NDArray[np.intp],
) -> None:
    """A store that plans by day sends days, one that plans by hour sends hours."""
    on_rows = partial(_on_rows, timed, len(store))
    daily, with_zone = by_day[store[timed]], times.offset_minutes[timed] != NO_OFFSET
    within_day = wall[timed] % DAY_US != 0
    checks.set_aside("day_not_midnight", on_rows(daily & within_day & with_zone), "ts")
    checks.set_aside("time_step_differs", on_rows(daily & within_day & ~with_zone), "ts", limits="day")
    checks.set_aside("time_step_differs", on_rows(~daily & ~times.has_hour[timed]), "ts", limits="hour")
    checks.set_aside("time_between_hours", on_rows(~daily & (wall[timed] % HOUR_US != 0)), "ts")


def _check_future(
    checks: RowChecks,
    utc: NDArray[np.int64],
    store: NDArray[np.int32],
    by_day: Bools,
    timed: NDArray[np.intp],
    received_us: int,
) -> None:
    on_rows = partial(_on_rows, timed, len(store))
    begins = utc[timed]
    ends = begins + np.where(by_day[store[timed]], DAY_US, HOUR_US)
    checks.set_aside("time_future", on_rows(begins > received_us), "ts")
    checks.warn("time_not_over", on_rows((begins <= received_us) & (ends > received_us)) & checks.good, "ts")


def _mention(
    checks: RowChecks,
    store: NDArray[np.int32],
    visitors: NDArray[np.float64],
    is_open: NDArray[np.int8],
    times: _Times,
    wall: NDArray[np.int64],
    by_day: Bools,
) -> None:
    """What is kept, but worth a look."""
    hourly = checks.good & ~by_day[store]
    if (times.was_24 & hourly).any() and not ((wall % DAY_US == 0) & ~times.was_24 & hourly).any():
        checks.log.file_problem("hour_ending_labels", column="ts")
    counted = np.flatnonzero(checks.good & (is_open == 1) & (visitors > 0))
    if not len(counted):
        return
    keys = np.sort((store[counted].astype(np.int64) << 24) + visitors[counted].astype(np.int64))
    each, start, rows = np.unique(keys >> 24, return_index=True, return_counts=True)
    at = start + ((rows - 1) * UNUSUAL_SHARE).astype(np.intp)
    bound = np.maximum(UNUSUAL_TIMES * (keys[at] & 0xFFFFFF), UNUSUAL_LEAST)
    bound_of = np.full(len(by_day), np.iinfo(np.int64).max)
    bound_of[each[rows >= UNUSUAL_ROWS]] = bound[rows >= UNUSUAL_ROWS]
    unusual = np.zeros(len(store), np.bool_)
    unusual[counted] = visitors[counted] > bound_of[store[counted]]
    limits = [f"{bound_of[number]:,}" for number in store[np.flatnonzero(unusual)[:LISTED_AT_MOST]]]
    checks.warn("visitors_unusual", unusual, "visitors", limits=limits)


def _frame(
    good: Bools,
    store: NDArray[np.int32],
    wall: NDArray[np.int64],
    visitors: NDArray[np.float64],
    is_open: NDArray[np.int8],
    known: Sequence[str],
) -> pd.DataFrame:
    """Good rows. The hour that daylight saving repeats comes twice by the wall clock: it is one row, their sum."""
    rows = np.flatnonzero(good)
    key = (store[rows].astype(np.int64) << 32) + wall[rows] // MINUTE_US
    order = np.argsort(key, kind="stable")
    rows, key = rows[order], key[order]
    first = np.append(True, key[1:] != key[:-1]) if len(key) else np.zeros(0, np.bool_)
    count, opened = visitors[rows], is_open[rows] == 1
    if not first.all():
        start = np.flatnonzero(first)
        unknown = np.add.reduceat(np.isnan(count) & opened, start) > 0
        summed = np.add.reduceat(np.nan_to_num(count), start)
        opened = np.add.reduceat(opened.astype(np.int64), start) > 0
        count = np.where(unknown | ~opened, np.nan, summed)
    rows = rows[first]
    return pd.DataFrame(
        {
            "store_id": pd.Categorical.from_codes(store[rows], categories=pd.Index(np.array(known, dtype=object))),
            "ts": wall[rows].view("datetime64[us]"),
            "visitors": count,
            "open": opened,
        }
    )
