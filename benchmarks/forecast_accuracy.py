"""How far the weekly forecast is off: ours beside its peers, in one run on the same weeks.

    make benchmark        or: OMP_NUM_THREADS=1 python -m benchmarks.forecast_accuracy

The visits and their protocol (bench.py) are in ../shared/visits, or where BENCH_DATA says. They may not be passed on
and are no part of the project. Each week is forecast from what was known eight days before its Monday.

Every method runs in a process of its own, one thread, so its CPU seconds and peak memory are its own. The peers live in
.venv-peers (benchmarks/forecast-requirements.txt). They take hours, so their forecasts are kept in a cache outside the
project, each with the seconds and memory it took; the key is a hash of data, version and settings. Ours and the simple
means are computed anew each time.

Writes docs/benchmarks/forecast-accuracy.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from benchmarks.forecast_means import POINTS, our_panel
from benchmarks.forecast_peers import bench_of, by_time, peak_mb, spread_out
from pawcast.adapters.run_frames import frame_of, parquet_bytes
from pawcast.forecasting.backtest import paired_interval
from pawcast.forecasting.config import ForecastConfig
from pawcast.forecasting.forecast import forecast_week
from pawcast.forecasting.quantiles import LEVELS

REPOSITORY = Path(__file__).parents[1]
OURS = "Pawcast"
TARGETS = {"rossmann": 0.057, "recruit": 0.350, "melbourne": 0.138}  # WAPE: issue 3
WARM_UP = 9  # earlier weeks that a point forecast is calibrated on by the protocol
WEIGHTS = (0.25, 0.5)  # of the second arm in the ensemble
WORTH = 0.002  # WAPE: what the second arm must gain, on average, to be worth its layer

type Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Made:
    """A method's forecasts of some weeks, with CPU seconds a week and the most memory that it held."""

    name: str
    frame: pd.DataFrame  # store_id, ts, yhat and, if any, q10 q50 q80 q90
    cpu_seconds: float
    peak_mb: float


# ------------------------------------------------------------ methods that run in our own environment


def work(bench: ModuleType, data_set: str, method: str, mondays: Sequence[Any], out: Path) -> None:
    """One method on one data set, in a process of its own."""
    spent = 0.0
    points: dict[Any, Matrix] = {}
    quantiles: dict[Any, dict[float, Matrix]] = {}
    wanted = mondays if method == OURS else sorted({*mondays, *bench.targets(data_set, WARM_UP)})
    for monday in wanted:
        context = bench.context(data_set, monday)
        panel, slots = our_panel(context), context.panel.spec.per_day
        quantiles[monday] = {}
        start = time.process_time()  # laying out is not counted, as reading is not for the peers
        if method == OURS:
            forecast = forecast_week(panel, monday.astype("datetime64[D]"), ForecastConfig())
            mean = forecast.mean
            for level, values in zip(LEVELS, forecast.quantiles, strict=True):
                quantiles[monday][level] = by_time(values, slots)
        else:
            mean = POINTS[method](context, panel)
        spent += time.process_time() - start
        points[monday] = np.maximum(by_time(mean, slots), 0)
    made = bench.Result(data_set, method, list(wanted), points, quantiles, {}, {})
    if method != OURS:
        made = bench.calibrate(made)
    keep = [monday for monday in made.mondays if monday in set(mondays)]
    frame = bench.to_frame(bench.Result(data_set, method, keep, made.points, made.quantiles, {}, {}))
    frame = frame.astype({"store_id": str, "ts": "datetime64[us]"})
    out.with_suffix(".parquet").write_bytes(parquet_bytes(frame))
    out.with_suffix(".json").write_text(json.dumps({"cpu_s": spent / len(wanted), "peak_mb": peak_mb()}), "utf-8")


def in_process(options: argparse.Namespace, data_set: str, method: str, mondays: Sequence[Any]) -> Made:
    """Run `work` in a fresh process and read what it made."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "made"
        weeks = ",".join(str(monday) for monday in mondays)
        command = [sys.executable, "-m", "benchmarks.forecast_accuracy", "--data", str(options.data)]
        command += ["--work", data_set, method, weeks, str(out)]
        subprocess.run(command, check=True, cwd=REPOSITORY, env=os.environ | {"OMP_NUM_THREADS": "1"})
        spent = json.loads(out.with_suffix(".json").read_text("utf-8"))
        return Made(method, frame_of(out.with_suffix(".parquet").read_bytes()), spent["cpu_s"], spent["peak_mb"])


# ------------------------------------------------------------ peers


PEERS = {
    "statsforecast AutoETS": "autoets",
    "statsforecast AutoTheta": "autotheta",
    "mlforecast with LightGBM": "lightgbm",
}
SECOND_ARM = "second arm (LightGBM)"
BOTH = "median of AutoETS and AutoTheta"


def cached(options: argparse.Namespace, data_set: str, peer: str, mondays: Sequence[Any]) -> Path:
    """Let the peer's environment make what is missing; the folder of its answers."""
    command = [str(options.peers), str(REPOSITORY / "benchmarks" / "forecast_peers.py"), "--data", str(options.data)]
    command += ["--cache", str(options.cache), "--data-set", data_set, "--peer", peer, "--weeks", str(len(mondays))]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
    answer = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE, text=True)
    return Path(answer.stdout.split()[0]).parent


def peer_made(name: str, folder: Path, mondays: Iterable[Any]) -> Made:
    """A peer's answers of these weeks."""
    files = [folder / f"{str(monday)[:10]}.parquet" for monday in mondays]
    spent = [json.loads(file.with_suffix(".json").read_text("utf-8")) for file in files]
    frame = pd.concat([frame_of(file.read_bytes()) for file in files], ignore_index=True)
    cpu = float(np.mean([one["cpu_s"] for one in spent]))
    return Made(name, frame, cpu, max(one["peak_mb"] for one in spent))


def middle_of(name: str, parts: Sequence[Made]) -> Made:
    """The median of two forecasts, which is their mean."""
    one, other = (part.frame.set_index(["store_id", "ts"]).sort_index() for part in parts)
    return Made(
        name,
        ((one + other) / 2).reset_index(),
        sum(part.cpu_seconds for part in parts),
        max(part.peak_mb for part in parts),
    )


def blend(first: Made, second: Made, weight: float) -> Made:
    """Weighted mean of two forecasts' logs; quantiles move with the middle."""
    one = first.frame.set_index(["store_id", "ts"]).sort_index()
    other = second.frame.set_index(["store_id", "ts"])["yhat"].reindex(one.index)
    factor = ((np.log1p(other) - np.log1p(one["yhat"])) * weight).fillna(0.0)
    moved = one.apply(lambda column: np.expm1(np.log1p(column) + factor).clip(lower=0))
    return Made(
        f"{OURS}, {weight:.0%} second arm",
        moved.reset_index(),
        first.cpu_seconds + second.cpu_seconds,
        max(first.peak_mb, second.peak_mb),
    )


# ------------------------------------------------------------ the page


def scores(bench: ModuleType, data_set: str, made: Made) -> dict[str, Any]:
    """The protocol's scores, and WAPE by week."""
    ids = {str(store): store for store in bench.load(data_set).stores}
    frame = made.frame.assign(store_id=made.frame["store_id"].map(ids))
    answer = dict(bench.score(data_set, frame))
    rows = bench.pairs(data_set, frame)
    rows = rows[rows["yhat"].notna()]
    monday = rows["ts"].dt.to_period("W")
    lost, came = (rows["yhat"] - rows["y"]).abs().groupby(monday).sum(), rows["y"].groupby(monday).sum()
    return answer | {"by_week": (lost / came).to_dict()}


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def section(data_set: str, all_made: Sequence[Made], scored: Mapping[str, Mapping[str, Any]]) -> str:
    """One data set's table, and how sure the lead over the best peer is."""
    rows = []
    for made in all_made:
        answer = scored[made.name]
        coverage = answer.get("cov80int")
        name = f"**{made.name}**" if made.name == OURS else made.name
        rows.append(
            [
                name,
                f"{answer['WAPE']:.4f}",
                f"{answer['bias']:+.1%}",
                "–" if coverage is None else f"{coverage:.1%}",
                f"{made.cpu_seconds:.2f}" if made.cpu_seconds < 10 else f"{made.cpu_seconds:.0f}",
                f"{made.peak_mb:.0f}",
            ]
        )
    mine = scored[OURS]
    lead = ""
    found = [name for name in (*PEERS, BOTH) if name in scored]
    if found:
        best = min(found, key=lambda name: float(scored[name]["WAPE"]))
        weeks = sorted(mine["by_week"])
        interval = paired_interval([mine["by_week"][week] - scored[best]["by_week"][week] for week in weeks])
        lead = (
            f"\nOurs less the best peer ({best}), mean of the weeks: {interval.mean:+.4f},"
            f" 95 % interval {interval.low:+.4f} to {interval.high:+.4f}.\n"
        )
    goal = "reached" if mine["WAPE"] <= TARGETS[data_set] else "missed"
    return f"""## {data_set}

{len(mine["by_week"])} weeks, {mine["n"]:,} open rows. WAPE to reach {TARGETS[data_set]:.3f}: {goal}.

{table(("method", "WAPE", "bias", "in 80 %", "CPU s a week", "peak MB"), rows)}
{lead}"""


def arm_section(scored: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """What the second arm adds, and the decision that follows."""
    names = [OURS, SECOND_ARM, *(f"{OURS}, {weight:.0%} second arm" for weight in WEIGHTS)]
    rows = [[name, *(f"{one[name]['WAPE']:.4f}" for one in scored.values())] for name in names]
    gains = {
        weight: float(
            np.mean([one[OURS]["WAPE"] - one[f"{OURS}, {weight:.0%} second arm"]["WAPE"] for one in scored.values()])
        )
        for weight in WEIGHTS
    }
    weight, gain = max(gains.items(), key=lambda item: item[1])
    kept = gain >= WORTH
    decision = (
        "It is worth its layer: publish it as an arm."
        if kept
        else "It is not worth a layer of 110 MB, a `libgomp` and the CPU above: it stays out of the product."
    )
    if set(scored) != set(TARGETS):
        decision = "Decided on all data sets together, not on these."
    return f"""## The second arm

One global LightGBM on what the first arm looks at, aimed at WAPE, and blends of both in logs.

{table(("WAPE", *scored), rows)}

With {weight:.0%} of it the blend gains {gain:+.4f} on average of the data sets; at least {WORTH:.4f} were asked for.
{decision}
"""


def page(sections: Sequence[str], arm: str, skipped: str, weeks: str) -> str:
    """The Markdown page."""
    return f"""# Forecast accuracy

One configuration of ours for all data sets, nothing chosen by their names, beside its peers on the same weeks{weeks}.
Days 8 to 14 after the last known day; open days only. Written by `benchmarks/forecast_accuracy.py`; every method in a
process of its own on one thread.
{skipped}
WAPE: absolute errors over visitors. In 80 %: share of visitors from q10 to q90. The simple means get their quantiles
from their own earlier errors by the protocol, the peers from their libraries. ETS and Theta know one season and no
promotion or holiday; each hour of a store is a series of its own for them, as for us. CPU and memory of the peers are
of the run in which their forecasts were made (they are kept, for they take hours); ours and the means are of this run.

{"\n".join(sections)}
{arm}"""


def measure(options: argparse.Namespace, bench: ModuleType, data_set: str) -> list[Made]:
    """All methods on one data set; the same weeks for each."""
    mondays = sorted(spread_out(bench.targets(data_set))[: options.weeks])
    found = [in_process(options, data_set, name, mondays) for name in track([*POINTS, OURS], data_set)]
    if not options.peers.exists():
        return found
    peers = {
        name: peer_made(name, cached(options, data_set, peer, mondays), mondays)
        for name, peer in (PEERS | {SECOND_ARM: "arm"}).items()
    }
    ets, theta, trees, arm = peers.values()
    mine = found.pop()
    return [
        *found,
        ets,
        theta,
        middle_of(BOTH, (ets, theta)),
        trees,
        arm,
        mine,
        *(blend(mine, arm, w) for w in WEIGHTS),
    ]


def main() -> int:
    """Measure, write the page, print it."""
    parser = argparse.ArgumentParser(description="Accuracy of the weekly forecast and its peers.")
    default = Path(os.environ.get("BENCH_DATA", REPOSITORY.parent / "shared" / "visits"))
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "pawcast" / "forecast-peers"
    parser.add_argument("--data", type=Path, default=default, help="folder with bench.py and the visits [$BENCH_DATA]")
    parser.add_argument("--cache", type=Path, default=cache, help="where the peers' forecasts are kept")
    parser.add_argument("--peers", type=Path, default=REPOSITORY / ".venv-peers" / "bin" / "python")
    parser.add_argument("--weeks", type=int, default=99, help="so many of each data set's weeks, spread out")
    parser.add_argument("--data-sets", nargs="+", default=list(TARGETS), choices=TARGETS)
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "benchmarks")
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not (options.data / "bench.py").exists():
        parser.error(f"{options.data} has no bench.py; say where the visits are with --data or BENCH_DATA")
    bench = bench_of(options.data)
    warnings.simplefilter("ignore", RuntimeWarning)  # means and medians of nothing, here and in the protocol
    if options.work:
        data_set, method, weeks, out = options.work
        work(bench, data_set, method, [np.datetime64(week) for week in weeks.split(",")], Path(out))
        return 0
    sections, scored = [], {}
    for data_set in options.data_sets:
        all_made = measure(options, bench, data_set)
        scored[data_set] = {made.name: scores(bench, data_set, made) for made in all_made}
        sections.append(section(data_set, all_made, scored[data_set]))
    there = options.peers.exists()
    skipped = "" if there else f"\nNot measured: the peers ({options.peers} is not there).\n"
    weeks = "" if options.weeks == 99 else f" (up to {options.weeks} of them, spread out)"
    text = page(sections, arm_section(scored) if there else "", skipped, weeks)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "forecast-accuracy.md").write_text(text, "utf-8")
    Console(width=120).print(text, markup=False, highlight=False)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
