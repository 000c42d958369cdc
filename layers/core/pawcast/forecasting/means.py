"""Exponentially weighted means of log visitors, whose adjustment for effects can be done afterwards.

Each mean keeps the weighted sums of z and of the regressors x. The adjusted level is then
`(sum z - sum x b) / n` for whatever coefficients b are held today, so better coefficients improve old weeks too.
"""

import numpy as np
from numpy.typing import NDArray

from pawcast.forecasting.panel import DAYS_A_WEEK
from pawcast.forecasting.ridge import decay

EMPTY = 1e-9


class LevelMean:
    """The level of each series over all its days."""

    def __init__(self, half_life: float, series: int, columns: int) -> None:
        self._decay = decay(half_life)
        self.count = np.zeros(series)
        self._z = np.zeros(series)
        self._x = np.zeros((series, columns))

    def learn(self, x: NDArray[np.float64], z: NDArray[np.float64], known: NDArray[np.bool_]) -> None:
        """Add one week: x [series, day, column] and z [series, day], zero where not known."""
        self.count = self._decay * self.count + known.sum(axis=1)
        self._z = self._decay * self._z + z.sum(axis=1)
        self._x = self._decay * self._x + x.sum(axis=1)

    def means(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean z [series] and mean x [series, column]; zero where nothing is known."""
        count = np.maximum(self.count, EMPTY)
        return self._z / count, self._x / count[:, None]

    def level(self, coefficients: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean of z - x b for each series."""
        z, x = self.means()
        return np.asarray(z - np.einsum("sc,sc->s", x, coefficients))


class WeekdayMean:
    """The deviation of each weekday from the level, for each series."""

    def __init__(self, half_life: float, series: int, columns: int) -> None:
        self._decay = decay(half_life)
        self._count = np.zeros((series, DAYS_A_WEEK))
        self._z = np.zeros((series, DAYS_A_WEEK))
        self._x = np.zeros((series, DAYS_A_WEEK, columns))

    def learn(self, x: NDArray[np.float64], z: NDArray[np.float64], known: NDArray[np.bool_]) -> None:
        """Add one week, as for LevelMean."""
        self._count = self._decay * self._count + known
        self._z = self._decay * self._z + z
        self._x = self._decay * self._x + x

    def deviation(self, coefficients: NDArray[np.float64], level: NDArray[np.float64]) -> NDArray[np.float64]:
        """[series, weekday] mean of z - x b - level, shrunk as if one more day had been as expected."""
        fitted = np.einsum("sdc,sc->sd", self._x, coefficients)
        return np.asarray((self._z - fitted - self._count * level[:, None]) / (self._count + 1.0))


def median_known(values: NDArray[np.float64], axis: int) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Median along `axis` without the NaN, and how many there were; 0 where there was none."""
    count = np.isfinite(values).sum(axis=axis)
    ordered = np.sort(values, axis=axis)  # NaN last
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, np.maximum(count - 1, 0))
    pick = [np.take_along_axis(ordered, np.expand_dims(at, axis), axis).squeeze(axis) for at in (low, high)]
    return np.where(count > 0, (pick[0] + pick[1]) / 2, 0.0), count
