"""Computes CloudWatch metric math for one moment, so that tests can say what an alarm does with numbers.

Knows what `stacks/observability.yaml` uses: + - * /, comparisons, AND, IF and FILL. A metric without data is None.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

Value = np.float64 | None


def _fill(value: Value, default: float) -> np.float64:
    return np.float64(default) if value is None else value


def _if(condition: bool, yes: float, no: float) -> float:
    return yes if condition else no


def evaluate(expression: str, values: Mapping[str, Value]) -> float:
    """The result of one expression."""
    python = re.sub(r"\bAND\b", "and", expression)
    with np.errstate(all="ignore"):  # the branch of an IF that is not taken may divide by zero
        return float(eval(python, {"__builtins__": {}, "IF": _if, "FILL": _fill}, dict(values)))


def alarm_value(queries: Sequence[Mapping[str, Any]], data: Mapping[str, float]) -> float:
    """What an alarm on `queries` compares with its threshold, when metrics had `data` (by id; absent: no data)."""
    values: dict[str, Value] = {}
    returned = None
    for query in queries:
        if "MetricStat" in query:
            values[query["Id"]] = np.float64(data[query["Id"]]) if query["Id"] in data else None
        else:
            values[query["Id"]] = np.float64(evaluate(query["Expression"], values))
        if query["ReturnData"]:
            returned = values[query["Id"]]
    assert returned is not None
    return float(returned)
