"""AWS in this process, for conftest files to import: moto, made-up credentials, one region.

Moto is imported here, before any client is made. Each test gets empty services.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from moto import mock_aws
from moto.dynamodb.responses import DynamoHandler

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient

REGION: Final = "ap-northeast-1"
MODELS_BUCKET = "models-bucket"
POLICY_PARAMETER = "/pawcast/release-policy"


_turn: Final = threading.Lock()
_call_action: Final = DynamoHandler.call_action


def _in_turn(handler: DynamoHandler) -> Any:
    """DynamoDB checks and writes in one step; moto, with threads, undoes what others wrote. One call at a time."""
    with _turn:
        return _call_action(handler)


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Mocked AWS for every test below a folder whose conftest imports this."""
    for variable in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    monkeypatch.setattr("pawcast.adapters.model_store.DEFAULT_CACHE", tmp_path / "models")
    monkeypatch.setattr(DynamoHandler, "call_action", _in_turn)
    # resetting boto3's default session takes 330 ms a test; nothing here uses it
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        yield


@pytest.fixture
def s3() -> "S3Client":
    return boto3.Session().client("s3")


@pytest.fixture
def dynamodb() -> "DynamoDBClient":
    return boto3.Session().client("dynamodb")


@pytest.fixture
def ssm() -> "SSMClient":
    return boto3.Session().client("ssm")


@pytest.fixture
def models_bucket(s3: "S3Client") -> str:
    s3.create_bucket(Bucket=MODELS_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    return MODELS_BUCKET


@pytest.fixture
def policy_parameter(ssm: "SSMClient") -> str:
    """The parameter as CloudFormation makes it: nothing released."""
    ssm.put_parameter(Name=POLICY_PARAMETER, Value='{"version": 0}', Type="String")
    return POLICY_PARAMETER
