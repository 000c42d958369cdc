"""Staff of one shard, and its plans as documents.

A store whose rules or numbers stop the planner gets its minimum, marked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import numpy as np
import pandas as pd

from pawcast.errors import PawcastError
from pawcast.forecasting.staffing.plan import StaffPlan, plan_week
from pawcast.forecasting.staffing.rules import MIN_STAFF, StoreRules, rules_from_stores
from pawcast.forecasting.weekly.messages import QUARANTINE, UNPLANNED
from pawcast.forecasting.weekly.opening import Frames
from pawcast.forecasting.weekly.plan import PlannedShift, PlanRow, ShardPlans, StoreLine, StorePlan
from pawcast.forecasting.weekly.ports import Files, Json
from pawcast.forecasting.weekly.run import Sentences
from pawcast.forecasting.weekly.shards import Log, ShardTask

RISKY = 0.35  # probability of too few people, over a week's rows, from which on a planner should look
MOVED = 0.30  # change of staff-days against last week's practice from which on a planner should look


@dataclass(frozen=True)
class ShardPlanner:
    """Plans one shard."""

    files: Files
    frames: Frames
    log: Log

    def plan(self, task: ShardTask) -> Json:
        """Write `plan.parquet`, `shifts.parquet`, `plans.json` and `lines.json` of a shard that was forecast."""
        forecast = self.frames.get_frame(task.key("forecast.parquet"))
        stores = self.frames.get_frame(task.key("stores.parquet"))
        history = self.frames.get_frame(task.key("history.parquet"))
        quarantined = {
            each["store_id"]: each["reason"] for each in self.files.get_json(task.key("result.json"))["quarantined"]
        }
        rules, refused = rules_from_stores(stores)
        for error in refused:
            self.log("a store has no usable rules", error)
        made = self._plan(forecast, rules, history)
        documents = documents_of(made, forecast, stores, quarantined)
        self.frames.put_frame(task.key("plan.parquet"), made.plan)
        self.frames.put_frame(task.key("shifts.parquet"), made.shifts)
        plans = ShardPlans(week=task.week, attempt=task.attempt, shard=task.shard, stores=tuple(documents))
        self.files.put_json(task.key("plans.json"), plans.model_dump(mode="json"))
        lines = [line_of(plan, task.shard).model_dump(mode="json") for plan in documents]
        self.files.put_json(task.key("lines.json"), lines)
        return {
            "shard": task.shard,
            "stores": len(documents),
            "staff_days": round(float(made.stores["staff_days"].sum()), 3),
        }

    def _plan(self, forecast: pd.DataFrame, rules: Mapping[str, StoreRules], history: pd.DataFrame) -> StaffPlan:
        """All stores at once; where that fails, each alone, so that one store's numbers stop only its own plan."""
        try:
            return plan_week(forecast, rules, history=history)
        except (PawcastError, ArithmeticError, ValueError) as error:
            self.log("a shard is planned store by store", error)
        parts = []
        for store_id, rows in forecast.groupby("store_id", sort=True):
            own = {str(store_id): rules[str(store_id)]} if str(store_id) in rules else {}
            try:
                parts.append(plan_week(rows, own, history=history[history["store_id"] == store_id]))
            except (PawcastError, ArithmeticError, ValueError) as error:
                self.log("a store was not planned", error, store_id=str(store_id))
                parts.append(plan_week(rows, {}, history=None))
        return StaffPlan(
            plan=pd.concat([part.plan for part in parts], ignore_index=True),
            shifts=pd.concat([part.shifts for part in parts], ignore_index=True),
            stores=pd.concat([part.stores for part in parts], ignore_index=True),
        )


def documents_of(
    made: StaffPlan, forecast: pd.DataFrame, stores: pd.DataFrame, quarantined: Mapping[str, str]
) -> list[StorePlan]:
    """Each store's plan, in the order of `stores`; rows are the forecast's, so closed days are there, with nobody."""
    rows = forecast.merge(made.plan[["store_id", "ts", "staff", "needed", "risk"]], how="left", on=["store_id", "ts"])
    by_store = {str(store): part for store, part in rows.groupby("store_id", sort=False)}
    shifts = {str(store): part for store, part in made.shifts.groupby("store_id", sort=False)}
    summaries = made.stores.set_index("store_id")
    documents = []
    for store in stores.to_dict("records"):
        store_id = str(store["store_id"])
        summary = summaries.loc[store_id].to_dict() if store_id in summaries.index else {}
        documents.append(_document(store, by_store[store_id], shifts.get(store_id), summary, quarantined.get(store_id)))
    return documents


def _document(
    store: Mapping[Any, Any],
    rows: pd.DataFrame,
    shifts: pd.DataFrame | None,
    summary: Mapping[Any, Any],
    reason: str | None,
) -> StorePlan:
    minimum = max(MIN_STAFF, _number(store.get("min_staff"), MIN_STAFF))
    unplanned = str(summary.get("infeasible", "no_rules")) == "no_rules"
    plan_rows = tuple(_row(row, int(minimum) if unplanned else None) for row in rows.to_dict("records"))
    open_rows = [row for row in plan_rows if row.open]
    staff_days = sum(row.staff for row in open_rows) if unplanned else _number(summary.get("staff_days"), 0.0)
    last_week = _number(summary.get("last_week_staff_days"), staff_days)
    risk = float(np.mean([row.risk for row in open_rows])) if open_rows else 0.0
    infeasible = None
    if unplanned:
        infeasible = UNPLANNED
    elif summary.get("infeasible"):
        infeasible = Sentences(ko=str(summary["relaxation_ko"]), en=str(summary["relaxation_en"]))
    plans_by: Literal["day", "hour"] = "hour" if store["plans_by"] == "hour" else "day"
    return StorePlan(
        store_id=str(store["store_id"]),
        name=str(store.get("name") or store["store_id"]),
        language="en" if store.get("language") == "en" else "ko",
        plans_by=plans_by,
        min_staff=int(minimum),
        method=str(rows["method"].iloc[0]),
        arm=str(rows["arm"].iloc[0]),
        staff_days=staff_days,
        last_week_staff_days=last_week,
        risk=risk,
        rows=plan_rows,
        shifts=tuple(_shift(shift) for shift in shifts.to_dict("records")) if shifts is not None else (),
        infeasible=infeasible,
        look=_look(reason, risk, staff_days, last_week),
    )


def _row(row: Mapping[Any, Any], minimum: int | None) -> PlanRow:
    is_open = bool(row["open"])
    staff = minimum if minimum is not None and is_open else int(_number(row["staff"], 0))
    return PlanRow(
        ts=cast("pd.Timestamp", row["ts"]).to_pydatetime(),
        open=is_open,
        needed=int(_number(row["needed"], staff)) if is_open else 0,
        staff=staff if is_open else 0,
        risk=min(1.0, max(0.0, _number(row["risk"], 0.0))),
        yhat=round(_number(row["yhat"], 0.0), 2),
        q10=round(_number(row["q10"], 0.0), 2),
        q50=round(_number(row["q50"], 0.0), 2),
        q80=round(_number(row["q80"], 0.0), 2),
        q90=round(_number(row["q90"], 0.0), 2),
    )


def _shift(row: Mapping[Any, Any]) -> PlannedShift:
    return PlannedShift(
        day=cast("pd.Timestamp", row["day"]).to_pydatetime(),
        shift=str(row["shift"]),
        starts_at=int(row["starts_at"]),
        ends_at=int(row["ends_at"]),
        people=int(row["people"]),
    )


def _look(reason: str | None, risk: float, staff_days: float, last_week: float) -> Sentences | None:
    """Why a planner should look at a store; the gravest reason alone."""
    if reason is not None:
        return QUARANTINE[reason]
    if last_week > 0 and abs(staff_days / last_week - 1) >= MOVED:
        change = staff_days / last_week - 1
        return Sentences(
            ko=f"근무 인일이 지난주 방식보다 {change:+.0%} 바뀌었습니다({last_week:.0f} → {staff_days:.0f}).",
            en=f"Staff-days are {change:+.0%} against last week's practice ({last_week:.0f} to {staff_days:.0f}).",
        )
    if risk >= RISKY:
        return Sentences(
            ko=f"인원이 모자랄 확률이 평균 {risk:.0%}입니다.",
            en=f"Too few people with a probability of {risk:.0%} on average.",
        )
    return None


def line_of(plan: StorePlan, shard: int) -> StoreLine:
    """The store's line in the list of the week."""
    return StoreLine(shard=shard, **plan.model_dump(include=set(StoreLine.model_fields) - {"shard"}))


def _number(value: Any, default: float) -> float:
    """A number, or the default where there is none."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return default
    return number if np.isfinite(number) else default
