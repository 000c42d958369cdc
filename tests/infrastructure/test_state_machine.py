"""The weekly forecast's state machine: true to the template, to the errors of the code and to the event files."""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from cfnlint.api import lint  # type: ignore[import-untyped]
from cfnlint.config import ManualArgs  # type: ignore[import-untyped]

import pawcast.errors
from pawcast.errors import PawcastError, Retryable
from pawcast.forecasting.weekly import approving
from pawcast.forecasting.weekly.opening import StartRequest
from tests.support import house_rules as rules
from tests.support.template import ROOT, Template, event, folder_of, references

type State = Mapping[str, Any]

TEXT = (ROOT / "statemachines" / "weekly_forecast.asl.json").read_text(encoding="utf-8")
WAITS = "arn:${Partition}:states:::lambda:invoke.waitForTaskToken"
TOKEN = "$$.Task.Token"
LAMBDA_TRANSIENT = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
    "Lambda.ClientExecutionTimeoutException",
    # a sandbox that crashed, or ran out of time or memory
    "Lambda.Unknown",
    "Sandbox.Timedout",
    "Runtime.ExitError",
}
OF_STEP_FUNCTIONS = {"States.ALL", "States.Timeout"}
# Names and numbers; rows stay in S3.
MAY_BE_PASSED = {
    "week",
    "attempt",
    "shard",
    "fallback",
    "include_uncertain",
    "token",
    "request",
    "execution",
    "ending",
    "error",
}
# The only answers that stay in the execution: what the map runs over, and the gate's word.
MAY_BE_KEPT = {"OpenWeek", "ReportWeek"}


# ---------------------------------------------------------------- reading the definition


def definition() -> Template:
    found = json.loads(TEXT)
    assert isinstance(found, dict)
    return found


def machines(machine: State) -> Iterator[State]:
    """The machine and those inside its maps."""
    yield machine
    for state in machine["States"].values():
        if "ItemProcessor" in state:
            yield from machines(state["ItemProcessor"])


def states(machine: State, *types: str) -> Iterator[tuple[str, State]]:
    """Every state of these types, or of all, by name; those inside maps too."""
    for inner in machines(machine):
        yield from ((name, state) for name, state in inner["States"].items() if not types or state["Type"] in types)


def next_of(state: State) -> set[str]:
    """Where a state may go."""
    goals = [state.get("Next"), state.get("Default")]
    goals += [rule["Next"] for rule in (*state.get("Choices", ()), *state.get("Catch", ()))]
    return {goal for goal in goals if goal is not None}


def reached(machine: State, start: str) -> set[str]:
    """Every state of one level that can follow `start`, and itself."""
    found, waiting = set(), [start]
    while waiting:
        name = waiting.pop()
        if name not in found and name in machine["States"]:
            found.add(name)
            waiting += next_of(machine["States"][name])
    return found


def payload_of(task: State) -> dict[str, Any]:
    """What a task hands to its function, without the mark of a path."""
    return {key.removesuffix(".$"): value for key, value in task["Parameters"]["Payload"].items()}


def function_of(task: State) -> str:
    """The logical id of a task's function."""
    return str(task["Parameters"]["FunctionName"]).removeprefix("${").removesuffix("}")


def roots(value: object) -> set[str]:
    """Fields of the state's input that a piece of a definition reads: `week` of `$.week`."""
    if isinstance(value, str):
        return set(re.findall(r"^\$\.(\w+)", value))
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return {root for piece in inner for root in roots(piece)}


# ---------------------------------------------------------------- rules, each also run on a machine that breaks it


def same_retries(machine: State) -> list[str]:
    """Every task tries again what may pass, and nothing else: repeating all steps is safe."""
    passing = LAMBDA_TRANSIENT | {cls.__name__ for cls in Retryable.__subclasses__()}
    tasks = dict(states(machine, "Task"))
    wanted = next(iter(tasks.values())).get("Retry")
    found = [f"{name}: tries again in a way of its own" for name, task in tasks.items() if task.get("Retry") != wanted]
    for name, task in tasks.items():
        errors = {error for retry in task.get("Retry", ()) for error in retry["ErrorEquals"]}
        if errors != passing:
            found.append(f"{name}: retries differ from errors that pass by {', '.join(sorted(errors ^ passing))}")
    return found


def known_errors(machine: State) -> list[str]:
    """Errors have the names of our classes, or of what the planners' API sends, or of Step Functions and Lambda."""
    ours = {name for name, cls in inspect.getmembers(pawcast.errors, inspect.isclass) if issubclass(cls, PawcastError)}
    sent = set(re.findall(r'workflow\.fail\(token, "(\w+)"', inspect.getsource(approving)))
    known = ours | sent | LAMBDA_TRANSIENT | OF_STEP_FUNCTIONS
    return [
        f"{name}: {error} is raised by nobody"
        for name, state in states(machine)
        for handler in (*state.get("Retry", ()), *state.get("Catch", ()))
        for error in handler["ErrorEquals"]
        if error not in known
    ]


def defaults(machine: State) -> list[str]:
    """A choice that fits nothing would end the execution without a word."""
    return [f"{name}: has no Default" for name, state in states(machine, "Choice") if "Default" not in state]


def connected(machine: State) -> list[str]:
    """Every state can be reached, leads to states that exist, and ends or goes on."""
    found = []
    for level in machines(machine):
        known = set(level["States"])
        found += [f"{name}: is never reached" for name in sorted(known - reached(level, level["StartAt"]))]
        for name, state in level["States"].items():
            found += [f"{name}: leads to {goal}, which is not there" for goal in sorted(next_of(state) - known)]
            if not next_of(state) and state.get("End") is not True and state["Type"] not in ("Succeed", "Fail"):
                found.append(f"{name}: leads nowhere")
    return found


def caught(machine: State) -> list[str]:
    """Whatever befalls a step of the week, its record is closed and the execution fails where alarms see it.

    Closing steps after a failure have nobody behind them; then EventBridge calls close_week.
    """
    levels = machine["States"]
    found = []
    for name, state in levels.items():
        if state["Type"] not in ("Task", "Map"):
            continue
        goals = [rule["Next"] for rule in state.get("Catch", ()) if "States.ALL" in rule["ErrorEquals"]]
        if not goals:
            if levels[state["Next"]]["Type"] not in ("Fail", "Succeed") or payload_of(state)["ending"] == "done":
                found.append(f"{name}: catches nothing")
            continue
        closing = levels[goals[0]]
        if (
            closing["Type"] != "Task"
            or function_of(closing) != "CloseWeekFunction"
            or payload_of(closing)["ending"] != "failed"
        ):
            found.append(f"{name}: {goals[0]} does not close the week as failed")
        elif levels[closing["Next"]]["Type"] != "Fail":
            found.append(f"{name}: the execution succeeds after a failure")
    return found


def twins(machine: State) -> list[str]:
    """A distributed map does what its inline twin does."""

    def essence(state: State) -> dict[str, Any]:
        processor = {key: value for key, value in state["ItemProcessor"].items() if key != "ProcessorConfig"}
        own = {key: value for key, value in state.items() if key not in ("Comment", "Label", "MaxConcurrency")}
        return own | {"ItemProcessor": processor}

    found = []
    for name, state in machine["States"].items():
        if state["Type"] == "Map" and state["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED":
            inline = machine["States"].get(name.removesuffix("Distributed"), state)
            if inline is state or essence(inline) != essence(state):
                found.append(f"{name}: differs from its inline twin")
    return found


def no_rows(machine: State) -> list[str]:
    """Executions hold names and numbers: 256 KB is all there is, and people's data stays in S3."""
    found = []
    for name, state in states(machine, "Task"):
        found += [f"{name}: passes {key}" for key in sorted(set(payload_of(state)) - MAY_BE_PASSED)]
        keeps = "ResultPath" not in state or state["ResultPath"] is not None
        if keeps and name not in MAY_BE_KEPT and state.get("OutputPath") != "$.Payload.shard":
            found.append(f"{name}: keeps what its function answered")
    for name, state in states(machine, "Map"):
        found += [
            f"{name}: passes {key}"
            for key in sorted({key.removesuffix(".$") for key in state.get("ItemSelector", {})} - MAY_BE_PASSED)
        ]
        if "ResultPath" not in state or state["ResultPath"] is not None:
            found.append(f"{name}: keeps what its shards answered")
    return found


def hidden_token(machine: State) -> list[str]:
    """The task token goes to the function that asks for approval, which waits for a limited time, and nowhere else."""
    found = []
    for name, state in states(machine):
        if TOKEN in json.dumps({key: value for key, value in state.items() if key != "ItemProcessor"}):
            if state.get("Resource") != WAITS or function_of(state) != "AskApprovalFunction":
                found.append(f"{name}: sees the task token")
        elif state.get("Resource") == WAITS:
            found.append(f"{name}: waits for a token that it gives nobody")
        if state.get("Resource") == WAITS and not {"TimeoutSeconds", "TimeoutSecondsPath"} & set(state):
            found.append(f"{name}: waits for ever")
    return found


MACHINE_RULES = (same_retries, known_errors, defaults, connected, caught, twins, no_rows, hidden_token)

RETRY = [{"ErrorEquals": sorted(LAMBDA_TRANSIENT | {"DependencyUnavailable", "ReleaseUnavailable"})}]
BAD = {
    "StartAt": "Choose",
    "States": {
        "Choose": {"Type": "Choice", "Choices": [{"Next": "Eat"}]},
        "Eat": {
            "Type": "Task",
            "Parameters": {"FunctionName": "${EatFunction}", "Payload": {"rows.$": "$.rows", "token.$": TOKEN}},
            "Retry": RETRY,
            "Catch": [{"ErrorEquals": ["TooHungry"], "Next": "Away"}],
            "Next": "EachDistributed",
        },
        "EachDistributed": {
            "Type": "Map",
            "ItemSelector": {"food.$": "$$.Map.Item.Value"},
            "ItemProcessor": {
                "ProcessorConfig": {"Mode": "DISTRIBUTED"},
                "StartAt": "Bite",
                "States": {
                    "Bite": {
                        "Type": "Task",
                        "Resource": WAITS,
                        "Parameters": {"FunctionName": "${BiteFunction}", "Payload": {}},
                        "ResultPath": None,
                    }
                },
            },
            "ResultPath": None,
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Drink"}],
            "Next": "Drink",
        },
        "Drink": {"Type": "Succeed"},
        "Nap": {"Type": "Pass", "Next": "Drink"},
    },
}


@pytest.mark.parametrize("rule", MACHINE_RULES, ids=lambda rule: rule.__name__)
def test_the_state_machine_keeps_the_rule(rule: Any) -> None:
    assert [] == rule(definition())


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            same_retries,
            [
                "Bite: tries again in a way of its own",
                f"Bite: retries differ from errors that pass by {', '.join(RETRY[0]['ErrorEquals'])}",
            ],
        ),
        (known_errors, ["Eat: TooHungry is raised by nobody"]),
        (defaults, ["Choose: has no Default"]),
        (
            connected,
            ["Nap: is never reached", "Eat: leads to Away, which is not there", "Bite: leads nowhere"],
        ),
        (caught, ["Eat: catches nothing", "EachDistributed: Drink does not close the week as failed"]),
        (twins, ["EachDistributed: differs from its inline twin"]),
        (no_rows, ["Eat: passes rows", "Eat: keeps what its function answered", "EachDistributed: passes food"]),
        (
            hidden_token,
            ["Eat: sees the task token", "Bite: waits for a token that it gives nobody", "Bite: waits for ever"],
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_the_rule_finds_what_breaks_it(rule: Any, expected: list[str]) -> None:
    assert expected == rule(BAD)


# ---------------------------------------------------------------- true to the template


@pytest.fixture
def machine(template: Template) -> Template:
    properties = template["Resources"]["WeeklyForecast"]["Properties"]
    assert isinstance(properties, dict)
    return properties


def test_substitutions_are_what_the_definition_uses(machine: Template) -> None:
    assert set(re.findall(r"\$\{(\w+)\}", TEXT)) == set(machine["DefinitionSubstitutions"])


def test_every_function_of_the_definition_is_the_one_of_its_name(template: Template, machine: Template) -> None:
    named = {name: value for name, value in machine["DefinitionSubstitutions"].items() if name != "Partition"}

    assert {name: {"Fn::GetAtt": [name, "Arn"]} for name in named} == named
    assert {function_of(state) for _, state in states(definition(), "Task")} == set(named)
    assert set(named) <= set(template["Resources"])


def test_the_role_may_invoke_these_functions_and_no_other(template: Template) -> None:
    invoked = {
        name
        for logical_id, statement in rules.statements(template)
        if logical_id == "WeeklyForecastRole" and "lambda:InvokeFunction" in rules.listed(statement["Action"])
        for resource in rules.listed(statement["Resource"])
        for name in references(resource)
    }

    assert {function_of(state) for _, state in states(definition(), "Task")} == invoked


def test_a_distributed_map_may_run_its_shards(template: Template) -> None:
    rights = {
        (action, rules.written(resource).rpartition(":execution:")[2])
        for logical_id, statement in rules.statements(template)
        if logical_id == "WeeklyForecastShardsPolicy"
        for action in rules.listed(statement["Action"])
        for resource in rules.listed(statement["Resource"])
    }

    assert {("states:StartExecution", "${WeeklyForecast}")} <= rights
    for action in ("DescribeExecution", "StopExecution", "RedriveExecution"):
        assert (f"states:{action}", "${WeeklyForecast.Name}/*") in rights


def test_a_run_may_take_as_long_as_an_approval(machine: Template) -> None:
    # a week may be started by hand up to two weeks before it begins, and then waits until it begins
    assert 14 * 86_400 <= definition()["TimeoutSeconds"]


def test_the_execution_that_a_schedule_starts_is_read(machine: Template) -> None:
    inputs = [source["Properties"]["Input"] for source in machine["Events"].values()]

    assert [StartRequest()] * 2 == [StartRequest.model_validate_json(text) for text in inputs]
    assert [event("open_week/schedule")["request"]] * 2 == [json.loads(text) for text in inputs]


def test_the_definition_passes_the_linter_of_cloudformation() -> None:
    assert [] == linted(definition())


def test_the_linter_finds_a_broken_definition() -> None:
    assert linted(definition() | {"StartAt": "Nowhere"})
    assert linted({"StartAt": "A", "States": {"A": {"Type": "Task", "End": True, "Retri": []}}})


def linted(states_language: Template) -> list[str]:
    role = "arn:aws:iam::123456789012:role/x"
    properties = {"RoleArn": role, "Definition": json.loads(re.sub(r"\$\{\w+\}", "aws", json.dumps(states_language)))}
    resource = {"Type": "AWS::StepFunctions::StateMachine", "Properties": properties}
    config = ManualArgs(regions=["ap-northeast-2"], include_checks=["E3601"])
    found = lint(json.dumps({"Resources": {"Machine": resource}}), config=config)
    return [f"{match.rule.id} {match.message}" for match in found]


# ---------------------------------------------------------------- true to the event files and the code


def test_event_files_have_the_shape_that_the_state_machine_sends() -> None:
    sent: dict[str, set[tuple[tuple[str, ...], str]]] = {}
    for _, state in states(definition(), "Task"):
        payload = payload_of(state)
        shape = (tuple(sorted(payload)), str(payload.get("ending", "")))
        sent.setdefault(folder_of(function_of(state)), set()).add(shape)
    kept = {
        folder: {
            (tuple(sorted(content)), str(content.get("ending", "")))
            for path in (ROOT / "events" / folder).glob("*.json")
            if "detail" not in (content := json.loads(path.read_text(encoding="utf-8")))
        }
        for folder in sent
    }

    assert sent == kept


def test_telling_stores_again_has_all_that_the_rest_of_the_machine_reads() -> None:
    machine = definition()
    after = reached(machine, machine["States"]["Resend"]["Next"])
    read = {root for name in after for root in roots(_outside(machine["States"][name]))}
    order = json.loads(event("close_week/eventbridge_failed")["detail"]["input"])["resend"]

    assert read - {"error"} == set(order)


def _outside(state: State) -> dict[str, Any]:
    """A state without what happens inside its map, and without where errors are put."""
    return {key: value for key, value in state.items() if key not in ("ItemProcessor", "Catch")}
