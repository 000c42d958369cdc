"""What the approval page asks for, without HTTP. Every method takes the signed-in caller, who must be a planner."""

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from pawcast.callers import Caller
from pawcast.errors import Conflict, InvalidRequest, NotFound
from pawcast.forecasting.weekly.approving import Decider, event_of
from pawcast.forecasting.weekly.distributing import is_uncertain, receipt_counts
from pawcast.forecasting.weekly.messages import STEPS, filled
from pawcast.forecasting.weekly.plan import ShardPlans, StoreLine, StorePlan, checked_edits, lines_key, shard_key
from pawcast.forecasting.weekly.ports import Clock, Files, Json, Weeks, Workflow
from pawcast.forecasting.weekly.run import INLINE_SHARDS, Edit, Receipt, Run, RunState
from pawcast.forecasting.weekly.week import Week

PLANNERS: Final = "planners"
PAGE_DEFAULT, PAGE_MAX = 50, 200
TEXT_MAX: Final = 1_000
EDITS_MAX: Final = 90
LINK_SECONDS: Final = 900
WITH_PLAN: Final = frozenset(
    {
        RunState.WAITING_FOR_APPROVAL,
        RunState.APPROVED,
        RunState.DISTRIBUTING,
        RunState.DONE,
        RunState.REJECTED,
        RunState.MISSED,
        RunState.FAILED,  # stopped by the gate: what a planner must see before overriding it
    }
)


@dataclass(frozen=True)
class PlannerApi:
    """The API's operations on weeks."""

    weeks: Weeks
    files: Files
    workflow: Workflow
    decider: Decider
    zone: ZoneInfo
    now: Clock
    new_id: Callable[[], str]

    def list(self, caller: Caller, query: Mapping[str, str]) -> Json:
        """Weeks, newest first."""
        caller.must_be_in(PLANNERS)
        page = self.weeks.latest(_cursor(query), _limit(query))
        return {"items": [self._head(run) for run in page.items], "next_cursor": _encoded(page.next_key)}

    def one(self, caller: Caller, week: str) -> Json:
        """One week with its gate, receipts and history."""
        caller.must_be_in(PLANNERS)
        run = self._run(week)
        result: Json = {"quarantined": []}
        if self._has_plan(run):
            result = self.files.get_json(f"{run.prefix}/result.json")
        return self._head(run) | {
            "data_version": run.data_version,
            "models": list(run.models),
            "gate": [verdict.model_dump(mode="json") for verdict in run.gate],
            "shards": run.shards,
            "quarantined": result["quarantined"],
            "report_url": self.files.link(f"{run.prefix}/report/index.html", LINK_SECONDS)
            if self._has_plan(run)
            else None,
            "approval": run.approval.model_dump(mode="json") if run.approval else None,
            "receipts": receipt_counts(self._receipts(run), run, self.now()),
            "events": [event.model_dump(mode="json") for event in self.weeks.events(week)],
        }

    def stores(self, caller: Caller, week: str, query: Mapping[str, str]) -> Json:
        """The stores of a week: those that need a look first, then by name; `q` searches id and name."""
        caller.must_be_in(PLANNERS)
        run = self._planned(week)
        wanted = query.get("q", "").strip().casefold()
        lines = [StoreLine.model_validate(line) for line in self.files.get_json(lines_key(run.prefix))]
        found = [line for line in lines if wanted in line.store_id.casefold() or wanted in line.name.casefold()]
        found.sort(key=lambda line: (line.infeasible is None and line.look is None, line.name, line.store_id))
        start, limit = _position(query), _limit(query)
        shown = found[start : start + limit]
        edited = {edit.store_id for edit in self.weeks.edits(week)}
        receipts = self._receipts(run)
        return {
            "items": [self._line(line, edited, receipts.get(line.store_id)) for line in shown],
            "next_cursor": _encoded(str(start + limit)) if start + limit < len(found) else None,
            "total": len(found),
        }

    def store(self, caller: Caller, week: str, store_id: str) -> Json:
        """One store's plan with its edits."""
        caller.must_be_in(PLANNERS)
        run = self._planned(week)
        return self._store(run, self._plan(run, store_id))

    def edit(self, caller: Caller, week: str, store_id: str, request: Mapping[str, Any]) -> Json:
        """Set the staff of days or hours; the store's plan afterwards.

        Raises:
            InvalidRequest: see `plan.checked_edits`; or no reason.
            Conflict: the week does not wait for approval, or its plan changed since it was looked at.
        """
        caller.must_be_in(PLANNERS)
        run = self._planned(week)
        if run.state is not RunState.WAITING_FOR_APPROVAL:
            raise Conflict(f"week {week} is {run.state}: its plan can't be edited any more")
        if request.get("plan_version") != run.plan_version:
            raise Conflict(f"the plan of {week} is at version {run.plan_version} by now")
        reason = _text(request, "reason", needed=True)
        plan = self._plan(run, store_id)
        now = self.now()
        edits = [
            Edit(
                week=week,
                store_id=store_id,
                ts=row.ts,
                staff=staff,
                planned=row.staff,
                by=caller.user_id,
                reason=reason,
                at=now,
            )
            for row, staff in checked_edits(plan, _cells(request))
        ]
        self.weeks.put_edits(run, edits)
        text = filled(STEPS["edited"], store_id=store_id, cells=len(edits), reason=reason)
        run = self._run(week)
        self.weeks.add_event(event_of(run, now, "edited", text, by=caller.user_id, facts={"store_id": store_id}))
        return self._store(run, plan)

    def comment(self, caller: Caller, week: str, request: Mapping[str, Any]) -> Json:
        """Add a comment to the history."""
        caller.must_be_in(PLANNERS)
        run = self._run(week)
        comment = filled(STEPS["commented"], comment=_text(request, "text", needed=True))
        self.weeks.add_event(event_of(run, self.now(), "commented", comment, by=caller.user_id))
        return self.one(caller, week)

    def decide(self, caller: Caller, week: str, request: Mapping[str, Any]) -> Json:
        """Approve or reject the plan version that was looked at."""
        caller.must_be_in(PLANNERS)
        version = request.get("plan_version")
        if not isinstance(version, int) or isinstance(version, bool):
            raise InvalidRequest("plan_version: the number of the plan that was looked at", field="plan_version")
        reason = _text(request, "reason", needed=False)
        self.decider.decide(week, str(request.get("decision", "")), version, reason, caller.user_id)
        return self.one(caller, week)

    def resend(self, caller: Caller, week: str, request: Mapping[str, Any]) -> Json:
        """Tell the stores that have no receipt yet, with `include_uncertain` also those of which nobody knows."""
        caller.must_be_in(PLANNERS)
        run = self._run(week)
        if run.state not in (RunState.DONE, RunState.DISTRIBUTING, RunState.FAILED) or run.approval is None:
            raise Conflict(f"week {week} is {run.state}: only an approved plan goes to stores")
        order = {
            "week": week,
            "attempt": run.attempt,
            "shards": list(range(run.shards)),
            "many_shards": run.shards > INLINE_SHARDS,
            "include_uncertain": request.get("include_uncertain") is True,
        }
        self.workflow.start(f"{week}-resend-{self.new_id()[:12]}", {"resend": order})
        return self.one(caller, week)

    def start(self, caller: Caller, week: str, request: Mapping[str, Any]) -> Json:
        """Start a run of any week by hand. A week that has begun is forecast and reported, but told to no store."""
        caller.must_be_in(PLANNERS)
        wanted = Week.parse(week)
        if wanted > Week.to_run(self.now(), self.zone).shifted(1):
            raise InvalidRequest(f"week {week} is too far ahead: its newest known week has not come", field="week")
        order = {
            "week": week,
            "started_by": caller.user_id,
            "override_gate_reason": _text(request, "override_gate_reason", needed=False),
        }
        execution = self.workflow.start(f"{week}-by-hand-{self.new_id()[:12]}", order)
        return {"week": week, "execution": execution}

    # ------------------------------------------------------------ what it is made of

    def _run(self, week: str) -> Run:
        run = self.weeks.get(Week.parse(week).name)
        if run is None:
            raise NotFound(f"week {week} has no run")
        return run

    def _has_plan(self, run: Run) -> bool:
        return run.state in WITH_PLAN and run.totals is not None

    def _planned(self, week: str) -> Run:
        run = self._run(week)
        if not self._has_plan(run):
            raise NotFound(f"week {week} has no plan yet")
        return run

    def _receipts(self, run: Run) -> Mapping[str, Receipt]:
        return self.weeks.receipts(run.week, run.approval.plan_version) if run.approval is not None else {}

    def _plan(self, run: Run, store_id: str) -> StorePlan:
        lines = self.files.get_json(lines_key(run.prefix))
        shards = [line["shard"] for line in lines if line["store_id"] == store_id]
        if not shards:
            raise NotFound(f"week {run.week} has no store {store_id[:64]!r}")
        plans = ShardPlans.model_validate(self.files.get_json(shard_key(run.prefix, shards[0], "plans.json")))
        return next(plan for plan in plans.stores if plan.store_id == store_id)

    def _head(self, run: Run) -> Json:
        week = Week.parse(run.week)
        return {
            "week": run.week,
            "monday": week.monday.isoformat(),
            "state": run.state.value,
            "attempt": run.attempt,
            "backfill": run.backfill,
            "plan_version": run.plan_version,
            "approve_by": week.approve_by(self.zone).isoformat(),
            "deadline": week.deadline(self.zone).isoformat(),
            "started_at": run.started_at.isoformat(),
            "started_by": run.started_by,
            "ended_at": run.ended_at.isoformat() if run.ended_at else None,
            "stores": run.totals.stores if run.totals else None,
            "quarantined_count": run.quarantined,
            "totals": run.totals.model_dump(mode="json") if run.totals else None,
            "error": run.error.model_dump() if run.error else None,
        }

    def _line(self, line: StoreLine, edited: set[str], receipt: Receipt | None) -> Json:
        return line.model_dump(mode="json", exclude={"shard"}) | {
            "edited": line.store_id in edited,
            "needs_look": line.look is not None or line.infeasible is not None,
            "receipt": self._receipt(receipt),
        }

    def _receipt(self, receipt: Receipt | None) -> Json | None:
        if receipt is None:
            return None
        state = "uncertain" if is_uncertain(receipt, self.now()) else receipt.state
        return {"state": state, "at": receipt.at.isoformat(), "plan_version": receipt.plan_version}

    def _store(self, run: Run, plan: StorePlan) -> Json:
        edits = self.weeks.edits(run.week, plan.store_id)
        shown = plan.with_edits(edits)
        return shown.model_dump(mode="json") | {
            "week": run.week,
            "plan_version": run.plan_version,
            "edited": shown.edited,
            "edits": [edit.model_dump(mode="json", exclude={"week", "store_id"}) for edit in edits],
        }


def _text(request: Mapping[str, Any], field: str, *, needed: bool) -> str:
    value = request.get(field, "")
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise InvalidRequest(f"{field}: a text of at most {TEXT_MAX:,} characters", field=field)
    text = "".join(character for character in value.strip() if character.isprintable() or character == "\n")
    if needed and not text:
        raise InvalidRequest(f"{field} is missing", code="reason_missing", field=field)
    return text


def _cells(request: Mapping[str, Any]) -> dict[datetime, int]:
    edits = request.get("edits")
    if not isinstance(edits, list) or not 1 <= len(edits) <= EDITS_MAX:
        raise InvalidRequest(f"edits: a list of 1 to {EDITS_MAX} cells", field="edits")
    cells: dict[datetime, int] = {}
    for edit in edits:
        staff = edit.get("staff") if isinstance(edit, dict) else None
        if not isinstance(staff, int) or isinstance(staff, bool):
            raise InvalidRequest("staff: a whole number", field="staff")
        try:
            ts = datetime.fromisoformat(str(edit.get("ts")))
        except ValueError as error:
            raise InvalidRequest("ts: a day or hour such as 2026-12-07T00:00:00", field="ts") from error
        cells[ts] = staff
    return cells


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", str(PAGE_DEFAULT))
    if not (text.isascii() and text.isdigit() and len(text) <= 3 and 1 <= int(text) <= PAGE_MAX):
        raise InvalidRequest(f"limit must be 1 to {PAGE_MAX}", code="limit_invalid", field="limit")
    return int(text)


def _encoded(key: str | None) -> str | None:
    return None if key is None else base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _cursor(query: Mapping[str, str]) -> str | None:
    text = query.get("cursor")
    if not text:
        return None
    try:
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
    except (binascii.Error, ValueError) as error:
        raise InvalidRequest("cursor is none that this API gave", code="cursor_invalid", field="cursor") from error
    if not 1 <= len(key) <= 100:  # what is no base64 at all decodes to nothing
        raise InvalidRequest("cursor is none that this API gave", code="cursor_invalid", field="cursor")
    return key


def _position(query: Mapping[str, str]) -> int:
    key = _cursor(query) or "0"
    if not (key.isascii() and key.isdigit() and len(key) < 9):
        raise InvalidRequest("cursor is none that this API gave", code="cursor_invalid", field="cursor")
    return int(key)
