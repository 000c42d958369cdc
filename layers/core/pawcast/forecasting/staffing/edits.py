"""Edits of people: put into each new plan of the week, reported where they can't be, scored when the week is over.

By day an edit is the day's staff. By hour it is what its hour must have: the day's shifts are solved again with exactly
that many people there, or, where no shifts do exactly that, with at least as many and no limit. So shifts and staff
always agree. A person's word outranks the store's maximum, but never its minimum.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from pawcast.errors import InvalidStaffing
from pawcast.forecasting.staffing.cells import Cells, Places, cells_of_plan, place_of, readable, require, times
from pawcast.forecasting.staffing.compare import known_visitors
from pawcast.forecasting.staffing.hourly import shift_frame
from pawcast.forecasting.staffing.limits import solve_limited, solve_rows
from pawcast.forecasting.staffing.messages import refusal
from pawcast.forecasting.staffing.model import new_highs, window_of
from pawcast.forecasting.staffing.plan import StaffPlan, day_share, understaffed_days
from pawcast.forecasting.staffing.risk import shortage_risk
from pawcast.forecasting.staffing.rules import MAX_STAFF, Shift, StoreRules

EDIT_COLUMNS = ("store_id", "ts", "staff", "by", "reason")
SHIFT_EDIT_COLUMNS = ("store_id", "day", "shift", "starts_at", "ends_at", "people", "by", "reason")


@dataclass(frozen=True, eq=False)
class EditedPlan:
    """`plan` with the edits in it; `dropped`: those left out, with `code` and sentences.

    Columns of `dropped`: store_id, ts, staff (NaN: shifts of a day), by, reason, code, ko, en.
    """

    plan: StaffPlan
    dropped: pd.DataFrame


def apply_edits(
    plan: StaffPlan,
    edits: pd.DataFrame,
    rules: Mapping[str, StoreRules],
    forecast: pd.DataFrame,
    *,
    shifts: pd.DataFrame | None = None,
    refused: Literal["raise", "drop"] = "raise",
) -> EditedPlan:
    """The plan with edits put in.

    Args:
        plan: as `plan_week` made it (again).
        edits: store_id, ts, staff, by, reason and, where there is one, at; the newest of a cell counts.
        rules: by store.
        forecast: the plan's FORECAST, for the risk.
        shifts: store_id, day, shift, starts_at, ends_at, people, by, reason: replace all shifts of that store and day.
        refused: what becomes of an edit that may not be (below_minimum, not_whole, outside_hours): "raise" when a
            person just made it, "drop" when a stored one meets rules that changed. Edits of closed or unknown cells are
            always dropped and reported.

    Raises:
        InvalidStaffing: below_minimum, not_whole, outside_hours, missing_column.
    """
    require(edits, EDIT_COLUMNS)
    work = _Work(plan, rules, forecast, drop_refused=refused == "drop")
    replaced = work.replace_shifts(shifts) if shifts is not None and len(shifts) else set()
    work.set_staff(_newest(edits), replaced)
    return work.result()


class _Work:
    """A plan while edits go in."""

    def __init__(
        self, plan: StaffPlan, rules: Mapping[str, StoreRules], forecast: pd.DataFrame, *, drop_refused: bool
    ) -> None:
        self.before, self.rules, self.forecast, self.drop_refused = plan, rules, forecast, drop_refused
        self.rows = plan.plan.sort_values(["store_id", "ts"], ignore_index=True)
        self.store_ids = self.rows["store_id"].astype(str).to_numpy(object)
        self.staff = self.rows["staff"].to_numpy(np.int64, copy=True)
        self.edited = self.rows["edited"].to_numpy(bool, copy=True)
        self.days = times(self.rows["ts"]).astype("datetime64[D]")
        self.new_shifts: dict[tuple[str, np.datetime64], list[tuple[Shift, int]]] = {}
        self.dropped: list[dict[str, Any]] = []

    def drop(self, error: InvalidStaffing, edit: Mapping[Any, Any], *, may_raise: bool) -> None:
        if may_raise and not self.drop_refused:
            raise error
        facts = {name: edit.get(name) for name in EDIT_COLUMNS}
        self.dropped.append({**facts, "code": error.request_code, "ko": error.ko, "en": error.en})

    def places(self, store_id: str, day: np.datetime64) -> Places:
        """Open rows of a store's day."""
        here = (self.store_ids == store_id) & (self.days == day) & (self.rows["needed"].to_numpy() > 0)
        return np.flatnonzero(here)

    def set_staff(self, edits: pd.DataFrame, replaced: set[tuple[str, np.datetime64]]) -> None:
        hourly: dict[tuple[str, np.datetime64], list[int]] = {}
        place = place_of(self.rows, edits) if len(edits) else np.zeros(0, np.intp)
        moments = times(edits["ts"])
        for number, edit in enumerate(edits.to_dict("records")):
            store_id, at, where = str(edit["store_id"]), moments[number], int(place[number])
            if (error := self._problem(store_id, at, where, edit["staff"])) is not None:
                self.drop(error, edit, may_raise=error.request_code in {"below_minimum", "not_whole"})
                continue
            key = (store_id, self.days[where])
            if key in replaced:
                error = refusal("shifts_replaced", store_id=store_id, field="ts", value=readable(at))
                self.drop(error, edit, may_raise=False)
                continue
            self.staff[where] = int(edit["staff"])
            self.edited[where] = True
            if self.rules[store_id].plans_by == "hour":
                hourly.setdefault(key, []).append(where)
        for key, edited in hourly.items():
            self._solve_again(key, np.array(edited))

    def _problem(self, store_id: str, at: np.datetime64, where: int, staff: Any) -> InvalidStaffing | None:
        if store_id not in self.rules or (where < 0 and not self._is_closed(store_id, at)):
            return refusal("not_planned", store_id=store_id, field="ts", value=readable(at))
        if where < 0 or self.rows["needed"].iloc[where] == 0:
            return refusal("closed", store_id=store_id, field="ts", value=readable(at))
        if not _is_whole(staff):
            return refusal("not_whole", store_id=store_id, field="staff", value=staff)
        least = self.rules[store_id].min_staff
        if int(staff) < least:
            return refusal("below_minimum", store_id=store_id, field="staff", value=readable(at), limit=least)
        return None

    def _is_closed(self, store_id: str, at: np.datetime64) -> bool:
        """Whether the forecast knows the time, so that it was left out of the plan as closed."""
        return bool(((self.forecast["store_id"].astype(str) == store_id) & (times(self.forecast["ts"]) == at)).any())

    def _solve_again(self, key: tuple[str, np.datetime64], edited: Places) -> None:
        rules, where = self.rules[key[0]], self.places(*key)
        hours = tuple(int(hour) for hour in times(self.rows["ts"].iloc[where]).astype("datetime64[h]").astype(int) % 24)
        window = window_of(rules.pattern.shifts, hours)
        fixed = np.isin(where, edited)
        need = np.where(fixed, self.staff[where], self.rows["needed"].to_numpy()[where]).astype(np.int32)
        cap = np.full(len(where), float(rules.max_staff or np.inf))
        highs = new_highs()
        exact = None
        if window.covers_all and (need[~fixed] <= cap[~fixed]).all():
            exact = solve_rows(highs, window, need, np.where(fixed, need, cap), rules.max_people_per_day)
        people = solve_limited(highs, window, need, 0, 0, rules.min_staff) if exact is None else exact
        self.staff[where] = window.matrix @ people if len(people) else 0
        self.new_shifts[key] = [(window.shifts[one], int(people[one])) for one in np.flatnonzero(people)]

    def replace_shifts(self, shifts: pd.DataFrame) -> set[tuple[str, np.datetime64]]:
        """Put whole days of shifts in; the days that were."""
        require(shifts, SHIFT_EDIT_COLUMNS)
        done = set()
        table = shifts.assign(store_id=shifts["store_id"].astype(str))
        moments = times(table["day"]).astype("datetime64[D]")
        for key in sorted(set(zip(table["store_id"], moments, strict=True))):
            rows = table[(table["store_id"] == key[0]) & (moments == key[1])]
            edits = rows.to_dict("records")
            try:
                chosen = self._checked(key, edits)
            except InvalidStaffing as error:
                edit = {"store_id": key[0], "ts": pd.Timestamp(key[1]), "staff": np.nan} | {
                    name: edits[0][name] for name in ("by", "reason")
                }
                self.drop(error, edit, may_raise=error.request_code not in {"not_planned", "closed"})
                continue
            self.new_shifts[key] = chosen
            done.add(key)
        return done

    def _checked(self, key: tuple[str, np.datetime64], edits: list[dict[Any, Any]]) -> list[tuple[Shift, int]]:
        store_id, day = key
        where = self.places(*key)
        if store_id not in self.rules or self.rules[store_id].plans_by != "hour":
            raise refusal("not_planned", store_id=store_id, field="day", value=str(day))
        if not len(where):
            raise refusal("closed", store_id=store_id, field="day", value=str(day))
        hours = times(self.rows["ts"].iloc[where]).astype("datetime64[h]").astype(int) % 24
        staff = np.zeros(len(where), np.int64)
        chosen = []
        for edit in edits:
            for name in ("starts_at", "ends_at", "people"):
                if not _is_whole(edit[name]):
                    raise refusal("not_whole", store_id=store_id, field=name, value=edit[name])
            start, end = int(edit["starts_at"]), int(edit["ends_at"])
            if not hours[0] <= start < end <= hours[-1] + 1:
                limit = f"{hours[0]}–{hours[-1] + 1}"
                raise refusal(
                    "outside_hours", store_id=store_id, field="starts_at", value=f"{start}–{end}", limit=limit
                )
            staff += int(edit["people"]) * ((hours >= start) & (hours < end))
            if int(edit["people"]):
                chosen.append((Shift(start, end - start, str(edit["shift"] or "")), int(edit["people"])))
        least = self.rules[store_id].min_staff
        if (staff < least).any():
            at = readable(times(self.rows["ts"])[where[int(np.argmax(staff < least))]])
            raise refusal("below_minimum", store_id=store_id, field="people", value=at, limit=least)
        self.staff[where] = staff
        self.edited[where] = True
        return chosen

    def result(self) -> EditedPlan:
        changed = np.isin(self.store_ids, np.unique(self.store_ids[self.edited]))
        rows = self.rows.assign(staff=self.staff, edited=self.edited)
        stores = self.before.stores
        if changed.any():
            cells = cells_of_plan(rows[changed], self.rules, self.forecast)
            risk = shortage_risk(
                cells.quantiles, self.staff[changed].astype(np.int32), cells.of_rules("visitors_per_person")
            )
            rows.loc[changed, "risk"] = np.where(cells.open, risk, 0.0)
            stores = _with_totals(stores, cells, rows[changed])
        dropped = pd.DataFrame(self.dropped, columns=[*EDIT_COLUMNS, "code", "ko", "en"])
        return EditedPlan(replace(self.before, plan=rows, shifts=self._shifts(), stores=stores), dropped)

    def _shifts(self) -> pd.DataFrame:
        old = self.before.shifts
        if not self.new_shifts:
            return old
        days = times(old["day"]).astype("datetime64[D]")
        kept = [key not in self.new_shifts for key in zip(old["store_id"].astype(str), days, strict=True)]
        new = [(store, day, shift, people) for (store, day), used in self.new_shifts.items() for shift, people in used]
        made = shift_frame(
            np.array([store for store, *_ in new], object),
            np.array([day for _, day, *_ in new], "datetime64[D]"),
            np.array([shift.label for _, _, shift, _ in new], object),
            np.array([shift.starts_at for _, _, shift, _ in new], np.int64),
            np.array([shift.ends_at for _, _, shift, _ in new], np.int64),
            np.array([people for *_, people in new], np.int32),
        )
        both = pd.concat([old[np.array(kept, bool)], made], ignore_index=True)
        return both.sort_values(["store_id", "day", "starts_at", "ends_at"], ignore_index=True)


def _with_totals(stores: pd.DataFrame, cells: Cells, rows: pd.DataFrame) -> pd.DataFrame:
    """The frame `stores` with staff-days and expected understaffed days counted again where rows changed."""
    share = day_share(cells.by_hour)
    ids = [rule.store_id for rule in cells.rules]
    days = np.bincount(cells.store, weights=rows["staff"].to_numpy() * share, minlength=len(ids))
    risk = understaffed_days(cells, rows["risk"].to_numpy())
    place = pd.Index(stores["store_id"].astype(str)).get_indexer(pd.Index(ids))
    staff_days, understaffed = (stores[name].to_numpy(float, copy=True) for name in ("staff_days", "understaffed_days"))
    staff_days[place], understaffed[place] = days, risk
    return stores.assign(staff_days=staff_days, understaffed_days=understaffed)


@dataclass(frozen=True, eq=False)
class EditScores:
    """Staff-days too few and too many that edits avoided (negative: caused). Only edited cells count, not their shifts.

    `cells`: one row an edit: store_id, ts, by, reason, before, after, needed, under_avoided, over_avoided.
    `people`: by, edits, helped, hurt, under_avoided, over_avoided; the first row, by="", is everybody.
    """

    cells: pd.DataFrame
    people: pd.DataFrame


def score_edits(
    edits: pd.DataFrame, plan_before: pd.DataFrame, actual: pd.DataFrame, rules: Mapping[str, StoreRules]
) -> EditScores:
    """What edits were worth. `plan_before` is a PLAN without them, `actual` VISITS rows; unknown ones don't count."""
    require(edits, EDIT_COLUMNS)
    newest = _newest(edits)
    newest = newest[newest["store_id"].astype(str).isin(rules)]
    plan = plan_before[plan_before["store_id"].astype(str).isin(set(newest["store_id"].astype(str)))]
    plan = plan.sort_values(["store_id", "ts"], ignore_index=True)
    cells = cells_of_plan(plan, rules)
    visitors = known_visitors(plan, actual)
    needed = cells.needed(np.nan_to_num(visitors))
    place = place_of(plan, newest) if len(newest) else np.zeros(0, np.intp)
    counts = np.array([at >= 0 and cells.open[at] and np.isfinite(visitors[at]) for at in place], bool)
    at = place[counts]
    before, after = plan["staff"].to_numpy(float)[at], newest["staff"].to_numpy(float)[counts]
    share = day_share(cells.by_hour)[at]
    scored = newest[counts][["store_id", "ts", "by", "reason"]].assign(before=before, after=after, needed=needed[at])
    scored["under_avoided"] = (np.maximum(needed[at] - before, 0) - np.maximum(needed[at] - after, 0)) * share
    scored["over_avoided"] = (np.maximum(before - needed[at], 0) - np.maximum(after - needed[at], 0)) * share
    scored = scored.reset_index(drop=True)
    everybody = _summed(scored.assign(by=""))
    each = _summed(scored)
    return EditScores(scored, pd.concat([everybody, each], ignore_index=True))


def _summed(scored: pd.DataFrame) -> pd.DataFrame:
    value = scored["under_avoided"] + scored["over_avoided"]
    table = scored.assign(edits=1, helped=(value > 0).astype(int), hurt=(value < 0).astype(int))
    columns = ["edits", "helped", "hurt", "under_avoided", "over_avoided"]
    return table.groupby("by", as_index=False, sort=True)[columns].sum()


def _newest(edits: pd.DataFrame) -> pd.DataFrame:
    """The newest edit of each cell: by `at` where there is one, else the last row."""
    ordered = edits.sort_values("at", kind="stable") if "at" in edits else edits
    return ordered.drop_duplicates(["store_id", "ts"], keep="last").reset_index(drop=True)


def _is_whole(value: Any) -> bool:
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.number):
        return False
    return bool(np.isfinite(value)) and float(value).is_integer() and 0 <= float(value) <= MAX_STAFF
