"""The weekly report: one HTML file that opens anywhere, and the same figures as tables.

    report = build_report(inputs)      # ReportInputs: what the week's run knows
    report.html                        # index.html: no request leaves it, Korean and English are both in it
    report.tables                      # {"stores": DataFrame, "plan": ..., ...} for CSV and Parquet
    report.summary                     # verdict, reasons and figures, for events and the run's record

`verdict.py` says whether the week is safe to approve and which stores to look at first, `tables.py` makes the frames,
`chart_data.py` what the charts draw, `sections.py` and `markup.py` the page. `page/` has its style and script,
`vendor/` the chart library. The same inputs give the same bytes.
"""

from pawcast.forecasting.report.build import build_report
from pawcast.forecasting.report.inputs import Report, ReportInputs

__all__ = ["Report", "ReportInputs", "build_report"]
