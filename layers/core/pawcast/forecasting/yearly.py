"""What the same days of last year said, as regressors for the correction.

Residuals of last year (log visitors less today's effects) are read at three counterparts of a day: the same weekday
52 weeks ago, the same date, the same distance to Easter (calendar.py). Each is measured from a *reference*: the
series' level in the weeks before last year's gap, or its long-run level where last year begins too late. Where a
series has no last year, the chain's stands in.

`..._chain` regressors are the visitors-weighted mean over the series; a little weight on zero keeps few series from
speaking for all.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pawcast.forecasting.calendar import (
    near_fixed_holiday,
    same_date_last_year,
    same_easter_day_last_year,
)
from pawcast.forecasting.config import ForecastConfig
from pawcast.forecasting.panel import DAYS_A_WEEK, Panel

YEAR = 52 * DAYS_A_WEEK
BACK, AHEAD = 8 * DAYS_A_WEEK, 5 * DAYS_A_WEEK + 7  # days read around the day 52 weeks ago
MIN_REFERENCE = 21
LIMIT = 1.0
EVENT_LIMIT = 1.5


@dataclass(frozen=True, eq=False)
class Counterparts:
    """For each column of the grid the column of last year that it is compared with."""

    date: NDArray[np.intp]
    easter: NDArray[np.intp]
    event: NDArray[np.bool_]

    @classmethod
    def of(cls, panel: Panel, config: ForecastConfig) -> "Counterparts":
        """Find them for a panel."""
        date = same_date_last_year(panel.days)
        return cls(date, same_easter_day_last_year(panel.days), near_fixed_holiday(panel, date, config.event_reach))


def window(start: int) -> tuple[int, int]:
    """First and last+1 column of last year's residuals that the week beginning at column `start` needs."""
    return max(start - YEAR - BACK, 0), max(min(start - YEAR + AHEAD, start - DAYS_A_WEEK), 0)


def regressors(
    start: int,
    residuals: NDArray[np.float64],
    counterparts: Counterparts,
    level: NDArray[np.float64],
    long_level: NDArray[np.float64],
    weight: NDArray[np.float64],
) -> dict[str, NDArray[np.float64]]:
    """Regressors of the week beginning at column `start`: [series, 1 or 7] or [1, 1 or 7] each.

    Args:
        start: first column of the week to forecast.
        residuals: [series, column] over `window(start)`; NaN where not known; no column when there is no last year.
        counterparts: see there.
        level: [series] level of now that the forecast is anchored to.
        long_level: [series] level over many months.
        weight: [series] about the visitors of each.
    """
    first, _ = window(start)
    series = len(level)
    away = start - YEAR
    if away + DAYS_A_WEEK <= 0 or residuals.shape[1] == 0:
        return _nothing(series)
    before = residuals[:, : max(away - DAYS_A_WEEK - first, 0)]
    reference_days = np.isfinite(before).sum(axis=1)
    reference = np.where(reference_days >= MIN_REFERENCE, _mean(before), long_level)

    def at(columns: NDArray[np.intp], wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
        index = columns - first
        good = wanted & (columns >= 0) & (index >= 0) & (index < residuals.shape[1])
        picked = residuals[:, np.where(good, index, 0)] - reference[:, None]
        return np.where(good[None, :], picked, np.nan)

    week = np.arange(start, start + DAYS_A_WEEK)
    event = counterparts.event[week]
    everywhere = np.ones(DAYS_A_WEEK, dtype=np.bool_)
    day = at(week - YEAR, everywhere)
    day_chain = _chain(day, weight)
    date = at(counterparts.date[week], event)
    date_chain = _chain(date, weight)
    easter = at(counterparts.easter[week], everywhere)
    easter_chain = _chain(easter, weight)

    near = residuals[:, max(away - DAYS_A_WEEK, 0) - first : max(away + 2 * DAYS_A_WEEK - first, 0)]
    days = np.isfinite(near).sum(axis=1)
    trust = days / (days + DAYS_A_WEEK)
    around = np.where(days > 0, _mean(near) - reference, 0.0) * trust
    anchored = np.where(days > 0, _mean(near) - level, 0.0) * trust
    seen = weight * (days >= DAYS_A_WEEK)
    cover = seen.sum() / (seen.sum() + 0.03 * weight.sum())
    around_chain = cover * np.average(around, weights=seen + 1e-12)
    anchored_chain = cover * np.average(anchored, weights=seen + 1e-12)

    own_day = np.where(np.isfinite(day), day, day_chain)
    return {
        "last_year_day": np.clip(np.where(event, 0.0, own_day), -LIMIT, LIMIT),
        "last_year_days": np.where(days > 0, around, around_chain)[:, None],
        "last_year_day_chain": np.where(event, 0.0, day_chain)[None, :],
        "last_year_days_chain": np.full((1, 1), around_chain),
        "last_year_level": np.where(days > 0, anchored, anchored_chain)[:, None],
        "last_year_level_chain": np.full((1, 1), anchored_chain),
        "fixed_date": np.clip(np.where(np.isfinite(date), date - date_chain, 0.0), -EVENT_LIMIT, EVENT_LIMIT),
        "fixed_date_chain": date_chain[None, :],
        "easter": np.clip(np.where(np.isfinite(easter), easter - easter_chain, 0.0), -LIMIT, LIMIT),
        "easter_chain": easter_chain[None, :],
    }


def _nothing(series: int) -> dict[str, NDArray[np.float64]]:
    own, chain = np.zeros((series, 1)), np.zeros((1, 1))
    return {
        "last_year_day": own,
        "last_year_days": own,
        "last_year_day_chain": chain,
        "last_year_days_chain": chain,
        "last_year_level": own,
        "last_year_level_chain": chain,
        "fixed_date": own,
        "fixed_date_chain": chain,
        "easter": own,
        "easter_chain": chain,
    }


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.asarray(total / np.maximum(known.sum(axis=1), 1))


def _chain(values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(values)
    total = (np.where(known, values, 0.0) * weight[:, None]).sum(axis=0)
    return np.asarray(total / ((known * weight[:, None]).sum(axis=0) + 0.01 * weight.sum() + 1e-12))
