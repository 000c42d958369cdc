"""A forecast week on the deployed stack: the demo's story, and what must hold when workers die in it."""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from pawcast.forecasting.weekly.week import Week
from pawcast_ops.client import Conflicting, Forbidden
from pawcast_ops.demo.steps import Steps
from pawcast_ops.demo.week import GONE_STORE, WeekStory
from tests.support.stack import RunningStack

pytestmark = pytest.mark.e2e

STORES = 60


@pytest.fixture(scope="module")
def told(stack: RunningStack) -> Any:
    """The demo's week, told once for this file."""
    with stack.signed_in("planner") as planner:
        story = WeekStory(stack.stack, planner, Steps(Console(stderr=True)), stores=STORES, weeks=30)
        shown = story.tell()
    return shown, stack.mails()


def test_a_failed_tuesday_and_a_good_wednesday_reach_every_store_once(stack: RunningStack, told: Any) -> None:
    shown, mails = told
    receipts = shown["receipts"]

    steps = [event["step"] for event in shown["events"]]
    assert ("done", 2) == (shown["state"], shown["attempt"])
    assert {"told": STORES - 1, "sending": 0, "no_address": 1, "refused": 0, "uncertain": 0, "missing": 0} == receipts
    assert [
        "failed",
        "opened",
        "evaluated",
        "reported",
        "asked",
        "edited",
        "approved",
        "distributing",
        "distributed",
    ] == steps
    assert [GONE_STORE] == [store["store_id"] for store in shown["quarantined"]]
    assert "visits-forecast/built-in" in shown["models"][0]
    plans = Counter(mail.to for mail in mails if mail.to.startswith("store-"))
    assert {1} == set(plans.values())
    assert STORES - 1 == len(plans)


def test_the_report_opens_by_its_link_and_needs_nothing_else(told: Any) -> None:
    page = httpx.get(told[0]["report_url"])

    assert 200 == page.status_code
    assert page.headers["content-type"].startswith("text/html")
    assert "2026" in page.text or "2027" in page.text
    assert 'src="http' not in page.text


def test_a_week_that_is_done_is_neither_edited_nor_decided_again(stack: RunningStack, told: Any) -> None:
    week = told[0]["week"]
    with stack.signed_in("planner") as planner:
        store = planner.get_json(f"/weeks/{week}/stores")["items"][0]["store_id"]
        body = {"plan_version": told[0]["plan_version"], "edits": [{"ts": store, "staff": 9}], "reason": "x"}
        with pytest.raises(Conflicting):
            planner.post_json(f"/weeks/{week}/stores/{store}/edits", body)
        with pytest.raises(Conflicting):
            planner.post_json(f"/weeks/{week}/decision", {"plan_version": 2, "decision": "reject", "reason": "late"})


def test_nobody_but_planners_sees_a_week(stack: RunningStack, told: Any) -> None:
    for name in ("mina", "operator"):
        with stack.signed_in(name) as person, pytest.raises(Forbidden):
            person.get_json(f"/weeks/{told[0]['week']}")


def test_the_warehouse_answers_a_business_question(stack: RunningStack, told: Any) -> None:
    athena = stack.client("athena")
    week = Week.parse(told[0]["week"]).shifted(-2)
    query = f"""
        SELECT count(DISTINCT v.store_id) AS stores, sum(v.visitors) AS visitors
        FROM visits v WHERE v.year = {week.monday.year} AND v.month IN ({week.monday.month}, {week.sunday.month})
        AND v.ts >= TIMESTAMP '{week.monday} 00:00:00' AND v.ts < TIMESTAMP '{week.sunday + timedelta(days=1)} 00:00:00'
    """
    started = athena.start_query_execution(
        QueryString=query,
        QueryExecutionContext={"Database": stack.stack.output("WarehouseDatabaseName")},
        ResultConfiguration={"OutputLocation": f"s3://{stack.stack.output('WarehouseBucketName')}/athena/"},
    )["QueryExecutionId"]
    until, status = time.monotonic() + 60, ""
    while time.monotonic() < until and status not in ("SUCCEEDED", "FAILED"):
        execution = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]["Status"]
        status = execution["State"]
        time.sleep(0.2)

    assert "SUCCEEDED" == status, execution
    rows = athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"]
    stores, visitors = (cell["VarCharValue"] for cell in rows[1]["Data"])
    assert STORES - 1 == int(stores)  # one has sent nothing for weeks
    assert float(visitors) > 10_000


class InterruptedWeek(WeekStory):
    """The demo's week, in which workers are killed while they forecast and while they tell stores."""

    killed: Counter[str]

    def _run(self, name: str, request: dict[str, Any]) -> str:
        if name.startswith("backfill"):
            # MiniStack retries no dead worker, so whole shards fall back, which the gate would stop
            request = request | {"override_gate_reason": "workers are killed on purpose"}
        execution = super()._run(name, request)
        if name.startswith("backfill"):
            self._kill("ForecastShardFunction", lambda: bool(workers("ForecastShardFunction")))
        return execution

    def _decide(self, week: str) -> None:
        super()._decide(week)
        self._kill("TellStoresFunction", lambda: self._week(week)["receipts"]["told"] >= 5)

    def _ended(self, execution: str, wanted: str) -> None:
        if "wednesday" not in execution:
            super()._ended(execution, wanted)
            return
        self.steps.until(lambda: self._status(execution))
        week = execution.rpartition(":")[2].rpartition("-wednesday")[0]
        if self._week(week)["state"] != "done":  # MiniStack has no name for a dead worker that AWS retries by
            self.planner.post_json(f"/weeks/{week}/resend", {})
            self.steps.until(lambda: True if self._week(week)["state"] == "done" else None)

    def _kill(self, function: str, when: Callable[[], bool]) -> None:
        until = time.monotonic() + 60
        while not when() and time.monotonic() < until:
            time.sleep(0.02)
        for process in workers(function):
            os.kill(process, signal.SIGKILL)
            self.killed[function] += 1


def workers(function: str) -> list[int]:
    """Processes of MiniStack that run this function."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue  # it ended meanwhile
        if "ministack-lambda" in command and function in command:
            found.append(int(folder.name))
    return found


@pytest.mark.slow
def test_workers_that_die_while_forecasting_and_telling_cost_no_store_its_plan_and_none_gets_two(
    stack: RunningStack,
) -> None:
    with stack.signed_in("planner") as planner:
        story = InterruptedWeek(stack.stack, planner, Steps(Console(stderr=True)), stores=STORES, weeks=30)
        story.killed = Counter()
        shown = story.tell()

    receipts = shown["receipts"]
    plans = Counter(mail.to for mail in stack.mails() if mail.to.startswith("store-"))
    assert {"ForecastShardFunction", "TellStoresFunction"} == set(story.killed)
    assert "done" == shown["state"]
    assert 0 == receipts["missing"]
    unsettled = receipts["sending"] + receipts["uncertain"]
    assert STORES == receipts["told"] + receipts["no_address"] + unsettled
    # one for each worker: it was being mailed when that one died
    assert unsettled <= story.killed["TellStoresFunction"]
    assert {1} == set(plans.values())
