"""Who may run a week, and what a run is split into."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawcast.errors import DataNotFresh, InvalidRequest
from pawcast.forecasting.weekly.opening import Freshness, Opener, Snapshot, StartRequest, split
from pawcast.forecasting.weekly.run import RunState
from pawcast.forecasting.weekly.week import Week
from tests.support.week_fakes import TUESDAY, WEEK, FakeFiles, FakeWeeks, a_run

SCHEDULED = StartRequest()
BY_HAND = StartRequest(week=WEEK, started_by="planner-1")


class FixedWarehouse:
    """Three stores with a week of history."""

    def __init__(self, missing: tuple[str, ...] = (), stores: int = 3, visits: int = 21) -> None:
        ids = [f"S{number}" for number in range(stores)]
        self.asked: list[str] = []
        self.stores = pd.DataFrame(
            {"store_id": ids, "region": "KR", "plans_by": "day", "mail": "a@example.com", "language": "ko"}
        )
        self.history = pd.DataFrame({"store_id": ids, "ts": pd.Timestamp("2026-11-16"), "visitors": 1.0})
        self.fresh = Freshness(stores=stores, visits=visits, missing=missing, data_version="d1")

    def snapshot(self, week: Week) -> Snapshot:
        self.asked.append(week.name)
        return Snapshot(self.history, self.stores, self.fresh)


class FixedRelease:
    """One arm."""

    def current(self) -> dict[str, Any]:
        return {"version": 4, "arms": [{"name": "champion", "model": "visits-forecast/3"}], "release": {}, "models": {}}


def opener(weeks: FakeWeeks, warehouse: FixedWarehouse | None = None, files: FakeFiles | None = None) -> Opener:
    files = files or FakeFiles()
    return Opener(
        weeks=weeks,
        files=files,
        frames=files,
        warehouse=warehouse or FixedWarehouse(),
        releases=FixedRelease(),
        zone=ZoneInfo("Asia/Seoul"),
        now=lambda: TUESDAY,
        minimum_share=0.9,
    )


def test_a_scheduled_start_opens_the_next_week_and_writes_its_shards() -> None:
    weeks, files = FakeWeeks(), FakeFiles()

    opened = opener(weeks, files=files).open(SCHEDULED, "run-1")

    run = weeks.runs[WEEK]
    assert {"outcome": "opened", "week": WEEK, "attempt": 1, "shards": [0], "many_shards": False} == {
        key: opened[key] for key in ("outcome", "week", "attempt", "shards", "many_shards")
    }
    assert (RunState.RUNNING, "d1", 4, ("champion=visits-forecast/3",), 1) == (
        run.state,
        run.data_version,
        run.release_version,
        run.models,
        run.shards,
    )
    assert {"runs/2026-W49/1/shards/0000/history.parquet", "runs/2026-W49/1/shards/0000/stores.parquet"} == set(
        files.frames
    )
    assert 3 == len(files.documents["runs/2026-W49/1/shards/0000/contacts.json"])
    assert ["opened"] == [event.step for event in weeks.history]


def test_a_schedule_that_fires_twice_runs_the_week_once() -> None:
    weeks = FakeWeeks()
    opener(weeks).open(SCHEDULED, "run-1")

    second = opener(weeks).open(SCHEDULED, "run-2")

    assert "nothing_to_do" == second["outcome"]
    assert ("run-1", 1) == (weeks.runs[WEEK].execution, weeks.runs[WEEK].attempt)


def test_a_retry_of_the_same_execution_goes_on_with_its_attempt() -> None:
    weeks = FakeWeeks()
    first = opener(weeks).open(SCHEDULED, "run-1")

    assert first == opener(weeks).open(SCHEDULED, "run-1")


@pytest.mark.parametrize(
    ("state", "scheduled", "by_hand"),
    [
        (RunState.RUNNING, False, False),
        (RunState.WAITING_FOR_APPROVAL, False, True),
        (RunState.APPROVED, False, False),
        (RunState.DISTRIBUTING, False, False),
        (RunState.DONE, False, False),
        (RunState.REJECTED, True, True),
        (RunState.MISSED, True, True),
        (RunState.FAILED, True, True),
    ],
)
def test_wednesday_runs_again_only_what_did_not_succeed(state: RunState, scheduled: bool, by_hand: bool) -> None:
    for request, runs in ((SCHEDULED, scheduled), (BY_HAND, by_hand)):
        weeks = FakeWeeks(a_run(state, plan_version=5))

        opened = opener(weeks).open(request, "run-2")

        assert ("opened" if runs else "nothing_to_do") == opened["outcome"]
        assert (2 if runs else 1) == weeks.runs[WEEK].attempt
        assert 5 == weeks.runs[WEEK].plan_version


def test_a_run_that_computes_for_six_hours_is_dead_and_its_week_free() -> None:
    weeks = FakeWeeks(a_run(started_at=TUESDAY - timedelta(hours=7)))

    assert "opened" == opener(weeks).open(SCHEDULED, "run-2")["outcome"]


def test_of_two_starts_at_one_moment_one_has_the_week() -> None:
    weeks = FakeWeeks()
    late = opener(weeks)
    first_read = weeks.get
    object.__setattr__(weeks, "get", lambda week: None)  # it looked before the other wrote
    weeks.runs[WEEK] = a_run(execution="other")

    opened = late.open(SCHEDULED, "run-2")

    object.__setattr__(weeks, "get", first_read)
    assert "nothing_to_do" == opened["outcome"]
    assert "other" == weeks.runs[WEEK].execution


def test_a_week_that_has_begun_is_a_backfill() -> None:
    weeks = FakeWeeks()

    opened = opener(weeks).open(StartRequest(week="2026-W40", started_by="planner-1"), "run-1")

    assert opened["backfill"]
    assert weeks.runs["2026-W40"].backfill


@pytest.mark.parametrize(
    ("warehouse", "problem"),
    [
        (FixedWarehouse(missing=("S1",)), "data_not_fresh"),
        (FixedWarehouse(visits=0), "no_visits"),
        (FixedWarehouse(stores=0), "no_stores"),
    ],
)
def test_missing_data_stops_the_week_in_both_languages(warehouse: FixedWarehouse, problem: str) -> None:
    with pytest.raises(DataNotFresh) as refused:
        opener(FakeWeeks(), warehouse).open(SCHEDULED, "run-1")

    assert problem == refused.value.problem
    assert '"ko":' in str(refused.value)
    assert '"en":' in str(refused.value)


def test_a_reason_has_an_end() -> None:
    with pytest.raises(InvalidRequest, match="500"):
        opener(FakeWeeks()).open(StartRequest(override_gate_reason="x" * 501), "run-1")


@given(st.integers(1, 450), st.integers(0, 120))
def test_shards_hold_every_store_once_and_never_days_beside_hours(by_day: int, by_hour: int) -> None:
    kinds = ["day"] * by_day + ["hour"] * by_hour
    ids = [f"S{number:04d}" for number in range(len(kinds))]
    regions = [("KR", "JP", "DE-BY")[number % 3] for number in range(len(kinds))]
    stores = pd.DataFrame({"store_id": ids, "region": regions, "plans_by": kinds})

    shards = split(stores)

    kind_of = dict(zip(ids, kinds, strict=True))
    assert sorted(ids) == sorted(store for shard in shards for store in shard)
    assert all(len(shard) <= 100 for shard in shards)
    assert all(len({kind_of[store] for store in shard}) == 1 for shard in shards)
    assert shards == split(stores.sample(frac=1, random_state=1))


def test_a_snapshot_without_the_newest_week_of_few_stores_is_fresh_enough() -> None:
    warehouse = FixedWarehouse(missing=("S1",), stores=20)

    assert "opened" == opener(FakeWeeks(), warehouse).open(SCHEDULED, "run-1")["outcome"]
    assert replace(warehouse.fresh, stores=0).share == 0.0
