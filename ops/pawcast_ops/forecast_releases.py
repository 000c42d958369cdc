"""`pawcast forecast publish`, `release` and `show`: forecast models into the registry, and which of them forecasts.

Hyper-parameters change through a gate alone. A model is published with the verdict of its backtest against the champion
on its card; a release whose champion has no such verdict, or a refusal, is refused and told which figure failed. A
candidate that gets only a share of the stores needs no verdict: that is how it earns one.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.table import Table

from pawcast.adapters.forecast_releases import NOTHING_RELEASED, ForecastReleases
from pawcast.adapters.model_store import ModelStore
from pawcast.errors import InvalidPolicy, ModelRejected, PawcastError
from pawcast.forecasting.backtest import BacktestGate, GateAnswer
from pawcast.forecasting.models import Arm, ForecastRelease, load_model, parse_release
from pawcast.mlops.registry import Card, ModelRef, seal_card
from pawcast_ops import forecast_backtest
from pawcast_ops.outputs import Stack, StackNotFound, stack_outputs

MODEL = "visits-forecast"
REFUSED, ASKED_WRONGLY = 1, 2

StackName = Annotated[str | None, typer.Option("--stack-name", help="A CloudFormation stack on AWS.")]
Backtested = Annotated[
    Path | None, typer.Option("--backtest", help="Folder of a backtest that holds the model.", file_okay=False)
]


def publish(
    model: Annotated[Path, typer.Argument(help="The model's document as JSON.", exists=True, dir_okay=False)],
    version: Annotated[str, typer.Option(help="A label that no version has yet.")],
    backtest: Backtested = None,
    champion: Annotated[str, typer.Option(help="The backtest's arm that is in force.")] = "walk",
    candidate: Annotated[str, typer.Option(help="The backtest's arm that this model is.")] = "candidate",
    licence: Annotated[str, typer.Option(help="Terms of the model.")] = "MIT",
    stack_name: StackName = None,
) -> None:
    """Put a forecast model and its card into the registry; with a backtest, the gate's verdict stands on the card."""
    with _explained():
        content = model.read_bytes()
        document = _json(content, model)
        load_model(document)
        metrics = _metrics(backtest, champion, candidate, document) if backtest is not None else {}
        card = forecast_card(content, version, metrics, licence, datetime.now(UTC))
        stored = _models(stack_outputs(stack_name)).publish(card, content)
    Console().print(f"[green]✓[/] {stored.ref}, sha256 {stored.sha256[:12]}…", highlight=False)


def release(
    arm: Annotated[list[str], typer.Option(help="name=version:share; the first is the champion; repeat it.")],
    experiment: Annotated[str, typer.Option(help="Names the draw of stores to arms; a new name draws anew.")] = "",
    retrain: Annotated[
        str, typer.Option(help="weekly, or fixed: the registered chain is not learnt again.")
    ] = "weekly",
    stack_name: StackName = None,
) -> None:
    """Say which models forecast, and for which share of the stores. A new champion needs its gate's consent."""
    with _explained():
        stack = stack_outputs(stack_name)
        store, parameter = _models(stack), stack.output("ForecastReleaseParameterName")
        ssm = stack.session().client("ssm", endpoint_url=stack.endpoint_url)
        before = _json(ssm.get_parameter(Name=parameter)["Parameter"]["Value"].encode(), Path(parameter))
        wanted = parse_release(
            {
                "version": int(before["version"]) + 1,
                "retrain": retrain,
                "experiment": experiment,
                "arms": [parse_arm(text).model_dump(mode="json") for text in arm],
            }
        )
        refuse_unless_allowed(wanted, before, {str(one.model): store.card(one.model) for one in wanted.arms})
        for one in wanted.arms:
            load_model(_json(store.fetch(one.model), Path(str(one.model))), retrain=wanted.retrain)
        ssm.put_parameter(Name=parameter, Value=wanted.model_dump_json(), Type="String", Overwrite=True)
    Console().print(f"[green]✓[/] forecast release {wanted.version}; the next run of a week takes it", highlight=False)


def show(stack_name: StackName = None) -> None:
    """Show the release in force."""
    with _explained():
        stack = stack_outputs(stack_name)
        ssm = stack.session().client("ssm", endpoint_url=stack.endpoint_url)
        current = ForecastReleases(ssm, stack.output("ForecastReleaseParameterName"), _models(stack)).current()
    document = current["release"]
    table = Table(title=f"forecast release {document['version']}, retrain {document['retrain']}", title_justify="left")
    for heading in ("arm", "model", "share of stores"):
        table.add_column(heading)
    for one in document["arms"]:
        table.add_row(one["name"], f"{one['model']['name']}/{one['model']['version']}", f"{one['share']:.0%}")
    Console().print(table)


# ------------------------------------------------------------ the rules


def parse_arm(text: str) -> Arm:
    """An arm from `champion=2026-11:0.8`.

    Raises:
        InvalidPolicy: written otherwise.
    """
    name, _, rest = text.partition("=")
    version, _, share = rest.rpartition(":")
    try:
        return Arm(name=name, model=ModelRef(name=MODEL, version=version), share=float(share))
    except ValueError as error:
        raise InvalidPolicy(f"arm {text!r}: write name=version:share, such as champion=1:1.0") from error


def forecast_card(content: bytes, version: str, metrics: Mapping[str, Any], licence: str, created_at: datetime) -> Card:
    """The card of a forecast model."""
    draft = {
        "name": MODEL,
        "task": "visits-forecast",
        "inputs": {"frame": "store_id, ts, visitors, open, promo, holiday_kind, school_holiday"},
        "outputs": {"frame": "store_id, ts, open, yhat, q10, q50, q80, q90, method"},
        "metrics": metrics,
        "licence": licence,
    }
    return seal_card(draft, content, version=version, created_at=created_at)


def refuse_unless_allowed(wanted: ForecastRelease, before: Mapping[str, Any], cards: Mapping[str, Card]) -> None:
    """Hold a release against the gate.

    Raises:
        InvalidPolicy: its champion is new and has no verdict on its card, or one that says no.
    """
    champion = wanted.champion.model
    if before["version"] != NOTHING_RELEASED and parse_release(before).champion.model == champion:
        return  # it forecasts already; arms and shares beside it may change
    verdict = cards[str(champion)].metrics.get("gate")
    if not isinstance(verdict, Mapping):
        raise InvalidPolicy(
            f"{champion} has no backtest on its card: run `pawcast forecast backtest` with both models, "
            "then publish it with --backtest"
        )
    answer = GateAnswer.model_validate(verdict)
    if not answer.allowed:
        refused = "; ".join(f"{check.name}: {check.en}" for check in answer.refusals)
        raise InvalidPolicy(f"{champion} may not become champion: {refused}")


def _metrics(folder: Path, champion: str, candidate: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Figures of the backtest and the gate's verdict, for the card."""
    if _model_of(forecast_backtest.read_model(folder, candidate)) != _model_of(document):
        raise ModelRejected(f"the backtest in {folder} tried another model as {candidate}; run it with this one")
    one, one_cpu = forecast_backtest.read_evaluation(folder, champion)
    other, other_cpu = forecast_backtest.read_evaluation(folder, candidate)
    answer = BacktestGate().judge(one, other, cpu_seconds=(one_cpu, other_cpu))
    figures = other.overall.model_dump(exclude={"staff"})
    return {
        "weeks": list(other.weeks),
        "n": figures.pop("rows"),
        **{name: value for name, value in figures.items() if value is not None},
        "gate": answer.model_dump(mode="json"),
    }


def _model_of(document: Mapping[str, Any]) -> Any:
    return load_model(document).document


def _models(stack: Stack) -> ModelStore:
    client = stack.session().client("s3", endpoint_url=stack.endpoint_url)
    return ModelStore(client, stack.output("ModelsBucketName"))


def _json(content: bytes, where: Path) -> dict[str, Any]:
    try:
        document = json.loads(content)
    except ValueError as error:
        raise ModelRejected(f"{where} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ModelRejected(f"{where} is no JSON object")
    return cast("dict[str, Any]", document)


@contextmanager
def _explained() -> Iterator[None]:
    """Turn Pawcast's errors into one sentence and an exit status."""
    console = Console(stderr=True)
    try:
        yield
    except StackNotFound as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(ASKED_WRONGLY) from error
    except (PawcastError, ClientError, BotoCoreError) as error:
        console.print(str(error), style="red", markup=False, soft_wrap=True)
        raise typer.Exit(REFUSED) from error
