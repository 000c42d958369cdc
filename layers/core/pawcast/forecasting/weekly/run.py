"""The record of a run: what an auditor reads a year later, and what keeps two runs of one week apart.

    running ──> waiting_for_approval ──> approved ──> distributing ──> done
       │                 ├──> rejected
       │                 └──> missed (nobody decided in time)
       ├──> done (a backfill: nobody is told a plan for a week that has begun)
       └──> failed ──> (sent again, or a stopped execution redriven) waiting_for_approval | distributing | done

A week has one run record; a new attempt replaces it, and the events of all attempts stay. Every move raises
`revision` by one and is written only if the stored revision is still the one that was read, as a post's.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from pawcast.errors import Conflict


class RunState(StrEnum):
    """Where a week's run stands."""

    RUNNING = "running"
    WAITING_FOR_APPROVAL = "waiting_for_approval"
    APPROVED = "approved"
    DISTRIBUTING = "distributing"
    DONE = "done"
    REJECTED = "rejected"
    MISSED = "missed"
    FAILED = "failed"


_S = RunState
ALLOWED_MOVES = MappingProxyType(
    {
        _S.RUNNING: frozenset({_S.WAITING_FOR_APPROVAL, _S.DONE, _S.FAILED}),
        _S.WAITING_FOR_APPROVAL: frozenset({_S.APPROVED, _S.REJECTED, _S.MISSED, _S.FAILED}),
        _S.APPROVED: frozenset({_S.DISTRIBUTING, _S.FAILED}),
        _S.DISTRIBUTING: frozenset({_S.DONE, _S.FAILED}),
        _S.DONE: frozenset[RunState](),
        _S.REJECTED: frozenset[RunState](),
        _S.MISSED: frozenset[RunState](),
        # an approved plan that is sent again, or an execution that was stopped and is redriven
        _S.FAILED: frozenset({_S.WAITING_FOR_APPROVAL, _S.DISTRIBUTING, _S.DONE}),
    }
)
INLINE_SHARDS = 40  # more become executions of their own: an execution's history has an end
# A schedule starts nothing where one of these stands: the week is done or somebody is at it.
SETTLED = frozenset({_S.WAITING_FOR_APPROVAL, _S.APPROVED, _S.DISTRIBUTING, _S.DONE})
# A new attempt may not replace these: stores are being told, or have been.
UNREPEATABLE = frozenset({_S.APPROVED, _S.DISTRIBUTING, _S.DONE})

type StoreId = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s/#?%\\]+$")]


class Record(BaseModel):
    """Base of everything stored: immutable, and nothing in it that is not named."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Sentences(Record):
    """One text for people, in both languages."""

    ko: str
    en: str


class GateVerdict(Record):
    """One figure that was held against a limit. A `blocking` one that did not pass stops the week."""

    name: str
    passed: bool
    blocking: bool
    value: float
    limit: float
    text: Sentences


class Quarantined(Record):
    """A store that could not be forecast by its model and got the seasonal-naive forecast."""

    store_id: StoreId
    reason: str
    text: Sentences


class Totals(Record):
    """The week in four figures; `visitors` at the mean, staff-days as planned before edits."""

    stores: int
    visitors: float
    staff_days: float
    last_week_staff_days: float


class Approval(Record):
    """A planner's decision on one plan version."""

    by: str
    at: AwareDatetime
    decision: Literal["approve", "reject"]
    reason: str = ""
    plan_version: int


class Run(Record):
    """The newest attempt at a week."""

    week: str
    attempt: int = Field(ge=1)
    state: RunState
    revision: int = Field(ge=1)
    execution: str  # name of the Step Functions execution that owns the attempt
    started_at: AwareDatetime
    started_by: str  # "schedule", or the id of the planner
    backfill: bool = False
    override_gate_reason: str = ""
    ended_at: AwareDatetime | None = None
    data_version: str | None = None
    release_version: int | None = None
    models: tuple[str, ...] = ()  # arm=name/version
    shards: int = 0
    gate: tuple[GateVerdict, ...] = ()
    quarantined: int = 0
    totals: Totals | None = None
    plan_version: int = 0  # counts up with every edit; 0 until there is a plan
    approval: Approval | None = None
    error: Sentences | None = None
    error_code: str | None = None

    @property
    def prefix(self) -> str:
        """Where the attempt's files lie."""
        return f"runs/{self.week}/{self.attempt}"

    def moved(self, state: RunState, **changes: Any) -> Self:
        """The record after a move.

        Raises:
            Conflict: the table of moves has no such move.
        """
        if state not in ALLOWED_MOVES[self.state]:
            raise Conflict(f"week {self.week} is {self.state} and can't become {state}")
        return self.changed(state=state, **changes)

    def changed(self, **changes: Any) -> Self:
        """The record with other fields, one revision on."""
        return type(self).model_validate(self.model_dump() | changes | {"revision": self.revision + 1})


class RunEvent(Record):
    """One line of the week's history; never changed, never deleted."""

    week: str
    attempt: int
    at: AwareDatetime
    step: str
    by: str = "pawcast"
    text: Sentences
    facts: Mapping[str, JsonValue] = Field(default_factory=dict)


class Edit(Record):
    """What a planner set a store's staff to, at a day or an hour. It outlives attempts; the newest of a cell counts."""

    week: str
    store_id: StoreId
    ts: datetime  # the store's wall clock
    staff: int = Field(ge=0, le=10_000)
    planned: int  # what it replaced
    by: str
    reason: str
    at: AwareDatetime


ReceiptState = Literal["sending", "told", "no_address", "refused"]


class Receipt(Record):
    """What became of one store's plan. `sending` with a time in the past: nobody knows whether the mail left."""

    week: str
    store_id: StoreId
    plan_version: int
    state: ReceiptState
    at: AwareDatetime
    key: str  # of the plan's files in the plans bucket
    claimed_until: AwareDatetime | None = None
