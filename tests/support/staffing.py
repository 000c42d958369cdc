"""Small forecasts and stores for the tests of staffing."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pawcast.forecasting.staffing.rules import PATTERNS, Shift, ShiftPattern, StoreRules

MONDAY = np.datetime64("2026-12-07", "us")
SPREAD = {"q10": 0.7, "q50": 1.0, "q80": 1.25, "q90": 1.4}


def quantile_rows(
    store_id: str, ts: NDArray[np.datetime64], visitors: Sequence[float], is_open: Sequence[bool]
) -> pd.DataFrame:
    """FORECAST rows of a store around `visitors`."""
    middle = np.where(is_open, np.asarray(visitors, float), 0.0)
    columns = {
        "store_id": store_id,
        "ts": ts.astype("datetime64[us]"),
        "open": np.asarray(is_open, bool),
        "yhat": middle,
    }
    return pd.DataFrame(columns | {name: middle * factor for name, factor in SPREAD.items()})


def daily(store_id: str, visitors: Sequence[float], closed: Sequence[int] = ()) -> pd.DataFrame:
    """A forecast by day from a Monday on; `closed` are positions."""
    days = MONDAY + np.arange(len(visitors)) * np.timedelta64(1, "D")
    return quantile_rows(store_id, days, visitors, [place not in closed for place in range(len(visitors))])


def hourly(store_id: str, days: Sequence[Sequence[float]], opens_at: int) -> pd.DataFrame:
    """A forecast by hour: 24 rows a day, open for as long as the day has visitors."""
    parts = []
    for number, visitors in enumerate(days):
        hours = MONDAY + np.timedelta64(number, "D") + np.arange(24) * np.timedelta64(1, "h")
        every = np.zeros(24)
        every[opens_at : opens_at + len(visitors)] = visitors
        is_open = [opens_at <= hour < opens_at + len(visitors) for hour in range(24)]
        parts.append(quantile_rows(store_id, hours, every.tolist(), is_open))
    return pd.concat(parts, ignore_index=True)


def day_rules(store_id: str = "S1", per_person: float = 100.0, **changes: Any) -> StoreRules:
    """A store that plans by day, at the median unless told."""
    fields = {"service_quantile": 0.5} | changes
    return StoreRules(store_id=store_id, plans_by="day", visitors_per_person=per_person, **fields)


def hour_rules(store_id: str = "H1", per_person: float = 10.0, **changes: Any) -> StoreRules:
    """A store that plans by the hour, at the median unless told."""
    fields: dict[str, Any] = {"service_quantile": 0.5, "pattern": PATTERNS["short_and_long"]} | changes
    return StoreRules(store_id=store_id, plans_by="hour", visitors_per_person=per_person, **fields)


def pattern(*shifts: tuple[int, int]) -> ShiftPattern:
    """A pattern of (starts_at, hours)."""
    return ShiftPattern("own", tuple(Shift(start, hours) for start, hours in shifts))


def records(frame: pd.DataFrame) -> list[SimpleNamespace]:
    """A frame's rows."""
    return [SimpleNamespace(**{str(name): value for name, value in row.items()}) for row in frame.to_dict("records")]
