"""The model: what must hold of every forecast, whatever the numbers."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pawcast.errors import InvalidVisits, ModelRejected
from pawcast.forecasting.config import PRIORS, ForecastConfig
from pawcast.forecasting.forecast import (
    Forecast,
    fallback_week,
    fit_chain,
    forecast_from,
    forecast_week,
    forecast_weeks,
)
from pawcast.forecasting.panel import panel_from_frame
from pawcast.forecasting.walk import ChainModel, walk
from tests.support.visits import FIRST_MONDAY, drawn_visits

CONFIG = ForecastConfig(year_end_lift=0.0)  # the drawn chains have no season before New Year
WEEKS = 30


def monday(week: int) -> np.datetime64:
    """The Monday of a week of the drawn visits."""
    return np.datetime64((FIRST_MONDAY + pd.Timedelta(weeks=week)).date(), "D")


def made(frame: pd.DataFrame, week: int = WEEKS - 1, config: ForecastConfig = CONFIG) -> Forecast:
    return forecast_week(panel_from_frame(frame), monday(week), config)


def numbers(forecast: Forecast) -> NDArray[np.float64]:
    return np.concatenate([forecast.mean[None], forecast.quantiles])


@given(st.integers(0, 10_000))
@settings(max_examples=5, deadline=None)
def test_nothing_after_the_last_known_day_is_seen(seed: int) -> None:
    frame = drawn_visits(stores=5, weeks=WEEKS, seed=1)
    last_known = FIRST_MONDAY + pd.Timedelta(weeks=WEEKS - 2)
    later = (frame["ts"] >= last_known).to_numpy() & frame["visitors"].notna().to_numpy()
    scrambled = frame.copy()
    rng = np.random.default_rng(seed)
    scrambled.loc[later, "visitors"] = rng.permutation(frame.loc[later, "visitors"].to_numpy()) * rng.uniform(0, 9)

    assert np.array_equal(numbers(made(frame)), numbers(made(scrambled)))


def test_every_week_of_a_backtest_is_what_that_tuesday_would_have_said() -> None:
    frame = drawn_visits(stores=5, weeks=WEEKS, seed=2)
    starts = [monday(week) for week in range(WEEKS - 4, WEEKS)]

    together = forecast_weeks(panel_from_frame(frame), starts, CONFIG)

    for week, start in enumerate(starts, WEEKS - 4):
        until = frame[frame["ts"] < FIRST_MONDAY + pd.Timedelta(weeks=week + 1)].copy()
        until.loc[until["ts"] >= FIRST_MONDAY + pd.Timedelta(weeks=week - 1), "visitors"] = np.nan
        alone = made(until, week)
        assert np.allclose(numbers(alone), numbers(together[start]), rtol=1e-9)


@pytest.mark.parametrize("times", [3.0, 50.0])
def test_more_visitors_everywhere_are_more_in_the_forecast(times: float) -> None:
    frame = drawn_visits(stores=5, weeks=WEEKS, seed=3).assign(visitors=lambda rows: rows["visitors"] * 10)

    more = numbers(made(frame.assign(visitors=frame["visitors"] * times)))

    # log(1 + visitors) is not quite a logarithm: the larger the counts, the nearer
    assert np.allclose(times * numbers(made(frame)), more, rtol=0.01)


def test_the_order_of_stores_does_not_matter() -> None:
    frame = drawn_visits(stores=6, weeks=WEEKS, seed=4)

    pd.testing.assert_frame_equal(made(frame).frame(), made(frame.sample(frac=1, random_state=1)).frame())


def test_closed_days_are_zero_and_quantiles_are_in_order() -> None:
    rows = made(drawn_visits(stores=6, weeks=WEEKS, seed=5)).frame()

    assert (rows.loc[~rows["open"], ["yhat", "q10", "q50", "q80", "q90"]] == 0).all(axis=None)
    assert (rows[["q10", "q50", "q80", "q90"]].diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    assert rows.loc[rows["open"], "yhat"].gt(0).all()
    assert 6 * 7 == len(rows)


def test_a_forecast_is_nearer_than_last_week_was() -> None:
    frame = drawn_visits(stores=20, weeks=WEEKS, seed=6)
    actual = frame[frame["ts"] >= FIRST_MONDAY + pd.Timedelta(weeks=WEEKS - 1)].sort_values(["store_id", "ts"])
    came = actual["visitors"].to_numpy()
    is_open = np.isfinite(came)
    panel = panel_from_frame(frame)

    def error(forecast: Forecast) -> float:
        return float(np.abs(forecast.frame()["yhat"].to_numpy() - came)[is_open].sum())

    naive = fallback_week(panel, monday(WEEKS - 1))
    assert error(forecast_week(panel, monday(WEEKS - 1), CONFIG)) < 0.8 * error(naive)


def test_intervals_hold_about_eighty_of_a_hundred_days() -> None:
    frame = drawn_visits(stores=40, weeks=52, seed=7)
    panel = panel_from_frame(frame)
    inside = total = 0
    for start, forecast in forecast_weeks(panel, [monday(week) for week in range(40, 52)], CONFIG).items():
        week = panel.week_of(start)
        came = panel.visitors[:, 7 * week : 7 * week + 7]
        known = np.isfinite(came)
        inside += int(((came >= forecast.quantiles[0]) & (came <= forecast.quantiles[3]) & known).sum())
        total += int(known.sum())

    assert 0.77 <= inside / total <= 0.84


def test_hours_of_a_store_are_forecast_each() -> None:
    frame = drawn_visits(stores=3, weeks=20, hours=tuple(range(10, 20)), seed=8)

    rows = made(frame, 19).frame()

    assert 3 * 7 * 24 == len(rows)
    by_hour = rows[rows["open"]].groupby(rows["ts"].dt.hour)["yhat"].mean()
    assert set(range(10, 20)) == set(by_hour.index)


@pytest.mark.parametrize(("days", "method"), [(20, "cold_start"), (55, "cold_start"), (90, "model")])
def test_a_young_store_is_forecast_from_what_the_chain_knows(days: int, method: str) -> None:
    frame = drawn_visits(stores=8, weeks=WEEKS, seed=9)
    last_known = FIRST_MONDAY + pd.Timedelta(weeks=WEEKS - 2)
    young = (frame["store_id"] == "s03") & (frame["ts"] < last_known - pd.Timedelta(days=days))
    panel = panel_from_frame(frame[~young])

    forecast = forecast_week(panel, monday(WEEKS - 1), CONFIG)

    rows = forecast.frame().query("store_id == 's03'")
    known = frame.query("store_id == 's03'")["visitors"].mean()
    assert {method} == set(rows["method"])
    assert 0.5 * known < rows.loc[rows["open"], "yhat"].mean() < 2 * known


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_a_store_that_never_changes_is_forecast_so(value: float) -> None:
    frame = drawn_visits(stores=6, weeks=WEEKS, seed=10)
    same = (frame["store_id"] == "s02") & frame["visitors"].notna()
    frame.loc[same, "visitors"] = value

    rows = made(frame).frame().query("store_id == 's02' and open")

    assert np.allclose(value, rows["yhat"], atol=0.35 + 0.1 * value)


def test_one_store_alone_and_a_store_without_any_visit_are_forecast() -> None:
    frame = drawn_visits(stores=2, weeks=WEEKS, seed=11)
    alone = made(frame[frame["store_id"] == "s01"])
    empty = frame.assign(visitors=frame["visitors"].where(frame["store_id"] != "s01"))

    assert np.isfinite(numbers(alone)).all()
    assert np.isfinite(numbers(made(empty))).all()


def test_a_week_without_any_data_is_bridged() -> None:
    frame = drawn_visits(stores=6, weeks=WEEKS, seed=12)
    week = FIRST_MONDAY + pd.Timedelta(weeks=WEEKS - 3)
    gone = (frame["ts"] >= week) & (frame["ts"] < week + pd.Timedelta(weeks=1))

    ratio = made(frame.assign(visitors=frame["visitors"].mask(gone))).mean.sum() / made(frame).mean.sum()

    assert 0.85 < ratio < 1.15


@pytest.mark.parametrize("times", [0.5, 2.0])
def test_a_store_whose_level_changes_for_good_is_followed_and_one_odd_day_is_not(times: float) -> None:
    frame = drawn_visits(stores=8, weeks=WEEKS, seed=21)
    store, calm = frame["store_id"] == "s03", made(frame)
    known_until = FIRST_MONDAY + pd.Timedelta(weeks=WEEKS - 2)

    def moved(when: "pd.Series[bool]") -> float:
        changed = made(frame.assign(visitors=frame["visitors"].where(~(store & when), frame["visitors"] * times)))
        return float(np.log(changed.mean[3].sum() / calm.mean[3].sum()) / np.log(times))

    assert 0.7 < moved(frame["ts"] >= known_until - pd.Timedelta(weeks=6)) < 1.1
    assert moved(frame["ts"] == known_until - pd.Timedelta(days=3)) < 0.05


def test_a_store_with_impossible_numbers_is_set_apart_and_its_neighbours_are_not() -> None:
    frame = drawn_visits(stores=12, weeks=WEEKS, seed=13)
    calm = made(frame.query("store_id != 's04'"))
    panel = panel_from_frame(frame)
    broken = panel.visitors.copy()
    known = np.isfinite(broken[4])
    broken[4] = np.where(known, np.where(np.arange(len(known)) % 2, 0.0, 1e7), np.nan)

    forecast = forecast_week(replace(panel, visitors=broken), monday(WEEKS - 1), CONFIG)

    rows = forecast.frame()
    others = rows[rows["store_id"] != "s04"]
    assert np.isfinite(rows["yhat"]).all()
    assert {"model"} == set(others["method"])
    assert np.allclose(calm.frame()["yhat"].to_numpy(), others["yhat"].to_numpy(), rtol=0.05)


def test_a_forecast_far_beyond_all_that_ever_came_is_replaced_and_named() -> None:
    frame = drawn_visits(stores=6, weeks=WEEKS, seed=13)
    panel = panel_from_frame(frame)
    starts = monday(WEEKS - 1)
    walked = walk(panel.known_until(7 * (WEEKS - 2)), CONFIG, WEEKS - 1)
    middle = walked.middle.copy()
    middle[2, -7:] += 9.0
    middle[4, -7:] = np.nan

    forecast = forecast_from(panel, replace(walked, middle=middle), WEEKS - 1, CONFIG)

    assert (("s02", "absurd"), ("s04", "not_finite")) == forecast.quarantined
    assert ["model", "model", "seasonal_naive", "model", "seasonal_naive", "model"] == forecast.method.tolist()
    assert np.array_equal(fallback_week(panel, starts).mean[[2, 4]], forecast.mean[[2, 4]])
    assert np.array_equal(forecast_week(panel, starts, CONFIG).mean[[0, 1, 3, 5]], forecast.mean[[0, 1, 3, 5]])


def test_a_store_that_was_open_but_sent_nothing_for_four_weeks_is_named() -> None:
    frame = drawn_visits(stores=4, weeks=WEEKS, seed=16)
    gone = (frame["store_id"] == "s01") & (frame["ts"] >= FIRST_MONDAY + pd.Timedelta(weeks=WEEKS - 7))

    forecast = made(frame.assign(visitors=frame["visitors"].mask(gone)))

    assert (("s01", "gone"),) == forecast.quarantined
    assert "seasonal_naive" == forecast.method[1]
    assert np.isfinite(forecast.mean).all()


@pytest.mark.parametrize("visitors", [0.0, np.nan])
def test_a_chain_without_any_visitor_is_forecast_as_none(visitors: float) -> None:
    frame = drawn_visits(stores=3, weeks=WEEKS, seed=17)

    forecast = made(frame.assign(visitors=frame["visitors"].mask(frame["visitors"].notna(), visitors)))

    assert np.allclose(0, numbers(forecast), atol=1e-3)


def test_a_day_with_an_hour_missing_or_twice_as_clocks_change_is_forecast_in_local_hours() -> None:
    frame = drawn_visits(stores=3, weeks=20, hours=tuple(range(24)), seed=18)
    spring = FIRST_MONDAY + pd.Timedelta(days=27, hours=2)  # 2026-03-29, Europe: no 02:00
    frame = frame[frame["ts"] != spring]

    rows = made(frame, 19).frame()

    assert 3 * 7 * 24 == len(rows)
    assert rows.groupby("store_id")["ts"].diff().dropna().eq(pd.Timedelta(hours=1)).all()
    with pytest.raises(InvalidVisits, match="two rows"):
        panel_from_frame(pd.concat([frame, frame.iloc[[50]]]))


def test_intervals_of_hours_hold_about_eighty_of_a_hundred() -> None:
    panel = panel_from_frame(drawn_visits(stores=6, weeks=30, hours=tuple(range(10, 20)), seed=19))
    inside = total = 0
    for start, forecast in forecast_weeks(panel, [monday(week) for week in range(22, 30)], CONFIG).items():
        week = panel.week_of(start)
        came = panel.visitors[:, 7 * week : 7 * week + 7]
        known = np.isfinite(came)
        inside += int(((came >= forecast.quantiles[0]) & (came <= forecast.quantiles[3]) & known).sum())
        total += int(known.sum())

    assert 0.76 <= inside / total <= 0.84


def test_a_night_that_all_stores_had_on_a_date_last_year_is_expected_at_its_hours() -> None:
    frame = drawn_visits(stores=6, weeks=62, hours=(12, 20), seed=20)
    date, hour = frame["ts"].dt.strftime("%m-%d"), frame["ts"].dt.hour
    frame = frame.assign(holiday_kind=np.where(date == "04-24", "feast", "0"))
    frame["visitors"] = frame["visitors"] * np.where((date == "04-24") & (hour == 20), 3.0, 1.0)
    week = 59  # 2027-04-19 to 25

    rows = made(frame, week).frame().assign(hour=lambda f: f["ts"].dt.hour, day=lambda f: f["ts"].dt.strftime("%m-%d"))

    mean = rows[rows["open"]].groupby(["hour", "day"])["yhat"].mean()
    assert mean[20]["04-24"] > 1.5 * mean[20]["04-23"]
    assert mean[20]["04-24"] > 1.3 * mean[12]["04-24"]


def test_what_all_stores_share_can_be_kept_from_a_registered_model() -> None:
    frame = drawn_visits(stores=8, weeks=WEEKS, seed=14)
    panel = panel_from_frame(frame)
    chain = fit_chain(panel, monday(WEEKS - 3), CONFIG)
    again = ChainModel.from_document(chain.document())

    fixed = forecast_week(panel, monday(WEEKS - 1), CONFIG, chain=again)

    learnt = forecast_week(panel, monday(WEEKS - 1), CONFIG)
    assert again == chain
    assert not np.array_equal(fixed.mean, learnt.mean)
    assert np.allclose(fixed.mean.sum(), learnt.mean.sum(), rtol=0.05)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"effects": {}},
        {"effects": {"a": "x"}, "correction": {}},
        {"effects": {"a": float("nan")}, "correction": {}},
    ],
)
def test_a_chain_that_is_no_chain_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ModelRejected, match="by name"):
        ChainModel.from_document(document)


def test_hyper_parameters_go_to_the_registry_and_back() -> None:
    changed = replace(CONFIG, ridge=3.0, level_half_lives=(1.0, 5.0, 9.0))

    assert changed == ForecastConfig.from_document(changed.document())
    assert ForecastConfig() == ForecastConfig.from_document({})
    assert changed == ForecastConfig.from_document(json.loads(json.dumps(changed.document())))
    assert PRIORS | {"promo": (0.1, 0.2)} == ForecastConfig.from_document({"priors": {"promo": [0.1, 0.2]}}).priors


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ({"rigde": 3}, "rigde"),
        ({"ridge": "many"}, "ridge"),
        ({"ridge": -1}, "ridge"),
        ({"ridge": float("nan")}, "ridge"),
        ({"anchor": 1.5}, "anchor"),
        ({"anchor": 3}, "anchor"),
        ({"effect_half_life": 0}, "effect_half_life"),
        ({"level_half_lives": []}, "level_half_lives"),
        ({"priors": [1]}, "priors"),
        ({"priors": {"promo": [0.1, 0]}}, "priors"),
    ],
)
def test_a_hyper_parameter_that_is_none_is_refused_by_name(document: dict[str, object], named: str) -> None:
    with pytest.raises(ModelRejected, match=named):
        ForecastConfig.from_document(document)


def test_a_day_that_is_no_monday_and_a_week_beyond_the_grid_are_refused() -> None:
    panel = panel_from_frame(drawn_visits(stores=2, weeks=10))

    with pytest.raises(InvalidVisits, match="no Monday"):
        forecast_week(panel, monday(9) + np.timedelta64(1, "D"), CONFIG)
    with pytest.raises(InvalidVisits, match="add its covariates"):
        forecast_week(panel, monday(10), CONFIG)
    with pytest.raises(InvalidVisits, match="too short"):
        fit_chain(panel, monday(4), CONFIG)


def test_a_season_before_new_year_is_expected_until_a_chain_says_otherwise() -> None:
    frame = drawn_visits(stores=6, weeks=42, seed=15)  # until December 20
    expecting = made(frame, 41, ForecastConfig(year_end_lift=0.25))

    lift = expecting.mean.sum() / made(frame, 41).mean.sum()

    assert 1.02 < lift < 1.3


def test_a_chain_that_is_new_as_a_whole_is_forecast_from_its_few_weeks_and_no_store_is_set_apart() -> None:
    frame = drawn_visits(stores=4, weeks=7, seed=16)

    forecast = made(frame, 6)

    rows = forecast.frame()
    assert () == forecast.quarantined
    assert {"cold_start"} == set(rows["method"])
    assert 0.6 < rows.loc[rows["open"], "yhat"].mean() / frame["visitors"].mean() < 1.6
