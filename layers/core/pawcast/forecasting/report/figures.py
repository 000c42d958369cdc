"""The week in figures beside those before it."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from pawcast.forecasting.report.inputs import ReportInputs


@dataclass(frozen=True)
class Moved:
    """A store's staff-days beside last week's practice."""

    store_id: str
    name: str
    staff_days: float
    before: float


@dataclass(frozen=True)
class Figures:
    """Planned against known; None where nothing is known. `visitors_before` is of the newest known seven days."""

    stores: int
    visitors: float
    visitors_before: float | None
    staff_days: float
    staff_days_before: float
    wape: float | None
    naive_wape: float | None
    quarantined: int
    moved: tuple[Moved, ...]

    def summary(self) -> dict[str, Any]:
        """As plain JSON, without the stores."""
        names = ("stores", "visitors", "visitors_before", "staff_days", "staff_days_before", "wape", "naive_wape")
        rounded = {name: getattr(self, name) for name in (*names, "quarantined")}
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in rounded.items()}


def figures_of(inputs: ReportInputs, most: int = 5) -> Figures:
    """The figures, with so many of the stores whose staff-days moved most."""
    is_open = inputs.rows["open"].astype(bool)
    totals = inputs.run.totals
    visitors = totals.visitors if totals else float(inputs.rows["yhat"].where(is_open).sum())
    lines = inputs.lines
    moved = [
        Moved(line.store_id, inputs.names.get(line.store_id, line.name), line.staff_days, line.last_week_staff_days)
        for line in lines
        if abs(line.staff_days - line.last_week_staff_days) >= 0.05
    ]
    moved.sort(key=lambda one: (-abs(one.staff_days - one.before), one.store_id))
    overall = inputs.evaluation.overall if inputs.evaluation else None
    return Figures(
        stores=len(lines),
        visitors=visitors,
        visitors_before=_newest_week(inputs.recent),
        staff_days=totals.staff_days if totals else sum(line.staff_days for line in lines),
        staff_days_before=(totals.last_week_staff_days if totals else sum(line.last_week_staff_days for line in lines)),
        wape=overall.wape if overall else None,
        naive_wape=overall.naive_wape if overall else None,
        quarantined=len(inputs.quarantined),
        moved=tuple(moved[:most]),
    )


def share_of_change(now: float, before: float | None) -> float | None:
    """Change as a share of what was; None without it."""
    return now / before - 1 if before else None


def _newest_week(recent: pd.DataFrame) -> float | None:
    if recent.empty:
        return None
    newest = recent["ts"] > recent["ts"].max() - pd.Timedelta(days=7)
    total = recent.loc[newest, "visitors"].sum(min_count=1)
    return None if pd.isna(total) else float(total)
