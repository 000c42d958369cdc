"""The newest known week's forecast against what came."""

from datetime import timedelta
from functools import cache

import numpy as np
import pandas as pd
import pytest

from pawcast.errors import NotFound
from pawcast.forecasting.weekly.evaluating import Evaluator, WeekEvaluation, errors_key
from pawcast.forecasting.weekly.run import Edit, Run, RunState
from pawcast.forecasting.weekly.week import Week
from tests.support.computed_weeks import CHAMPION, TWO_ARMS, WEEK, ComputedWeeks, came
from tests.support.week_fakes import TUESDAY

TARGET = WEEK.newest_known


def evaluated(weeks: ComputedWeeks, run: Run) -> WeekEvaluation:
    evaluator = Evaluator(weeks=weeks.weeks, files=weeks.files, frames=weeks.files, now=lambda: TUESDAY)
    evaluator.evaluate(run.week, run.attempt)
    return WeekEvaluation.model_validate(weeks.files.get_json(f"{run.prefix}/evaluation.json"))


@cache
def computed(stores: int, *, two_arms: bool) -> ComputedWeeks:
    weeks = ComputedWeeks(stores)
    arms = TWO_ARMS if two_arms else CHAMPION
    weeks.compute(TARGET, RunState.DONE, arms=arms)
    weeks.compute(arms=arms)
    return weeks


def both(stores: int = 4, *, two_arms: bool = False) -> tuple[ComputedWeeks, Run, Run]:
    """A week that was forecast, and the run two weeks later that knows what came."""
    weeks = computed(stores, two_arms=two_arms).copy()
    return weeks, weeks.weeks.runs[TARGET.name], weeks.weeks.runs[WEEK.name]


def an_edit(store_id: str, ts: pd.Timestamp, staff: int, planned: int, by: str = "planner-1") -> Edit:
    return Edit(
        week=TARGET.name, store_id=store_id, ts=ts, staff=staff, planned=planned, by=by, reason="fair", at=TUESDAY
    )


def test_without_a_forecast_there_is_nothing_to_evaluate_and_the_history_says_so() -> None:
    weeks = ComputedWeeks()
    run = weeks.compute()

    found = evaluated(weeks, run)

    assert WeekEvaluation(week=TARGET.name, evaluation=None) == found
    assert [f"No forecast was made for {TARGET.name}, so there is nothing to evaluate."] == [
        event.text.en for event in weeks.weeks.history
    ]


def test_a_run_that_never_had_a_plan_is_no_forecast() -> None:
    weeks = ComputedWeeks()
    weeks.compute(TARGET, RunState.FAILED, totals=None)

    assert evaluated(weeks, weeks.compute()).evaluation is None


def test_an_attempt_that_was_replaced_evaluates_nothing() -> None:
    weeks = ComputedWeeks()
    run = weeks.compute()

    with pytest.raises(NotFound, match="superseded"):
        evaluated(weeks, run.changed(attempt=2))
    with pytest.raises(NotFound):
        evaluated(weeks, run.changed(week="2026-W01"))


def test_the_error_is_the_sum_of_absolute_errors_over_the_visitors_that_came() -> None:
    weeks, made, run = both()

    found = evaluated(weeks, run)

    missed = visitors = 0.0
    for shard in (0, 1):
        forecast = weeks.frame(made, shard, "forecast")
        rows = came(weeks, shard, TARGET).merge(forecast[forecast["open"]], on=["store_id", "ts"])
        missed += float((rows["yhat"] - rows["visitors"]).abs().sum())
        visitors += float(rows["visitors"].sum())
    figures = found.evaluation.overall if found.evaluation else None
    assert figures is not None
    assert pytest.approx(missed / visitors) == figures.wape
    assert pytest.approx(visitors) == figures.visitors
    assert figures.naive_wape is not None
    assert figures.staff is not None


def test_the_answer_and_the_history_say_the_error() -> None:
    weeks, _, run = both()
    evaluator = Evaluator(weeks=weeks.weeks, files=weeks.files, frames=weeks.files, now=lambda: TUESDAY)

    answer = evaluator.evaluate(run.week, run.attempt)

    (event,) = weeks.weeks.history
    assert TARGET.name == answer["week"]
    assert f"WAPE {answer['wape']:.1%}" in event.text.en
    assert f"WAPE {answer['wape']:.1%}" in event.text.ko


def test_a_repetition_says_the_same_again() -> None:
    weeks, _, run = both()

    assert evaluated(weeks, run) == evaluated(weeks, run)


def test_each_weeks_errors_are_kept_by_store_and_arm_for_what_comes_later() -> None:
    weeks, _, run = both()
    evaluated(weeks, run)

    errors = weeks.files.get_frame(errors_key(TARGET.name))

    assert {"s00", "s01", "s02", "s03", "hs00", "hs01"} == set(errors["store_id"])
    assert ({TARGET.name}, {"champion"}) == (set(errors["week"]), set(errors["arm"]))


def test_what_is_usual_for_a_store_is_what_it_had_in_earlier_weeks() -> None:
    weeks, _, run = both()
    before = pd.DataFrame(
        {
            "store_id": ["s00", "s00"],
            "week": [TARGET.shifted(-1).name, TARGET.shifted(-2).name],
            "arm": "champion",
            "absolute_error": [1.0, 3.0],
            "visitors": 1000.0,
            "naive_absolute_error": 5.0,
        }
    )
    for week, rows in before.groupby("week"):
        weeks.files.put_frame(errors_key(str(week)), rows)

    found = evaluated(weeks, run)

    assert found.evaluation is not None
    assert {"s00": 0.002} == {
        store.store_id: store.usual_wape for store in found.evaluation.look_at if store.store_id == "s00"
    }


# ------------------------------------------------------------ edits


def test_edits_lie_on_top_of_the_plan_that_is_evaluated() -> None:
    weeks, made, run = both()
    plan = weeks.frame(made, 0, "plan")
    cell = plan[(plan["store_id"] == "s01") & (plan["staff"] > 0)].iloc[0]
    without = evaluated(weeks, run)
    needed = int(np.ceil(came(weeks, 0, TARGET).set_index(["store_id", "ts"])["visitors"][("s01", cell["ts"])] / 20))
    edit = an_edit("s01", cell["ts"], max(needed, 3), int(cell["staff"]))
    weeks.weeks.edited[edit.week, edit.store_id, edit.ts] = edit

    found = evaluated(weeks, run)

    assert found.evaluation is not None
    assert found.evaluation.overall.staff is not None
    assert (1, without.staff["staff_days"] + edit.staff - edit.planned) == (
        found.evaluation.overall.staff.edited_rows,
        found.staff["staff_days"],
    )
    assert {("", 1), ("planner-1", 1)} == {(each["by"], each["edits"]) for each in found.edits}
    assert () == without.edits


def test_edits_of_closed_days_and_of_cells_that_are_gone_do_no_harm() -> None:
    weeks, made, run = both()
    without = evaluated(weeks, run)
    plan = weeks.frame(made, 0, "plan")
    closed = plan[(plan["store_id"] == "s00") & (plan["staff"] == 0)].iloc[0]
    far = pd.Timestamp(closed["ts"]) + pd.Timedelta(days=400)
    for edit in (an_edit("s00", closed["ts"], 5, 0), an_edit("s00", far, 5, 3), an_edit("gone", closed["ts"], 5, 3)):
        weeks.weeks.edited[edit.week, edit.store_id, edit.ts] = edit

    found = evaluated(weeks, run)

    assert without.staff == found.staff
    assert without.evaluation == found.evaluation


# ------------------------------------------------------------ experiments


def test_a_candidate_is_compared_with_the_champion_on_all_stores_and_on_the_stores_it_had() -> None:
    weeks, _, run = both(stores=8, two_arms=True)

    found = evaluated(weeks, run)

    designs = {each.design: each for each in found.comparisons}
    assert {"shadow", "split"} == set(designs)
    assert {("champion", "candidate")} == {(each.arm_a, each.arm_b) for each in found.comparisons}
    assert (10, 10) == (designs["shadow"].stores_a, designs["shadow"].stores_b)
    assert 10 == designs["split"].stores_a + designs["split"].stores_b
    assert {"keep_going"} == {each.verdict for each in found.comparisons}


def test_an_experiment_looks_back_over_all_weeks_that_were_evaluated() -> None:
    weeks = ComputedWeeks(stores=4, by_hour=0)
    for back in (1, 0):
        weeks.compute(TARGET.shifted(-back), RunState.DONE, arms=TWO_ARMS)
        found = evaluated(weeks, weeks.compute(TARGET.shifted(2 - back), arms=TWO_ARMS))

    assert {2} == {each.weeks for each in found.comparisons}


def test_one_arm_is_no_experiment() -> None:
    weeks, _, run = both()

    assert () == evaluated(weeks, run).comparisons


# ------------------------------------------------------------ a chain that changed meanwhile


def test_a_store_that_closed_for_good_is_left_out() -> None:
    weeks, _, _ = both()
    weeks.visits[0] = weeks.visits[0].query("store_id != 's02'")

    found = evaluated(weeks, weeks.compute())

    assert found.evaluation is not None
    assert "s02" not in {group.key for group in found.evaluation.by_store}


def test_a_store_that_opened_since_has_nothing_to_be_compared_with() -> None:
    weeks = ComputedWeeks()
    everyone = weeks.visits[0]
    weeks.visits[0] = everyone.query("store_id != 's02'")
    weeks.compute(TARGET, RunState.DONE)
    weeks.visits[0] = everyone

    found = evaluated(weeks, weeks.compute())

    assert found.evaluation is not None
    assert "s02" not in {group.key for group in found.evaluation.by_store}


def test_a_shard_of_stores_that_open_only_now_does_not_stop_the_others_evaluation() -> None:
    weeks, _, _ = both()
    first = pd.Timestamp(WEEK.monday)
    weeks.visits[1] = weeks.visits[1][weeks.visits[1]["ts"] >= first].assign(
        store_id=lambda rows: "new" + rows["store_id"]
    )

    found = evaluated(weeks, weeks.compute())

    assert found.evaluation is not None
    assert {"s00", "s01", "s02", "s03"} == {group.key for group in found.evaluation.by_store}


def test_a_chain_that_starts_all_over_has_nothing_to_compare() -> None:
    weeks = ComputedWeeks(by_hour=0)
    weeks.compute(TARGET, RunState.DONE)
    rows = weeks.visits[0]
    weeks.visits[0] = rows[rows["ts"] >= pd.Timestamp(WEEK.monday)].assign(
        store_id=lambda rows: "new" + rows["store_id"]
    )

    found = evaluated(weeks, weeks.compute())

    assert found.evaluation is not None
    assert 0 == found.evaluation.overall.rows


@pytest.mark.parametrize("wrong", [-4.0, np.inf, 1e12])
def test_a_row_that_set_its_store_apart_does_not_stop_the_evaluation(wrong: float) -> None:
    weeks, _, run = both()
    history = weeks.frame(run, 0, "history")
    at = (history["store_id"] == "s01") & (history["ts"] == pd.Timestamp(TARGET.monday))
    history.loc[at, "visitors"] = wrong
    weeks.put(run, 0, "history", pd.concat([history, history[at]], ignore_index=True))

    found = evaluated(weeks, run)

    assert found.evaluation is not None
    assert 1 == found.evaluation.not_scored.unknown


def test_a_store_that_plans_by_hour_since_then_is_evaluated_as_it_was_planned() -> None:
    weeks, _, _ = both()
    moved = weeks.visits[0].query("store_id == 's01'")
    weeks.visits[0] = weeks.visits[0].query("store_id != 's01'")
    hours = weeks.visits[1].query("store_id == 'hs01'").assign(store_id="s01")
    weeks.visits[1] = pd.concat([weeks.visits[1], hours], ignore_index=True)

    found = evaluated(weeks, weeks.compute())

    assert len(moved)
    assert found.evaluation is not None
    assert {"s00", "s02", "s03", "hs00", "hs01"} <= {group.key for group in found.evaluation.by_store}


def test_a_store_without_usable_rules_still_has_its_forecast_evaluated() -> None:
    weeks, _, run = both()
    weeks.put(run, 0, "stores", weeks.stores(0).assign(visitors_per_person=0.0))

    found = evaluated(weeks, run)

    assert found.evaluation is not None
    assert {"s00", "s01", "s02", "s03"} <= {group.key for group in found.evaluation.by_store}


def test_a_week_of_which_nothing_came_yet_is_evaluated_without_dividing_by_zero() -> None:
    weeks, _, run = both()
    for shard in (0, 1):
        history = weeks.frame(run, shard, "history")
        inside = history["ts"] >= pd.Timestamp(TARGET.monday)
        weeks.put(run, shard, "history", history.assign(visitors=history["visitors"].mask(inside)))

    found = evaluated(weeks, run)

    assert found.evaluation is not None
    assert (None, 0) == (found.evaluation.overall.wape, found.evaluation.overall.rows)


def test_the_week_evaluated_is_two_before_the_one_planned() -> None:
    assert WEEK.monday - timedelta(weeks=2) == Week.parse(TARGET.name).monday
