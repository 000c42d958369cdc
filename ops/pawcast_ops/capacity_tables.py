"""How `pawcast capacity` looks in a terminal of 80 columns or more."""

import math
from itertools import pairwise

import numpy as np
from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from pawcast.mlops.bill import Bill, BillLine
from pawcast.mlops.capacity import Plan, photos_per_month
from pawcast.mlops.load_gate import GateRun, Verdict
from pawcast.mlops.prices import Price, PriceList
from pawcast.mlops.workload import Workload

WIDE = 100
_MARKS = ("¹", "²", "³")
_BARS = " ▁▂▃▄▅▆▇█"
_ADVICE = {
    "Transfer out": "smaller renditions (--rendition-mb) or a CDN before them, fewer full-size views",
    "Lambda, screening": "less memory (--memory-mb) or arm64; measure again, as less memory is slower",
    "Photo storage": "fewer days of originals (--retention-days), smaller renditions",
    "Messages and mails": "mail only what needs an answer (--mailed-share), the inbox keeps the rest",
    "API and sign-in": "fewer paid sign-ins: a cheaper Cognito plan, or fewer active users",
    "Logs and watching": "fewer traces and metrics, shorter logs",
    "DynamoDB": "fewer indexes with all attributes, smaller items",
    "S3 requests": "nothing to gain without fewer uploads",
    "Lambda, other": "less memory for the small functions",
}


def plan_view(
    plan: Plan, workload: Workload, prices: PriceList, needed: int | None, *, free_tier: bool, width: int
) -> RenderableType:
    """The whole answer of `capacity plan`."""
    marks = _marks(plan.worst, prices)
    parts: list[RenderableType] = [
        _headline(plan),
        Padding(_inputs(plan, workload, prices, free_tier), (1, 0, 0, 0)),
        _bill_table(plan, marks, wide=width >= WIDE),
        _footnotes(prices, marks),
        Padding(_months(plan), (1, 0, 0, 0)),
        Padding(_remarks(plan, workload, needed), (1, 0, 0, 0)),
    ]
    return Group(*parts)


def gate_view(run: GateRun, needed: int | None, *, width: int) -> RenderableType:
    """The whole answer of `capacity gate`."""
    test = run.test
    title = f"{test.factor:g} x the peak for {test.hours:g} h: {test.uploads_per_hour:,.0f} uploads an hour"
    table = _verdict_table(run.verdict)
    drained = "not within 48 h" if run.drained_after_seconds is None else duration(run.drained_after_seconds)
    table.add_section()
    table.add_row("longest queue, photos", f"{run.longest_queue:,}")
    table.add_row("queue empty after the test", drained)
    table.add_row("functions busy", f"{run.utilisation:.0%} of {test.concurrency}, {run.functions_started} started")
    if needed is None:
        need = Text("Even 1,000 functions are rejected: photos take too long for this many uploads.", style="red")
    else:
        need = Text(f"The smallest MaximumConcurrency that passes is {needed}.")
    return Group(
        _verdict_headline(run.verdict, f"MaximumConcurrency {test.concurrency}"),
        Text(title),
        Text(f"{test.service.mean_seconds:.3g} s a photo ({test.service.origin})", style="dim"),
        Padding(table, (1, 0)),
        _sparkline(run, min(width - 26, 72)),
        Padding(need, (1, 0, 0, 0)),
    )


def verdict_view(verdict: Verdict, title: str) -> RenderableType:
    """A verdict without curves, of a real run."""
    return Group(_verdict_headline(verdict, title), Padding(_verdict_table(verdict), (1, 0, 0, 0)))


def duration(seconds: float) -> str:
    """Seconds as a person reads them: `0.4 s`, `52 s`, `1 h 01 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{seconds / 60:.0f} min" if seconds >= 600 else f"{seconds / 60:.1f} min"
    return f"{int(seconds // 3600)} h {int(seconds % 3600 // 60):02d} min"


def _headline(plan: Plan) -> Text:
    budget = f"{plan.budget.budget_krw:,.0f} KRW a month"
    if plan.concurrency is None:
        return Text.assemble(
            ("Does not fit. ", "bold red"),
            f"Even MaximumConcurrency 2 costs {plan.krw(plan.worst):,.0f} KRW in its worst month, ",
            f"{plan.krw(plan.worst) - plan.budget.budget_krw:,.0f} more than the budget of {budget}.",
        )
    return Text.assemble(
        ("MaximumConcurrency ", "bold"),
        (f"{plan.concurrency}", "bold green"),
        f"  is the largest whose worst month stays within {budget}.",
    )


def _inputs(plan: Plan, workload: Workload, prices: PriceList, free_tier: bool) -> Table:
    service, arrivals = workload.service, workload.arrivals
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    dates = sorted({line.price.as_of for line in plan.worst.lines})
    table.add_row("prices", f"{prices.name}, {dates[0]} to {dates[-1]}, {'after' if free_tier else 'no'} free tier")
    table.add_row("exchange", f"{plan.budget.krw_per_usd:,.0f} KRW a USD ({plan.budget.rate_as_of})")
    table.add_row("function", f"{workload.architecture}, {workload.memory_mb:,} MB, batches of {workload.batch_size}")
    table.add_row("a photo", f"{service.mean_seconds:.3g} s ({service.origin})")
    table.add_row("arrivals", f"{arrivals.uploads_per_month:,.0f} uploads a month, {arrivals.name}")
    where = "given" if workload.peak_uploads_per_hour else arrivals.peak_hour
    table.add_row("peak", f"{workload.peak:,.0f} uploads an hour ({where})")
    return table


def _bill_table(plan: Plan, marks: dict[str, str], *, wide: bool) -> Table:
    bill = plan.worst
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1) if wide else 0,
        pad_edge=False,
        show_edge=False,
        title=f"\nWorst month at MaximumConcurrency {plan.shown_concurrency}",
        title_justify="left",
        title_style="bold",
        show_footer=True,
    )
    table.add_column("item", footer="sum", no_wrap=True)
    table.add_column("quantity", justify="right", no_wrap=True)
    table.add_column("USD a unit", justify="right", no_wrap=True)
    if wide:
        table.add_column("as of", style="dim", no_wrap=True)
    table.add_column("USD", justify="right", footer=f"{bill.usd:,.2f}", no_wrap=True)
    table.add_column("KRW", justify="right", footer=f"{plan.krw(bill):,.0f}", no_wrap=True)
    table.add_column("share", justify="right", footer="100 %", no_wrap=True)
    empty = [""] * (3 if wide else 2)
    for position, (group, usd) in enumerate(bill.groups.items()):
        style = "bold yellow" if position == 0 else "bold"
        table.add_row(group, *empty, *_money(plan, usd, bill.usd), style=style)
        for line in sorted((line for line in bill.lines if line.group == group), key=lambda line: -line.usd):
            cells = [
                f"  {line.item}",
                _quantity(line),
                _unit_price(line.price) + marks.get(line.price.region, " "),
            ]
            if wide:
                cells.append(line.price.as_of)
            table.add_row(*cells, *_money(plan, line.usd, bill.usd), style="dim" if line.usd < 0.01 * bill.usd else "")
    return table


def _money(plan: Plan, usd: float, total: float) -> tuple[str, str, str]:
    share = usd / total
    return (
        f"{usd:,.2f}" if usd >= 0.005 or usd == 0 else "<0.01",
        f"{plan.budget.krw(usd):,.0f}",
        f"{share:.1%}".replace("%", " %") if share >= 0.0005 else "",
    )


def _quantity(line: BillLine) -> str:
    unit = "GB" if line.price.unit in ("GB", "GB-months") else ""
    number = line.quantity
    for limit, scale, letter in ((1e9, 1e9, " G"), (1e6, 1e6, " M"), (1e5, 1e3, " k")):
        if number >= limit:
            return f"{number / scale:,.4g}{letter} {unit}".rstrip()
    return f"{number:,.0f} {unit}".rstrip() if number >= 100 else f"{number:,.3g} {unit}".rstrip()


def _unit_price(price: Price) -> str:
    each = price.usd / price.per
    return f"{each:,.4g}" if each >= 0.001 else f"{each * 1e6:,.4g} /M"


def _marks(bill: Bill, prices: PriceList) -> dict[str, str]:
    regions = dict.fromkeys(line.price.region for line in bill.lines if line.price.region != prices.region)
    return dict(zip(sorted(regions), _MARKS, strict=False))


def _footnotes(prices: PriceList, marks: dict[str, str]) -> Text:
    notes = [f"{mark} price of {region}" for region, mark in marks.items()]
    text = "/M: per million units. First price tier throughout, so an upper bound."
    if notes:
        text += f"\n{', '.join(notes)}: none was found for {prices.region}."
    return Text(text, style="dim")


def _months(plan: Plan) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False, title_justify="left")
    table.title = "Four months"
    table.title_style = "bold"
    table.add_column("month")
    for heading in ("uploads", "screened", "KRW", "of budget"):
        table.add_column(heading, justify="right", no_wrap=True)
    shown = plan.shown_concurrency
    rows = [("expected: as the profile", plan.expected), (f"worst at {shown}: always the peak", plan.worst)]
    if plan.next_worst is not None and plan.concurrency is not None:
        rows.append((f"worst at {shown + 1}", plan.next_worst))
    rows.append((f"saturated at {shown}: no end", plan.saturated))
    for name, bill in rows:
        krw = plan.krw(bill)
        table.add_row(
            name,
            f"{bill.load.uploads / 1e6:,.2f} M",
            f"{bill.load.photos / 1e6:,.2f} M",
            f"{krw:,.0f}",
            Text(
                f"{krw / plan.budget.budget_krw:,.1%}".replace("%", " %"),
                style="green" if plan.fits(bill) else "red",
            ),
        )
    return table


def _remarks(plan: Plan, workload: Workload, needed: int | None) -> Table:
    grid = Table.grid(padding=(0, 1))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column()
    groups = plan.worst.groups
    first = next(iter(groups))
    grid.add_row(
        "dominates",
        f"{first}: {groups[first] / plan.worst.usd:.0%} of the worst month. Cheaper: {_ADVICE[first]}.",
    )
    if plan.concurrency is None:
        busy = plan.worst.groups["Lambda, screening"]
        least = f"no uploads at all fit beside two busy functions ({busy:,.0f} USD)"
        carried = f"{plan.affordable_uploads_per_hour:,.0f} uploads an hour, every hour, would fit at 2"
        grid.add_row(
            "to do",
            f"{carried if plan.affordable_uploads_per_hour else least}. The peak is {workload.peak:,.0f}.",
        )
    else:
        _add_next(grid, plan)
        grid.add_row(
            "room",
            f"At {plan.concurrency} the budget carries up to {plan.affordable_uploads_per_hour:,.0f} uploads "
            f"an hour, every hour of the month; the peak is {workload.peak:,.0f}.",
        )
    grid.add_row("twice the peak", _needs(plan, needed))
    most = photos_per_month(workload, plan.shown_concurrency)
    if not plan.fits(plan.saturated) and plan.saturated.load.uploads > plan.worst.load.uploads:
        grid.add_row(
            "not promised",
            f"{plan.shown_concurrency} functions can screen {most / 1e6:,.1f} M photos a month. If that many "
            "came, storing, mailing and showing them would break the budget at any concurrency: bound uploads "
            "before the queue, too.",
        )
    grid.add_row(
        "a photo costs",
        f"{plan.usd_per_1000_photos:,.3f} USD per 1,000, {plan.usd_per_1000_photos * 1000:,.0f} per million, "
        f"of which {plan.screening_usd_per_million_photos:,.2f} is screening. "
        f"1,000 uploads that wait cost {plan.waiting_usd_per_1000_uploads:,.3f} before they are screened.",
    )
    return grid


def _add_next(grid: Table, plan: Plan) -> None:
    if plan.next_worst is None or plan.concurrency is None:
        return
    over = plan.krw(plan.next_worst) - plan.budget.budget_krw
    more = plan.krw(plan.next_worst) - plan.krw(plan.worst)
    grid.add_row(
        f"why not {plan.concurrency + 1}",
        f"One more function, busy for 31 days, adds {more:,.0f} KRW: {over:,.0f} KRW over the budget.",
    )


def _needs(plan: Plan, needed: int | None) -> Text:
    if needed is None:
        return Text("needs more than 1,000 functions: does not fit.", style="red")
    if plan.concurrency is None or needed > plan.concurrency:
        allowed = "nothing" if plan.concurrency is None else str(plan.concurrency)
        return Text(f"needs {needed}, the budget allows {allowed}: does not fit.", style="red")
    return Text(f"needs {needed}, the budget allows {plan.concurrency}: fits.", style="green")


def _verdict_headline(verdict: Verdict, what: str) -> Text:
    word, style = ("PASSED", "bold green") if verdict.passed else ("REJECTED", "bold red")
    return Text.assemble((word, style), f"  {what}")


def _verdict_table(verdict: Verdict) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_row("photos judged", f"{verdict.photos:,}")
    limit = f"waited over {duration(verdict.limits.late_seconds)} (limit {verdict.limits.late_share:.0%})"
    style = "green" if verdict.passed else "red"
    table.add_row(limit, Text(f"{verdict.late:,}  {verdict.late_share:.2%}", style=style))
    if verdict.undecided:
        table.add_row("never decided", Text(f"{verdict.undecided:,}", style="red"))
    table.add_section()
    for name in ("p50", "p90", "p99", "max"):
        table.add_row(f"wait, {name}", duration(getattr(verdict, name)))
    return table


def _sparkline(run: GateRun, columns: int) -> Table:
    """Median wait by upload time and queue length by clock time, one character a slice of the test."""
    end = run.test.hours * 3600
    edges = np.linspace(0, end, columns + 1)
    slices = np.searchsorted(run.uploaded_at, edges)
    pairs = list(pairwise(slices))
    waits = [float(np.median(run.waits[a:b])) if b > a else 0.0 for a, b in pairs]
    spots = np.clip(np.searchsorted(run.queue_at, edges[1:]) - 1, 0, run.queue_length.size - 1)
    queue = [float(run.queue_length[spot]) for spot in spots]
    grid = Table.grid(padding=(0, 1))
    grid.add_row("wait ", Text(_bars(waits, least_top=60), style="cyan"), f"to {duration(max(waits))}")
    grid.add_row("queue", Text(_bars(queue, least_top=20), style="magenta"), f"to {max(queue):,.0f}")
    grid.add_row("", Text(f"0{f'{run.test.hours:g} h':>{columns - 1}}", style="dim"), "")
    return grid


def _bars(values: list[float], *, least_top: float) -> str:
    """One block a value; the full block is the largest one, at least `least_top`: a trifle stays low."""
    top = max(*values, least_top)
    return "".join(_BARS[math.ceil(value / top * (len(_BARS) - 1))] for value in values)
