"""What a week's run needs from outside, as dictionaries."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from pawcast.errors import DependencyUnavailable, NotFound, VersionConflict
from pawcast.forecasting.weekly.plan import PlanRow, ShardPlans, StorePlan, shard_key
from pawcast.forecasting.weekly.ports import Page
from pawcast.forecasting.weekly.run import Approval, Edit, Receipt, ReceiptState, Run, RunEvent, RunState, Totals
from pawcast.mail import Mail, MailRejected

TUESDAY = datetime(2026, 11, 23, 21, tzinfo=UTC)  # 06:00 on Tuesday in Seoul
WEEK = "2026-W49"


def a_run(state: RunState = RunState.RUNNING, **changes: Any) -> Run:
    """The first attempt at 2026-W49."""
    fields: dict[str, Any] = {
        "week": WEEK,
        "attempt": 1,
        "state": state,
        "revision": 1,
        "execution": "run-1",
        "started_at": TUESDAY,
        "started_by": "schedule",
        "shards": 1,
        "totals": Totals(stores=3, visitors=900, staff_days=63, last_week_staff_days=60),
        "plan_version": 1,
    }
    if state in (RunState.APPROVED, RunState.DISTRIBUTING, RunState.DONE):
        fields["approval"] = Approval(by="planner-1", at=TUESDAY, decision="approve", plan_version=1)
    return Run.model_validate(fields | changes)


def a_plan(store_id: str = "S1", **changes: Any) -> StorePlan:
    """A store's plan of 2026-W49: 3 people a day, closed on Sunday."""
    rows = tuple(
        PlanRow(
            ts=datetime(2026, 11, 30 + day) if day == 0 else datetime(2026, 12, day),  # noqa: DTZ001 - a wall clock
            open=day != 6,
            yhat=100,
            q10=80,
            q50=100,
            q80=110,
            q90=120,
            needed=0 if day == 6 else 3,
            staff=0 if day == 6 else 3,
            risk=0.2,
        )
        for day in range(7)
    )
    fields: dict[str, Any] = {
        "store_id": store_id,
        "name": f"Store {store_id}",
        "plans_by": "day",
        "min_staff": 3,
        "method": "model",
        "arm": "champion",
        "staff_days": 18,
        "last_week_staff_days": 20,
        "risk": 0.2,
        "rows": rows,
    }
    return StorePlan.model_validate(fields | changes)


class FakeWeeks:
    """The table of weeks."""

    def __init__(self, *runs: Run) -> None:
        self.runs = {run.week: run for run in runs}
        self.history: list[RunEvent] = []
        self.tokens: dict[tuple[str, int], str] = {}
        self.edited: dict[tuple[str, str, datetime], Edit] = {}
        self.kept: dict[tuple[str, int, str], Receipt] = {}
        self.told: set[tuple[str, str]] = set()

    def get(self, week: str) -> Run | None:
        return self.runs.get(week)

    def put_new(self, run: Run, replaced: Run | None) -> None:
        if self.runs.get(run.week) != replaced:
            raise VersionConflict(run.week)
        self.runs[run.week] = run

    def save(self, run: Run) -> None:
        if self.runs[run.week].revision != run.revision - 1:
            raise VersionConflict(run.week)
        self.runs[run.week] = run

    def latest(self, start: str | None, limit: int) -> Page[Run]:
        found = sorted(
            (run for run in self.runs.values() if start is None or run.week < start), key=lambda run: run.week
        )
        shown = tuple(reversed(found))[:limit]
        return Page(shown, shown[-1].week if len(found) > limit else None)

    def add_event(self, event: RunEvent) -> None:
        self.history.append(event)

    def events(self, week: str) -> Sequence[RunEvent]:
        return [event for event in self.history if event.week == week]

    def put_token(self, week: str, attempt: int, token: str) -> None:
        self.tokens[week, attempt] = token

    def token(self, week: str, attempt: int) -> str | None:
        return self.tokens.get((week, attempt))

    def put_edits(self, run: Run, edits: Sequence[Edit]) -> None:
        self.save(run.changed(plan_version=run.plan_version + 1))
        self.edited |= {(edit.week, edit.store_id, edit.ts): edit for edit in edits}

    def edits(self, week: str, store_id: str | None = None) -> Sequence[Edit]:
        return [edit for edit in self.edited.values() if edit.week == week and store_id in (None, edit.store_id)]

    def receipts(self, week: str, plan_version: int) -> dict[str, Receipt]:
        return {r.store_id: r for r in self.kept.values() if (r.week, r.plan_version) == (week, plan_version)}

    def claim_receipt(self, receipt: Receipt) -> bool:
        key = (receipt.week, receipt.plan_version, receipt.store_id)
        if key in self.kept:
            return False
        self.kept[key] = receipt
        return True

    def settle_receipt(self, receipt: Receipt, state: ReceiptState) -> None:
        key = (receipt.week, receipt.plan_version, receipt.store_id)
        self.kept[key] = receipt.model_copy(update={"state": state, "claimed_until": None})

    def release_receipt(self, receipt: Receipt) -> None:
        del self.kept[receipt.week, receipt.plan_version, receipt.store_id]

    def was_told(self, week: str, notice: str) -> bool:
        return (week, notice) in self.told

    def note_told(self, week: str, notice: str) -> None:
        self.told.add((week, notice))


class FakeFiles:
    """The plans bucket."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}
        self.texts: dict[str, str] = {}
        self.frames: dict[str, pd.DataFrame] = {}
        self.copies: dict[str, str] = {}

    def put_json(self, key: str, document: object) -> None:
        self.documents[key] = document

    def get_json(self, key: str) -> Any:
        if key not in self.documents:
            raise NotFound(key)
        return self.documents[key]

    def put_text(self, key: str, text: str, content_type: str) -> None:
        self.texts[key] = text

    def copy(self, key: str, bucket: str, target: str) -> None:
        self.copies[f"{bucket}/{target}"] = key

    def link(self, key: str, seconds: int) -> str:
        return f"https://signed.example/{key}?seconds={seconds}"

    def put_frame(self, key: str, frame: pd.DataFrame) -> None:
        self.frames[key] = frame

    def get_frame(self, key: str) -> pd.DataFrame:
        if key not in self.frames:
            raise NotFound(key)
        return self.frames[key]

    def hold(self, run: Run, *plans: StorePlan, mails: bool = True) -> None:
        """Plans and contacts of a shard 0."""
        document = ShardPlans(week=run.week, attempt=run.attempt, shard=0, stores=plans)
        self.put_json(shard_key(run.prefix, 0, "plans.json"), document.model_dump(mode="json"))
        contacts = [
            {"store_id": plan.store_id, "mail": f"{plan.store_id}@example.com" if mails else "", "language": "en"}
            for plan in plans
        ]
        self.put_json(shard_key(run.prefix, 0, "contacts.json"), contacts)


class FakePlanners:
    """The topic of forecast events."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, Any], str, str]] = []

    def tell(self, event: dict[str, Any], subject: str, text: str) -> None:
        self.heard.append((event, subject, text))

    @property
    def kinds(self) -> list[str]:
        return [event["event"] for event, _, _ in self.heard]


class FakeWorkflow:
    """The state machine."""

    def __init__(self) -> None:
        self.started: dict[str, Any] = {}
        self.answers: list[tuple[str, Any]] = []

    def start(self, name: str, request: dict[str, Any]) -> str:
        self.started.setdefault(name, request)
        return name

    def succeed(self, token: str, output: dict[str, Any]) -> bool:
        self.answers.append((token, output))
        return True

    def fail(self, token: str, error: str, cause: str) -> bool:
        self.answers.append((token, error))
        return True


class FakeMailer:
    """Sends mail; `fails_after` mails the service is gone once, `refuses` an address for good, `dies_at` one."""

    def __init__(self) -> None:
        self.sent: list[Mail] = []
        self.fails_after: int | None = None
        self.refuses: set[str] = set()
        self.dies_at: set[str] = set()

    def send(self, mail: Mail) -> None:
        if mail.to in self.refuses:
            raise MailRejected(mail.to)
        if self.fails_after is not None and len(self.sent) >= self.fails_after:
            self.fails_after = None
            raise DependencyUnavailable("ses:SendEmail")
        self.sent.append(mail)
        if mail.to in self.dies_at:
            self.dies_at.clear()
            raise KeyboardInterrupt  # the worker is killed after the mail left
