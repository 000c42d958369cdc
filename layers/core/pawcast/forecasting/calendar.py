"""Dates compared with dates of last year.

Three ways of finding last year's counterpart of a day: the same weekday 52 weeks earlier (everyday), the same date
(New Year, Christmas, Obon), the same distance to Easter (carnival, Ascension, Pentecost). Each is an array with, for
each column of the grid, the column of the counterpart or -1.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pawcast.forecasting.panel import Days, Panel

NONE: Final = -1
EASTER_REACH: Final = range(-52, 63)  # carnival to the week of Corpus Christi
HOLIDAY_SHARE: Final = 0.3  # of the stores; a holiday of fewer is a local one


def easter_sunday(year: int) -> np.datetime64:
    """Date of Easter in the Gregorian calendar (Meeus/Jones/Butcher, Astronomical Algorithms, chapter 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (b - (b + 8) // 25 + 1) // 3
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return np.datetime64(f"{year:04d}-{month:02d}-{day + 1:02d}", "D")


def day_of_year(days: Days) -> NDArray[np.intp]:
    """0 on January 1."""
    return np.asarray((days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.intp))


def day_of_month(days: Days) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Days since the month began and days until the next begins (0.., 1..)."""
    month = days.astype("datetime64[M]")
    since = (days - month.astype("datetime64[D]")).astype(np.intp)
    until = ((month + np.timedelta64(1, "M")).astype("datetime64[D]") - days).astype(np.intp)
    return since, until


def same_date_last_year(days: Days) -> NDArray[np.intp]:
    """Column of the same date a year before; February 28 for February 29; -1 before the grid."""
    month = days.astype("datetime64[M]")
    since, _ = day_of_month(days)
    earlier = (month - np.timedelta64(12, "M")).astype("datetime64[D]")
    length = ((month - np.timedelta64(11, "M")).astype("datetime64[D]") - earlier).astype(np.intp)
    column = (earlier + np.minimum(since, length - 1) - days[0]).astype(np.intp)
    return np.where(column >= 0, column, NONE)


def same_easter_day_last_year(days: Days) -> NDArray[np.intp]:
    """Column of the day as far from last year's Easter; -1 out of its reach or before the grid."""
    years = days.astype("datetime64[Y]").astype(np.intp) + 1970
    column = np.full(len(days), NONE, dtype=np.intp)
    for year in np.unique(years):
        distance = (days - easter_sunday(int(year))).astype(np.intp)
        earlier = (easter_sunday(int(year) - 1) - days[0]).astype(np.intp) + distance
        near = (years == year) & (distance >= EASTER_REACH.start) & (distance < EASTER_REACH.stop) & (earlier >= 0)
        column[near] = earlier[near]
    return column


def near_fixed_holiday(panel: Panel, last_year: NDArray[np.intp], reach: int) -> NDArray[np.bool_]:
    """[day] whether a holiday that had the same date last year is at most `reach` days away."""
    holiday = panel.holiday > 0
    has_row = panel.open | holiday
    common = holiday.sum(0) > HOLIDAY_SHARE * np.maximum(has_row.sum(0), 1)
    fixed = common & (last_year >= 0) & common[last_year]
    near = np.convolve(fixed, np.ones(2 * reach + 1), mode="same") > 0
    return np.asarray(near[: len(fixed)] & (last_year >= 0))
