"""A store's plan as the planner, the store and the API see it, and what edits do to it.

Plans of a shard are one JSON document, `shards/NNNN/plans.json`. They hold what the model planned. An edit is never
written into it: edits are put on top whenever a plan is shown or sent (`with_edits`), so they outlive a new attempt.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from pawcast.errors import InvalidRequest
from pawcast.forecasting.weekly.run import Edit, Record, Sentences, StoreId

CSV_COLUMNS = ("store_id", "ts", "open", "staff", "visitors", "q10", "q90", "edited")


class PlanRow(Record):
    """One day, or one hour of a store that plans by hour. `risk`: probability that more people are needed."""

    ts: datetime
    open: bool
    yhat: float
    q10: float
    q50: float
    q80: float
    q90: float
    needed: int
    staff: int
    risk: float = Field(ge=0, le=1)
    edited: bool = False


class PlannedShift(Record):
    """So many people from one hour to another."""

    day: datetime
    shift: str
    starts_at: int
    ends_at: int
    people: int


class StorePlan(Record):
    """One store's week."""

    store_id: StoreId
    name: str
    language: Literal["ko", "en"] = "ko"
    plans_by: Literal["day", "hour"]
    min_staff: int
    method: str
    arm: str
    staff_days: float
    last_week_staff_days: float
    risk: float
    rows: tuple[PlanRow, ...]
    shifts: tuple[PlannedShift, ...] = ()
    infeasible: Sentences | None = None
    look: Sentences | None = None  # why a planner should look at this store

    @property
    def edited(self) -> bool:
        """Whether any cell was set by a planner."""
        return any(row.edited for row in self.rows)

    def with_edits(self, edits: Iterable[Edit]) -> Self:
        """The plan with edits on top; an edit of a day that is closed by now does nothing.

        Staff-days change by what the edits changed. Shifts stay those of the planner's programme: an edited hour says
        how many people there must be, who comes is the store's to arrange.
        """
        by_cell = {edit.ts: edit for edit in edits if edit.store_id == self.store_id}
        if not by_cell:
            return self
        rows = tuple(
            row.model_copy(update={"staff": by_cell[row.ts].staff, "edited": True})
            if row.ts in by_cell and row.open
            else row
            for row in self.rows
        )
        planned = sum(row.staff for row in self.rows)
        share = self.staff_days / planned if planned else 0.0  # staff-days a unit of staff: 1 by day, less by hour
        return self.model_copy(update={"rows": rows, "staff_days": sum(row.staff for row in rows) * share})

    def cell(self, ts: datetime) -> PlanRow:
        """The row of a day or hour.

        Raises:
            InvalidRequest: the plan has no such row.
        """
        for row in self.rows:
            if row.ts == ts:
                return row
        raise InvalidRequest(f"store {self.store_id} has no row {ts.isoformat()} in this week", field="ts")

    def csv(self) -> str:
        """As a table that a spreadsheet opens: UTF-8 with BOM, one row a day or hour."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(CSV_COLUMNS)
        for row in self.rows:
            when = (
                row.ts.isoformat(sep=" ", timespec="minutes") if self.plans_by == "hour" else row.ts.date().isoformat()
            )
            visitors = f"{row.yhat:.0f}"
            writer.writerow(
                (
                    plain_cell(self.store_id),
                    when,
                    int(row.open),
                    row.staff,
                    visitors,
                    f"{row.q10:.0f}",
                    f"{row.q90:.0f}",
                    int(row.edited),
                )
            )
        return "\ufeff" + file.getvalue()


class ShardPlans(Record):
    """The plans of one shard."""

    week: str
    attempt: int
    shard: int
    stores: tuple[StorePlan, ...]


class StoreLine(Record):
    """One store in the list of a week: what the planner's table shows before a store is opened."""

    store_id: StoreId
    name: str
    shard: int
    plans_by: Literal["day", "hour"]
    staff_days: float
    last_week_staff_days: float
    risk: float
    method: str
    arm: str
    look: Sentences | None = None
    infeasible: Sentences | None = None


def plain_cell(value: object) -> object:
    """A cell that no spreadsheet takes for a formula: a text that could be one gets an apostrophe in front."""
    return f"'{value}" if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def shard_key(prefix: str, shard: int, name: str) -> str:
    """Key of a shard's file below a run's prefix."""
    return f"{prefix}/shards/{shard:04d}/{name}"


def lines_key(prefix: str) -> str:
    """Key of the list of all stores of a run."""
    return f"{prefix}/stores.json"


def checked_edits(plan: StorePlan, wanted: Mapping[datetime, int]) -> Sequence[tuple[PlanRow, int]]:
    """The rows that a planner wants to change, with the staff wanted.

    Raises:
        InvalidRequest: a row is not there or closed, or the staff is below the store's minimum or absurd.
    """
    found = []
    for ts, staff in wanted.items():
        row = plan.cell(ts)
        if not row.open:
            message = f"store {plan.store_id} is closed at {ts.isoformat()}: a closed day is never staffed"
            raise InvalidRequest(message, code="edit_closed", field="ts")
        if staff < plan.min_staff:
            message = (
                f"staff {staff} at {ts.isoformat()} is below the minimum {plan.min_staff} of store {plan.store_id}"
            )
            raise InvalidRequest(message, code="edit_below_minimum", field="staff")
        if staff > 10_000:
            raise InvalidRequest(
                f"staff {staff} at {ts.isoformat()}: at most 10,000", code="edit_too_many", field="staff"
            )
        found.append((row, staff))
    return found
