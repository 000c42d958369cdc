"""The state machine of the weekly forecast, and the topic that planners hear from."""

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pawcast.adapters.aws_errors import error_code, mapped

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_stepfunctions import SFNClient

_NOBODY_WAITS = frozenset({"TaskTimedOut", "TaskDoesNotExist", "InvalidToken"})
SUBJECT_MAX_CHARS = 100


class StateMachine:
    """Starts executions and answers waiting tasks."""

    def __init__(self, states: "SFNClient", state_machine_arn: str) -> None:
        """`state_machine_arn` of the weekly forecast."""
        self._states = states
        self._arn = state_machine_arn

    def start(self, name: str, request: dict[str, Any]) -> str:
        """Start an execution; the name of it. Starting the same name again changes nothing."""
        with mapped("states:StartExecution", name):
            try:
                self._states.start_execution(stateMachineArn=self._arn, name=name, input=json.dumps(request))
            except ClientError as error:
                if error_code(error) != "ExecutionAlreadyExists":
                    raise
        return name

    def succeed(self, token: str, output: dict[str, Any]) -> bool:
        """Answer a waiting task; False when nothing waits for that token any more."""
        try:
            with mapped("states:SendTaskSuccess"):
                self._states.send_task_success(taskToken=token, output=json.dumps(output))
        except ClientError as error:
            if error_code(error) not in _NOBODY_WAITS:
                raise
            return False
        return True

    def fail(self, token: str, error: str, cause: str) -> bool:
        """Fail a waiting task; False when nothing waits for that token any more."""
        try:
            with mapped("states:SendTaskFailure"):
                self._states.send_task_failure(taskToken=token, error=error, cause=cause)
        except ClientError as refused:
            if error_code(refused) not in _NOBODY_WAITS:
                raise
            return False
        return True


class ForecastTopic:
    """The topic of forecast events: JSON for machines, a text for people who subscribed by mail."""

    def __init__(self, sns: "SNSClient", topic_arn: str) -> None:
        """`topic_arn` of the topic."""
        self._sns = sns
        self._topic_arn = topic_arn

    def tell(self, event: dict[str, Any], subject: str, text: str) -> None:
        """Publish one event."""
        document = json.dumps(event, ensure_ascii=False)
        with mapped("sns:Publish", self._topic_arn):
            self._sns.publish(
                TopicArn=self._topic_arn,
                Subject=_plain(subject),
                Message=json.dumps({"default": document, "email": text}, ensure_ascii=False),
                MessageStructure="json",
                MessageAttributes={"event": {"DataType": "String", "StringValue": str(event["event"])}},
            )


def _plain(subject: str) -> str:
    """A subject as SNS takes it: ASCII, one line, up to 100 characters; the text says the rest in Korean too."""
    line = "".join(character for character in subject if character.isascii() and character.isprintable())
    return line.strip(" /")[:SUBJECT_MAX_CHARS] or "Pawcast"
