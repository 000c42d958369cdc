"""The release policy in SSM."""

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.stub import Stubber

from pawcast.adapters.policy_store import PolicyStore
from pawcast.errors import DependencyUnavailable, InvalidPolicy, ReleaseUnavailable, VersionConflict
from tests.support.releases import a_policy

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


@pytest.fixture
def store(ssm: "SSMClient", policy_parameter: str) -> PolicyStore:
    return PolicyStore(ssm, policy_parameter)


def write_past_the_gate(ssm: "SSMClient", name: str, text: str) -> None:
    ssm.put_parameter(Name=name, Value=text, Type="String", Overwrite=True)


def test_a_fresh_stack_has_nothing_released(store: PolicyStore) -> None:
    with pytest.raises(ReleaseUnavailable, match="nothing is released yet"):
        store.read()


def test_a_parameter_that_is_not_there_is_retryable_and_named(ssm: "SSMClient") -> None:
    with pytest.raises(ReleaseUnavailable, match="there is no SSM parameter /elsewhere"):
        PolicyStore(ssm, "/elsewhere").read()


def test_a_released_policy_is_the_one_in_force(store: PolicyStore) -> None:
    store.put(a_policy(1))
    store.put(a_policy(2, model_version="2"))

    assert store.read() == a_policy(2, model_version="2")
    assert store.next_version() == 3


@pytest.mark.parametrize("version", [1, 3, 4])
def test_a_version_that_is_not_the_next_is_a_conflict_and_changes_nothing(store: PolicyStore, version: int) -> None:
    store.put(a_policy(1))

    with pytest.raises(VersionConflict, match=f"must be version 2, got {version}"):
        store.put(a_policy(version))

    assert store.read() == a_policy(1)


def test_another_operator_between_read_and_write_is_detected_and_nothing_is_lost(
    ssm: "SSMClient", policy_parameter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = PolicyStore(ssm, policy_parameter)
    put_parameter = ssm.put_parameter

    def after_the_other(**request: Any) -> Any:
        put_parameter(**(request | {"Value": a_policy(1, model_version="theirs").json_text()}))
        return put_parameter(**request)

    monkeypatch.setattr(ssm, "put_parameter", after_the_other)

    with pytest.raises(VersionConflict, match="yours was written last and is in force"):
        mine.put(a_policy(1, model_version="mine"))

    assert [revision.policy and revision.policy.primary.model.version for revision in mine.history()] == [
        None,
        "theirs",
        "mine",
    ]
    assert mine.read().primary.model.version == "mine"


def test_a_document_forced_past_the_gate_is_invalid_to_readers(
    store: PolicyStore, ssm: "SSMClient", policy_parameter: str
) -> None:
    write_past_the_gate(ssm, policy_parameter, '{"version": 7}')

    with pytest.raises(InvalidPolicy, match="primary: Field required"):
        store.read()


@pytest.mark.parametrize(("forced", "following"), [('{"version": 7}', 8), ("not json at all", 3), ("{}", 3)])
def test_a_broken_document_can_be_replaced_by_the_next_version(
    store: PolicyStore, ssm: "SSMClient", policy_parameter: str, forced: str, following: int
) -> None:
    store.put(a_policy(1))
    store.put(a_policy(2))
    write_past_the_gate(ssm, policy_parameter, forced)

    store.put(a_policy(following))

    assert store.read() == a_policy(following)


def test_the_history_tells_who_released_what_and_when_oldest_first(
    store: PolicyStore, ssm: "SSMClient", policy_parameter: str
) -> None:
    store.put(a_policy(1))
    write_past_the_gate(ssm, policy_parameter, "oops")

    sentinel, released, forced = store.history()

    assert [revision.parameter_version for revision in (sentinel, released, forced)] == [1, 2, 3]
    assert (sentinel.policy, released.policy, forced.policy) == (None, a_policy(1), None)
    assert "nothing is released yet" in str(sentinel.problem)
    assert released.problem is None
    assert "Invalid JSON" in str(forced.problem)
    assert sentinel.written_at <= released.written_at <= forced.written_at
    assert released.written_by == "N/A"  # moto knows nobody


def test_a_long_history_is_read_to_its_end(store: PolicyStore) -> None:
    for version in range(1, 61):  # a page of SSM's has 50
        store.put(a_policy(version))

    assert [revision.policy.version for revision in store.history() if revision.policy] == list(range(1, 61))


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerError", "TooManyUpdates"])
def test_ssm_throttling_or_failing_is_retryable_and_names_the_parameter(code: str) -> None:
    client = boto3.Session().client("ssm")
    status = 500 if code == "InternalServerError" else 400
    with Stubber(client) as stubber:
        stubber.add_client_error("get_parameter", code, http_status_code=status)

        with pytest.raises(DependencyUnavailable, match=f"ssm:GetParameter on /policy .*: {code}"):
            PolicyStore(client, "/policy").read()
