"""What the same days of last year said, as regressors for the correction.

Residuals of last year (log visitors less today's effects) are read at three counterparts of a day: the same weekday
52 weeks ago, the same date, the same distance to Easter (calendar.py). Each is measured from a *reference*: the
series' level in the weeks before last year's gap, or its long-run level where last year begins too late. Where a
series has no last year, the chain's stands in.

`..._chain` regressors are the visitors-weighted mean over the series; a little weight on zero keeps few series from
speaking for all. Where stores plan by hour, `..._hour` is how far all stores at that hour of the day were from the
chain: New Year's Eve empties the noon and fills the night.

`two_years_...` are the same of the year before that, as far as a chain has one: two noisy years say more than one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pawcast.forecasting.calendar import (
    NONE,
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
    date_before: NDArray[np.intp]  # two years ago
    easter_before: NDArray[np.intp]
    event: NDArray[np.bool_]

    @classmethod
    def of(cls, panel: Panel, config: ForecastConfig) -> "Counterparts":
        """Find them for a panel."""
        date = same_date_last_year(panel.days)
        easter = same_easter_day_last_year(panel.days)
        event = near_fixed_holiday(panel, date, config.event_reach)
        return cls(date, easter, _twice(date), _twice(easter), event)


def _twice(last_year: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.where(last_year >= 0, last_year[np.maximum(last_year, 0)], NONE)


def window(start: int, years: int = 1) -> tuple[int, int]:
    """First and last+1 column of the residuals, `years` ago, that the week beginning at column `start` needs."""
    away = start - years * YEAR
    return max(away - BACK, 0), max(min(away + AHEAD, start - DAYS_A_WEEK), 0)


def regressors(
    start: int,
    residuals: NDArray[np.float64],
    counterparts: Counterparts,
    level: NDArray[np.float64],
    long_level: NDArray[np.float64],
    weight: NDArray[np.float64],
    slots: int,
) -> dict[str, NDArray[np.float64]]:
    """Regressors of the week beginning at column `start`: [series, 1 or 7] or [1, 1 or 7] each.

    Args:
        start: first column of the week to forecast.
        residuals: [series, column] over `window(start)`; NaN where not known; no column when there is no last year.
        counterparts: see there.
        level: [series] level of now that the forecast is anchored to.
        long_level: [series] level over many months.
        weight: [series] about the visitors of each.
        slots: series a store; the regressors by hour are there where it is more than one.
    """
    first, _ = window(start)
    series = len(level)
    away = start - YEAR
    if away + DAYS_A_WEEK <= 0 or residuals.shape[1] == 0:
        return _nothing(series, slots)
    reference = _reference(residuals, away - first, long_level)

    def at(columns: NDArray[np.intp], wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
        return _picked(residuals - reference[:, None], columns - first, wanted & (columns >= 0))

    week = np.arange(start, start + DAYS_A_WEEK)
    event = counterparts.event[week]
    everywhere = np.ones(DAYS_A_WEEK, dtype=np.bool_)
    day = at(week - YEAR, everywhere)
    day_chain = _chain(day, weight)
    date = at(counterparts.date[week], event)
    date_chain = _chain(date, weight)
    easter = at(counterparts.easter[week], everywhere)
    easter_chain = _chain(easter, weight)

    near = _near(residuals, away, first)
    days = np.isfinite(near).sum(axis=1)
    trust = days / (days + DAYS_A_WEEK)
    around = np.where(days > 0, _mean(near) - reference, 0.0) * trust
    anchored = np.where(days > 0, _mean(near) - level, 0.0) * trust
    around_chain = _shared(around, weight * (days >= DAYS_A_WEEK), weight)
    anchored_chain = _shared(anchored, weight * (days >= DAYS_A_WEEK), weight)

    by_hour = {}
    if slots > 1:
        by_hour = {
            "last_year_day_hour": np.where(event, 0.0, _hour(day, day_chain, weight, slots)),
            "fixed_date_hour": _hour(date, date_chain, weight, slots),
            "easter_hour": _hour(easter, easter_chain, weight, slots),
        }
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
        **by_hour,
    }


def two_years_ago(
    start: int,
    residuals: NDArray[np.float64],
    counterparts: Counterparts,
    long_level: NDArray[np.float64],
    weight: NDArray[np.float64],
    slots: int,
) -> dict[str, NDArray[np.float64]]:
    """The regressors `two_years_...`, from residuals over `window(start, 2)`; the rest as for `regressors`."""
    first, _ = window(start, 2)
    away = start - 2 * YEAR
    by_hour = ("day", "date", "easter") if slots > 1 else ()
    if away <= 0 or residuals.shape[1] == 0:
        names = ("days_chain", "day", "day_chain", "date_chain", "easter_chain", *(f"{name}_hour" for name in by_hour))
        return {f"two_years_{name}": np.zeros((1, 1)) for name in names}
    reference = _reference(residuals, away - first, long_level)
    week = np.arange(start, start + DAYS_A_WEEK)
    event = counterparts.event[week]
    near = _near(residuals, away, first)
    days = np.isfinite(near).sum(axis=1)
    around = np.where(days > 0, _mean(near) - reference, 0.0) * days / (days + DAYS_A_WEEK)
    found = {"two_years_days_chain": np.full((1, 1), _shared(around, weight * (days >= DAYS_A_WEEK), weight))}
    for name, columns, wanted in (
        ("day", week - 2 * YEAR, ~event),
        ("date", counterparts.date_before[week], event),
        ("easter", counterparts.easter_before[week], np.ones(DAYS_A_WEEK, dtype=np.bool_)),
    ):
        values = _picked(residuals - reference[:, None], columns - first, wanted & (columns >= 0))
        chain = _chain(values, weight)
        if name == "day":
            own = np.where(np.isfinite(values), values, chain)
            found["two_years_day"] = np.clip(np.where(wanted, own, 0.0), -LIMIT, LIMIT)
        found[f"two_years_{name}_chain"] = chain[None, :]
        if name in by_hour:
            found[f"two_years_{name}_hour"] = _hour(values, chain, weight, slots)
    return found


def _reference(residuals: NDArray[np.float64], away: int, long_level: NDArray[np.float64]) -> NDArray[np.float64]:
    """[series] mean residual until that year's last known day, `away` being that year's week in the window."""
    before = residuals[:, : max(away - DAYS_A_WEEK, 0)]
    return np.where(np.isfinite(before).sum(axis=1) >= MIN_REFERENCE, _mean(before), long_level)


def _picked(values: NDArray[np.float64], index: NDArray[np.intp], wanted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """[series, day] of the values at `index`; NaN where not wanted or out of the window."""
    good = wanted & (index >= 0) & (index < values.shape[1])
    return np.where(good[None, :], values[:, np.where(good, index, 0)], np.nan)


def _near(residuals: NDArray[np.float64], away: int, first: int) -> NDArray[np.float64]:
    """The three weeks around that year's week."""
    return residuals[:, max(away - DAYS_A_WEEK, 0) - first : max(away + 2 * DAYS_A_WEEK - first, 0)]


def _shared(values: NDArray[np.float64], seen: NDArray[np.float64], weight: NDArray[np.float64]) -> float:
    """Weighted mean over the series that were there, shrunk to 0 where they are few."""
    cover = seen.sum() / (seen.sum() + 0.03 * weight.sum())
    return float(cover * np.average(values, weights=seen + 1e-12))


def _nothing(series: int, slots: int) -> dict[str, NDArray[np.float64]]:
    own, chain = np.zeros((series, 1)), np.zeros((1, 1))
    by_hour = ("last_year_day_hour", "fixed_date_hour", "easter_hour") if slots > 1 else ()
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
        **dict.fromkeys(by_hour, own),
    }


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(values)
    total = np.where(known, values, 0.0).sum(axis=1)
    return np.asarray(total / np.maximum(known.sum(axis=1), 1))


def _chain(values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    known = np.isfinite(values)
    total = (np.where(known, values, 0.0) * weight[:, None]).sum(axis=0)
    return np.asarray(total / ((known * weight[:, None]).sum(axis=0) + 0.01 * weight.sum() + 1e-12))


def _hour(
    values: NDArray[np.float64], chain: NDArray[np.float64], weight: NDArray[np.float64], slots: int
) -> NDArray[np.float64]:
    """[series, day] weighted mean over the stores at each hour, less the chain's, to which few stores are shrunk."""
    by_store = values.reshape(-1, slots, values.shape[1])
    share = weight.reshape(-1, slots, 1)
    known = np.isfinite(by_store)
    away = (np.where(known, by_store - chain, 0.0) * share).sum(axis=0)
    mean = away / ((known * share).sum(axis=0) + 0.05 * share.sum(axis=0) + 1e-12)
    return np.tile(mean, (len(by_store), 1))
