"""The release policy in an SSM parameter (String, Standard tier), with the parameter's history as its log.

`put` is optimistic: the document's version must be the stored one plus 1. What that is worth, honestly: SSM
has no conditional write, so between our read and our write another operator's document can get in. SSM
numbers every write, so `put` sees it afterwards and raises `VersionConflict`; by then the later write is
live and the earlier one is in the history. Nobody's document is lost unseen, warm functions follow whatever
is stored (`pawcast.mlops.release` compares whole documents), and for at most their time-to-live they may
differ. A write that fails in the network may have arrived: read before repeating.

SSM keeps the last 100 writes of a parameter; older ones can't be rolled back to.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pawcast.adapters.aws_errors import error_code, mapped
from pawcast.errors import InvalidPolicy, ReleaseUnavailable, VersionConflict
from pawcast.mlops.policy import (
    NOTHING_RELEASED_VERSION,
    ReleasePolicy,
    document_version,
    parse_policy,
)

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


@dataclass(frozen=True)
class Revision:
    """One write of the parameter; without a policy if it is the sentinel or breaks the schema."""

    parameter_version: int
    policy: ReleasePolicy | None
    problem: str | None
    written_at: datetime
    written_by: str


class PolicyStore:
    """Reads and replaces the release policy."""

    def __init__(self, ssm_client: "SSMClient", parameter_name: str) -> None:
        self._ssm = ssm_client
        self._name = parameter_name

    def read(self) -> ReleasePolicy:
        """The policy in force.

        Raises `ReleaseUnavailable` when nothing is released or the parameter is not there yet,
        `InvalidPolicy` for a document that somebody wrote past `put`.
        """
        text, _ = self._read()
        return parse_policy(text)

    def next_version(self) -> int:
        """The version that the next document must have. Works also when the stored document is broken."""
        text, _ = self._read()
        return self._stored_version(text) + 1

    def put(self, policy: ReleasePolicy) -> None:
        """Make a validated document the one in force; `VersionConflict` when someone else did so first."""
        value = policy.json_text()
        text, parameter_version = self._read()
        expected = self._stored_version(text) + 1
        if policy.version != expected:
            raise VersionConflict(
                f"the next release policy must be version {expected}, got {policy.version}: "
                "someone may have released meanwhile, look at `pawcast release history`"
            )
        with mapped("ssm:PutParameter", self._name):
            answer = self._ssm.put_parameter(
                Name=self._name, Value=value, Type="String", Tier="Standard", Overwrite=True
            )
        if answer["Version"] != parameter_version + 1:
            raise VersionConflict(
                f"someone else released version {policy.version} at the same moment; yours was written last "
                "and is in force: compare both in `pawcast release history` and release again"
            )

    def history(self) -> list[Revision]:
        """Every write that SSM remembers, oldest first."""
        revisions = []
        with mapped("ssm:GetParameterHistory", self._name):
            for page in self._ssm.get_paginator("get_parameter_history").paginate(Name=self._name):
                for entry in page["Parameters"]:
                    policy, problem = _policy_or_problem(entry["Value"])
                    revisions.append(
                        Revision(
                            parameter_version=entry["Version"],
                            policy=policy,
                            problem=problem,
                            written_at=entry["LastModifiedDate"],
                            written_by=entry.get("LastModifiedUser", "unknown"),
                        )
                    )
        return sorted(revisions, key=lambda revision: revision.parameter_version)

    def _read(self) -> tuple[str, int]:
        with mapped("ssm:GetParameter", self._name):
            try:
                parameter = self._ssm.get_parameter(Name=self._name)["Parameter"]
            except ClientError as error:
                if error_code(error) != "ParameterNotFound":
                    raise
                raise ReleaseUnavailable(f"there is no SSM parameter {self._name}") from error
        return parameter["Value"], parameter["Version"]

    def _stored_version(self, text: str) -> int:
        version = document_version(text)
        return latest_version(self.history()) if version is None else version


def latest_version(revisions: Iterable[Revision]) -> int:
    """The highest policy version ever released."""
    versions = (revision.policy.version for revision in revisions if revision.policy)
    return max(versions, default=NOTHING_RELEASED_VERSION)


def _policy_or_problem(text: str) -> tuple[ReleasePolicy | None, str | None]:
    try:
        return parse_policy(text), None
    except (InvalidPolicy, ReleaseUnavailable) as error:
        return None, str(error)
