"""The weekly report: its verdict, its words, what hostile names do to it, its size."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pawcast.adapters.run_frames import frame_of, parquet_bytes
from pawcast.forecasting.report import ReportInputs, build_report, chart_data, sections
from pawcast.forecasting.report import texts as report_texts
from pawcast.forecasting.report.chart_data import daily_plan
from pawcast.forecasting.report.markup import script_json, tag
from pawcast.forecasting.report.verdict import looks_of, verdict_of
from pawcast.forecasting.weekly.run import GateVerdict, Sentences
from tests.support.reports import HOSTILE, KNOWN_DAYS, check, report_inputs

PACKAGE = files("pawcast.forecasting.report")


class Page(HTMLParser):
    """What a browser would find: elements with attributes, script contents, text by language."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.texts: dict[str, list[str]] = {"ko": [], "en": [], "": []}
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "input"}:
            self._open.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        inside = self._open[-1][0] if self._open else ""
        if inside == "script":
            self.scripts[-1] += data
        elif inside == "style":
            self.styles.append(data)
        elif data.strip():
            self.texts[(self._open[-1][1].get("lang") or "") if inside == "span" else ""].append(data)

    def charts(self) -> Any:
        """The document of the charts."""
        return json.loads(self.scripts[0])


def with_gate(*checks: GateVerdict, reason: str = "", **changes: Any) -> ReportInputs:
    """Inputs of a week without any other reason to look, held by these checks."""
    inputs = report_inputs(4, quarantined=[], **changes)
    return replace(inputs, run=inputs.run.model_copy(update={"gate": checks, "override_gate_reason": reason}))


# ---------------------------------------------------------------- verdict


def test_a_week_whose_checks_all_passed_is_safe_to_approve() -> None:
    verdict = verdict_of(with_gate(check("rules_kept", passed=True, blocking=True)))

    assert ("yes", ()) == (verdict.safe, verdict.reasons)


def test_a_blocking_check_that_did_not_pass_makes_the_week_unsafe_and_is_its_only_reason() -> None:
    stopped = check("rules_kept", passed=False, blocking=True)

    verdict = verdict_of(with_gate(check("coverage", passed=False, blocking=False), stopped))

    assert ("no", (stopped.text,)) == (verdict.safe, verdict.reasons)


def test_an_overridden_gate_asks_to_look_and_shows_the_reason_and_the_check() -> None:
    stopped = check("rules_kept", passed=False, blocking=True)

    verdict = verdict_of(with_gate(stopped, reason="Holiday week, checked by hand"))

    assert "look" == verdict.safe
    assert "Holiday week, checked by hand" in verdict.reasons[0].en
    assert stopped.text == verdict.reasons[1]


def test_a_warning_an_infeasible_store_or_a_quarantined_one_asks_to_look() -> None:
    passed = check("rules_kept", passed=True, blocking=True)
    infeasible = report_inputs(9).lines[8]
    quarantined = report_inputs(4).quarantined

    assert "look" == verdict_of(with_gate(passed, check("coverage", passed=False, blocking=False))).safe
    assert "look" == verdict_of(with_gate(passed, lines=[infeasible])).safe
    assert "look" == verdict_of(replace(with_gate(passed), quarantined=quarantined)).safe


def test_a_week_that_nobody_checked_is_not_called_safe() -> None:
    assert "look" == verdict_of(with_gate()).safe


def test_stores_that_cannot_be_staffed_come_first_then_those_set_apart_then_those_that_moved() -> None:
    looks = looks_of(report_inputs(20))

    assert ["S0008", "S0003", "S0005"] == [look.store_id for look in looks[:3]]


# ---------------------------------------------------------------- words


def test_every_text_is_there_in_both_languages() -> None:
    tables = (report_texts.WORDS, report_texts.SAFE, report_texts.METHODS, report_texts.STAFF_TOTALS)
    found = [words for table in tables for words in table.values()] + list(report_texts.WEEKDAYS)

    assert [] == [words for words in found if not words.ko.strip() or not words.en.strip()]
    assert [] == [words.en for words in found if re.search("[가-힣]", words.en)]


def test_both_languages_fill_in_the_same_facts() -> None:
    def facts(text: str) -> set[str]:
        return set(re.findall(r"{(\w+)", text))

    assert [] == [code for code, words in report_texts.WORDS.items() if facts(words.ko) != facts(words.en)]


def test_the_page_says_everything_in_both_languages() -> None:
    page = Page(build_report(report_inputs(6, by_hour=2)).html)

    assert len(page.texts["ko"]) == len(page.texts["en"]) > 60
    assert [] == [text for text in page.texts["en"] if re.search("[가-힣]", text)]


def test_the_script_knows_every_word_that_it_says() -> None:
    script = PACKAGE.joinpath("page/report.js").read_text(encoding="utf-8")
    said = set(re.findall(r'say\("(\w+)"\)', script)) | {"day", "hour", "forecast", "interval", "needed", "risk"}

    assert set() == said - set(report_texts.PAGE_WORDS)


# ---------------------------------------------------------------- safety


@pytest.mark.parametrize("field", ["names", "run"])
def test_a_hostile_name_stays_text(field: str) -> None:
    inputs = report_inputs(4)
    if field == "names":
        inputs = replace(inputs, names={line.store_id: HOSTILE for line in inputs.lines})
    else:
        changes = {"override_gate_reason": HOSTILE, "models": (HOSTILE,), "started_by": HOSTILE}
        failed = check("rules_kept", passed=False, blocking=True)
        inputs = replace(inputs, run=inputs.run.model_copy(update={**changes, "gate": (failed,)}))

    page = Page(build_report(inputs).html)

    assert 3 == len(page.scripts)
    assert [] == [name for name, _ in page.elements if name == "img"]
    assert [] == [key for _, attributes in page.elements for key in attributes if key.startswith("on")]


def test_a_hostile_name_reaches_the_charts_unchanged() -> None:
    page = Page(build_report(report_inputs(3, hostile=True)).html)

    assert HOSTILE in [store["name"] for store in page.charts()["stores"]]


@given(st.text())
def test_json_in_a_script_block_is_read_back_and_can_not_end_it(name: str) -> None:
    written = script_json({"name": name})

    assert {"name": name} == json.loads(written)
    assert set() == set(written) & {"<", ">", "&", "\u2028", "\u2029"}


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r")))
def test_a_text_in_an_element_or_attribute_is_read_back(name: str) -> None:
    page = Page(tag("p", Sentences(ko=name, en=name + "<b>"), title=name))

    assert ["p", "span", "span"] == [element for element, _ in page.elements]
    assert name == page.elements[0][1]["title"]


def test_the_page_asks_nobody_for_anything() -> None:
    page = Page(build_report(report_inputs(4)).html)

    links = [value for _, attributes in page.elements for key in ("src", "href") if (value := attributes.get(key))]
    assert {"#stores"} == set(links)
    assert [] == re.findall(r"url\(|@import", "".join(page.styles))
    assert "fetch(" not in "".join(page.scripts[1:])


def test_its_policy_names_exactly_the_scripts_and_styles_that_are_in_it() -> None:
    page = Page(build_report(report_inputs(4, hostile=True)).html)
    policy = next(str(each["content"]) for name, each in page.elements if name == "meta" and "http-equiv" in each)

    inline = [*page.scripts[1:], *page.styles]
    hashes = [base64.b64encode(hashlib.sha256(each.encode()).digest()).decode() for each in inline]
    assert sorted(hashes) == sorted(re.findall(r"'sha256-([^']+)'", policy))
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", ["uPlot.iife.min.js", "uPlot.min.css"])
def test_a_vendored_file_is_the_one_that_its_page_names(name: str) -> None:
    held = files("pawcast.forecasting.report").joinpath("vendor")
    made = base64.b64encode(hashlib.sha384(held.joinpath(name).read_bytes()).digest()).decode()

    assert f"sha384-{made}  {name}" in held.joinpath("README.md").read_text(encoding="utf-8")


# ---------------------------------------------------------------- figures


def test_three_hundred_stores_make_a_page_below_a_megabyte() -> None:
    assert len(build_report(report_inputs(300)).html.encode()) < 1_000_000


@pytest.mark.parametrize("beside", [-1, 1])
def test_beyond_a_thousand_stores_the_gravest_and_the_largest_keep_their_charts(
    monkeypatch: pytest.MonkeyPatch, beside: int
) -> None:
    inputs = report_inputs(40, by_hour=10)
    gravest = [look.store_id for look in looks_of(inputs)]
    others = [line for line in inputs.lines if line.store_id not in gravest]
    largest = max(others, key=lambda line: line.staff_days).store_id
    monkeypatch.setattr(chart_data, "CHARTED", len(gravest) + beside)
    stores = Page(build_report(inputs).html).charts()["stores"]

    expected = set(gravest[:-1]) if beside < 0 else {*gravest, largest}
    assert expected == {store["id"] for store in stores if "p" in store}
    assert {store["id"] for store in stores if "hours" in store} <= expected
    assert 40 == len(stores)
    assert all({"staff", "before", "risk"} <= set(store) for store in stores)


def test_long_lists_are_cut_and_say_which_file_has_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sections, "LISTED", 2)
    inputs = report_inputs(12)
    html = build_report(replace(inputs, quarantined=list(inputs.quarantined) * 3)).html

    assert "The first 2 of 12 stores; errors.csv has all." in html
    assert "The first 2 of 3 stores; quarantined.csv has all." in html


def test_the_same_inputs_make_the_same_page() -> None:
    one, other = build_report(report_inputs(5, by_hour=1)), build_report(report_inputs(5, by_hour=1))

    assert one.html == other.html
    assert one.summary == other.summary


def test_the_chart_of_all_stores_is_the_sum_of_theirs() -> None:
    charts = Page(build_report(report_inputs(6, by_hour=2)).html).charts()

    for day in range(7):
        whole = sum(store["p"]["y"][day] or 0 for store in charts["stores"])
        assert whole == pytest.approx(charts["chain"]["p"]["y"][day], abs=len(charts["stores"]))
    assert KNOWN_DAYS == charts["known"]
    assert KNOWN_DAYS + 7 == charts["plan_from"]


def test_a_closed_or_unknown_day_is_a_gap_and_not_zero() -> None:
    charts = Page(build_report(report_inputs(2)).html).charts()

    unknown = charts["days"].index("2026-10-25")
    first = next(store for store in charts["stores"] if store["id"] == "S0000")
    assert None is charts["chain"]["a"][unknown]
    assert (None, None) == (first["p"]["y"][0], first["p"]["s"][0])  # S0000 is closed on Mondays


def test_a_person_of_an_hour_is_the_part_of_a_staff_day_that_the_store_says() -> None:
    inputs = report_inputs(2, by_hour=1)

    planned = daily_plan(inputs)
    hourly = planned[planned["store_id"] == "S0001"]
    assert inputs.lines[1].staff_days == pytest.approx(hourly["staff"].sum())


def test_tables_are_there_for_every_row_and_survive_parquet() -> None:
    inputs = report_inputs(9)

    tables = build_report(inputs).tables
    assert len(inputs.rows) == len(tables["plan"])
    assert len(inputs.lines) == len(tables["stores"])
    assert {"plan", "stores", "look", "gate", "quarantined", "errors", "comparisons", "edits", "staff_totals"} == set(
        tables
    )
    assert [len(each) for each in tables.values()] == [len(frame_of(parquet_bytes(each))) for each in tables.values()]


def test_the_first_week_has_a_report_without_evaluation_comparison_or_history() -> None:
    inputs = report_inputs(2)
    first = replace(
        inputs,
        evaluation=None,
        comparisons=(),
        edit_scores=None,
        staff_totals={},
        quarantined=[],
        recent=inputs.recent.iloc[:0][["store_id", "ts", "visitors"]],
        run=inputs.run.model_copy(update={"totals": None}),
    )

    report = build_report(first)
    assert "There is no forecast yet to evaluate." in report.html
    assert None is report.summary["visitors_before"]
    assert {"plan", "stores", "look", "gate", "quarantined"} == set(report.tables)
    assert [] == [name for name, table in report.tables.items() if not parquet_bytes(table)]


def test_a_recent_week_without_its_forecast_draws_the_actual_alone() -> None:
    inputs = report_inputs(2)

    charts = Page(build_report(replace(inputs, recent=inputs.recent[["store_id", "ts", "visitors"]])).html).charts()
    assert "e" not in charts["chain"]
    assert KNOWN_DAYS == len(charts["chain"]["a"])


def test_the_summary_is_plain_json_with_the_verdict() -> None:
    summary = build_report(report_inputs(30)).summary

    assert summary == json.loads(json.dumps(summary, allow_nan=False))
    assert "look" == summary["verdict"]
    assert 10 == len(summary["look_at"])
