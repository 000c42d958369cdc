"""A shard's staff as documents: every store has a plan, whatever its rules are."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pawcast.errors import InvalidStaffing
from pawcast.forecasting.staffing.plan import plan_week
from pawcast.forecasting.weekly.messages import QUARANTINE, UNPLANNED
from pawcast.forecasting.weekly.plan import ShardPlans, StoreLine, StorePlan
from pawcast.forecasting.weekly.planning import ShardPlanner
from pawcast.forecasting.weekly.shards import ShardTask
from tests.support.staffing import MONDAY, daily, hourly
from tests.support.week_fakes import FakeFiles

WEEK = "2026-W50"
VISITORS = [400, 400, 400, 400, 400, 900, 900]


def store(store_id: str = "S1", **changes: Any) -> dict[str, Any]:
    """A row of the table of stores: a hundred visitors a person."""
    fields = {
        "store_id": store_id,
        "name": f"Store {store_id}",
        "region": "KR",
        "language": "ko",
        "plans_by": "day",
        "opens_at": 9.0,
        "closes_at": 21.0,
        "visitors_per_person": 100.0,
        "service_quantile": 0.8,
        "min_staff": 3.0,
        "max_staff": 0.0,
        "shift_pattern": "short_and_long",
    }
    return fields | changes


class Shard:
    """A forecast shard, ready to be planned."""

    def __init__(self, *stores: dict[str, Any], forecast: pd.DataFrame | None = None, **reasons: str) -> None:
        stores = stores or (store(),)
        ids = [each["store_id"] for each in stores]
        if forecast is None:
            forecast = pd.concat([daily(each, VISITORS, closed=[6]) for each in ids], ignore_index=True)
        self.files, self.task = FakeFiles(), ShardTask(WEEK, 1, 0)
        self.problems: list[tuple[str, str]] = []
        history = forecast.assign(ts=forecast["ts"] - pd.Timedelta(days=14), visitors=forecast["yhat"])
        self.put("forecast", forecast.assign(method="model", arm="champion"))
        self.put("stores", pd.DataFrame(stores))
        self.put("history", history[["store_id", "ts", "visitors", "open"]])
        apart = [{"store_id": each, "reason": reason} for each, reason in reasons.items()]
        self.files.put_json(self.task.key("result.json"), {"quarantined": apart})

    def put(self, name: str, frame: pd.DataFrame) -> None:
        self.files.put_frame(self.task.key(f"{name}.parquet"), frame)

    def frame(self, name: str) -> pd.DataFrame:
        return self.files.get_frame(self.task.key(f"{name}.parquet"))

    def plan(self) -> dict[str, StorePlan]:
        def log(message: str, error: BaseException, **facts: Any) -> None:
            self.problems.append((message, str(facts.get("store_id", ""))))

        self.answer = ShardPlanner(files=self.files, frames=self.files, log=log).plan(self.task)
        documents = self.files.get_json(self.task.key("plans.json"))
        json.dumps([documents, self.files.get_json(self.task.key("lines.json"))], allow_nan=False)
        return {plan.store_id: plan for plan in ShardPlans.model_validate(documents).stores}

    @property
    def lines(self) -> list[StoreLine]:
        return [StoreLine.model_validate(line) for line in self.files.get_json(self.task.key("lines.json"))]


def test_a_store_is_planned_day_by_day_and_closed_days_have_nobody() -> None:
    shard = Shard()

    plan = shard.plan()["S1"]

    assert [5, 5, 5, 5, 5, 12, 0] == [row.staff for row in plan.rows]
    assert [True] * 6 + [False] == [row.open for row in plan.rows]
    assert (37.0, 29.0, "model", "champion", None, None) == (
        plan.staff_days,
        plan.last_week_staff_days,
        plan.method,
        plan.arm,
        plan.infeasible,
        plan.look,
    )
    assert {"shard": 0, "stores": 1, "staff_days": 37.0} == shard.answer


def test_a_store_that_plans_by_hour_has_shifts_and_closed_hours_without_people() -> None:
    forecast = hourly("H1", [[100.0] * 12] * 7, opens_at=9)
    shard = Shard(store("H1", plans_by="hour", visitors_per_person=25.0), forecast=forecast)

    plan = shard.plan()["H1"]

    assert (168, 84) == (len(plan.rows), sum(row.open for row in plan.rows))
    assert all(row.staff >= 4 for row in plan.rows if row.open)
    assert {0} == {row.staff for row in plan.rows if not row.open}
    covered = {
        hour for shift in plan.shifts if shift.day == plan.rows[0].ts for hour in range(shift.starts_at, shift.ends_at)
    }
    assert set(range(9, 21)) <= covered
    assert not shard.frame("shifts").empty


def test_a_line_says_the_same_as_its_plan() -> None:
    shard = Shard(store("S1"), store("S2", name="", language="en"))

    plans = shard.plan()

    assert [("S1", "Store S1", 0, plans["S1"].staff_days), ("S2", "S2", 0, plans["S2"].staff_days)] == [
        (line.store_id, line.name, line.shard, line.staff_days) for line in shard.lines
    ]
    assert ("ko", "en") == (plans["S1"].language, plans["S2"].language)


def test_a_repetition_writes_the_same_again() -> None:
    shard = Shard(store("S1"), store("S2"))

    assert shard.plan() == shard.plan()


# ------------------------------------------------------------ rules that can't be kept


@pytest.mark.parametrize(
    "broken",
    [
        {"visitors_per_person": np.nan},
        {"visitors_per_person": 0.0},
        {"service_quantile": 3.0},
        {"min_staff": 4.0, "visitors_per_person": -1.0},
        {"max_staff": 2.0},
    ],
)
def test_a_store_without_usable_rules_gets_its_minimum_and_its_neighbour_a_plan(broken: dict[str, Any]) -> None:
    shard = Shard(store("S1", **broken), store("S2"))

    plans = shard.plan()

    least = int(broken.get("min_staff", 3))
    assert [least] * 6 + [0] == [row.staff for row in plans["S1"].rows]
    assert (UNPLANNED, 6.0 * least) == (plans["S1"].infeasible, plans["S1"].staff_days)
    assert (None, 12) == (plans["S2"].infeasible, plans["S2"].rows[5].staff)
    assert ["a store has no usable rules"] == [message for message, _ in shard.problems]


@pytest.mark.parametrize("minimum", [np.nan, 1.0, None, "x"])
def test_nobody_is_planned_below_three_whatever_the_table_says(minimum: object) -> None:
    plan = Shard(store("S1", min_staff=minimum)).plan()["S1"]

    assert 3 == plan.min_staff
    assert 3 <= min(row.staff for row in plan.rows if row.open)


def test_a_shard_without_any_usable_rule_is_planned_at_the_minimum() -> None:
    shard = Shard(store("S1", visitors_per_person=0.0), store("S2", visitors_per_person=0.0))

    plans = shard.plan()

    assert {UNPLANNED} == {plan.infeasible for plan in plans.values()}
    assert shard.frame("plan").empty


def test_a_store_short_of_people_says_what_would_help() -> None:
    plan = Shard(store("S1", max_staff=5.0)).plan()["S1"]

    assert plan.infeasible is not None
    assert plan.infeasible != UNPLANNED
    assert 5 == max(row.staff for row in plan.rows)
    assert plan.infeasible.ko != plan.infeasible.en


# ------------------------------------------------------------ numbers that can't be planned


def test_a_store_whose_numbers_stop_the_planner_gets_its_minimum_and_its_neighbours_a_plan() -> None:
    shard = Shard(store("S1"), store("S2"), store("S3"))
    forecast = shard.frame("forecast")
    forecast.loc[(forecast["store_id"] == "S2") & forecast["open"], "q50"] = np.nan
    shard.put("forecast", forecast)

    plans = shard.plan()

    assert {"S1": None, "S2": UNPLANNED, "S3": None} == {name: plan.infeasible for name, plan in plans.items()}
    assert [3] * 6 + [0] == [row.staff for row in plans["S2"].rows]
    assert [5, 5, 5, 5, 5, 12, 0] == [row.staff for row in plans["S3"].rows]
    assert [("a shard is planned store by store", ""), ("a store was not planned", "S2")] == shard.problems


def test_a_store_that_is_bad_beside_one_without_rules_is_planned_at_the_minimum_too() -> None:
    shard = Shard(store("S1", visitors_per_person=0.0), store("S2"), store("S3"))
    forecast = shard.frame("forecast")
    shard.put("forecast", pd.concat([forecast, forecast[forecast["store_id"] == "S2"].head(1)]))

    plans = shard.plan()

    assert {"S1": UNPLANNED, "S2": UNPLANNED, "S3": None} == {name: plan.infeasible for name, plan in plans.items()}


def test_a_history_that_can_not_be_read_costs_only_the_comparison_with_last_week() -> None:
    shard = Shard(store("S1"), store("S2"))
    shard.put("history", shard.frame("history").assign(visitors=np.nan))

    plan = shard.plan()["S1"]

    assert plan.staff_days == plan.last_week_staff_days


def test_an_error_that_is_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise TypeError("ours")

    monkeypatch.setattr("pawcast.forecasting.weekly.planning.plan_week", broken)

    with pytest.raises(TypeError, match="ours"):
        Shard().plan()


def test_a_programme_that_gives_up_on_all_stores_still_plans_each(monkeypatch: pytest.MonkeyPatch) -> None:
    def gives_up(forecast: pd.DataFrame, rules: Any, *, history: Any = None) -> Any:
        if forecast["store_id"].nunique() > 1:
            raise InvalidStaffing("too many", "너무 많음", code="made_up", field="store_id")
        return plan_week(forecast, rules, history=history)

    calm = Shard(store("S1"), store("S2")).plan()
    monkeypatch.setattr("pawcast.forecasting.weekly.planning.plan_week", gives_up)

    assert calm == Shard(store("S1"), store("S2")).plan()


# ------------------------------------------------------------ what a planner should look at


def test_a_store_that_was_set_apart_is_to_be_looked_at() -> None:
    plans = Shard(store("S1"), store("S2"), S1="absurd").plan()

    assert (QUARANTINE["absurd"], None) == (plans["S1"].look, plans["S2"].look)


@pytest.mark.parametrize(("times", "words"), [(2.0, "-36%"), (0.5, "+")])
def test_a_store_whose_staff_moves_by_a_third_is_to_be_looked_at(times: float, words: str) -> None:
    shard = Shard()
    shard.put("history", shard.frame("history").assign(visitors=lambda rows: rows["visitors"] * times))

    look = shard.plan()["S1"].look

    assert look is not None
    assert words in look.en
    assert words in look.ko


def test_a_store_that_is_likely_short_of_people_is_to_be_looked_at() -> None:
    plan = Shard(store("S1", service_quantile=0.1)).plan()["S1"]

    assert plan.risk >= 0.35
    assert plan.look is not None
    assert "Too few people" in plan.look.en


def test_a_store_that_is_closed_all_week_has_an_empty_plan() -> None:
    plan = Shard(forecast=daily("S1", VISITORS, closed=range(7))).plan()["S1"]

    assert (0.0, 0.0, {0}, None) == (plan.staff_days, plan.risk, {row.staff for row in plan.rows}, plan.look)


def test_rows_are_wall_clocks_of_the_week() -> None:
    plan = Shard().plan()["S1"]

    assert [pd.Timestamp(MONDAY) + pd.Timedelta(days=day) for day in range(7)] == [row.ts for row in plan.rows]
