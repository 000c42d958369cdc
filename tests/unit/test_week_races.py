"""Two of everything at the same moment: shards, workers, starts, planners. One wins, the other harms nothing."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pawcast.errors import Conflict, VersionConflict
from pawcast.forecasting.weekly.approving import Approver, Decider, PlannerNotices
from pawcast.forecasting.weekly.distributing import Distributor
from pawcast.forecasting.weekly.evaluating import EARLIER_WEEKS, Evaluator, errors_key
from pawcast.forecasting.weekly.opening import Freshness, Opener, Snapshot, StartRequest
from pawcast.forecasting.weekly.run import Receipt, Run, RunState
from pawcast.forecasting.weekly.week import Week
from tests.support.computed_weeks import WEEK as PLANNED
from tests.support.computed_weeks import ComputedWeeks
from tests.support.week_fakes import (
    TUESDAY,
    WEEK,
    FakeFiles,
    FakeMailer,
    FakePlanners,
    FakeWeeks,
    FakeWorkflow,
    a_plan,
    a_run,
)

SEOUL = ZoneInfo("Asia/Seoul")


class Meanwhile(FakeWeeks):
    """A table in which somebody else does something just before the next write."""

    def __init__(self, run: Run, happens: Callable[["Meanwhile"], None]) -> None:
        super().__init__(run)
        self.happens: Callable[[Meanwhile], None] | None = happens

    def _other_first(self) -> None:
        happens, self.happens = self.happens, None
        if happens is not None:
            happens(self)

    def save(self, run: Run) -> None:
        self._other_first()
        super().save(run)

    def claim_receipt(self, receipt: Receipt) -> bool:
        self._other_first()
        return super().claim_receipt(receipt)


def distributor(weeks: FakeWeeks, mailer: FakeMailer) -> Distributor:
    files = FakeFiles()
    files.hold(a_run(), a_plan("S1"), a_plan("S2"))
    return Distributor(weeks=weeks, files=files, mailer=mailer, now=lambda: TUESDAY, warehouse_bucket="warehouse")


def moves(state: RunState) -> Callable[[Meanwhile], None]:
    def happens(weeks: Meanwhile) -> None:
        weeks.runs[WEEK] = weeks.runs[WEEK].moved(state)

    return happens


def test_of_two_shards_that_begin_at_once_both_tell_their_stores() -> None:
    weeks, mailer = Meanwhile(a_run(RunState.APPROVED), moves(RunState.DISTRIBUTING)), FakeMailer()

    told = distributor(weeks, mailer).tell_shard(WEEK, 1, 0)

    assert ({"shard": 0, "told": 2}, RunState.DISTRIBUTING) == (told, weeks.runs[WEEK].state)
    assert [] == weeks.history  # the other one has written it down


def test_a_shard_whose_run_failed_meanwhile_tells_nobody() -> None:
    weeks, mailer = Meanwhile(a_run(RunState.APPROVED), moves(RunState.FAILED)), FakeMailer()

    with pytest.raises(VersionConflict):
        distributor(weeks, mailer).tell_shard(WEEK, 1, 0)

    assert [] == mailer.sent


def test_of_two_workers_at_one_shard_each_store_hears_from_one() -> None:
    def other_claims(weeks: Meanwhile) -> None:
        receipt = Receipt(week=WEEK, store_id="S1", plan_version=1, state="told", at=TUESDAY, key="k")
        weeks.kept[WEEK, 1, "S1"] = receipt

    weeks, mailer = Meanwhile(a_run(RunState.DISTRIBUTING), other_claims), FakeMailer()

    told = distributor(weeks, mailer).tell_shard(WEEK, 1, 0)

    assert {"shard": 0, "told_before": 1, "told": 1} == told
    assert ["S2@example.com"] == [mail.to for mail in mailer.sent]


def test_of_two_planners_who_decide_at_once_one_has_decided() -> None:
    def other_rejects(weeks: Meanwhile) -> None:
        weeks.runs[WEEK] = weeks.runs[WEEK].moved(RunState.REJECTED)

    weeks, workflow = Meanwhile(a_run(RunState.WAITING_FOR_APPROVAL), other_rejects), FakeWorkflow()
    weeks.put_token(WEEK, 1, "token")

    with pytest.raises(VersionConflict):
        Decider(weeks=weeks, workflow=workflow, now=lambda: TUESDAY).decide(WEEK, "approve", 1, "", "planner-1")

    assert [] == workflow.answers


def test_a_decision_on_a_week_whose_token_is_gone_is_kept() -> None:
    weeks, workflow = FakeWeeks(a_run(RunState.WAITING_FOR_APPROVAL)), FakeWorkflow()

    run = Decider(weeks=weeks, workflow=workflow, now=lambda: TUESDAY).decide(WEEK, "approve", 1, "", "planner-1")

    assert (RunState.APPROVED, []) == (run.state, workflow.answers)


def test_an_attempt_that_was_replaced_asks_nobody() -> None:
    planners = FakePlanners()
    for weeks in (FakeWeeks(a_run(attempt=2)), FakeWeeks()):
        notices = PlannerNotices(weeks, planners, "https://pawcast.example")

        with pytest.raises(Conflict, match="superseded"):
            Approver(weeks=weeks, notices=notices, zone=SEOUL, now=lambda: TUESDAY).ask(WEEK, 1, "token")

        assert weeks.token(WEEK, 1) is None
    assert [] == planners.kinds


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (RunState.RUNNING, RunState.APPROVED),
        (RunState.DONE, RunState.FAILED),
        (RunState.REJECTED, RunState.WAITING_FOR_APPROVAL),
        (RunState.MISSED, RunState.DISTRIBUTING),
        (RunState.WAITING_FOR_APPROVAL, RunState.DONE),
    ],
)
def test_a_move_that_the_table_of_moves_does_not_have_is_refused(was: RunState, becomes: RunState) -> None:
    with pytest.raises(Conflict, match=f"is {was} and can't become {becomes}"):
        a_run(was).moved(becomes)


@pytest.mark.parametrize(("started_by", "outcome"), [("schedule", "nothing_to_do"), ("planner-1", "opened")])
def test_a_backfill_is_repeated_only_by_hand(started_by: str, outcome: str) -> None:
    weeks = ComputedWeeks(stores=2, by_hour=0)
    done = weeks.compute(PLANNED, RunState.DONE, backfill=True)
    snapshot = OneSnapshot(weeks)
    opener = Opener(
        weeks=weeks.weeks,
        files=weeks.files,
        frames=weeks.files,
        warehouse=snapshot,
        releases=snapshot,
        zone=SEOUL,
        now=lambda: TUESDAY,
        minimum_share=0.9,
    )

    opened = opener.open(StartRequest(week=done.week, started_by=started_by), "run-2")

    assert outcome == opened["outcome"]


class OneSnapshot:
    """A warehouse and a registry that always answer the same."""

    def __init__(self, weeks: ComputedWeeks) -> None:
        self.weeks = weeks

    def snapshot(self, week: Week) -> Snapshot:
        stores = self.weeks.stores(0).assign(mail="")
        return Snapshot(self.weeks.history(0, week), stores, Freshness(2, 10, (), "d1"))

    def current(self) -> dict[str, Any]:
        return {"version": 1, "arms": [], "release": {}, "models": {}}


def test_errors_older_than_half_a_year_are_not_looked_back_on() -> None:
    weeks = ComputedWeeks(stores=2, by_hour=0)
    target = PLANNED.newest_known
    weeks.compute(target, RunState.DONE)
    run = weeks.compute(PLANNED)
    evaluator = Evaluator(weeks=weeks.weeks, files=weeks.files, frames=weeks.files, now=lambda: TUESDAY)
    evaluator.evaluate(run.week, 1)
    kept = weeks.files.get_frame(errors_key(target.name))
    for back in range(1, EARLIER_WEEKS + 2):
        # one enormous error, too long ago to count
        times = 1e6 if back > EARLIER_WEEKS else 1.0
        older = kept.assign(week=target.shifted(-back).name, absolute_error=kept["visitors"] * 0.01 * times)
        weeks.files.put_frame(errors_key(target.shifted(-back).name), older)

    evaluator.evaluate(run.week, 1)

    looked = weeks.files.get_json(f"{run.prefix}/evaluation.json")["evaluation"]["look_at"]
    assert {0.01} == {round(store["usual_wape"], 6) for store in looked}
