"""From the warehouse's tables to HISTORY, what the model eats.

One row for each store and day (or open hour, for a store that plans by hour), from a store's first visit to the Sunday
of the week to forecast. Visitors are NaN after the last known day, whatever the warehouse may hold by then.

Three things are kept apart. *Closed*: a row says so, the calendar says so, or the store never opens then. *Zero*: a row
says open, and nobody came. *Missing*: no row, where the store would be open; it stays open, with visitors unknown.

Where no row says whether a store is open, this decides (`pawcast.forecasting.openness`), the first that knows:

1. the calendar;
2. on a public holiday, what the store did on the last holiday of that kind, or most of its region's stores did;
3. what it did in the last 8 weeks that have rows: an hour of the week in which it never opened is closed;
4. its opening hours, if it plans by hour; open otherwise.

All stores of a block are done at once, on matrices [store, day, slot]; a slot is an hour, or the whole day.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawcast.forecasting.facts_grid import Facts, facts_of
from pawcast.forecasting.openness import Rows, is_open, opening_window, usual_openings
from pawcast.forecasting.weekly.opening import Freshness
from pawcast.forecasting.weekly.week import Week

type Index = NDArray[np.intp]

BLOCK_CELLS: Final = 8_000_000  # bounds memory, whatever the number of stores
HOURS_A_DAY: Final = 24
DAYS_A_WEEK: Final = 7
EXPECTED_FROM_WEEKS: Final = 8
_HOUR: Final = np.timedelta64(1, "h")
_DAY: Final = np.timedelta64(1, "D")


def history(
    visits: pd.DataFrame, stores: pd.DataFrame, calendar: pd.DataFrame, promotions: pd.DataFrame, week: Week
) -> pd.DataFrame:
    """HISTORY of every store of `stores`: those that plan by day, then those by hour, sorted by store and time.

    Args:
        visits: the latest row of each key: store_id, ts (wall clock), visitors, open.
        stores: STORES, one row a store.
        calendar: CALENDAR.
        promotions: PROMOTIONS.
        week: the week to forecast; rows after its `known_until` are not looked at.

    Returns:
        store_id, ts, visitors, open, promo, holiday_kind ("0": none), school_holiday. A store without any visit has the
        target week alone. Of a store that plans by hour, closed hours have a row on public holidays and where they were
        delivered; any other hour without a row is closed.
    """
    stores = stores.sort_values(["plans_by", "store_id"], ignore_index=True)
    known = _known(visits, stores, week)
    parts = []
    for plans_by, slots in (("day", 1), ("hour", HOURS_A_DAY)):
        mine = np.flatnonzero((stores["plans_by"] == plans_by).to_numpy())
        for first, last in _blocks(mine, known, slots, week):
            parts.append(_of_block(stores.iloc[first:last], known.of(first, last), calendar, promotions, slots, week))
    return pd.concat(parts, ignore_index=True) if parts else _empty()


@dataclass(frozen=True, eq=False)
class _Known:
    """Rows of known days of known stores, sorted by the position of their store."""

    store: Index
    ts: NDArray[np.datetime64]
    visitors: NDArray[np.float64]
    open: NDArray[np.bool_]

    def of(self, first: int, last: int) -> "_Known":
        """The rows of stores [first, last), stores counted from the first."""
        here = slice(*np.searchsorted(self.store, [first, last]).tolist())
        return _Known(self.store[here] - first, self.ts[here], self.visitors[here], self.open[here])


def _known(visits: pd.DataFrame, stores: pd.DataFrame, week: Week) -> _Known:
    ids = visits["store_id"]
    index = pd.Index(stores["store_id"].astype(object))
    if isinstance(ids.dtype, pd.CategoricalDtype):
        place = np.append(index.get_indexer(ids.cat.categories.astype(object)), -1)  # a missing id has code -1
        store = place[ids.cat.codes.to_numpy()]
    else:
        store = index.get_indexer(ids.astype(object))
    ts = visits["ts"].to_numpy().astype("datetime64[us]")
    rows = np.flatnonzero((store >= 0) & (ts < np.datetime64(week.known_until, "D") + _DAY))
    rows = rows[np.argsort(store[rows], kind="stable")]
    visitors = visits["visitors"].to_numpy(np.float64, na_value=np.nan)
    return _Known(store[rows], ts[rows], visitors[rows], visits["open"].to_numpy(np.bool_)[rows])


def _blocks(mine: Index, known: _Known, slots: int, week: Week) -> Iterator[tuple[int, int]]:
    """Ranges of stores whose grid has about `BLOCK_CELLS` cells."""
    if not len(mine):
        return
    earliest = known.ts.min().astype("datetime64[D]") if len(known.ts) else np.datetime64(week.monday, "D")
    days = int((np.datetime64(week.sunday, "D") - earliest).astype(int)) + DAYS_A_WEEK
    size = max(BLOCK_CELLS // (days * slots), 1)
    for first in range(int(mine[0]), int(mine[-1]) + 1, size):
        yield first, min(first + size, int(mine[-1]) + 1)


def _of_block(
    stores: pd.DataFrame, known: _Known, calendar: pd.DataFrame, promotions: pd.DataFrame, slots: int, week: Week
) -> pd.DataFrame:
    sunday, unknown_from = np.datetime64(week.sunday, "D"), np.datetime64(week.known_until, "D") + _DAY
    earliest = known.ts.min().astype("datetime64[D]") if len(known.ts) else unknown_from - DAYS_A_WEEK * _DAY
    monday = earliest - (int(earliest.astype(int)) + 3) % DAYS_A_WEEK * _DAY  # 1970-01-01 was a Thursday
    days = int((sunday - monday).astype(int)) + 1
    known_days = int((unknown_from - monday).astype(int))
    facts = facts_of(stores, calendar, promotions, monday, days)
    window = opening_window(stores, facts, slots)
    rows, visitors = _on_grid(known, window, monday, days)
    _, region = np.unique(stores["region"].astype(str).to_numpy(dtype=object).astype(str), return_inverse=True)
    openings = is_open(rows, facts, window, region, known_days)
    visitors[~openings] = np.nan
    begins = np.where(rows.seen.any(axis=(1, 2)), rows.seen.any(axis=2).argmax(axis=1), days - DAYS_A_WEEK)
    shown = np.arange(days)[None, :, None] >= begins[:, None, None]
    if slots > 1:
        shown = shown & (openings | rows.seen | (window & (facts.holiday > 0)[:, :, None]))
    else:
        shown = np.broadcast_to(shown, openings.shape)
    return _table(stores, facts, shown, visitors, openings, monday)


def _on_grid(
    known: _Known, window: NDArray[np.bool_], monday: np.datetime64, days: int
) -> tuple[Rows, NDArray[np.float64]]:
    """Rows and their visitors on the grid. A store that changed its step: hours add up to a day, a day is no hour."""
    stores, _, slots = window.shape
    day = known.ts.astype("datetime64[D]")
    hour = ((known.ts - day) // _HOUR).astype(np.intp)
    cell = (known.store * days + (day - monday).astype(np.intp)) * slots + (hour if slots > 1 else 0)
    seen, opened = np.zeros(stores * days * slots, np.bool_), np.zeros(stores * days * slots, np.bool_)
    visitors = np.full(stores * days * slots, np.nan)
    seen[cell] = True
    opened[cell[known.open]] = True
    if slots == 1 and hour.any():
        counted = ~np.isnan(known.visitors)
        summed = np.bincount(cell[counted], known.visitors[counted], minlength=len(seen))
        visitors[cell[counted]] = summed[cell[counted]]
    else:
        visitors[cell] = known.visitors
    shape = (stores, days, slots)
    seen, opened, visitors = seen.reshape(shape), opened.reshape(shape), visitors.reshape(shape)
    if slots > 1:
        whole_days = seen[:, :, 0] & ~seen[:, :, 1:].any(axis=2) & ~window[:, :, 0]
        for matrix, nothing in ((seen, False), (opened, False), (visitors, np.nan)):
            matrix[whole_days, 0] = nothing
    return Rows(seen, opened), visitors


def _table(
    stores: pd.DataFrame,
    facts: Facts,
    shown: NDArray[np.bool_],
    visitors: NDArray[np.float64],
    openings: NDArray[np.bool_],
    monday: np.datetime64,
) -> pd.DataFrame:
    store, day, slot = np.nonzero(shown)
    ids = stores["store_id"].astype(object).to_numpy(dtype=object)
    kinds = np.array(facts.kinds, dtype=object)
    return pd.DataFrame(
        {
            "store_id": ids[store],
            "ts": (monday + day * _DAY).astype("datetime64[us]") + slot * _HOUR,
            "visitors": visitors[shown],
            "open": openings[shown],
            "promo": facts.promo[store, day],
            "holiday_kind": kinds[facts.holiday[store, day]],
            "school_holiday": facts.school[store, day],
        },
        copy=False,
    )


def _empty() -> pd.DataFrame:
    texts, flags = np.empty(0, dtype=object), np.empty(0, dtype=np.bool_)
    return pd.DataFrame(
        {
            "store_id": texts,
            "ts": np.empty(0, "datetime64[us]"),
            "visitors": np.empty(0),
            "open": flags,
            "promo": flags,
            "holiday_kind": texts,
            "school_holiday": flags,
        }
    )


def freshness(
    visits: pd.DataFrame, stores: pd.DataFrame, week: Week, *, calendar: pd.DataFrame, version: str = ""
) -> Freshness:
    """Which stores lack a day of the newest known week on which they usually open.

    A day on which a store never opened in the 8 weeks before, a public holiday and a day that the calendar closes need
    no row. A store that has never sent anything is new, and not missing. `visits` counts the rows of known days.
    """
    stores = stores.sort_values("store_id", ignore_index=True)
    known = _known(visits, stores, week)
    weeks = EXPECTED_FROM_WEEKS + 1
    days = DAYS_A_WEEK * weeks
    monday = np.datetime64(week.newest_known.monday, "D") - DAYS_A_WEEK * EXPECTED_FROM_WEEKS * _DAY
    facts = facts_of(stores, calendar, _NO_PROMOTIONS, monday, days)
    newer = known.ts >= monday
    day = (known.ts[newer].astype("datetime64[D]") - monday).astype(np.intp)
    seen, opened = np.zeros((len(stores), days), np.bool_), np.zeros((len(stores), days), np.bool_)
    seen[known.store[newer], day] = True
    is_opened = known.open[newer]
    opened[known.store[newer][is_opened], day[is_opened]] = True
    newest = slice(days - DAYS_A_WEEK, days)
    usual = usual_openings(Rows(seen[:, :, None], opened[:, :, None]), weeks - 1)[:, newest, 0]
    expected = usual & (facts.holiday[:, newest] == 0) & (facts.open[:, newest] != 0)
    ever = np.zeros(len(stores), np.bool_)
    ever[known.store] = True
    missing = ever & (expected & ~seen[:, newest]).any(axis=1)
    names = stores["store_id"].astype(str).to_numpy(dtype=object)[missing]
    return Freshness(stores=len(stores), visits=len(known.store), missing=tuple(names.tolist()), data_version=version)


_NO_PROMOTIONS: Final = pd.DataFrame(
    {
        "store_id": np.empty(0, dtype=object),
        "region": np.empty(0, dtype=object),
        "from_day": np.empty(0, "datetime64[us]"),
        "to_day": np.empty(0, "datetime64[us]"),
    }
)


def data_version(visits: pd.DataFrame, facts: Iterator[pd.DataFrame] | tuple[pd.DataFrame, ...], until: date) -> str:
    """A name for exactly this data: the same rows, in whatever files and order, have the same name.

    Visits after `until` do not count, because a run does not see them.
    """
    digest = hashlib.sha256(_rows_hash(visits[visits["ts"] < pd.Timestamp(until) + pd.Timedelta(days=1)]))
    for frame in facts:
        digest.update(_rows_hash(frame))
    return digest.hexdigest()[:16]


def _rows_hash(frame: pd.DataFrame) -> bytes:
    """The sum of the rows' hashes: it does not ask for an order."""
    hashed = pd.util.hash_pandas_object(frame, index=False).to_numpy()
    return f"{len(frame)}:{int(hashed.sum(dtype=np.uint64))}".encode()
