"""A week's report, the list of its stores, and whether the gate lets it pass."""

from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from pawcast.errors import Conflict, NotFound
from pawcast.forecasting.weekly.evaluating import Evaluator
from pawcast.forecasting.weekly.plan import StoreLine, lines_key
from pawcast.forecasting.weekly.reporting import Reporter, plain_cells
from pawcast.forecasting.weekly.run import Edit, Run, RunState
from pawcast.forecasting.weekly.shards import ShardForecaster, ShardTask
from tests.support.computed_weeks import TWO_ARMS, WEEK, ComputedWeeks
from tests.support.week_fakes import TUESDAY

SEOUL = ZoneInfo("Asia/Seoul")
TARGET = WEEK.newest_known
NOW = datetime.combine(WEEK.monday, datetime.min.time(), SEOUL) - pd.Timedelta(days=6)  # Tuesday, midnight


@cache
def computed(*, evaluated_week: bool = False) -> ComputedWeeks:
    weeks = ComputedWeeks()
    if evaluated_week:
        weeks.compute(TARGET, RunState.DONE, arms=TWO_ARMS)
        plan = weeks.frame(weeks.weeks.runs[TARGET.name], 0, "plan").query("store_id == 's01' and staff > 0")
        ts = plan["ts"].iloc[0]
        weeks.weeks.edited[TARGET.name, "s01", ts] = Edit(
            week=TARGET.name, store_id="s01", ts=ts, staff=50, planned=3, by="=mina", reason="fair", at=TUESDAY
        )
    run = weeks.compute(arms=TWO_ARMS)
    Evaluator(weeks=weeks.weeks, files=weeks.files, frames=weeks.files, now=lambda: TUESDAY).evaluate(run.week, 1)
    return weeks


def ready(*, evaluated_week: bool = False) -> tuple[ComputedWeeks, Run]:
    """A week that was forecast, planned and evaluated."""
    weeks = computed(evaluated_week=evaluated_week).copy()
    return weeks, weeks.weeks.runs[WEEK.name]


def report(weeks: ComputedWeeks, run: Run, now: datetime = NOW) -> dict[str, Any]:
    reporter = Reporter(weeks=weeks.weeks, files=weeks.files, frames=weeks.files, zone=SEOUL, now=lambda: now)
    return reporter.report(run.week, run.attempt)


def stored(weeks: ComputedWeeks) -> Run:
    return weeks.weeks.runs[WEEK.name]


def stopped_by(weeks: ComputedWeeks) -> list[str]:
    """The figures that stop the week."""
    return [verdict.name for verdict in stored(weeks).gate if verdict.blocking and not verdict.passed]


def test_a_calm_week_passes_and_waits_until_thursday_noon() -> None:
    weeks, run = ready()

    answer = report(weeks, run)

    assert {"gate_passed": True, "wait_seconds": (2 * 24 + 12) * 3600} == answer


def test_the_record_has_the_gate_the_totals_and_the_first_plan_version() -> None:
    weeks, run = ready()
    report(weeks, run)

    after = stored(weeks)
    lines = [StoreLine.model_validate(line) for line in weeks.files.get_json(lines_key(run.prefix))]
    every = [weeks.frame(run, shard, "forecast") for shard in (0, 1)]
    assert (RunState.RUNNING, 1, 0) == (after.state, after.plan_version, after.quarantined)
    assert after.totals is not None
    assert 6 == after.totals.stores
    assert pytest.approx(sum(rows["yhat"].sum() for rows in every), abs=0.1) == after.totals.visitors
    assert pytest.approx(sum(line.staff_days for line in lines), abs=0.01) == after.totals.staff_days
    assert {"quarantined", "rules_kept", "visitors_change", "staff_change", "infeasible"} == {
        verdict.name for verdict in after.gate
    }
    assert {0, 1} == {line.shard for line in lines}


def test_the_report_is_a_page_and_tables_beside_it() -> None:
    weeks, run = ready()
    report(weeks, run)

    tables = {key for key in weeks.files.texts if key.endswith(".csv")}
    assert weeks.files.texts[f"{run.prefix}/report/index.html"].startswith("<!doctype html>")
    assert tables
    assert all(weeks.files.texts[key].startswith("\ufeff") for key in tables)
    assert {key.removesuffix("csv") + "parquet" for key in tables} <= set(weeks.files.frames)
    assert {"quarantined", "summary"} == set(weeks.files.get_json(f"{run.prefix}/result.json"))


def test_the_history_says_what_the_week_is() -> None:
    weeks, run = ready()
    report(weeks, run)

    (event,) = [event for event in weeks.weeks.history if event.step == "reported"]
    assert {"gate_passed": True, "not_passed": ["staff_change"]} == event.facts  # that is the planner's to judge
    assert "visitors" in event.text.en


def test_a_repetition_reports_the_same_and_changes_the_record_once_more_at_most() -> None:
    weeks, run = ready()
    report(weeks, run)
    page, before = weeks.files.texts[f"{run.prefix}/report/index.html"], stored(weeks)

    answer = report(weeks, run)

    assert answer["gate_passed"]
    assert page == weeks.files.texts[f"{run.prefix}/report/index.html"]
    assert before == stored(weeks).model_copy(update={"revision": before.revision})


def test_a_week_that_waits_already_is_reported_again_without_touching_its_record() -> None:
    weeks, run = ready()
    report(weeks, run)
    weeks.weeks.runs[WEEK.name] = stored(weeks).moved(RunState.WAITING_FOR_APPROVAL)
    before = stored(weeks)

    answer = report(weeks, run)

    assert (True, before) == (answer["gate_passed"], stored(weeks))


def test_a_new_attempt_keeps_counting_plan_versions() -> None:
    weeks, run = ready()
    weeks.weeks.runs[WEEK.name] = run.model_copy(update={"plan_version": 5})

    report(weeks, run)

    assert 5 == stored(weeks).plan_version


def test_an_attempt_that_was_replaced_reports_nothing() -> None:
    weeks, run = ready()

    with pytest.raises(Conflict, match="superseded"):
        report(weeks, run.changed(attempt=2))
    with pytest.raises(Conflict, match="superseded"):
        report(weeks, run.changed(week="2026-W01"))


def test_a_week_that_nobody_evaluated_is_not_reported() -> None:
    weeks, run = ready()
    del weeks.files.documents[f"{run.prefix}/evaluation.json"]

    with pytest.raises(NotFound):
        report(weeks, run)


@pytest.mark.parametrize(
    ("now", "seconds"),
    [(NOW + pd.Timedelta(days=3), 3 * 24 * 3600), (NOW + pd.Timedelta(days=20), 60)],
)
def test_after_the_deadline_planners_have_until_the_week_begins_and_never_less_than_a_minute(
    now: datetime, seconds: int
) -> None:
    weeks, run = ready()

    assert seconds == report(weeks, run, now)["wait_seconds"]


# ------------------------------------------------------------ the gate


def set_apart(weeks: ComputedWeeks, run: Run) -> None:
    """The shard of days, most stores, falls back, as when its function died."""
    files = weeks.files
    ShardForecaster(files, files, lambda *_, **__: None).forecast(ShardTask(run.week, 1, 0), fallback=True)


def test_too_many_stores_set_apart_stop_the_week() -> None:
    weeks, run = ready()
    set_apart(weeks, run)

    answer = report(weeks, run)

    listed = [each["store_id"] for each in weeks.files.get_json(f"{run.prefix}/result.json")["quarantined"]]
    assert (False, ["quarantined"]) == (answer["gate_passed"], stopped_by(weeks))
    assert stored(weeks).quarantined == len(listed)
    assert not any(store.startswith("hs") for store in listed)


def test_a_person_may_pass_the_gate_with_a_reason_and_the_record_keeps_both() -> None:
    weeks, run = ready()
    set_apart(weeks, run)
    weeks.weeks.runs[WEEK.name] = run.model_copy(update={"override_gate_reason": "we looked"})

    answer = report(weeks, run)

    assert answer["gate_passed"]
    assert ["quarantined"] == stopped_by(weeks)


@pytest.mark.parametrize(("staff", "is_open"), [(2, True), (1, False)])
def test_a_plan_that_breaks_the_rules_stops_the_week(staff: int, is_open: bool) -> None:
    weeks, run = ready()
    plan, forecast = weeks.frame(run, 0, "plan"), weeks.frame(run, 0, "forecast")
    both = plan.merge(forecast[["store_id", "ts", "open"]], on=["store_id", "ts"])
    at = both.index[both["open"] == is_open][0]
    weeks.put(run, 0, "plan", plan.assign(staff=plan["staff"].where(plan.index != at, staff)))

    assert not report(weeks, run)["gate_passed"]
    assert ["rules_kept"] == stopped_by(weeks)


def test_a_store_without_a_plan_of_its_own_breaks_no_rule() -> None:
    weeks, run = ready()
    plan = weeks.frame(run, 0, "plan")
    weeks.put(run, 0, "plan", plan[plan["store_id"] != "s01"])

    assert report(weeks, run)["gate_passed"]


def test_visitors_that_double_against_the_newest_known_week_stop_the_week() -> None:
    weeks, run = ready()
    for shard in (0, 1):
        forecast = weeks.frame(run, shard, "forecast")
        weeks.put(run, shard, "forecast", forecast.assign(yhat=forecast["yhat"] * 3))

    assert not report(weeks, run)["gate_passed"]
    assert ["visitors_change"] == stopped_by(weeks)


def test_a_chain_of_which_nothing_is_known_is_reported_without_dividing_by_zero() -> None:
    weeks, run = ready()
    for shard in (0, 1):
        weeks.put(run, shard, "history", weeks.frame(run, shard, "history").assign(visitors=np.nan))

    report(weeks, run)

    assert "visitors_change" not in {each.name for each in stored(weeks).gate}


# ------------------------------------------------------------ with an evaluated week


def test_the_evaluation_of_the_newest_known_week_is_in_gate_and_report() -> None:
    weeks, run = ready(evaluated_week=True)

    report(weeks, run)

    assert {"beats_naive", "coverage"} <= {each.name for each in stored(weeks).gate}
    assert f"{TARGET.name}" in weeks.files.texts[f"{run.prefix}/report/index.html"]
    assert {"champion", "candidate"} <= {
        word
        for word in ("champion", "candidate")
        if any(word in text for key, text in weeks.files.texts.items() if key.endswith(".csv"))
    }


def test_no_cell_of_a_table_is_a_formula() -> None:
    weeks, run = ready(evaluated_week=True)
    stores = weeks.frame(run, 0, "stores")
    weeks.put(run, 0, "stores", stores.assign(name="=cmd|'calc'!A1"))
    lines = weeks.files.get_json(f"{run.prefix}/shards/0000/lines.json")
    weeks.files.put_json(f"{run.prefix}/shards/0000/lines.json", [line | {"name": "=cmd|'calc'!A1"} for line in lines])

    report(weeks, run)

    texts = [text for key, text in weeks.files.texts.items() if key.endswith(".csv")]
    cells = [cell.strip('"') for text in texts for line in text.splitlines() for cell in line.split(",")]
    assert any(cell.startswith("'=cmd") for cell in cells)
    assert [] == [cell for cell in cells if cell.startswith(("=", "@", "+"))]


def test_only_texts_are_changed_where_a_spreadsheet_would_calculate() -> None:
    table = pd.DataFrame(
        {"name": ["-1+1", "ok", None], "number": [-1.0, 2.0, np.nan], "open": [True, False, True]}
    ).assign(ts=pd.Timestamp("2026-11-30"))

    plain = plain_cells(table)

    assert ["'-1+1", "ok"] == plain["name"].tolist()[:2]
    assert plain["name"].isna().tolist() == [False, False, True]
    pd.testing.assert_frame_equal(table[["number", "open", "ts"]], plain[["number", "open", "ts"]])
