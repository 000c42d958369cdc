"""From the model's middle to quantiles and a mean, by its own earlier errors.

A forecast of log visitors misses by `e = z - middle`. Every past week was forecast from its own origin, so these
errors are out of sample. Each is divided by the series' usual absolute error *a* (recent weeks count more, and the
walk's slower estimate counts for a number of days, so a series with few errors is not overconfident), and on days on
or around holidays by how much larger errors were there over a year. What remains is alike for all series: its weighted
quantile u_q gives the forecast `middle + u_q a`, as in split conformal prediction with a normalised score (Papadopoulos
et al. 2008; Lei et al. 2018, section 5.2).

For an hourly panel each hour of each store is a series, so the calibration is by store and hour.

The mean is `middle + t a` with the one t for which the recent weeks' forecasts add up to the recent weeks' visitors:
the same quantile level everywhere, which is where unbiasedness costs the least absolute error.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pawcast.forecasting.config import ForecastConfig
from pawcast.forecasting.panel import DAYS_A_WEEK, Panel
from pawcast.forecasting.walk import GAP_WEEKS, Walked

LEVELS = (0.1, 0.5, 0.8, 0.9)
NORMAL = np.array([-1.6, 0.0, 1.05, 1.6])  # of |e| instead of a standard deviation: used before any error is known
SHIFTS = np.linspace(-1.0, 2.0, 61)
MIN_ERRORS = 50
EVENT_FACTOR, EVENT_DAYS = 1.3, 5.0  # prior of how much larger errors are around holidays, and its weight in days
MIN_SIZE = 1e-3
OUTLIER = 8.0  # usual absolute errors
STRANGE = 6.0  # times the usual store's error


@dataclass(frozen=True, eq=False)
class Spread:
    """One week's forecasts in visitors: `quantiles` is [level, series, day], `mean` [series, day]."""

    quantiles: NDArray[np.float64]
    mean: NDArray[np.float64]


def eventful_days(panel: Panel) -> NDArray[np.bool_]:
    """[series, day] on a holiday, or the day before or after one."""
    holiday = panel.holiday > 0
    near = holiday.copy()
    near[:, 1:] |= holiday[:, :-1]
    near[:, :-1] |= holiday[:, 1:]
    return near


def weighted_quantiles(
    values: NDArray[np.float64], weights: NDArray[np.float64], levels: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Quantiles of weighted values: the point where the cumulated weight, counted at its middle, passes the level."""
    order = np.argsort(values)
    ordered, share = values[order], weights[order]
    position = (np.cumsum(share) - 0.5 * share) / share.sum()
    return np.interp(levels, position, ordered)


def spread(panel: Panel, walked: Walked, week: int, config: ForecastConfig, eventful: NDArray[np.bool_]) -> Spread:
    """Quantiles and mean of one week, from errors of weeks that ended by its origin."""
    target = slice(week * DAYS_A_WEEK, (week + 1) * DAYS_A_WEEK)
    middle = walked.middle[:, target]
    newest = week - GAP_WEEKS
    first = max(newest + 1 - config.error_weeks, 0)
    past = slice(first * DAYS_A_WEEK, (newest + 1) * DAYS_A_WEEK)
    error, known = _errors(panel, walked, first, newest, config)
    event = eventful[:, past]
    prior = np.maximum(walked.scale[:, week], MIN_SIZE)
    if known.sum() < MIN_ERRORS:
        size = prior[:, None] * np.where(eventful[:, target], EVENT_FACTOR, 1.0)
        return Spread(_visitors(middle + NORMAL[:, None, None] * size), _visitors(middle))

    age = np.arange(newest - first, -1, -1)
    weight = known.astype(np.float64) * np.repeat(0.5 ** (age / config.error_half_life), DAYS_A_WEEK)
    newest_weight = known.astype(np.float64) * np.repeat(0.5 ** (age / config.pool_half_life), DAYS_A_WEEK)
    absolute = np.where(known, np.abs(error), 0.0)
    calm = weight * ~event
    ratio = (calm * absolute).sum() / max((calm * prior[:, None]).sum(), MIN_SIZE)
    strength = config.error_strength
    size = ((calm * absolute).sum(axis=1) + strength * ratio * prior) / (calm.sum(axis=1) + strength)
    size = np.maximum(size, MIN_SIZE)

    score = np.where(known, error, 0.0) / size[:, None]
    factor = _event_factor(panel, walked, newest, config, eventful)
    score = score / np.where(event, factor, 1.0)
    unit = weighted_quantiles(score[known], newest_weight[known], np.array(LEVELS))
    around = config.error_margin * size[:, None] * np.where(eventful[:, target], factor, 1.0)
    shift = _unbiased_shift(error, walked.middle[:, past], size, known, age, config)
    return Spread(
        quantiles=_visitors(middle + unit[:, None, None] * around),
        mean=_visitors(middle + shift * size[:, None]),
    )


def _errors(
    panel: Panel, walked: Walked, first: int, newest: int, config: ForecastConfig
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """[series, day] log errors of the weeks `first` to `newest`, and which of them count."""
    past = slice(first * DAYS_A_WEEK, (newest + 1) * DAYS_A_WEEK)
    error = np.log1p(panel.visitors[:, past].astype(np.float64)) - walked.middle[:, past]
    usable = np.repeat(walked.known[:, first : newest + 1] >= config.cold_days // 2, DAYS_A_WEEK, axis=1)
    return error, np.isfinite(error) & usable


def _event_factor(
    panel: Panel, walked: Walked, newest: int, config: ForecastConfig, eventful: NDArray[np.bool_]
) -> float:
    """How many times larger errors are around holidays, over a year; EVENT_FACTOR where there were none."""
    first = max(newest + 1 - config.event_weeks, 0)
    error, known = _errors(panel, walked, first, newest, config)
    scale = np.repeat(np.maximum(walked.scale[:, first : newest + 1], MIN_SIZE), DAYS_A_WEEK, axis=1)
    score = np.where(known, np.abs(error) / scale, 0.0)
    event = known & eventful[:, first * DAYS_A_WEEK : (newest + 1) * DAYS_A_WEEK]
    calm = known & ~event
    if not event.any() or not calm.any():
        return EVENT_FACTOR
    larger = (score.sum(where=event) / event.sum()) / max(score.sum(where=calm) / calm.sum(), MIN_SIZE)
    days = event.any(axis=0).sum()
    return float((days * larger + EVENT_DAYS * EVENT_FACTOR) / (days + EVENT_DAYS))


def _unbiased_shift(
    error: NDArray[np.float64],
    middle: NDArray[np.float64],
    size: NDArray[np.float64],
    known: NDArray[np.bool_],
    age: NDArray[np.intp],
    config: ForecastConfig,
) -> float:
    """The t for which recent forecasts `middle + t size` sum to the visitors that came, shrunk towards 0."""
    recency = np.repeat(0.5 ** (age / config.bias_half_life), DAYS_A_WEEK)
    expected = np.where(known, np.exp(np.where(known, middle, 0.0)), 0.0)  # of 1 + visitors
    # One store's impossible numbers must not move all others' means.
    expected = expected * (size <= STRANGE * np.median(size))[:, None]
    limit = OUTLIER * size[:, None]
    came = float((expected * np.exp(np.clip(np.where(known, error, 0.0), -limit, limit)) @ recency).sum())
    total = expected @ recency
    sums = np.exp(SHIFTS[:, None] * size) @ total
    shift = float(np.interp(came, sums, SHIFTS))
    weeks = float(
        (0.5 ** (age / config.bias_half_life))[known.reshape(len(known), -1, DAYS_A_WEEK).any(axis=(0, 2))].sum()
    )
    return shift * weeks / (weeks + config.bias_strength)


def _visitors(z: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(np.expm1(z), 0.0)
