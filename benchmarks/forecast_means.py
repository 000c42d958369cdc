"""The simple methods that `forecast_accuracy.py` shows beside ours: what a chain can do in a spreadsheet."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.forecast_peers import by_day
from pawcast.forecasting.panel import Panel, panel_from_frame
from pawcast.forecasting.seasonal import seasonal_naive

type Matrix = NDArray[np.float64]
type Point = Callable[[Any, Panel], Matrix]  # from a context of the protocol and our panel of it


def weeks_back(context: Any, count: int) -> Matrix:
    """[count, series, 7] visitors of the newest known weeks, newest first."""
    known = by_day(context.y[:, : context.known].astype(np.float64), context.panel.spec.per_day)
    by_week = known.reshape(len(known), -1, 7)[:, ::-1][:, :count]
    return by_week.transpose(1, 0, 2)


def median_of(weeks: int) -> Point:
    """Median of the same weekdays of so many weeks."""

    def forecast(context: Any, _: Panel) -> Matrix:
        recent = weeks_back(context, weeks)
        return _filled(np.nanmedian(recent, axis=0), recent)

    return forecast


def weighted_means(context: Any, _: Panel) -> Matrix:
    """Same weekdays of all weeks, half-life 6 weeks, in logs, less promotions and holidays, which are added back."""
    panel, slots = context.panel, context.panel.spec.per_day
    z = np.log1p(by_day(context.y.astype(np.float64), slots))
    series, days = z.shape
    promo, kind = (by_day(np.asarray(getattr(panel, name))[:, : days * slots], slots) for name in ("promo", "kind"))
    known = np.isfinite(z)
    weekday = z.reshape(series, -1, 7)
    usual = np.repeat(np.nanmedian(weekday, axis=1)[:, None], weekday.shape[1], axis=1).reshape(series, days)
    left = np.where(known, z - usual, 0.0)
    effect = np.zeros_like(z)
    for value in np.unique(kind[kind > 0]):
        here = known & (kind == value)
        effect[kind == value] += left[here].sum() / (here.sum() + 20.0)
    left = np.where(known & (kind == 0), left, 0.0)
    on, off = (known & (kind == 0) & (promo == flag) for flag in (1, 0))
    gain = (left * on).sum(1) / (on.sum(1) + 1e-9) - (left * off).sum(1) / (off.sum(1) + 1e-9)
    gain = np.where((on.sum(1) > 10) & (off.sum(1) > 10), gain, 0.0)
    effect += promo * gain[:, None]
    calm = np.where(known, z - effect, 0.0).reshape(series, -1, 7)
    age = np.arange(calm.shape[1])[::-1]
    weight = known.reshape(series, -1, 7) * (0.5 ** (age / 6.0))[None, :, None]
    mean = (calm * weight).sum(1) / np.where(weight.sum(1) > 0, weight.sum(1), np.nan)
    level = np.nanmean(mean, axis=1)[:, None]
    return np.expm1(np.nan_to_num(np.where(np.isfinite(mean), mean, level)) + effect[:, -7:])


def _filled(values: Matrix, recent: Matrix) -> Matrix:
    return np.nan_to_num(np.where(np.isfinite(values), values, np.nanmedian(recent, axis=(0, 2))[:, None]))


def naive_of(weeks: int) -> Point:
    """Our own seasonal-naive forecast, or the mean of so many weeks."""

    def forecast(_: Any, panel: Panel) -> Matrix:
        return seasonal_naive(panel, panel.weeks - 1, mean_of=weeks)

    return forecast


POINTS: dict[str, Point] = {
    "seasonal naive": naive_of(1),
    "mean of 4 weeks": naive_of(4),
    "median of 8 weeks": median_of(8),
    "weighted means": weighted_means,
}


def our_panel(context: Any) -> Panel:
    """Our panel of what a context may see."""
    panel, steps = context.panel, context.hi
    stores = len(panel.stores)
    row, column = np.nonzero(np.arange(steps)[None, :] >= np.minimum(panel.first, steps - 1)[:, None])
    kinds = panel.kind[row, column].astype(str)
    frame = pd.DataFrame(
        {
            "store_id": np.char.zfill(np.arange(stores).astype(str), 6)[row],
            "ts": panel.ts[column],
            "visitors": context.y[row, column].astype(np.float64),
            "open": panel.open[row, column],
            "promo": panel.promo[row, column],
            "holiday_kind": kinds,
            "school_holiday": panel.school[row, column],
        }
    )
    return panel_from_frame(frame, slots=panel.spec.per_day)
