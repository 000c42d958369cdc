"""Where the stack is that a command works on, and the boto3 session to reach it.

Two sources, in this order: a stack named with `--stack-name` (asked from CloudFormation), else the file that
`make up` leaves in `.pawcast/stack.json`:

    {"outputs": {"ApiUrl": "...", ...}, "endpoint_url": "http://127.0.0.1:4566", "region": "us-east-1"}

On the way to a local endpoint the session has made-up credentials, whatever is configured on the machine: an
operator's keys have no business in an emulator, and an emulator's keys none at AWS.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import BotoCoreError, ClientError

STACK_FILE = Path(".pawcast/stack.json")
LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1", "host.docker.internal"})


class StackNotFound(Exception):
    """No stack to work on, or one without the wanted output. The message says what to do."""


@dataclass(frozen=True)
class Stack:
    """The outputs of a deployed stack, and the way to it."""

    outputs: Mapping[str, str]
    endpoint_url: str | None
    region: str | None

    @property
    def is_local(self) -> bool:
        """Whether the endpoint is an emulator on this machine."""
        return bool(self.endpoint_url) and urlsplit(str(self.endpoint_url)).hostname in LOCAL_HOSTS

    def output(self, name: str) -> str:
        """One output, such as `ModelsBucketName`."""
        try:
            return self.outputs[name]
        except KeyError:
            known = ", ".join(sorted(self.outputs)) or "none"
            raise StackNotFound(f"the stack has no output {name}; it has: {known}") from None

    def session(self) -> boto3.Session:
        """A session for clients made with `endpoint_url=stack.endpoint_url`."""
        if self.is_local:
            return boto3.Session(
                aws_access_key_id="local",
                aws_secret_access_key="local",  # noqa: S106 - opens nothing anywhere
                region_name=self.region or "us-east-1",
            )
        return boto3.Session(region_name=self.region)


def stack_outputs(stack_name: str | None = None, stack_file: Path = STACK_FILE) -> Stack:
    """The stack to work on; `StackNotFound` says how to name one."""
    if stack_name:
        return _described(stack_name)
    if not stack_file.exists():
        raise StackNotFound(f"no stack to work on: there is no {stack_file} here. Run `make up`, or give --stack-name")
    return _from_file(stack_file)


def no_stack() -> Stack:
    """For commands that were given every resource name: only the way, from the environment."""
    return Stack(outputs={}, endpoint_url=os.environ.get("AWS_ENDPOINT_URL") or None, region=None)


def _from_file(stack_file: Path) -> Stack:
    try:
        document: dict[str, Any] = json.loads(stack_file.read_text(encoding="utf-8"))
        return Stack(
            outputs={str(name): str(value) for name, value in document["outputs"].items()},
            endpoint_url=document.get("endpoint_url"),
            region=document.get("region"),
        )
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise StackNotFound(f"{stack_file} is damaged ({error!r}): run `make up` again") from error


def _described(stack_name: str) -> Stack:
    stack = no_stack()
    client = stack.session().client("cloudformation", endpoint_url=stack.endpoint_url)
    try:
        described = client.describe_stacks(StackName=stack_name)["Stacks"][0]
    except (ClientError, BotoCoreError) as error:
        raise StackNotFound(f"the stack {stack_name} can't be described: {error}") from error
    outputs = {
        item["OutputKey"]: item["OutputValue"]
        for item in described.get("Outputs", [])
        if "OutputKey" in item and "OutputValue" in item
    }
    return Stack(outputs=outputs, endpoint_url=stack.endpoint_url, region=client.meta.region_name)
