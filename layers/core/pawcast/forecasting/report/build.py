"""Puts the report together: figures, sections, style, scripts and chart data in one page.

The page brings its own content security policy, which names each script and style by its hash: whatever a store is
called, nothing else runs and nothing is fetched.
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import Any, Final

from pawcast.forecasting.report import sections
from pawcast.forecasting.report.chart_data import charts_of
from pawcast.forecasting.report.figures import figures_of
from pawcast.forecasting.report.inputs import Report, ReportInputs
from pawcast.forecasting.report.markup import Markup, script_json, tag
from pawcast.forecasting.report.tables import tables_of
from pawcast.forecasting.report.texts import PAGE_WORDS
from pawcast.forecasting.report.verdict import LOOK_AT, looks_of, verdict_of

STYLES: Final = ("vendor/uPlot.min.css", "page/report.css")
SCRIPTS: Final = ("vendor/uPlot.iife.min.js", "page/report.js")


def build_report(inputs: ReportInputs) -> Report:
    """The report of a week."""
    verdict, looks = verdict_of(inputs), looks_of(inputs)
    figures = figures_of(inputs)
    body = [
        sections.header(inputs, verdict),
        sections.changes(inputs, figures),
        sections.look_first(looks),
        sections.chain(inputs),
        sections.stores(),
        sections.errors(inputs),
        sections.experiments(inputs),
        sections.staffing(inputs, figures),
        sections.quarantined(inputs),
        sections.provenance(inputs),
    ]
    charts = charts_of(inputs, [look.store_id for look in looks])
    charts["words"] = {code: words.model_dump() for code, words in PAGE_WORDS.items()}
    html = _page(inputs.run.week, Markup("\n".join(body)), charts)
    summary: dict[str, Any] = {
        "verdict": verdict.safe,
        "reasons": [reason.model_dump() for reason in verdict.reasons],
        "look_at": [look.store_id for look in looks[:LOOK_AT]],
        "stores_to_look_at": len(looks),
    } | figures.summary()
    return Report(html=html, tables=tables_of(inputs, looks), summary=summary)


def _page(week: str, body: Markup, charts: dict[str, Any]) -> str:
    styles = "\n".join(_own(name) for name in STYLES)
    scripts = [_own(name) for name in SCRIPTS]
    policy = (
        f"default-src 'none'; style-src {_hash(styles)}; script-src {' '.join(_hash(script) for script in scripts)}; "
        "base-uri 'none'; form-action 'none'"
    )
    return "\n".join(
        (
            "<!doctype html>",
            '<html lang="ko">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="robots" content="noindex">',
            tag("title", f"Pawcast {week}"),
            f"<style>{styles}</style>",
            "</head>",
            "<body>",
            tag("main", body),
            f'<script type="application/json" id="charts">{script_json(charts)}</script>',
            *(f"<script>{script}</script>" for script in scripts),
            "</body>",
            "</html>",
            "",
        )
    )


@cache
def _own(name: str) -> str:
    """A file of this package that is inlined. Ours hold nothing that would end a script or style block."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8").strip()


def _hash(inline: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()}'"
