"""The waiting curve of a load test, as SVG or PNG, the same bytes for the same run."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from pawcast.mlops.load_gate import GateRun

matplotlib.use("Agg")

INK, MUTED, LINE, BAND, LIMIT = "#1f2933", "#6b7785", "#0b6e99", "#9fd0e3", "#c2410c"
_KOREAN_FONTS = (
    "Noto Sans CJK KR",
    "Noto Sans KR",
    "NanumGothic",
    "NanumBarunGothic",
    "UnDotum",
    "Malgun Gothic",
)
_SLICES = 120


def draw_waits(run: GateRun, path: Path) -> None:
    """Draws waits by upload time above, the queue by clock time below."""
    korean = _korean_font()
    style: Any = {
        "font.family": ["DejaVu Sans", *([korean] if korean else [])],
        "svg.hashsalt": "pawcast",
        "font.size": 10,
    }
    with matplotlib.rc_context(style):
        figure = Figure(figsize=(8.4, 5.6), layout="constrained")
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
        _waits(run, upper)
        _queue(run, lower)
        for axes in (upper, lower):
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(axis="y", color="#e4e8ec", linewidth=0.8)
            axes.set_axisbelow(True)
            axes.axvspan(0, run.test.hours, color="#f4f6f8", zorder=-1)
        upper.set_title(
            _subtitle(run, korean=korean is not None), loc="left", fontsize=9.5, color=MUTED, linespacing=1.5
        )
        figure.suptitle(_title(run), x=0.012, ha="left", fontsize=13, fontweight="bold", color=INK)
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else {})


def _title(run: GateRun) -> str:
    verdict = "passed" if run.verdict.passed else "rejected"
    return (
        f"Load gate {verdict}: {run.verdict.late_share:.1%} waited over an hour"
        f" at MaximumConcurrency {run.test.concurrency}"
    )


def _subtitle(run: GateRun, *, korean: bool) -> str:
    test = run.test
    text = (
        f"{test.factor:g} × the peak for {test.hours:g} h = {test.uploads_per_hour:,.0f} uploads an hour,"
        f" {test.service.mean_seconds:.2g} s a photo, batches of {test.batch_size}"
    )
    if korean:
        word = "통과" if run.verdict.passed else "거부"
        late = f"1시간 넘게 기다린 사진 {run.verdict.late_share:.1%}"
        text += f"\n피크의 {test.factor:g}배를 {test.hours:g}시간: {late} ({word})"
    return text


def _waits(run: GateRun, axes: Axes) -> None:
    edges = np.linspace(0, run.test.hours * 3600, _SLICES + 1)
    slices = np.searchsorted(run.uploaded_at, edges)
    spans = [(a, b) for a, b in pairwise(slices) if b > a]
    hours = [float(run.uploaded_at[a:b].mean()) / 3600 for a, b in spans]
    unit, name = (60.0, "minutes") if run.verdict.max > 180 else (1.0, "seconds")
    low, middle, high = ([float(np.quantile(run.waits[a:b], q)) / unit for a, b in spans] for q in (0.01, 0.5, 0.99))
    axes.fill_between(hours, low, high, color=BAND, linewidth=0, label="1 % to 99 % of photos")
    axes.plot(hours, middle, color=LINE, linewidth=2, label="median")
    limit = run.verdict.limits.late_seconds / unit
    top = max(high)
    if top > 0.3 * limit:
        top = max(top, limit)
        axes.axhline(limit, color=LIMIT, linewidth=1.2, linestyle=(0, (5, 3)), label="one hour")
    axes.set_ylim(0, top * 1.25)  # room for the legend
    axes.set_ylabel(f"wait until the decision, {name}", color=INK)
    axes.legend(frameon=False, loc="upper left", ncols=3)


def _queue(run: GateRun, axes: Axes) -> None:
    drained = run.drained_after_seconds
    end = run.test.hours * 3600 + (drained if drained is not None else 24 * 3600)
    shown = run.queue_at <= max(end * 1.03, run.test.hours * 3600 * 1.1)
    at, length = run.queue_at[shown] / 3600, run.queue_length[shown]
    # A point for each batch would make a file of megabytes: the largest queue in each of some slices is
    # enough.
    edges = np.linspace(0, float(at[-1]), 4 * _SLICES + 1)
    slices = np.searchsorted(at, edges)
    spans = [(a, b) for a, b in pairwise(slices) if b > a]
    hours = [float(at[a]) for a, _ in spans]
    most = [int(length[a:b].max()) for a, b in spans]
    axes.fill_between(hours, most, color=LINE, alpha=0.85, linewidth=0)
    # A handful of photos must not look like a full queue.
    axes.set_ylim(0, max(20, max(most) * 1.08))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.set_xlim(0, None)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_ylabel("photos waiting", color=INK)
    axes.set_xlabel("hours since the test began (upper: of the upload; shaded: the test)", color=INK)


def _korean_font() -> str | None:
    names = {font.name for font in font_manager.fontManager.ttflist}
    return next((name for name in _KOREAN_FONTS if name in names), None)
