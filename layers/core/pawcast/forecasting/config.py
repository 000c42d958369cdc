"""The forecast's hyper-parameters, the same for every chain, daily or hourly.

They were chosen on the weeks of docs/benchmarks/forecast.md and on earlier ones; docs/decisions/0010 has the effect of
each. A change is a new registered version that must pass the backtest gate.

Half-lives are in weeks. A *prior* is the mean and the standard deviation of a coefficient before any data: it is what
a short history falls back to, and what lets yearly events count although they were seen only once.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from pawcast.errors import ModelRejected


@dataclass(frozen=True)
class ForecastConfig:
    """Hyper-parameters of one model version."""

    # one series: its weekday, promotion and holiday effects
    effect_half_life: float = 104.0
    pooled_half_life: float = 104.0
    profile_strength: float = 2.0  # days of evidence that the chain's weekday and promotion effects weigh
    event_strength: float = 10.0  # the same for holidays, school holidays, closed neighbours
    season_strength: float = 100.0  # and for the yearly wave
    level_half_lives: tuple[float, ...] = (2.0, 6.0, 16.0)
    anchor: int = 1  # which of them the effects are measured against
    long_half_life: float = 40.0
    weekday_half_lives: tuple[float, ...] = (4.0, 12.0)
    outlier_limit: float = 2.0  # residuals beyond so many mean absolute errors are cut
    shift_limit: float = 8.0  # a whole week may move the level so many usual errors

    # all series: the correction on what the series' own forecast leaves
    correction_half_life: float = 120.0
    first_correction_week: int = 8
    day_variance: float = 0.01  # variance of a week's error that all series share: what a common coefficient is up to
    ridge: float = 10.0
    least_error: float = 0.05  # log error from which on the fit counts absolute instead of squared errors
    correction_limit: float = 4.5
    visitors_power: float = 0.75  # a row weighs by its series' visitors to this power; by 1 WAPE itself would be fitted
    season_waves: int = 1  # yearly waves in a series' own effects; with those of the correction
    correction_waves: int = 4
    month_waves: int = 3
    # What shops and restaurants see before New Year (log visitors), until a chain's own Decembers say otherwise.
    year_end_lift: float = 0.25
    season_weeks: int = 70  # weeks of history before a yearly wave is believed

    # quantiles and the mean
    error_weeks: int = 26
    error_half_life: float = 10.0  # of each series' usual error
    pool_half_life: float = 1.5  # of how large errors are at all just now, which all series say together
    error_margin: float = 1.02  # next week's errors are as large as the last weeks', give or take: a little wider
    event_weeks: int = 60  # of how much larger errors are around holidays: last year's are among them
    error_strength: float = 20.0  # observations that the chain's error size weighs against a series' own
    bias_weeks: int = 26
    bias_half_life: float = 8.0
    bias_strength: float = 1.0

    # cold start
    cold_days: int = 56
    level_strength: float = 3.0

    event_reach: int = 5  # days around a fixed-date holiday that are compared with the same date last year
    priors: dict[str, tuple[float, float]] = field(default_factory=lambda: dict(PRIORS))

    def document(self) -> dict[str, Any]:
        """All hyper-parameters as JSON, for the registry."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """From JSON; what is left out has its default.

        Raises:
            ModelRejected: a hyper-parameter that does not exist, or a value of another kind than its default.
        """
        defaults = cls()
        known = {each.name: getattr(defaults, each.name) for each in fields(cls)}
        values: dict[str, Any] = {}
        for name, value in document.items():
            if name not in known:
                raise ModelRejected(f"{name} is no hyper-parameter; there are {', '.join(sorted(known))}")
            values[name] = _like(known[name], value, name)
        values["priors"] = PRIORS | values.get("priors", {})
        config = cls(**values)
        config.check()
        return config

    def check(self) -> None:
        """Look whether the values can be what they are called.

        Raises:
            ModelRejected: one can't; the sentence names it.
        """
        for each in fields(self):
            value = getattr(self, each.name)
            numbers = value if isinstance(value, tuple) else () if isinstance(value, dict) else (value,)
            if not all(math.isfinite(number) and number >= 0 for number in numbers):
                raise ModelRejected(f"hyper-parameter {each.name} is {value!r}; it must be finite and not negative")
            if each.name.endswith(("half_life", "half_lives")) and not (numbers and all(numbers)):
                raise ModelRejected(f"hyper-parameter {each.name} is {value!r}; a half-life is more than 0 weeks")
        if not self.anchor < len(self.level_half_lives):
            raise ModelRejected(f"hyper-parameter anchor is {self.anchor}; level_half_lives has no such place")
        for name, (mean, spread) in self.priors.items():
            if not (math.isfinite(mean) and math.isfinite(spread) and spread > 0):
                raise ModelRejected(f"hyper-parameter priors has {name}: {mean}, {spread}; a spread is more than 0")

    def prior(self, name: str) -> tuple[float, float]:
        """Mean and standard deviation of the correction's coefficient `name`; wide where nothing is said."""
        stem = name.split(":", maxsplit=1)[0]
        return self.priors.get(name, self.priors.get(stem, (0.0, WIDE)))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: list(pair) for name, pair in value.items()}
    return list(value) if isinstance(value, tuple) else value


def _like(default: Any, value: Any, name: str) -> Any:
    """`value` as the kind that its default has."""
    try:
        if isinstance(default, dict):
            return {str(key): (float(mean), float(spread)) for key, (mean, spread) in value.items()}
        if isinstance(default, tuple):
            return tuple(float(each) for each in value)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError
        if isinstance(default, int) and value != int(value):
            raise TypeError
        return type(default)(value)
    except (TypeError, ValueError, AttributeError) as error:
        kind = type(default).__name__
        raise ModelRejected(
            f"hyper-parameter {name} is {str(value)[:60]!r}; it must be like {default!r} ({kind})"
        ) from error


WIDE = 1e3

# Names before a colon stand for all that begin so. `level:0` is the fast level, `last_year_*` are defined in yearly.py.
PRIORS: dict[str, tuple[float, float]] = {
    "one": (0.0, 0.05),
    "level:0": (0.8, WIDE),
    "weekday:1": (0.1, WIDE),
    "chain_level": (0.0, 0.7),
    "last_year_day": (0.1, 0.3),
    "last_year_days": (0.2, 0.3),
    "last_year_level": (0.1, 0.3),
    "last_year_day_chain": (0.1, 0.3),
    "last_year_day_hour": (0.1, 0.3),
    "last_year_days_chain": (0.2, 0.3),
    "last_year_level_chain": (0.15, 0.25),
    "fixed_date": (0.2, 0.3),
    "fixed_date_chain": (0.5, 0.4),
    "fixed_date_hour": (0.5, 0.4),
    "easter": (0.05, 0.3),
    "easter_chain": (0.1, 0.3),
    "easter_hour": (0.1, 0.3),
    **{f"two_years_{name}": (0.0, 0.3) for name in ("day", "days_chain", "day_chain", "date_chain", "easter_chain")},
    **{f"two_years_{name}_hour": (0.0, 0.3) for name in ("day", "date", "easter")},
    "like_sunday": (0.5, 0.5),
    "like_saturday": (0.2, 0.5),
    "school_like_sunday": (0.0, 0.5),
    "weekday_effect": (0.0, 0.05),
    "promo": (0.0, 0.1),
    "school": (0.0, 0.05),
    "school_edge": (0.0, 0.05),
    "school_weekday": (0.0, 0.05),
    "holiday": (0.0, 0.2),
    "holiday_weekend": (0.0, 0.1),
    "before_holiday": (0.0, 0.1),
    "after_holiday": (0.0, 0.1),
    "before_kind": (0.0, 0.15),
    "after_kind": (0.0, 0.15),
    "closed_neighbour": (0.0, 0.1),
    "bridge": (0.0, 0.1),
    "holiday_week": (0.0, 0.15),
    "no_promo_week": (0.0, 0.05),
    "season": (0.0, 0.03),
    "year_end": (0.0, 0.05),
    "month": (0.0, 0.02),
}

# The chain's effects, fitted before any series' own: only their spread matters.
POOLED_SPREAD: dict[str, float] = {
    "weekday_effect": 0.3,
    "promo": 0.2,
    "school": 0.1,
    "holiday": 0.3,
    "holiday_weekend": 0.2,
    "before_holiday": 0.2,
    "after_holiday": 0.2,
    "before_kind": 0.2,
    "after_kind": 0.15,
    "closed_neighbour": 0.1,
    "season": 0.05,
    "year_end": 0.1,
}
