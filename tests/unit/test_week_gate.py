"""What a week's figures must be before a plan may go out."""

from typing import Any

import pytest

from pawcast.forecasting.evaluate import Figures
from pawcast.forecasting.weekly.gate import GateFacts, verdicts
from pawcast.forecasting.weekly.plan import StoreLine
from pawcast.forecasting.weekly.run import GateVerdict, Sentences, Totals


def lines(stores: int, infeasible: int) -> list[StoreLine]:
    text = Sentences(ko="불가", en="can't be")
    return [
        StoreLine(
            store_id=f"S{place}",
            name=f"Store {place}",
            shard=0,
            plans_by="day",
            staff_days=21,
            last_week_staff_days=21,
            risk=0.1,
            method="model",
            arm="champion",
            infeasible=text if place < infeasible else None,
        )
        for place in range(stores)
    ]


def figures(**changes: float | None) -> Figures:
    """Of last week's forecast: a fifth better than seasonal naive, with intervals that hold what they promise."""
    fields = dict.fromkeys(Figures.model_fields) | {"rows": 140, "visitors": 9000.0, "skill": 0.2, "coverage": 0.8}
    return Figures.model_validate(fields | changes)


def judged(stores: int = 20, infeasible: int = 0, **changes: Any) -> dict[str, GateVerdict]:
    """The verdicts on a calm week with some facts changed, by name."""
    totals = {"stores": stores, "visitors": 1000.0, "staff_days": 100.0, "last_week_staff_days": 100.0}
    totals |= {name: changes.pop(name) for name in list(changes) if name in totals}
    facts: dict[str, Any] = {
        "totals": Totals.model_validate(totals),
        "lines": lines(stores, infeasible),
        "quarantined": 0,
        "last_week_visitors": 1000.0,
        "broken_rows": 0,
        "evaluated": figures(),
    }
    return {verdict.name: verdict for verdict in verdicts(GateFacts(**facts | changes))}


def test_a_calm_week_passes_every_check() -> None:
    found = judged()

    assert [
        "quarantined",
        "rules_kept",
        "visitors_change",
        "staff_change",
        "infeasible",
        "beats_naive",
        "coverage",
    ] == [*found]
    assert all(verdict.passed for verdict in found.values())


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("quarantined", {"quarantined": 8}),
        ("rules_kept", {"broken_rows": 1}),
        ("visitors_change", {"visitors": 2001.0}),
        ("visitors_change", {"visitors": 499.0}),
        ("visitors_change", {"visitors": 0.0}),
    ],
)
def test_figures_that_can_not_be_right_stop_the_week(name: str, change: dict[str, Any]) -> None:
    found = judged(**change)

    assert [name] == [verdict.name for verdict in found.values() if not verdict.passed]
    assert found[name].blocking


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("quarantined", {"quarantined": 2}),
        ("staff_change", {"staff_days": 126.0}),
        ("staff_change", {"staff_days": 74.0}),
        ("infeasible", {"infeasible": 2}),
        ("beats_naive", {"evaluated": figures(skill=-0.01)}),
        ("coverage", {"evaluated": figures(coverage=0.5)}),
        ("coverage", {"evaluated": figures(coverage=0.99)}),
    ],
)
def test_figures_that_may_be_right_are_the_planners_to_judge(name: str, change: dict[str, Any]) -> None:
    found = judged(**change)

    assert [name] == [verdict.name for verdict in found.values() if not verdict.passed]
    assert not found[name].blocking


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("quarantined", {"quarantined": 1}),
        ("visitors_change", {"visitors": 2000.0}),
        ("visitors_change", {"visitors": 500.0}),
        ("staff_change", {"staff_days": 125.0}),
        ("infeasible", {"infeasible": 1}),
        ("beats_naive", {"evaluated": figures(skill=0.0)}),
        ("coverage", {"evaluated": figures(coverage=0.65)}),
        ("coverage", {"evaluated": figures(coverage=0.92)}),
    ],
)
def test_a_figure_at_its_limit_passes(name: str, change: dict[str, Any]) -> None:
    assert judged(**change)[name].passed


def test_what_is_not_known_is_not_judged() -> None:
    first_week = judged(last_week_visitors=0.0, last_week_staff_days=0.0, evaluated=None)
    nothing_scored = judged(evaluated=figures(skill=None, coverage=None))

    assert {"quarantined", "rules_kept", "infeasible"} == set(first_week)
    assert {"beats_naive", "coverage"}.isdisjoint(nothing_scored)


def test_a_week_without_a_store_is_judged_without_dividing_by_zero() -> None:
    assert judged(stores=0)["quarantined"].passed


def test_each_verdict_says_its_figure_in_both_languages() -> None:
    verdict = judged(visitors=3000.0)["visitors_change"]

    assert (3.0, 2.0) == (verdict.value, verdict.limit)
    assert "3.00배" in verdict.text.ko
    assert "3.00 times" in verdict.text.en
