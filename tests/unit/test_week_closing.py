"""However a run ends, planners hear of it, once, in words that help."""

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pawcast.errors import Conflict, DataNotFresh, DependencyUnavailable
from pawcast.forecasting.weekly.approving import Approver, PlannerNotices
from pawcast.forecasting.weekly.closing import Closer, ended_elsewhere
from pawcast.forecasting.weekly.distributing import Finisher
from pawcast.forecasting.weekly.run import Run, RunState, Sentences
from tests.support.week_fakes import TUESDAY, WEEK, FakePlanners, FakeWeeks, a_run

STALE = json.dumps({"errorMessage": str(DataNotFresh("data_not_fresh", ko="데이터가 없습니다", en="12 are missing"))})


class FailingOnce(FakePlanners):
    """A topic that is gone for a moment."""

    def tell(self, event: dict[str, Any], subject: str, text: str) -> None:
        if not self.kinds and not hasattr(self, "failed"):
            self.failed = True
            raise DependencyUnavailable("sns:Publish")
        super().tell(event, subject, text)


class Week:
    """A week with what closes it."""

    def __init__(self, *runs: Run, planners: FakePlanners | None = None) -> None:
        self.weeks, self.planners = FakeWeeks(*runs), planners or FakePlanners()
        notices = PlannerNotices(self.weeks, self.planners, "https://pawcast.example")
        approver = Approver(weeks=self.weeks, notices=notices, zone=ZoneInfo("Asia/Seoul"), now=lambda: TUESDAY)
        self.closer = Closer(approver, Finisher(weeks=self.weeks, notices=notices, now=lambda: TUESDAY))

    def close(self, ending: str, **order: Any) -> dict[str, Any]:
        return self.closer.close({"execution": "run-1", "ending": ending, "week": WEEK, "attempt": 1} | order)

    def ended(self, name: str = "run-1", status: str = "FAILED", **order: Any) -> dict[str, Any]:
        """EventBridge's word on an execution."""
        detail = {"name": name, "status": status, "input": json.dumps(order), "error": "WeekFailed", "cause": "see"}
        return self.closer.close(ended_elsewhere({"detail": detail}))

    @property
    def run(self) -> Run:
        return self.weeks.runs[WEEK]


def test_a_notice_that_could_not_be_told_is_told_by_the_next_try() -> None:
    week = Week(a_run(), planners=FailingOnce())

    with pytest.raises(DependencyUnavailable):
        week.close("failed", error={"Error": "States.Timeout"})
    week.close("failed", error={"Error": "States.Timeout"})
    week.close("failed", error={"Error": "States.Timeout"})

    assert ["run_failed"] == week.planners.kinds


def test_eventbridges_word_on_a_failure_that_was_told_adds_nothing() -> None:
    week = Week(a_run())
    week.close("failed", error={"Error": "DataNotFresh", "Cause": STALE})

    again = week.ended(started_by="schedule")

    assert {"outcome": "failed", "code": "data_not_fresh"} == again
    assert ["data_not_fresh"] == week.planners.kinds
    assert Sentences(ko="데이터가 없습니다", en="12 are missing") == week.run.error


@pytest.mark.parametrize("ending", ["missed", "gate_failed"])
def test_a_week_that_stopped_is_told_once_whoever_says_so(ending: str) -> None:
    state = RunState.WAITING_FOR_APPROVAL if ending == "missed" else RunState.RUNNING
    week = Week(a_run(state))
    week.close(ending)

    week.ended(week=WEEK)

    assert [ending] == week.planners.kinds
    assert ending == week.run.error_code


def test_a_failure_that_only_eventbridge_saw_is_told() -> None:
    week = Week(a_run())

    week.ended(status="TIMED_OUT", started_by="schedule")

    assert (RunState.FAILED, ["run_failed"]) == (week.run.state, week.planners.kinds)
    assert "WeekFailed: see" in week.planners.heard[0][2]


def test_a_week_that_is_done_stays_done_whatever_its_execution_says() -> None:
    week = Week(a_run(RunState.DONE))

    assert {"outcome": "done"} == week.close("failed", error={"Error": "Lambda.Unknown"})
    assert ([], RunState.DONE) == (week.planners.kinds, week.run.state)


def test_a_start_by_hand_that_was_not_opened_ends_its_own_week_and_no_other() -> None:
    older = a_run(week="2026-W40", execution="by-hand", backfill=True)
    week = Week(a_run(), older)

    week.closer.close(
        {
            "execution": "by-hand",
            "ending": "failed",
            "error": {"Error": "DataNotFresh", "Cause": STALE},
            "request": {"week": "2026-W40", "started_by": "planner-1"},
        }
    )

    assert (RunState.RUNNING, RunState.FAILED) == (week.run.state, week.weeks.runs["2026-W40"].state)
    assert [("data_not_fresh", "2026-W40")] == [(event["event"], event["week"]) for event, _, _ in week.planners.heard]


def test_a_schedule_that_was_not_opened_ends_the_week_that_is_due() -> None:
    week = Week(a_run())

    week.closer.close({"execution": "run-1", "ending": "failed", "error": {}, "request": {"started_by": "schedule"}})

    assert RunState.FAILED is week.run.state


def test_a_plan_that_could_not_be_sent_again_is_told_and_the_run_stays_what_it_is() -> None:
    week = Week(a_run(RunState.DONE))
    before = week.run

    first = week.close("failed", execution="2026-W49-resend-1", error={"Error": "DependencyUnavailable"})
    again = week.ended("2026-W49-resend-1", resend={"week": WEEK, "attempt": 1, "shards": [0]})

    assert ({"outcome": "not_sent"}, {"outcome": "not_sent"}) == (first, again)
    assert (["run_failed"], before) == (week.planners.kinds, week.run)
    assert [("failed", "2026-W49-resend-1")] == [(event.step, event.facts["execution"]) for event in week.weeks.history]


def test_an_attempt_that_was_replaced_ends_nothing_and_tells_nobody() -> None:
    week = Week(a_run(attempt=2, execution="run-2"))

    assert {"outcome": "superseded"} == week.close("failed", error={"Error": "X"})
    assert {"outcome": "superseded"} == week.ended(week=WEEK)
    assert ([], RunState.RUNNING) == (week.planners.kinds, week.run.state)


def test_a_week_ends_done_when_its_stores_were_told() -> None:
    week = Week(a_run(RunState.DISTRIBUTING))

    assert 3 == week.close("done")["missing"]
    assert (RunState.DONE, ["done"]) == (week.run.state, week.planners.kinds)


def test_a_week_that_was_never_approved_is_not_done() -> None:
    for run in (a_run(RunState.RUNNING), a_run(RunState.DONE, attempt=2)):
        with pytest.raises(Conflict, match="not the one that was approved"):
            Week(run).close("done")


def test_a_backfill_ends_without_a_word() -> None:
    week = Week(a_run(backfill=True))

    assert {"outcome": "done"} == week.close("backfilled")
    assert (RunState.DONE, []) == (week.run.state, week.planners.kinds)


def test_a_rejection_that_is_closed_twice_is_told_once() -> None:
    week = Week(a_run(RunState.REJECTED))

    assert {"outcome": "rejected"} == week.close("rejected", error={"Error": "Rejected"}) == week.close("rejected")
    assert ["rejected"] == week.planners.kinds
