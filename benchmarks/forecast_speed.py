"""How long a week takes: train, forecast, evaluate and plan, for 100, 1,000 and 10,000 stores with three years of days.

    OMP_NUM_THREADS=1 python -m benchmarks.forecast_speed

Chains are drawn by a seed: levels, weekdays, a yearly wave, promotions, holidays, closed Sundays, noise. 10,000 stores
run as 100 shards of 100, as in the state machine, one after another. CPU seconds are of one thread; each size runs in a
process of its own, so its peak memory is its own. Reading is counted: the history comes from a Parquet file as it does
on Lambda.

Writes docs/benchmarks/forecast-speed.md.
"""

import argparse
import io
import json
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track

REPOSITORY = Path(__file__).parents[1]
DAYS = 3 * 52 * 7
FIRST_MONDAY = np.datetime64("2023-11-27")
SHARD = 100
MEGABYTES_GOAL, SECONDS_GOAL, FALLBACK_GOAL = 1024, 15.0, 1.0  # issue 3
SIZES = {"a shard of 100": (100, 100), "1,000 in one": (1_000, 1_000), "10,000 in shards of 100": (10_000, SHARD)}


def chain(stores: int, seed: int) -> pd.DataFrame:
    """HISTORY of a drawn chain: three years and two weeks, the last two unknown."""
    rng = np.random.default_rng(seed)
    total = DAYS + 14
    days = (FIRST_MONDAY + np.arange(total).astype("timedelta64[D]")).astype("datetime64[us]")
    index = np.arange(total)
    weekday = index % 7
    level = np.exp(rng.normal(5.5, 0.7, stores))[:, None]
    week = 1 + 0.25 * rng.normal(size=(stores, 7))[:, weekday].clip(-2, 2)
    wave = 1 + 0.1 * np.sin(2 * np.pi * index / 365.25 + rng.uniform(0, 1, (stores, 1)))
    promo = np.repeat(rng.random((stores, total // 7)) < 0.3, 7, axis=1)
    holiday = np.isin(index % 365, (0, 1, 60, 120, 121, 230, 328))
    drift = np.exp(np.cumsum(rng.normal(0, 0.004, (stores, total)), axis=1))
    mean = level * week * wave * drift * np.where(promo, 1.25, 1.0) * np.where(holiday, 1.5, 1.0)
    is_open = ~((weekday == 6)[None, :] & (rng.random((stores, 1)) < 0.3))
    visitors = np.where(is_open, rng.poisson(mean), np.nan).astype(float)
    visitors[:, DAYS:] = np.nan
    return pd.DataFrame(
        {
            "store_id": np.repeat([f"s{number:05d}" for number in range(stores)], total),
            "ts": np.tile(days, stores),
            "visitors": visitors.ravel(),
            "open": is_open.ravel(),
            "promo": promo.ravel(),
            "holiday_kind": np.tile(np.where(holiday, "holiday", "0"), stores),
            "school_holiday": np.tile(np.isin(index % 365 // 7, (0, 12, 13, 26, 27, 28, 29)), stores),
        }
    )


def store_facts(stores: "pd.Series[str]") -> pd.DataFrame:
    """STORES that plan by day, one person for 40 visitors."""
    facts = {"name": stores, "region": "KR", "time_zone": "Asia/Seoul", "mail": "", "language": "ko", "plans_by": "day"}
    limits = {"opens_at": 9, "closes_at": 21, "visitors_per_person": 40.0, "min_staff": 3, "max_staff": 0}
    return pd.DataFrame(
        {"store_id": stores, **facts, **limits, "service_quantile": 0.8, "shift_pattern": "eight_hours"}
    )


def week_of(content: bytes) -> dict[str, float]:
    """CPU seconds of each step for one shard."""
    from pawcast.adapters.run_frames import frame_of, parquet_bytes
    from pawcast.forecasting.config import ForecastConfig
    from pawcast.forecasting.evaluate import evaluate
    from pawcast.forecasting.forecast import fallback_week, forecast_week
    from pawcast.forecasting.panel import panel_from_frame
    from pawcast.forecasting.staffing.plan import plan_week
    from pawcast.forecasting.staffing.rules import rules_from_stores

    spent: dict[str, float] = {}
    start = time.process_time()

    def done(step: str) -> None:
        nonlocal start
        spent[step] = time.process_time() - start
        start = time.process_time()

    history = frame_of(content)
    panel = panel_from_frame(history)
    done("read and lay out")
    target = FIRST_MONDAY + np.timedelta64(DAYS + 7, "D")
    forecast = forecast_week(panel, target, ForecastConfig()).frame()
    parquet_bytes(forecast)
    done("train and forecast")
    # The newest known week has been forecast two weeks ago; seasonal naive stands in for that forecast here.
    known = FIRST_MONDAY + np.timedelta64(DAYS - 7, "D")
    naive = fallback_week(panel, known).frame()
    week = history[history["ts"] >= known]
    evaluate(naive, week, naive)
    done("evaluate")
    rules, refused = rules_from_stores(store_facts(forecast["store_id"].drop_duplicates()))
    assert not refused, refused
    plan_week(forecast, rules, history=history)
    done("plan")
    whole = sum(spent.values())
    start = time.process_time()
    fallback_week(panel_from_frame(history), target).frame()
    spent["seasonal fallback, laying out included"] = time.process_time() - start
    return spent | {"week": whole}


def peak_mb() -> float:
    """Most memory that this process has held."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def work(stores: int, shard: int) -> None:
    """One size in a process of its own: shards come as files, and so does the answer."""
    content = sys.stdin.buffer.read()
    before = peak_mb()
    spent: dict[str, float] = {}
    for _ in range(stores // shard):
        for step, seconds in week_of(content).items():
            spent[step] = spent.get(step, 0.0) + seconds
    print(json.dumps({"spent": spent, "peak_mb": peak_mb(), "before_mb": before}))


def parquet_of(stores: int) -> bytes:
    """A drawn chain as Parquet."""
    from pawcast.adapters.run_frames import parquet_bytes

    return parquet_bytes(chain(stores, seed=stores))


def report(measured: dict[str, dict[str, Any]], sizes: dict[str, tuple[int, int]]) -> str:
    """The Markdown page."""
    steps = [step for step in next(iter(measured.values()))["spent"] if step != "week"]
    fallback = steps.pop()
    rows = [
        "| " + " | ".join([f"CPU s, {step}", *(f"{one['spent'][step]:.2f}" for one in measured.values())]) + " |"
        for step in steps
    ]
    rows.append(
        "| " + " | ".join(["**CPU s, the week**", *(f"{m['spent']['week']:.2f}" for m in measured.values())]) + " |"
    )
    per_store = [1_000 * one["spent"]["week"] / sizes[name][0] for name, one in measured.items()]
    rows.append("| " + " | ".join(["CPU ms a store", *(f"{value:.2f}" for value in per_store)]) + " |")
    rows.append(
        "| " + " | ".join([f"CPU s, {fallback}", *(f"{m['spent'][fallback]:.2f}" for m in measured.values())]) + " |"
    )
    rows.append("| " + " | ".join(["peak MB", *(f"{m['peak_mb']:.0f}" for m in measured.values())]) + " |")
    thousand, hundred = measured["1,000 in one"], measured["a shard of 100"]
    verdicts = [
        (f"1,000 stores in {SECONDS_GOAL:.0f} s of CPU", thousand["spent"]["week"] <= SECONDS_GOAL),
        (f"in {MEGABYTES_GOAL} MB", thousand["peak_mb"] <= MEGABYTES_GOAL),
        (f"seasonal fallback of a shard in {FALLBACK_GOAL:.0f} s", hundred["spent"][fallback] <= FALLBACK_GOAL),
    ]
    goals = "; ".join(f"{goal}: {'reached' if reached else 'missed'}" for goal, reached in verdicts)
    return f"""# Forecast speed

One week from three years of days ({DAYS:,} a store), one thread; Python {platform.python_version()}, NumPy
{np.__version__}, {platform.machine()}. Written by `benchmarks/forecast_speed.py`.

| stores | {" | ".join(measured)} |
| --- | {" | ".join("---:" for _ in measured)} |
{"\n".join(rows)}

Goals: {goals}.

10,000 stores are 100 shards one after another in one process; in the state machine 10 run side by side.
"""


def main() -> int:
    """Measure, write the page, print it."""
    parser = argparse.ArgumentParser(description="CPU and memory of a forecast week.")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "benchmarks")
    parser.add_argument("--work", nargs=2, type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        work(*options.work)
        return 0
    measured: dict[str, dict[str, Any]] = {}
    for name, (stores, shard) in track(list(SIZES.items()), "sizes"):
        command = [sys.executable, "-m", "benchmarks.forecast_speed", "--work", str(stores), str(shard)]
        answer = subprocess.run(command, input=parquet_of(shard), check=True, capture_output=True, cwd=REPOSITORY)
        measured[name] = json.load(io.BytesIO(answer.stdout))
    text = report(measured, SIZES)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "forecast-speed.md").write_text(text, "utf-8")
    Console(width=120).print(text, markup=False, highlight=False)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
