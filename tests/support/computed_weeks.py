"""Weeks that were forecast and planned with fake files: one run after another on the same drawn visits."""

import json
from copy import copy
from datetime import date
from typing import Any, Self

import numpy as np
import pandas as pd

from pawcast.forecasting.models import built_in_document
from pawcast.forecasting.weekly.planning import ShardPlanner
from pawcast.forecasting.weekly.run import Run, RunState
from pawcast.forecasting.weekly.shards import ShardForecaster, ShardTask
from pawcast.forecasting.weekly.week import Week
from tests.support.visits import FIRST_MONDAY, drawn_visits
from tests.support.week_fakes import FakeFiles, FakeWeeks, a_run

KNOWN_WEEKS = 12
WEEK = Week(date(FIRST_MONDAY.year, FIRST_MONDAY.month, FIRST_MONDAY.day)).shifted(KNOWN_WEEKS + 1)
HOURS = (10, 11, 12, 13, 14, 15)
CHAMPION = (("champion", built_in_document(), 1.0),)
TWO_ARMS = (("champion", built_in_document(), 0.5), ("candidate", {"kind": "moving_average", "weeks": 4}, 0.5))

type Arms = tuple[tuple[str, dict[str, Any], float], ...]


class StrictFiles(FakeFiles):
    """Takes only documents that are JSON, as S3's adapter does: no NaN, no NumPy."""

    def put_json(self, key: str, document: object) -> None:
        super().put_json(key, json.loads(json.dumps(document, allow_nan=False)))


class ComputedWeeks:
    """A chain of stores that plan by day (shard 0) and by hour (shard 1), and the runs of its weeks."""

    def __init__(self, stores: int = 4, by_hour: int = 2, weeks: int = KNOWN_WEEKS + 4) -> None:
        daily = drawn_visits(stores=stores, weeks=weeks, seed=1)
        hourly = drawn_visits(stores=max(by_hour, 1), weeks=weeks, hours=HOURS, seed=2)
        self.visits = {0: daily, 1: hourly.assign(store_id="h" + hourly["store_id"])}
        if not by_hour:
            del self.visits[1]
        self.files, self.weeks = StrictFiles(), FakeWeeks()
        self.per_person = {0: 20.0, 1: 2.0}

    def copy(self) -> Self:
        """The same weeks, to be changed by one test alone."""
        other = copy(self)
        other.visits = dict(self.visits)
        other.files, other.weeks = StrictFiles(), FakeWeeks()
        other.files.documents, other.files.frames = dict(self.files.documents), dict(self.files.frames)
        other.files.texts, other.weeks.runs = dict(self.files.texts), dict(self.weeks.runs)
        return other

    def stores(self, shard: int) -> pd.DataFrame:
        """The shard's rows of the table of stores."""
        ids = sorted(self.visits[shard]["store_id"].unique())
        return pd.DataFrame({"store_id": ids}).assign(
            name=[f"Store {store}" for store in ids],
            region="KR",
            language="ko",
            plans_by="hour" if shard else "day",
            opens_at=10.0,
            closes_at=16.0,
            visitors_per_person=self.per_person[shard],
            service_quantile=0.8,
            min_staff=3.0,
            max_staff=0.0,
            shift_pattern="short_and_long",
        )

    def history(self, shard: int, week: Week) -> pd.DataFrame:
        """What a run of `week` knows: visitors until its `known_until`, facts until its Sunday."""
        rows = self.visits[shard]
        rows = rows[rows["ts"] < pd.Timestamp(week.sunday) + pd.Timedelta(days=1)]
        unknown = rows["ts"] >= pd.Timestamp(week.known_until) + pd.Timedelta(days=1)
        return rows.assign(visitors=rows["visitors"].mask(unknown)).reset_index(drop=True)

    def compute(
        self, week: Week = WEEK, state: RunState = RunState.RUNNING, arms: Arms = CHAMPION, **changes: Any
    ) -> Run:
        """Open, forecast and plan a week; a run that is over has its totals."""
        over = {} if state is not RunState.RUNNING else {"totals": None, "plan_version": 0}
        run = a_run(state, week=week.name, shards=len(self.visits), **over | changes)
        self.weeks.runs[week.name] = run
        refs = {name: {"name": "visits-forecast", "version": name} for name, _, _ in arms}
        release = {
            "version": 3,
            "experiment": "first",
            "arms": [{"name": name, "model": refs[name], "share": share} for name, _, share in arms],
        }
        models = {f"visits-forecast/{name}": document for name, document, _ in arms}
        self.files.put_json(f"{run.prefix}/release.json", {"version": 3, "release": release, "models": models})
        for shard in self.visits:
            task = ShardTask(week.name, run.attempt, shard)
            self.files.put_frame(task.key("history.parquet"), self.history(shard, week))
            self.files.put_frame(task.key("stores.parquet"), self.stores(shard))
            ShardForecaster(self.files, self.files, _log).forecast(task)
            ShardPlanner(self.files, self.files, _log).plan(task)
        return run

    def frame(self, run: Run, shard: int, name: str) -> pd.DataFrame:
        """A frame of a shard of a run, to be changed at will."""
        return self.files.get_frame(ShardTask(run.week, run.attempt, shard).key(f"{name}.parquet")).copy()

    def put(self, run: Run, shard: int, name: str, frame: pd.DataFrame) -> None:
        """Replace one."""
        self.files.put_frame(ShardTask(run.week, run.attempt, shard).key(f"{name}.parquet"), frame)


def came(weeks: ComputedWeeks, shard: int, week: Week) -> pd.DataFrame:
    """Rows of a week whose visitors are known."""
    rows = weeks.visits[shard]
    first = np.datetime64(week.monday, "us")
    inside = (rows["ts"] >= first) & (rows["ts"] < first + np.timedelta64(7, "D"))
    return rows[inside & rows["open"] & rows["visitors"].notna()]


def _log(message: str, error: BaseException, **facts: Any) -> None:
    raise AssertionError(message) from error
