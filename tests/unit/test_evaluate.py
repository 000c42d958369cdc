"""Evaluation: every figure as a slow loop has it, closed and unknown rows apart, stores to look at first."""

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pawcast.errors import InvalidVisits
from pawcast.forecasting import experiment
from pawcast.forecasting.evaluate import LEVELS, Evaluation, Figures, evaluate, store_weeks, usual_wape

MONDAY = pd.Timestamp("2026-11-30")


def frames(
    stores: int = 3, days: int = 14, hours: tuple[int, ...] = (0,), seed: int = 0
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Forecast, what came, and seasonal naive: some days closed, some unknown."""
    rng = np.random.default_rng(seed)
    rows = [
        (f"s{store}", MONDAY + pd.Timedelta(days=day, hours=hour))
        for store, day, hour in product(range(stores), range(days), hours)
    ]
    forecast = pd.DataFrame(rows, columns=["store_id", "ts"])
    forecast["open"] = rng.random(len(rows)) > 0.1
    forecast["yhat"] = rng.gamma(5, 20, len(rows))
    for name, factor in zip(LEVELS, (0.7, 1.0, 1.2, 1.4), strict=True):
        forecast[name] = forecast["yhat"] * factor
    forecast["arm"] = np.where(forecast["store_id"] == "s0", "champion", "candidate")
    forecast["method"] = np.where(forecast["store_id"] == "s1", "cold_start", "model")
    actual = forecast[["store_id", "ts"]].copy()
    actual["visitors"] = rng.poisson(100, len(rows)).astype(float)
    actual["open"] = forecast["open"] & (rng.random(len(rows)) > 0.1)
    actual.loc[rng.random(len(rows)) < 0.1, "visitors"] = np.nan
    actual.loc[~actual["open"], "visitors"] = np.nan
    naive = forecast[["store_id", "ts"]].assign(yhat=rng.gamma(5, 20, len(rows)))
    return forecast, actual, naive


def slow_figures(rows: list[dict[Any, Any]]) -> dict[str, float | None]:
    """The formulas, one row after another."""
    n, visitors = len(rows), sum(row["came"] for row in rows)
    absolute = sum(abs(row["yhat"] - row["came"]) for row in rows)
    naive = sum(abs(row["naive"] - row["came"]) for row in rows)
    figures: dict[str, float | None] = {
        "rows": n,
        "visitors": visitors,
        "mae": absolute / n,
        "rmse": math.sqrt(sum((row["yhat"] - row["came"]) ** 2 for row in rows) / n),
        "wape": absolute / visitors,
        "bias": sum(row["yhat"] - row["came"] for row in rows) / visitors,
        "coverage": sum(row["q10"] <= row["came"] <= row["q90"] for row in rows) / n,
        "naive_mae": naive / n,
        "naive_wape": naive / visitors,
        "skill": 1 - absolute / naive,
    }
    for name, level in LEVELS.items():
        loss = 0.0
        for row in rows:
            missed = row["came"] - row[name]
            loss += level * missed if missed > 0 else (level - 1) * missed
        figures[f"pinball_{name[1:]}"] = loss / n
    return figures


def slow_rows(forecast: pd.DataFrame, actual: pd.DataFrame, naive: pd.DataFrame) -> list[dict[Any, Any]]:
    came = {(row["store_id"], row["ts"]): row for row in actual.to_dict("records")}
    bar = {(row["store_id"], row["ts"]): row["yhat"] for row in naive.to_dict("records")}
    rows = []
    for row in forecast.to_dict("records"):
        key = (row["store_id"], row["ts"])
        if row["open"] and key in came and came[key]["open"] and not np.isnan(came[key]["visitors"]):
            rows.append(dict(row) | {"came": came[key]["visitors"], "naive": bar[key]})
    return rows


def numbers(figures: Figures) -> dict[str, float | None]:
    return {name: value for name, value in figures.model_dump().items() if name != "staff"}


@pytest.mark.parametrize("hours", [(0,), (9, 13, 20)])
def test_every_group_has_the_figures_of_a_slow_loop(hours: tuple[int, ...]) -> None:
    forecast, actual, naive = frames(hours=hours)
    keys: dict[str, Callable[[dict[Any, Any]], str]] = {
        "store": lambda row: row["store_id"],
        "weekday": lambda row: row["ts"].day_name().lower(),
        "hour": lambda row: str(row["ts"].hour),
        "week": lambda row: "2026-W49" if row["ts"].day in {30, 1, 2, 3, 4, 5, 6} else "2026-W50",
        "arm": lambda row: row["arm"],
        "method": lambda row: row["method"],
    }

    evaluation = evaluate(forecast, actual, naive)

    rows = slow_rows(forecast, actual, naive)
    assert numbers(evaluation.overall) == pytest.approx(slow_figures(rows))
    for by, key in keys.items():
        groups = {group.key: numbers(group.figures) for group in getattr(evaluation, f"by_{by}")}
        expected = {name: slow_figures([row for row in rows if key(row) == name]) for name in map(key, rows)}
        if by == "hour" and hours == (0,):
            assert groups == {}
        else:
            assert groups.keys() == expected.keys()
            assert all(groups[name] == pytest.approx(expected[name]) for name in groups)


def test_every_row_of_the_forecast_is_scored_or_counted_under_one_reason() -> None:
    forecast, actual, naive = frames(stores=8, days=28)

    evaluation = evaluate(forecast, actual, naive)

    left = evaluation.not_scored
    total = evaluation.overall.rows + left.closed + left.unknown + left.opened_unplanned
    assert min(left.closed, left.unknown) > 0
    assert total == len(forecast)


def test_a_closed_day_an_unknown_one_and_a_surprise_are_told_apart() -> None:
    days = [MONDAY + pd.Timedelta(days=day) for day in range(6)]
    forecast = pd.DataFrame(
        {"store_id": "s", "ts": days[:5], "open": [True, True, True, False, False], "yhat": [10.0, 10, 10, 0, 0]}
    )
    actual = pd.DataFrame(
        {
            "store_id": "s",
            "ts": [days[0], days[1], days[3], days[5]],
            "open": [True, False, True, True],
            "visitors": [12.0, np.nan, 7.0, 9.0],
        }
    )

    left = evaluate(forecast, actual, forecast).not_scored

    assert left.model_dump() == {"closed": 2, "unknown": 1, "opened_unplanned": 1, "without_forecast": 1}


def test_rows_before_and_after_the_forecast_s_weeks_are_not_missing_forecasts() -> None:
    forecast, actual, naive = frames(days=7)
    earlier = actual.assign(ts=actual["ts"] - pd.Timedelta(days=7))

    evaluation = evaluate(forecast, pd.concat([earlier, actual], ignore_index=True), naive)

    assert evaluation == evaluate(forecast, actual, naive)
    assert evaluation.not_scored.without_forecast == 0


@settings(max_examples=25, deadline=None)
@given(scale=st.floats(0.01, 1e4), seed=st.integers(0, 99))
def test_shares_do_not_depend_on_how_large_stores_are(scale: float, seed: int) -> None:
    forecast, actual, naive = frames(seed=seed)
    larger = [frame.copy() for frame in (forecast, actual, naive)]
    for frame in larger:
        for column in frame.columns.intersection(["yhat", "visitors", *LEVELS]):
            frame[column] *= scale

    one, other = evaluate(forecast, actual, naive).overall, evaluate(larger[0], larger[1], larger[2]).overall

    for name in ("wape", "bias", "coverage", "skill", "naive_wape"):
        assert getattr(one, name) == pytest.approx(getattr(other, name))
    assert other.mae == pytest.approx(scale * (one.mae or 0))


def test_a_forecast_without_quantiles_or_naive_has_no_figures_of_them() -> None:
    forecast, actual, naive = frames()

    figures = evaluate(forecast.drop(columns=["q10", "arm", "method"]), actual, naive.iloc[:0]).overall

    assert (figures.coverage, figures.pinball_80, figures.skill, figures.naive_wape) == (None, None, None, None)
    assert figures.wape is not None


def test_a_week_with_no_data_at_all_is_an_evaluation_without_figures() -> None:
    forecast, actual, naive = frames()

    evaluation = evaluate(forecast, actual.iloc[:0], naive)

    assert evaluation.overall == Figures(
        rows=0, visitors=0.0, **dict.fromkeys(set(Figures.model_fields) - {"rows", "visitors"})
    )
    assert (evaluation.by_store, evaluation.look_at, evaluation.weeks) == ((), (), ())
    assert evaluation.frame()["rows"].tolist() == [0]


def test_visitors_that_are_all_zero_have_a_mae_and_no_wape() -> None:
    forecast, actual, naive = frames()

    figures = evaluate(forecast, actual.assign(visitors=0.0, open=True), naive).overall

    assert figures.wape is figures.bias is None
    assert (figures.mae or 0) > 0


def test_the_document_survives_json_and_its_table_has_a_row_for_each_group() -> None:
    evaluation = evaluate(*frames())

    table = evaluation.frame()

    assert Evaluation.model_validate_json(evaluation.model_dump_json()) == evaluation
    assert table["by"].value_counts().to_dict() == {
        "weekday": 7,
        "store": 3,
        "week": 2,
        "arm": 2,
        "method": 2,
        "overall": 1,
    }
    assert table.loc[0, "wape"] == evaluation.overall.wape


def staff_frame(forecast: pd.DataFrame, staff_days: float = 1.0) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    plan = forecast[["store_id", "ts"]].copy()
    plan["planned"], plan["needed"] = rng.integers(3, 8, len(plan)), rng.integers(3, 8, len(plan))
    plan["unedited"] = np.where(rng.random(len(plan)) < 0.3, plan["planned"] + 1, plan["planned"])
    return plan.assign(staff_days=staff_days)


@pytest.mark.parametrize("staff_days", [1.0, 0.125])
def test_staff_over_under_and_the_value_of_edits_are_those_of_a_slow_loop(staff_days: float) -> None:
    forecast, actual, naive = frames()
    plan = staff_frame(forecast, staff_days)
    scored = {(row["store_id"], row["ts"]) for row in slow_rows(forecast, actual, naive)}
    over = under = short = edits = value = 0.0
    for row in plan.to_dict("records"):
        if (row["store_id"], row["ts"]) in scored:
            over += max(row["planned"] - row["needed"], 0) * staff_days
            under += max(row["needed"] - row["planned"], 0) * staff_days
            short += row["planned"] < row["needed"]
            edits += row["unedited"] != row["planned"]
            value += (abs(row["unedited"] - row["needed"]) - abs(row["planned"] - row["needed"])) * staff_days

    staff = evaluate(forecast, actual, naive, staff=plan).overall.staff

    assert staff is not None
    assert staff.over == pytest.approx(over)
    assert staff.under == pytest.approx(under)
    assert staff.planned - staff.needed == pytest.approx(over - under)
    assert staff.under_rows == pytest.approx(short / len(scored))
    assert staff.edited_rows == edits
    assert staff.value_of_edits == pytest.approx(value)


def test_the_store_that_lost_most_staff_days_is_looked_at_first() -> None:
    forecast, actual, naive = frames(stores=12)
    plan = staff_frame(forecast)
    plan.loc[plan["store_id"] == "s7", "planned"] += 20

    look_at = evaluate(forecast, actual, naive, staff=plan).look_at

    assert (look_at[0].store_id, look_at[0].reason) == ("s7", "staff")
    assert len(look_at) == 10


def test_without_staff_a_store_is_looked_at_for_being_worse_than_its_own_past() -> None:
    forecast, actual, naive = frames(stores=4)
    usual = pd.Series({"s0": 9.0, "s1": 9.0, "s2": 0.01})

    evaluation = evaluate(forecast, actual, naive, usual=usual)

    (first, *others) = evaluation.look_at
    assert (first.store_id, first.reason, first.usual_wape) == ("s2", "error", 0.01)
    assert {store.store_id for store in others} <= {"s3"}


def test_stores_to_look_at_do_not_depend_on_the_order_of_rows() -> None:
    forecast, actual, naive = frames(stores=15)
    actual["visitors"] = 100.0
    forecast["yhat"] = 150.0

    shuffled = evaluate(forecast.sample(frac=1, random_state=1), actual.sample(frac=1, random_state=2), naive)

    assert shuffled.look_at == evaluate(forecast, actual, naive).look_at


def test_the_weeks_of_stores_add_up_to_the_evaluation() -> None:
    forecast, actual, naive = frames()

    weeks = store_weeks(forecast, actual, naive)

    evaluation = evaluate(forecast, actual, naive)
    total = weeks[experiment.LOSS].sum() / weeks[experiment.VISITORS].sum()
    assert list(weeks) == ["store_id", "week", "arm", "absolute_error", "visitors", "naive_absolute_error"]
    assert total == pytest.approx(evaluation.overall.wape)
    assert weeks[experiment.NAIVE_LOSS].sum() / weeks[experiment.VISITORS].sum() == pytest.approx(
        evaluation.overall.naive_wape
    )


def test_the_weeks_of_stores_tell_arms_apart_that_forecast_the_same_store() -> None:
    forecast, actual, naive = frames()
    one, other = (forecast.assign(arm=arm, yhat=forecast["yhat"] * factor) for arm, factor in (("a", 1.0), ("b", 1.5)))

    both = store_weeks(pd.concat([one, other], ignore_index=True), actual, naive)

    for arm, alone in (("a", one), ("b", other)):
        expected = store_weeks(alone, actual, naive)
        pd.testing.assert_frame_equal(both[both["arm"] == arm].reset_index(drop=True), expected)
    with pytest.raises(InvalidVisits, match="forecast frame has two rows"):
        evaluate(pd.concat([one, other], ignore_index=True), actual, naive)


def test_the_usual_error_is_the_median_of_the_store_s_weeks() -> None:
    weeks = pd.DataFrame(
        {
            "store_id": ["a", "a", "a", "b"],
            "week": ["1", "2", "3", "1"],
            "arm": "x",
            "absolute_error": [10.0, 20.0, 90.0, 5.0],
            "visitors": [100.0, 100.0, 100.0, 0.0],
        }
    )

    assert usual_wape(weeks).to_dict() == {"a": 0.2}


@pytest.mark.parametrize(
    ("frame", "column"), [(0, "yhat"), (0, "open"), (1, "visitors"), (1, "open"), (2, "yhat"), (0, "store_id")]
)
def test_a_missing_column_is_named(frame: int, column: str) -> None:
    given_frames = list(frames())
    given_frames[frame] = given_frames[frame].drop(columns=column)

    with pytest.raises(InvalidVisits, match=f"no column {column}"):
        evaluate(given_frames[0], given_frames[1], given_frames[2])


def test_two_rows_of_a_store_and_day_are_refused_by_name() -> None:
    forecast, actual, naive = frames()

    with pytest.raises(InvalidVisits, match="actual frame has two rows of s0 at 2026-11-30"):
        evaluate(forecast, pd.concat([actual, actual.iloc[:1]]), naive)
