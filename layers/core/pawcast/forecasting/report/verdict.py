"""Is the week safe to approve, and which stores does somebody look at first?

    no      a blocking check did not pass and nobody gave a reason to go on
    look    a check did not pass, a store was set apart or can't be staffed by its rules, or nothing was checked
    yes     none of these

Stores whose staff-days moved much are worth a look in any week; they alone make no week unsafe.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pawcast.forecasting.report.inputs import ReportInputs
from pawcast.forecasting.weekly.messages import filled
from pawcast.forecasting.weekly.run import Sentences

LOOK_AT: Final = 10  # stores

_NOT_CHECKED: Final = Sentences(
    ko="점검 결과가 없습니다. 아래 매장을 직접 확인해 주세요.",
    en="No check was made. Look at the stores below yourself.",
)
_OVERRIDDEN: Final = Sentences(
    ko="점검을 통과하지 못했지만 다음 이유로 계속합니다: {reason}",
    en="The checks were overridden, for this reason: {reason}",
)
_QUARANTINED: Final = Sentences(
    ko="모델 대신 지난주 값으로 예측한 매장: {count}곳.",
    en="Stores with last week's values instead of a model's forecast: {count}.",
)
_INFEASIBLE: Final = Sentences(
    ko="규칙대로 인원을 짤 수 없는 매장: {count}곳.",
    en="Stores that can't be staffed by their rules: {count}.",
)
_STAFF_LOST: Final = Sentences(
    ko="{week}에 필요 인원과 {days:.1f}인일 차이가 났습니다.",
    en="In {week} its plan was {days:.1f} staff-days off what was needed.",
)
_ERROR: Final = Sentences(
    ko="{week}의 예측 오차(WAPE)가 {wape:.1%}로 평소({usual:.1%})보다 큽니다.",
    en="In {week} its forecast was {wape:.1%} off (WAPE), more than its usual {usual:.1%}.",
)
_ERROR_BESIDE_ALL: Final = Sentences(
    ko="{week}의 예측 오차(WAPE)가 {wape:.1%}로 전체 매장({usual:.1%})보다 큽니다.",
    en="In {week} its forecast was {wape:.1%} off (WAPE), more than the {usual:.1%} of all stores.",
)


@dataclass(frozen=True)
class Verdict:
    """`safe` and why, gravest reason first; no reason where it is a plain yes."""

    safe: Literal["yes", "look", "no"]
    reasons: tuple[Sentences, ...]


@dataclass(frozen=True)
class Look:
    """One store to look at, its gravest reason first."""

    store_id: str
    name: str
    reasons: tuple[Sentences, ...]


def verdict_of(inputs: ReportInputs) -> Verdict:
    """Whether the week is safe to approve."""
    run = inputs.run
    stopped = tuple(check.text for check in run.gate if check.blocking and not check.passed)
    if stopped and not run.override_gate_reason:
        return Verdict("no", stopped)
    overridden = (filled(_OVERRIDDEN, reason=run.override_gate_reason),) if stopped else ()
    warned = tuple(check.text for check in run.gate if not check.blocking and not check.passed)
    unchecked = () if run.gate else (_NOT_CHECKED,)
    infeasible = sum(line.infeasible is not None for line in inputs.lines)
    counted = tuple(
        filled(text, count=f"{count:,}")
        for text, count in ((_INFEASIBLE, infeasible), (_QUARANTINED, len(inputs.quarantined)))
        if count
    )
    reasons = overridden + stopped + unchecked + warned + counted
    return Verdict("look" if reasons else "yes", reasons)


def looks_of(inputs: ReportInputs) -> Sequence[Look]:
    """Every store with a reason to look at it.

    Those come first that can't be staffed, then those set apart, those whose plan says so itself (its staff moved, its
    risk is high) and those that the evaluation names; within these the most reasons and the largest change first.
    """
    apart = {one.store_id: one.text for one in inputs.quarantined}
    evaluated = _evaluated(inputs)
    found = []
    for line in inputs.lines:
        own = apart.get(line.store_id)
        ranked = (line.infeasible, own, line.look if line.look != own else None, evaluated.get(line.store_id))
        reasons = tuple(text for text in ranked if text is not None)
        if reasons:
            rank = next(place for place, text in enumerate(ranked) if text is not None)
            moved = abs(line.staff_days - line.last_week_staff_days)
            name = inputs.names.get(line.store_id, line.name)
            found.append(((rank, -len(reasons), -moved, line.store_id), Look(line.store_id, name, reasons)))
    return [look for _, look in sorted(found, key=lambda one: one[0])]


def _evaluated(inputs: ReportInputs) -> dict[str, Sentences]:
    if inputs.evaluation is None:
        return {}
    week = ", ".join(inputs.evaluation.weeks)
    found = {}
    for one in inputs.evaluation.look_at:
        if one.reason == "staff" and one.staff_days_lost is not None:
            found[one.store_id] = filled(_STAFF_LOST, week=week, days=one.staff_days_lost)
        elif one.wape is not None:
            text = _ERROR if one.usual_wape is not None else _ERROR_BESIDE_ALL
            usual = one.usual_wape if one.usual_wape is not None else inputs.evaluation.overall.wape or 0.0
            found[one.store_id] = filled(text, week=week, wape=one.wape, usual=usual)
    return found
