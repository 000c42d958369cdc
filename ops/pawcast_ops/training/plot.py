"""The threshold's curve as a picture: cost and checks a week against the threshold, the choice marked."""

from pathlib import Path

import matplotlib
from matplotlib.figure import Figure

from pawcast.mlops.threshold import ServiceFacts, ThresholdChoice


def draw_threshold_curve(choice: ThresholdChoice, facts: ServiceFacts, path: Path) -> None:
    """Write .svg or .png, as the name ends. The same choice gives the same bytes."""
    matplotlib.rcParams["svg.hashsalt"] = "pawcast"
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    cost, checks = figure.subplots(2, 1, sharex=True)
    thresholds = [point.threshold for point in choice.curve]
    cost.plot(thresholds, [point.cost_krw_per_week / 1e6 for point in choice.curve], color="#1f6f8b")
    cost.set_ylabel("million KRW a week")
    cost.set_ylim(0, 4 * choice.chosen.cost_krw_per_week / 1e6)
    checks.plot(thresholds, [point.checks_per_week for point in choice.curve], color="#8b3a1f")
    checks.axhline(facts.operator_checks_per_week, color="grey", linestyle="--", linewidth=1, label="operators' limit")
    checks.set_ylabel("checks a week")
    checks.set_ylim(0, min(facts.uploads_per_week, 4 * facts.operator_checks_per_week))
    checks.set_xlabel("threshold")
    checks.legend(loc="upper right")
    for axes in (cost, checks):
        axes.axvline(choice.chosen.threshold, color="#2a7d2a", linewidth=1)
    cost.set_title(
        f"threshold {choice.chosen.threshold:.3f}: recall {choice.chosen.recall:.1%}, "
        f"false positives {choice.chosen.false_positive_rate:.1%}",
        fontsize=10,
    )
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
