"""Forecasts of one peer for one data set, week by week, kept in a cache: run by `forecast_accuracy.py`, not by hand.

It lives in the peers' own environment (`.venv-peers`, benchmarks/forecast-requirements.txt) and imports nothing of
ours. `arm` is no peer but our second arm, which needs their LightGBM.

Each week is one file `<cache>/<data set>/<peer>/<key>/<Monday>.parquet` and one `.json` with its CPU seconds and the
process's peak memory; the key is a hash of the data, the peer's version and its settings, so a stale answer is never
used.

Fairness. An hourly store is 24 daily series, as in ours: ETS and Theta know one season, and weekdays matter most.
Closed and unknown days, which these libraries can't leave out, carry the same weekday's newest known value. LightGBM
sees promotions, holidays and school holidays, is fitted to log(1 + visitors) with absolute errors, and does not learn
from the days that were filled in.
"""

import argparse
import hashlib
import importlib.util
import json
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

DAYS = 14  # the peers forecast days 1 to 14; days 8 to 14 are scored
WEEKS_OF_HISTORY = 52  # for ETS and Theta, whose last year says all that they can know
LEVELS = [60, 80]  # central intervals that give q80, and q10 and q90
TREES = {
    "n_estimators": 500,
    "learning_rate": 0.05,
    "num_leaves": 63,
    "min_child_samples": 60,
    "colsample_bytree": 0.6,
    "subsample": 0.8,
    "subsample_freq": 1,
    "objective": "regression_l1",
    "num_threads": 1,
    "verbosity": -1,
    "seed": 0,
}
LAGS = [14, 21, 28, 35, 42, 56, 364, 371]
PAST_WEEKS = (*range(2, 10), 51, 52, 53)

type Matrix = NDArray[np.float64]
type Answer = dict[str, Matrix]  # yhat, q10, q50, q80, q90: [series, 7]


def bench_of(data: Path) -> ModuleType:
    """The protocol's module, which lies beside the data."""
    spec = importlib.util.spec_from_file_location("visits_bench", data / "bench.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module  # its dataclasses look their module up
    spec.loader.exec_module(module)
    module.DATA = data  # type: ignore[attr-defined]
    return module


def by_day(values: NDArray[Any], slots: int) -> NDArray[Any]:
    """[store, hour of all time] to [store and hour of the day, day]."""
    stores, steps = values.shape
    return values.reshape(stores, steps // slots, slots).transpose(0, 2, 1).reshape(stores * slots, steps // slots)


def by_time(values: Matrix, slots: int) -> Matrix:
    """The inverse of `by_day`."""
    series, days = values.shape
    return values.reshape(series // slots, slots, days).transpose(0, 2, 1).reshape(series // slots, days * slots)


def filled(visitors: Matrix) -> Matrix:
    """NaN replaced by the weekday's newest earlier value, before the first by its mean, else by the series' mean."""
    series, days = visitors.shape
    by_week = visitors.reshape(series, days // 7, 7)
    result = by_week.copy()
    last = np.full((series, 7), np.nan)
    for week in range(by_week.shape[1]):
        known = np.isfinite(by_week[:, week])
        last = np.where(known, by_week[:, week], last)
        result[:, week] = last
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        weekday = np.nanmean(by_week, axis=1)[:, None, :]
        level = np.nanmean(visitors, axis=1)[:, None, None]
    result = np.where(np.isfinite(result), result, np.broadcast_to(weekday, result.shape))
    result = np.where(np.isfinite(result), result, np.broadcast_to(level, result.shape))
    return np.nan_to_num(result.reshape(series, days))


def _starts(visitors: Matrix) -> NDArray[np.intp]:
    known = np.isfinite(visitors)
    return np.where(known.any(axis=1), known.argmax(axis=1), visitors.shape[1])


def statsforecast_model(name: str) -> Callable[[Any], Answer]:
    """AutoETS or AutoTheta with a season of 7 days."""

    def forecast(context: Any) -> Answer:
        from statsforecast import models  # type: ignore[import-not-found]

        slots = context.panel.spec.per_day
        visitors = by_day(context.y[:, : context.known].astype(np.float64), slots)[:, -7 * WEEKS_OF_HISTORY :]
        history, start = filled(visitors), _starts(visitors)
        answer = {column: np.zeros((len(visitors), 7)) for column in ("yhat", "q10", "q50", "q80", "q90")}
        for row, (series, first) in enumerate(zip(history, start, strict=True)):
            train = series[first:]
            if len(train) < 2 * 7 + 1 or np.ptp(train) == 0:
                for values in answer.values():
                    values[row] = train[-7:].mean() if len(train) else 0.0
                continue
            one = getattr(models, name)(season_length=7).forecast(y=train, h=DAYS, level=LEVELS)
            answer["yhat"][row] = answer["q50"][row] = one["mean"][7:]
            answer["q10"][row], answer["q90"][row] = one["lo-80"][7:], one["hi-80"][7:]
            answer["q80"][row] = one["hi-60"][7:]
        return answer

    return forecast


def mlforecast_lightgbm(context: Any) -> Answer:
    """MLForecast with one global LightGBM: lags of 14 days and more, so no forecast is fed back into another."""
    import lightgbm  # type: ignore[import-not-found]
    from mlforecast import MLForecast  # type: ignore[import-not-found]
    from mlforecast.lag_transforms import RollingMean, SeasonalRollingMean  # type: ignore[import-not-found]
    from mlforecast.target_transforms import GlobalSklearnTransformer  # type: ignore[import-not-found]
    from mlforecast.utils import PredictionIntervals  # type: ignore[import-not-found]
    from sklearn.preprocessing import FunctionTransformer

    panel, slots = context.panel, context.panel.spec.per_day
    visitors = by_day(context.y[:, : context.known].astype(np.float64), slots)
    series, known = visitors.shape
    history, start = filled(visitors), _starts(visitors)
    usable = known - start >= 8 * 7
    total = known + DAYS
    day = panel.ts[::slots].astype("datetime64[D]")[:total]

    def covariate(name: str) -> NDArray[Any]:
        return by_day(np.asarray(getattr(panel, name))[:, : total * slots], slots)

    columns = {name: covariate(name) for name in ("promo", "kind", "school")}
    holiday = columns["kind"] > 0
    columns["tomorrow"] = np.pad(holiday[:, 1:], ((0, 0), (0, 1))).astype(np.int8)
    columns["yesterday"] = np.pad(holiday[:, :-1], ((0, 0), (1, 0))).astype(np.int8)
    rows, times = np.nonzero(usable[:, None] & (np.arange(total) >= start[:, None]))
    frame = pd.DataFrame(
        {
            "unique_id": rows,
            "ds": day[times].astype("datetime64[ns]"),
            "store": rows // slots,
            "hour": rows % slots,
            **{name: values[rows, times] for name, values in columns.items()},
        }
    )
    past = times < known
    train = frame[past].copy()
    train["y"] = history[rows[past], times[past]]
    train["weight"] = np.isfinite(visitors[rows[past], times[past]]).astype(float)
    model = MLForecast(
        models={"lightgbm": lightgbm.LGBMRegressor(**TREES)},
        freq="D",
        lags=LAGS,
        lag_transforms={
            14: [
                RollingMean(7, min_samples=1),
                RollingMean(28, min_samples=1),
                RollingMean(91, min_samples=1),
                SeasonalRollingMean(season_length=7, window_size=4, min_samples=1),
                SeasonalRollingMean(season_length=7, window_size=8, min_samples=1),
            ]
        },
        date_features=["dayofweek", "day", "month", "dayofyear"],
        target_transforms=[GlobalSklearnTransformer(FunctionTransformer(np.log1p, np.expm1))],
    )
    # Conformal intervals take whole horizons away from every series: short ones allow fewer.
    windows = int(np.clip((known - start[usable]).min() // DAYS - 2, 2, 6))
    model.fit(
        train,
        static_features=["store", "hour"],
        dropna=False,
        weight_col="weight",
        prediction_intervals=PredictionIntervals(n_windows=windows, h=DAYS),
    )
    future = frame[~past].drop(columns=["store", "hour"])
    made = model.predict(h=DAYS, X_df=future, level=LEVELS).sort_values(["unique_id", "ds"])
    answer = {column: np.zeros((series, 7)) for column in ("yhat", "q10", "q50", "q80", "q90")}
    ids = np.flatnonzero(usable)
    sources = {"yhat": "lightgbm", "q50": "lightgbm", "q10": "lightgbm-lo-80", "q90": "lightgbm-hi-80"}
    for column, source in (sources | {"q80": "lightgbm-hi-60"}).items():
        answer[column][ids] = made[source].to_numpy().reshape(len(ids), DAYS)[:, 7:]
    return answer


def lightgbm_arm(context: Any) -> Answer:
    """Our own second arm: one global LightGBM on what the first arm looks at, each training week with the true gap.

    It is fitted to log(1 + visitors) less the series' level, from the same weekday of earlier weeks, levels at several
    speeds, the year before and all that is known in advance; rows weigh as visitors, so that it aims at WAPE.
    """
    import lightgbm

    panel, slots = context.panel, context.panel.spec.per_day
    z = np.log1p(by_day(context.y.astype(np.float64), slots))
    series, weeks = len(z), z.shape[1] // 7
    z = z.reshape(series, weeks, 7)

    def covariate(name: str) -> NDArray[Any]:
        return by_day(np.asarray(getattr(panel, name))[:, : weeks * 7 * slots], slots).astype(np.float64)

    promo, kind, school = (covariate(name) for name in ("promo", "kind", "school"))
    holiday = (kind > 0).astype(float)
    around = [promo, kind, school]
    for values in (promo, holiday, school):
        around += [np.roll(values, 1, axis=1), np.roll(values, -1, axis=1)]
    shaped = [values.reshape(series, weeks, 7) for values in around]
    ordinal = panel.ts[::slots].astype("datetime64[D]")[: weeks * 7].reshape(weeks, 7)
    day_of_year = (ordinal - ordinal.astype("datetime64[Y]").astype("datetime64[D]")).astype(float)
    day_of_month = (ordinal - ordinal.astype("datetime64[M]").astype("datetime64[D]")).astype(float)

    known = np.isfinite(z)
    sums = np.nansum(z, axis=2), known.sum(axis=2)
    levels = {}
    for half_life in (1.0, 4.0, 12.0):
        keep, total, count = 0.5 ** (1 / half_life), np.zeros(series), np.zeros(series)
        levels[half_life] = np.full((series, weeks + 2), np.nan)  # [:, w]: as known for week w
        for week in range(weeks):
            total, count = keep * total + sums[0][:, week], keep * count + sums[1][:, week]
            levels[half_life][:, week + 2] = np.where(count > 0, total / np.maximum(count, 1e-9), np.nan)

    def rows_of(week: int) -> Matrix:
        level = levels[4.0][:, week, None]
        past = {back: z[:, week - back] if week >= back else np.full((series, 7), np.nan) for back in PAST_WEEKS}
        recent = np.stack([past[back] for back in range(2, 10)])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            middles = [np.nanmedian(recent, axis=0), np.nanmean(recent[:4], axis=0)]
            last_year = np.nanmean(np.stack([past[back] for back in (51, 52, 53)]), axis=0)
        columns = [*(past[back] - level for back in PAST_WEEKS), *(middle - level for middle in middles)]
        columns += [last_year - level, levels[1.0][:, week, None] - level, levels[12.0][:, week, None] - level, level]
        columns += [values[:, week] for values in shaped]
        columns += [np.roll(shaped[0], back, axis=1)[:, week] for back in (2, 3, 4)]  # promotions of the lags
        columns += [day_of_year[week], day_of_month[week], np.arange(7.0)]
        columns += [(np.arange(series) // slots)[:, None], (np.arange(series) % slots)[:, None]]
        return np.stack([np.broadcast_to(column, (series, 7)) for column in columns], axis=-1).astype(np.float32)

    target = weeks - 1
    x, y, weight = [], [], []
    for week in range(max(10, target - 1 - 104), target - 1):
        level = levels[4.0][:, week]
        use = known[:, week] & np.isfinite(level)[:, None]
        x.append(rows_of(week)[use])
        y.append((z[:, week] - level[:, None])[use])
        recency = 0.5 ** ((target - week) / 52)
        weight.append((np.expm1(np.clip(level, 0.1, None))[:, None] * recency * np.ones(7))[use])
    model = lightgbm.LGBMRegressor(**TREES)
    model.fit(np.concatenate(x), np.concatenate(y), sample_weight=np.concatenate(weight))
    new = rows_of(target)
    made = model.predict(new.reshape(-1, new.shape[-1])).reshape(series, 7) + levels[4.0][:, target, None]
    return {"yhat": np.nan_to_num(np.expm1(made))}


PEERS: dict[str, tuple[str, Callable[[Any], Answer]]] = {
    "autotheta": ("statsforecast", statsforecast_model("AutoTheta")),
    "autoets": ("statsforecast", statsforecast_model("AutoETS")),
    "lightgbm": ("mlforecast", mlforecast_lightgbm),
    "arm": ("lightgbm", lightgbm_arm),
}


def key(data: Path, data_set: str, peer: str) -> str:
    """What an answer depends on."""
    package, _ = PEERS[peer]
    settings: list[Any] = [package, version(package), DAYS, WEEKS_OF_HISTORY, LEVELS]
    if peer == "lightgbm":
        settings += [version("lightgbm"), TREES, LAGS]
    if peer == "arm":
        settings += [TREES, PAST_WEEKS]
    digest = hashlib.sha256(json.dumps(settings).encode())
    digest.update((data / f"{data_set}.parquet").read_bytes())
    return digest.hexdigest()[:16]


def spread_out(mondays: list[Any]) -> list[Any]:
    """The same weeks in an order in which every beginning is spread over all of them: last, halves, quarters."""
    step, ordered = len(mondays), []
    while step >= 1:
        ordered += [monday for monday in mondays[::-1][::step] if monday not in ordered]
        step //= 2
    return ordered


def peak_mb() -> float:
    """Most memory that this process has held."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def main() -> int:
    """Make what is missing in the cache."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with bench.py and the visits")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--data-set", required=True)
    parser.add_argument("--peer", choices=PEERS, required=True)
    parser.add_argument("--weeks", type=int, default=99, help="so many of the protocol's weeks, spread out")
    options = parser.parse_args()
    bench = bench_of(options.data)
    _, model = PEERS[options.peer]
    folder = options.cache / options.data_set / options.peer / key(options.data, options.data_set, options.peer)
    folder.mkdir(parents=True, exist_ok=True)
    for monday in spread_out(bench.targets(options.data_set))[: options.weeks]:
        target = folder / f"{str(monday)[:10]}.parquet"
        if target.exists():
            print(target, flush=True)
            continue
        context = bench.context(options.data_set, monday)
        wall, cpu = time.perf_counter(), time.process_time()
        answer = model(context)
        spent = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - wall, "peak_mb": peak_mb()}
        slots, panel = context.panel.spec.per_day, context.panel
        steps = panel.ts[context.lo : context.hi]
        frame = pd.DataFrame(
            {
                "store_id": np.repeat(panel.stores.astype(str), len(steps)),
                "ts": np.tile(steps, len(panel.stores)).astype("datetime64[us]"),  # fastparquet loses seconds
                **{name: np.maximum(by_time(values, slots), 0).ravel() for name, values in answer.items()},
            }
        )
        (folder / f"{target.stem}.json").write_text(json.dumps(spent), "utf-8")
        frame.to_parquet(target, index=False, engine="fastparquet")
        print(target, json.dumps(spent), flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
