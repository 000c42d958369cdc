"""Which stack a command works on, and with whose credentials."""

import json
from pathlib import Path

import boto3
import pytest

from pawcast_ops.outputs import Stack, StackNotFound, no_stack, stack_outputs

TEMPLATE = {
    "Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}},
    "Outputs": {"ModelsBucketName": {"Value": {"Ref": "Bucket"}}},
}


def write_stack_file(folder: Path, text: str) -> Path:
    path = folder / "stack.json"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_file_of_make_up_gives_outputs_endpoint_and_region(tmp_path: Path) -> None:
    path = write_stack_file(
        tmp_path,
        json.dumps({"outputs": {"ApiUrl": "u"}, "endpoint_url": "http://127.0.0.1:4566", "region": "us-east-1"}),
    )

    stack = stack_outputs(stack_file=path)

    assert stack == Stack({"ApiUrl": "u"}, "http://127.0.0.1:4566", "us-east-1")
    assert stack.output("ApiUrl") == "u"


def test_a_stack_on_aws_is_asked_for_its_outputs(tmp_path: Path) -> None:
    client = boto3.Session().client("cloudformation")
    client.create_stack(StackName="pawcast", TemplateBody=json.dumps(TEMPLATE))
    write_stack_file(tmp_path, "the file is not looked at")

    stack = stack_outputs("pawcast", tmp_path / "stack.json")

    assert stack.output("ModelsBucketName").startswith("pawcast-")
    assert (stack.endpoint_url, stack.region, stack.is_local) == (None, "ap-northeast-1", False)


def test_a_stack_that_is_not_there_is_named() -> None:
    with pytest.raises(StackNotFound, match=r"the stack nowhere can't be described: .*does not exist"):
        stack_outputs("nowhere")


def test_without_a_stack_the_operator_is_told_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(StackNotFound, match="Run `make up`, or give --stack-name"):
        stack_outputs(stack_file=tmp_path / "stack.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"outputs": 3}'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(StackNotFound, match=r"stack\.json is damaged .*: run `make up` again"):
        stack_outputs(stack_file=write_stack_file(tmp_path, text))


def test_a_missing_output_is_named_with_those_that_exist() -> None:
    stack = Stack({"ApiUrl": "u", "Other": "o"}, None, None)

    with pytest.raises(StackNotFound, match="no output ModelsBucketName; it has: ApiUrl, Other"):
        stack.output("ModelsBucketName")


@pytest.mark.parametrize(
    ("endpoint_url", "key"),
    [
        ("http://127.0.0.1:4566", "local"),
        ("http://localhost:4566", "local"),
        ("http://[::1]:4566", "local"),
        ("https://s3.ap-northeast-1.amazonaws.com", "the operator's own"),
        ("https://localhost.example.com", "the operator's own"),
        (None, "the operator's own"),
    ],
)
def test_made_up_credentials_go_to_local_endpoints_only(
    endpoint_url: str | None, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "the operator's own")

    credentials = Stack({}, endpoint_url, "us-east-1").session().get_credentials()

    assert credentials is not None
    assert credentials.access_key == key


def test_without_a_stack_the_way_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")

    assert no_stack() == Stack({}, "http://127.0.0.1:4566", None)
    assert no_stack().is_local
