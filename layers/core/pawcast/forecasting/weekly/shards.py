"""Forecast and plan of one shard: files in, files out, so that a retry writes the same again.

A bad store must not sink its neighbours. The model itself sets stores apart whose numbers are impossible; where it
raises, the shard is halved until the store at fault is alone, and that one gets the seasonal-naive forecast, marked.
When the function itself dies (memory, time), the state machine calls it again with `fallback`, for the whole shard.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import pandas as pd

from pawcast.errors import PawcastError
from pawcast.forecasting.forecast import Forecast, fallback_week
from pawcast.forecasting.models import ForecastRelease, LoadedModel, load_model, parse_release
from pawcast.forecasting.panel import HOURS_A_DAY, MAX_VISITORS, panel_from_frame
from pawcast.forecasting.weekly.messages import QUARANTINE
from pawcast.forecasting.weekly.opening import Frames
from pawcast.forecasting.weekly.plan import shard_key
from pawcast.forecasting.weekly.ports import Files, Json
from pawcast.forecasting.weekly.run import Quarantined
from pawcast.forecasting.weekly.week import Week

ARM: Final = "arm"
STORE: Final = "store_id"
USABLE: Final = (STORE, "ts", "visitors", "open")


@dataclass(frozen=True)
class ShardTask:
    """One shard of one attempt: the input of a map iteration."""

    week: str
    attempt: int
    shard: int

    @property
    def prefix(self) -> str:
        """Where the attempt's files lie."""
        return f"runs/{self.week}/{self.attempt}"

    def key(self, name: str) -> str:
        """Key of one of the shard's files."""
        return shard_key(self.prefix, self.shard, name)


class Log(Protocol):
    """Where a problem is written down for the engineer."""

    def __call__(self, message: str, error: BaseException, **facts: Any) -> None:
        """Log an error with facts, without personal data."""
        ...


@dataclass(frozen=True)
class ShardForecaster:
    """Forecasts one shard."""

    files: Files
    frames: Frames
    log: Log

    def forecast(self, task: ShardTask, *, fallback: bool = False) -> Json:
        """Write `forecast.parquet` (each store by its arm), `arms.parquet` (each store by every arm) and `result.json`.

        With `fallback` every store gets the seasonal-naive forecast: the model has failed for this shard.
        """
        history = self.frames.get_frame(task.key("history.parquet"))
        stores = self.frames.get_frame(task.key("stores.parquet"))
        document = self.files.get_json(f"{task.prefix}/release.json")
        release = parse_release(document["release"])
        monday = np.datetime64(Week.parse(task.week).monday, "D")
        slots = HOURS_A_DAY if stores["plans_by"].iloc[0] == "hour" else 1
        store_ids = stores[STORE].astype(str).tolist()
        work = ShardWork(with_every_store(history, store_ids, monday, slots), monday, slots, self.log)
        if fallback:
            every = {release.champion.name: work.fall_back("shard_failed")}
        else:
            models = {
                arm.name: load_model(document["models"][str(arm.model)], retrain=release.retrain)
                for arm in release.arms
            }
            every = {name: work.forecast(model) for name, model in models.items()}
        chosen, quarantined = pick(every, release, store_ids)
        self.frames.put_frame(task.key("forecast.parquet"), chosen)
        together = pd.concat([part.frame.assign(**{ARM: name}) for name, part in every.items()], ignore_index=True)
        self.frames.put_frame(task.key("arms.parquet"), together)
        result = {
            "shard": task.shard,
            "stores": len(stores),
            "quarantined": [store.model_dump(mode="json") for store in quarantined],
        }
        self.files.put_json(task.key("result.json"), result)
        return {"shard": task.shard, "stores": len(stores), "quarantined": len(quarantined)}


@dataclass(frozen=True, eq=False)
class Part:
    """A forecast of some stores: FORECAST without the arm, and the reason for each store that was set apart."""

    frame: pd.DataFrame
    reasons: Mapping[str, str]


@dataclass(frozen=True, eq=False)
class ShardWork:
    """The history of a shard, to be forecast by one model after another."""

    history: pd.DataFrame
    monday: np.datetime64
    slots: int
    log: Log

    def forecast(self, model: LoadedModel) -> Part:
        """By a model; stores at which it raises are set apart."""
        return self._forecast(self.history, model)

    def fall_back(self, reason: str) -> Part:
        """All stores by the seasonal-naive forecast."""
        return self._naive(self.history, reason)

    def _forecast(self, history: pd.DataFrame, model: LoadedModel) -> Part:
        try:
            panel = panel_from_frame(history, slots=self.slots)
            made = model.forecast(panel, self.monday)
        except (PawcastError, ArithmeticError, ValueError, np.linalg.LinAlgError) as error:
            ids = history[STORE].unique()
            if len(ids) == 1:
                self.log("a store was set apart", error, store_id=str(ids[0]))
                return self._naive(history, "model_failed")
            half = history[STORE].isin(ids[: len(ids) // 2])
            return _joined([self._forecast(history[half], model), self._forecast(history[~half], model)])
        return Part(made.frame(), dict(made.quarantined))

    def _naive(self, history: pd.DataFrame, reason: str) -> Part:
        made, ids = _fallback(history, self.monday, self.slots), history[STORE].astype(str).unique()
        return Part(made.frame(), dict.fromkeys(ids.tolist(), reason))


def _fallback(history: pd.DataFrame, monday: np.datetime64, slots: int) -> Forecast:
    """The seasonal-naive forecast of a history that may hold anything."""
    ids = history[STORE].astype(str).unique().tolist()
    clean = with_every_store(usable_rows(history, slots), ids, monday, slots)[list(USABLE)]
    return fallback_week(panel_from_frame(clean, slots=slots), monday)


def usable_rows(history: pd.DataFrame, slots: int) -> pd.DataFrame:
    """USABLE columns of a history that may hold anything.

    What is no count is unknown, what is no flag is open; of two rows of a cell the last counts, and a row whose time is
    none of the grid is left out.
    """
    count = pd.to_numeric(history["visitors"], errors="coerce").astype(float)
    rows = pd.DataFrame(
        {
            STORE: history[STORE],
            "ts": history["ts"],
            "visitors": count.where((count >= 0) & (count <= MAX_VISITORS)),
            "open": pd.to_numeric(history["open"], errors="coerce").astype(float).fillna(1.0) != 0,
        }
    )
    on_grid = rows["ts"] == rows["ts"].dt.floor("h" if slots == HOURS_A_DAY else "D")
    kept: pd.DataFrame = rows[on_grid].drop_duplicates([STORE, "ts"], keep="last", ignore_index=True)
    return kept


def _joined(parts: Sequence[Part]) -> Part:
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    return Part(
        frame.sort_values([STORE, "ts"], ignore_index=True), {k: v for part in parts for k, v in part.reasons.items()}
    )


def pick(
    every: Mapping[str, Part], release: ForecastRelease, store_ids: Sequence[str]
) -> tuple[pd.DataFrame, list[Quarantined]]:
    """Each store's forecast by its arm (or by the only one there is), and the stores set apart."""
    arm_of = dict(zip(store_ids, release.arm_of(store_ids), strict=True))
    only = next(iter(every)) if len(every) == 1 else None
    frames, quarantined = [], []
    for name, part in every.items():
        mine = [store for store in store_ids if (only or arm_of[store]) == name]
        rows = part.frame[part.frame[STORE].isin(mine)]
        frames.append(rows.assign(**{ARM: name}))
        quarantined += [
            Quarantined(store_id=store, reason=part.reasons[store], text=QUARANTINE[part.reasons[store]])
            for store in mine
            if store in part.reasons
        ]
    frame = pd.concat(frames, ignore_index=True).sort_values([STORE, "ts"], ignore_index=True)
    return frame, quarantined


def with_every_store(
    history: pd.DataFrame, store_ids: Sequence[str], monday: np.datetime64, slots: int
) -> pd.DataFrame:
    """The history with open, unknown rows in the target week for stores that it lacks: new ones, without any visit."""
    absent = sorted(set(store_ids) - set(history[STORE].astype(str)))
    if not absent:
        return history
    times = monday.astype("datetime64[us]") + np.arange(7 * slots) * np.timedelta64(24 // slots, "h")
    rows = pd.DataFrame(
        {
            STORE: np.repeat(absent, len(times)),
            "ts": np.tile(times, len(absent)),
            "visitors": np.nan,
            "open": True,
            "promo": False,
            "holiday_kind": "0",
            "school_holiday": False,
        }
    )
    return pd.concat([history, rows], ignore_index=True)
