"""What a report is made from, and what it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from pawcast.forecasting.evaluate import Evaluation
from pawcast.forecasting.experiment import Comparison
from pawcast.forecasting.weekly.plan import StoreLine
from pawcast.forecasting.weekly.run import Quarantined, Run


@dataclass(frozen=True, eq=False)
class ReportInputs:
    """What a week's run knows when its gate has been held.

    Attributes:
        run: with gate, totals, models and data version.
        lines: one for each store.
        rows: FORECAST and its staff: store_id, ts, open, yhat, q10, q50, q80, q90, staff, needed, risk, arm, method;
            the planned week, a row a day or (for stores that plan by hour) an hour.
        recent: store_id, ts, visitors (NaN: closed or unknown) by day, about eight weeks up to the newest known day;
            for the newest evaluated week also yhat, q10, q90 of the forecast made then. The three may be missing.
        evaluation: of the newest known week; None where none was made.
        comparisons: of arms, where there is more than one.
        edit_scores: by, edits, helped, hurt, under_avoided, over_avoided; the row by="" is everybody.
        staff_totals: `staffing.compare.Comparison.totals` of the evaluated week; may be empty.
        quarantined: stores that got the seasonal-naive forecast.
        names: of stores, by id; a store without one is shown by its id.
        generated_at: with a time zone, the one that the page shows.
    """

    run: Run
    lines: Sequence[StoreLine]
    rows: pd.DataFrame
    recent: pd.DataFrame
    evaluation: Evaluation | None
    comparisons: tuple[Comparison, ...]
    edit_scores: pd.DataFrame | None
    staff_totals: Mapping[str, float]
    quarantined: Sequence[Quarantined]
    names: Mapping[str, str]
    generated_at: datetime


@dataclass(frozen=True, eq=False)
class Report:
    """`html` is the whole page; `tables` are by file name without its ending; `summary` is plain JSON."""

    html: str
    tables: dict[str, pd.DataFrame]
    summary: dict[str, Any]
