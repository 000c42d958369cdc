"""What is known in advance, laid on matrices [store, day]: opening, hours, promotions, holidays.

Rows of the tables name a store, a region (KR, DE-BY; a country's row also counts for its parts) or everybody ("*").
Where several speak of the same day, the store's own row counts more than its region's, a part's more than its
country's, and that more than everybody's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawcast.forecasting import holidays_by_region

type Bools = NDArray[np.bool_]
type Small = NDArray[np.int8]
type Index = NDArray[np.intp]

EVERYWHERE: Final = "*"
UNSAID: Final = -1
NO_HOLIDAY: Final = "0"


@dataclass(frozen=True, eq=False)
class Facts:
    """Facts of a block of stores, [store, day]. `open`: 1, 0 or UNSAID. Hours are 0..24, UNSAID where nobody said."""

    open: Small
    opens_at: Small
    closes_at: Small
    school: Bools
    promo: Bools
    holiday: NDArray[np.int16]  # 0: none, else an index into `kinds`
    kinds: Sequence[str]  # "0" first


def facts_of(
    stores: pd.DataFrame, calendar: pd.DataFrame, promotions: pd.DataFrame, first_day: np.datetime64, days: int
) -> Facts:
    """Lay the facts of `stores` (a row each, in their order) on `days` days from `first_day`."""
    said = {name: np.full((len(stores), days), UNSAID, np.int8) for name in ("open", "opens_at", "closes_at", "school")}
    column = _day_numbers(calendar["day"], first_day)
    on_grid = np.flatnonzero((column >= 0) & (column < days))
    calendar, column = calendar.iloc[on_grid], column[on_grid]
    for name, matrix in said.items():
        value = calendar["school_holiday" if name == "school" else name].to_numpy(np.float64, na_value=np.nan)
        given = ~np.isnan(value)
        for rows, members in _together(calendar, stores):
            told = rows[given[rows]]
            matrix[np.ix_(members, column[told])] = value[told]
        rows, store = _own(calendar, stores)
        matrix[store[given[rows]], column[rows[given[rows]]]] = value[rows[given[rows]]]
    hours_said = (said["opens_at"] >= 0) & (said["closes_at"] >= 0)
    said["open"][hours_said & (said["open"] == UNSAID)] = 1
    kinds, holiday = _holidays(stores["region"].astype(str).tolist(), first_day, days)
    return Facts(
        open=said["open"],
        opens_at=said["opens_at"],
        closes_at=said["closes_at"],
        school=said["school"] == 1,
        promo=_promotions(promotions, stores, first_day, days),
        holiday=holiday,
        kinds=kinds,
    )


def _promotions(promotions: pd.DataFrame, stores: pd.DataFrame, first_day: np.datetime64, days: int) -> Bools:
    begins = np.clip(_day_numbers(promotions["from_day"], first_day), 0, days)
    ends = np.clip(_day_numbers(promotions["to_day"], first_day) + 1, 0, days)
    change = np.zeros((len(stores), days + 1), np.int32)  # +1 where a promotion begins, -1 the day after its last
    for rows, members in _together(promotions, stores):
        total = np.bincount(begins[rows], minlength=days + 1) - np.bincount(ends[rows], minlength=days + 1)
        change[members] += total.astype(np.int32)
    rows, store = _own(promotions, stores)
    np.add.at(change, (store, begins[rows]), 1)
    np.add.at(change, (store, ends[rows]), -1)
    return np.asarray(np.cumsum(change, axis=1, dtype=np.int32)[:, :days] > 0)


def _holidays(regions: Sequence[str], first_day: np.datetime64, days: int) -> tuple[Sequence[str], NDArray[np.int16]]:
    """Kinds, and the kind's number of each store and day. A region that nobody knows has no holidays."""
    names, number_of = np.unique(np.array(regions, dtype=object).astype(str), return_inverse=True)
    years = (
        np.array([first_day, first_day + np.timedelta64(max(days - 1, 0), "D")]).astype("datetime64[Y]").astype(int)
        + 1970
    )
    kinds = [NO_HOLIDAY]
    by_region = np.zeros((len(names), days), np.int16)
    numbers: dict[str, int] = {}
    for row, region in enumerate(names):
        for year in range(int(years[0]), int(years[1]) + 1):
            for day, kind in holidays_by_region.known_or_none(str(region), year).items():
                column = int((np.datetime64(day, "D") - first_day).astype(int))
                if 0 <= column < days:
                    if kind not in numbers:
                        kinds.append(kind)
                        numbers[kind] = len(numbers) + 1
                    by_region[row, column] = numbers[kind]
    return kinds, by_region[number_of]


def _together(table: pd.DataFrame, stores: pd.DataFrame) -> Iterator[tuple[Index, Index]]:
    """Rows that speak of many stores, with those stores; the more special, the later."""
    region_of_row = table["region"].astype(str).to_numpy(dtype=object)
    own = _is_own(table)
    everywhere = ~own & (region_of_row == EVERYWHERE) | (table["store_id"].astype(str) == EVERYWHERE).to_numpy()
    if everywhere.any():
        yield np.flatnonzero(everywhere), np.arange(len(stores))
    region_of_store = stores["region"].astype(str).str.upper().to_numpy(dtype=object)
    country_of_store = np.array([region.partition("-")[0] for region in region_of_store], dtype=object)
    of_region = ~own & ~everywhere
    region_of_row = np.array([str(region).upper() for region in region_of_row], dtype=object)
    for region in sorted(set(region_of_row[of_region]), key=lambda each: (len(each), each)):
        rows = np.flatnonzero(of_region & (region_of_row == region))
        members = np.flatnonzero((region_of_store == region) | (country_of_store == region))
        if len(rows) and len(members):
            yield rows, members


def _own(table: pd.DataFrame, stores: pd.DataFrame) -> tuple[Index, Index]:
    """Rows that speak of one store each, and that store's position."""
    rows = np.flatnonzero(_is_own(table))
    store = pd.Index(stores["store_id"].astype(str)).get_indexer(pd.Index(table["store_id"].iloc[rows].astype(str)))
    return rows[store >= 0], store[store >= 0]


def _is_own(table: pd.DataFrame) -> Bools:
    return np.asarray(~table["store_id"].astype(str).isin(("", EVERYWHERE)).to_numpy())


def _day_numbers(column: "pd.Series[pd.Timestamp]", first_day: np.datetime64) -> Index:
    """Days since the first; -1 for an empty cell."""
    day = column.to_numpy().astype("datetime64[D]")
    return np.where(np.isnat(day), -1, (day - first_day).astype(np.intp))
