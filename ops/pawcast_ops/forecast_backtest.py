"""A backtest on disk: finished origins are kept and skipped next time, the rest run in several processes.

    <out>/origins/<arm>-<key>/2026-11-30.parquet   one arm's forecasts of one week beside what came
    <out>/origins/<arm>-<key>/2026-11-30.json      its CPU seconds
    <out>/forecasts.parquet                        all of them
    <out>/figures.{csv,parquet}  evaluation-<arm>.json  report.md  *.svg

The key is a hash of the visits, the arm's model and the code that forecasts, so nothing stale is ever taken.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import pawcast.forecasting
from pawcast.adapters.run_frames import frame_of, parquet_bytes
from pawcast.errors import InvalidRequest, InvalidVisits
from pawcast.forecasting.backtest import Model, backtest_week, evaluations, origins
from pawcast.forecasting.evaluate import Evaluation
from pawcast.forecasting.panel import Panel, panel_from_frame

type Arms = Mapping[str, Mapping[str, Any]]  # name to the registered document of its model

NAIVE = "seasonal_naive"
BUILT_IN: Arms = {"walk": {"kind": "walk"}, NAIVE: {"kind": NAIVE}}


@dataclass(frozen=True)
class Backtest:
    """What is to be done, and where it is kept."""

    visits: Path
    out: Path
    arms: Arms
    keys: Mapping[str, str]
    mondays: tuple[str, ...]

    def file(self, arm: str, monday: str) -> Path:
        """Where an origin's forecasts are kept."""
        return self.out / "origins" / f"{arm}-{self.keys[arm]}" / f"{monday}.parquet"

    def missing(self) -> list[tuple[str, str]]:
        """Arms and Mondays that are still to be forecast."""
        return [
            (arm, monday)
            for monday in self.mondays
            for arm in self.arms
            if not self.file(arm, monday).with_suffix(".json").exists()
        ]


def read_visits(path: Path) -> pd.DataFrame:
    """Visits with what was known in advance, from a Parquet or CSV file or a folder of Parquet files.

    In a folder (an export of the warehouse), the row that arrived last counts where a store and time has several.

    Raises:
        InvalidVisits: no such file, nothing in it, or no table.
    """
    files = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not files or not files[0].exists():
        raise InvalidVisits(f"{path}: no visits there; name a Parquet or CSV file, or a folder of Parquet files")
    try:
        parts = [
            pd.read_csv(file, dtype={"store_id": str}) if file.suffix == ".csv" else frame_of(file.read_bytes())
            for file in files
        ]
        frame = pd.concat(parts, ignore_index=True)
        if "ts" in frame:
            frame["ts"] = pd.to_datetime(frame["ts"])
    except Exception as error:  # the readers raise whatever a broken file brings them to
        raise InvalidVisits(f"{path}: can't be read as a table of visits: {error}") from error
    if "store_id" in frame:
        frame["store_id"] = frame["store_id"].astype(str)
    if "received_at" in frame and {"store_id", "ts"} <= set(frame):
        frame = frame.sort_values("received_at").drop_duplicates(["store_id", "ts"], keep="last", ignore_index=True)
    return frame


def parse_arms(options: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Arms from `name=model.json` or the name of a built-in model; the seasonal-naive bar is always one.

    Raises:
        InvalidRequest: a name is used twice, or a file is no JSON object.
    """
    arms: dict[str, dict[str, Any]] = {}
    for option in options or ("walk",):
        name, _, source = option.partition("=")
        source = source or name
        if name in arms:
            raise InvalidRequest(f"two arms are called {name}; give one another name", field="arm")
        if source in BUILT_IN:
            arms[name] = dict(BUILT_IN[source])
            continue
        try:
            document = json.loads(Path(source).read_text("utf-8"))
        except (OSError, ValueError) as error:
            known = f"arm {option}: write name=model.json, or one of {', '.join(BUILT_IN)}"
            raise InvalidRequest(f"{known} ({error})", field="arm") from error
        if not isinstance(document, dict):
            raise InvalidRequest(f"arm {option}: the file must hold a JSON object", field="arm")
        arms[name] = document
    arms.setdefault(NAIVE, dict(BUILT_IN[NAIVE]))
    return arms


def prepare(visits: Path, out: Path, arms: Arms, weeks: int) -> tuple[Backtest, Panel]:
    """Read the visits and see which weeks are to be forecast.

    Raises:
        InvalidVisits: the visits are none.
        InvalidRequest: not enough of them for so many weeks.
        ModelRejected: an arm is no model.
    """
    for document in arms.values():
        _model(document)
    panel = panel_from_frame(read_visits(visits))
    base = _digest(visits)
    keys = {
        arm: hashlib.sha256(f"{base}{json.dumps(document, sort_keys=True)}".encode()).hexdigest()[:12]
        for arm, document in arms.items()
    }
    mondays = tuple(str(monday) for monday in origins(panel, weeks))
    return Backtest(visits, out, arms, keys, mondays), panel


def run(backtest: Backtest, panel: Panel, processes: int, done: Callable[[str, str], None]) -> None:
    """Forecast what is missing; `done` hears of each arm and Monday."""
    tasks = backtest.missing()
    if processes == 1 or len(tasks) <= 1:
        for arm, monday in tasks:
            _one(backtest, panel, arm, monday)
            done(arm, monday)
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the workers: the weeks run side by side already
    workers = ProcessPoolExecutor(processes, get_context("spawn"), initializer=_start_worker, initargs=(backtest,))
    with workers as pool:
        waiting = {pool.submit(_in_worker, arm, monday): (arm, monday) for arm, monday in tasks}
        try:
            for future in as_completed(waiting):
                future.result()
                done(*waiting[future])
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


@dataclass(frozen=True, eq=False)
class Finished:
    """A whole backtest, read back from its folder."""

    rows: pd.DataFrame
    cpu_seconds: Mapping[str, float]  # all weeks
    judged: Mapping[str, Evaluation]
    arms: Arms


def collect(backtest: Backtest) -> Finished:
    """All origins, and each arm's evaluation."""
    frames, spent = [], dict.fromkeys(backtest.arms, 0.0)
    for arm in backtest.arms:
        for monday in backtest.mondays:
            file = backtest.file(arm, monday)
            frames.append(frame_of(file.read_bytes()))
            spent[arm] += float(json.loads(file.with_suffix(".json").read_text("utf-8"))["cpu_seconds"])
    rows = pd.concat(frames, ignore_index=True)
    return Finished(rows, spent, evaluations(rows), backtest.arms)


def write_tables(finished: Finished, out: Path) -> Iterator[Path]:
    """Forecasts, figures and evaluations; yields each file."""
    figures = pd.concat(
        [evaluation.frame().assign(arm=arm) for arm, evaluation in finished.judged.items()], ignore_index=True
    )
    figures.insert(0, "arm", figures.pop("arm"))
    yield _parquet(finished.rows, out / "forecasts.parquet")
    yield _parquet(figures, out / "figures.parquet")
    figures.to_csv(out / "figures.csv", index=False, float_format="%.6g")
    yield out / "figures.csv"
    for arm, evaluation in finished.judged.items():
        file = out / f"evaluation-{arm}.json"
        document = {
            "model": finished.arms[arm],
            "cpu_seconds": finished.cpu_seconds[arm],
            "evaluation": evaluation.model_dump(mode="json"),
        }
        file.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
        yield file


def read_evaluation(out: Path, arm: str) -> tuple[Evaluation, float]:
    """An arm's evaluation and CPU seconds from the folder of a finished backtest.

    Raises:
        InvalidRequest: no such arm there.
    """
    file = out / f"evaluation-{arm}.json"
    try:
        document = json.loads(file.read_text("utf-8"))
        return Evaluation.model_validate_json(json.dumps(document["evaluation"])), float(document["cpu_seconds"])
    except (OSError, ValueError, KeyError) as error:
        known = ", ".join(sorted(path.stem.removeprefix("evaluation-") for path in out.glob("evaluation-*.json")))
        raise InvalidRequest(f"{out} has no backtest of {arm}; it has {known or 'none'}", field="arm") from error


def read_model(out: Path, arm: str) -> dict[str, Any]:
    """The document of the model that an arm of a finished backtest was.

    Raises:
        InvalidRequest: no such arm there.
    """
    read_evaluation(out, arm)
    document: dict[str, Any] = json.loads((out / f"evaluation-{arm}.json").read_text("utf-8"))["model"]
    return document


# ------------------------------------------------------------ one origin


_worker: dict[str, Any] = {}


def _start_worker(backtest: Backtest) -> None:
    _worker.update(backtest=backtest, panel=panel_from_frame(read_visits(backtest.visits)))


def _in_worker(arm: str, monday: str) -> None:
    _one(_worker["backtest"], _worker["panel"], arm, monday)


def _one(backtest: Backtest, panel: Panel, arm: str, monday: str) -> None:
    week = backtest_week(panel, np.datetime64(monday), {arm: _model(backtest.arms[arm])})
    file = backtest.file(arm, monday)
    file.parent.mkdir(parents=True, exist_ok=True)
    _parquet(week.rows, file)
    # Written last and at once: only an origin with its JSON counts as finished.
    part = file.with_suffix(".part")
    part.write_text(json.dumps({"cpu_seconds": week.cpu_seconds[arm]}), "utf-8")
    part.replace(file.with_suffix(".json"))


def _model(document: Mapping[str, Any]) -> Model:
    from pawcast.forecasting.models import load_model

    return load_model(document).forecast


def _parquet(frame: pd.DataFrame, file: Path) -> Path:
    file.write_bytes(parquet_bytes(frame))
    return file


def _digest(visits: Path) -> str:
    digest = hashlib.sha256()
    code = Path(pawcast.forecasting.__file__).parent.glob("*.py")
    for file in [*sorted(code), *(sorted(visits.rglob("*.parquet")) if visits.is_dir() else [visits])]:
        digest.update(file.name.encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
