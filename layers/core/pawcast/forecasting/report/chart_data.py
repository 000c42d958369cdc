"""What the page's charts draw, as small as it goes: days are places in one list, visitors whole numbers where large.

    {"days": ["2026-10-05", ...], "plan_from": 63, "known": 56,
     "chain": SERIES, "stores": [{"id", "name", "by", "arm", "method", "look": 0|1, "staff", "before", "risk": in %,
                                  ...SERIES, "hours"?: HOURS}, ...]}
    SERIES  {"a": actual by day, null: closed or unknown, from the first day on,
             "e": {"at": place, "y", "l", "h"} forecast made for the evaluated week, absent without one,
             "p": {"y", "l", "h", "s": staff, "n": needed, "r": risk in %} planned week, null where closed}
    HOURS   {"t": hours since the planned Monday, "y", "l", "h", "s", "n", "r"} of the open hours

All stores are in the list; beyond `CHARTED` stores only those worth it most have SERIES and HOURS, so that 10,000
stores make a page that still opens anywhere. plan.csv has the others' days.

Intervals of a sum are sums of intervals (the page says so): how stores go together is not known here.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawcast.forecasting.report.inputs import ReportInputs
from pawcast.forecasting.weekly.week import Week

DAY: Final = pd.Timedelta(days=1)
MADE: Final = {"yhat": "y", "q10": "l", "q90": "h"}
SMALL: Final = 20  # visitors, below which one decimal is shown
CHARTED: Final = 1000  # stores that have a chart: about 0.8 MB


def charts_of(inputs: ReportInputs, looked_at: Sequence[str]) -> dict[str, Any]:
    """The document of the page's script. `looked_at`: the stores to look at, gravest first."""
    monday = pd.Timestamp(Week.parse(inputs.run.week).monday)
    recent = with_made(inputs.recent)
    first = recent["ts"].min() if len(recent) else monday
    days = pd.date_range(min(first, monday), monday + 6 * DAY, freq="D")
    planned = daily_plan(inputs)
    charted = charted_of(inputs, looked_at)
    recent_of = _by_store(recent[recent["store_id"].isin(charted)])
    planned_of = _by_store(planned[planned["store_id"].isin(charted)])
    hours_of = _by_store(inputs.rows[inputs.rows["open"].astype(bool) & inputs.rows["store_id"].isin(charted)])
    to_look_at = frozenset(looked_at)
    stores = []
    for line in sorted(inputs.lines, key=lambda line: (inputs.names.get(line.store_id, line.name), line.store_id)):
        store = {
            "id": line.store_id,
            "name": inputs.names.get(line.store_id, line.name),
            "by": line.plans_by,
            "arm": line.arm,
            "method": line.method,
            "look": int(line.store_id in to_look_at),
            "staff": round(line.staff_days, 1),
            "before": round(line.last_week_staff_days, 1),
            "risk": _rounded(np.array([100 * line.risk]), 0)[0],
        }
        if line.store_id in charted:
            own = planned_of.get(line.store_id, planned.iloc[:0])
            store |= _series(recent_of.get(line.store_id, recent.iloc[:0]), own, days)
        if line.plans_by == "hour" and line.store_id in hours_of:
            store["hours"] = _hours(hours_of[line.store_id], monday)
        stores.append(store)
    return {
        "days": [day.date().isoformat() for day in days],
        "plan_from": len(days) - 7,
        "known": int((recent["ts"].max() - days[0]) / DAY) + 1 if len(recent) else 0,
        "chain": _series(chain_of(recent), chain_of(planned), days),
        "stores": stores,
    }


def charted_of(inputs: ReportInputs, looked_at: Sequence[str]) -> frozenset[str]:
    """Stores that get a chart: those to look at, gravest first, then those with the most staff-days."""
    largest = sorted(inputs.lines, key=lambda line: (-line.staff_days, line.store_id))
    ranked = dict.fromkeys((*looked_at, *(line.store_id for line in largest)))
    return frozenset(list(ranked)[:CHARTED])


def with_made(recent: pd.DataFrame) -> pd.DataFrame:
    """Recent days with the columns of the forecast made then, whether there was one or not."""
    return recent.assign(**{name: np.nan for name in MADE if name not in recent})


def daily_plan(inputs: ReportInputs) -> pd.DataFrame:
    """The planned week by store and day: open, yhat, q10, q90, staff (in staff-days), needed, risk (mean of its hours).

    One person of an hour is the part of a staff-day that the store's own staff-days say.
    """
    rows = inputs.rows
    is_open = rows["open"].astype(bool)
    hourly = rows["store_id"].isin([line.store_id for line in inputs.lines if line.plans_by == "hour"])
    total = rows["staff"].where(is_open, 0).fillna(0).groupby(rows["store_id"]).sum()
    days = pd.Series({line.store_id: line.staff_days for line in inputs.lines}, dtype="float64")
    share = (days / total.where(total > 0)).reindex(rows["store_id"]).to_numpy()
    share = np.where(hourly & np.isfinite(share), share, 1.0)
    open_only = {name: rows[name].where(is_open) for name in ("yhat", "q10", "q90", "risk")}
    frame = rows[["store_id"]].assign(
        ts=rows["ts"].dt.normalize(),
        open=is_open,
        staff=rows["staff"].where(is_open) * share,
        needed=rows["needed"].where(is_open) * share,
        **open_only,
    )
    groups = frame.groupby(["store_id", "ts"], sort=True)
    sums = groups[["yhat", "q10", "q90", "staff", "needed"]].sum(min_count=1)
    return sums.assign(open=groups["open"].any(), risk=groups["risk"].mean()).reset_index()


def chain_of(frame: pd.DataFrame) -> pd.DataFrame:
    """All stores together, by day. A day that nobody knows anything of stays unknown."""
    numbers = [name for name in ("visitors", "yhat", "q10", "q90", "staff", "needed") if name in frame]
    return frame.groupby("ts", sort=True)[numbers].sum(min_count=1).reset_index()


def _series(recent: pd.DataFrame, planned: pd.DataFrame, days: pd.DatetimeIndex) -> dict[str, Any]:
    past = recent.set_index("ts").reindex(days)
    ahead = planned.set_index("ts").reindex(days[-7:])
    actual = past["visitors"].to_numpy(dtype="float64")
    known = np.flatnonzero(np.isfinite(actual))
    series: dict[str, Any] = {"a": _visitors(actual[: known[-1] + 1] if len(known) else actual[:0])}
    made = np.flatnonzero(np.isfinite(past["yhat"].to_numpy(dtype="float64")))
    if len(made):
        week = past.iloc[made[0] : made[-1] + 1]
        series["e"] = {"at": int(made[0])} | {short: _visitors(_numbers(week, name)) for name, short in MADE.items()}
    series["p"] = {short: _visitors(_numbers(ahead, name)) for name, short in MADE.items()} | _staff(ahead)
    return series


def _hours(rows: pd.DataFrame, monday: pd.Timestamp) -> dict[str, Any]:
    rows = rows.sort_values("ts")
    since = ((rows["ts"] - monday) / pd.Timedelta(hours=1)).round().astype(int)
    return (
        {"t": since.tolist()}
        | {short: _visitors(_numbers(rows, name)) for name, short in MADE.items()}
        | _staff(rows)
    )  # fmt: skip


def _staff(rows: pd.DataFrame) -> dict[str, Any]:
    return {
        "s": _rounded(_numbers(rows, "staff"), 1),
        "n": _rounded(_numbers(rows, "needed"), 1),
        "r": _rounded(100 * _numbers(rows, "risk"), 0),
    }


def _numbers(rows: pd.DataFrame, name: str) -> NDArray[np.float64]:
    return rows[name].to_numpy(dtype="float64") if name in rows else np.full(len(rows), np.nan)


def _visitors(values: NDArray[np.float64]) -> list[float | int | None]:
    largest = np.nanmax(np.abs(values)) if np.isfinite(values).any() else 0.0
    return _rounded(values, 0 if largest >= SMALL else 1)


def _rounded(values: NDArray[np.float64], digits: int) -> list[float | int | None]:
    """Rounded, null for what is no number, whole numbers without a point."""
    found: list[float | int | None] = []
    for value in values.tolist():
        if not np.isfinite(value):
            found.append(None)
            continue
        rounded = round(value, digits)
        found.append(int(rounded) if rounded == int(rounded) else rounded)
    return found


def _by_store(frame: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    return {str(store): rows for store, rows in frame.groupby("store_id", sort=False)}
