"""People's part of a week: planners are asked, decide, and hear of everything that needs them. Also how a run ends.

A decision reaches the state machine through a task token. The token is kept in a table item of its own and is in no
link, answer or log; who may use it is decided here, by the signed-in planner and the plan version that was looked at.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from zoneinfo import ZoneInfo

from pawcast.errors import Conflict, DataNotFresh, InvalidRequest, NotFound
from pawcast.forecasting.weekly.messages import BODIES, ERRORS, NOTICES, STEPS, TODO, filled
from pawcast.forecasting.weekly.ports import Clock, Json, Planners, Weeks, Workflow
from pawcast.forecasting.weekly.run import Approval, Run, RunEvent, RunState, Sentences
from pawcast.forecasting.weekly.week import Week

SHOWN_ERROR: Final = 300


def event_of(
    run: Run, at: datetime, step: str, text: Sentences, *, by: str = "pawcast", facts: Mapping[str, Any] | None = None
) -> RunEvent:
    """One line of the history of a run."""
    return RunEvent(week=run.week, attempt=run.attempt, at=at, step=step, by=by, text=text, facts=facts or {})


@dataclass(frozen=True)
class PlannerNotices:
    """Tells planners, each thing once a week and attempt.

    What was told is written down afterwards: a topic that fails must not cost planners a notice, better two than none.
    """

    weeks: Weeks
    planners: Planners
    base_url: str

    def tell(self, run: Run, kind: str, body: Sentences, once: str | None = None) -> bool:
        """Tell; False when it was told before. `once` names what is told once, by default the kind in this attempt."""
        notice = once or f"{kind}#{run.attempt}"
        if self.weeks.was_told(run.week, notice):
            return False
        title = filled(NOTICES[kind], week=run.week)
        event = {
            "event": kind,
            "week": run.week,
            "attempt": run.attempt,
            "state": run.state.value,
            "text": body.model_dump(),
            "link": self.link(run.week),
        }
        text = f"{body.ko}\n\n{body.en}\n\n{self.link(run.week)}\n"
        self.planners.tell(event, f"{title.en} / {title.ko.removeprefix('[Pawcast] ')}", text)
        self.weeks.note_told(run.week, notice)
        return True

    def link(self, week: str) -> str:
        """The approval page of a week. It asks for a sign-in; no token is in it."""
        return f"{self.base_url}/weeks.html?week={week}"


@dataclass(frozen=True)
class Approver:
    """Asks for approval, and ends runs that did not reach the stores."""

    weeks: Weeks
    notices: PlannerNotices
    zone: ZoneInfo
    now: Clock

    def ask(self, week_name: str, attempt: int, token: str) -> Json:
        """Keep the token and ask the planners; `seconds` that the state machine may wait.

        Raises:
            Conflict: another attempt owns the week now.
        """
        run = self._owned(week_name, attempt)
        now, week = self.now(), Week.parse(week_name)
        until = week.approval_ends(now, self.zone)
        self.weeks.put_token(week_name, attempt, token)
        if run.state in (RunState.RUNNING, RunState.FAILED):
            run = run.moved(RunState.WAITING_FOR_APPROVAL, error=None, error_code=None, ended_at=None)
            self.weeks.save(run)
        shown = until.astimezone(self.zone).strftime("%Y-%m-%d %H:%M")
        self.weeks.add_event(event_of(run, now, "asked", filled(STEPS["asked"], until=shown)))
        self.notices.tell(run, "approval_wanted", filled(BODIES["approval_wanted"], until=shown))
        return {"until": until.isoformat()}

    def end(
        self,
        execution: str,
        ending: str,
        error: Mapping[str, Any],
        week_name: str | None = None,
        attempt: int | None = None,
    ) -> Json:
        """End the attempt of an execution that did not reach the stores, and tell the planners what to do.

        `error` is what the state machine caught: `Error` and `Cause` (JSON of the function's exception, or text). An
        attempt that has ended keeps its error: EventBridge says less of it than the state machine did.
        """
        now = self.now()
        week = Week.parse(week_name) if week_name else Week.to_run(now, self.zone)
        run = self.weeks.get(week.name)
        if run is None:
            run = never_opened(week, execution, now)  # it failed before it could write anything down
        elif run.execution != execution:
            return self._not_sent(run, execution, error, attempt)
        elif run.state is RunState.DONE:
            return {"outcome": "done"}
        elif run.state is RunState.REJECTED:
            reason = run.approval.reason if run.approval else ""
            self.notices.tell(run, "rejected", filled(BODIES["rejected"], reason=reason))
            return {"outcome": "rejected"}
        code, text = _explained(ending, error, run)
        if run.error is not None and run.error_code is not None:
            code, text = run.error_code, run.error
        if run.state not in (RunState.FAILED, RunState.MISSED):
            missed = ending == "missed" and run.state is RunState.WAITING_FOR_APPROVAL
            run = run.moved(RunState.MISSED if missed else RunState.FAILED, error=text, error_code=code, ended_at=now)
            self.weeks.save(run)
            step = STEPS["missed"] if missed else _put(STEPS["failed"], error=text)
            self.weeks.add_event(event_of(run, now, run.state.value, step, facts={"code": code}))
        self.notices.tell(run, code if code in NOTICES else "run_failed", text)
        return {"outcome": run.state.value, "code": code}

    def _not_sent(self, run: Run, execution: str, error: Mapping[str, Any], attempt: int | None) -> Json:
        """An execution that only sent an approved plan again has failed: the run stays what it is."""
        if attempt != run.attempt or run.approval is None:
            return {"outcome": "superseded"}
        _, text = _explained("failed", error, run)
        if self.notices.tell(run, "run_failed", text, once=f"run_failed#{execution}"):
            step = _put(STEPS["failed"], error=text)
            self.weeks.add_event(event_of(run, self.now(), "failed", step, facts={"execution": execution}))
        return {"outcome": "not_sent"}

    def backfilled(self, execution: str, week_name: str) -> Json:
        """End a run of a week that has begun: it was forecast and reported, and nobody is told."""
        run = self.weeks.get(week_name)
        if run is None or run.execution != execution:
            return {"outcome": "superseded"}
        if run.state is not RunState.DONE:
            now = self.now()
            run = run.moved(RunState.DONE, ended_at=now, error=None, error_code=None)
            self.weeks.save(run)
            self.weeks.add_event(event_of(run, now, "backfilled", STEPS["backfilled"]))
        return {"outcome": "done"}

    def _owned(self, week_name: str, attempt: int) -> Run:
        run = self.weeks.get(week_name)
        if run is None or run.attempt != attempt:
            raise Conflict(f"attempt {attempt} of week {week_name} was superseded")
        return run


@dataclass(frozen=True)
class Decider:
    """Takes planners' decisions."""

    weeks: Weeks
    workflow: Workflow
    now: Clock

    def decide(self, week_name: str, decision: str, plan_version: int, reason: str, by: str) -> Run:
        """Take a planner's decision. The same decision by the same planner again changes nothing.

        Raises:
            InvalidRequest: neither approve nor reject, or a rejection without a reason.
            NotFound: the week has no run.
            Conflict: it does not wait, it was decided already, or the plan changed since it was looked at.
        """
        if decision not in ("approve", "reject"):
            raise InvalidRequest(f"decision {decision[:20]!r}: approve or reject", field="decision")
        if decision == "reject" and not reason.strip():
            raise InvalidRequest("a rejection needs a reason", code="reason_missing", field="reason")
        run = self.weeks.get(week_name)
        if run is None:
            raise NotFound(f"week {week_name} has no run")
        if run.approval is not None and (run.approval.by, run.approval.decision) == (by, decision):
            self._answer(run)
            return run
        if run.state is not RunState.WAITING_FOR_APPROVAL:
            raise Conflict(f"week {week_name} is {run.state}, it does not wait for a decision")
        if run.plan_version != plan_version:
            raise Conflict(
                f"the plan of {week_name} is at version {run.plan_version} by now, you looked at {plan_version}"
            )
        now = self.now()
        kind: Literal["approve", "reject"] = "approve" if decision == "approve" else "reject"
        approval = Approval(by=by, at=now, decision=kind, reason=reason.strip(), plan_version=plan_version)
        state = RunState.APPROVED if kind == "approve" else RunState.REJECTED
        run = run.moved(state, approval=approval, ended_at=now if kind == "reject" else None)
        self.weeks.save(run)
        step = "approved" if kind == "approve" else "rejected"
        text = filled(STEPS[step], plan_version=plan_version, reason=approval.reason)
        self.weeks.add_event(event_of(run, now, step, text, by=by))
        self._answer(run)
        return run

    def _answer(self, run: Run) -> None:
        """Hand the decision to the state machine; it may have it already, or be gone."""
        token = self.weeks.token(run.week, run.attempt)
        if token is None or run.approval is None:
            return
        if run.approval.decision == "approve":
            self.workflow.succeed(token, {"decision": "approve", "plan_version": run.approval.plan_version})
        else:
            self.workflow.fail(token, "Rejected", "rejected by a planner")


@dataclass(frozen=True)
class Watcher:
    """Looks after the deadline."""

    weeks: Weeks
    notices: PlannerNotices
    zone: ZoneInfo
    now: Clock

    def watch(self) -> Json:
        """Tell planners when the deadline of the week that is due next is at risk; called on Tuesday to Thursday."""
        now = self.now()
        week = Week.to_run(now, self.zone)
        run = self.weeks.get(week.name)
        todo = _todo(run)
        if todo is None:
            return {"week": week.name, "at_risk": False}
        shown = run or never_opened(week, "none", now)
        state = "not started" if run is None else run.state
        body = _put(filled(BODIES["deadline_at_risk"], state=state, todo="{todo}"), todo=TODO[todo])
        hour = now.astimezone(self.zone).strftime("%Y-%m-%dT%H")
        self.notices.tell(shown, "deadline_at_risk", body, once=f"deadline_at_risk#{hour}")
        return {"week": week.name, "at_risk": True, "todo": todo}


def _todo(run: Run | None) -> str | None:
    if run is None or run.state in (RunState.FAILED, RunState.MISSED, RunState.REJECTED):
        return "start"
    waiting = {
        RunState.RUNNING: "wait",
        RunState.WAITING_FOR_APPROVAL: "approve",
        RunState.APPROVED: "wait",
        RunState.DISTRIBUTING: "resend",
    }
    return waiting.get(run.state)


def never_opened(week: Week, execution: str, now: datetime) -> Run:
    """What stands for a run that could not even be written down."""
    return Run(
        week=week.name,
        attempt=1,
        state=RunState.FAILED,
        revision=1,
        execution=execution,
        started_at=now,
        started_by="schedule",
    )


def _put(text: Sentences, **parts: Sentences) -> Sentences:
    """Sentences with sentences put in, each in its language."""
    return Sentences(
        ko=text.ko.format(**{name: part.ko for name, part in parts.items()}),
        en=text.en.format(**{name: part.en for name, part in parts.items()}),
    )


def _explained(ending: str, error: Mapping[str, Any], run: Run) -> tuple[str, Sentences]:
    """Code and sentences of what went wrong."""
    if ending == "missed":
        return "missed", ERRORS["missed"]
    if ending == "gate_failed":
        failed = [verdict.text for verdict in run.gate if verdict.blocking and not verdict.passed]
        reasons = Sentences(ko=" ".join(each.ko for each in failed), en=" ".join(each.en for each in failed))
        return "gate_failed", _put(ERRORS["gate_failed"], reasons=reasons)
    name, cause = str(error.get("Error", "unknown")), str(error.get("Cause", ""))
    told = _own_words(cause)
    if told is not None:
        return told
    detail = f"{name}: {cause[:SHOWN_ERROR]}" if cause else name
    return ending, filled(ERRORS["step_failed"], error=detail)


def _own_words(cause: str) -> tuple[str, Sentences] | None:
    """What DataNotFresh says for itself: its message is JSON with a problem and both languages."""
    try:
        message = json.loads(json.loads(cause)["errorMessage"])
        return DataNotFresh.code, Sentences(ko=message["ko"], en=message["en"])
    except (ValueError, KeyError, TypeError):
        return None
