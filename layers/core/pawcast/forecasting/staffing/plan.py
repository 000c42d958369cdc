"""A week's staffing plan for many stores: the way in for the planning function.

rules, refused = rules_from_stores(stores)
plan = plan_week(forecast, rules, history=history)
plan.plan, plan.shifts, plan.stores, plan.totals()
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawcast.forecasting.staffing.cells import Cells, cells_of, practice_visitors
from pawcast.forecasting.staffing.hourly import day_starts, plan_shifts
from pawcast.forecasting.staffing.messages import INFEASIBLE
from pawcast.forecasting.staffing.needs import Floats, Ints
from pawcast.forecasting.staffing.relaxation import relax_days, relax_hours
from pawcast.forecasting.staffing.risk import risk_of_days, shortage_risk
from pawcast.forecasting.staffing.rules import StoreRules

HOURS_A_STAFF_DAY: Final = 8
TEXT_COLUMNS: Final = ("infeasible", "relaxation_ko", "relaxation_en")

PLAN_COLUMNS = ("store_id", "ts", "staff", "needed", "visitors", "risk", "edited", "last_week_staff")
SHIFT_COLUMNS = ("store_id", "day", "shift", "starts_at", "ends_at", "people")
STORE_COLUMNS = (
    "store_id",
    "staff_days",
    "last_week_staff_days",
    "understaffed_days",
    "last_week_understaffed_days",
    "uncovered_hours",
    "infeasible",
    "relaxation_ko",
    "relaxation_en",
)


@dataclass(frozen=True, eq=False)
class StaffPlan:
    """A plan as three frames, ready for Parquet.

    `plan`: a row for each store and day (by day; closed days have 0) or open hour (by hour): store_id, ts, staff,
    needed, visitors (at the service quantile), risk (probability that more are needed than planned), edited,
    last_week_staff (what last week's practice would have planned).
    `shifts`: store_id, day, shift, starts_at, ends_at, people; only stores that plan by hour.
    `stores`: store_id, staff_days (8 person-hours by hour), last_week_staff_days (NaN without history),
    understaffed_days and last_week_understaffed_days (expected numbers), uncovered_hours (person-hours that no allowed
    shift covers; people short, by day), infeasible ("" or a code of INFEASIBLE), relaxation_ko, relaxation_en.
    """

    plan: pd.DataFrame
    shifts: pd.DataFrame
    stores: pd.DataFrame

    def totals(self) -> dict[str, float]:
        """The frame `stores` summed.

        stores, staff_days, last_week_staff_days, saved_staff_days (over stores whose last week is known),
        understaffed_days and last_week_understaffed_days (expected numbers), infeasible_stores.
        """
        stores = self.stores
        planned, before = float(stores["staff_days"].sum()), float(stores["last_week_staff_days"].sum())
        known = stores["last_week_staff_days"].notna()
        saved = float((stores["last_week_staff_days"] - stores["staff_days"])[known].sum())
        return {
            "stores": float(len(stores)),
            "staff_days": planned,
            "last_week_staff_days": before,
            "saved_staff_days": saved,
            "understaffed_days": float(stores["understaffed_days"].sum()),
            "last_week_understaffed_days": float(stores["last_week_understaffed_days"].sum()),
            "infeasible_stores": float((stores["infeasible"] != "").sum()),
        }


def plan_week(
    forecast: pd.DataFrame,
    rules: Mapping[str, StoreRules],
    *,
    history: pd.DataFrame | None = None,
) -> StaffPlan:
    """Plan all stores of a FORECAST frame (any number of days).

    Args:
        forecast: store_id, ts, open, q10, q50, q80, q90.
        rules: by store; a store without rules gets no plan and `infeasible="no_rules"`.
        history: VISITS or HISTORY rows (store_id, ts, visitors, open where known), for last week's practice: people for
            the visitors of 14 days earlier (21, 28, 35 where unknown), by the same rules; the plan's own need where
            none is known.

    Raises:
        InvalidStaffing: missing_column, unknown_forecast, two_rows_of_a_cell, wrong_grain.
    """
    cells = cells_of(forecast, rules)
    visitors = cells.visitors()
    needed = cells.needed(visitors)
    staff, short, shifts = _staffed(cells, needed)
    per_person = cells.of_rules("visitors_per_person")
    columns = {
        "store_id": pd.Series(cells.store_ids(), dtype=object).astype(str),
        "ts": cells.ts,
        "staff": staff.astype(np.int64),
        "needed": needed.astype(np.int64),
        "visitors": visitors,
        "risk": np.where(cells.open, shortage_risk(cells.quantiles, staff, per_person), 0.0),
        "edited": np.zeros(len(staff), bool),
        "last_week_staff": np.full(len(staff), np.nan),
    }
    practice_risk = None
    if history is not None:
        before = practice_visitors(cells, history)
        practice, _, _ = _staffed(
            cells, np.where(np.isnan(before), needed, cells.needed(np.nan_to_num(before))).astype(np.int32)
        )
        columns["last_week_staff"] = practice.astype(float)
        practice_risk = np.where(cells.open, shortage_risk(cells.quantiles, practice, per_person), 0.0)
    plan = pd.DataFrame(columns)
    stores = _summary(cells, plan, short, practice_risk)
    unplanned = sorted(set(forecast["store_id"].astype(str)) - set(rules))
    if unplanned:
        stores = _with_unplanned(stores, unplanned)
    return StaffPlan(plan, shifts, stores)


def _staffed(cells: Cells, needed: Ints) -> tuple[Ints, Ints, pd.DataFrame]:
    """[cell] staff and people missing, and SHIFTS, for so many people needed."""
    most = cells.of_rules("max_staff")
    staff = np.where((most > 0) & ~cells.by_hour, np.minimum(needed, most), needed).astype(np.int32)
    short = needed - staff
    hourly = cells.part(cells.by_hour)
    made = plan_shifts(hourly, needed[cells.by_hour])
    staff[cells.by_hour], short[cells.by_hour] = made.staff, made.short
    return staff, short, made.frame(hourly)


def _summary(cells: Cells, plan: pd.DataFrame, short: Ints, practice_risk: Floats | None) -> pd.DataFrame:
    """The frame `stores`; stores that are short of people get their relaxation."""
    count = len(cells.rules)
    share = day_share(cells.by_hour)

    def total(values: Floats) -> Floats:
        return np.bincount(cells.store, weights=values, minlength=count)

    stores = pd.DataFrame(
        {
            "store_id": pd.Series([rule.store_id for rule in cells.rules], dtype=object).astype(str),
            "staff_days": total(plan["staff"].to_numpy() * share),
            "last_week_staff_days": total(plan["last_week_staff"].to_numpy() * share),
            "understaffed_days": understaffed_days(cells, plan["risk"].to_numpy()),
            "last_week_understaffed_days": (
                np.full(count, np.nan) if practice_risk is None else understaffed_days(cells, practice_risk)
            ),
            "uncovered_hours": total(short.astype(float)),
            "infeasible": np.full(count, "", object),
            "relaxation_ko": np.full(count, "", object),
            "relaxation_en": np.full(count, "", object),
        }
    ).astype(dict.fromkeys(TEXT_COLUMNS, str))
    needed = plan["needed"].to_numpy(np.int32)
    for store in np.unique(cells.store[short > 0]):
        own = cells.store == store
        part = cells.part(own)
        if cells.rules[store].plans_by == "day":
            relaxation = relax_days(part, needed[own])
        else:
            relaxation = relax_hours(part, needed[own], np.unique(day_starts(part)[1][short[own] > 0]).tolist())
        stores.loc[store, list(TEXT_COLUMNS)] = [relaxation.code, relaxation.text.ko, relaxation.text.en]
    return stores


def understaffed_days(cells: Cells, risk: Floats) -> Floats:
    """[store] expected number of days with too few people at some time."""
    first, day_of = day_starts(cells)
    return np.bincount(cells.store[first], weights=risk_of_days(risk, day_of, len(first)), minlength=len(cells.rules))


def day_share(by_hour: NDArray[np.bool_]) -> Floats:
    """[cell] staff-days of one person there: 1 by the day, one of eight person-hours by the hour."""
    return np.where(by_hour, 1 / HOURS_A_STAFF_DAY, 1.0)


def _with_unplanned(stores: pd.DataFrame, unplanned: list[str]) -> pd.DataFrame:
    text = INFEASIBLE["no_rules"]
    rows = pd.DataFrame({"store_id": unplanned}).assign(
        staff_days=0.0,
        last_week_staff_days=np.nan,
        understaffed_days=0.0,
        last_week_understaffed_days=np.nan,
        uncovered_hours=0.0,
        infeasible="no_rules",
        relaxation_ko=text.ko,
        relaxation_en=text.en,
    )
    if stores.empty:
        return rows
    return pd.concat([stores, rows], ignore_index=True).sort_values("store_id", ignore_index=True)
