"""The pictures of a backtest, as SVG or PNG, the same bytes for the same forecasts."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, PercentFormatter

from pawcast.forecasting.evaluate import WEEKDAYS, Evaluation, Group
from pawcast_ops.forecast_backtest import NAIVE, Finished

matplotlib.use("Agg")

INK, MUTED, GRID, NAIVE_COLOUR, CAME = "#1f2933", "#6b7785", "#e4e8ec", "#9aa5b1", "#1f2933"
COLOURS = ("#0b6e99", "#c2410c", "#5b7f2b", "#7c3aed", "#b45309", "#0f766e")
_STYLE: Any = {"font.family": ["DejaVu Sans"], "svg.hashsalt": "pawcast", "font.size": 10}


def draw_all(finished: Finished, folder: Path, suffix: str = ".svg") -> list[Path]:
    """Every picture; the paths in reading order."""
    pictures: dict[str, Callable[[Finished, Path], None]] = {
        "chain": draw_chain,
        "wape-by-week": draw_weeks,
        "wape-by-weekday": draw_weekdays,
        "quantiles": draw_quantiles,
        "stores": draw_stores,
    }
    paths = []
    for name, draw in pictures.items():
        path = folder / f"{name}{suffix}"
        draw(finished, path)
        paths.append(path)
    return paths


def draw_chain(finished: Finished, path: Path) -> None:
    """All stores' visitors a day: what came, and every arm."""
    rows = finished.rows[finished.rows["open"] & finished.rows["visitors"].notna()]
    daily = rows.assign(day=rows["ts"].dt.normalize()).groupby(["arm", "day"], sort=True)[["yhat", "visitors"]].sum()
    figure, axes = _figure(8.4, 3.6)
    for arm in finished.judged:
        one = daily.loc[arm]
        axes.plot(one.index, one["yhat"], **_line(arm, finished.judged), label=_name(arm))
    came = daily.loc[next(iter(finished.judged))]["visitors"]
    axes.plot(came.index, came, color=CAME, linewidth=0, marker="o", markersize=3.2, label="what came")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set_ylim(0, None)
    axes.margins(x=0.01)
    mondays = pd.DatetimeIndex(came.index).to_period("W").unique().start_time
    shown = mondays[:: -(-len(mondays) // 7)]
    axes.set_xticks(shown, [f"{day:%Y-%m-%d}" for day in shown])
    _finish(figure, axes, path, "Visitors of all stores a day", "open days with known visitors")


def draw_weeks(finished: Finished, path: Path) -> None:
    """WAPE week by week."""
    figure, axes = _figure(8.4, 3.6)
    for arm, evaluation in finished.judged.items():
        weeks = [group.key for group in evaluation.by_week]
        axes.plot(
            weeks,
            _wapes(evaluation.by_week),
            **_line(arm, finished.judged),
            marker="o",
            markersize=3.5,
            label=_name(arm),
        )
    axes.tick_params(axis="x", rotation=45 if len(axes.get_xticks()) > 8 else 0)
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_ylim(0, None)
    _finish(figure, axes, path, "Error by week", "WAPE: absolute errors over visitors")


def draw_weekdays(finished: Finished, path: Path) -> None:
    """WAPE by weekday and, where stores plan by hour, by hour."""
    hourly = any(evaluation.by_hour for evaluation in finished.judged.values())
    figure, *panels = _figures(8.4, 3.6, 2 if hourly else 1)
    arms = list(finished.judged)
    width = 0.8 / len(arms)
    for index, arm in enumerate(arms):
        evaluation = finished.judged[arm]
        found = {group.key: group for group in evaluation.by_weekday}
        at = [WEEKDAYS.index(key) + (index - (len(arms) - 1) / 2) * width for key in found]
        panels[0].bar(
            at, _wapes(list(found.values())), width * 0.92, color=_colour(arm, finished.judged), label=_name(arm)
        )
        if hourly:
            panels[1].set_xticks(range(0, 24, 4))
            hours = [int(group.key) for group in evaluation.by_hour]
            order = np.argsort(hours)
            panels[1].plot(
                np.array(hours)[order], np.array(_wapes(evaluation.by_hour))[order], **_line(arm, finished.judged)
            )
    panels[0].set_xticks(range(7), [day[:3].capitalize() for day in WEEKDAYS])
    panels[-1].set_xlabel("hour of the day" if hourly else "", color=INK)
    for axes in panels:
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        axes.set_ylim(0, None)
    title = "Error by weekday and hour" if hourly else "Error by weekday"
    _finish(figure, panels[0], path, title, "WAPE: absolute errors over visitors")


def draw_quantiles(finished: Finished, path: Path) -> None:
    """How often fewer visitors came than each quantile said, against how often they should."""
    figure, axes = _figure(4.8, 4.4)
    levels = {"q10": 0.1, "q50": 0.5, "q80": 0.8, "q90": 0.9}
    rows = finished.rows[finished.rows["open"] & finished.rows["visitors"].notna()]
    axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    for arm in finished.judged:
        own = rows[rows["arm"] == arm]
        shares = [float((own["visitors"] <= own[name]).mean()) for name in levels]
        axes.plot(
            list(levels.values()), shares, **_line(arm, finished.judged), marker="o", markersize=5, label=_name(arm)
        )
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_xlabel("quantile", color=INK)
    axes.set_ylabel("share of rows at or below it", color=INK)
    _finish(figure, axes, path, "Quantiles", "on the dashed line they hold what they say", corner=True)


def draw_stores(finished: Finished, path: Path) -> None:
    """Each store's WAPE beside that of seasonal naive."""
    figure, axes = _figure(4.8, 4.4)
    bar = _by_store(finished.judged[NAIVE])
    arms = [arm for arm in finished.judged if arm != NAIVE]
    top = 0.0
    for arm in arms:
        both = pd.concat([bar, _by_store(finished.judged[arm])], axis=1, join="inner").dropna()
        top = max(top, float(np.quantile(both.to_numpy(), 0.99)) if len(both) else 0.0)
        axes.scatter(
            both.iloc[:, 0],
            both.iloc[:, 1],
            s=9,
            alpha=0.45,
            linewidth=0,
            color=_colour(arm, finished.judged),
            label=_name(arm),
        )
    top = 1.08 * top or 1.0
    axes.plot([0, top], [0, top], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_xlim(0, top)
    axes.set_ylim(0, top)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(PercentFormatter(1, decimals=0))
    axes.set_xlabel("WAPE of seasonal naive", color=INK)
    axes.set_ylabel("WAPE", color=INK)
    _finish(figure, axes, path, "Stores", "below the dashed line a store gained", corner=True)


def _by_store(evaluation: Evaluation) -> "pd.Series[float]":
    return pd.Series({group.key: group.figures.wape for group in evaluation.by_store}, dtype=float)


def _wapes(groups: Sequence[Group]) -> list[float]:
    return [float("nan") if group.figures.wape is None else group.figures.wape for group in groups]


def _name(arm: str) -> str:
    return "seasonal naive" if arm == NAIVE else arm


def _colour(arm: str, arms: Mapping[str, Any]) -> str:
    others = [one for one in arms if one != NAIVE]
    return NAIVE_COLOUR if arm == NAIVE else COLOURS[others.index(arm) % len(COLOURS)]


def _line(arm: str, arms: Mapping[str, Any]) -> dict[str, Any]:
    return {"color": _colour(arm, arms), "linewidth": 1.3 if arm == NAIVE else 2.0}


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure, axes = _figures(width, height, 1)
    return figure, axes


def _figures(width: float, height: float, columns: int) -> tuple[Any, ...]:
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        panels = np.atleast_1d(figure.subplots(1, columns))
    return (figure, *panels)


def _finish(figure: Figure, axes: Axes, path: Path, title: str, subtitle: str, *, corner: bool = False) -> None:
    with matplotlib.rc_context(_STYLE):
        for one in figure.axes:
            one.spines[["top", "right"]].set_visible(False)
            one.spines[["left", "bottom"]].set_color(MUTED)
            one.tick_params(colors=INK)
            one.grid(axis="y", color=GRID, linewidth=0.8)
            one.set_axisbelow(True)
        figure.suptitle(title, x=0.012, ha="left", fontsize=13, fontweight="bold", color=INK)
        axes.set_title(subtitle, loc="left", fontsize=9.5, color=MUTED)
        if corner and axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, loc="upper left", fontsize=9)
        elif not corner:
            figure.legend(
                *axes.get_legend_handles_labels(), frameon=False, loc="outside upper right", ncols=4, fontsize=9
            )
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else {})
