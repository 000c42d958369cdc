"""Handlers of the weekly forecast with their event files: parse, call, answer, count."""

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from pawcast.errors import Conflict, DependencyUnavailable, InvalidRequest, InvalidSettings, NotAllowed
from pawcast.forecasting.weekly.opening import StartRequest
from pawcast.forecasting.weekly.shards import ShardTask
from tests.support.functions import FakeContext, load_function
from tests.support.template import environment_of, event

WEEK = "2026-W49"
FUNCTIONS = (
    "open_week",
    "forecast_shard",
    "plan_shard",
    "evaluate_week",
    "report_week",
    "ask_approval",
    "tell_stores",
    "close_week",
    "watch_deadline",
    "serve_weeks",
)


class Calls:
    """Stands in for what a handler calls: remembers name and arguments, answers what it was told."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.given: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            self.given.append((name, given, named))
            if isinstance(self.answer, Exception):
                raise self.answer
            return self.answer

        return call


def called(
    monkeypatch: pytest.MonkeyPatch, function: str, attribute: str, file: str, answer: Any
) -> tuple[Any, tuple[str, tuple[Any, ...], dict[str, Any]]]:
    """What a function answers to an event file, and what it called; `attribute` is what it calls."""
    module, calls = handler(function, monkeypatch), Calls(answer)
    monkeypatch.setattr(module, attribute, calls)
    answered = module.lambda_handler(event(f"{function}/{file}"), FakeContext())
    (given,) = calls.given
    return answered, given


def handler(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A function's module after a cold start with the template's environment."""
    return load_function(name, environment_of(name), monkeypatch)


def counted(output: str) -> dict[str, float]:
    """Metrics on the standard output."""
    found = [json.loads(line) for line in output.splitlines() if '"_aws"' in line]
    return {name: sum(value) for blob in found for name, value in blob.items() if isinstance(value, list) and value}


# ------------------------------------------------------------ steps of the state machine


@pytest.mark.parametrize(
    ("file", "request_", "outcome", "metric"),
    [
        ("schedule", StartRequest(), "opened", "WeeksOpened"),
        (
            "by_hand",
            StartRequest(
                week=WEEK,
                started_by="7d1e9f20-40a1-70b3-9c5d-6e7f80912a3b",
                override_gate_reason="The new shop in Busan doubles the visits; checked with its manager.",
            ),
            "nothing_to_do",
            "WeeksNothingToDo",
        ),
    ],
)
def test_a_week_is_opened_by_whoever_started_it(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    file: str,
    request_: StartRequest,
    outcome: str,
    metric: str,
) -> None:
    answer = {"outcome": outcome, "week": WEEK}

    answered, (name, given, _) = called(monkeypatch, "open_week", "opening", file, answer)

    assert (answer, "open", request_, event(f"open_week/{file}")["execution"]) == (answered, name, *given)
    assert 1 == counted(capsys.readouterr().out)[metric]


def test_an_input_that_nobody_may_give_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    module, calls = handler("open_week", monkeypatch), Calls({})
    monkeypatch.setattr(module, "opening", calls)

    with (
        pytest.raises(ValueError, match="state"),
        pytest.warns(UserWarning, match="No application metrics"),
    ):
        module.lambda_handler({"request": {"state": "approved"}, "execution": "x"}, FakeContext())

    assert [] == calls.given


@pytest.mark.parametrize(("file", "fallback"), [("shard", False), ("fallback", True)])
def test_a_shard_is_forecast_by_its_model_or_falls_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], file: str, fallback: bool
) -> None:
    answer = {"shard": 3, "stores": 100, "quarantined": 2}

    answered, given = called(monkeypatch, "forecast_shard", "forecaster", file, answer)

    assert (answer, ("forecast", (ShardTask(WEEK, 1, 3),), {"fallback": fallback})) == (answered, given)
    metrics = counted(capsys.readouterr().out)
    assert (100, 2) == (metrics["StoresForecast"], metrics["StoresQuarantined"])


def test_a_shard_is_planned(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    answer = {"shard": 3, "stores": 100, "staff_days": 2100.5}

    answered, given = called(monkeypatch, "plan_shard", "planner", "shard", answer)

    assert (answer, ("plan", (ShardTask(WEEK, 1, 3),), {})) == (answered, given)
    assert 100 == counted(capsys.readouterr().out)["StoresPlanned"]


@pytest.mark.parametrize(("wape", "metrics"), [(0.125, {"WeeksEvaluated": 1, "ForecastWape": 12.5}), (None, None)])
def test_the_newest_known_week_is_evaluated(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    wape: float | None,
    metrics: dict[str, float] | None,
) -> None:
    answer = {"week": "2026-W47", "wape": wape}

    answered, given = called(monkeypatch, "evaluate_week", "evaluation", "week", answer)

    assert (answer, ("evaluate", (WEEK, 1), {})) == (answered, given)
    assert (metrics or {"WeeksEvaluated": 0}) == counted(capsys.readouterr().out)


@pytest.mark.parametrize(("passed", "metric"), [(True, "GatesPassed"), (False, "GatesFailed")])
def test_a_week_is_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], passed: bool, metric: str
) -> None:
    answer = {"gate_passed": passed, "wait_seconds": 60}

    answered, given = called(monkeypatch, "report_week", "reporting", "week", answer)

    assert (answer, ("report", (WEEK, 1), {})) == (answered, given)
    assert {metric: 1} == counted(capsys.readouterr().out)


def test_planners_are_asked_and_the_token_is_in_no_log_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = event("ask_approval/token")["token"]

    answered, given = called(monkeypatch, "ask_approval", "approving", "token", {"until": "2026-11-26T03:00:00+00:00"})

    output = capsys.readouterr().out
    assert ("ask", (WEEK, 1, token), {}) == given
    assert token not in output + json.dumps(answered)
    assert {"ApprovalsAsked": 1} == counted(output)


@pytest.mark.parametrize(("file", "include"), [("shard", False), ("resend", True)])
def test_stores_of_a_shard_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], file: str, include: bool
) -> None:
    answer = {"shard": 3, "told": 97, "refused": 1, "told_before": 2}

    answered, given = called(monkeypatch, "tell_stores", "distribution", file, answer)

    assert (answer, ("tell_shard", (WEEK, 1, 3), {"include_uncertain": include})) == (answered, given)
    expected = {"StoresTold": 97, "StoresWithoutAddress": 0, "StoreMailsRefused": 1}
    assert expected == counted(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("file", "metric"),
    [
        ("done", "WeeksDone"),
        ("backfilled", "WeeksDone"),
        ("rejected", "WeeksFailed"),
        ("missed", "WeeksFailed"),
        ("gate_failed", "WeeksFailed"),
        ("failed", "WeeksFailed"),
        ("not_opened", "WeeksFailed"),
    ],
)
def test_a_week_is_closed_as_the_state_machine_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], file: str, metric: str
) -> None:
    _, (name, (order,), _) = called(monkeypatch, "close_week", "closing", file, {"outcome": "x"})

    assert ("close", event(f"close_week/{file}")) == (name, order)
    assert {metric: 1} == counted(capsys.readouterr().out)


@pytest.mark.parametrize("file", ["eventbridge_aborted", "eventbridge_failed", "eventbridge_timed_out"])
def test_an_execution_that_ended_elsewhere_closes_its_week(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], file: str
) -> None:
    _, (_, (order,), _) = called(monkeypatch, "close_week", "closing", file, {"outcome": "failed"})

    assert ("failed", event(f"close_week/{file}")["detail"]["name"]) == (order["ending"], order["execution"])
    assert {"WeeksFailed": 1} == counted(capsys.readouterr().out)


@pytest.mark.parametrize("at_risk", [True, False])
def test_the_deadline_is_watched(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], at_risk: bool
) -> None:
    _, given = called(monkeypatch, "watch_deadline", "watching", "schedule", {"week": WEEK, "at_risk": at_risk})

    assert ("watch", (), {}) == given
    assert {"DeadlinesAtRisk": int(at_risk)} == counted(capsys.readouterr().out)


def test_an_error_reaches_the_state_machine_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    module = handler("tell_stores", monkeypatch)
    monkeypatch.setattr(module, "distribution", Calls(DependencyUnavailable("ses:SendEmail")))

    with (
        pytest.raises(DependencyUnavailable),
        pytest.warns(UserWarning, match="No application metrics"),
    ):
        module.lambda_handler(event("tell_stores/shard"), FakeContext())


# ------------------------------------------------------------ the planners' API

REQUESTS: dict[str, tuple[str, int, tuple[Any, ...]]] = {
    "get_weeks": ("list", 200, ({"limit": "10"},)),
    "get_week": ("one", 200, (WEEK,)),
    "get_stores": ("stores", 200, (WEEK, {"q": "강남"})),
    "get_store": ("store", 200, (WEEK, "kr-0004")),
    "post_edit": ("edit", 200, (WEEK, "kr-0004")),
    "post_comment": ("comment", 200, (WEEK,)),
    "post_decision": ("decide", 200, (WEEK,)),
    "post_resend": ("resend", 202, (WEEK,)),
    "post_run": ("start", 202, (WEEK,)),
}


@pytest.mark.parametrize("file", REQUESTS)
def test_requests_as_the_gateway_sends_them_reach_the_api(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    operation, status, arguments = REQUESTS[file]

    answer, (name, (caller, *given), _) = called(monkeypatch, "serve_weeks", "api", file, {"week": "강남"})

    sent = event(f"serve_weeks/{file}")
    body = [json.loads(sent["body"])] if file.startswith("post") else []
    assert (operation, [*arguments, *body]) == (name, given)
    assert "planners" in caller.groups
    assert (status, {"week": "강남"}) == (answer["statusCode"], json.loads(answer["body"]))
    assert "no-store" == answer["headers"]["Cache-Control"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidRequest("no", code="edit_closed", field="ts"), 400, "edit_closed"),
        (InvalidRequest("no", code="edit_below_minimum", field="staff"), 400, "edit_below_minimum"),
        (InvalidRequest("no", code="edit_too_many", field="staff"), 400, "edit_too_many"),
        (InvalidRequest("no", code="reason_missing", field="reason"), 400, "reason_missing"),
        (InvalidRequest("no", code="limit_invalid", field="limit"), 400, "limit_invalid"),
        (InvalidRequest("no", code="cursor_invalid", field="cursor"), 400, "cursor_invalid"),
        (NotAllowed("no"), 403, "not_allowed"),
        (Conflict("no"), 409, "conflict"),
        (DependencyUnavailable("no"), 503, "dependency_unavailable"),
        (KeyError("secret words"), 500, "internal_error"),
    ],
)
def test_each_refusal_has_its_status_and_sentences_in_both_languages(
    error: Exception, status: int, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, _ = called(monkeypatch, "serve_weeks", "api", "get_week", error)

    told = json.loads(answer["body"])["error"]
    assert (status, code) == (answer["statusCode"], told["code"])
    assert all(told["message"][language] for language in ("ko", "en"))
    assert "secret words" not in answer["body"]


def test_a_route_that_is_none_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    request = event("serve_weeks/get_week")
    for path in ("/weeks/2026-W49/nothing", "/week"):
        sent = request | {"rawPath": path}
        sent["requestContext"]["http"]["path"] = path

        answer = handler("serve_weeks", monkeypatch).lambda_handler(sent, FakeContext())

        assert (404, "not_found") == (answer["statusCode"], json.loads(answer["body"])["error"]["code"])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_deployed_without_its_environment_fails_at_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in environment_of(name):
        monkeypatch.delenv(variable, raising=False)

    with pytest.raises(InvalidSettings, match=r"WEEKS_TABLE|PLANS_BUCKET"):
        load_function(name, {}, monkeypatch)
