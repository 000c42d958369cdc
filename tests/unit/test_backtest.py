"""Backtest: every week from its own Tuesday, the paired interval, and the gate that refuses by name."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pawcast.errors import InvalidRequest
from pawcast.forecasting.backtest import (
    BacktestGate,
    Model,
    backtest_week,
    evaluations,
    origins,
    paired_interval,
    student_quantile,
)
from pawcast.forecasting.evaluate import Evaluation, Figures, Group, NotScored
from pawcast.forecasting.forecast import Forecast, fallback_week
from pawcast.forecasting.panel import Panel, panel_from_frame
from tests.support.visits import drawn_visits


@cache
def panel(hours: tuple[int, ...] = (0,)) -> Panel:
    return panel_from_frame(drawn_visits(hours=hours))


def smoothed(known: Panel, monday: np.datetime64) -> Forecast:
    """The mean of last week and the same weeks of the promotion before: better than last week alone."""
    naive, week = fallback_week(known, monday), known.week_of(monday)
    by_week = known.visitors.astype(float).reshape(known.series, -1, 7)
    mean = np.where(naive.mean > 0, (naive.mean + sum(by_week[:, week - back] for back in (4, 6, 8))) / 4, 0.0)
    return replace(naive, mean=mean, quantiles=np.array([0.75, 1.0, 1.15, 1.3])[:, None, None] * mean)


def test_the_origins_are_the_newest_weeks_that_are_known() -> None:
    whole = panel_from_frame(drawn_visits(weeks=20, unknown_weeks=2))

    mondays = origins(whole, 3)

    assert [str(monday) for monday in mondays] == ["2026-06-15", "2026-06-22", "2026-06-29"]


@pytest.mark.parametrize("weeks", [0, 11, 500])
def test_more_weeks_than_the_visits_are_enough_for_are_refused(weeks: int) -> None:
    with pytest.raises(InvalidRequest, match="are enough for 10"):
        origins(panel(), weeks)


@pytest.mark.parametrize("hours", [(0,), (9, 15)])
def test_a_week_has_a_row_for_each_arm_store_and_time_with_what_came(hours: tuple[int, ...]) -> None:
    frame = drawn_visits(hours=hours)
    monday = origins(panel(hours), 1)[0]

    rows = backtest_week(panel(hours), monday, {"last": fallback_week, "smooth": smoothed}).rows

    came = frame.set_index(["store_id", "ts"])["visitors"]
    for arm in ("last", "smooth"):
        mine = rows[(rows["arm"] == arm) & rows["open"]].set_index(["store_id", "ts"])["visitors"]
        week = came[(came.index.get_level_values("ts") >= pd.Timestamp(monday)) & came.notna()]
        pd.testing.assert_series_equal(mine.sort_index(), week.sort_index(), check_index_type=False)


def test_a_model_sees_nothing_after_the_sunday_eight_days_before() -> None:
    monday = origins(panel(), 1)[0]
    seen: list[Panel] = []

    def watching(known: Panel, week_start: np.datetime64) -> Forecast:
        seen.append(known)
        return fallback_week(known, week_start)

    backtest_week(panel(), monday, {"watching": watching})

    visitors = seen[0].visitors
    last_known = seen[0].days[np.isfinite(visitors).any(axis=0)].max()
    assert last_known <= monday - np.timedelta64(8, "D")
    assert seen[0].days[-1] == monday + np.timedelta64(6, "D")


def test_shuffling_what_came_later_does_not_change_a_forecast() -> None:
    frame = drawn_visits()
    monday = origins(panel(), 1)[0]
    late = frame["ts"] > pd.Timestamp(monday - np.timedelta64(8, "D"))
    frame.loc[late & frame["open"], "visitors"] = 1.0

    models: dict[str, Model] = {"last": fallback_week, "smooth": smoothed}
    one, other = (backtest_week(data, monday, models).rows for data in (panel(), panel_from_frame(frame)))

    pd.testing.assert_frame_equal(one.drop(columns="visitors"), other.drop(columns="visitors"))


def test_seasonal_naive_has_no_skill_over_itself() -> None:
    monday = origins(panel(), 1)[0]

    judged = evaluations(backtest_week(panel(), monday, {"last": fallback_week, "smooth": smoothed}).rows)

    assert list(judged) == ["last", "smooth"]
    assert judged["last"].overall.skill == 0
    assert (judged["smooth"].overall.skill or 0) > 0.05
    assert judged["last"].overall.wape == judged["smooth"].overall.naive_wape


# ------------------------------------------------------------ interval


@pytest.mark.parametrize("degrees", [3, 5, 11, 30])
@pytest.mark.parametrize("probability", [0.9, 0.975])
def test_student_s_quantile_agrees_with_scipy(degrees: int, probability: float) -> None:
    assert student_quantile(probability, degrees) == pytest.approx(stats.t.ppf(probability, degrees), rel=0.01)


def test_the_interval_holds_the_mean_in_19_of_20_backtests() -> None:
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(1000):
        noise = rng.normal(size=13)
        interval = paired_interval(list(0.3 + noise[1:] + 0.4 * noise[:-1]))
        held += interval.low <= 0.3 <= interval.high

    assert 0.90 < held / 1000 < 0.98


def test_the_interval_is_that_of_a_slow_loop() -> None:
    values = [0.3, -0.1, 0.25, 0.4, 0.05, 0.2]
    n, mean = len(values), sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / n
    for earlier, later in pairwise(values):
        variance += 2 * (earlier - mean) * (later - mean) / n
    half = stats.t.ppf(0.975, n - 1) * (variance / n) ** 0.5 / ((n + 1 - 4 + 2 / n) / n) ** 0.5

    interval = paired_interval(values)

    assert (interval.low, interval.mean, interval.high) == pytest.approx((mean - half, mean, mean + half), abs=1e-3)


def test_two_weeks_have_no_interval() -> None:
    with pytest.raises(InvalidRequest, match="2 weeks have no interval"):
        paired_interval([0.1, 0.2])


# ------------------------------------------------------------ gate


def evaluation(
    wape: float = 0.1,
    noise: float = 0.002,
    weeks: int = 12,
    coverage: float = 0.8,
    bias: float = 0.0,
    pinball: float = 5.0,
) -> Evaluation:
    """An evaluation whose weeks scatter about a WAPE; the seed is the WAPE, so two differ week by week."""
    rng = np.random.default_rng(round(wape * 1e6))

    def figures(error: float) -> Figures:
        empty = dict.fromkeys(Figures.model_fields)
        given = {"rows": 100, "visitors": 1e4, "wape": error, "coverage": coverage, "bias": bias}
        return Figures.model_validate(empty | given | {"pinball_80": pinball * error / wape})

    by_week = tuple(
        Group(key=f"2026-W{10 + week}", figures=figures(wape + noise * rng.normal())) for week in range(weeks)
    )
    return Evaluation(
        weeks=tuple(group.key for group in by_week),
        not_scored=NotScored(closed=0, unknown=0, opened_unplanned=0, without_forecast=0),
        overall=figures(wape),
        by_store=(),
        by_weekday=(),
        by_hour=(),
        by_week=by_week,
        by_arm=(),
        by_method=(),
        look_at=(),
    )


def test_a_candidate_that_is_clearly_better_may_replace_the_champion() -> None:
    answer = BacktestGate().judge(evaluation(0.1), evaluation(0.09))

    assert answer.allowed
    assert answer.high < 0
    assert answer.refusals == ()


@pytest.mark.parametrize(
    ("candidate", "failed", "said"),
    [
        (evaluation(0.1001, noise=0.01), "accuracy", "does not differ for sure"),
        (evaluation(0.11), "accuracy", "WAPE is higher"),
        (evaluation(0.09, coverage=0.76), "coverage", "76.0%"),
        (evaluation(0.09, coverage=0.84), "coverage", "77% to 83%"),
        (evaluation(0.09, bias=-0.02), "bias", "-2.00%"),
        (evaluation(0.09, bias=0.015), "bias", "+1.50%"),
    ],
)
def test_a_refusal_names_the_figure_that_failed(candidate: Evaluation, failed: str, said: str) -> None:
    answer = BacktestGate().judge(evaluation(0.1), candidate)

    assert not answer.allowed
    (refusal,) = answer.refusals
    assert refusal.name == failed
    assert said in refusal.en
    assert refusal.ko != refusal.en


def test_few_weeks_are_refused_however_good_they_are() -> None:
    answer = BacktestGate().judge(evaluation(0.1, weeks=5), evaluation(0.05, weeks=5))

    assert [check.name for check in answer.refusals] == ["weeks"]


def test_as_good_and_much_cheaper_is_a_gain() -> None:
    one, other = evaluation(0.1, noise=1e-5), evaluation(0.10001, noise=1e-3)

    assert not BacktestGate().judge(one, other, cpu_seconds=(10.0, 8.0)).allowed
    answer = BacktestGate().judge(one, other, cpu_seconds=(10.0, 5.0))

    assert answer.allowed
    assert "CPU × 0.50" in answer.checks[1].en


def test_as_good_with_a_better_upper_quantile_is_a_gain() -> None:
    one, other = evaluation(0.1, noise=1e-4), evaluation(0.10001, noise=1e-4, pinball=4.0)

    answer = BacktestGate().judge(one, other)

    assert answer.allowed
    assert "pinball .8 -0.99" in answer.checks[1].en


def test_worse_by_more_than_the_tolerance_is_refused_whatever_else_it_brings() -> None:
    answer = BacktestGate().judge(evaluation(0.1), evaluation(0.11, pinball=1.0), cpu_seconds=(10.0, 0.1))

    assert [check.name for check in answer.refusals] == ["accuracy"]


def test_backtests_of_other_weeks_are_not_compared() -> None:
    with pytest.raises(InvalidRequest, match="not backtested on the same weeks"):
        BacktestGate().judge(evaluation(weeks=12), evaluation(weeks=11))
