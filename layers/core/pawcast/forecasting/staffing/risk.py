"""The probability that more people are needed than planned.

The forecast's four quantiles are read as a distribution: straight between the levels; below the 0.1 quantile straight
down to no visitors; above the 0.9 quantile exponential, at the rate that the last two quantiles show:

    P(visitors > x) = 0.1 * 2 ** -((x - q90) / (q90 - q80)),   x > q90

Expected numbers of understaffed rows are sums of these. Whether a *day* by the hour is understaffed (in at least one of
its hours) depends on how far its hours err together: see `risk_of_days`.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pawcast.forecasting.staffing.needs import LEVELS, PLACES, Floats, Ints

COINCIDE: Final = 1e-9  # visitors: quantiles closer than this are one
TOGETHER: Final = 0.45  # measured on hourly counts of 66 places, see docs/decisions/0011


def shortage_risk(quantiles: Floats, staff: Ints, per_person: Floats) -> Floats:
    """[row] probability that visitors exceed what `staff` people serve, from [row, level] quantiles."""
    capacity = (staff + 0.5 * 10.0**-PLACES) * per_person
    known = np.hstack([np.zeros((len(quantiles), 1)), quantiles])
    levels = np.array((0.0, *LEVELS))
    below = np.zeros(len(quantiles))
    for left in range(len(levels) - 1):
        low, high = known[:, left], known[:, left + 1]
        apart = high - low > COINCIDE
        share = np.clip((capacity - low) / np.where(apart, high - low, 1.0), 0.0, 1.0)
        below += (levels[left + 1] - levels[left]) * np.where(apart, share, capacity >= high)
    scale = np.select(
        [known[:, 4] - known[:, 3] > COINCIDE, known[:, 4] - known[:, 2] > COINCIDE],
        [(known[:, 4] - known[:, 3]) / np.log(2.0), (known[:, 4] - known[:, 2]) / np.log(5.0)],
        COINCIDE,
    )
    tail = np.exp(-np.maximum(capacity - known[:, 4], 0.0) / scale)
    return np.where(capacity >= known[:, 4], (1 - LEVELS[-1]) * tail, 1 - below)


def risk_of_days(risk: Floats, day: NDArray[np.intp], days: int) -> Floats:
    """[day] probability that at least one row of the day is understaffed.

    It lies between that of the worst row (all err together) and 1 - prod(1 - risk) (each errs alone). Taken is
    1 - prod(1 - risk) ** TOGETHER, and at least the worst row's: exact for a day of one row.
    """
    spared = np.zeros(days)
    np.add.at(spared, day, np.log1p(-np.minimum(risk, 1 - 1e-12)))
    worst = np.zeros(days)
    np.maximum.at(worst, day, risk)
    alone = np.bincount(day, minlength=days) <= 1
    return np.where(alone, worst, np.maximum(worst, -np.expm1(TOGETHER * spared)))
