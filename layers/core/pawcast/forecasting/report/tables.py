"""The report's figures as tables, one file each. Texts for people stand in both languages, as `…_ko` and `…_en`."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from pawcast.forecasting.report.inputs import ReportInputs
from pawcast.forecasting.report.verdict import Look
from pawcast.forecasting.weekly.plan import StoreLine
from pawcast.forecasting.weekly.run import Sentences

PLAN_COLUMNS = (
    "store_id", "ts", "open", "yhat", "q10", "q50", "q80", "q90", "staff", "needed", "risk", "arm", "method",
)  # fmt: skip


def tables_of(inputs: ReportInputs, looks: Sequence[Look]) -> dict[str, pd.DataFrame]:
    """Frames by file name: always `plan`, `stores`, `look`, `gate`, `quarantined`; others where there is something."""
    rows = inputs.rows[[name for name in PLAN_COLUMNS if name in inputs.rows]]
    tables = {
        "plan": rows.sort_values(["store_id", "ts"]).reset_index(drop=True),
        "stores": _frame([_store(inputs, line) for line in inputs.lines], ("store_id", "name")),
        "look": _frame([_look(place, look) for place, look in enumerate(looks, 1)], ("place", "store_id", "name")),
        "gate": _frame(
            [check.model_dump(exclude={"text"}) | _texts("text", check.text) for check in inputs.run.gate],
            ("name", "passed", "blocking", "value", "limit"),
        ),
        "quarantined": _frame(
            [
                {"store_id": one.store_id, "name": inputs.names.get(one.store_id, one.store_id), "reason": one.reason}
                | _texts("text", one.text)
                for one in inputs.quarantined
            ],
            ("store_id", "name", "reason"),
        ),
    }
    if inputs.evaluation is not None:
        tables["errors"] = inputs.evaluation.frame()
    if inputs.comparisons:
        comparisons = pd.DataFrame([one.model_dump() for one in inputs.comparisons])
        figures = ["wape_a", "wape_b", "difference", "low", "high", "matters"]
        tables["comparisons"] = comparisons.astype(dict.fromkeys(figures, float))
    if inputs.edit_scores is not None:
        tables["edits"] = inputs.edit_scores.reset_index(drop=True)
    if inputs.staff_totals:
        totals = sorted(inputs.staff_totals.items())
        tables["staff_totals"] = pd.DataFrame(totals, columns=["figure", "value"]).astype({"value": float})
    return tables


def _store(inputs: ReportInputs, line: StoreLine) -> dict[str, Any]:
    return (
        line.model_dump(exclude={"look", "infeasible", "shard"})
        | {"name": inputs.names.get(line.store_id, line.name)}
        | _texts("look", line.look)
        | _texts("infeasible", line.infeasible)
    )  # fmt: skip


def _look(place: int, look: Look) -> dict[str, Any]:
    why = Sentences(
        ko=" ".join(reason.ko for reason in look.reasons), en=" ".join(reason.en for reason in look.reasons)
    )
    return {"place": place, "store_id": look.store_id, "name": look.name} | _texts("why", why)


def _texts(name: str, text: Sentences | None) -> dict[str, str]:
    return {f"{name}_ko": text.ko if text else "", f"{name}_en": text.en if text else ""}


def _frame(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> pd.DataFrame:
    """A frame of the rows; without any, an empty one with the columns that such a table begins with."""
    return pd.DataFrame(list(rows)) if rows else pd.DataFrame({name: pd.Series(dtype="str") for name in columns})
