"""The page's sections, in the order in which a planner asks: is it safe, what changed, where do I look, and why."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Final

import pandas as pd

from pawcast.forecasting.evaluate import Figures as Errors
from pawcast.forecasting.evaluate import Group
from pawcast.forecasting.report.chart_data import chain_of, daily_plan, with_made
from pawcast.forecasting.report.figures import Figures, share_of_change
from pawcast.forecasting.report.inputs import ReportInputs
from pawcast.forecasting.report.markup import (
    NONE,
    Column,
    Content,
    Markup,
    bars,
    number,
    percent,
    signed,
    signed_percent,
    table,
    tag,
    text,
)
from pawcast.forecasting.report.texts import DESIGNS, METHODS, SAFE, STAFF_TOTALS, WEEKDAYS, WORDS
from pawcast.forecasting.report.verdict import LOOK_AT, Look, Verdict
from pawcast.forecasting.weekly.messages import filled
from pawcast.forecasting.weekly.run import Sentences
from pawcast.forecasting.weekly.week import Week

LISTED: Final = 1000  # rows of a table; the files beside the page have all
DAYS_OF_WEEK: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def header(inputs: ReportInputs, verdict: Verdict) -> Markup:
    """Title, language, the verdict with its reasons, and every check."""
    run, week = inputs.run, Week.parse(inputs.run.week)
    when = filled(WORDS["days"], first=week.monday.isoformat(), last=week.sunday.isoformat())
    attempt = filled(WORDS["attempt"], attempt=run.attempt)
    choice = Markup(
        f'<div class="languages" role="group" aria-labelledby="language">{tag("span", WORDS["language"], id="language", class_="unseen")}'  # noqa: E501
        '<button type="button" data-language="ko" lang="ko" class="both" aria-pressed="true">한국어</button>'
        '<button type="button" data-language="en" lang="en" class="both" aria-pressed="false">English</button></div>'
    )
    reasons = [tag("li", reason) for reason in verdict.reasons] or [tag("li", WORDS["no_reason"])]
    answer = tag(
        "section",
        [
            tag("h2", WORDS["question"], id="safe"),
            tag("p", SAFE[verdict.safe], class_="answer"),
            tag("ul", reasons),
        ],
        class_=f"verdict {verdict.safe}",
        aria_labelledby="safe",
    )
    parts = [choice, tag("h1", filled(WORDS["title"], week=run.week)), _line((when, attempt)), answer]
    if run.gate:
        parts.append(tag("details", [tag("summary", WORDS["checks"]), _checks(inputs)], class_="prints"))
    parts.append(tag("noscript", tag("p", WORDS["needs_script"], class_="note")))
    return tag("header", parts)


def changes(inputs: ReportInputs, figures: Figures) -> Markup:
    """This plan beside what was, and the stores that moved most."""
    columns = [
        Column(WORDS["figure"], number=False),
        *(Column(WORDS[code]) for code in ("this_week", "before", "change")),
    ]
    rows: list[Sequence[Content]] = [
        (
            WORDS["visitors_known"],
            number(figures.visitors),
            number(figures.visitors_before),
            signed_percent(share_of_change(figures.visitors, figures.visitors_before)),
        ),
        (
            WORDS["staff_days_before"],
            number(figures.staff_days, 1),
            number(figures.staff_days_before, 1),
            signed_percent(share_of_change(figures.staff_days, figures.staff_days_before)),
        ),
    ]
    parts = [table(WORDS["changes"], columns, rows, captioned=False)]
    if figures.moved:
        moved = [
            (
                _store(one.store_id, one.name),
                number(one.staff_days, 1),
                number(one.before, 1),
                signed(one.staff_days - one.before, 1),
            )
            for one in figures.moved
        ]
        store = [Column(WORDS["store"], number=False), *columns[1:]]
        parts.append(table(WORDS["moved"], store, moved))
    return _section("changes", WORDS["changes"], [Markup(f'<div class="columns">{"".join(parts)}</div>')])


def look_first(looks: Sequence[Look]) -> Markup:
    """The first stores with a reason."""
    if not looks:
        return _section("look", WORDS["look_title"], [tag("p", WORDS["look_none"])])
    shown = looks[:LOOK_AT]
    words = "look_more" if len(looks) > len(shown) else "look_all"
    note = filled(WORDS[words], count=f"{len(looks):,}", shown=len(shown))
    rows = [
        (_store(look.store_id, look.name, chosen=True), tag("ul", [tag("li", reason) for reason in look.reasons]))
        for look in shown
    ]
    columns = [Column(WORDS["store"], number=False), Column(WORDS["why"], number=False)]
    return _section("look", WORDS["look_title"], [table(note, columns, rows)])


def chain(inputs: ReportInputs) -> Markup:
    """All stores together: a chart, the planned week as a table, and the weeks before it as one to open."""
    recent = chain_of(with_made(inputs.recent))
    planned = chain_of(daily_plan(inputs))
    ahead = [
        (_day(row["ts"]), *_made(row), _whole(row, "staff", 1), _whole(row, "needed", 1))
        for row in planned.to_dict("records")
    ]
    past = [(_day(row["ts"]), _whole(row, "visitors"), *_made(row)) for row in recent.to_dict("records")]
    week = [Column(WORDS["day"], number=False), *(Column(WORDS[code]) for code in ("forecast", "interval"))]
    before = [week[0], Column(WORDS["actual"]), *week[1:]]
    return _section(
        "chain",
        WORDS["chain"],
        [
            Markup('<div id="chain-chart" class="chart"></div>'),
            tag("p", WORDS["gap_note"], class_="note"),
            tag("p", WORDS["band_note"], class_="note"),
            table(WORDS["this_week"], [*week, Column(WORDS["staff_days"]), Column(WORDS["needed"])], ahead),
            tag("details", [tag("summary", WORDS["as_table"]), table(WORDS["chain_caption"], before, past)]),
        ],
    )


def stores() -> Markup:
    """The place where the script puts the chosen store's chart and table."""
    return _section(
        "stores",
        WORDS["by_store"],
        [
            Markup('<div class="picker"><p>'),
            tag("label", WORDS["choose_hint"], for_="find"),
            Markup('<input id="find" type="search" autocomplete="off" maxlength="80"></p><p>'),
            tag("label", WORDS["choose"], for_="store"),
            Markup('<select id="store"></select></p></div><p id="found" role="status" class="note"></p>'),
            Markup('<div class="whole"><h3 id="store-name"></h3><p id="store-facts" class="note"></p>'),
            Markup('<div id="store-chart" class="chart"></div></div><details id="store-past"></details>'),
            Markup('<div id="store-table"></div><div id="store-hours"></div>'),
        ],
        class_="scripted",
    )


def errors(inputs: ReportInputs) -> Markup:
    """Errors by weekday, hour, arm, method and store, beside seasonal naive."""
    evaluation = inputs.evaluation
    if evaluation is None:
        return _section("errors", WORDS["errors"], [tag("p", WORDS["errors_none"])])
    left = evaluation.not_scored
    weekdays = dict(zip(DAYS_OF_WEEK, WEEKDAYS, strict=True))
    overall = [(WORDS["overall"], evaluation.overall)]
    legend = Markup(
        '<p class="legend"><span class="key model"></span> {}<span class="key naive"></span> {}</p>'
    ).format(text(WORDS["legend_model"]), text(WORDS["legend_naive"]))
    parts = [
        tag("p", filled(WORDS["errors_of"], weeks=", ".join(evaluation.weeks))),
        Markup(legend),
        _errors(WORDS["overall"], overall),
        _errors(WORDS["weekday"], [(weekdays[group.key], group.figures) for group in evaluation.by_weekday]),
        _errors(WORDS["hour"], [(f"{group.key:0>2}:00", group.figures) for group in evaluation.by_hour]),
        _errors(WORDS["arm"], _named(evaluation.by_arm)),
        _errors(WORDS["method"], [(METHODS.get(g.key, g.key), g.figures) for g in evaluation.by_method]),
        tag("p", WORDS["measures"], class_="note"),
        tag(
            "p",
            filled(
                WORDS["not_scored"],
                closed=f"{left.closed:,}",
                unknown=f"{left.unknown:,}",
                opened=f"{left.opened_unplanned:,}",
                without=f"{left.without_forecast:,}",
            ),
            class_="note",
        ),
    ]
    by_store = sorted(
        evaluation.by_store, key=lambda group: (-(group.figures.mae or 0) * group.figures.rows, group.key)
    )
    named = [(_store(group.key, inputs.names.get(group.key, group.key)), group.figures) for group in by_store[:LISTED]]
    inner = _errors(WORDS["by_store"], named, drawn=False)
    parts.append(tag("details", [tag("summary", WORDS["by_store"]), *_left_out(len(by_store), "errors.csv"), inner]))
    return _section("errors", WORDS["errors"], parts)


def experiments(inputs: ReportInputs) -> Markup:
    """What is known about arms; nothing where there is one."""
    if not inputs.comparisons:
        return Markup("")
    columns = [
        Column(WORDS["arms"], number=False),
        Column(WORDS["design"], number=False),
        *(Column(WORDS[code]) for code in ("weeks", "wape", "difference", "confidence")),
        Column(WORDS["verdict"], number=False),
    ]
    rows = [
        (
            f"A {one.arm_a} / B {one.arm_b}",
            DESIGNS[one.design],
            number(one.weeks),
            f"{percent(one.wape_a)} / {percent(one.wape_b)}",
            signed_percent(one.difference, 2),
            f"{signed_percent(one.low, 2)} ~ {signed_percent(one.high, 2)}",
            Sentences(ko=one.ko, en=one.en),
        )
        for one in inputs.comparisons
    ]
    return _section("experiments", WORDS["experiments"], [table(WORDS["experiments"], columns, rows, captioned=False)])


def staffing(inputs: ReportInputs, figures: Figures) -> Markup:
    """Staff-days planned, what the evaluated week's plan was worth, and what people's edits were."""
    saved = figures.staff_days_before - figures.staff_days
    planned = [
        (WORDS["staff_plan"], number(figures.staff_days, 1)),
        (WORDS["staff_last"], number(figures.staff_days_before, 1)),
        (WORDS["staff_saved"], signed(saved, 1)),
    ]
    first = Column(WORDS["figure"], number=False)
    parts: list[Content] = [table(WORDS["staffing"], [first, Column(WORDS["staff_days"])], planned)]
    totals = inputs.staff_totals
    if totals:
        weeks = ", ".join(inputs.evaluation.weeks) if inputs.evaluation else NONE
        rows = [
            (words, _staff_total(totals.get(code), code), _staff_total(totals.get(f"last_week_{code}"), code))
            for code, words in STAFF_TOTALS.items()
            if code in totals
        ]
        columns = [first, Column(WORDS["the_plan"]), Column(WORDS["practice"])]
        parts.append(table(filled(WORDS["staffing_caption"], weeks=weeks), columns, rows))
    else:
        parts.append(tag("p", WORDS["staff_none"]))
    if inputs.edit_scores is not None and len(inputs.edit_scores):
        parts.append(_edits(inputs.edit_scores))
    return _section("staffing", WORDS["staffing"], [tag("div", parts, class_="columns")])


def quarantined(inputs: ReportInputs) -> Markup:
    """Stores that got the seasonal-naive forecast, and why."""
    if not inputs.quarantined:
        return _section("quarantined", WORDS["quarantined"], [tag("p", WORDS["quarantined_none"])])
    columns = [Column(WORDS["store"], number=False), Column(WORDS["why"], number=False)]
    rows = [
        (_store(one.store_id, inputs.names.get(one.store_id, one.store_id)), one.text)
        for one in inputs.quarantined[:LISTED]
    ]
    left = _left_out(len(inputs.quarantined), "quarantined.csv")
    parts = [*left, table(WORDS["quarantined"], columns, rows, captioned=False)]
    return _section("quarantined", WORDS["quarantined"], parts)


def provenance(inputs: ReportInputs) -> Markup:
    """Which run made it, from which data and models."""
    run = inputs.run
    facts: list[tuple[Sentences, Content]] = [
        (WORDS["week"], f"{run.week}"),
        (WORDS["execution"], f"{run.execution} ({run.attempt})"),
        (WORDS["started"], run.started_at.astimezone(inputs.generated_at.tzinfo).isoformat(" ", "minutes")),
        (WORDS["started_by"], run.started_by),
        (WORDS["generated"], inputs.generated_at.isoformat(" ", "minutes")),
        (WORDS["data_version"], run.data_version or NONE),
        (WORDS["release"], NONE if run.release_version is None else str(run.release_version)),
        (WORDS["models"], ", ".join(run.models) or NONE),
        (WORDS["stores"], number(len(inputs.lines))),
        (WORDS["shards"], number(run.shards)),
        (WORDS["backfill"], WORDS["yes"] if run.backfill else WORDS["no"]),
    ]
    pairs = [part for words, value in facts for part in (tag("dt", words), tag("dd", value))]
    parts = [tag("dl", pairs), tag("p", WORDS["tables_note"], class_="note")]
    return tag("footer", [tag("h2", WORDS["provenance"]), *parts])


def _section(name: str, title: Content, parts: Iterable[Content], **attributes: str) -> Markup:
    heading = tag("h2", title, id=f"h-{name}")
    return tag("section", [heading, *parts], id=name, aria_labelledby=f"h-{name}", **attributes)


def _line(parts: Iterable[Content]) -> Markup:
    return Markup(f'<p class="line">{" · ".join(text(part) for part in parts)}</p>')


def _left_out(count: int, file: str) -> list[Markup]:
    """Where the rest of a long list is; nothing for one that is shown whole."""
    if count <= LISTED:
        return []
    words = filled(WORDS["first_of"], count=f"{count:,}", shown=f"{LISTED:,}", file=file)
    return [tag("p", words, class_="note")]


def _checks(inputs: ReportInputs) -> Markup:
    rows = []
    for check in inputs.run.gate:
        word = "passed" if check.passed else "stopped" if check.blocking else "warned"
        rows.append((check.text, tag("span", WORDS[word], class_=f"result {word}")))
    columns = [Column(WORDS["check"], number=False), Column(WORDS["result"], number=False)]
    return table(WORDS["checks"], columns, rows, captioned=False)


def _store(store_id: str, name: str, *, chosen: bool = False) -> Markup:
    """A store's name and, where it is another, its id; a link to its chart."""
    label = text(name) if name == store_id else Markup(f"{text(name)} {tag('small', store_id)}")
    return tag("a", label, href="#stores", data_store=store_id) if chosen else label


def _day(ts: pd.Timestamp) -> Sentences:
    words = WEEKDAYS[ts.day_of_week]
    date = f"{ts:%m-%d}"
    return Sentences(ko=f"{date} {words.ko}", en=f"{words.en} {date}")


def _made(row: Mapping[Hashable, Any]) -> tuple[str, str]:
    low, high = _whole(row, "q10"), _whole(row, "q90")
    return _whole(row, "yhat"), NONE if low == NONE else f"{low} ~ {high}"


def _whole(row: Mapping[Hashable, Any], name: str, digits: int = 0) -> str:
    value = row.get(name)
    return number(None if pd.isna(value) else float(value), digits)


def _named(groups: Sequence[Group]) -> list[tuple[Content, Errors]]:
    return [(group.key, group.figures) for group in groups]


def _errors(caption: Content, groups: Sequence[tuple[Content, Errors]], *, drawn: bool = True) -> Markup:
    """One table of errors; nothing for no groups."""
    if not groups:
        return Markup("")
    largest = max((value or 0.0 for _, one in groups for value in (one.wape, one.naive_wape)), default=0.0)
    codes = ("wape", "naive_wape", "skill", "bias", "coverage", "mae", "rmse", "pinball", "visitors")
    columns = [Column(caption, number=False), *(Column(WORDS[code]) for code in codes)]
    if drawn:
        columns.insert(1, Column(WORDS["bars"], number=False))
    rows = []
    for key, one in groups:
        shares = (percent(one.wape), percent(one.naive_wape), signed_percent(one.skill), signed_percent(one.bias))
        rest = (percent(one.coverage, 0), *(number(value, 1) for value in (one.mae, one.rmse, one.pinball_80)))
        bar = (bars((("model", one.wape), ("naive", one.naive_wape)), largest),) if drawn else ()
        rows.append((key, *bar, *shares, *rest, number(one.visitors)))
    return table(caption, columns, rows, sortable=not drawn)


def _staff_total(value: float | None, code: str) -> str:
    if value is None:
        return NONE
    if code.endswith("share"):
        return percent(value)
    return number(value, 0 if code.endswith("rows") else 1)


def _edits(scores: pd.DataFrame) -> Markup:
    columns = [
        Column(WORDS["who"], number=False),
        *(Column(WORDS[code]) for code in ("edit_count", "helped", "hurt", "under_avoided", "over_avoided")),
    ]
    rows = [
        (
            str(row["by"]) or WORDS["everybody"],
            *(_whole(row, name) for name in ("edits", "helped", "hurt")),
            *(_whole(row, name, 1) for name in ("under_avoided", "over_avoided")),
        )
        for row in scores.to_dict("records")
    ]
    return table(WORDS["edits"], columns, rows)
