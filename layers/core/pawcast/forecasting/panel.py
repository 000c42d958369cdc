"""The regular grid that everything else here computes on.

A frame of visits, one row for each store and day or hour, becomes a `Panel`: matrices with one row for each *series*
and one column for each day. A store that plans by day is one series; a store that plans by hour is 24 series, one for
each hour of the day, so the same model serves both. Columns begin on a Monday and are whole weeks.

`visitors` is NaN where nothing is known: closed, missing, or still to come. Closed is not zero, and missing is not
closed: that is why `open` is a matrix of its own. The other matrices are facts known in advance and reach into the
weeks to forecast.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawcast.errors import InvalidVisits

type Floats = NDArray[np.float32] | NDArray[np.float64]
type Days = NDArray[np.datetime64]

STORE: Final = "store_id"
TIME: Final = "ts"
VISITORS: Final = "visitors"
OPEN: Final = "open"
PROMO: Final = "promo"
HOLIDAY: Final = "holiday_kind"
SCHOOL: Final = "school_holiday"

NO_HOLIDAY: Final = "0"
DAYS_A_WEEK: Final = 7
HOURS_A_DAY: Final = 24
MAX_VISITORS: Final = 1e7


@dataclass(frozen=True, eq=False)
class Panel:
    """All series on one daily grid.

    Matrices are [series, day]; series are sorted by store, then by hour. `monday` is the date of column 0.
    """

    stores: NDArray[np.generic]  # [store] ids, sorted
    store: NDArray[np.intp]  # [series] index into `stores`
    hour: NDArray[np.intp]  # [series] hour of the day; 0 where the panel is daily
    slots: int  # series a store: 1 (daily) or 24 (hourly)
    monday: np.datetime64
    visitors: NDArray[np.float32]  # NaN: not known
    open: NDArray[np.bool_]
    promo: NDArray[np.bool_]
    holiday: NDArray[np.int16]  # 0: none, else an index into `kinds` plus 1
    school: NDArray[np.bool_]
    kinds: tuple[str, ...]

    @property
    def series(self) -> int:
        """Number of series."""
        return int(self.visitors.shape[0])

    @property
    def weeks(self) -> int:
        """Number of whole weeks on the grid."""
        return int(self.visitors.shape[1]) // DAYS_A_WEEK

    @property
    def days(self) -> Days:
        """[day] date of each column."""
        return np.asarray(self.monday + np.arange(self.visitors.shape[1]).astype("timedelta64[D]"))

    def week_of(self, week_start: np.datetime64) -> int:
        """Index of the week that begins on `week_start`.

        Raises:
            InvalidVisits: not a Monday, or not on the grid.
        """
        day = np.datetime64(week_start, "D")
        offset = int((day - self.monday).astype(int))
        if offset % DAYS_A_WEEK:
            raise InvalidVisits(f"week_start {day} is no Monday", field="week_start")
        if not 0 <= offset < self.visitors.shape[1]:
            raise InvalidVisits(
                f"week_start {day} is not among the panel's days; add its covariates", field="week_start"
            )
        return offset // DAYS_A_WEEK

    def known_until(self, day: int) -> "Panel":
        """The same panel with visitors forgotten from column `day` on."""
        visitors = self.visitors.copy()
        visitors[:, max(day, 0) :] = np.nan
        return replace(self, visitors=visitors)

    def through_week(self, week: int) -> "Panel":
        """The same panel without the columns after `week`."""
        end = (week + 1) * DAYS_A_WEEK
        return replace(
            self,
            visitors=self.visitors[:, :end],
            open=self.open[:, :end],
            promo=self.promo[:, :end],
            holiday=self.holiday[:, :end],
            school=self.school[:, :end],
        )


def panel_from_frame(frame: pd.DataFrame, *, slots: int | None = None) -> Panel:
    """Lay a frame of visits and covariates on the grid.

    Args:
        frame: columns `store_id`, `ts` (local time, without zone), `visitors` (NaN for weeks to come) and, as far as
            known, `open`, `promo`, `holiday_kind` ("0" for none), `school_holiday`. A store and time without a row
            counts as closed.
        slots: 1 for days, 24 for hours; None looks whether any time of day is not midnight.

    Raises:
        InvalidVisits: a column is missing, or a value can't be one.
    """
    for column in (STORE, TIME, VISITORS):
        if column not in frame:
            raise InvalidVisits(f"column {column} is missing; the frame has {', '.join(map(str, frame))}", field=column)
    if frame.empty:
        raise InvalidVisits("no row at all: nothing to lay on a grid", field=STORE)
    time = _times(frame[TIME])
    day = time.astype("datetime64[D]")
    hour = ((time - day) // np.timedelta64(1, "h")).astype(np.intp)
    by = slots or (HOURS_A_DAY if hour.any() else 1)
    if by == 1 and hour.any():
        raise InvalidVisits("column ts has times of day, but the panel was asked for by day", field=TIME)
    visitors = _visitors(frame[VISITORS])
    stores, store = np.unique(frame[STORE].to_numpy(), return_inverse=True)
    first = day.min()
    monday = first - np.timedelta64((int(first.astype(int)) + 3) % DAYS_A_WEEK, "D")  # 1970-01-01 was a Thursday
    column = (day - monday).astype(np.intp)
    total = (int(column.max()) // DAYS_A_WEEK + 1) * DAYS_A_WEEK
    row = store * by + hour
    cell = row.astype(np.int64) * total + column
    if len(np.unique(cell)) < len(cell):
        at = int(np.flatnonzero(pd.Series(cell).duplicated())[0])
        raise InvalidVisits(f"store {frame[STORE].iloc[at]} has two rows at {time[at]}; keep one", field=TIME)

    def grid[T: np.generic](values: NDArray[T], empty: float) -> NDArray[T]:
        matrix = np.full((len(stores) * by, total), empty, dtype=values.dtype)
        matrix[row, column] = values
        return matrix

    is_open = grid(_flag(frame, OPEN, default=True), False)
    names = frame[HOLIDAY].astype(str).to_numpy(dtype=object) if HOLIDAY in frame else np.full(len(frame), NO_HOLIDAY)
    kinds = tuple(sorted({str(name) for name in set(names)} - {NO_HOLIDAY}))
    number = {NO_HOLIDAY: 0} | {kind: i + 1 for i, kind in enumerate(kinds)}
    known = grid(visitors, np.nan)
    known[~is_open] = np.nan
    return Panel(
        stores=stores,
        store=np.repeat(np.arange(len(stores)), by),
        hour=np.tile(np.arange(by), len(stores)),
        slots=by,
        monday=monday,
        visitors=known,
        open=is_open,
        promo=grid(_flag(frame, PROMO, default=False), False),
        holiday=grid(np.array([number[str(name)] for name in names], dtype=np.int16), 0),
        school=grid(_flag(frame, SCHOOL, default=False), False),
        kinds=kinds,
    )


def _times(column: "pd.Series[pd.Timestamp]") -> NDArray[np.datetime64]:
    if not pd.api.types.is_datetime64_any_dtype(column):
        raise InvalidVisits(f"column ts has type {column.dtype}; convert it to datetime64 first", field=TIME)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        raise InvalidVisits(f"column ts has zone {column.dtype.tz}; convert it to the stores' local time", field=TIME)
    if column.isna().any():
        raise InvalidVisits(f"column ts is empty in row {int(np.flatnonzero(column.isna())[0])}", field=TIME)
    time = column.to_numpy().astype("datetime64[s]")
    whole = time.astype("datetime64[h]")
    if (time != whole).any():
        raise InvalidVisits(f"column ts has {time[time != whole][0]}; round it to the hour", field=TIME)
    return time


def _visitors(column: "pd.Series[float]") -> NDArray[np.float32]:
    if not pd.api.types.is_numeric_dtype(column):
        raise InvalidVisits(f"column visitors has type {column.dtype}; it must be a number", field=VISITORS)
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = np.isfinite(values) & ((values < 0) | (values > MAX_VISITORS)) | np.isinf(values)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InvalidVisits(f"column visitors has {values[row]} in row {row}; set the row aside", field=VISITORS)
    return values.astype(np.float32)


def _flag(frame: pd.DataFrame, column: str, *, default: bool) -> NDArray[np.bool_]:
    if column not in frame:
        return np.full(len(frame), default)
    values = frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~np.isin(values, (0.0, 1.0))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise InvalidVisits(f"column {column} has {values[row]} in row {row}; it must be 0 or 1", field=column)
    return np.asarray(values == 1.0)
