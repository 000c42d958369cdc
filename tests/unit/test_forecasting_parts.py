"""The vectorised parts of the model beside loops that anyone can check by eye, and the calendar beside known dates."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from pawcast.forecasting.calendar import (
    day_of_month,
    day_of_year,
    easter_sunday,
    near_fixed_holiday,
    same_date_last_year,
    same_easter_day_last_year,
)
from pawcast.forecasting.config import ForecastConfig
from pawcast.forecasting.features import Column, design, later, year_end
from pawcast.forecasting.means import LevelMean, WeekdayMean, median_known
from pawcast.forecasting.panel import Days, Panel, panel_from_frame
from pawcast.forecasting.quantiles import weighted_quantiles
from pawcast.forecasting.ridge import Correction, SeriesEffects
from pawcast.forecasting.seasonal import seasonal_naive
from tests.support.visits import drawn_visits

CONFIG = ForecastConfig(year_end_lift=0.0)
SERIES, COLUMNS, WEEKS = 3, 4, 9

type Matrix = NDArray[np.float64]
type Week = tuple[Matrix, Matrix, NDArray[np.bool_]]


def days_from(first: str, count: int) -> Days:
    """So many days from a Monday on."""
    return np.asarray(np.datetime64(first, "D") + np.arange(count).astype("timedelta64[D]"))


def drawn_weeks(seed: int = 0) -> Iterator[Week]:
    """Regressors [series, day, column], z and what is known of it [series, day]; zero where not known."""
    rng = np.random.default_rng(seed)
    for _ in range(WEEKS):
        known = rng.random((SERIES, 7)) < 0.7
        x, z = rng.normal(size=(SERIES, 7, COLUMNS)), rng.normal(size=(SERIES, 7))
        yield np.where(known[:, :, None], x, 0.0), np.where(known, z, 0.0), known


# ------------------------------------------------------------ means


def test_a_level_is_the_weighted_mean_of_what_effects_leave() -> None:
    level, b = LevelMean(3.0, SERIES, COLUMNS), np.random.default_rng(1).normal(size=(SERIES, COLUMNS))
    total, weight = np.zeros(SERIES), np.zeros(SERIES)
    for week, (x, z, known) in enumerate(drawn_weeks()):
        level.learn(x, z, known)
        for s, d in zip(*np.nonzero(known), strict=True):
            share = 0.5 ** ((WEEKS - 1 - week) / 3.0)
            total[s] += share * (z[s, d] - sum(x[s, d, c] * b[s, c] for c in range(COLUMNS)))
            weight[s] += share

    assert np.allclose(total / weight, level.level(b))


def test_a_weekday_deviates_by_the_weighted_mean_with_one_more_day_as_expected() -> None:
    mean, rng = WeekdayMean(5.0, SERIES, COLUMNS), np.random.default_rng(2)
    b, level = rng.normal(size=(SERIES, COLUMNS)), rng.normal(size=SERIES)
    total, weight = np.zeros((SERIES, 7)), np.zeros((SERIES, 7))
    for week, (x, z, known) in enumerate(drawn_weeks()):
        mean.learn(x, z, known)
        for s, d in zip(*np.nonzero(known), strict=True):
            share = 0.5 ** ((WEEKS - 1 - week) / 5.0)
            total[s, d] += share * (z[s, d] - x[s, d] @ b[s] - level[s])
            weight[s, d] += share

    assert np.allclose(total / (weight + 1), mean.deviation(b, level))


@given(arrays.arrays(np.float64, (4, 5), elements=st.one_of(st.floats(-9, 9), st.just(np.nan))))
@settings(deadline=None)
def test_a_median_of_what_is_known_skips_the_rest(values: Matrix) -> None:
    median, count = median_known(values, axis=1)

    for row, (middle, seen) in enumerate(zip(median, count, strict=True)):
        known = sorted(value for value in values[row] if np.isfinite(value))
        half = len(known) // 2
        expected = 0.0 if not known else known[half] if len(known) % 2 else (known[half - 1] + known[half]) / 2
        assert len(known) == seen
        assert expected == pytest.approx(middle)


# ------------------------------------------------------------ regressions


def test_effects_are_a_weighted_ridge_around_the_chain() -> None:
    columns = tuple(Column(f"promo:{c}", np.zeros(7, dtype=np.float32)) for c in range(COLUMNS))
    effects = SeriesEffects(columns, SERIES, CONFIG, fixed={"promo:1": 0.4})
    chain = np.array([0.0, 0.4, 0.0, 0.0])
    gram = np.tile(CONFIG.profile_strength * np.eye(COLUMNS), (SERIES, 1, 1))
    right = np.tile(CONFIG.profile_strength * chain, (SERIES, 1))
    for week, (x, z, known) in enumerate(drawn_weeks(3)):
        effects.learn(x.astype(np.float32), z, known, np.full(SERIES, 0.1))
        for s, d in zip(*np.nonzero(known), strict=True):
            share, row = 0.5 ** ((WEEKS - 1 - week) / CONFIG.effect_half_life), x[s, d].astype(np.float32)
            gram[s] += share * np.outer(row, row)
            right[s] += share * row * z[s, d]
    effects.solve(weeks=WEEKS)

    expected = [np.linalg.solve(gram[s], right[s]) for s in range(SERIES)]
    assert np.allclose(expected, effects.coefficients)


def test_the_chain_has_the_effects_that_all_series_together_show() -> None:
    rng = np.random.default_rng(4)
    columns = tuple(Column(f"promo:{c}", np.zeros(7, dtype=np.float32)) for c in range(COLUMNS))
    effects, truth = SeriesEffects(columns, 50, CONFIG), np.array([0.3, -0.2, 0.1, 0.0])
    for _ in range(30):
        x = rng.normal(size=(50, 7, COLUMNS)).astype(np.float32)
        effects.learn(
            x, x @ truth + rng.normal(scale=0.05, size=(50, 7)), np.ones((50, 7), dtype=np.bool_), np.ones(50)
        )
    effects.solve(weeks=30)

    assert np.allclose(truth, effects.chain, atol=0.01)


def test_the_correction_is_a_weighted_ridge_around_its_priors() -> None:
    names = ("one", "level:0", "holiday:a")
    config = ForecastConfig(correction_half_life=6.0, day_variance=0.02, ridge=1.5)
    correction, rng = Correction(config), np.random.default_rng(5)
    gram, right, last = np.zeros((3, 3)), np.zeros(3), 0
    for week in range(WEEKS):
        last = 30 + week
        x, left, weight = rng.normal(size=(last, 3)).astype(np.float32), rng.normal(size=last), rng.random(last) + 0.1
        correction.learn(names, x, left, weight, week + 1)
        for row, z, share in zip(x.astype(np.float64), left, weight / weight.mean(), strict=True):
            age = 0.5 ** ((WEEKS - 1 - week) / 6.0)
            gram += age * share * np.outer(row, row)
            right += age * share * row * z
    mean = np.array([0.0, 0.8, 0.0])
    # `level:0` is believed from the first day on, the others as far as their spread allows
    penalty = np.array([0.02 / 0.05**2, 0.0, 0.02 / 0.2**2]) * last / 7 + 1.5

    expected = np.linalg.solve(gram + np.diag(penalty), right + penalty * mean)
    assert correction.coefficients is not None
    assert np.allclose(expected, correction.coefficients)


def test_a_registered_correction_is_used_from_the_first_week_and_never_changed() -> None:
    correction = Correction(CONFIG, fixed={"level:0": 0.6})

    before = correction.ready(("one", "level:0"))
    correction.learn(("one", "level:0"), np.ones((7, 2), dtype=np.float32), np.ones(7), np.ones(7), 20)

    assert before is not None
    assert [0.0, 0.6] == before.tolist() == correction.ready(("one", "level:0")).tolist()  # type: ignore[union-attr]


# ------------------------------------------------------------ quantiles


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 3)), min_size=1, max_size=30))
@settings(deadline=None)
def test_a_weighted_quantile_lies_between_the_values_whose_weights_enclose_it(rows: list[tuple[float, float]]) -> None:
    values, weights = np.array(rows).T
    levels = np.array([0.1, 0.5, 0.8, 0.9])

    found = weighted_quantiles(values, weights, levels)

    total = sum(weights)
    for level, quantile in zip(levels, found, strict=True):
        below = sum(w for v, w in rows if v < quantile - 1e-9)
        above = sum(w for v, w in rows if v > quantile + 1e-9)
        assert below <= level * total + max(weights) / 2 + 1e-9
        assert above <= (1 - level) * total + max(weights) / 2 + 1e-9
    assert (np.diff(found) >= 0).all()


def test_equal_weights_give_the_usual_quantile() -> None:
    values = np.random.default_rng(6).normal(size=1001)

    found = weighted_quantiles(values, np.full(1001, 0.3), np.array([0.1, 0.5, 0.9]))

    assert np.allclose(np.quantile(values, [0.1, 0.5, 0.9], method="hazen"), found)


# ------------------------------------------------------------ calendar


@pytest.mark.parametrize(
    "date",
    ["1961-04-02", "2000-04-23", "2008-03-23", "2011-04-24", "2016-03-27", "2019-04-21", "2026-04-05", "2038-04-25"],
)
def test_easter_is_when_the_church_says(date: str) -> None:
    assert np.datetime64(date, "D") == easter_sunday(int(date[:4]))


def test_the_same_date_last_year_is_that_date_and_for_a_leap_day_the_day_before() -> None:
    days = days_from("2023-01-02", 7 * 120)
    earlier = same_date_last_year(days)

    dates = {str(day): str(days[column]) if column >= 0 else None for day, column in zip(days, earlier, strict=True)}
    assert "2023-02-28" == dates["2024-02-29"]
    assert "2023-12-25" == dates["2024-12-25"]
    assert "2024-02-28" == dates["2025-02-28"]
    assert dates["2023-06-01"] is None
    assert dates["2024-01-01"] is None  # a day before the grid


def test_the_same_day_of_easter_last_year_is_as_far_from_it() -> None:
    days = days_from("2023-01-02", 7 * 80)
    earlier = same_easter_day_last_year(days)

    dates = {str(day): str(days[column]) if column >= 0 else None for day, column in zip(days, earlier, strict=True)}
    assert "2023-04-09" == dates["2024-03-31"]  # Easter Sunday
    assert "2023-05-18" == dates["2024-05-09"]  # Ascension
    assert dates["2024-01-15"] is None


def test_days_count_from_where_the_year_and_the_month_begin() -> None:
    days = days_from("2024-02-26", 14)
    since, until = day_of_month(days)

    assert [56, 57, 58, 59, 60] == day_of_year(days)[:5].tolist()
    assert [25, 26, 27, 28, 0] == since[:5].tolist()
    assert [4, 3, 2, 1, 31] == until[:5].tolist()


def test_the_season_before_new_year_rises_and_ends() -> None:
    days = days_from("2024-11-25", 42)
    rise = dict(zip(days.astype(str), year_end(days), strict=True))

    assert 0 == rise["2024-11-27"] == rise["2024-12-31"] == rise["2025-01-01"]
    assert 1 == rise["2024-12-18"] == rise["2024-12-30"]
    assert 0.4 < rise["2024-12-08"] < 0.6


def a_panel(weeks: int = 70) -> Panel:
    return panel_from_frame(drawn_visits(stores=4, weeks=weeks, seed=7))


def test_a_holiday_of_the_same_date_is_recognised_a_year_later() -> None:
    frame = drawn_visits(stores=4, weeks=70, seed=7)
    date = frame["ts"].dt.strftime("%m-%d")
    movable = frame["ts"].isin([pd.Timestamp("2026-04-15"), pd.Timestamp("2027-04-20")])
    panel = panel_from_frame(frame.assign(holiday_kind=np.where((date == "06-06") | movable, "a", "0")))

    near = near_fixed_holiday(panel, same_date_last_year(panel.days), reach=2)

    assert ["2027-06-04", "2027-06-05", "2027-06-06", "2027-06-07", "2027-06-08"] == panel.days[near].astype(
        str
    ).tolist()


# ------------------------------------------------------------ regressors known in advance


def test_a_day_has_one_weekday_and_facts_that_never_hold_cost_nothing() -> None:
    plain = design(panel_from_frame(drawn_visits(stores=4, weeks=30).assign(promo=False)), CONFIG)

    weekdays = np.array([column.values for column in plain.effects[:7]])
    names = [column.name for column in (*plain.effects, *plain.context)]
    assert (weekdays.sum(axis=0) == 1).all()
    assert not [name for name in names if name.startswith(("promo", "holiday", "school", "bridge"))]


def test_holidays_are_named_by_kind_so_that_a_shard_without_one_kind_reads_the_others_right() -> None:
    frame = drawn_visits(stores=4, weeks=30, seed=8)
    first, second = frame["ts"] == pd.Timestamp("2026-04-07"), frame["ts"] == pd.Timestamp("2026-05-05")
    both = panel_from_frame(frame.assign(holiday_kind=np.select([first, second], ["a", "b"], "0")))
    one = panel_from_frame(frame.assign(holiday_kind=np.where(second, "b", "0")))

    found = {column.name: column.values for column in design(both, CONFIG).effects}
    alone = {column.name: column.values for column in design(one, CONFIG).effects}

    assert np.array_equal(found["holiday:b"], alone["holiday:b"])
    assert "holiday:a" in found
    assert "holiday:a" not in alone


def test_school_holidays_have_a_first_and_a_last_week() -> None:
    frame = drawn_visits(stores=2, weeks=12, seed=9)
    week = (frame["ts"] - frame["ts"].min()).dt.days // 7
    found = {column.name: column.values for column in design(a_school(frame, week), CONFIG).context}

    def weeks_of(name: str) -> list[int]:
        return (np.flatnonzero(found[name][0]) // 7).tolist()

    assert [4] * 7 == weeks_of("school_edge:first_week")
    assert [6] * 7 == weeks_of("school_edge:last_week")
    assert [3] * 7 == weeks_of("school_edge:week_before")
    assert [7] * 7 == weeks_of("school_edge:week_after")
    assert [4, 5, 6] == weeks_of("school_weekday:5")


def a_school(frame: pd.DataFrame, week: "pd.Series[int]") -> Panel:
    """School holidays in the fifth to seventh week."""
    return panel_from_frame(frame.assign(school_holiday=(week >= 4) & (week <= 6)))


@given(st.integers(-20, 20).filter(bool))
def test_what_is_later_is_moved_and_beyond_the_grid_is_zero(ahead: int) -> None:
    values = np.arange(1, 15, dtype=np.float32)[None, :]

    moved = later(values, ahead)[0]

    for day in range(14):
        assert (values[0, day + ahead] if 0 <= day + ahead < 14 else 0) == moved[day]


# ------------------------------------------------------------ seasonal naive


@given(st.integers(0, 1000), st.integers(1, 4))
@settings(max_examples=20, deadline=None)
def test_seasonal_naive_is_the_newest_known_same_weekdays(seed: int, mean_of: int) -> None:
    panel = a_panel(weeks=14)
    gaps = np.random.default_rng(seed).random(panel.visitors.shape) < 0.5
    panel = Panel(**{**vars(panel), "visitors": np.where(gaps, np.nan, panel.visitors).astype(np.float32)})
    week = 13

    found = seasonal_naive(panel, week, mean_of=mean_of)

    for s in range(panel.series):
        for d in range(7):
            newest = [panel.visitors[s, 7 * w + d] for w in range(week - 2, week - 10, -1)]
            known = [value for value in newest if np.isfinite(value)][:mean_of]
            if panel.open[s, 7 * week + d] and known:
                assert np.mean(known) == pytest.approx(found[s, d], rel=1e-6)
            if not panel.open[s, 7 * week + d]:
                assert found[s, d] == 0
