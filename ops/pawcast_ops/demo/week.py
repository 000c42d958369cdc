"""`pawcast demo week`: a whole forecast week of a made-up chain, through the real state machine.

    head office   drops stores, promotions, and visits up to a week ago (commas, semicolons, tabs; UTF-8 and CP949)
    backfill      the week before last is forecast as it would have been, so that there is something to evaluate
    Tuesday       finds the newest week missing, fails, and tells the planners what to do
    the data      arrives, with bad rows in it, which are set aside and reported
    Wednesday     runs the week: forecast, evaluation, staff, report, gate; then it waits
    the planner   edits a store, and approves
    the stores    get their plan, a mail and a receipt each

Nothing is shortened: what the steps do is what a stack on AWS does, only the clock of the schedules is not waited for.
"""

import io
import json
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import pandas as pd
from rich.markup import escape
from rich.table import Table

from pawcast.forecasting.weekly.week import Week
from pawcast_ops.client import Missing, PawcastClient
from pawcast_ops.demo.chain import Chain, drawn_chain
from pawcast_ops.demo.steps import Steps, StoryFailed
from pawcast_ops.outputs import Stack

ZONE: Final = ZoneInfo("Asia/Seoul")
HISTORY_WEEKS: Final = 60
GONE_STORE: Final = "S0018"
BAD_ROWS: Final = 3
ENDED: Final = frozenset({"SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"})


@dataclass
class WeekStory:
    """Tells the week."""

    stack: Stack
    planner: PawcastClient
    steps: Steps
    stores: int = 300
    weeks: int = HISTORY_WEEKS
    today: datetime = field(default_factory=lambda: datetime.now(UTC))

    def tell(self) -> dict[str, Any]:
        """The whole week; the record of it as the API shows it to an auditor."""
        session, where = self.stack.session(), self.stack.endpoint_url
        self.s3, self.states = (
            session.client("s3", endpoint_url=where),
            session.client("stepfunctions", endpoint_url=where),
        )
        week = Week.to_run(self.today, ZONE)
        if (done := self._done_before(week)) is not None:
            return done
        chain = self._chain(week)
        missing = chain.visits["ts"] > pd.Timestamp(week.known_until - timedelta(days=7))
        with self.steps.step(f"head office drops {self.stores} stores and {self.weeks - 1} weeks of visits"):
            self._drop("stores", "stores.csv", _csv(chain.stores, separator=";"))
            self._drop("promotions", "promotions.csv", _csv(chain.promotions, encoding="cp949", separator="\t"))
            self._drop("calendar", "calendar.csv", _csv(chain.calendar))
            report = self._drop("visits", "visits-history.csv", _csv(chain.visits[~missing]))
            self.steps.note(f"{report['rows_kept']:,} rows kept")
        last = week.newest_known.name
        with self.steps.step(f"backfill of {last}, to have a forecast to evaluate"):
            self._ended(self._run(f"backfill-{last}", {"week": last, "started_by": "demo"}), "SUCCEEDED")
        with self.steps.step("Tuesday: the newest week is missing"):
            self._ended(self._run(f"{week.name}-tuesday", {"started_by": "schedule"}), "FAILED")
            self.steps.note(self._week(week.name)["error"]["en"])
        with self.steps.step("the newest week arrives, with bad rows in it"):
            report = self._drop("visits", "visits-newest.csv", _csv(_spoiled(chain.visits[missing])))
            self.steps.note(f"{report['rows_kept']:,} rows kept, {report['rows_set_aside']} set aside and reported")
        with self.steps.step("Wednesday: forecast, evaluation, staff, report, gate"):
            execution = self._run(f"{week.name}-wednesday", {"started_by": "schedule"})
            shown = self.steps.until(lambda: self._in_state(week.name, "waiting_for_approval", execution))
            totals = shown["totals"]
            self.steps.note(f"{totals['visitors']:,.0f} visitors, {totals['staff_days']:,.0f} staff-days")
        with self.steps.step("the planner edits a store and approves"):
            self._decide(week.name)
        with self.steps.step("every store gets its plan and a receipt"):
            self._ended(execution, "SUCCEEDED")
            shown = self._week(week.name)
            receipts = ", ".join(f"{count} {name}" for name, count in shown["receipts"].items() if count)
            self.steps.note(f"{receipts}; the largest state was {self._largest_state(execution) / 1024:.1f} KiB")
        return shown

    def _done_before(self, week: Week) -> dict[str, Any] | None:
        """The record of a week that was done before; then there is only the schedule's second start to see."""
        try:
            shown = self._week(week.name)
        except Missing:
            return None
        if shown["state"] != "done":
            return None
        with self.steps.step(f"{week.name} is done already: a scheduled start finds nothing to do"):
            self._ended(self._run(f"{week.name}-again", {"started_by": "schedule"}), "SUCCEEDED")
        return self._week(week.name)

    # ------------------------------------------------------------ what the steps are made of

    def _chain(self, week: Week) -> Chain:
        last = week.known_until
        first = last - timedelta(days=7 * self.weeks - 1)
        chain = drawn_chain(stores=self.stores, by_hour=max(1, self.stores // 15), first=first, last=last)
        gone = (chain.visits["store_id"] == GONE_STORE) & (chain.visits["ts"] > pd.Timestamp(last - timedelta(days=45)))
        return Chain(chain.stores, chain.visits[~gone], chain.promotions, chain.calendar)

    def _drop(self, kind: str, name: str, content: bytes) -> dict[str, Any]:
        """Drop a file and wait for the report on it."""
        stamped = f"{self.today:%Y%m%dT%H%M%S}-{name}"
        bucket = self.stack.output("DropsBucketName")
        self.s3.put_object(Bucket=bucket, Key=f"drops/{kind}/{stamped}", Body=content)
        report: dict[str, Any] = self.steps.until(lambda: self._report(bucket, kind, stamped))
        if report["refused"]:
            raise StoryFailed(f"the drop {stamped} was refused: {report['problems'][:1]}")
        return report

    def _report(self, bucket: str, kind: str, name: str) -> dict[str, Any] | None:
        prefix = f"ingest-reports/{kind}/{name}"
        found = self.s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        if not found:
            return None
        document: dict[str, Any] = json.loads(self.s3.get_object(Bucket=bucket, Key=found[0]["Key"])["Body"].read())
        return document

    def _run(self, name: str, request: dict[str, Any]) -> str:
        """Start an execution as the schedule does; its ARN."""
        started = self.states.start_execution(
            stateMachineArn=self.stack.output("WeeklyForecastArn"),
            name=f"{name}-{self.today:%Y%m%dT%H%M%S}",
            input=json.dumps(request),
        )
        return str(started["executionArn"])

    def _ended(self, execution: str, wanted: str) -> None:
        status = self.steps.until(lambda: self._status(execution))
        if status != wanted:
            history = self.states.get_execution_history(executionArn=execution, reverseOrder=True, maxResults=20)
            causes = [str(event)[:600] for event in history["events"] if "Failed" in event["type"]]
            raise StoryFailed(f"{execution.rpartition(':')[2]} ended {status}, not {wanted}: {causes[:2]}")

    def _largest_state(self, execution: str) -> int:
        """Bytes of the largest input or output in the execution's history; Step Functions takes 262,144."""
        largest = 0
        for page in self.states.get_paginator("get_execution_history").paginate(executionArn=execution):
            for event in page["events"]:
                for detail in event.values():
                    if isinstance(detail, dict):
                        texts = (detail.get("input", ""), detail.get("output", ""), detail.get("parameters", ""))
                        largest = max(largest, *(len(str(text).encode()) for text in texts))
        return largest

    def _status(self, execution: str) -> str | None:
        status = str(self.states.describe_execution(executionArn=execution)["status"])
        return status if status in ENDED else None

    def _in_state(self, week: str, state: str, execution: str) -> dict[str, Any] | None:
        if self._status(execution) is not None:
            self._ended(execution, "RUNNING")
        shown = self._week(week)
        return shown if shown["state"] == state else None

    def _week(self, week: str) -> dict[str, Any]:
        return self.planner.get_json(f"/weeks/{week}")

    def _decide(self, week: str) -> None:
        listed = self.planner.get_json(f"/weeks/{week}/stores")["items"]
        store = self.planner.get_json(f"/weeks/{week}/stores/{listed[0]['store_id']}")
        row = next(row for row in store["rows"] if row["open"])
        edited = self.planner.post_json(
            f"/weeks/{week}/stores/{store['store_id']}/edits",
            {
                "plan_version": store["plan_version"],
                "edits": [{"ts": row["ts"], "staff": row["staff"] + 1}],
                "reason": "a fair in town",
            },
        )
        decision = {"plan_version": edited["plan_version"], "decision": "approve", "reason": "looked at the report"}
        self.planner.post_json(f"/weeks/{week}/decision", decision)
        self.steps.note(f"{store['name']}: {row['staff']} to {row['staff'] + 1} people on the first open day")


def audit_table(shown: dict[str, Any]) -> Table:
    """The record of a week: what ran when, on which data, with which model, who approved, who got what."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    approval, receipts = shown["approval"] or {}, shown["receipts"]
    for name, value in (
        ("week", f"{shown['week']}, attempt {shown['attempt']}, {shown['state']}"),
        ("data version", str(shown["data_version"])),
        ("models", ", ".join(shown["models"])),
        ("approved", f"plan version {approval.get('plan_version')} at {approval.get('at')}"),
        ("receipts", ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in receipts.items())),
        ("set apart", ", ".join(each["store_id"] for each in shown["quarantined"]) or "none"),
    ):
        table.add_row(name, escape(value))
    for event in shown["events"]:
        table.add_row("", f"[dim]{event['at'][:19]}[/] {event['step']}: {escape(event['text']['en'])}")
    return table


def _csv(frame: pd.DataFrame, *, encoding: str = "utf-8-sig", separator: str = ",") -> bytes:
    file = io.StringIO()
    flags = {str(name): frame[name].astype(int) for name in frame if frame[name].dtype == bool}
    frame.assign(**flags).to_csv(file, index=False, sep=separator)
    return file.getvalue().encode(encoding)


def _spoiled(visits: pd.DataFrame) -> pd.DataFrame:
    """Visits with rows that can't be: a store that nobody knows, people less than none, a day that has not come."""
    some = (
        visits.dropna()
        .head(BAD_ROWS)
        .assign(ts=lambda rows: rows["ts"].astype(str), visitors=lambda rows: rows["visitors"])
    )
    some["store_id"] = ["S9999", *some["store_id"].iloc[1:]]
    some["visitors"] = [5, -3, 7]
    some["ts"] = [*some["ts"].iloc[:2], (date.today() + timedelta(days=400)).isoformat()]  # noqa: DTZ011 - any far day
    return pd.concat([visits.assign(ts=visits["ts"].astype(str)), some], ignore_index=True)
