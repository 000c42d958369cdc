"""`pawcast capacity`: what the monthly budget allows, and whether that is enough for the peak.

`plan` finds the largest MaximumConcurrency whose worst month stays within the budget and can write it into
samconfig.toml. `gate` lets twice the peak come for two hours on a virtual clock, or judges the waits of a
real run. Both end with status 0 if the answer is yes, 1 if it is no, 2 if the question can't be asked. What
they compute is in `pawcast.mlops`; how it looks is in `capacity_tables`, `capacity_json` and `capacity_plot`.
"""

import csv
import json
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import tomlkit
import typer
from pydantic import ValidationError
from rich.console import Console
from tomlkit.items import Table

from pawcast.errors import PriceUnknown
from pawcast.mlops.capacity import Budget, plan
from pawcast.mlops.load_gate import (
    GateLimits,
    LoadTest,
    Verdict,
    concurrency_for_load,
    judge,
    simulate,
    waits_between,
)
from pawcast.mlops.prices import REGIONS, load_prices
from pawcast.mlops.workload import ArrivalProfile, ServiceTimes, Workload
from pawcast_ops import capacity_json, capacity_tables

app = typer.Typer(
    no_args_is_help=True, help="The cost cap and the load gate: what the budget allows, what the peak needs."
)

type Json = dict[str, Any]

RegionOption = Annotated[str, typer.Option(help=f"Price file: {', '.join(REGIONS)}.")]
MeasuredOption = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="Benchmark JSON: seconds_per_photo {mean, cv} or {samples}, and more.",
    ),
]
SecondsOption = Annotated[float | None, typer.Option(min=0.0001, help="Mean seconds a photo, instead of a benchmark.")]
ProfileOption = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        help="Arrival profile JSON: name, uploads_per_month, hour_of_week [168, Monday first].",
    ),
]
UploadsOption = Annotated[float | None, typer.Option(min=1, help="Uploads in an expected month.")]
PeakOption = Annotated[float | None, typer.Option(min=1, help="Uploads in the busiest hour, instead of the profile's.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")]


@app.command("plan")
def plan_command(
    *,
    region: RegionOption = "ap-northeast-2",
    architecture: Annotated[str, typer.Option(help="arm64 or x86_64.")] = "arm64",
    memory_mb: Annotated[int, typer.Option(min=128, max=10_240, help="Memory of the screening function.")] = 1769,
    measured: MeasuredOption = None,
    seconds_per_photo: SecondsOption = None,
    batch_size: Annotated[int, typer.Option(min=1, max=10)] = 10,
    profile: ProfileOption = None,
    uploads_per_month: UploadsOption = None,
    peak: PeakOption = None,
    published_share: Annotated[float, typer.Option(min=0, max=1)] = 0.93,
    held_share: Annotated[float, typer.Option(min=0, max=1, help="Photos that wait for an operator.")] = 0.05,
    photo_mb: Annotated[float, typer.Option(help="Mean size of an original.")] = 2.5,
    rendition_mb: Annotated[float, typer.Option(help="Mean size of a published rendition.")] = 0.25,
    views: Annotated[float, typer.Option(min=0, help="Views of a published photo, in its first month.")] = 20,
    mailed_share: Annotated[float, typer.Option(min=0, max=1, help="Decisions that are mailed.")] = 1.0,
    users: Annotated[float, typer.Option(min=0, help="Monthly active users, for sign-in.")] = 5_000,
    retention_days: Annotated[float, typer.Option(help="Days an original is kept.")] = 30,
    horizon_months: Annotated[int, typer.Option(min=1, max=120, help="Months of renditions kept by then.")] = 12,
    every_month_is_worst: Annotated[
        bool, typer.Option(help="Let all months of the horizon be worst months, not only the last.")
    ] = False,
    budget_krw: Annotated[float, typer.Option(min=1)] = 1_500_000,
    krw_per_usd: Annotated[float, typer.Option(min=1)] = 1_400,
    rate_as_of: Annotated[str, typer.Option(help="Month or day of that rate.")] = "2026-10",
    free_tier: Annotated[bool, typer.Option(help="Take the monthly free tier off.")] = False,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    write: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Set MaximumConcurrency in this samconfig.toml."),
    ] = None,
    config_env: Annotated[str, typer.Option(help="Environment within that file.")] = "default",
    as_json: JsonOption = False,
) -> None:
    """The largest MaximumConcurrency whose worst month stays within the budget."""
    console = Console()
    try:
        workload = _workload(
            measured=measured,
            seconds_per_photo=seconds_per_photo,
            profile=profile,
            uploads_per_month=uploads_per_month,
            peak=peak,
            architecture=architecture,
            memory_mb=memory_mb,
            batch_size=batch_size,
            published_share=published_share,
            held_share=held_share,
            photo_mb=photo_mb,
            rendition_mb=rendition_mb,
            views_per_published_photo=views,
            mailed_share=mailed_share,
            monthly_active_users=users,
            retention_days=retention_days,
            horizon_months=horizon_months,
            every_month_is_worst=every_month_is_worst,
        )
        budget = Budget(budget_krw=budget_krw, krw_per_usd=krw_per_usd, rate_as_of=rate_as_of)
        prices = load_prices(region)
        answer = plan(workload, prices, budget, free_tier=free_tier)
    except (ValidationError, PriceUnknown, ValueError, KeyError) as error:
        _refuse(console, error)
    needed = concurrency_for_load(_load_test(workload, workload.peak, seed=seed))
    if as_json:
        typer.echo(json.dumps(capacity_json.plan_json(answer, workload, prices, needed), indent=2, ensure_ascii=False))
    else:
        console.print(
            capacity_tables.plan_view(answer, workload, prices, needed, free_tier=free_tier, width=console.width)
        )
    if answer.concurrency is None:
        raise typer.Exit(1)
    if write is not None:
        changed = write_concurrency(write, answer.concurrency, config_env)
        verb = "now says" if changed else "already says"
        typer.echo(f"{write.name} {verb} MaximumConcurrency={answer.concurrency} for {config_env}", err=as_json)


@app.command("gate")
def gate_command(
    *,
    concurrency: Annotated[
        int | None, typer.Option(min=2, max=1000, help="The cap to test; as `plan` allows when not given.")
    ] = None,
    peak: PeakOption = None,
    base: Annotated[float | None, typer.Option(min=0, help="Uploads an hour afterwards; the mean hour.")] = None,
    measured: MeasuredOption = None,
    seconds_per_photo: SecondsOption = None,
    profile: ProfileOption = None,
    uploads_per_month: UploadsOption = None,
    factor: Annotated[float, typer.Option(min=0.01, help="Times the peak.")] = 2.0,
    hours: Annotated[float, typer.Option(min=0.01, max=24)] = 2.0,
    batch_size: Annotated[int, typer.Option(min=1, max=10_000)] = 10,
    window_seconds: Annotated[float, typer.Option(min=0, max=300, help="Batching window.")] = 0.0,
    region: RegionOption = "ap-northeast-2",
    seed: Annotated[int, typer.Option(min=0)] = 0,
    plot: Annotated[Path | None, typer.Option(dir_okay=False, help="Draw the waiting curve, .svg or .png.")] = None,
    verdict_from: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="Judge real waits: JSON or CSV with uploaded_at and decided_at."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Twice the peak for two hours: rejected if 10 % or more of the photos wait over an hour."""
    console = Console()
    limits = GateLimits()
    try:
        if verdict_from is not None:
            waits, undecided = waits_between(read_times(verdict_from), limits)
            _show_real(judge(waits, limits, undecided=undecided), console, as_json, verdict_from)
        workload = _workload(
            measured=measured,
            seconds_per_photo=seconds_per_photo,
            profile=profile,
            uploads_per_month=uploads_per_month,
            peak=peak,
            batch_size=min(batch_size, 10),
        )
        allowed = concurrency or plan(workload, load_prices(region), Budget()).concurrency or 2
        test = _load_test(
            workload,
            workload.peak,
            base=base,
            concurrency=allowed,
            factor=factor,
            hours=hours,
            batch_size=batch_size,
            window_seconds=window_seconds,
            seed=seed,
        )
    except (ValidationError, PriceUnknown, ValueError, KeyError) as error:
        _refuse(console, error)
    run = simulate(test, limits)
    needed = concurrency_for_load(test, limits)
    if plot is not None:
        # Imported here: matplotlib takes a second that `plan` and `--verdict-from` need not wait for.
        from pawcast_ops.capacity_plot import draw_waits

        draw_waits(run, plot)
    if as_json:
        typer.echo(json.dumps(capacity_json.gate_json(run, needed), indent=2))
    else:
        console.print(capacity_tables.gate_view(run, needed, width=console.width))
    raise typer.Exit(0 if run.verdict.passed else 1)


def read_measured(path: Path) -> ServiceTimes:
    """Service times from a benchmark file; keys that are not ours are ignored, so a whole report will do."""
    report = json.loads(path.read_text("utf-8"))
    seconds = report["seconds_per_photo"]
    rest: Json = {key: report[key] for key in ("batch_overhead_seconds", "init_seconds") if key in report}
    rest["origin"] = f"measured: {path.name}" + (f", {report['measured_at']}" if "measured_at" in report else "")
    if "samples" in seconds:
        return ServiceTimes.measured(tuple(seconds["samples"]), **rest)
    return ServiceTimes(mean_seconds=seconds["mean"], cv=seconds.get("cv", 0.0), **rest)


def read_times(path: Path) -> list[tuple[datetime, datetime | None]]:
    """Upload and decision times, ISO 8601, from a JSON list of objects or a CSV with a header."""
    text = path.read_text("utf-8")
    rows: list[Json] = json.loads(text) if path.suffix == ".json" else list(csv.DictReader(text.splitlines()))
    if not rows:
        raise ValueError(f"{path.name} has no photo: nothing to judge")
    times = []
    for number, row in enumerate(rows, start=1):
        try:
            decided = row["decided_at"]
            times.append((_moment(row["uploaded_at"]), _moment(decided) if decided else None))
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path.name}, row {number}: needs uploaded_at and decided_at in ISO 8601 ({error})"
            ) from None
    return times


def write_concurrency(path: Path, concurrency: int, config_env: str = "default") -> bool:
    """Sets MaximumConcurrency among the parameter_overrides of `path`; True if the file changed.

    Comments, order and format stay as they are. The overrides may be one string or a list of strings.
    """
    before = path.read_text("utf-8")
    document = tomlkit.parse(before)
    node: Any = document
    for key in (config_env, "deploy", "parameters"):
        if key not in node:
            node[key] = tomlkit.table(is_super_table=key != "parameters")
        node = node[key]
        if not isinstance(node, (Table, dict)):
            raise ValueError(f"{path.name}: {key} is no table")
    wanted = f"MaximumConcurrency={concurrency}"
    overrides = node.get("parameter_overrides")
    if isinstance(overrides, list):
        places = [i for i, entry in enumerate(overrides) if re.match(r"MaximumConcurrency=", str(entry))]
        if places:
            if str(overrides[places[0]]) != wanted:
                overrides[places[0]] = wanted
        else:
            overrides.append(wanted)
    elif overrides is None:
        node["parameter_overrides"] = wanted
    else:
        text, found = re.subn(r"(?<!\S)MaximumConcurrency=(\"[^\"]*\"|\S*)", wanted, str(overrides))
        text = text if found else f"{overrides} {wanted}".strip()
        if text != str(overrides):
            node["parameter_overrides"] = text
    after = tomlkit.dumps(document)
    if after == before:
        return False
    path.write_text(after, "utf-8")
    return True


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment


def _workload(
    *,
    measured: Path | None,
    seconds_per_photo: float | None,
    profile: Path | None,
    uploads_per_month: float | None,
    peak: float | None,
    **rest: Any,
) -> Workload:
    service = read_measured(measured) if measured else ServiceTimes()
    if seconds_per_photo is not None:
        service = ServiceTimes.model_validate(
            {
                **service.model_dump(),
                "mean_seconds": seconds_per_photo,
                "samples": (),
                "origin": "given: --seconds-per-photo",
            }
        )
    arrivals = ArrivalProfile.model_validate_json(profile.read_text("utf-8")) if profile else ArrivalProfile()
    if uploads_per_month is not None:
        arrivals = ArrivalProfile.model_validate({**arrivals.model_dump(), "uploads_per_month": uploads_per_month})
    return Workload(arrivals=arrivals, service=service, peak_uploads_per_hour=peak, **rest)


def _load_test(
    workload: Workload, peak: float, *, base: float | None = None, concurrency: int = 2, **rest: Any
) -> LoadTest:
    # A given peak scales the whole week: the base load keeps the profile's proportion to it.
    profile = workload.arrivals
    mean = peak * profile.mean_uploads_per_hour / profile.peak_uploads_per_hour
    return LoadTest(
        **{
            "peak_uploads_per_hour": peak,
            "base_uploads_per_hour": mean if base is None else base,
            "concurrency": concurrency,
            "service": workload.service,
            "batch_size": workload.batch_size,
            **rest,
        }
    )


def _show_real(verdict: Verdict, console: Console, as_json: bool, source: Path) -> None:
    if as_json:
        typer.echo(json.dumps({"source": source.name, "verdict": verdict.model_dump()}, indent=2))
    else:
        console.print(capacity_tables.verdict_view(verdict, f"Real waits from {source.name}"))
    raise typer.Exit(0 if verdict.passed else 1)


def _refuse(console: Console, error: Exception) -> Any:
    """Says in one line what is wrong with the question, and ends with status 2."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        text = f"{place}: {first['msg']}" if place else str(first["msg"])
    elif isinstance(error, KeyError):
        text = f"the file has no {error.args[0]!r}"
    else:
        text = str(error)
    Console(stderr=True, width=console.width).print(f"[red]can't plan[/]: {text}", highlight=False)
    raise typer.Exit(2)
