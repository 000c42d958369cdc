"""Weighted ridge regressions that forget, kept as sums so that a week is added without touching the past.

For each week the sums X'WX and X'Wz are multiplied by a decay and the week's own are added. Solving at any week then
gives exactly what a regression on all weeks until then, weighted by recency, would give: a backtest over many origins
costs hardly more than one forecast.

`SeriesEffects` fits every series' own effects around those of the chain. `Correction` is one regression over all
series. Both are linear in logarithms, so effects multiply.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pawcast.forecasting.config import POOLED_SPREAD, WIDE, ForecastConfig
from pawcast.forecasting.features import Column
from pawcast.forecasting.panel import DAYS_A_WEEK

NO_SEASON = 1e9  # penalty that keeps the yearly wave out until the history is long enough
MIN_SCALE = 0.02
SHARE_SMOOTHING = 0.1


def decay(half_life: float) -> float:
    """Factor by which a week's weight falls from one week to the next."""
    return float(0.5 ** (1.0 / half_life))


class SeriesEffects:
    """Effects of weekday, promotion, holiday, ... for each series, shrunk towards those of the whole chain.

    The equation is `z - anchor = (x - x_anchor) b + error`: z the day's log visitors, x its regressors, and anchor,
    x_anchor the exponentially weighted means of both over the days known when that day was forecast. A slowly moving
    level thus drops out, and the effects are those that a forecast with the true gap needs.

    `coefficients` is [series, effect]; `chain` is [effect].
    """

    def __init__(
        self,
        columns: tuple[Column, ...],
        series: int,
        config: ForecastConfig,
        fixed: Mapping[str, float] | None = None,
    ) -> None:
        """With `fixed` the chain's effects are those, by name (0 for others), and are not learnt."""
        size = len(columns)
        self._fixed = None if fixed is None else np.array([fixed.get(column.name, 0.0) for column in columns])
        self._expected = np.array([config.year_end_lift if column.name == "year_end" else 0.0 for column in columns])
        self.chain = self._expected if self._fixed is None else self._fixed
        self.coefficients = np.tile(self.chain, (series, 1))
        self._gram = np.zeros((series, size, size))
        self._moment = np.zeros((series, size))
        self._chain_gram = np.zeros((size, size))
        self._chain_moment = np.zeros(size)
        self._weight = 0.0  # rows a day, weighted: turns "days of evidence" into a penalty
        self._decay = decay(config.effect_half_life)
        self._chain_decay = decay(config.pooled_half_life)
        stems = [column.name.partition(":")[0] for column in columns]
        strength = {"weekday_effect": config.profile_strength, "promo": config.profile_strength}
        strength["season"] = config.season_strength
        self._strength = np.array([strength.get(stem, config.event_strength) for stem in stems])
        self._chain_penalty = np.array([config.day_variance / POOLED_SPREAD[stem] ** 2 for stem in stems])
        self._season = np.array([stem == "season" for stem in stems])
        self._season_weeks = config.season_weeks

    def learn(
        self, x: NDArray[np.float32], z: NDArray[np.float64], known: NDArray[np.bool_], scale: NDArray[np.float64]
    ) -> None:
        """Add one week: x [series, day, effect] and z [series, day], both relative to the anchor."""
        x64 = np.where(known[:, :, None], x, 0.0).astype(np.float64)
        transposed = x64.transpose(0, 2, 1)
        gram = transposed @ x64
        moment = (transposed @ np.where(known, z, 0.0)[:, :, None])[:, :, 0]
        self._gram *= self._decay
        self._gram += gram
        self._moment = self._decay * self._moment + moment
        precision = 0.01 / np.maximum(scale, MIN_SCALE) ** 2
        self._chain_gram = self._chain_decay * self._chain_gram + np.tensordot(precision, gram, axes=1)
        self._chain_moment = self._chain_decay * self._chain_moment + precision @ moment
        rows = float((known.sum(axis=1) * precision).sum()) / DAYS_A_WEEK
        self._weight = rows if self._weight == 0 else self._weight + SHARE_SMOOTHING * (rows - self._weight)

    def solve(self, weeks: int) -> None:
        """Coefficients from all that was learned, `weeks` being the length of the history."""
        penalty = self._chain_penalty * self._weight + 1e-6
        strength = self._strength.copy()
        if weeks < self._season_weeks:
            penalty[self._season] = NO_SEASON
            strength[self._season] = NO_SEASON
        if self._fixed is None:
            right = self._chain_moment + penalty * self._expected
            self.chain = np.linalg.solve(self._chain_gram + np.diag(penalty), right)
        else:
            self.chain = self._fixed
        right = self._moment + strength * self.chain
        self.coefficients = np.linalg.solve(self._gram + np.diag(strength), right[:, :, None])[:, :, 0]


class Correction:
    """One regression over all series for what their own forecasts leave, with a prior mean for each coefficient.

    Coefficients of regressors that are the same for all series are judged by the number of *days* they were seen on,
    not of rows: `day_variance` is the variance of an error that all series share on a day.
    """

    def __init__(self, config: ForecastConfig, fixed: Mapping[str, float] | None = None) -> None:
        """With `fixed` the coefficients are those, by name (the prior's mean for others), and are not learnt."""
        self._config = config
        self._fixed = fixed
        self._decay = decay(config.correction_half_life)
        self._names: tuple[str, ...] = ()
        self._gram = np.zeros((0, 0))
        self._moment = np.zeros(0)
        self._mean = np.zeros(0)
        self._penalty = np.zeros(0)
        self._season = np.zeros(0, dtype=np.bool_)
        self.coefficients: NDArray[np.float64] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The regressors, in the order of `coefficients`."""
        return self._names

    def ready(self, names: tuple[str, ...]) -> NDArray[np.float64] | None:
        """The coefficients of these regressors; None before anything was learnt or given."""
        if not self._names:
            self._start(names)
        return self.coefficients

    def learn(
        self,
        names: tuple[str, ...],
        x: NDArray[np.float32],
        left: NDArray[np.float64],
        weight: NDArray[np.float64],
        weeks: int,
    ) -> None:
        """Add one week's rows and solve: x [row, regressor], left and weight [row]."""
        self.ready(names)
        if len(left) == 0 or self._fixed is not None:
            return
        rows = x.astype(np.float64)
        share = weight / weight.mean()
        self._gram = self._decay * self._gram + (rows * share[:, None]).T @ rows
        self._moment = self._decay * self._moment + rows.T @ (share * left)
        penalty = self._penalty * (len(left) / DAYS_A_WEEK) + self._config.ridge
        if weeks < self._config.season_weeks:
            penalty[self._season] = NO_SEASON
        self.coefficients = np.linalg.solve(self._gram + np.diag(penalty), self._moment + penalty * self._mean)

    def _start(self, names: tuple[str, ...]) -> None:
        priors = [self._config.prior(name) for name in names]
        self._names = names
        self._mean = np.array([mean for mean, _ in priors])
        self._penalty = np.array([0.0 if sd >= WIDE else self._config.day_variance / sd**2 for _, sd in priors])
        self._season = np.array([name.startswith("season:") for name in names])
        self._gram = np.zeros((len(names), len(names)))
        self._moment = np.zeros(len(names))
        if self._fixed is not None:
            self.coefficients = np.array([self._fixed.get(name, self._config.prior(name)[0]) for name in names])
