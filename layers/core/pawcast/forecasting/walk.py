"""The model: one walk over the weeks of a panel that forecasts every week with the true gap.

Week w (its Monday) is forecast from what was known on the Sunday eight days earlier, the end of week w - 2:

1. learn week w - 2: cut outliers, add it to the sums of every regression and mean;
2. *base* = effects of the day (weekday, promotion, holiday, ...) + anchor level, for each series on its own;
3. *middle* = base + correction: one regression over all series on what bases left so far, from regressors such as
   faster and slower levels, medians of recent weeks, last year's same days, and all that is known in advance.

All is in z = log(1 + visitors). Since forecasts of past weeks never saw what came after their own Sunday, their
errors are honest and serve for the quantiles (quantiles.py) and the backtest (backtest.py). That nothing leaks is
tested by changing the future.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from pawcast.errors import ModelRejected
from pawcast.forecasting import yearly
from pawcast.forecasting.config import ForecastConfig
from pawcast.forecasting.features import SATURDAY, SUNDAY, block, design, later
from pawcast.forecasting.means import LevelMean, WeekdayMean, median_known
from pawcast.forecasting.panel import DAYS_A_WEEK, Panel
from pawcast.forecasting.ridge import Correction, SeriesEffects

GAP_WEEKS = 2  # the newest known week of a forecast is the second before it
FIRST_SCALE = 0.3  # log error assumed before any forecast was scored
SCALE_SMOOTHING = 0.05
ABSOLUTE_TO_SPREAD = 1.25  # standard deviation of a normal error over its mean absolute error
MIN_KNOWN_TO_FIT = 7
MIN_KNOWN_TO_CORRECT = 28
MIN_SERIES_FOR_COMMON = 15
RECENT = 8 * DAYS_A_WEEK
WILD_ERROR, WILD_WEEKS = 2.0, 8  # mean absolute log error of a week, and for how long it is held against a series
TINY_SHARE = 1e-6
MIN_DAYS_OF_SHIFT = 4
LARGEST_SHARE = 50.0  # times the usual series' visitors


@dataclass(frozen=True, eq=False)
class Walked:
    """Forecasts of every week, each from its own origin; NaN before the first.

    Attributes:
        middle: [series, day] forecast of log(1 + visitors), about its median.
        scale: [series, week] size of the log error as known at the week's origin.
        known: [series, week] number of days known at the week's origin.
        names: the correction's regressors.
        coefficients: their weights after the last week learnt; None if there was none.
        effect_names: the effects of a day that every series has.
        chain_effects: the chain's size of each after the last week learnt.
    """

    middle: NDArray[np.float64]
    scale: NDArray[np.float64]
    known: NDArray[np.intp]
    names: tuple[str, ...]
    coefficients: NDArray[np.float64] | None
    effect_names: tuple[str, ...] = ()
    chain_effects: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class ChainModel:
    """What all series share: the chain's effects and the correction, by name. `retrain: fixed` runs on it."""

    effects: Mapping[str, float]
    correction: Mapping[str, float]

    def document(self) -> dict[str, Any]:
        """As JSON, for the registry."""
        return {"effects": dict(self.effects), "correction": dict(self.correction)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """From JSON.

        Raises:
            ModelRejected: not two tables of finite numbers by name.
        """
        try:
            tables = [
                {str(name): float(value) for name, value in document[part].items()}
                for part in ("effects", "correction")
            ]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ModelRejected(
                f"the chain has no usable {error}: effects and correction are numbers by name"
            ) from error
        if not all(np.isfinite(list(table.values())).all() for table in tables) or set(document) - {
            "effects",
            "correction",
        }:
            raise ModelRejected("the chain must be finite numbers by name, in effects and correction alone")
        return cls(*tables)


@dataclass(frozen=True, eq=False)
class _Origin:
    """What a week's forecast was made from; kept until the week is learnt."""

    anchor: tuple[NDArray[np.float64], NDArray[np.float64]]
    known: NDArray[np.intp]
    weight: NDArray[np.float64]
    names: tuple[str, ...] = ()
    regressors: NDArray[np.float32] | None = None


def walk(panel: Panel, config: ForecastConfig, last_week: int, chain: ChainModel | None = None) -> Walked:
    """Forecast every week up to `last_week`, each from what was known eight days before its Monday.

    With `chain` what all series share is taken from there instead of being learnt.
    """
    walker = _Walker(panel, config, chain)
    for week in range(last_week + 1):
        if week >= GAP_WEEKS:
            walker.learn(week - GAP_WEEKS)
        walker.forecast(week)
    return Walked(
        middle=walker.middle,
        scale=walker.scales,
        known=walker.known_days,
        names=walker.correction.names,
        coefficients=walker.correction.coefficients,
        effect_names=tuple(column.name for column in walker.design.effects),
        chain_effects=walker.effects.chain,
    )


class _Walker:
    def __init__(self, panel: Panel, config: ForecastConfig, chain: ChainModel | None = None) -> None:
        self.panel, self.config = panel, config
        self.design = design(panel, config)
        self.counterparts = yearly.Counterparts.of(panel, config)
        self.z = np.log1p(panel.visitors.astype(np.float64))
        series, columns = panel.series, len(self.design.effects)
        self.base = np.full(self.z.shape, np.nan)
        self.middle = np.full(self.z.shape, np.nan)
        self.scales = np.full((series, panel.weeks), np.nan)
        self.known_days = np.zeros((series, panel.weeks), dtype=np.intp)
        self.calm = np.full(self.z.shape, np.nan, dtype=np.float32)  # outliers cut
        self.eventful = self.calm.copy()  # cut too, but not what all series had in common on a day
        self.effects = SeriesEffects(self.design.effects, series, config, chain.effects if chain else None)
        self.correction = Correction(config, chain.correction if chain else None)
        self.levels = [LevelMean(half_life, series, columns) for half_life in config.level_half_lives]
        self.long_level = LevelMean(config.long_half_life, series, columns)
        self.weekdays = [WeekdayMean(half_life, series, columns) for half_life in config.weekday_half_lives]
        self.visits = LevelMean(6.6, series, 0)  # mean visitors: how much a series weighs
        self.scale = np.full(series, FIRST_SCALE)
        self.seen = np.zeros(series, dtype=np.intp)
        self.wild = np.zeros(series, dtype=np.intp)  # weeks for which a series has no say in what all share
        self.origins: dict[int, _Origin] = {}

    # ------------------------------------------------------------ learn

    def learn(self, week: int) -> None:
        start, stop = week * DAYS_A_WEEK, (week + 1) * DAYS_A_WEEK
        z = self.z[:, start:stop]
        known = np.isfinite(z)
        origin = self.origins.pop(week)
        previous_scale = self.scale
        self._find_wild(z, self.base[:, start:stop], known)
        calm, eventful = self._cut_outliers(z, self.base[:, start:stop], known)
        self.calm[:, start:stop] = np.where(known, calm, np.nan)
        self.eventful[:, start:stop] = np.where(known, eventful, np.nan)

        x = block(self.design.effects, self.panel.series, start, stop)
        anchor_z, anchor_x = origin.anchor
        fit = known & (origin.known[:, None] >= MIN_KNOWN_TO_FIT)
        said = np.where(self.wild > 0, np.inf, self.scale)
        self.effects.learn(x - anchor_x[:, None, :].astype(np.float32), eventful - anchor_z[:, None], fit, said)
        self.effects.solve(week + 1)

        x64 = np.where(known[:, :, None], x, 0.0).astype(np.float64)
        calm = np.where(known, calm, 0.0)
        for level in (*self.levels, self.long_level):
            level.learn(x64, calm, known)
        for weekday in self.weekdays:
            weekday.learn(x64, calm, known)
        self.visits.learn(x64[:, :, :0], np.where(known, np.expm1(calm), 0.0), known)
        self.seen = self.seen + known.sum(axis=1)
        if origin.regressors is not None:
            self._learn_correction(week, origin, z, known, previous_scale)

    def _find_wild(self, z: NDArray[np.float64], base: NDArray[np.float64], known: NDArray[np.bool_]) -> None:
        """Series that are off by a factor of seven or so say nothing for a while about what all series share."""
        expected = np.where(np.isfinite(base), base, median_known(z, axis=1)[0][:, None])
        missed = np.where(known, np.abs(z - expected), 0.0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
        self.wild = np.where(missed > WILD_ERROR, WILD_WEEKS, np.maximum(self.wild - 1, 0))

    def _cut_outliers(
        self, z: NDArray[np.float64], base: NDArray[np.float64], known: NDArray[np.bool_]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Log visitors with residuals cut at a multiple of the series' usual error; updates that error.

        A day that stands out is cut; a whole week that does is a new level, and is cut only far away.
        """
        z = np.where(known, z, 0.0)
        scored = known & np.isfinite(base)
        if not scored.any():
            return z, z
        base = np.where(scored, base, 0.0)
        residual = np.where(scored, z - base, 0.0)
        limit = self.config.outlier_limit * self.scale[:, None]
        alone = np.where(scored, residual, np.nan)
        middle, days = median_known(alone, axis=1)
        farthest = self.config.shift_limit * self.scale
        shift = np.where(days >= MIN_DAYS_OF_SHIFT, np.clip(middle, -farthest, farthest), 0.0)[:, None]
        low, high = np.minimum(shift, 0.0) - limit, np.maximum(shift, 0.0) + limit
        common = self._common_shock(alone)
        calm = np.where(scored, base + np.clip(residual, low, high), z)
        eventful = np.where(scored, base + common + np.clip(residual - common, low, high), z)
        count = scored.sum(axis=1)
        error = ABSOLUTE_TO_SPREAD * np.abs(residual).sum(axis=1) / np.maximum(count, 1)
        moved = self.scale + SCALE_SMOOTHING * (np.minimum(error, 2 * self.scale) - self.scale)
        self.scale = np.where(count > 0, moved, self.scale)
        return calm, eventful

    def _common_shock(self, residual: NDArray[np.float64]) -> NDArray[np.float64]:
        """[series, day] median residual over the series of the same hour; 0 where too few are known."""
        by_hour = residual.reshape(-1, self.panel.slots, DAYS_A_WEEK)
        median, count = median_known(by_hour, axis=0)
        common = np.where(count >= MIN_SERIES_FOR_COMMON, median, 0.0)
        return np.tile(common, (len(self.panel.stores), 1))

    def _learn_correction(
        self,
        week: int,
        origin: _Origin,
        z: NDArray[np.float64],
        known: NDArray[np.bool_],
        scale: NDArray[np.float64],
    ) -> None:
        start, stop = week * DAYS_A_WEEK, (week + 1) * DAYS_A_WEEK
        base, middle = self.base[:, start:stop], self.middle[:, start:stop]
        use = known & np.isfinite(base) & (origin.known[:, None] >= MIN_KNOWN_TO_CORRECT)
        use &= (self.wild == 0)[:, None]
        limit = self.config.correction_limit * scale[:, None]
        left = np.clip(z - base, -limit, limit)
        # Dividing by the size of the error turns squares into absolute errors: iteratively reweighted least squares,
        # with the honest error of that week's forecast in place of the last iteration's.
        size = np.maximum(np.where(use, np.abs(z - middle), 1.0), self.config.least_error)
        weight = (origin.weight**self.config.visitors_power)[:, None] / size
        assert origin.regressors is not None  # noqa: S101 - learn() looked
        self.correction.learn(origin.names, origin.regressors[use], left[use], weight[use], week + 1)

    # ------------------------------------------------------------ forecast

    def forecast(self, week: int) -> None:
        start, stop = week * DAYS_A_WEEK, (week + 1) * DAYS_A_WEEK
        anchor = self.levels[self.config.anchor]
        visits = self._visits()
        origin = _Origin(anchor=anchor.means(), known=self.seen.copy(), weight=visits)
        self.scales[:, week] = self.scale
        self.known_days[:, week] = self.seen
        if week >= self.config.first_correction_week:
            b = self.effects.coefficients
            x = block(self.design.effects, self.panel.series, start, stop)
            fitted = np.einsum("sdc,sc->sd", x, b)
            level = anchor.level(b)
            self.base[:, start:stop] = np.where(self.seen[:, None] > 0, fitted + level[:, None], np.nan)
            columns = self._regressors(week, level)
            stacked = np.empty((self.panel.series, DAYS_A_WEEK, len(columns)), dtype=np.float32)
            for index, values in enumerate(columns.values()):
                stacked[:, :, index] = values
            origin = _Origin(origin.anchor, origin.known, visits, tuple(columns), stacked)
            correction = self.correction.ready(tuple(columns))
            moved = 0.0 if correction is None else stacked @ correction
            self.middle[:, start:stop] = self.base[:, start:stop] + moved
        self.origins[week] = origin

    def _visits(self) -> NDArray[np.float64]:
        """[series] mean visitors, by which a series weighs; cut, so that one with impossible numbers does not reign."""
        visits = np.where(self.wild > 0, TINY_SHARE, np.maximum(self.visits.means()[0], 0.1))
        return np.minimum(visits, LARGEST_SHARE * np.median(visits[self.seen > 0])) if self.seen.any() else visits

    def _regressors(self, week: int, level: NDArray[np.float64]) -> dict[str, NDArray[np.floating]]:
        """What the correction may use for a week: [series or 1, day or 1] each, in a fixed order."""
        start, stop = week * DAYS_A_WEEK, (week + 1) * DAYS_A_WEEK
        b, seen = self.effects.coefficients, self.seen
        visits = self._visits() * self.visits.count  # a store gone for months has little say
        weight = visits * (seen >= MIN_KNOWN_TO_CORRECT) + 1e-9
        noise = np.clip(self.scale / np.average(self.scale, weights=visits + 1e-9) - 1, -1, 2)
        columns: dict[str, NDArray[np.floating]] = {"one": np.ones((1, 1)), "noise": 0.3 * noise[:, None]}
        for index, mean in enumerate(self.levels):
            if index == self.config.anchor:
                continue
            moved = (mean.level(b) - level) * mean.count / (mean.count + 3.0)
            columns[f"level:{index}"] = moved[:, None]
            columns[f"level_noise:{index}"] = (moved * noise)[:, None]
            columns[f"chain_level:{index}"] = np.full((1, 1), np.average(moved, weights=weight))
            if self.panel.slots > 1:
                columns[f"store_level:{index}"] = self._by_store(moved, weight)[:, None]
        for index, weekday in enumerate(self.weekdays):
            deviation = weekday.deviation(b, level)
            columns[f"weekday:{index}"] = deviation
            columns[f"weekday_noise:{index}"] = deviation * noise[:, None]
        columns |= self._recent_medians(start, level)
        first, last = yearly.window(start)
        last_year = self._residual(self.eventful, first, last)
        long_level = self.long_level.level(b)
        columns |= yearly.regressors(start, last_year, self.counterparts, level, long_level, weight, self.panel.slots)
        first, last = yearly.window(start, years=2)
        year_before = self._residual(self.eventful, first, last)
        columns |= yearly.two_years_ago(start, year_before, self.counterparts, long_level, weight, self.panel.slots)
        columns |= self._like_other_days(start, stop)
        for column in (*self.design.effects, *self.design.context):
            values = column.values[..., start:stop]
            columns[column.name] = values if values.ndim == 2 else values[None, :]
        return columns

    def _residual(self, source: NDArray[np.float32], start: int, stop: int) -> NDArray[np.float64]:
        """Log visitors less the effects as seen today, [series, stop - start]."""
        x = block(self.design.effects, self.panel.series, start, stop)
        fitted = np.matmul(x, self.effects.coefficients.astype(np.float32)[:, :, None])[:, :, 0]
        return np.asarray(source[:, start:stop] - fitted, dtype=np.float64)

    def _recent_medians(self, start: int, level: NDArray[np.float64]) -> dict[str, NDArray[np.floating]]:
        stop = start - DAYS_A_WEEK
        recent = self._residual(self.calm, max(stop - RECENT, 0), stop) - level[:, None]
        same_weekday, weekdays = median_known(recent.reshape(len(recent), -1, DAYS_A_WEEK), axis=1)
        month, month_days = median_known(recent[:, -RECENT // 2 :], axis=1)
        both, both_days = median_known(recent, axis=1)
        newest = recent[:, -DAYS_A_WEEK:]
        days = np.isfinite(newest).sum(axis=1)
        return {
            "median_weekday": same_weekday * weekdays / (weekdays + 1.0),
            "median_month": (month * month_days / (month_days + 3.0))[:, None],
            "median_two_months": (both * both_days / (both_days + 3.0))[:, None],
            "newest_week": (np.where(np.isfinite(newest), newest, 0.0).sum(axis=1) / (days + 2.0))[:, None],
        }

    def _like_other_days(self, start: int, stop: int) -> dict[str, NDArray[np.floating]]:
        """How far a holiday is from being a Sunday, and the day before it from being a Saturday."""
        holiday = (self.panel.holiday > 0).astype(np.float32)
        tomorrow = later(holiday, 1)[:, start:stop] * (1 - holiday[:, start:stop])
        weekday = self.effects.coefficients[:, :DAYS_A_WEEK]
        to_sunday, to_saturday = weekday[:, [SUNDAY]] - weekday, weekday[:, [SATURDAY]] - weekday
        return {
            "like_sunday": holiday[:, start:stop] * to_sunday,
            "like_saturday": tomorrow * to_saturday,
            "school_like_sunday": self.panel.school[:, start:stop] * to_sunday,
        }

    def _by_store(self, values: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
        """Weighted mean over the hours of each series' store."""
        store = self.panel.store
        total = np.bincount(store, values * weight) / np.bincount(store, weight)
        return np.asarray(total[store])
