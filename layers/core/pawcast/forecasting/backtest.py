"""Rolling-origin backtest with the true gap, and the gate in front of another configuration.

    for monday in origins(panel, weeks=12):
        week = backtest_week(panel, monday, {"champion": one, "candidate": other})
    judged = evaluations(pd.concat(rows of all weeks))
    BacktestGate().judge(judged["champion"], judged["candidate"])

Each week is forecast from what was known on the Sunday eight days before it, as on its Tuesday: days 8 to 14.

The gate's interval is of the weekly differences of candidate and champion, paired by week: the test of Diebold and
Mariano (1995) with the small-sample correction of Harvey, Leybourne and Newbold (Int. J. Forecasting 13, 1997). A
forecast reaches into the second week after its origin, so neighbouring weeks' errors may correlate and the variance
counts one lag. The number of weeks is chosen before looking; for looks every Tuesday there is `experiment.py`.
"""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawcast.errors import InvalidRequest
from pawcast.forecasting.evaluate import Evaluation, Figures, evaluate
from pawcast.forecasting.forecast import Forecast, fallback_week
from pawcast.forecasting.panel import DAYS_A_WEEK, HOURS_A_DAY, Panel
from pawcast.forecasting.walk import GAP_WEEKS
from pawcast.mlops.registry import Document

type Model = Callable[[Panel, np.datetime64], Forecast]

FEWEST_WEEKS_BEFORE: Final = 8  # of history before the first origin
HORIZON_WEEKS: Final = 2  # how far an origin's errors reach, in the steps of the paired differences
CONFIDENCE: Final = 0.95


@dataclass(frozen=True, eq=False)
class BacktestWeek:
    """One origin's forecasts beside what came.

    Attributes:
        rows: FORECAST columns with arm, and `visitors` and `naive`; one row for each arm, store and time.
        cpu_seconds: of each arm.
    """

    monday: np.datetime64
    rows: pd.DataFrame
    cpu_seconds: Mapping[str, float]


def origins(panel: Panel, weeks: int) -> list[np.datetime64]:
    """Mondays of the newest `weeks` weeks with known visitors, oldest first.

    Raises:
        InvalidRequest: the history is too short for so many.
    """
    known = np.isfinite(panel.visitors).any(axis=0).reshape(-1, DAYS_A_WEEK).any(axis=1)
    newest = int(np.flatnonzero(known)[-1]) if known.any() else -1
    first = FEWEST_WEEKS_BEFORE + GAP_WEEKS
    possible = max(newest - first + 1, 0)
    if not 1 <= weeks <= possible:
        raise InvalidRequest(f"{weeks} weeks asked for, the visits are enough for {possible}", field="weeks")
    first_day = panel.days[0]
    return [first_day + np.timedelta64(DAYS_A_WEEK * week, "D") for week in range(newest - weeks + 1, newest + 1)]


def backtest_week(panel: Panel, monday: np.datetime64, models: Mapping[str, Model]) -> BacktestWeek:
    """Forecast one week by every model, from its own origin."""
    week = panel.week_of(monday)
    past = panel.through_week(week)
    truth = past.visitors[:, week * DAYS_A_WEEK :]
    blind = past.known_until((week - GAP_WEEKS + 1) * DAYS_A_WEEK)
    came = _by_row(past, truth)
    naive = fallback_week(blind, monday).frame()[["store_id", "ts", "yhat"]].rename(columns={"yhat": "naive"})
    frames, spent = [], {}
    for arm, model in models.items():
        start = time.process_time()
        frame = model(blind, monday).frame()
        spent[arm] = time.process_time() - start
        frames.append(frame.merge(came, on=["store_id", "ts"]).merge(naive, on=["store_id", "ts"]).assign(arm=arm))
    rows = pd.concat(frames, ignore_index=True)
    return BacktestWeek(monday, rows.astype({"store_id": str, "ts": "datetime64[us]"}), spent)


def evaluations(rows: pd.DataFrame) -> dict[str, Evaluation]:
    """Each arm's evaluation over all its weeks, from `BacktestWeek.rows`."""
    judged = {}
    for arm, frame in rows.groupby("arm", sort=False):
        actual = frame[["store_id", "ts", "visitors", "open"]]
        naive = frame[["store_id", "ts", "naive"]].rename(columns={"naive": "yhat"})
        judged[str(arm)] = evaluate(frame.drop(columns=["visitors", "naive"]), actual, naive)
    return judged


def _by_row(panel: Panel, matrix: NDArray[np.float32]) -> pd.DataFrame:
    """The target week's visitors, one row for each store and time."""
    day = panel.days[-DAYS_A_WEEK:].astype("datetime64[s]")
    hour = panel.hour if panel.slots == HOURS_A_DAY else np.zeros_like(panel.hour)
    columns = {
        "store_id": np.repeat(panel.stores[panel.store], DAYS_A_WEEK),
        "ts": (day[None, :] + hour[:, None].astype("timedelta64[h]")).ravel(),
        "visitors": matrix.ravel().astype(np.float64),
    }
    return pd.DataFrame(columns)


# ------------------------------------------------------------ paired interval


@dataclass(frozen=True)
class Paired:
    """Mean of weekly differences, candidate less champion, with its interval."""

    mean: float
    low: float
    high: float


def paired_interval(differences: Sequence[float], confidence: float = CONFIDENCE) -> Paired:
    """Diebold-Mariano interval of a mean difference with the correction of Harvey, Leybourne and Newbold.

    Raises:
        InvalidRequest: under three weeks.
    """
    values = np.asarray(differences, dtype=np.float64)
    n, lags = len(values), HORIZON_WEEKS
    if n < 3:
        raise InvalidRequest(f"{n} weeks have no interval; backtest at least 3", field="weeks")
    left = values - values.mean()
    variance = (left @ left) / n
    with_lag = variance + 2 * (left[1:] @ left[:-1]) / n
    variance = with_lag if with_lag > 0 else variance  # the estimate with lags may be negative
    correction = (n + 1 - 2 * lags + lags * (lags - 1) / n) / n
    half = student_quantile(0.5 + confidence / 2, n - 1) * math.sqrt(variance / n / correction)
    mean = float(values.mean())
    return Paired(mean, mean - half, mean + half)


def student_quantile(probability: float, degrees: int) -> float:
    """Quantile of Student's t (Abramowitz and Stegun 26.7.5): three digits from 3 degrees of freedom on."""
    z, n = NormalDist().inv_cdf(probability), degrees
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return float(z + sum(term / n**power for power, term in enumerate(terms, start=1)))


# ------------------------------------------------------------ gate


class Check(Document):
    """One figure that was held against a limit."""

    name: str
    passed: bool
    ko: str
    en: str


class GateAnswer(Document):
    """Whether a candidate may replace the champion; `difference` is its WAPE less the champion's."""

    allowed: bool
    weeks: int
    difference: float
    low: float
    high: float
    checks: tuple[Check, ...]

    @property
    def refusals(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if not check.passed)


@dataclass(frozen=True)
class BacktestGate:
    """What a candidate configuration must show before it may replace the champion.

    Its WAPE must be lower with an interval that excludes 0; or at most `tolerance` higher while it brings something
    else: a lower pinball loss at .8, which is what staff is planned on, with an interval that excludes 0, or at most
    `cheaper` of the champion's CPU time. Coverage and bias must be within their limits either way.
    """

    weeks: int = 8
    tolerance: float = 0.0005
    cheaper: float = 0.7
    coverage: tuple[float, float] = (0.77, 0.83)
    bias: float = 0.015

    def judge(
        self, champion: Evaluation, candidate: Evaluation, *, cpu_seconds: tuple[float, float] | None = None
    ) -> GateAnswer:
        """Judge two evaluations of the same weeks.

        Args:
            champion: of the configuration in force.
            candidate: of the one that would replace it.
            cpu_seconds: of champion and candidate for the same work.

        Raises:
            InvalidRequest: not the same weeks and rows, or under three weeks.
        """
        pairs = _pairs(champion, candidate)
        accuracy = paired_interval([(_wape(other) - _wape(one)) for one, other in pairs])
        pinball = paired_interval([(other.pinball_80 or 0.0) - (one.pinball_80 or 0.0) for one, other in pairs])
        checks = (
            self._enough_weeks(len(pairs)),
            self._accuracy(accuracy, pinball, cpu_seconds),
            self._coverage(candidate.overall.coverage),
            self._bias(candidate.overall.bias),
        )
        return GateAnswer(
            allowed=all(check.passed for check in checks),
            weeks=len(pairs),
            difference=accuracy.mean,
            low=accuracy.low,
            high=accuracy.high,
            checks=checks,
        )

    def _enough_weeks(self, weeks: int) -> Check:
        return Check(
            name="weeks",
            passed=weeks >= self.weeks,
            ko=f"백테스트 {weeks}주, 최소 {self.weeks}주",
            en=f"{weeks} weeks, at least {self.weeks}",
        )

    def _accuracy(self, wape: Paired, pinball: Paired, cpu_seconds: tuple[float, float] | None) -> Check:
        figures = f"{wape.mean:+.4f} [{wape.low:+.4f}, {wape.high:+.4f}]"
        if wape.high < 0:
            return Check(
                name="accuracy", passed=True, ko=f"WAPE가 더 낮습니다: {figures}", en=f"WAPE is lower: {figures}"
            )
        if wape.mean > self.tolerance:
            return Check(
                name="accuracy",
                passed=False,
                ko=f"WAPE가 더 높습니다: {figures}, 허용 {self.tolerance:+.4f}",
                en=f"WAPE is higher: {figures}, allowed {self.tolerance:+.4f}",
            )
        ratio = cpu_seconds[1] / cpu_seconds[0] if cpu_seconds and cpu_seconds[0] > 0 else math.inf
        if pinball.high < 0:
            gain = f"pinball .8 {pinball.mean:+.3f} [{pinball.low:+.3f}, {pinball.high:+.3f}]"
        elif ratio <= self.cheaper:
            gain = f"CPU × {ratio:.2f}"
        else:
            return Check(
                name="accuracy",
                passed=False,
                ko=f"WAPE 차이를 말할 수 없고 다른 이점도 없습니다: {figures}",
                en=f"WAPE does not differ for sure, and nothing else is gained: {figures}",
            )
        return Check(
            name="accuracy",
            passed=True,
            ko=f"WAPE는 비슷하고({figures}) 이점이 있습니다: {gain}",
            en=f"WAPE is no worse ({figures}), and there is a gain: {gain}",
        )

    def _coverage(self, coverage: float | None) -> Check:
        low, high = self.coverage
        said = "–" if coverage is None else f"{coverage:.1%}"
        return Check(
            name="coverage",
            passed=coverage is not None and low <= coverage <= high,
            ko=f"80 % 구간 적중률 {said}, 허용 {low:.0%}~{high:.0%}",
            en=f"the 80 % interval holds {said}, must be {low:.0%} to {high:.0%}",
        )

    def _bias(self, bias: float | None) -> Check:
        said = "–" if bias is None else f"{bias:+.2%}"
        return Check(
            name="bias",
            passed=bias is not None and abs(bias) < self.bias,
            ko=f"편향 {said}, 허용 ±{self.bias:.1%}",
            en=f"bias {said}, must be under {self.bias:.1%} either way",
        )


def _wape(figures: Figures) -> float:
    return figures.wape or 0.0


def _pairs(champion: Evaluation, candidate: Evaluation) -> list[tuple[Figures, Figures]]:
    one = {group.key: group.figures for group in champion.by_week}
    other = {group.key: group.figures for group in candidate.by_week}
    rows = ({week: figures.rows for week, figures in side.items()} for side in (one, other))
    if next(rows) != next(rows):
        raise InvalidRequest("the two were not backtested on the same weeks and stores; run both again", field="weeks")
    return [(one[week], other[week]) for week in sorted(one)]
