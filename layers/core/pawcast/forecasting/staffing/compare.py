"""A plan against what came: too few, too many, perfect foresight and last week's practice."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pawcast.forecasting.staffing.cells import cells_of_plan, place_of, require
from pawcast.forecasting.staffing.hourly import plan_shifts
from pawcast.forecasting.staffing.needs import Floats, Ints
from pawcast.forecasting.staffing.plan import day_share
from pawcast.forecasting.staffing.rules import StoreRules

SUMMED = (
    "rows",
    "staff_days",
    "needed_staff_days",
    "perfect_staff_days",
    "regret",
    "under",
    "over",
    "understaffed_rows",
    "last_week_staff_days",
    "last_week_under",
    "last_week_over",
    "last_week_understaffed_rows",
)


@dataclass(frozen=True, eq=False)
class Comparison:
    """All figures in staff-days (8 person-hours by hour), over open rows whose visitors are known.

    `rows`: store_id, ts, staff, needed (by actual visitors), under, over (people), last_week_staff.
    `stores`: store_id, rows, staff_days, needed_staff_days, perfect_staff_days (cheapest shifts for what came),
    regret (staff_days - perfect_staff_days), under, over, understaffed_rows, last_week_staff_days, last_week_under,
    last_week_over, last_week_understaffed_rows; those of last week are NaN where the plan does not know them.
    `totals`: the same summed, plus understaffed_share of the rows, under_share and over_share of needed_staff_days.
    """

    rows: pd.DataFrame
    stores: pd.DataFrame
    totals: dict[str, float]


def compare(plan: pd.DataFrame, actual: pd.DataFrame, rules: Mapping[str, StoreRules]) -> Comparison:
    """Hold a PLAN frame against VISITS rows (store_id, ts, visitors, open where known).

    Stores without rules, closed rows and rows without a known number of visitors don't count.

    Raises:
        InvalidStaffing: missing_column.
    """
    plan = plan[plan["store_id"].astype(str).isin(rules)].sort_values(["store_id", "ts"], ignore_index=True)
    cells = cells_of_plan(plan, rules)
    visitors = known_visitors(plan, actual)
    known = cells.open & np.isfinite(visitors)
    needed = np.where(known, cells.needed(np.nan_to_num(visitors)), plan["needed"]).astype(np.int32)
    perfect = needed.copy()
    by_hour = cells.by_hour & cells.open
    perfect[by_hour] = plan_shifts(cells.part(by_hour), needed[by_hour]).staff
    staff = plan["staff"].to_numpy(float)
    before = plan["last_week_staff"].to_numpy(float) if "last_week_staff" in plan else np.full(len(plan), np.nan)
    rows = pd.DataFrame(
        {
            "store_id": plan["store_id"],
            "ts": plan["ts"],
            "staff": plan["staff"],
            "needed": needed,
            "under": np.maximum(needed - staff, 0),
            "over": np.maximum(staff - needed, 0),
            "last_week_staff": before,
        }
    )[known].reset_index(drop=True)
    values = _figures(staff, needed, perfect, before, day_share(cells.by_hour))
    count = len(cells.rules)
    stores = pd.DataFrame({"store_id": pd.Series([rule.store_id for rule in cells.rules], dtype=object).astype(str)})
    for name in SUMMED:
        stores[name] = np.bincount(cells.store[known], weights=values[name][known], minlength=count)
    totals = {name: float(stores[name].sum()) for name in SUMMED}
    needed_days = totals["needed_staff_days"]
    totals["understaffed_share"] = totals["understaffed_rows"] / totals["rows"] if totals["rows"] else 0.0
    for name in ("under", "over"):
        totals[f"{name}_share"] = totals[name] / needed_days if needed_days else 0.0
    return Comparison(rows, stores, totals)


def known_visitors(plan: pd.DataFrame, actual: pd.DataFrame) -> Floats:
    """[row of the plan] visitors that came; NaN where the store was closed or nothing is known."""
    require(actual, ("store_id", "ts", "visitors"))
    visitors = pd.to_numeric(actual["visitors"], errors="coerce").to_numpy(float, na_value=np.nan)
    if "open" in actual:
        visitors = np.where(actual["open"].to_numpy(bool), visitors, np.nan)
    place = place_of(actual, plan)
    found = np.full(len(plan), np.nan)
    found[place >= 0] = visitors[place[place >= 0]]
    return found


def _figures(staff: Floats, needed: Ints, perfect: Ints, before: Floats, share: Floats) -> dict[str, Floats]:
    """[row] each of SUMMED."""
    return {
        "rows": np.ones(len(staff)),
        "staff_days": staff * share,
        "needed_staff_days": needed * share,
        "perfect_staff_days": perfect * share,
        "regret": (staff - perfect) * share,
        "under": np.maximum(needed - staff, 0) * share,
        "over": np.maximum(staff - needed, 0) * share,
        "understaffed_rows": (staff < needed).astype(float),
        "last_week_staff_days": before * share,
        "last_week_under": np.maximum(needed - before, 0) * share,
        "last_week_over": np.maximum(before - needed, 0) * share,
        "last_week_understaffed_rows": np.where(np.isnan(before), np.nan, before < needed),
    }
