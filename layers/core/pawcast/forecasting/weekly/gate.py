"""What a week's figures must be before stores may get the plan.

A *blocking* verdict that fails stops the run: the numbers can't be right. The others are shown to the planner, who
decides. A run that was started by hand with a reason passes the gate, and its record keeps both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pawcast.forecasting.evaluate import Figures
from pawcast.forecasting.weekly.plan import StoreLine
from pawcast.forecasting.weekly.run import GateVerdict, Sentences, Totals

QUARANTINED_MOST: Final = 0.05  # more are shown to the planner
QUARANTINED_STOPS: Final = 0.35  # one lost shard of three is the planner's to judge, more is no forecast
VISITORS_CHANGE_MOST: Final = 2.0
STAFF_CHANGE_MOST: Final = 0.25
INFEASIBLE_MOST: Final = 0.05
SKILL_LEAST: Final = 0.0
COVERAGE: Final = (0.65, 0.92)


@dataclass(frozen=True)
class GateFacts:
    """What the gate looks at. `last_week_visitors`: of the newest known week, all stores."""

    totals: Totals
    lines: Sequence[StoreLine]
    quarantined: int
    last_week_visitors: float
    broken_rows: int  # open rows below the minimum, or closed rows with people
    evaluated: Figures | None


def verdicts(facts: GateFacts) -> tuple[GateVerdict, ...]:
    """Every figure against its limit."""
    stores = max(1, facts.totals.stores)
    found = [
        _verdict(
            "quarantined",
            facts.quarantined / stores,
            QUARANTINED_MOST,
            blocking=facts.quarantined / stores > QUARANTINED_STOPS,
            ko=f"모델로 예측하지 못한 매장 {facts.quarantined}곳(한도 {QUARANTINED_MOST:.0%}).",
            en=f"{facts.quarantined} stores could not be forecast by their model (at most {QUARANTINED_MOST:.0%}).",
        ),
        _verdict(
            "rules_kept",
            facts.broken_rows,
            0,
            blocking=True,
            ko=f"최소 인원 미만이거나 휴무에 인원이 있는 칸 {facts.broken_rows}개.",
            en=f"{facts.broken_rows} cells below the minimum, or with people on a closed day.",
        ),
    ]
    if facts.last_week_visitors > 0:
        ratio = facts.totals.visitors / facts.last_week_visitors
        change = max(ratio, 1 / ratio) if ratio > 0 else float("inf")
        found.append(
            _verdict(
                "visitors_change",
                min(change, 1e6),
                VISITORS_CHANGE_MOST,
                blocking=True,
                ko=f"예측 방문이 지난주의 {ratio:.2f}배입니다(한도 {VISITORS_CHANGE_MOST:g}배).",
                en=f"Forecast visitors are {ratio:.2f} times last week's (at most {VISITORS_CHANGE_MOST:g} times).",
            )
        )
    if facts.totals.last_week_staff_days > 0:
        change = facts.totals.staff_days / facts.totals.last_week_staff_days - 1
        found.append(
            _verdict(
                "staff_change",
                abs(change),
                STAFF_CHANGE_MOST,
                blocking=False,
                ko=f"근무 인일이 지난주 방식보다 {change:+.1%}입니다(살펴볼 한도 {STAFF_CHANGE_MOST:.0%}).",
                en=f"Staff-days are {change:+.1%} against last week's practice (look from {STAFF_CHANGE_MOST:.0%}).",
            )
        )
    infeasible = sum(line.infeasible is not None for line in facts.lines)
    found.append(
        _verdict(
            "infeasible",
            infeasible / stores,
            INFEASIBLE_MOST,
            blocking=False,
            ko=f"규칙대로 계획할 수 없는 매장 {infeasible}곳.",
            en=f"{infeasible} stores can't be planned within their rules.",
        )
    )
    if facts.evaluated is not None:
        found += _on_last_week(facts.evaluated)
    return tuple(found)


def _on_last_week(figures: Figures) -> list[GateVerdict]:
    found = []
    if figures.skill is not None:
        found.append(
            _verdict(
                "beats_naive",
                -figures.skill,
                -SKILL_LEAST,
                blocking=False,
                ko=f"지난 예측의 오차가 지난주 그대로 예측보다 {figures.skill:.0%} 작았습니다.",
                en=f"The last forecast's error was {figures.skill:.0%} below that of seasonal naive.",
            )
        )
    if figures.coverage is not None:
        low, high = COVERAGE
        outside = max(low - figures.coverage, figures.coverage - high, 0.0)
        found.append(
            _verdict(
                "coverage",
                outside,
                0.0,
                blocking=False,
                ko=f"지난 예측의 80% 범위에 실제 방문의 {figures.coverage:.0%}가 들어왔습니다.",
                en=f"{figures.coverage:.0%} of what came lay inside the last forecast's 80 % intervals.",
            )
        )
    return found


def _verdict(name: str, value: float, limit: float, *, blocking: bool, ko: str, en: str) -> GateVerdict:
    text = Sentences(ko=ko, en=en)
    return GateVerdict(name=name, passed=value <= limit, blocking=blocking, value=value, limit=limit, text=text)
