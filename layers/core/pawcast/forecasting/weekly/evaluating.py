"""Last week's forecast against what came.

The week that is evaluated is the newest one that is wholly known, two weeks before the one being planned. Its
forecast and plan lie with its own run; what came is in the history of this run, so both runs' files say all there is
to say, and a repetition says it again. Each week's errors by store and arm are kept (`evaluations/<week>/`), for
experiments and for what is usual for a store.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd
from pydantic import Field

from pawcast.errors import NotFound
from pawcast.forecasting.evaluate import Evaluation, evaluate, store_weeks, usual_wape
from pawcast.forecasting.experiment import Comparison, compare_shadow, compare_split
from pawcast.forecasting.forecast import fallback_week
from pawcast.forecasting.models import parse_release
from pawcast.forecasting.panel import HOURS_A_DAY, panel_from_frame
from pawcast.forecasting.staffing.compare import compare
from pawcast.forecasting.staffing.edits import score_edits
from pawcast.forecasting.staffing.rules import rules_from_stores
from pawcast.forecasting.weekly.approving import event_of
from pawcast.forecasting.weekly.messages import STEPS, filled
from pawcast.forecasting.weekly.opening import Frames
from pawcast.forecasting.weekly.plan import shard_key
from pawcast.forecasting.weekly.ports import Clock, Files, Json, Weeks
from pawcast.forecasting.weekly.run import Edit, Record, Run
from pawcast.forecasting.weekly.shards import usable_rows
from pawcast.forecasting.weekly.week import Week

EARLIER_WEEKS: Final = 26  # looked back for experiments and for what is usual
HOURS_A_STAFF_DAY: Final = 8
EDIT_COLUMNS: Final = ("store_id", "ts", "staff", "by", "reason", "at")


class WeekEvaluation(Record):
    """What `evaluation.json` of a run holds. `evaluation` is None where no forecast was made for that week."""

    week: str
    evaluation: Evaluation | None
    comparisons: tuple[Comparison, ...] = ()
    staff: Mapping[str, float] = Field(default_factory=dict)
    edits: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, eq=False)
class _Known:
    """Frames of the evaluated week, of all its shards."""

    actual: pd.DataFrame
    naive: pd.DataFrame
    stores: pd.DataFrame


@dataclass(frozen=True)
class Evaluator:
    """Evaluates the newest known week."""

    weeks: Weeks
    files: Files
    frames: Frames
    now: Clock

    def evaluate(self, week_name: str, attempt: int) -> Json:
        """Write `evaluation.json` and, where there was a forecast, the errors of the week by store and arm."""
        run = self._run(week_name, attempt)
        target = Week.parse(week_name).newest_known
        made = self.weeks.get(target.name)
        if made is None or made.totals is None:
            document = WeekEvaluation(week=target.name, evaluation=None)
            event = event_of(run, self.now(), "evaluated", filled(STEPS["nothing_to_evaluate"], week=target.name))
        else:
            document = self._evaluation(run, made, target)
            figures = document.evaluation.overall if document.evaluation else None
            wape = figures.wape if figures and figures.wape is not None else float("nan")
            naive = figures.naive_wape if figures and figures.naive_wape is not None else float("nan")
            text = filled(STEPS["evaluated"], week=target.name, wape=wape, naive=naive)
            event = event_of(run, self.now(), "evaluated", text)
        self.files.put_json(f"{run.prefix}/evaluation.json", document.model_dump(mode="json"))
        self.weeks.add_event(event)
        overall = document.evaluation.overall if document.evaluation else None
        return {"week": target.name, "wape": overall.wape if overall else None}

    def _run(self, week_name: str, attempt: int) -> Run:
        run = self.weeks.get(week_name)
        if run is None or run.attempt != attempt:
            message = f"attempt {attempt} of week {week_name} was superseded"
            raise NotFound(message)
        return run

    def _evaluation(self, run: Run, made: Run, target: Week) -> WeekEvaluation:
        known = self._known(run, target)
        shards = range(made.shards)
        forecast = self._every(made, shards, "forecast.parquet")
        arms = self._every(made, shards, "arms.parquet")
        plan = self._every(made, shards, "plan.parquet")
        rules, _ = rules_from_stores(known.stores)
        earlier = self._earlier(target)
        errors = store_weeks(arms, known.actual, known.naive)
        self.frames.put_frame(errors_key(target.name), errors)
        edits = _edit_frame(self.weeks.edits(made.week))
        edited = _with_edits(plan, edits)
        compared = compare(edited, known.actual, rules)
        staff = _staff_frame(compared.rows, plan, known.stores)
        scores = score_edits(edits, plan, known.actual, rules) if len(edits) else None
        evaluation = evaluate(
            forecast,
            known.actual,
            known.naive,
            staff=staff,
            usual=usual_wape(earlier[earlier["arm"].isin(forecast["arm"].unique())]) if len(earlier) else None,
        )
        release = parse_release(self.files.get_json(f"{made.prefix}/release.json")["release"])
        names = [arm.name for arm in release.arms]
        split_of = dict(zip(known.stores["store_id"], release.arm_of(known.stores["store_id"].tolist()), strict=True))
        together = pd.concat([earlier, errors], ignore_index=True) if len(earlier) else errors
        return WeekEvaluation(
            week=target.name,
            evaluation=evaluation,
            comparisons=tuple(_comparisons(together, names, split_of)),
            staff={name: float(value) for name, value in compared.totals.items()},
            edits=tuple(_records(scores.people)) if scores is not None else (),
        )

    def _known(self, run: Run, target: Week) -> _Known:
        """What came in the evaluated week, and the seasonal-naive forecast of it, shard by shard of this run."""
        first, last = pd.Timestamp(target.monday), pd.Timestamp(target.sunday) + pd.Timedelta(days=1)
        actual, stores, naive = [], [], [pd.DataFrame({"store_id": [], "ts": pd.to_datetime([]), "yhat": []})]
        for shard in range(run.shards):
            history = self.frames.get_frame(shard_key(run.prefix, shard, "history.parquet"))
            rows = self.frames.get_frame(shard_key(run.prefix, shard, "stores.parquet"))
            stores.append(rows)
            slots = HOURS_A_DAY if rows["plans_by"].iloc[0] == "hour" else 1
            history = usable_rows(history[history["ts"] < last], slots)
            actual.append(history[history["ts"] >= first])
            if len(actual[-1]):  # a shard may have nothing but stores that open only now
                panel = panel_from_frame(history, slots=slots)
                naive.append(fallback_week(panel, np.datetime64(target.monday, "D")).frame())
        return _Known(
            pd.concat(actual, ignore_index=True),
            pd.concat(naive, ignore_index=True),
            pd.concat(stores, ignore_index=True),
        )

    def _every(self, run: Run, shards: range, name: str) -> pd.DataFrame:
        return pd.concat(
            [self.frames.get_frame(shard_key(run.prefix, shard, name)) for shard in shards], ignore_index=True
        )

    def _earlier(self, target: Week) -> pd.DataFrame:
        """Errors of earlier weeks by store and arm; empty where none were kept."""
        found = []
        for back in range(1, EARLIER_WEEKS + 1):
            try:
                found.append(self.frames.get_frame(errors_key(target.shifted(-back).name)))
            except NotFound:
                continue  # a week that was not run leaves a gap
        return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def errors_key(week: str) -> str:
    """Where a week's errors by store and arm are kept."""
    return f"evaluations/{week}/store_weeks.parquet"


def _edit_frame(edits: Sequence[Edit]) -> pd.DataFrame:
    rows = [edit.model_dump(include=set(EDIT_COLUMNS)) for edit in edits]
    frame = pd.DataFrame(rows, columns=list(EDIT_COLUMNS))
    return frame.assign(ts=pd.to_datetime(frame["ts"]).astype("datetime64[us]"))


def _with_edits(plan: pd.DataFrame, edits: pd.DataFrame) -> pd.DataFrame:
    """The plan that stores had: the model's, with people's edits of open rows on top."""
    if edits.empty:
        return plan
    newest = edits.drop_duplicates(["store_id", "ts"], keep="last")[["store_id", "ts", "staff"]]
    both = plan.merge(newest.rename(columns={"staff": "wanted"}), how="left", on=["store_id", "ts"])
    changed = both["wanted"].notna() & (both["staff"] > 0)
    staff = both["staff"].where(~changed, both["wanted"]).astype("int64")
    return both.assign(staff=staff, edited=changed).drop(columns="wanted")


def _staff_frame(rows: pd.DataFrame, plan: pd.DataFrame, stores: pd.DataFrame) -> pd.DataFrame:
    """What `evaluate` counts staff by: planned, needed, what the model had planned, and staff-days a person and row."""
    before = plan[["store_id", "ts", "staff"]].rename(columns={"staff": "unedited"})
    both = rows.rename(columns={"staff": "planned"}).merge(before, how="left", on=["store_id", "ts"])
    by_hour = set(stores.loc[stores["plans_by"] == "hour", "store_id"])
    days = np.where(both["store_id"].isin(by_hour), 1 / HOURS_A_STAFF_DAY, 1.0)
    return both[["store_id", "ts", "planned", "needed", "unedited"]].assign(staff_days=days)


def _comparisons(errors: pd.DataFrame, arms: Sequence[str], split_of: dict[str, str]) -> list[Comparison]:
    """Each candidate against the champion: on the stores that it had, and, as all arms forecast all stores, on all."""
    champion, *candidates = arms
    own = errors[errors["arm"] == errors["store_id"].map(split_of)]
    return [
        made
        for candidate in candidates
        for made in (compare_shadow(errors, champion, candidate), compare_split(own, champion, candidate))
    ]


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]
