"""The state machine, and the topic that planners hear from."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from mypy_boto3_sns import SNSClient
from mypy_boto3_stepfunctions import SFNClient

from pawcast.adapters.workflow import ForecastTopic, StateMachine
from pawcast.errors import DependencyUnavailable

ARN = "arn:aws:states:ap-northeast-1:123456789012:stateMachine:weekly"
TOPIC = "arn:aws:sns:ap-northeast-1:123456789012:forecast-events"


@pytest.fixture
def states() -> SFNClient:
    return boto3.Session().client("stepfunctions")


@pytest.fixture
def sns() -> SNSClient:
    return boto3.Session().client("sns")


# ------------------------------------------------------------ state machine


def made(states: SFNClient) -> StateMachine:
    definition = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
    machine = states.create_state_machine(
        name="weekly", definition=definition, roleArn="arn:aws:iam::123456789012:role/x"
    )
    return StateMachine(states, machine["stateMachineArn"])


def test_an_execution_is_started_by_name_with_its_request(states: SFNClient) -> None:
    name = made(states).start("2026-W49-by-hand", {"week": "2026-W49", "started_by": "민아"})

    found = states.describe_execution(executionArn=f"{ARN.replace('stateMachine', 'execution')}:{name}")
    assert ("2026-W49-by-hand", {"week": "2026-W49", "started_by": "민아"}) == (name, json.loads(found["input"]))


def test_starting_the_same_name_again_changes_nothing(states: SFNClient) -> None:
    machine = made(states)
    machine.start("once", {"week": "2026-W49"})

    assert "once" == machine.start("once", {"week": "2026-W50"})
    assert 1 == len(states.list_executions(stateMachineArn=ARN)["executions"])


def test_a_waiting_task_gets_its_answer(states: SFNClient) -> None:
    with Stubber(states) as stub:
        stub.add_response("send_task_success", {}, {"taskToken": "t", "output": '{"decision": "approve"}'})
        stub.add_response("send_task_failure", {}, {"taskToken": "t", "error": "Rejected", "cause": "by a planner"})
        machine = StateMachine(states, ARN)

        answers = machine.succeed("t", {"decision": "approve"}), machine.fail("t", "Rejected", "by a planner")

    assert (True, True) == answers


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_a_task_that_waits_no_more_is_no_error(states: SFNClient, code: str) -> None:
    with Stubber(states) as stub:
        stub.add_client_error("send_task_success", code)
        stub.add_client_error("send_task_failure", code)
        machine = StateMachine(states, ARN)

        assert (False, False) == (machine.succeed("t", {}), machine.fail("t", "Rejected", "x"))


@pytest.mark.parametrize(
    ("code", "status", "raised"),
    [
        ("ThrottlingException", 400, DependencyUnavailable),
        ("InternalServerError", 500, DependencyUnavailable),
        ("AccessDeniedException", 400, ClientError),
    ],
)
def test_trouble_that_passes_is_told_from_trouble_that_does_not(
    states: SFNClient, code: str, status: int, raised: type[Exception]
) -> None:
    machine = StateMachine(states, ARN)
    operations: dict[str, Any] = {
        "start_execution": lambda: machine.start("a", {}),
        "send_task_success": lambda: machine.succeed("t", {}),
        "send_task_failure": lambda: machine.fail("t", "Rejected", "x"),
    }
    for call, operation in operations.items():
        with Stubber(states) as stub:
            stub.add_client_error(call, code, http_status_code=status)

            with pytest.raises(raised):
                operation()


# ------------------------------------------------------------ topic


def published(sns: SNSClient, subject: str = "A subject", text: str = "말\n\nwords") -> dict[str, Any]:
    """What SNS is asked to publish for an event."""
    asked: dict[str, Any] = {}

    def remember(params: dict[str, Any], **_: Any) -> None:
        asked.update(params)

    sns.meta.events.register("provide-client-params.sns.Publish", remember)
    topic = sns.create_topic(Name="forecast-events")["TopicArn"]
    ForecastTopic(sns, topic).tell({"event": "done", "text": {"ko": "끝"}}, subject, text)
    return asked


def test_machines_hear_json_and_people_read_a_text(sns: SNSClient) -> None:
    asked = published(sns)

    message = json.loads(asked["Message"])
    assert {"event": "done", "text": {"ko": "끝"}} == json.loads(message["default"])
    assert ("말\n\nwords", "json", TOPIC) == (message["email"], asked["MessageStructure"], asked["TopicArn"])
    assert {"event": {"DataType": "String", "StringValue": "done"}} == asked["MessageAttributes"]


@pytest.mark.parametrize(
    ("subject", "wanted"),
    [
        ("[Pawcast] The gate stopped W49 / W49 점검을 통과하지 못했습니다", "[Pawcast] The gate stopped W49 / W49"),
        ("two\nlines\x07", "twolines"),
        ("x" * 300, "x" * 100),
        ("한글만", "Pawcast"),
        ("", "Pawcast"),
    ],
)
def test_a_subject_is_what_sns_takes(sns: SNSClient, subject: str, wanted: str) -> None:
    said = published(sns, subject)["Subject"]

    assert said.startswith(wanted)
    assert said.isascii()
    assert 1 <= len(said) <= 100


def test_a_topic_that_is_gone_for_a_moment_is_tried_again(sns: SNSClient) -> None:
    with Stubber(sns) as stub:
        stub.add_client_error("publish", "InternalError", http_status_code=500)

        with pytest.raises(DependencyUnavailable, match="sns:Publish"):
            ForecastTopic(sns, TOPIC).tell({"event": "done"}, "s", "t")
