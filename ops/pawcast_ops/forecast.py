"""`pawcast forecast`: backtest models on visits, ask whether one may replace another, publish and release them."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from pawcast.errors import PawcastError
from pawcast.forecasting.backtest import BacktestGate, GateAnswer
from pawcast.forecasting.evaluate import Evaluation
from pawcast_ops import forecast_backtest, forecast_releases
from pawcast_ops.forecast_backtest import NAIVE, Backtest, Finished

app = typer.Typer(no_args_is_help=True, help="Backtest forecasts, publish models, release them.")
app.command()(forecast_releases.publish)
app.command()(forecast_releases.release)
app.command()(forecast_releases.show)

Out = Annotated[Path, typer.Option(help="Folder for origins, tables and pictures.", file_okay=False)]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
HEADINGS = ("arm", "WAPE", "bias", "pinball .8", "in 80 %", "skill", "CPU s")


def _complain(error: Exception) -> typer.Exit:
    Console(stderr=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
    return typer.Exit(2)


@app.command()
def backtest(
    visits: Annotated[Path, typer.Argument(help="Parquet or CSV of visits, or a folder of Parquet files.")],
    out: Out = Path("backtest"),
    weeks: Annotated[int, typer.Option(min=1, help="Newest weeks to forecast, each from its own Tuesday.")] = 12,
    arm: Annotated[
        list[str] | None, typer.Option(help="name=model.json, or walk; repeat it. The first is the champion. [walk]")
    ] = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Weeks forecast side by side.")] = 1,
    json_output: Json = False,
) -> None:
    """Forecast past weeks as they would have been forecast, and say how far off each arm was.

    Finished weeks are kept in the folder: a second call does only what is missing.
    """
    console = Console(stderr=json_output)
    try:
        plan, panel = forecast_backtest.prepare(visits, out, forecast_backtest.parse_arms(arm or []), weeks)
        _run(plan, lambda done: forecast_backtest.run(plan, panel, processes, done), console)
        finished = forecast_backtest.collect(plan)
        files = list(forecast_backtest.write_tables(finished, out))
    except PawcastError as error:
        raise _complain(error) from error
    from pawcast_ops import forecast_plots

    pictures = forecast_plots.draw_all(finished, out)
    report = out / "report.md"
    report.write_text(_markdown(plan, finished, [picture.name for picture in pictures]), "utf-8")
    if json_output:
        typer.echo(json.dumps({name: _figures(finished, name) for name in finished.judged}, indent=1))
        return
    console.print(_table(finished))
    _say_not_scored(next(iter(finished.judged.values())), console)
    console.print(
        f"{len(files)} tables and {len(pictures)} pictures; start with {report}", highlight=False, soft_wrap=True
    )


@app.command()
def compare(
    out: Annotated[Path, typer.Argument(help="Folder of a finished backtest.", exists=True, file_okay=False)],
    champion: Annotated[str, typer.Option(help="Arm in force.")] = "walk",
    candidate: Annotated[str, typer.Option(help="Arm that would replace it.")] = "candidate",
    json_output: Json = False,
) -> None:
    """Ask the gate whether one arm of a backtest may replace another. Ends with 1 if not."""
    try:
        one, one_cpu = forecast_backtest.read_evaluation(out, champion)
        other, other_cpu = forecast_backtest.read_evaluation(out, candidate)
        answer = BacktestGate().judge(one, other, cpu_seconds=(one_cpu, other_cpu))
    except PawcastError as error:
        raise _complain(error) from error
    if json_output:
        typer.echo(answer.model_dump_json(indent=1))
    else:
        _show_comparison(one, other, answer, champion, candidate)
    if not answer.allowed:
        raise typer.Exit(1)


# ------------------------------------------------------------ what the terminal shows


def _run(plan: Backtest, work: Callable[[Callable[[str, str], None]], None], console: Console) -> None:
    missing = len(plan.missing())
    total = len(plan.mondays) * len(plan.arms)
    if kept := total - missing:
        console.print(f"{kept} of {total} forecasts are there already", highlight=False)
    if not missing:
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("forecasting", total=total, completed=kept)

        def done(arm: str, monday: str) -> None:
            progress.update(task, advance=1, description=f"{arm}, week of {monday}")

        work(done)


def _figures(finished: Finished, arm: str) -> Mapping[str, float | int | None]:
    overall = finished.judged[arm].overall
    weeks = len(finished.judged[arm].weeks)
    return {
        **overall.model_dump(exclude={"staff"}),
        "weeks": weeks,
        "cpu_seconds_per_week": finished.cpu_seconds[arm] / max(weeks, 1),
    }


def _cells(finished: Finished, arm: str) -> tuple[str, ...]:
    figures = _figures(finished, arm)
    formats = {
        "wape": ".4f",
        "bias": "+.2%",
        "pinball_80": ".2f",
        "coverage": ".1%",
        "skill": "+.1%",
        "cpu_seconds_per_week": ".2f",
    }
    shown = ("–" if figures[name] is None else format(figures[name], form) for name, form in formats.items())
    return ("seasonal naive" if arm == NAIVE else arm, *shown)


def _table(finished: Finished) -> Table:
    weeks = next(iter(finished.judged.values())).weeks
    span = f"{weeks[0]} to {weeks[-1]}" if weeks else "no week"
    table = Table(box=SIMPLE_HEAD, title=f"{len(weeks)} weeks, {span}", title_justify="left", title_style="bold")
    for index, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="right" if index else "left", no_wrap=bool(index))
    for arm in finished.judged:
        table.add_row(*_cells(finished, arm))
    return table


def _say_not_scored(evaluation: Evaluation, console: Console) -> None:
    left = evaluation.not_scored
    console.print(
        f"{evaluation.overall.rows:,} rows scored; left out: {left.closed:,} closed, {left.unknown:,} unknown,"
        f" {left.opened_unplanned:,} opened unplanned",
        style="dim",
        highlight=False,
    )


def _show_comparison(one: Evaluation, other: Evaluation, answer: GateAnswer, champion: str, candidate: str) -> None:
    console = Console()
    table = Table(box=SIMPLE_HEAD)
    table.add_column("week")
    for heading in (champion, candidate, "difference", "seasonal naive"):
        table.add_column(heading, justify="right")
    for mine, theirs in zip(one.by_week, other.by_week, strict=True):
        left, right = mine.figures.wape or 0.0, theirs.figures.wape or 0.0
        bar = mine.figures.naive_wape
        table.add_row(
            mine.key, f"{left:.4f}", f"{right:.4f}", f"{right - left:+.4f}", "–" if bar is None else f"{bar:.4f}"
        )
    console.print(table)
    for check in answer.checks:
        mark, style = ("✓", "green") if check.passed else ("✗", "red")
        console.print(f"{mark} {check.name}: {check.en}", style=style, markup=False, highlight=False)
    verdict = "may replace" if answer.allowed else "may not replace"
    console.print(f"\n{candidate} {verdict} {champion}.", style="bold", markup=False, highlight=False)


def _markdown(plan: Backtest, finished: Finished, pictures: list[str]) -> str:
    weeks = next(iter(finished.judged.values())).weeks
    lines = [HEADINGS, ("---", *["---:"] * (len(HEADINGS) - 1)), *(_cells(finished, arm) for arm in finished.judged)]
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    images = "\n\n".join(f"![{name.removesuffix('.svg')}]({name})" for name in pictures)
    arms = "\n".join(f"- {arm}: `{json.dumps(document, sort_keys=True)}`" for arm, document in plan.arms.items())
    return f"""# Backtest

{len(weeks)} weeks, {weeks[0]} to {weeks[-1]}, {finished.judged[NAIVE].overall.rows:,} open rows with known visitors.
Each week is forecast from what was known eight days before its Monday. Written by `pawcast forecast backtest`.

{table}

WAPE: absolute errors over visitors. Skill: share of seasonal naive's error that is gone. In 80 %: share of rows from
q10 to q90. CPU seconds are of one week.

{images}

## Arms

{arms}
"""
