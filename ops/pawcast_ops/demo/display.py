"""What the demo shows: a live view while it runs, then the table, the mails and where to look next.

Everything returns Rich renderables or plain text, so tests can render them at any width. Built for 100
columns, readable at 80: there the model column goes first, then reasons wrap.
"""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from pawcast_ops.demo.mails import Mail
from pawcast_ops.demo.story import VERDICTS, Outcome, Snapshot, Verdict, leaks, unanswered
from pawcast_ops.demo.upload import GROUPS

STYLES: dict[Verdict, str] = {
    "published": "green",
    "held": "yellow",
    "rejected": "red",
    "refused": "magenta",
    "undecided": "bold white on red",
}
_WIDE = 96


def counts_line(snapshot: Snapshot) -> str:
    """One plain line: for logs, and for terminals that can't redraw."""
    verdicts = ", ".join(f"{count} {verdict}" for verdict, count in snapshot.verdicts.items() if count)
    stages = snapshot.stages
    waiting = f"{stages['queued'] + stages['uploading']} to upload, {stages['screening']} being screened"
    answered = f"{snapshot.done:>2} of {snapshot.total} answered"
    return f"{snapshot.seconds:6.1f} s  {answered}; {waiting}" + (f"; {verdicts}" if verdicts else "")


def live_view(snapshot: Snapshot) -> RenderableType:
    """A bar for each person and one for all, and how many photos stand where."""
    bars = Table.grid(padding=(0, 2))
    bars.add_column(justify="right", min_width=6)
    bars.add_column(width=44)
    bars.add_column(justify="right")
    for name, (done, total) in snapshot.by_person.items():
        bars.add_row(name, _bar(done, total, "cyan"), f"{done}/{total}")
    bars.add_row(
        Text("all", style="bold"),
        _bar(snapshot.done, snapshot.total, "green"),
        Text(f"{snapshot.done}/{snapshot.total}", style="bold"),
    )
    stages = Text("   ").append(f"{snapshot.stages['queued'] + snapshot.stages['uploading']} to upload", "dim")
    stages.append("  →  ").append(f"{snapshot.stages['screening']} being screened", "cyan").append("  →  ")
    stages.append_text(verdict_counts(snapshot.verdicts))
    return Padding(Group(bars, Text(), stages, Text(f"   {snapshot.seconds:.1f} s", style="dim")), (1, 0, 1, 2))


def _bar(done: int, total: int, style: str) -> ProgressBar:
    return ProgressBar(total=max(total, 1), completed=done, width=44, complete_style=style, finished_style=style)


def verdict_counts(verdicts: dict[Verdict, int]) -> Text:
    """`21 published · 9 held · 6 rejected · 7 refused`, coloured; verdicts without photos are left out."""
    parts = [Text(f"{verdicts[verdict]} {verdict}", style=STYLES[verdict]) for verdict in VERDICTS if verdicts[verdict]]
    return Text(" · ").join(parts) if parts else Text("none decided yet", style="dim")


def outcome_table(outcomes: Sequence[Outcome], width: int) -> Table:
    """The final table in the order of the picture groups."""
    wide = width >= _WIDE
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("photo", no_wrap=True, overflow="ellipsis", max_width=28 if wide else 25)
    table.add_column("by", no_wrap=True)
    table.add_column("decision", no_wrap=True)
    table.add_column("P(face)", justify="right", no_wrap=True)
    if wide:
        table.add_column("model", no_wrap=True)
    table.add_column("reason", ratio=1)
    table.add_column("sec", justify="right", no_wrap=True)
    for group in GROUPS:
        rows = [outcome for outcome in outcomes if outcome.upload.group == group]
        if rows:
            table.add_row(Text(group, style="bold cyan"))
        for index, outcome in enumerate(rows):
            cells: list[RenderableType] = [
                f"  {outcome.upload.name}",
                outcome.person,
                Text(outcome.verdict, style=STYLES[outcome.verdict]),
                _probability(outcome),
            ]
            if wide:
                cells.append(_model(outcome))
            seconds = "" if outcome.seconds is None else f"{outcome.seconds:.1f}"
            table.add_row(*cells, _reason(outcome), seconds, end_section=index == len(rows) - 1)
    return table


def _probability(outcome: Outcome) -> str:
    decision = outcome.post.decision if outcome.post else None
    return f"{decision.probability:.3f}" if decision else "–"


def _model(outcome: Outcome) -> str:
    decision = outcome.post.decision if outcome.post else None
    return decision.model_version if decision else "–"


def _reason(outcome: Outcome) -> Text:
    if outcome.verdict == "undecided":
        return Text(outcome.problem or "", style="red")
    if outcome.reason is not None:
        return Text(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", outcome.reason.code).replace("_", " ").lower())
    if outcome.photo is not None and outcome.photo.metadata:
        return Text(f"still carries {', '.join(outcome.photo.metadata)}", style="bold red")
    if outcome.upload.private_metadata and outcome.photo is not None:
        return Text("GPS, owner, camera removed", style="dim")
    return Text()


def summary(outcomes: Sequence[Outcome], elapsed_seconds: float) -> Text:
    """The figures beneath the table."""
    counts = Counter(outcome.verdict for outcome in outcomes)
    waits = sorted(outcome.seconds for outcome in outcomes if outcome.seconds is not None)
    text = Text.assemble((f"{len(outcomes)} uploads in {elapsed_seconds:.1f} s: ", "bold"))
    text.append_text(verdict_counts({verdict: counts[verdict] for verdict in VERDICTS}))
    if waits:
        text.append(
            f"\nUpload to notice: median {waits[len(waits) // 2]:.1f} s, slowest {waits[-1]:.1f} s "
            f"({len(waits)} photos)."
        )
    decisions = [outcome.post.decision for outcome in outcomes if outcome.post and outcome.post.decision]
    for (model, version, policy, threshold), count in Counter(
        (d.model, d.model_version, d.policy_version, d.threshold) for d in decisions
    ).items():
        text.append(f"\n{count} decided by {model} {version}, threshold {threshold:.3f}, policy {policy}.")
    looked_at = sum(outcome.photo is not None for outcome in outcomes)
    if looked_at:
        leaking = leaks(outcomes)
        text.append(f"\n{looked_at} published photos fetched again: ")
        text.append(
            "none carries metadata." if not leaking else f"{len(leaking)} STILL CARRY METADATA.",
            style="" if not leaking else "bold red",
        )
    missing = unanswered(outcomes)
    if missing:
        text.append(f"\n{len(missing)} uploads have no answer: nobody was told.", style="bold red")
    return text


def mail_table(mails: Sequence[Mail], *, shown: int = 6) -> RenderableType:
    """Mails by receiver and the first few subjects."""
    receivers = Counter(mail.to for mail in mails)
    head = Text(f"{len(mails)} mails sent: ", style="bold").append(
        ", ".join(f"{count} to {to}" for to, count in sorted(receivers.items())), "not bold"
    )
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(no_wrap=True, overflow="ellipsis")
    for mail in mails[:shown]:
        table.add_row(f"  {mail.to}", mail.subject)
    more = len(mails) - shown
    return Group(head, table, Text(f"  … and {more} more", style="dim")) if more > 0 else Group(head, table)


def next_steps(steps: Sequence[tuple[str, str]]) -> RenderableType:
    """Commands and addresses to go on with."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, style="cyan")
    table.add_column()
    for what, why in steps:
        table.add_row(f"  {what}", why)
    return Group(Text("Look next", style="bold"), table)


def save_svg(console: Console, path: Path, title: str) -> None:
    """Draw what a recording console showed, with the reader's own fonts: Rich would load one from the web."""
    drawing = re.sub(r"@font-face\s*\{[^}]*\}\s*", "", console.export_svg(title=title, clear=False))
    path.write_text(drawing.replace("Fira Code", "ui-monospace, DejaVu Sans Mono, Menlo, Consolas"), encoding="utf-8")
