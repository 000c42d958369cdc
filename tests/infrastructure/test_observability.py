"""Alarms and dashboard of stacks/observability.yaml: complete, true to the code, and answered by the runbook."""

import ast
import inspect
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import typer.main

from pawcast.forecasting.weekly.gate import QUARANTINED_MOST
from pawcast.forecasting.weekly.week import APPROVE_BY
from pawcast_ops import cli
from tests.support import house_rules as rules
from tests.support.metric_math import alarm_value
from tests.support.template import ROOT, Template, folder_of, functions, parse, references, resources

ALARM, COMPOSITE = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"
DAY, WEEK = 86_400, 604_800

VALUES = {
    "ScreeningMemoryMb": "1769",
    "MonthlyBudgetKrw": "1500000",
    "KrwPerUsd": "1400",
    "PeakUploadsPerHour": "20000",
    "MaximumConcurrency": "20",
    "WorstWapePercent": "40",
    "UsdPerGbSecond": "0.0000133334",
    "AWS::Region": "ap-northeast-2",
}

Properties = Mapping[str, Any]


# ---------------------------------------------------------------- reading the stack


def alarms(stack: Template) -> dict[str, Template]:
    """Every alarm by logical id."""
    return resources(stack, ALARM, COMPOSITE)


def substitute(value: Any, stack: Template, values: Mapping[str, str], *, on_aws: bool = True) -> str:
    """A `Fn::Sub` as CloudFormation would write it; names without a value stay as `<Name>`."""
    if isinstance(value, str):
        return value
    if "Fn::If" in value:
        condition, yes, no = value["Fn::If"]
        taken = yes if condition == "OnArm" or on_aws else no
        return substitute(taken, stack, values, on_aws=on_aws)
    text, local = (value["Fn::Sub"], {}) if isinstance(value["Fn::Sub"], str) else value["Fn::Sub"]
    known = {**values, **{key: substitute(inner, stack, values, on_aws=on_aws) for key, inner in local.items()}}
    return re.sub(r"\$\{([\w:.]+)\}", lambda found: known.get(found[1], f"<{found[1]}>"), text)


def queries_of(alarm: Properties, stack: Template) -> list[dict[str, Any]]:
    """The metric queries of an alarm, expressions with numbers put in."""
    return [
        {**query, "Expression": substitute(query["Expression"], stack, VALUES)} if "Expression" in query else query
        for query in alarm["Properties"]["Metrics"]
    ]


def computed(stack: Template, alarm: str, **data: float) -> float:
    """What an alarm compares with its threshold."""
    return alarm_value(queries_of(stack["Resources"][alarm], stack), data)


def metrics_of(alarm: Properties) -> Iterator[Properties]:
    """Namespace, MetricName and Dimensions of every metric of an alarm."""
    properties = alarm["Properties"]
    if "MetricName" in properties:
        yield properties
    yield from (query["MetricStat"]["Metric"] for query in properties.get("Metrics", []) if "MetricStat" in query)


def anchors(markdown: str) -> dict[str, str]:
    """Sections of a page by the anchor that their heading gets."""
    sections = re.split(r"^## (.+)$", markdown, flags=re.MULTILINE)[1:]
    return {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-"): text
        for heading, text in itertools.batched(sections, 2, strict=True)
    }


@pytest.fixture(scope="module")
def runbook() -> dict[str, str]:
    return anchors((ROOT / "docs" / "runbook.md").read_text(encoding="utf-8"))


# ---------------------------------------------------------------- rules, each also run on a stack that breaks it


def answered(stack: Template, runbook: Mapping[str, str]) -> list[str]:
    """Every alarm says what to do and names a section of the runbook, which names the alarm."""
    found = []
    for logical_id, alarm in alarms(stack).items():
        description = str(alarm["Properties"].get("AlarmDescription", ""))
        anchor = re.search(r"Runbook: docs/runbook\.md#([\w-]+)", description)
        if anchor is None or len(description) < 60 or len(description) > 1024:
            found.append(f"{logical_id}: does not say what to do and where it is explained")
        elif anchor[1] not in runbook:
            found.append(f"{logical_id}: the runbook has no section {anchor[1]}")
        elif f"`{logical_id}`" not in runbook[anchor[1]]:
            found.append(f"{logical_id}: is not named in the runbook's section {anchor[1]}")
    return found


def told(stack: Template) -> list[str]:
    """Every alarm tells the topic that it began and that it ended, or is a part of a composite that does."""
    parts = {
        name for alarm in resources(stack, COMPOSITE).values() for name in references(alarm["Properties"]["AlarmRule"])
    }
    return [
        f"{logical_id}: {key} does not name AlarmsTopic"
        for logical_id, alarm in alarms(stack).items()
        for key in ("AlarmActions", "OKActions")
        if logical_id not in parts and list(references(alarm["Properties"].get(key))) != ["AlarmsTopic"]
    ]


def decided_on_silence(stack: Template) -> list[str]:
    """Every alarm says what missing data means."""
    return [
        f"{logical_id}: does not say what missing data means"
        for logical_id, alarm in resources(stack, ALARM).items()
        if alarm["Properties"].get("TreatMissingData") not in ("breaching", "notBreaching", "ignore")
    ]


def possible_windows(stack: Template) -> list[str]:
    """CloudWatch looks back a day at most, a week for periods of an hour and more; one period for each alarm."""
    found = []
    for logical_id, alarm in resources(stack, ALARM).items():
        properties = alarm["Properties"]
        stats = [query["MetricStat"] for query in properties.get("Metrics", []) if "MetricStat" in query]
        periods = {properties["Period"]} if "Period" in properties else {stat["Period"] for stat in stats}
        if len(periods) != 1:
            found.append(f"{logical_id}: has {len(periods)} periods")
        elif max(periods) * properties["EvaluationPeriods"] > (DAY if max(periods) < 3600 else WEEK):
            found.append(f"{logical_id}: looks back too far")
    return found


def local_too(stack: Template) -> list[str]:
    """What MiniStack can't make carries a condition that is false there."""
    found = []
    for logical_id, resource in resources(stack).items():
        only_on_aws = resource["Type"] in (COMPOSITE, "AWS::Logs::MetricFilter") or "Metrics" in resource.get(
            "Properties", {}
        )
        if only_on_aws and resource.get("Condition") != "OnAws":
            found.append(f"{logical_id}: can't be made locally and has no condition")
    return found


STACK_RULES = (told, decided_on_silence, possible_windows, local_too, rules.physical_names, rules.used_parameters)

BAD_STACK = """
Parameters: {Unused: {Type: String}}
Resources:
  NamedAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: named
      AlarmActions: [!Ref AlarmsTopic]
      Period: 300
      EvaluationPeriods: 289
      TreatMissingData: notBreaching
  MathAlarm:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmActions: [!Ref AlarmsTopic]
      OKActions: [!Ref AlarmsTopic]
      EvaluationPeriods: 1
      Metrics:
        - {Id: a, MetricStat: {Period: 60}}
        - {Id: b, MetricStat: {Period: 300}}
"""


@pytest.mark.parametrize("rule", STACK_RULES, ids=lambda rule: rule.__name__)
def test_the_stack_keeps_the_rule(rule: Any, observability: Template) -> None:
    assert [] == rule(observability)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (told, ["NamedAlarm: OKActions does not name AlarmsTopic"]),
        (decided_on_silence, ["MathAlarm: does not say what missing data means"]),
        (possible_windows, ["NamedAlarm: looks back too far", "MathAlarm: has 2 periods"]),
        (local_too, ["MathAlarm: can't be made locally and has no condition"]),
        (rules.physical_names, ["NamedAlarm: AlarmName is a physical name"]),
        (rules.used_parameters, ["parameter Unused is not used"]),
    ],
)
def test_the_rule_finds_what_breaks_it(rule: Any, expected: list[str]) -> None:
    assert expected == rule(parse(BAD_STACK))


def test_every_alarm_is_answered_by_the_runbook(observability: Template, runbook: dict[str, str]) -> None:
    assert [] == answered(observability, runbook)


def test_an_alarm_without_an_answer_is_found() -> None:
    text = "The queue is long. Look at the dashboard and raise the cap. Runbook: docs/runbook.md#"
    stack = parse(
        inspect.cleandoc(f"""
        Resources:
          A: {{Type: {ALARM}, Properties: {{AlarmDescription: broken}}}}
          B: {{Type: {ALARM}, Properties: {{AlarmDescription: "{text}gone"}}}}
          C: {{Type: {ALARM}, Properties: {{AlarmDescription: "{text}queue-age"}}}}
        """)
    )

    assert [
        "A: does not say what to do and where it is explained",
        "B: the runbook has no section gone",
        "C: is not named in the runbook's section queue-age",
    ] == answered(stack, anchors("## Queue age\nAlarm: `OtherAlarm`."))


def test_the_runbook_names_no_alarm_that_is_gone(observability: Template, runbook: dict[str, str]) -> None:
    named = set(re.findall(r"`(\w+Alarm)`", " ".join(runbook.values())))

    assert set(alarms(observability)) == named


def test_links_of_the_runbook_lead_somewhere() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    headings = {heading.lower().replace(" ", "-") for heading in re.findall(r"^##+ (.+)$", text, re.MULTILINE)}

    assert set() == set(re.findall(r"\]\(#([\w-]+)\)", text)) - headings


def test_resources_that_the_runbook_asks_for_exist(template: Template) -> None:
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    known = set(resources(template))
    outputs = set(template["Outputs"])

    assert set() == set(re.findall(r"\bphysical (\w+Function|\w+LogGroup)\b", text)) - known
    assert set() == set(re.findall(r"\b(?:depth|arn_of) (\w+)", text)) - known
    assert set() == {f"{name}LogGroup" for name in re.findall(r"\blogs ([A-Z]\w+)", text)} - known
    assert set() == set(re.findall(r"\boutput ([A-Z]\w+)", text)) - outputs


def test_commands_of_the_runbook_exist_with_their_options() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    called = re.findall(r"\bpawcast (\w+) (\w+)([^`#\n]*)", text)
    groups = typer.main.get_group(cli.app).commands

    assert ("capacity", "gate", " --peak <new peak>") in called
    for group, command, options in called:
        known = groups[group].commands[command]  # type: ignore[attr-defined]
        accepted = {option for parameter in known.params for option in parameter.opts}
        assert set(re.findall(r"--[\w-]+", options)) <= accepted


def test_alarms_are_mailed_only_when_there_is_an_address(observability: Template) -> None:
    subscription = observability["Resources"]["AlarmsMailSubscription"]

    assert "MailAlarms" == subscription["Condition"]
    assert {"Fn::Not": [{"Fn::Equals": [{"Ref": "AlarmMail"}, ""]}]} == observability["Conditions"]["MailAlarms"]


# ---------------------------------------------------------------- true to the template


@pytest.mark.parametrize("metric", ["Errors", "Throttles", "Duration"])
def test_every_function_has_an_alarm_for(metric: str, template: Template, observability: Template) -> None:
    watched = {
        name
        for alarm in alarms(observability).values()
        for watched_metric in metrics_of(alarm)
        if (watched_metric["Namespace"], watched_metric["MetricName"]) == ("AWS/Lambda", metric)
        for name in references(watched_metric["Dimensions"])
    }

    assert {f"{logical_id}Name" for logical_id in functions(template)} == watched


def test_duration_alarms_come_at_80_percent_of_the_time_out(template: Template, observability: Template) -> None:
    expected = {
        logical_id.removesuffix("Function") + "DurationAlarm": properties["Timeout"] * 800
        for logical_id, properties in functions(template).items()
    }
    duration_alarms = {
        logical_id: alarm["Properties"]["Threshold"]
        for logical_id, alarm in alarms(observability).items()
        if alarm["Properties"].get("MetricName") == "Duration"
    }

    assert expected == duration_alarms


@pytest.mark.parametrize(
    ("parameter", "queue"),
    [
        ("ScreeningQueueName", "ScreeningQueue"),
        ("ScreeningDlqName", "ScreeningDlq"),
        ("ScreeningParkingQueueName", "ScreeningParkingQueue"),
        ("NoticesQueueName", "NoticesQueue"),
        ("NoticesDlqName", "NoticesDlq"),
        ("DropsQueueName", "DropsQueue"),
        ("DropsDlqName", "DropsDlq"),
    ],
)
def test_every_queue_of_the_template_has_an_alarm(
    parameter: str, queue: str, template: Template, observability: Template
) -> None:
    passed = template["Resources"]["Observability"]["Properties"]["Parameters"][parameter]
    watched = {name for alarm in alarms(observability).values() for name in references(alarm["Properties"])}

    assert {"Fn::GetAtt": [queue, "QueueName"]} == passed
    assert parameter in watched


def test_all_queues_of_the_template_are_watched(template: Template) -> None:
    passed = template["Resources"]["Observability"]["Properties"]["Parameters"]

    assert set(resources(template, "AWS::SQS::Queue")) <= set(references(passed))


def emitted_metrics() -> dict[str, set[str]]:
    """Every name that a function's code could give a metric, by service."""
    shared = strings_in((ROOT / "layers/core/pawcast/sqs.py").read_text(encoding="utf-8"))
    return {
        path.parent.name: strings_in(path.read_text(encoding="utf-8")) | shared
        for path in (ROOT / "functions").glob("*/app.py")
    }


def strings_in(source: str) -> set[str]:
    return {
        node.value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_alarms_and_dashboard_use_metrics_that_the_functions_emit(observability: Template) -> None:
    used = {
        (metric["Dimensions"][0]["Value"], metric["MetricName"])
        for alarm in alarms(observability).values()
        for metric in metrics_of(alarm)
        if metric["Namespace"] == {"Ref": "MetricsNamespace"}
    }
    used |= {
        (metric[3], metric[1])
        for widget in dashboard(observability)
        for metric in plotted(widget)
        if metric[0] == "<MetricsNamespace>"
    }
    emitted = emitted_metrics()

    assert {("screen_photos", "Decisions"), ("rescue_failed_photos", "PhotosRescued")} <= used
    assert set() == {(service, name) for service, name in used if name not in emitted[service]}


# ---------------------------------------------------------------- what the alarms do with numbers


@pytest.mark.parametrize("window", ["Hour", "FiveMinutes", "SixHours", "HalfHour"])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"decisions": 1000, "late": 1}, 1.0),
        ({"decisions": 1000, "late": 15}, 15.0),
        ({"decisions": 985, "late": 0, "rescued": 15}, 15.0),
        ({"rescued": 3}, 1000.0),
        ({"decisions": 1000}, 0.0),
        ({}, 0.0),
    ],
)
def test_burn_rate_is_bad_photos_against_the_error_budget(
    window: str, data: dict[str, float], expected: float, observability: Template
) -> None:
    assert expected == pytest.approx(computed(observability, f"SloBurn{window}Alarm", **data))


@pytest.mark.parametrize(
    ("composite", "parts"),
    [
        ("DecisionSloFastBurnAlarm", {"SloBurnHourAlarm": (3600, 14.4), "SloBurnFiveMinutesAlarm": (300, 14.4)}),
        ("DecisionSloSlowBurnAlarm", {"SloBurnSixHoursAlarm": (21_600, 6), "SloBurnHalfHourAlarm": (1800, 6)}),
    ],
)
def test_a_burn_alarm_wants_its_long_and_its_short_window(
    composite: str, parts: dict[str, tuple[int, float]], observability: Template
) -> None:
    rule = observability["Resources"][composite]["Properties"]["AlarmRule"]["Fn::Sub"]
    windows = {
        name: (
            observability["Resources"][name]["Properties"]["Metrics"][0]["MetricStat"]["Period"],
            observability["Resources"][name]["Properties"]["Threshold"],
        )
        for name in parts
    }

    assert " AND ".join(f'ALARM("${{{name}}}")' for name in parts) == rule
    assert parts == windows


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({"waiting": 1}, 1),
        ({"taken": 3, "decisions": 0}, 1),
        ({"waiting": 400, "taken": 200, "decisions": 12}, 0),
        ({"waiting": 0, "taken": 0}, 0),
        ({}, 0),
    ],
)
def test_screening_is_stuck_when_photos_wait_and_none_is_decided(
    data: dict[str, float], expected: int, observability: Template
) -> None:
    assert expected == computed(observability, "ScreeningStuckAlarm", **data)


def test_one_bad_message_reaches_the_dlq_before_screening_counts_as_stuck(
    template: Template, observability: Template
) -> None:
    queue = template["Resources"]["ScreeningQueue"]["Properties"]
    to_dlq = queue["VisibilityTimeout"] * queue["RedrivePolicy"]["maxReceiveCount"]
    alarm = observability["Resources"]["ScreeningStuckAlarm"]["Properties"]
    to_alarm = alarm["EvaluationPeriods"] * alarm["Metrics"][0]["MetricStat"]["Period"]

    assert to_dlq < to_alarm < 3600


def test_queue_age_warns_twice_before_the_promise_breaks(observability: Template) -> None:
    thresholds = [
        observability["Resources"][f"ScreeningQueueAge{level}Alarm"]["Properties"]["Threshold"]
        for level in ("Warning", "Critical")
    ]

    assert [30 * 60, 50 * 60] == thresholds


def test_cost_pace_is_a_month_of_the_last_day_against_the_budget(observability: Template) -> None:
    # a day that costs a thirtieth of the budget and a bit: 1,500,000 KRW / 30.4 days / 1,400 KRW a USD
    gb_seconds = 1_500_000 / 30.4 / 1400 / 0.0000133334
    milliseconds = gb_seconds / (1769 / 1024) * 1000

    assert 100 == pytest.approx(computed(observability, "CostPaceCriticalAlarm", duration=milliseconds))
    assert 50 == pytest.approx(computed(observability, "CostPaceWarningAlarm", duration=milliseconds / 2))
    assert 0 == computed(observability, "CostPaceCriticalAlarm")


@pytest.mark.parametrize(
    "path", sorted((ROOT / "layers/core/pawcast/mlops/prices").glob("*.json")), ids=lambda p: p.stem
)
def test_prices_of_the_cost_pace_are_those_of_the_price_files(path: Any, observability: Template) -> None:
    prices = json.loads(path.read_text(encoding="utf-8"))["prices"]
    expression = observability["Resources"]["CostPaceWarningAlarm"]["Properties"]["Metrics"][1]["Expression"]
    condition, arm, x86 = expression["Fn::Sub"][1]["UsdPerGbSecond"]["Fn::If"]

    assert "OnArm" == condition
    assert prices["lambda_gb_seconds_arm64"]["usd"] == float(arm)
    assert prices["lambda_gb_seconds_x86_64"]["usd"] == float(x86)


@pytest.mark.parametrize(("failed", "requests", "expected"), [(0, 200, 0), (4, 200, 2), (1, 1, 100)])
def test_api_errors_are_a_share_of_requests(
    failed: int, requests: int, expected: float, observability: Template
) -> None:
    assert expected == computed(observability, "ApiServerErrorsAlarm", failed=failed, requests=requests)


@pytest.mark.parametrize(
    ("data", "expected"),
    [({"aside": 2, "kept": 98}, 2), ({"kept": 1000}, 0), ({"aside": 5}, 100), ({"aside": 0, "kept": 0}, 0), ({}, 0)],
)
def test_rows_set_aside_are_a_share_of_all_rows(
    data: dict[str, float], expected: float, observability: Template
) -> None:
    assert expected == computed(observability, "RowsSetAsideAlarm", **data)


@pytest.mark.parametrize(
    ("data", "expected"), [({"apart": 3, "stores": 100}, 3), ({"stores": 100}, 0), ({"apart": 3}, 0), ({}, 0)]
)
def test_stores_set_apart_are_a_share_of_the_stores(
    data: dict[str, float], expected: float, observability: Template
) -> None:
    assert expected == computed(observability, "StoresSetApartAlarm", **data)


def test_stores_set_apart_call_before_the_gate_stops_the_week(observability: Template) -> None:
    threshold = observability["Resources"]["StoresSetApartAlarm"]["Properties"]["Threshold"]

    assert 0 < threshold < 100 * QUARANTINED_MOST


def test_one_bad_drop_reaches_the_dlq_before_the_queue_counts_as_old(
    template: Template, observability: Template
) -> None:
    queue = template["Resources"]["DropsQueue"]["Properties"]
    to_dlq = queue["VisibilityTimeout"] * queue["RedrivePolicy"]["maxReceiveCount"]

    assert to_dlq < observability["Resources"]["DropsQueueAgeAlarm"]["Properties"]["Threshold"]


def test_every_way_in_which_a_week_fails_has_an_alarm(observability: Template) -> None:
    watched = {
        metric["MetricName"]
        for alarm in alarms(observability).values()
        for metric in metrics_of(alarm)
        if metric["Namespace"] == "AWS/States"
    }

    assert {"ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"} == watched


def test_a_deadline_calls_when_the_approval_is_late(template: Template, observability: Template) -> None:
    (source,) = template["Resources"]["WatchDeadlineFunction"]["Properties"]["Events"].values()
    schedule = re.fullmatch(r"cron\(0 ([\d,]+) \? \* (\S+) \*\)", source["Properties"]["ScheduleExpression"])
    assert schedule is not None
    hours, days = schedule.groups()
    watches = [24 * day + int(hour) for day in range(3) for hour in hours.split(",")]
    alarm = observability["Resources"]["DeadlineAtRiskAlarm"]["Properties"]
    call = watches[alarm["DatapointsToAlarm"] - 1]

    assert ("TUE-THU", 24 + APPROVE_BY.hour, 3600) == (days, call, alarm["Period"])
    assert watches[-1] - watches[0] <= alarm["EvaluationPeriods"]


# ---------------------------------------------------------------- dashboard


def dashboard(stack: Template, *, on_aws: bool = True) -> list[dict[str, Any]]:
    """The widgets, as CloudWatch would get them."""
    body = substitute(stack["Resources"]["Dashboard"]["Properties"]["DashboardBody"], stack, VALUES, on_aws=on_aws)
    widgets = json.loads(body)["widgets"]
    assert isinstance(widgets, list)
    return widgets


def plotted(widget: Mapping[str, Any]) -> list[list[Any]]:
    """The metrics of a widget, without expressions."""
    return [metric for metric in widget["properties"].get("metrics", []) if isinstance(metric[0], str)]


def overlaps(widgets: list[dict[str, Any]]) -> list[tuple[int, int]]:
    """Cells of the grid that two widgets want, or that are not there."""
    taken: set[tuple[int, int]] = set()
    wrong = []
    for widget in widgets:
        columns = range(widget["x"], widget["x"] + widget["width"])
        for cell in itertools.product(columns, range(widget["y"], widget["y"] + widget["height"])):
            if cell in taken or not 0 <= cell[0] < 24:
                wrong.append(cell)
            taken.add(cell)
    return wrong


def test_no_widget_covers_another(observability: Template) -> None:
    assert [] == overlaps(dashboard(observability))


def test_widgets_that_cover_another_or_leave_the_grid_are_found() -> None:
    widgets = [{"x": 0, "y": 0, "width": 2, "height": 1}, {"x": 1, "y": 0, "width": 1, "height": 1}]
    outside = [{"x": 23, "y": 0, "width": 2, "height": 1}]

    assert [(1, 0)] == overlaps(widgets)
    assert [(24, 0)] == overlaps(outside)


def test_everything_that_the_dashboard_names_is_in_the_stack(observability: Template) -> None:
    body = observability["Resources"]["Dashboard"]["Properties"]["DashboardBody"]
    known = {*observability["Parameters"], *resources(observability), "AWS::Region"}

    assert set() == set(references(body)) - known


def test_every_plotted_metric_is_of_the_right_kind_of_thing(observability: Template) -> None:
    names = observability["Parameters"]
    dimensions = {
        "AWS/Lambda": ("FunctionName", {f"<{name}>" for name in names if name.endswith("FunctionName")}),
        "AWS/SQS": ("QueueName", {f"<{name}>" for name in names if name.endswith(("QueueName", "DlqName"))}),
        "AWS/ApiGateway": ("ApiId", {"<HttpApiId>"}),
        "AWS/States": ("StateMachineArn", {"<WeeklyForecastArn>"}),
        "<MetricsNamespace>": ("service", set(emitted_metrics())),
    }
    wrong = [
        metric
        for widget in dashboard(observability)
        for metric in plotted(widget)
        if metric[0] != "Pawcast/Platform"
        and (metric[2] != dimensions[metric[0]][0] or metric[3] not in dimensions[metric[0]][1])
    ]

    assert [] == wrong


def test_log_reports_are_plotted_and_watched_under_the_names_of_their_filters(observability: Template) -> None:
    filters = resources(observability, "AWS::Logs::MetricFilter").values()
    names = {
        substitute(transformation["MetricName"], observability, VALUES)
        for log_filter in filters
        for transformation in log_filter["Properties"]["MetricTransformations"]
    }
    plotted_names = {
        metric[1]
        for widget in dashboard(observability)
        for metric in plotted(widget)
        if metric[0] == "Pawcast/Platform"
    }
    watched = {
        substitute(metric["MetricName"], observability, VALUES)
        for alarm in alarms(observability).values()
        for metric in metrics_of(alarm)
        if metric["Namespace"] == "Pawcast/Platform"
    }

    assert {"<ScreenPhotosFunctionName>-InitMilliseconds", "<ScreenPhotosFunctionName>-UsedMegabytes"} == names
    assert names == plotted_names == watched


def test_memory_is_watched_as_a_share_of_what_screening_has(observability: Template) -> None:
    assert 50 == computed(observability, "ScreeningMemoryAlarm", used=1769 / 2)


def test_expressions_of_the_dashboard_use_metrics_of_their_widget(observability: Template) -> None:
    functions_of_math = {"FILL", "IF", "RUNNING_SUM"}
    for widget in dashboard(observability):
        metrics = widget["properties"].get("metrics", [])
        ids = [metric[-1]["id"] for metric in metrics if isinstance(metric[-1], dict) and "id" in metric[-1]]
        used = {
            word
            for metric in metrics
            if isinstance(metric[0], dict)
            for word in re.findall(r"\b[A-Za-z_]\w*", metric[0]["expression"])
        }

        assert used <= {*ids, *functions_of_math}
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("on_aws", [True, False])
def test_the_dashboard_shows_every_alarm_that_is_there(on_aws: bool, observability: Template) -> None:
    shown = next(widget for widget in dashboard(observability, on_aws=on_aws) if widget["type"] == "alarm")
    there = {
        f"<{logical_id}.Arn>"
        for logical_id, alarm in alarms(observability).items()
        if "AlarmActions" in alarm["Properties"] and (on_aws or "Condition" not in alarm)
    }

    assert there == set(shown["properties"]["alarms"])


def test_every_graph_has_a_title_and_every_section_a_heading(observability: Template) -> None:
    widgets = dashboard(observability)
    headings = [
        widget["properties"]["markdown"].splitlines()[0].lstrip("# ") for widget in widgets if widget["type"] == "text"
    ]

    assert all(widget["properties"]["title"] for widget in widgets if widget["type"] != "text")
    assert [
        "Pawcast",
        "Uploads, decisions, outcomes",
        "The promise and its error budget",
        "Queues: age and depth",
        "Functions",
        "API",
        "Notices",
        "Forecasting: drops, weeks, stores",
        "Cost: screening's compute only; `pawcast capacity plan` counts everything",
        "People: reviews, apologies, mosaics, known photos",
    ] == headings


def test_lines_of_the_dashboard_are_the_thresholds_of_the_alarms(observability: Template, template: Template) -> None:
    lines = {
        line["label"]: float(line["value"])
        for widget in dashboard(observability)
        for line in widget["properties"].get("annotations", {}).get("horizontal", [])
    }
    threshold = {
        logical_id: alarm["Properties"].get("Threshold") for logical_id, alarm in alarms(observability).items()
    }
    screening = functions(template)["ScreenPhotosFunction"]

    assert "screen_photos" == folder_of("ScreenPhotosFunction")
    assert {
        "promise": 3600,
        "fast burn, 1 h": threshold["SloBurnHourAlarm"],
        "slow burn, 6 h": threshold["SloBurnSixHoursAlarm"],
        "spent": 0,
        "warning": threshold["ScreeningQueueAgeWarningAlarm"],
        "critical": threshold["ScreeningQueueAgeCriticalAlarm"],
        "time-out": screening["Timeout"] * 1000,
        "the cap": 20,
        "alarm for p99": threshold["ScreeningInitAlarm"],
        "memory": 1769,
        "alarm for p95": threshold["ApiLatencyAlarm"],
        "alarm": threshold["NoticesQueueAgeAlarm"],
        "alarm for drops": threshold["DropsQueueAgeAlarm"],
        "alarm for WAPE": 40,
        "budget": 1_500_000,
    } == lines
