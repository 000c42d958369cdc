"""One week's forecast for all stores of a panel: the way in for the forecasting function.

    panel = panel_from_frame(frame)
    forecast = forecast_week(panel, np.datetime64("2026-12-07"), ForecastConfig())
    forecast.frame()

What the panel knows after the Sunday eight days before the week is ignored, so a past week is forecast exactly as it
would have been (backfill). Closed days are 0. Stores without `cold_days` of history are marked `cold_start`: they get
the chain's weekday and promotion effects around a level shrunk towards that of the chain. `fallback_week` is the
seasonal-naive forecast, for a shard whose model failed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawcast.errors import InvalidVisits
from pawcast.forecasting.config import ForecastConfig
from pawcast.forecasting.means import median_known
from pawcast.forecasting.panel import DAYS_A_WEEK, STORE, TIME, Panel
from pawcast.forecasting.quantiles import LEVELS, Spread, eventful_days, spread
from pawcast.forecasting.seasonal import SPREAD, seasonal_naive
from pawcast.forecasting.walk import GAP_WEEKS, ChainModel, Walked, walk

MEAN: Final = "yhat"
QUANTILES: Final = ("q10", "q50", "q80", "q90")
METHOD: Final = "method"
SEASONAL_NAIVE: Final = "seasonal_naive"
COLD_START: Final = "cold_start"
ABSURD_TIMES: Final = 20.0  # so many times the most that ever came, and some, is a mistake and no forecast
ABSURD_VISITORS: Final = 100.0
GONE_DAYS: Final = 28  # a store that was open but sent nothing for so long can't be forecast from its own data


@dataclass(frozen=True, eq=False)
class Forecast:
    """Visitors of one week: `mean` is [series, day], `quantiles` [level, series, day], `method` [store]."""

    panel: Panel
    week: int
    mean: NDArray[np.float64]
    quantiles: NDArray[np.float64]
    method: NDArray[np.str_]
    quarantined: tuple[tuple[str, str], ...] = ()  # stores whose numbers were impossible, with the reason's code

    def frame(self) -> pd.DataFrame:
        """One row for each store and time: store_id, ts, open, yhat, q10, q50, q80, q90, method."""
        panel = self.panel
        day = panel.days[self.week * DAYS_A_WEEK : (self.week + 1) * DAYS_A_WEEK].astype("datetime64[s]")
        time = day[None, :] + panel.hour[:, None].astype("timedelta64[h]")
        is_open = panel.open[:, self.week * DAYS_A_WEEK : (self.week + 1) * DAYS_A_WEEK]
        columns = {
            STORE: np.repeat(panel.stores[panel.store], DAYS_A_WEEK),
            TIME: time.ravel(),
            "open": is_open.ravel(),
            MEAN: self.mean.ravel(),
            **{name: values.ravel() for name, values in zip(QUANTILES, self.quantiles, strict=True)},
            METHOD: np.repeat(self.method[panel.store], DAYS_A_WEEK),
        }
        return pd.DataFrame(columns).sort_values([STORE, TIME], ignore_index=True)


def forecast_week(
    panel: Panel, week_start: np.datetime64, config: ForecastConfig, chain: ChainModel | None = None
) -> Forecast:
    """Forecast the week that begins on the Monday `week_start`, from what was known eight days before.

    With `chain` (`fit_chain` made it) what all stores share is not learnt again, only what is each store's own.

    Raises:
        InvalidVisits: `week_start` is no Monday or not on the panel's grid.
    """
    week = panel.week_of(week_start)
    known = panel.known_until((week - GAP_WEEKS + 1) * DAYS_A_WEEK)
    return forecast_from(known, walk(known, config, week, chain), week, config)


def forecast_weeks(
    panel: Panel, week_starts: Sequence[np.datetime64], config: ForecastConfig, chain: ChainModel | None = None
) -> dict[np.datetime64, Forecast]:
    """Forecasts of many weeks, each from its own origin, for hardly more than the price of the last one."""
    weeks = [panel.week_of(start) for start in week_starts]
    if not weeks:
        return {}
    last = max(weeks)
    walked = walk(panel.known_until((last - GAP_WEEKS + 1) * DAYS_A_WEEK), config, last, chain)
    return {
        start: forecast_from(panel.known_until((week - GAP_WEEKS + 1) * DAYS_A_WEEK), walked, week, config)
        for start, week in zip(week_starts, weeks, strict=True)
    }


def fit_chain(panel: Panel, week_start: np.datetime64, config: ForecastConfig) -> ChainModel:
    """What all stores share, learnt from all that was known eight days before `week_start`.

    Raises:
        InvalidVisits: `week_start` is no Monday or not on the panel's grid, or there are too few weeks to learn from.
    """
    week = panel.week_of(week_start)
    walked = walk(panel.known_until((week - GAP_WEEKS + 1) * DAYS_A_WEEK), config, week)
    if walked.coefficients is None or walked.chain_effects is None:
        raise InvalidVisits(
            "the history is too short to learn what the stores share; give at least 12 weeks", field=TIME
        )
    return ChainModel(
        effects=dict(zip(walked.effect_names, walked.chain_effects.tolist(), strict=True)),
        correction=dict(zip(walked.names, walked.coefficients.tolist(), strict=True)),
    )


def forecast_from(panel: Panel, walked: Walked, week: int, config: ForecastConfig) -> Forecast:
    """The forecast of a week that a walk has passed. Stores with impossible numbers get the seasonal-naive forecast."""
    anything = np.isfinite(panel.visitors[:, : max((week - GAP_WEEKS + 1) * DAYS_A_WEEK, 0)]).any()
    if anything and week < config.first_correction_week:  # a chain that is new as a whole: too little to learn from
        return replace(_fallback(panel, week, mean_of=4), method=np.full(len(panel.stores), COLD_START))
    target = slice(week * DAYS_A_WEEK, (week + 1) * DAYS_A_WEEK)
    result = spread(panel, walked, week, config, eventful_days(panel))
    is_open = panel.open[:, target]
    made = _finish(panel, week, result, is_open, _methods(panel, walked, week, config))
    made = _with_new_series(panel, made, week)
    bad = _impossible(panel, made, week)
    if not bad:
        return made
    safe = _fallback(panel, week, mean_of=1)
    series = np.isin(panel.store, list(bad))
    method = made.method.astype(object)
    method[list(bad)] = SEASONAL_NAIVE
    return Forecast(
        panel=panel,
        week=week,
        mean=np.where(series[:, None], safe.mean, made.mean),
        quantiles=np.where(series[None, :, None], safe.quantiles, made.quantiles),
        method=method.astype(str),
        quarantined=tuple((str(panel.stores[store]), reason) for store, reason in sorted(bad.items())),
    )


def _with_new_series(panel: Panel, made: Forecast, week: int) -> Forecast:
    """The forecast with series in it of which nothing was ever known: that is no fault of the store's data.

    An hour that a store never opened before gets the median of its other hours; a store that opens only now that of
    all stores. Where nothing at all is known there is nothing to fill in.
    """
    seen = np.isfinite(panel.visitors[:, : max((week - GAP_WEEKS + 1) * DAYS_A_WEEK, 0)]).any(axis=1)
    if seen.all() or not seen.any():
        return made
    is_open = panel.open[:, week * DAYS_A_WEEK : (week + 1) * DAYS_A_WEEK]
    safe = _fallback(panel, week, mean_of=1)

    def filled(values: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
        own = np.where(seen[:, None] & is_open, values, np.nan).reshape(-1, panel.slots, DAYS_A_WEEK)
        median, count = median_known(own, axis=1)
        expected = np.where((count > 0)[panel.store], median[panel.store], others)
        return np.where(seen[:, None], values, np.where(is_open, expected, 0.0))

    quantiles = [filled(*levels) for levels in zip(made.quantiles, safe.quantiles, strict=True)]
    return replace(made, mean=filled(made.mean, safe.mean), quantiles=np.array(quantiles))


def _impossible(panel: Panel, made: Forecast, week: int) -> dict[int, str]:
    """Stores by index whose forecast is no number, or far beyond all that ever came, with the reason's code."""
    origin = max((week - GAP_WEEKS + 1) * DAYS_A_WEEK, 0)
    seen = np.where(np.isfinite(panel.visitors[:, :origin]), panel.visitors[:, :origin], 0.0)
    most = seen.max(axis=1, initial=0.0)
    finite = np.isfinite(made.mean).all(axis=1) & np.isfinite(made.quantiles).all(axis=(0, 2))
    absurd = finite & (most > 0) & (made.mean.max(axis=1) > ABSURD_TIMES * most + ABSURD_VISITORS)
    known = np.isfinite(panel.visitors[:, :origin])
    gone = np.ones(len(panel.stores), dtype=np.bool_)
    gone[panel.store[known[:, -GONE_DAYS:].any(axis=1) | ~panel.open[:, origin - GONE_DAYS : origin].any(axis=1)]] = (
        False
    )
    seen_before = np.zeros(len(panel.stores), dtype=np.bool_)
    seen_before[panel.store[known.any(axis=1)]] = True
    bad = dict.fromkeys(np.flatnonzero(gone & seen_before).tolist(), "gone") if origin >= GONE_DAYS else {}
    bad |= dict.fromkeys(panel.store[absurd].tolist(), "absurd")
    return bad | dict.fromkeys(panel.store[~finite].tolist(), "not_finite")


def fallback_week(panel: Panel, week_start: np.datetime64, *, mean_of: int = 1) -> Forecast:
    """The seasonal-naive forecast (the mean of the newest `mean_of` weeks) with wide quantiles, in milliseconds."""
    return _fallback(panel, panel.week_of(week_start), mean_of)


def _fallback(panel: Panel, week: int, mean_of: int) -> Forecast:
    mean = seasonal_naive(panel, week, GAP_WEEKS, mean_of)
    target = slice(week * DAYS_A_WEEK, (week + 1) * DAYS_A_WEEK)
    result = Spread(quantiles=SPREAD[:, None, None] * mean, mean=mean)
    return _finish(panel, week, result, panel.open[:, target], np.full(len(panel.stores), SEASONAL_NAIVE))


def _finish(panel: Panel, week: int, result: Spread, is_open: NDArray[np.bool_], method: NDArray[np.str_]) -> Forecast:
    ordered = np.sort(result.quantiles, axis=0)
    assert len(ordered) == len(LEVELS)  # noqa: S101
    return Forecast(
        panel=panel,
        week=week,
        mean=np.where(is_open, result.mean, 0.0),
        quantiles=np.where(is_open[None], ordered, 0.0),
        method=method,
    )


def _methods(panel: Panel, walked: Walked, week: int, config: ForecastConfig) -> NDArray[np.str_]:
    """[store] "model" or "cold_start"."""
    origin = (week - GAP_WEEKS + 1) * DAYS_A_WEEK
    seen = np.isfinite(panel.visitors[:, : max(origin, 0)])
    first = np.where(seen.any(axis=1), seen.argmax(axis=1), origin) if seen.shape[1] else np.zeros(panel.series)
    age = np.zeros(len(panel.stores))
    np.maximum.at(age, panel.store, origin - first)
    return np.where(age >= config.cold_days, "model", COLD_START)
