"""Forecast models reach the registry with their gate's verdict, and no champion is released without one."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pawcast.adapters.forecast_releases import ForecastReleases
from pawcast.adapters.model_store import ModelStore
from pawcast.adapters.run_frames import parquet_bytes
from pawcast_ops.cli import app
from pawcast_ops.outputs import Stack
from tests.support.aws import MODELS_BUCKET, REGION
from tests.support.visits import drawn_visits

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ssm import SSMClient

PARAMETER = "forecast-release"
BETTER: dict[str, Any] = {"kind": "walk", "config": {"year_end_lift": 0.0}}
runner = CliRunner()


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch, s3: "S3Client", ssm: "SSMClient") -> Stack:
    s3.create_bucket(Bucket=MODELS_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    ssm.put_parameter(Name=PARAMETER, Value='{"version": 0}', Type="String")
    outputs = {"ModelsBucketName": MODELS_BUCKET, "ForecastReleaseParameterName": PARAMETER}
    stack = Stack(outputs=outputs, endpoint_url=None, region=REGION)
    monkeypatch.setattr("pawcast_ops.forecast_releases.stack_outputs", lambda _: stack)
    return stack


@pytest.fixture(scope="module")
def backtested(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backtest of a moving average (`old`) against the walk (`candidate`) and against last week (`worse`)."""
    folder = tmp_path_factory.mktemp("backtest")
    (folder / "visits.parquet").write_bytes(parquet_bytes(drawn_visits(stores=12, weeks=30, seed=1)))
    (folder / "model.json").write_text(json.dumps(BETTER))
    (folder / "old.json").write_text(json.dumps({"kind": "moving_average", "weeks": 4}))
    (folder / "naive.json").write_text(json.dumps({"kind": "seasonal_naive"}))
    arms = ["--arm", f"old={folder / 'old.json'}", "--arm", f"candidate={folder / 'model.json'}"]
    arms += ["--arm", f"worse={folder / 'naive.json'}"]
    done = runner.invoke(
        app,
        ["forecast", "backtest", str(folder / "visits.parquet"), "--out", str(folder / "out"), "--weeks", "10", *arms],
    )
    assert 0 == done.exit_code, done.output
    return folder


def published(backtested: Path, version: str, *more: str, model: str = "model.json") -> Any:
    return runner.invoke(app, ["forecast", "publish", str(backtested / model), "--version", version, *more])


def with_backtest(backtested: Path, candidate: str = "candidate") -> list[str]:
    return ["--backtest", str(backtested / "out"), "--champion", "old", "--candidate", candidate]


def test_a_model_is_published_with_the_figures_and_the_verdict_of_its_backtest(
    stack: Stack, s3: "S3Client", backtested: Path
) -> None:
    done = published(backtested, "1", *with_backtest(backtested))

    store = ModelStore(s3, MODELS_BUCKET)
    assert 0 == done.exit_code, done.output
    assert ["1"] == store.versions("visits-forecast")


def test_a_champion_without_a_backtest_is_refused_with_what_to_do(stack: Stack, backtested: Path) -> None:
    published(backtested, "1")

    refused = runner.invoke(app, ["forecast", "release", "--arm", "champion=1:1"])

    assert 1 == refused.exit_code
    assert "no backtest on its card" in refused.output.replace("\n", " ")


def test_a_champion_that_its_gate_refused_is_refused_by_the_figure(stack: Stack, backtested: Path) -> None:
    published(backtested, "2", *with_backtest(backtested, "worse"), model="naive.json")

    refused = runner.invoke(app, ["forecast", "release", "--arm", "champion=2:1"])

    assert 1 == refused.exit_code
    assert "may not become champion" in refused.output.replace("\n", " ")
    assert "accuracy" in refused.output


def test_a_backtest_of_another_model_proves_nothing(stack: Stack, backtested: Path) -> None:
    refused = published(backtested, "3", *with_backtest(backtested), model="naive.json")

    assert 1 == refused.exit_code
    assert "tried another model" in refused.output.replace("\n", " ")


def test_an_arm_with_a_share_of_the_stores_needs_no_verdict(
    stack: Stack, s3: "S3Client", ssm: "SSMClient", backtested: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pawcast_ops.forecast_releases.refuse_unless_allowed", lambda *_: None)
    published(backtested, "1")
    first = runner.invoke(app, ["forecast", "release", "--arm", "champion=1:1"])
    monkeypatch.undo()
    monkeypatch.setattr("pawcast_ops.forecast_releases.stack_outputs", lambda _: stack)
    published(backtested, "4", model="naive.json")

    second = runner.invoke(
        app, ["forecast", "release", "--arm", "champion=1:0.8", "--arm", "naive=4:0.2", "--experiment", "spring"]
    )
    shown = runner.invoke(app, ["forecast", "show"])

    current = ForecastReleases(ssm, PARAMETER, ModelStore(s3, MODELS_BUCKET)).current()
    assert (0, 0, 0) == (first.exit_code, second.exit_code, shown.exit_code), second.output
    assert 2 == current["version"]
    assert {"visits-forecast/1", "visits-forecast/4"} == set(current["models"])
    assert "80%" in shown.output


@pytest.mark.parametrize("arm", ["champion", "champion=1", "champion=1:many", "Champion=1:1", "champion=1:0"])
def test_an_arm_that_is_none_is_refused_with_how_to_write_it(stack: Stack, arm: str) -> None:
    refused = runner.invoke(app, ["forecast", "release", "--arm", arm])

    assert 1 == refused.exit_code
    assert "name=version:share" in refused.output.replace("\n", " ")


def test_what_is_no_model_is_not_published(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "model.json").write_text('{"kind": "walk", "config": {"rigde": 3}}')

    refused = runner.invoke(app, ["forecast", "publish", str(tmp_path / "model.json"), "--version", "1"])

    assert 1 == refused.exit_code
    assert "rigde" in refused.output
