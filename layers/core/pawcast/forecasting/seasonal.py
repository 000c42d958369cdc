"""The seasonal-naive forecast: the bar that is always computed, and the fallback that always works.

A day is forecast as the same weekday (and hour) of the newest week that is known, or of the week before it where the
store was closed then. It needs no fit, so a shard whose model fails still gets a plan in under a second.
"""

import numpy as np
from numpy.typing import NDArray

from pawcast.forecasting.panel import DAYS_A_WEEK, Panel

REACH_WEEKS = 8
SPREAD = np.array([0.6, 1.0, 1.3, 1.6])  # quantiles as multiples until errors are known


def seasonal_naive(panel: Panel, week: int, gap_weeks: int = 2, mean_of: int = 1) -> NDArray[np.float64]:
    """[series, day] visitors of a week; 0 where closed, the series' median where a weekday was never seen.

    `mean_of` weeks are averaged: 1 is the naive forecast itself, 4 the usual moving average.
    """
    newest = week - gap_weeks
    first = max(newest + 1 - REACH_WEEKS, 0)
    target = slice(week * DAYS_A_WEEK, (week + 1) * DAYS_A_WEEK)
    seen = panel.visitors[:, first * DAYS_A_WEEK : max(newest + 1, 0) * DAYS_A_WEEK].astype(np.float64)
    by_week = seen.reshape(panel.series, -1, DAYS_A_WEEK)[:, ::-1]
    known = np.isfinite(by_week)
    wanted = known & (np.cumsum(known, axis=1) <= mean_of)
    count = wanted.sum(axis=1)
    mean = np.where(wanted, by_week, 0.0).sum(axis=1) / np.maximum(count, 1)
    level = _median(seen)
    return np.where(panel.open[:, target], np.where(count > 0, mean, level[:, None]), 0.0)


def _median(seen: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median of each row's known values; of all values where a row has none."""
    filled = np.sort(seen, axis=1)
    count = np.isfinite(filled).sum(axis=1)
    everything = filled[np.isfinite(filled)]
    overall = float(np.median(everything)) if everything.size else 0.0
    if filled.shape[1] == 0:
        return np.full(len(seen), overall)
    own = filled[np.arange(len(filled)), np.maximum(count - 1, 0) // 2]
    return np.where(count > 0, own, overall)
