"""People decide about a week, and hear of everything that needs them."""

import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pawcast.errors import Conflict, DataNotFresh, InvalidRequest, NotFound
from pawcast.forecasting.weekly.approving import Approver, Decider, PlannerNotices, Watcher
from pawcast.forecasting.weekly.closing import ended_elsewhere
from pawcast.forecasting.weekly.run import GateVerdict, Run, RunState, Sentences
from tests.support.week_fakes import TUESDAY, WEEK, FakePlanners, FakeWeeks, FakeWorkflow, a_run

SEOUL = ZoneInfo("Asia/Seoul")


class People:
    """A week with everyone around it."""

    def __init__(self, run: Run | None = None, now: datetime = TUESDAY) -> None:
        self.weeks = FakeWeeks(run) if run is not None else FakeWeeks()
        self.planners, self.workflow, self.now = FakePlanners(), FakeWorkflow(), now
        self.notices = PlannerNotices(self.weeks, self.planners, "https://pawcast.example")

    @property
    def approver(self) -> Approver:
        return Approver(weeks=self.weeks, notices=self.notices, zone=SEOUL, now=lambda: self.now)

    def decide(self, decision: str, version: int = 1, reason: str = "", by: str = "planner-1") -> Run:
        decider = Decider(weeks=self.weeks, workflow=self.workflow, now=lambda: self.now)
        return decider.decide(WEEK, decision, version, reason, by)

    def watch(self) -> dict[str, Any]:
        return Watcher(weeks=self.weeks, notices=self.notices, zone=SEOUL, now=lambda: self.now).watch()

    @property
    def state(self) -> RunState:
        return self.weeks.runs[WEEK].state


def waiting() -> People:
    people = People(a_run())
    people.approver.ask(WEEK, 1, "secret-token")
    return people


def test_asking_keeps_the_token_and_tells_the_planners_a_link_without_it() -> None:
    people = waiting()

    event, subject, text = people.planners.heard[0]
    assert RunState.WAITING_FOR_APPROVAL is people.state
    assert ("approval_wanted", "https://pawcast.example/weeks.html?week=2026-W49") == (event["event"], event["link"])
    assert "2026-11-26 12:00" in text
    assert "승인" in subject
    told = json.dumps([event, subject, text, [e.model_dump(mode="json") for e in people.weeks.history]])
    assert "secret-token" not in told + people.weeks.runs[WEEK].model_dump_json()


def test_asking_twice_tells_once() -> None:
    people = waiting()
    people.approver.ask(WEEK, 1, "secret-token")

    assert ["approval_wanted"] == people.planners.kinds


def test_an_approval_answers_the_state_machine() -> None:
    people = waiting()

    run = people.decide("approve", reason="looks right")

    assert ("planner-1", "approve", 1, "looks right") == (
        run.approval and run.approval.by,
        run.approval and run.approval.decision,
        run.approval and run.approval.plan_version,
        run.approval and run.approval.reason,
    )
    assert [("secret-token", {"decision": "approve", "plan_version": 1})] == people.workflow.answers


def test_approving_twice_is_approving_once() -> None:
    people = waiting()
    people.decide("approve")

    again = people.decide("approve")

    assert RunState.APPROVED is again.state
    assert ["asked", "approved"] == [event.step for event in people.weeks.history]


def test_the_second_planner_hears_that_it_was_decided() -> None:
    people = waiting()
    people.decide("approve")

    with pytest.raises(Conflict, match="does not wait"):
        people.decide("reject", reason="no", by="planner-2")


def test_a_plan_that_changed_since_it_was_looked_at_is_not_approved() -> None:
    people = waiting()

    with pytest.raises(Conflict, match="at version 1 by now, you looked at 7"):
        people.decide("approve", version=7)


def test_a_rejection_needs_a_reason_and_ends_the_attempt() -> None:
    people = waiting()

    with pytest.raises(InvalidRequest) as refused:
        people.decide("reject", reason="  ")
    people.decide("reject", reason="the fair is missing")
    people.approver.end("run-1", "rejected", {}, WEEK)

    assert "reason_missing" == refused.value.request_code
    assert RunState.REJECTED is people.state
    assert [("secret-token", "Rejected")] == people.workflow.answers
    assert ["approval_wanted", "rejected"] == people.planners.kinds
    assert "the fair is missing" in people.planners.heard[-1][2]


def test_what_is_no_decision_and_a_week_without_a_run_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="approve or reject"):
        waiting().decide("perhaps")
    with pytest.raises(NotFound):
        People().decide("approve")


def test_an_approval_after_the_deadline_finds_nobody_waiting() -> None:
    people = waiting()
    people.approver.end("run-1", "missed", {"Error": "States.Timeout"}, WEEK)

    with pytest.raises(Conflict, match="missed"):
        people.decide("approve")

    assert RunState.MISSED is people.state
    assert ["approval_wanted", "missed"] == people.planners.kinds


def test_missing_data_is_told_in_the_words_of_the_check() -> None:
    people = People(a_run())
    raised = DataNotFresh("data_not_fresh", ko="데이터가 없습니다", en="12 of 300 stores are missing")
    cause = json.dumps({"errorMessage": str(raised), "errorType": "DataNotFresh"})

    people.approver.end("run-1", "failed", {"Error": "DataNotFresh", "Cause": cause}, WEEK)

    run = people.weeks.runs[WEEK]
    assert ("data_not_fresh", "12 of 300 stores are missing") == (run.error_code, run.error and run.error.en)
    assert ["data_not_fresh"] == people.planners.kinds


def test_a_step_that_failed_is_told_with_what_to_do() -> None:
    people = People(a_run())

    people.approver.end("run-1", "failed", {"Error": "States.Timeout", "Cause": "x" * 999}, WEEK)
    people.approver.end("run-1", "failed", {"Error": "States.Timeout"}, WEEK)

    error = people.weeks.runs[WEEK].error
    assert error is not None
    assert "by hand" in error.en
    assert len(error.en) < 600
    assert ["run_failed"] == people.planners.kinds


def test_the_gate_says_which_figure_stopped_the_week() -> None:
    failed = GateVerdict(
        name="visitors_change", passed=False, blocking=True, value=9, limit=2, text=Sentences(ko="9배", en="9 times")
    )
    people = People(a_run(gate=(failed,)))

    people.approver.end("run-1", "gate_failed", {}, WEEK)

    assert "9 times" in people.planners.heard[0][2]
    assert "gate_failed" == people.weeks.runs[WEEK].error_code


def test_a_run_that_failed_before_it_was_written_down_is_told_too() -> None:
    people = People()

    closed = people.approver.end("run-1", "failed", {"Error": "DependencyUnavailable"})

    assert {"outcome": "failed", "code": "failed"} == closed
    assert ["run_failed"] == people.planners.kinds
    assert {} == people.weeks.runs


def test_an_execution_that_was_replaced_ends_nothing() -> None:
    people = People(a_run(execution="run-2", attempt=2))

    assert {"outcome": "superseded"} == people.approver.end("run-1", "missed", {}, WEEK)
    assert {"outcome": "superseded"} == people.approver.backfilled("run-1", WEEK)
    assert RunState.RUNNING is people.state


def test_a_backfill_is_done_without_asking_anyone() -> None:
    people = People(a_run(backfill=True))

    people.approver.backfilled("run-1", WEEK)
    people.approver.backfilled("run-1", WEEK)

    assert RunState.DONE is people.state
    assert [] == people.planners.heard
    assert ["backfilled"] == [event.step for event in people.weeks.history]


def test_a_redriven_execution_asks_again() -> None:
    people = People(a_run(RunState.FAILED, error_code="failed"))

    people.approver.ask(WEEK, 1, "token")

    run = people.weeks.runs[WEEK]
    assert (RunState.WAITING_FOR_APPROVAL, None, None) == (run.state, run.error, run.ended_at)


@pytest.mark.parametrize(
    ("run", "todo"),
    [
        (None, "start"),
        (a_run(RunState.FAILED), "start"),
        (a_run(RunState.REJECTED), "start"),
        (a_run(RunState.RUNNING), "wait"),
        (a_run(RunState.WAITING_FOR_APPROVAL), "approve"),
        (a_run(RunState.DISTRIBUTING), "resend"),
        (a_run(RunState.DONE), None),
    ],
)
def test_a_deadline_at_risk_is_told_with_what_to_do(run: Run | None, todo: str | None) -> None:
    people = People(run, now=TUESDAY + timedelta(hours=36))

    watched = people.watch()
    people.watch()

    assert todo == watched.get("todo")
    assert ([] if todo is None else ["deadline_at_risk"]) == people.planners.kinds


def test_each_watch_of_the_day_tells_once() -> None:
    people = People(a_run(RunState.WAITING_FOR_APPROVAL), now=TUESDAY)
    people.watch()
    people.now += timedelta(hours=4)
    people.watch()

    assert ["deadline_at_risk"] * 2 == people.planners.kinds


def test_an_aborted_execution_is_an_order_to_close_its_week() -> None:
    detail = {"name": "run-1", "status": "ABORTED", "input": json.dumps({"week": WEEK}), "error": None, "cause": None}

    order = ended_elsewhere({"detail": detail})

    assert {
        "execution": "run-1",
        "ending": "failed",
        "week": WEEK,
        "error": {"Error": "ABORTED", "Cause": "ABORTED"},
    } == order
