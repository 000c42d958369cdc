"""All that is behind the planners' page but AWS: the real API on dictionaries, a Cognito that knows two people."""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

from pawcast.callers import Caller
from pawcast.errors import NotFound, VersionConflict
from pawcast.forecasting.weekly.approving import Decider
from pawcast.forecasting.weekly.plan import (
    PlannedShift,
    PlanRow,
    ShardPlans,
    StoreLine,
    StorePlan,
    lines_key,
    shard_key,
)
from pawcast.forecasting.weekly.planner_api import PlannerApi
from pawcast.forecasting.weekly.ports import Json, Page
from pawcast.forecasting.weekly.run import Edit, Receipt, ReceiptState, Run, RunEvent, RunState, Sentences
from pawcast.http import error_answer
from tests.support.fake_api import Asked, answering, token
from tests.support.reports import HOSTILE, report_inputs

NOW = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)  # Wednesday morning in Seoul
PASSWORD = "Planner-2026-pw"
FIRST_PASSWORD = "First-2026-pw"


@dataclass
class MemoryWeeks:
    """`ports.Weeks` on dictionaries; the parts that the page's API uses."""

    runs: dict[str, Run] = field(default_factory=dict)
    history: list[RunEvent] = field(default_factory=list)
    cells: dict[tuple[str, str, datetime], Edit] = field(default_factory=dict)
    told: dict[str, Receipt] = field(default_factory=dict)

    def get(self, week: str) -> Run | None:
        return self.runs.get(week)

    def put_new(self, run: Run, replaced: Run | None) -> None:
        self.runs[run.week] = run

    def save(self, run: Run) -> None:
        if self.runs[run.week].revision != run.revision - 1:
            raise VersionConflict("moved meanwhile")
        self.runs[run.week] = run

    def latest(self, start: str | None, limit: int) -> Page[Run]:
        names = sorted((name for name in self.runs if start is None or name < start), reverse=True)
        shown = names[:limit]
        return Page(tuple(self.runs[name] for name in shown), shown[-1] if len(names) > limit else None)

    def add_event(self, event: RunEvent) -> None:
        self.history.append(event)

    def events(self, week: str) -> Sequence[RunEvent]:
        return [event for event in self.history if event.week == week]

    def put_token(self, week: str, attempt: int, token: str) -> None: ...

    def token(self, week: str, attempt: int) -> str | None:
        return "token"

    def put_edits(self, run: Run, edits: Sequence[Edit]) -> None:
        self.save(run.changed(plan_version=run.plan_version + 1))
        self.cells |= {(edit.week, edit.store_id, edit.ts): edit for edit in edits}

    def edits(self, week: str, store_id: str | None = None) -> Sequence[Edit]:
        return [edit for edit in self.cells.values() if edit.week == week and store_id in (None, edit.store_id)]

    def receipts(self, week: str, plan_version: int) -> Mapping[str, Receipt]:
        return self.told

    def claim_receipt(self, receipt: Receipt) -> bool:
        return False

    def settle_receipt(self, receipt: Receipt, state: ReceiptState) -> None: ...

    def release_receipt(self, receipt: Receipt) -> None: ...

    def was_told(self, week: str, notice: str) -> bool:
        return True

    def note_told(self, week: str, notice: str) -> None: ...


@dataclass
class MemoryFiles:
    """`ports.Files` on a dictionary."""

    documents: dict[str, Any] = field(default_factory=dict)

    def put_json(self, key: str, document: object) -> None:
        self.documents[key] = json.loads(json.dumps(document))

    def get_json(self, key: str) -> Any:
        if key not in self.documents:
            raise NotFound(key)
        return self.documents[key]

    def put_text(self, key: str, text: str, content_type: str) -> None: ...

    def copy(self, key: str, bucket: str, target: str) -> None: ...

    def link(self, key: str, seconds: int) -> str:
        return f"http://localhost:9/{key}"


@dataclass
class MemoryWorkflow:
    """`ports.Workflow` that remembers what was started."""

    started: list[tuple[str, Json]] = field(default_factory=list)

    def start(self, name: str, request: Json) -> str:
        self.started.append((name, request))
        return name

    def is_running(self, execution: str) -> bool:
        return False

    def succeed(self, token: str, output: Json) -> bool:
        return True

    def fail(self, token: str, error: str, cause: str) -> bool:
        return True


@dataclass
class Backend:
    """What the page talks to, and what tests look into."""

    weeks: MemoryWeeks
    workflow: MemoryWorkflow
    api: PlannerApi
    url: str = ""
    down: bool = False
    sign_ins: list[str] = field(default_factory=list)


def backend(stores: int = 60) -> Backend:
    """W49 waits for approval, W48 is done, W47 failed. The first store has a hostile name, three plan by hour."""
    inputs = report_inputs(stores, by_hour=3, hostile=True)
    weeks, files, workflow = MemoryWeeks(), MemoryFiles(), MemoryWorkflow()
    run = inputs.run.model_copy(update={"state": RunState.WAITING_FOR_APPROVAL, "shards": 1})
    lines = [line.model_copy(update={"shard": 0}) for line in inputs.lines]
    plans = ShardPlans(week=run.week, attempt=1, shard=0, stores=tuple(_plan(line, inputs.rows) for line in lines))
    quarantined = [one.model_dump(mode="json") for one in inputs.quarantined]
    for name, changes in (
        (run.week, {}),
        ("2026-W48", {"state": RunState.DONE, "week": "2026-W48", "ended_at": NOW - timedelta(days=6)}),
    ):
        made = run.model_copy(update=changes)
        weeks.runs[name] = made
        files.put_json(f"{made.prefix}/result.json", {"quarantined": quarantined})
        files.put_json(lines_key(made.prefix), [line.model_dump(mode="json") for line in lines])
        files.put_json(shard_key(made.prefix, 0, "plans.json"), plans.model_dump(mode="json"))
    error = Sentences(ko="방문 데이터가 부족합니다.", en="Visits are missing.")
    failed = {"week": "2026-W47", "state": RunState.FAILED, "totals": None, "error": error, "gate": ()}
    weeks.runs["2026-W47"] = run.model_copy(update=failed)
    text = Sentences(ko="1차 실행을 시작했습니다.", en="Attempt 1 began.")
    weeks.add_event(RunEvent(week=run.week, attempt=1, at=run.started_at, step="opened", text=text))
    api = PlannerApi(
        weeks=weeks,
        files=files,
        workflow=workflow,
        decider=Decider(weeks, workflow, lambda: NOW),
        zone=ZoneInfo("Asia/Seoul"),
        now=lambda: NOW,
        new_id=lambda: "0123456789ab",
    )
    return Backend(weeks, workflow, api)


def _plan(line: StoreLine, rows: Any) -> StorePlan:
    own = rows[rows["store_id"] == line.store_id].fillna(0)
    kept = ("ts", "open", "yhat", "q10", "q50", "q80", "q90", "needed", "staff", "risk")
    made = [PlanRow(**{name: row[name] for name in kept}) for row in own.to_dict("records")]
    shifts = [
        PlannedShift(day=row.ts, shift="open", starts_at=9, ends_at=15, people=4) for row in made if row.ts.hour == 9
    ]
    return StorePlan(**line.model_dump(exclude={"shard"}), min_staff=3, rows=tuple(made), shifts=tuple(shifts))


@contextmanager
def serving(behind: Backend) -> Iterator[Backend]:
    """The HTTP API and Cognito of a backend, in a thread of its own."""

    def answer(asked: Asked) -> tuple[int, Any]:
        return _cognito(behind, asked) if asked.cognito else _api(behind, asked)

    with answering(answer) as behind.url:
        yield behind


def _api(behind: Backend, asked: Asked) -> tuple[int, Any]:
    if behind.down:
        return 503, {"message": "Service Unavailable"}
    groups = _groups(asked.authorization)
    if groups is None:
        return 401, {"message": "Unauthorized"}
    query, body = asked.query, asked.body
    caller = Caller(user_id="planner-1", email="planner@example.com", groups=groups)
    api = behind.api
    match (asked.method, *(unquote(part) for part in asked.path.strip("/").split("/"))):
        case ("GET", "weeks"):
            call: Callable[[], Any] = lambda: api.list(caller, query)  # noqa: E731
        case ("GET", "weeks", week):
            call = lambda: api.one(caller, week)  # noqa: E731
        case ("GET", "weeks", week, "stores"):
            call = lambda: api.stores(caller, week, query)  # noqa: E731
        case ("GET", "weeks", week, "stores", store):
            call = lambda: api.store(caller, week, store)  # noqa: E731
        case ("POST", "weeks", week, "stores", store, "edits"):
            call = lambda: api.edit(caller, week, store, body)  # noqa: E731
        case ("POST", "weeks", week, "comments"):
            call = lambda: api.comment(caller, week, body)  # noqa: E731
        case ("POST", "weeks", week, "decision"):
            call = lambda: api.decide(caller, week, body)  # noqa: E731
        case ("POST", "weeks", week, "resend"):
            call = lambda: api.resend(caller, week, body)  # noqa: E731
        case ("POST", "weeks", week, "runs"):
            call = lambda: api.start(caller, week, body)  # noqa: E731
        case _:
            return 404, {"message": "Not Found"}
    try:
        return 200, call()
    except Exception as error:  # as the function's own handler
        answer = error_answer(error, "request-1")
        return int(answer.status_code), json.loads(answer.body or "{}")


def _cognito(behind: Backend, asked: Asked) -> tuple[int, Any]:
    operation, body = asked.cognito, asked.body
    given = body.get("AuthParameters", {}) | body.get("ChallengeResponses", {})
    behind.sign_ins.append(f"{operation} {body.get('AuthFlow', '')}".strip())
    if operation == "RevokeToken":
        return 200, {}
    if given.get("REFRESH_TOKEN") == "refresh":
        return 200, {"AuthenticationResult": {"IdToken": token(["planners"], "planner-1")}}
    if given.get("PASSWORD") == FIRST_PASSWORD:
        return 200, {"ChallengeName": "NEW_PASSWORD_REQUIRED", "Session": "first"}
    if given.get("PASSWORD") == PASSWORD or given.get("NEW_PASSWORD") == PASSWORD:
        groups = [] if given["USERNAME"].startswith("nobody") else ["planners"]
        return 200, {"AuthenticationResult": {"IdToken": token(groups, "planner-1"), "RefreshToken": "refresh"}}
    return 400, {"__type": "NotAuthorizedException", "message": "Incorrect username or password."}


def _groups(authorization: str | None) -> frozenset[str] | None:
    try:
        part = (authorization or "").removeprefix("Bearer ").split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (IndexError, ValueError):
        return None
    return frozenset(claims["cognito:groups"]) if claims["exp"] > time.time() else None


__all__ = ["HOSTILE", "PASSWORD", "Backend", "backend", "serving"]
