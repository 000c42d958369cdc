"""The report of a week, the list of its stores, and the gate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import pandas as pd

from pawcast.errors import Conflict
from pawcast.forecasting.report import Report, ReportInputs, build_report
from pawcast.forecasting.weekly.approving import event_of
from pawcast.forecasting.weekly.evaluating import WeekEvaluation
from pawcast.forecasting.weekly.gate import GateFacts, verdicts
from pawcast.forecasting.weekly.messages import STEPS, filled
from pawcast.forecasting.weekly.opening import Frames
from pawcast.forecasting.weekly.plan import StoreLine, lines_key, plain_cell, shard_key
from pawcast.forecasting.weekly.ports import Clock, Files, Json, Weeks
from pawcast.forecasting.weekly.run import Quarantined, Run, RunState, Totals
from pawcast.forecasting.weekly.week import Week

RECENT_WEEKS: Final = 8


@dataclass(frozen=True, eq=False)
class Gathered:
    """What the shards of a run made, together."""

    lines: list[StoreLine]
    quarantined: list[Quarantined]
    rows: pd.DataFrame  # FORECAST with staff, needed, risk
    stores: pd.DataFrame
    recent: pd.DataFrame  # store_id, ts, visitors by day, of the newest known weeks


@dataclass(frozen=True)
class Reporter:
    """Reports a week."""

    weeks: Weeks
    files: Files
    frames: Frames
    zone: ZoneInfo
    now: Clock

    def report(self, week_name: str, attempt: int) -> Json:
        """Write the report, its tables and the list of stores; `gate_passed`, and `wait_seconds` for the approval.

        Raises:
            Conflict: another attempt took the week.
        """
        run = self.weeks.get(week_name)
        if run is None or run.attempt != attempt:
            message = f"attempt {attempt} of week {week_name} was superseded"
            raise Conflict(message)
        now, week = self.now(), Week.parse(week_name)
        gathered = self._gather(run, week)
        evaluation = WeekEvaluation.model_validate(self.files.get_json(f"{run.prefix}/evaluation.json"))
        totals = totals_of(gathered)
        facts = GateFacts(
            totals=totals,
            lines=gathered.lines,
            quarantined=len(gathered.quarantined),
            last_week_visitors=_last_week(gathered.recent, week),
            broken_rows=_broken_rows(gathered),
            evaluated=evaluation.evaluation.overall if evaluation.evaluation else None,
        )
        changes = {
            "gate": verdicts(facts),
            "totals": totals,
            "quarantined": len(gathered.quarantined),
            "plan_version": max(run.plan_version, 1),
        }
        if run.state is RunState.RUNNING:
            run = run.changed(**{name: _plain(value) for name, value in changes.items()})
            self.weeks.save(run)
        self._write(run, gathered, evaluation, week)
        passed = run.override_gate_reason != "" or all(each.passed or not each.blocking for each in run.gate)
        text = filled(
            STEPS["reported"],
            visitors=totals.visitors,
            staff_days=totals.staff_days,
            quarantined=len(gathered.quarantined),
        )
        failed = [each.name for each in run.gate if not each.passed]
        event = event_of(run, now, "reported", text, facts={"gate_passed": passed, "not_passed": failed})
        self.weeks.add_event(event)
        wait = max(60, int((week.approval_ends(now, self.zone) - now).total_seconds()))
        return {"gate_passed": passed, "wait_seconds": wait}

    def _gather(self, run: Run, week: Week) -> Gathered:
        lines: list[StoreLine] = []
        quarantined: list[Quarantined] = []
        rows, stores, recent = [], [], []
        first = pd.Timestamp(week.known_until) - pd.Timedelta(days=7 * RECENT_WEEKS - 1)
        until = pd.Timestamp(week.known_until) + pd.Timedelta(days=1)
        for shard in range(run.shards):
            lines += [
                StoreLine.model_validate(line) for line in self.files.get_json(self._key(run, shard, "lines.json"))
            ]
            result = self.files.get_json(self._key(run, shard, "result.json"))
            quarantined += [Quarantined.model_validate(each) for each in result["quarantined"]]
            forecast = self.frames.get_frame(self._key(run, shard, "forecast.parquet"))
            plan = self.frames.get_frame(self._key(run, shard, "plan.parquet"))
            keys = ["store_id", "ts"]
            rows.append(forecast.merge(plan[[*keys, "staff", "needed", "risk"]], how="left", on=keys))
            stores.append(self.frames.get_frame(self._key(run, shard, "stores.parquet")))
            history = self.frames.get_frame(self._key(run, shard, "history.parquet"))
            history = history[(history["ts"] >= first) & (history["ts"] < until)]
            by_day = history.assign(ts=history["ts"].dt.normalize()).groupby(keys, sort=True)["visitors"]
            recent.append(by_day.sum(min_count=1).reset_index())
        return Gathered(
            lines,
            quarantined,
            pd.concat(rows, ignore_index=True),
            pd.concat(stores, ignore_index=True),
            pd.concat(recent, ignore_index=True),
        )

    def _key(self, run: Run, shard: int, name: str) -> str:
        return shard_key(run.prefix, shard, name)

    def _write(self, run: Run, gathered: Gathered, evaluation: WeekEvaluation, week: Week) -> None:
        names = dict(zip(gathered.stores["store_id"].astype(str), gathered.stores["name"].astype(str), strict=True))
        inputs = ReportInputs(
            run=run,
            lines=gathered.lines,
            rows=gathered.rows,
            recent=self._with_last_forecast(gathered.recent, week),
            evaluation=evaluation.evaluation,
            comparisons=evaluation.comparisons,
            edit_scores=pd.DataFrame(evaluation.edits) if evaluation.edits else None,
            staff_totals=evaluation.staff,
            quarantined=gathered.quarantined,
            names=names,
            generated_at=self.now().astimezone(self.zone),
        )
        made: Report = build_report(inputs)
        prefix = f"{run.prefix}/report"
        for name, table in made.tables.items():
            self.frames.put_frame(f"{prefix}/{name}.parquet", table)
            self.files.put_text(
                f"{prefix}/{name}.csv", "\ufeff" + plain_cells(table).to_csv(index=False), "text/csv; charset=utf-8"
            )
        self.files.put_text(f"{prefix}/index.html", made.html, "text/html; charset=utf-8")
        self.files.put_json(lines_key(run.prefix), [line.model_dump(mode="json") for line in gathered.lines])
        result = {
            "quarantined": [each.model_dump(mode="json") for each in gathered.quarantined],
            "summary": made.summary,
        }
        self.files.put_json(f"{run.prefix}/result.json", result)

    def _with_last_forecast(self, recent: pd.DataFrame, week: Week) -> pd.DataFrame:
        """The recent days, with the forecast that was made for the newest known week where there is one."""
        made = self.weeks.get(week.newest_known.name)
        if made is None or made.totals is None:
            return recent.assign(yhat=float("nan"), q10=float("nan"), q90=float("nan"))
        parts = [self.frames.get_frame(self._key(made, shard, "forecast.parquet")) for shard in range(made.shards)]
        rows = pd.concat(parts, ignore_index=True)
        by_day = rows.assign(ts=rows["ts"].dt.normalize()).groupby(["store_id", "ts"], sort=True)
        return recent.merge(
            by_day[["yhat", "q10", "q90"]].sum(min_count=1).reset_index(), how="left", on=["store_id", "ts"]
        )


def plain_cells(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose texts no spreadsheet takes for a formula."""
    texts = [name for name in table if not pd.api.types.is_numeric_dtype(table[name]) and table[name].dtype != bool]
    return table.assign(**{str(name): table[name].map(plain_cell, na_action="ignore") for name in texts})


def totals_of(gathered: Gathered) -> Totals:
    """The week in four figures."""
    return Totals(
        stores=len(gathered.lines),
        visitors=round(float(gathered.rows["yhat"].sum()), 1),
        staff_days=round(sum(line.staff_days for line in gathered.lines), 2),
        last_week_staff_days=round(sum(line.last_week_staff_days for line in gathered.lines), 2),
    )


def _last_week(recent: pd.DataFrame, week: Week) -> float:
    newest = recent["ts"] > pd.Timestamp(week.known_until) - pd.Timedelta(days=7)
    return float(recent.loc[newest, "visitors"].sum())


def _broken_rows(gathered: Gathered) -> int:
    """Open rows by day below the store's minimum, and closed rows with people. Hours may need nobody extra."""
    minimum = gathered.rows["store_id"].map(gathered.stores.set_index("store_id")["min_staff"]).clip(lower=3)
    by_day = gathered.rows["store_id"].map(gathered.stores.set_index("store_id")["plans_by"]) == "day"
    staff, is_open = gathered.rows["staff"], gathered.rows["open"].astype(bool)
    below = by_day & is_open & staff.notna() & (staff < minimum)
    return int(below.sum() + (~is_open & (staff.fillna(0) > 0)).sum())


def _plain(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(each.model_dump() for each in value)
    return value.model_dump() if hasattr(value, "model_dump") else value
