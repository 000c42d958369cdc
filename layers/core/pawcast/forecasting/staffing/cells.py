"""The rows of a plan as arrays: one cell for each store and day, or open hour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawcast.forecasting.staffing.messages import refusal
from pawcast.forecasting.staffing.needs import QUANTILES, Floats, Ints, people_needed, visitors_at
from pawcast.forecasting.staffing.rules import HOURS_A_DAY, StoreRules

type Bools = NDArray[np.bool_]
type Places = NDArray[np.intp]
type Times = NDArray[np.datetime64]

HOUR: Final = np.timedelta64(1, "h")
PRACTICE_LAGS: Final = (
    14,
    21,
    28,
    35,
)  # days; the newest week that is known when a plan is made begins 14 days earlier


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells sorted by store and time. Arrays are [cell]; `rules` is [store], and `store` an index into it."""

    rules: Sequence[StoreRules]
    store: Places
    ts: Times
    open: Bools
    by_hour: Bools
    quantiles: Floats  # [cell, level]

    def of_rules(self, name: str) -> Floats:
        """[cell] a number of the cell's store's rules."""
        return np.array([getattr(rule, name) for rule in self.rules], float)[self.store]

    def needed(self, visitors: Floats) -> Ints:
        """[cell] people for so many visitors."""
        per_person, least = self.of_rules("visitors_per_person"), self.of_rules("min_staff").astype(np.int32)
        return people_needed(visitors, per_person, least, self.open)

    def visitors(self, level: Floats | float | None = None) -> Floats:
        """[cell] visitors at a level, the stores' service quantile unless given; 0 where closed."""
        levels = self.of_rules("service_quantile") if level is None else np.broadcast_to(level, len(self.store))
        return np.where(self.open, visitors_at(self.quantiles, np.asarray(levels, float)), 0.0)

    @property
    def day(self) -> Times:
        """[cell] its date."""
        return self.ts.astype("datetime64[D]")

    @property
    def hour(self) -> Places:
        """[cell] its hour of the day."""
        return ((self.ts - self.day) // HOUR).astype(np.intp)

    def store_ids(self) -> NDArray[np.object_]:
        """[cell] its store's id."""
        return np.array([rule.store_id for rule in self.rules], object)[self.store]

    def part(self, keep: Bools | Places) -> "Cells":
        """Some of the cells."""
        return replace(
            self,
            store=self.store[keep],
            ts=self.ts[keep],
            open=self.open[keep],
            by_hour=self.by_hour[keep],
            quantiles=self.quantiles[keep],
        )


def cells_of(forecast: pd.DataFrame, rules: Mapping[str, StoreRules]) -> Cells:
    """The cells of a FORECAST that are planned: all days of stores that plan by day, open hours of the others.

    Raises:
        InvalidStaffing: missing_column, unknown_forecast, wrong_grain.
    """
    require(forecast, ("store_id", "ts", "open", *QUANTILES))
    row_store, ids = pd.factorize(forecast["store_id"].astype(str), sort=True)
    known = np.array([store in rules for store in ids], bool)
    chosen = [rules[store] for store in ids if store in rules]
    rank = np.cumsum(known) - 1
    ts = times(forecast["ts"])
    order = np.lexsort((ts, row_store))
    order = order[known[row_store[order]]]
    store = rank[row_store[order]].astype(np.intp)
    quantiles = forecast[list(QUANTILES)].to_numpy(float)[order]
    by_hour = np.array([rule.plans_by == "hour" for rule in chosen], bool)[store]
    cells = Cells(chosen, store, ts[order], forecast["open"].to_numpy(bool)[order], by_hour, quantiles)
    _check_grain(cells)
    cells = cells.part(~by_hour | cells.open)
    unknown = np.flatnonzero(cells.open & ~np.isfinite(cells.quantiles).all(axis=1))
    if len(unknown):
        at = unknown[0]
        store_id = chosen[cells.store[at]].store_id
        raise refusal("unknown_forecast", store_id=store_id, field="q80", value=readable(cells.ts[at]))
    np.maximum.accumulate(cells.quantiles, axis=1, out=cells.quantiles)
    np.maximum(cells.quantiles, 0.0, out=cells.quantiles)
    return cells


def cells_of_plan(plan: pd.DataFrame, rules: Mapping[str, StoreRules], forecast: pd.DataFrame | None = None) -> Cells:
    """The cells of a PLAN frame, sorted as its rows must be; quantiles are NaN without a FORECAST.

    Raises:
        InvalidStaffing: missing_column.
    """
    require(plan, ("store_id", "ts", "staff", "needed"))
    store, ids = pd.factorize(plan["store_id"].astype(str), sort=True)
    chosen = [rules[each] for each in ids]
    ts = times(plan["ts"])
    quantiles = np.full((len(plan), len(QUANTILES)), np.nan)
    if forecast is not None:
        require(forecast, ("store_id", "ts", *QUANTILES))
        place = place_of(forecast, plan)
        quantiles[place >= 0] = forecast[list(QUANTILES)].to_numpy(float)[place[place >= 0]]
        np.maximum.accumulate(quantiles, axis=1, out=quantiles)
    by_hour = np.array([rule.plans_by == "hour" for rule in chosen], bool)[store]
    return Cells(chosen, store.astype(np.intp), ts, plan["needed"].to_numpy() > 0, by_hour, quantiles)


def place_of(table: pd.DataFrame, wanted: pd.DataFrame) -> Places:
    """[row of `wanted`] where its store and time stand in `table`, -1 where they don't."""
    there = pd.MultiIndex.from_arrays([table["store_id"].astype(str), times(table["ts"])])
    here = pd.MultiIndex.from_arrays([wanted["store_id"].astype(str), times(wanted["ts"])])
    if there.has_duplicates:
        twice = table[there.duplicated()].iloc[0]
        raise refusal("two_rows_of_a_cell", store_id=str(twice["store_id"]), field="ts", value=str(twice["ts"])[:16])
    return np.asarray(there.get_indexer(here), np.intp)


def practice_visitors(cells: Cells, history: pd.DataFrame) -> Floats:
    """[cell] visitors at the same weekday and hour of the newest known week, or of up to three weeks before it.

    NaN where none of them is known: closed is not zero, and missing is not closed.
    """
    require(history, ("store_id", "ts", "visitors"))
    index = pd.Index([rule.store_id for rule in cells.rules])
    store = index.get_indexer(pd.Index(history["store_id"].astype(str)))
    visitors = pd.to_numeric(history["visitors"], errors="coerce").to_numpy(float, na_value=np.nan)
    usable = (store >= 0) & np.isfinite(visitors)
    if "open" in history:
        usable &= history["open"].to_numpy(bool)
    span = np.int64(1 << 32)  # hours of more than any calendar
    keys = store[usable] * span + times(history["ts"])[usable].astype("datetime64[h]").astype(np.int64)
    order = np.argsort(keys, kind="stable")
    keys, known = keys[order], visitors[usable][order]
    found = np.full(len(cells.store), np.nan)
    now = cells.store * span + cells.ts.astype("datetime64[h]").astype(np.int64)
    for lag in PRACTICE_LAGS:
        wanted = now - lag * HOURS_A_DAY
        place = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
        hit = np.isnan(found) & (keys[place] == wanted) if len(keys) else np.zeros(len(found), bool)
        found[hit] = known[place[hit]]
    return found


def times(column: pd.Series) -> Times:
    """A column of local times."""
    return np.asarray(pd.to_datetime(column).to_numpy(), "datetime64[us]")


def require(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Raise `missing_column` for the first that the frame lacks."""
    for column in columns:
        if column not in frame:
            raise refusal("missing_column", field=column, value=", ".join(map(str, frame)) or "-")


def _check_grain(cells: Cells) -> None:
    """Each cell is there once; a store that plans by day has no times of day, one by the hour has."""
    store, ts = cells.store, cells.ts
    twice = np.flatnonzero((store[1:] == store[:-1]) & (ts[1:] == ts[:-1]))
    if len(twice):
        store_id = cells.rules[store[twice[0]]].store_id
        raise refusal("two_rows_of_a_cell", store_id=store_id, field="ts", value=readable(ts[twice[0]]))
    timed = np.bincount(store, weights=cells.hour > 0, minlength=len(cells.rules)) > 0
    for place, rule in enumerate(cells.rules):
        if timed[place] != (rule.plans_by == "hour") and (store == place).any():
            raise refusal("wrong_grain", store_id=rule.store_id, field="plans_by", value=rule.plans_by)


def readable(ts: np.datetime64) -> str:
    """A local time to the minute."""
    return str(pd.Timestamp(ts))[:16]
