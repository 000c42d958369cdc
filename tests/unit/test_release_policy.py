"""The policy document: what it may say."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawcast.errors import InvalidPolicy, ReleaseUnavailable
from pawcast.mlops.policy import ReleasePolicy, document_version, parse_policy
from pawcast.mlops.registry import ModelRef
from tests.support.releases import SERIAL, a_policy, policy_facts

open_units = st.floats(min_value=0, max_value=1, exclude_min=True, exclude_max=True)
refs = st.builds(
    ModelRef,
    name=st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,4})?", fullmatch=True),
    version=st.from_regex(r"[0-9A-Za-z][0-9A-Za-z._-]{0,10}", fullmatch=True),
)


@st.composite
def policies(draw: st.DrawFn) -> ReleasePolicy:
    low, threshold, high = sorted(draw(st.lists(open_units, min_size=3, max_size=3, unique=True)))
    serial = {
        "kind": "serial",
        "detector": draw(refs).model_dump(),
        "band": [low, high],
        "min_score": draw(open_units),
    }
    return ReleasePolicy.model_validate(
        {
            "version": draw(st.integers(1, 10**9)),
            "primary": {"model": draw(refs).model_dump(), "threshold": threshold},
            "strategy": draw(st.sampled_from([{"kind": "single"}, serial])),
            "limits": {"operator_checks_per_week": draw(st.integers(1, 10**6))},
        }
    )


@given(policy=policies())
def test_a_policy_reads_back_from_its_json_unchanged(policy: ReleasePolicy) -> None:
    assert parse_policy(policy.json_text()) == policy


@given(policy=policies(), version=st.integers(1, 10**9))
def test_a_rollback_changes_nothing_but_the_version(policy: ReleasePolicy, version: int) -> None:
    again = policy.with_version(version)

    assert again.version == version
    assert again.with_version(policy.version) == policy


def test_a_serial_policy_names_both_models_with_their_tasks() -> None:
    policy = a_policy(strategy=SERIAL)

    assert [(str(ref), task) for ref, task in policy.models()] == [
        ("face-classifier/1", "face-classification"),
        ("face-detector/1.5.0", "face-detection"),
    ]


def _primary(threshold: object) -> dict[str, Any]:
    return {"model": {"name": "face-classifier", "version": "1"}, "threshold": threshold}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"version": -1}, r"version: .*\(got '-1'\)"),
        ({"primary": _primary(0)}, "primary.threshold"),
        ({"primary": _primary(1)}, "primary.threshold"),
        ({"primary": _primary("nan")}, "primary.threshold"),
        ({"primary": None}, "primary"),
        ({"strategy": {"kind": "parallel"}}, "strategy: .*'single', 'serial'"),
        ({"strategy": {"kind": "single", "band": [0.1, 0.9]}}, "strategy.single.band"),
        ({"strategy": SERIAL | {"band": [0.8, 0.4]}}, r"low must be below high, got \[0.8, 0.4\]"),
        ({"strategy": SERIAL | {"band": [0.6, 0.6]}}, "low must be below high"),
        ({"strategy": SERIAL | {"band": [0.7, 0.9]}}, "must contain primary.threshold 0.6"),
        ({"strategy": SERIAL | {"band": [-0.1, 0.9]}}, "strategy.serial.band.0"),
        ({"strategy": SERIAL | {"min_score": 1}}, "strategy.serial.min_score"),
        ({"limits": {"operator_checks_per_week": 0}}, "limits.operator_checks_per_week"),
        ({"experiment": {}}, "experiment: Extra inputs"),
    ],
)
def test_a_document_that_breaks_the_schema_is_refused_by_field(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidPolicy, match=complaint):
        parse_policy(json.dumps(policy_facts(**changes)))


@pytest.mark.parametrize("text", ["", "null", "[]", "{", '"version"', "nothing released"])
def test_a_text_that_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(InvalidPolicy, match="the release policy is not valid"):
        parse_policy(text)


def test_the_sentinel_of_a_fresh_stack_means_that_nothing_is_released() -> None:
    with pytest.raises(ReleaseUnavailable, match="nothing is released yet"):
        parse_policy('{"version": 0}')


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('{"version": 7, "broken": 1}', 7),
        ('{"version": true}', None),
        ("{}", None),
        ("[1]", None),
        ("{", None),
    ],
)
def test_the_version_of_a_broken_document_is_read_where_it_has_one(text: str, version: int | None) -> None:
    assert document_version(text) == version


def test_a_document_that_the_parameter_cannot_hold_is_refused_with_both_sizes() -> None:
    policy = ReleasePolicy.model_construct(**(dict(a_policy()) | {"limits": "x" * 5_000}))

    with (
        pytest.warns(match="serializer warnings"),
        pytest.raises(InvalidPolicy, match=r"has 5,\d{3} bytes .* holds 4,096"),
    ):
        policy.json_text()
