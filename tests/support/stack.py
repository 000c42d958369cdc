"""The real template on MiniStack for end-to-end tests: an own stack, away from the one of `make up`."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from rich.console import Console

from pawcast_ops.client import PawcastClient, sign_in
from pawcast_ops.demo.mails import Mail, caught_mails
from pawcast_ops.local import sam
from pawcast_ops.local.emulator import LOOPBACK, REGION, Emulator
from pawcast_ops.local.seeds import Person
from pawcast_ops.outputs import Stack, stack_outputs
from pawcast_ops.stack import LocalStack, Steps

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class RunningStack:
    """A deployed stack with its people."""

    emulator: Emulator
    stack: Stack
    people: dict[str, Person]
    state: Path

    def client(self, service: str) -> Any:
        """A boto3 client of the emulator."""
        return sam.client(service, self.emulator)

    def signed_in(self, name: str) -> PawcastClient:
        """The API as `mina`, `jun`, `sora`, `operator` or `planner`; close it after use."""
        person = self.people[name]
        token = sign_in(
            person.username,
            person.password,
            user_pool_client_id=self.stack.output("UserPoolClientId"),
            region=REGION,
            endpoint_url=self.emulator.endpoint_url,
        )
        return PawcastClient(self.stack.output("ApiUrl"), token)

    def mails(self) -> list[Mail]:
        """Every mail sent so far."""
        return caught_mails(self.emulator.endpoint_url)


@contextmanager
def running_stack(state: Path, host: str = LOOPBACK) -> Iterator[RunningStack]:
    """Build, deploy and seed into `state`; stop everything afterwards."""
    local = LocalStack(ROOT, state, host)
    try:
        emulator = local.up(quiet_steps())
        people = TypeAdapter(list[Person]).validate_json((state / "users.json").read_bytes())
        yield RunningStack(
            emulator,
            stack_outputs(stack_file=state / "stack.json"),
            {person.username.partition("@")[0]: person for person in people},
            state,
        )
    finally:
        local.down()


def quiet_steps() -> Steps:
    """Steps whose lines only show when a test fails."""
    return Steps(Console(stderr=True))
