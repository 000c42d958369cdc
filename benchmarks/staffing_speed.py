"""How long it takes to plan people: by day, and by the hour in shifts, and what the ways to solve for shifts cost.

    OMP_NUM_THREADS=1 python benchmarks/staffing_speed.py

Stores are drawn: a busy hour needs 3 to some 20 people, most about 6; a noon and an evening peak, weekdays, a level
that moves from week to week, and noise by the hour. Each case runs in a fresh process, on one thread, with last week's
practice planned beside (so every week is solved twice), and its CPU seconds are those of `plan_week` alone. Writes
docs/benchmarks/staffing.md.
"""

import argparse
import json
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import highspy
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from rich.console import Console

from pawcast.forecasting.staffing.cover import cover_days, unique_rows
from pawcast.forecasting.staffing.limits import solve_rows
from pawcast.forecasting.staffing.model import (
    PERSON,
    Ints,
    Window,
    bounded_rows,
    linear_programme,
    new_highs,
    window_of,
)
from pawcast.forecasting.staffing.plan import plan_week
from pawcast.forecasting.staffing.rules import PATTERNS, StoreRules

REPOSITORY = Path(__file__).parents[1]
OPENS, CLOSES = 9, 21
PER_PERSON = 20.0
LEVELS = {"q10": -1.28, "q50": 0.0, "q80": 0.84, "q90": 1.28}
CASES = {
    "daily 100": ("day", 100, 1, "eight_hours", 0),
    "daily 1,000": ("day", 1_000, 1, "eight_hours", 0),
    "daily 10,000": ("day", 10_000, 1, "eight_hours", 0),
    "hourly 100, 8 h shifts": ("hour", 100, 1, "eight_hours", 0),
    "hourly 500, 8 h shifts": ("hour", 500, 1, "eight_hours", 0),
    "hourly 500, 4/6/8 h shifts": ("hour", 500, 1, "short_and_long", 0),
    "hourly 5,000, 4/6/8 h shifts": ("hour", 5_000, 1, "short_and_long", 0),
    "hourly 500, 4/6/8 h, most days over max_staff": ("hour", 500, 1, "short_and_long", 5),
    "hourly 500 x 52 weeks, 8 h shifts": ("hour", 500, 52, "eight_hours", 0),
    "hourly 500 x 52 weeks, 4/6/8 h shifts": ("hour", 500, 52, "short_and_long", 0),
}


def drawn_week(plans_by: str, stores: int, week: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """FORECAST of a week and the visits two weeks before it."""
    fixed, moving = np.random.default_rng(0), np.random.default_rng([1, week])
    slots = 24 if plans_by == "hour" else 1
    hour = np.arange(slots)
    is_open = (hour >= OPENS) & (hour < CLOSES) if slots > 1 else np.ones(1, bool)
    level = fixed.lognormal(np.log(4.2 * PER_PERSON), 0.45, (stores, 1, 1))
    noon, evening = fixed.uniform(11, 13.5, (stores, 1, 1)), fixed.uniform(16, 19, (stores, 1, 1))
    shape = 0.5 + np.exp(-(((hour - noon) / 1.6) ** 2)) + 0.8 * np.exp(-(((hour - evening) / 2) ** 2))
    weekday = fixed.lognormal(0, 0.2, (stores, 7, 1))
    middle = level * weekday * (shape if slots > 1 else 1.4) * moving.lognormal(0, 0.08, (stores, 7, 1))
    middle = np.where(is_open, middle * moving.lognormal(0, 0.03, (stores, 7, slots)), 0.0)
    before = middle * moving.lognormal(0, 0.15, middle.shape)
    start = np.datetime64("2026-01-05", "us") + np.timedelta64(7 * week, "D")
    times = (start + np.arange(7)[:, None] * np.timedelta64(1, "D") + hour * np.timedelta64(1, "h")).ravel()
    columns = {
        "store_id": np.repeat([f"S{number:05}" for number in range(stores)], 7 * slots),
        "ts": np.tile(times, stores),
        "open": np.tile(is_open, stores * 7),
    }
    quantiles = {name: (middle * np.exp(0.18 * sigmas)).ravel() for name, sigmas in LEVELS.items()}
    forecast = pd.DataFrame(columns | {"yhat": middle.ravel()} | quantiles)
    history = pd.DataFrame(columns | {"visitors": before.ravel()})
    return forecast, history.assign(ts=history["ts"] - pd.Timedelta(days=14))


def run_case(name: str) -> dict[str, float]:
    """CPU seconds, peak memory and sizes of one case, in this process."""
    plans_by, stores, weeks, pattern, max_staff = CASES[name]
    rules = {
        f"S{number:05}": StoreRules(
            store_id=f"S{number:05}",
            plans_by="hour" if plans_by == "hour" else "day",
            visitors_per_person=PER_PERSON,
            pattern=PATTERNS[pattern],
            max_staff=max_staff,
        )
        for number in range(stores)
    }
    plan_week(*_first_store(drawn_week(plans_by, stores, 0), rules))  # imports and first calls
    seconds, rows, infeasible = 0.0, 0, 0
    for week in range(weeks):
        forecast, history = drawn_week(plans_by, stores, week)
        start = time.process_time()
        made = plan_week(forecast, rules, history=history)
        seconds += time.process_time() - start
        rows += len(made.plan)
        infeasible += int((made.stores["infeasible"] != "").sum())
        assert (made.plan["staff"] >= made.plan["needed"]).all() or infeasible
    return {"seconds": seconds, "rows": rows, "infeasible": infeasible, "mb": peak_memory()}


def _first_store(
    frames: tuple[pd.DataFrame, pd.DataFrame], rules: dict[str, StoreRules]
) -> tuple[pd.DataFrame, dict[str, StoreRules]]:
    first = next(iter(rules))
    return frames[0][frames[0]["store_id"] == first], {first: rules[first]}


def peak_memory() -> float:
    """MB; not getrusage, whose maximum counts the parent's memory before exec."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


# ---------------------------------------------------------------- ways to solve


def drawn_needs(days: int) -> Ints:
    """[day, open hour] people needed, as in the hourly cases."""
    weeks = -(-days // 3_500)
    parts = []
    for week in range(weeks):
        forecast, _ = drawn_week("hour", 500, week)
        visitors = forecast.loc[forecast["open"], "q80"].to_numpy().reshape(-1, CLOSES - OPENS)
        parts.append(np.maximum(3, np.ceil(visitors / PER_PERSON)).astype(np.int32))
    return np.concatenate(parts)[:days]


def each_cold(window: Window, need: Ints, *, integer: bool) -> int:
    """Every day a programme of its own, solved from nothing."""
    highs, hours = new_highs(), 0
    for day in need:
        programme = linear_programme(window.matrix, window.cost / PERSON)
        programme.row_lower_ = day.astype(float)
        if integer:
            programme.integrality_ = [highspy.HighsVarType.kInteger] * len(window.shifts)
        highs.clearModel()
        highs.passModel(programme)
        highs.run()
        hours += person_hours(window, np.rint(np.asarray(highs.getSolution().col_value)).astype(np.int32))
    return hours


def batches(window: Window, need: Ints, size: int) -> int:
    """So many days in one programme; only the needs change, and each solve starts from the last basis."""
    highs, hours = new_highs(), 0
    highs.passModel(block_programme(window, size))
    width = len(window.shifts)
    for start in range(0, len(need) - len(need) % size, size):
        bounded_rows(highs, need[start : start + size].ravel())
        highs.run()
        people = np.rint(np.asarray(highs.getSolution().col_value)).astype(np.int32).reshape(size, width)
        hours += person_hours(window, people)
    return hours


def block_programme(window: Window, size: int) -> highspy.HighsLp:
    """`size` independent days as one programme, without a dense matrix."""
    one = linear_programme(window.matrix, window.cost / PERSON)
    rows, columns = window.matrix.shape
    start, index = np.asarray(one.a_matrix_.start_), np.asarray(one.a_matrix_.index_)
    blocks = np.arange(size)[:, None]
    many = highspy.HighsLp()
    many.num_col_, many.num_row_ = columns * size, rows * size
    many.col_cost_ = np.tile(window.cost / PERSON, size)
    many.col_lower_, many.col_upper_ = np.zeros(columns * size), np.full(columns * size, highspy.kHighsInf)
    many.row_lower_, many.row_upper_ = np.zeros(rows * size), np.full(rows * size, highspy.kHighsInf)
    many.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    many.a_matrix_.start_ = np.append((start[:-1] + blocks * len(index)).ravel(), len(index) * size).astype(np.int32)
    many.a_matrix_.index_ = (index + blocks * rows).ravel().astype(np.int32)
    many.a_matrix_.value_ = np.ones(len(index) * size)
    return many


def person_hours(window: Window, people: NDArray[np.int32]) -> int:
    """Of all shifts together."""
    return int((people @ np.array([shift.hours for shift in window.shifts])).sum())


def distinct_only(window: Window, need: Ints) -> int:
    """Equal days once, each by a programme of its own."""
    days, inverse = unique_rows(need)
    highs, solved = new_highs(), []
    for day in days:
        people = solve_rows(highs, window, day, np.full(len(day), np.inf))
        assert people is not None
        solved.append(person_hours(window, people))
    return int(np.array(solved)[inverse].sum())


def ways(days: int) -> list[tuple[str, str, int, float, int]]:
    """(pattern, way, days, microseconds of CPU a day, person-hours a thousand days)."""
    made = []
    for name in ("eight_hours", "short_and_long"):
        window = window_of(PATTERNS[name].shifts, tuple(range(OPENS, CLOSES)))
        few, all_days = drawn_needs(2_000), drawn_needs(days)
        tried: list[tuple[str, Ints, Callable[[Window, Ints], int]]] = [
            ("integer programme, each day cold", few, lambda w, n: each_cold(w, n, integer=True)),
            ("linear programme, each day cold", few, lambda w, n: each_cold(w, n, integer=False)),
            ("equal days once, cold", few, distinct_only),
            ("one day, warm", few, lambda w, n: batches(w, n, 1)),
            ("10 days in one programme, warm", few, lambda w, n: batches(w, n, 10)),
            ("1,000 days in one programme", few, lambda w, n: batches(w, n, 1_000)),
            ("shared bases, then batches (taken), a week", all_days[:3_500], shared),
            ("shared bases, then batches (taken), a year", all_days, shared),
        ]
        for way, need, solve in tried:
            start = time.process_time()
            hours = solve(window, need)
            spent = time.process_time() - start
            made.append((name, way, len(need), 1e6 * spent / len(need), hours))
    return made


def shared(window: Window, need: Ints) -> int:
    """As `plan_week` does."""
    return person_hours(window, cover_days(window, need).people)


def report(cases: dict[str, dict[str, float]], tried: list[tuple[str, str, int, float, int]]) -> str:
    """The Markdown page."""
    lines = [
        "# Staffing speed",
        "",
        f"CPU seconds of `plan_week` on one thread, last week's practice included; Python {platform.python_version()},",
        f"HiGHS {highspy.Highs().version()}, {platform.machine()}. Written by `benchmarks/staffing_speed.py`.",  # type: ignore[no-untyped-call]
        "",
        "| case | rows | stores infeasible | CPU, s | peak, MB |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {name} | {each['rows']:,.0f} | {each['infeasible']:,.0f} | {each['seconds']:.2f} | {each['mb']:.0f} |"
        for name, each in cases.items()
    ]
    lines += [
        "",
        "Peak memory is of the whole process; pandas, numpy and HiGHS alone take about 90 MB.",
        "",
        "## Ways to solve a day's shifts",
        "",
        f"Open {OPENS} to {CLOSES}. All ways give the same person-hours for the same days (checked).",
        "",
        "| shifts | way | days | CPU a day, µs |",
        "| --- | --- | ---: | ---: |",
    ]
    lines += [f"| {name} | {way} | {days:,} | {spent:.1f} |" for name, way, days, spent, _ in tried]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, print and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--case", help="run one case in this process and print it as JSON")
    parser.add_argument("--days", type=int, default=182_000, help="days of the largest way to solve")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs/benchmarks/staffing.md")
    arguments = parser.parse_args()
    if arguments.case:
        sys.stdout.write(json.dumps(run_case(arguments.case)))
        return
    console = Console(stderr=True)
    cases = {}
    for name in CASES:
        with console.status(name):
            command = [sys.executable, __file__, "--case", name]
            cases[name] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        console.print(f"{name}: {cases[name]['seconds']:.2f} s, {cases[name]['mb']:.0f} MB")
    with console.status("ways to solve"):
        tried = ways(arguments.days)
    for name in ("eight_hours", "short_and_long"):
        assert len({hours for pattern, _, days, _, hours in tried if pattern == name and days == 2_000}) == 1
    arguments.output.write_text(report(cases, tried), encoding="utf-8")
    console.print(f"wrote {arguments.output}")


if __name__ == "__main__":
    main()
