"""The first step: who may run a week, is its data there, which stores go together.

A scheduled start may come twice, and Wednesday's comes whether Tuesday's succeeded or not. So opening claims the week
with one conditional write; who finds it settled or claimed by an execution that still runs, does nothing and says so.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

import pandas as pd

from pawcast.errors import DataNotFresh, InvalidRequest, VersionConflict
from pawcast.forecasting.weekly.distributing import Contact
from pawcast.forecasting.weekly.messages import ERRORS, STEPS, filled
from pawcast.forecasting.weekly.plan import shard_key
from pawcast.forecasting.weekly.ports import Clock, Files, Json, Weeks
from pawcast.forecasting.weekly.run import INLINE_SHARDS, SETTLED, UNREPEATABLE, Record, Run, RunEvent, RunState
from pawcast.forecasting.weekly.week import Week

STORES_A_SHARD = 100
SCHEDULE = "schedule"
EXAMPLES = 3
REASON_MAX = 500
LONGEST_RUN = timedelta(hours=6)  # a run that computes for longer is dead, and its week may be claimed


@dataclass(frozen=True)
class Freshness:
    """Which stores have their newest week, and of which data. `share` of stores that are complete, 0 to 1."""

    stores: int
    visits: int
    missing: tuple[str, ...]
    data_version: str

    @property
    def share(self) -> float:
        """Share of stores that are complete."""
        return 1 - len(self.missing) / self.stores if self.stores else 0.0


@dataclass(frozen=True, eq=False)
class Snapshot:
    """All that a run knows: HISTORY of every store, STORES, and how fresh they are."""

    history: pd.DataFrame
    stores: pd.DataFrame
    freshness: Freshness


class Warehouse(Protocol):
    """Visits, stores, calendar and promotions."""

    def snapshot(self, week: Week) -> Snapshot:
        """What a run of `week` may know."""
        ...


class Frames(Protocol):
    """Parquet files in the plans bucket."""

    def put_frame(self, key: str, frame: pd.DataFrame) -> None:
        """Store a frame."""
        ...

    def get_frame(self, key: str) -> pd.DataFrame:
        """A frame; raises NotFound."""
        ...


class Releases(Protocol):
    """The forecast release in force."""

    def current(self) -> Json:
        """The release with the documents of its models: what `shards.ReleaseInUse` reads."""
        ...


class StartRequest(Record):
    """Input of an execution. The schedule sends nothing but who it is."""

    week: str | None = None
    started_by: str = SCHEDULE
    override_gate_reason: str = ""


@dataclass(frozen=True)
class Opener:
    """Opens a week."""

    weeks: Weeks
    files: Files
    frames: Frames
    warehouse: Warehouse
    releases: Releases
    zone: ZoneInfo
    now: Clock
    minimum_share: float

    def open(self, request: StartRequest, execution: str) -> Json:
        """Claim the week and split it; `outcome` is "opened" or "nothing_to_do".

        Raises:
            InvalidRequest: no such week, or a reason that is too long.
            DataNotFresh: too many stores lack the newest week.
            VersionConflict: another start claimed the week at this moment.
        """
        now = self.now()
        if len(request.override_gate_reason) > REASON_MAX:
            raise InvalidRequest(f"the reason has more than {REASON_MAX} characters", field="override_gate_reason")
        week = Week.parse(request.week) if request.week else Week.to_run(now, self.zone)
        run = self._claim(week, request, execution, now)
        if run is None:
            return {"outcome": "nothing_to_do", "week": week.name}
        snapshot = self.warehouse.snapshot(week)
        self._refuse_stale(week, snapshot.freshness)
        release = self.releases.current()
        shards = split(snapshot.stores)
        self._write_shards(run, shards, snapshot)
        self.files.put_json(f"{run.prefix}/release.json", release)
        stored = self.weeks.get(week.name)
        assert stored is not None  # noqa: S101 - claimed above, never deleted
        run = stored.changed(
            data_version=snapshot.freshness.data_version,
            release_version=release["version"],
            models=tuple(f"{arm['name']}={arm['model']}" for arm in release["arms"]),
            shards=len(shards),
        )
        self.weeks.save(run)
        text = filled(STEPS["opened"], attempt=run.attempt, stores=len(snapshot.stores), shards=len(shards))
        facts: Json = {"data_version": run.data_version, "models": list(run.models), "execution": execution}
        event = RunEvent(
            week=week.name,
            attempt=run.attempt,
            at=run.started_at,
            step="opened",
            by=run.started_by,
            text=text,
            facts=facts,
        )
        self.weeks.add_event(event)
        return {
            "outcome": "opened",
            "week": week.name,
            "attempt": run.attempt,
            "backfill": run.backfill,
            "many_shards": len(shards) > INLINE_SHARDS,
            "include_uncertain": False,
            "shards": list(range(len(shards))),
        }

    def _claim(self, week: Week, request: StartRequest, execution: str, now: datetime) -> Run | None:
        """The attempt that this execution owns; None when there is nothing to do."""
        current = self.weeks.get(week.name)
        if current is not None and current.execution == execution:
            return current if current.state is RunState.RUNNING else None
        if current is not None and not _may_replace(current, now, by_hand=request.started_by != SCHEDULE):
            self._note_no_op(current, execution, now)
            return None
        run = Run(
            week=week.name,
            attempt=1 if current is None else current.attempt + 1,
            state=RunState.RUNNING,
            revision=1 if current is None else current.revision + 1,
            execution=execution,
            started_at=now,
            started_by=request.started_by,
            backfill=week.is_past(now, self.zone),
            override_gate_reason=request.override_gate_reason,
            # a decision names the plan version that was looked at, so it counts on over attempts
            plan_version=0 if current is None else current.plan_version,
        )
        try:
            self.weeks.put_new(run, current)
        except VersionConflict:
            return None  # the other start of the same moment has it
        return run

    def _note_no_op(self, current: Run, execution: str, now: datetime) -> None:
        text = filled(STEPS["no_op"], state=current.state)
        event = RunEvent(
            week=current.week, attempt=current.attempt, at=now, step="no_op", text=text, facts={"execution": execution}
        )
        self.weeks.add_event(event)

    def _refuse_stale(self, week: Week, fresh: Freshness) -> None:
        problem: Literal["no_stores", "no_visits", "data_not_fresh"]
        if not fresh.stores:
            problem = "no_stores"
        elif not fresh.visits:
            problem = "no_visits"
        elif fresh.share < self.minimum_share:
            problem = "data_not_fresh"
        else:
            return
        text = filled(
            ERRORS[problem],
            known_until=week.known_until,
            stores=fresh.stores,
            missing=len(fresh.missing),
            examples=", ".join(fresh.missing[:EXAMPLES]),
        )
        raise DataNotFresh(problem, ko=text.ko, en=text.en)

    def _write_shards(self, run: Run, shards: Sequence[Sequence[str]], snapshot: Snapshot) -> None:
        number = {store: index for index, part in enumerate(shards) for store in part}
        for frame, name in ((snapshot.history, "history.parquet"), (snapshot.stores, "stores.parquet")):
            for shard, rows in frame.groupby(frame["store_id"].map(number), sort=True):
                key = shard_key(run.prefix, int(shard), name)
                self.frames.put_frame(key, rows.reset_index(drop=True))
        stores = snapshot.stores.set_index("store_id")
        for index, part in enumerate(shards):
            rows = stores.loc[list(part)]
            contacts = [
                Contact(store_id=str(store), mail=str(mail or ""), language="en" if language == "en" else "ko")
                for store, mail, language in zip(rows.index, rows["mail"], rows["language"], strict=True)
            ]
            document = [contact.model_dump() for contact in contacts]
            self.files.put_json(shard_key(run.prefix, index, "contacts.json"), document)


def _may_replace(current: Run, now: datetime, *, by_hand: bool) -> bool:
    if current.state is RunState.RUNNING:
        return now - current.started_at > LONGEST_RUN
    if current.backfill or (current.approval is not None and current.state is RunState.FAILED):
        return by_hand  # some stores may have been told: sending again is better, and a schedule must not decide
    return current.state not in (UNREPEATABLE if by_hand else SETTLED)


def split(stores: pd.DataFrame, size: int = STORES_A_SHARD) -> list[list[str]]:
    """Stores into shards of at most `size`, those that plan by day apart from those by hour.

    Stores of a region stay together: they share holidays, which a shard learns from all its stores. Shards of a kind
    are of about equal size, and the same stores always make the same shards.
    """
    shards: list[list[str]] = []
    for _, kind in stores.sort_values(["region", "store_id"]).groupby("plans_by", sort=True):
        ids = kind["store_id"].tolist()
        count = -(-len(ids) // size)
        bounds = [round(index * len(ids) / count) for index in range(count + 1)]
        shards += [ids[start:stop] for start, stop in pairwise(bounds)]
    return shards
