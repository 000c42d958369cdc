"""Each function of a week may do every call that it makes, on the thing that it makes it on, and hardly anything else.

moto and MiniStack ask no role. So the calls are written down while a chain's weeks run, and compared with the
template's policies, in both directions.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from fnmatch import fnmatchcase
from typing import Any

import botocore.client
import pytest

from pawcast.adapters.messages_out import SesMailer
from pawcast.errors import DependencyUnavailable
from pawcast_ops.demo.chain import drawn_chain
from tests.support import house_rules as rules
from tests.support.template import folder_of, functions, load
from tests.support.weekly import FUNCTIONS, WEEK, WeekStack, chain, csv

LATER = "2026-W51"
Call = tuple[str, str]  # an IAM action and the resource, as a policy of the template writes it

# Rights that no call of the weeks shows, and why they are there.
WITHOUT_A_CALL = {
    (
        "open_week",
        "s3:GetObject",
        "${ModelsBucket.Arn}/models/*",
    ): "models of a release; the weeks use the built-in one",
    ("open_week", "s3:ListBucket", "${ModelsBucket.Arn}"): "makes a missing model a 404",
    ("ingest_drops", "s3:ListBucket", "${DropsBucket.Arn}"): "makes a first drop's missing report a 404",
    ("forecast_shard", "s3:ListBucket", "${PlansBucket.Arn}"): "makes a missing key a 404",
    ("plan_shard", "s3:ListBucket", "${PlansBucket.Arn}"): "makes a missing key a 404",
    ("evaluate_week", "s3:ListBucket", "${PlansBucket.Arn}"): "makes a missing key a 404",
    ("report_week", "s3:ListBucket", "${PlansBucket.Arn}"): "makes a missing key a 404",
    ("tell_stores", "s3:ListBucket", "${PlansBucket.Arn}"): "makes a missing key a 404",
    ("serve_weeks", "s3:ListBucket", "${PlansBucket.Arn}"): "makes a missing key a 404",
}
BUCKETS = {"drops": "DropsBucket", "warehouse": "WarehouseBucket", "plans": "PlansBucket", "models": "ModelsBucket"}


def calls_of(service: str, operation: str, request: dict[str, Any]) -> set[Call]:
    """The IAM actions that a call needs, with what each is done on."""
    if service == "s3":
        return _s3_calls(operation, request)
    if operation == "TransactWriteItems":
        return {(f"dynamodb:{kind}Item", "${WeeksTable.Arn}") for item in request["TransactItems"] for kind in item}
    if service == "dynamodb":
        index = f"/index/{request['IndexName']}" if "IndexName" in request else ""
        return {(f"dynamodb:{operation}", f"${{{request['TableName']}.Arn}}{index}")}
    if service == "ssm":
        parameter = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${ForecastReleaseParameter}"
        return {(f"ssm:{operation}", parameter)}
    if service == "sesv2":
        identity = "arn:${AWS::Partition}:ses:${AWS::Region}:${AWS::AccountId}:identity/" + request["FromEmailAddress"]
        return {(f"ses:{operation}", identity)}
    done_on = {"Publish": "${ForecastEventsTopic}", "StartExecution": "${WeeklyForecast}"}
    return {(f"{'states' if service == 'stepfunctions' else service}:{operation}", done_on.get(operation, "*"))}


def _s3_calls(operation: str, request: dict[str, Any]) -> set[Call]:
    bucket = f"${{{BUCKETS[request['Bucket']]}.Arn}}"
    if operation == "ListObjectsV2":
        return {("s3:ListBucket", bucket)}
    thing = f"{bucket}/{request['Key']}"
    if operation == "CopyObject":
        source = request["CopySource"]
        return {("s3:PutObject", thing), ("s3:GetObject", f"${{{BUCKETS[source['Bucket']]}.Arn}}/{source['Key']}")}
    return {("s3:GetObjectVersion" if "VersionId" in request else f"s3:{operation}", thing)}


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[Call]]:
    """What each function did while the weeks ran."""
    used: dict[str, set[Call]] = defaultdict(set)
    at_work: list[str] = []
    client_class: Any = botocore.client.BaseClient
    call = client_class._make_api_call

    def noted(self: Any, operation: str, request: dict[str, Any]) -> Any:
        if at_work:
            used[at_work[-1]] |= calls_of(self.meta.service_model.service_name, operation, request)
        return call(self, operation, request)

    monkeypatch.setattr(client_class, "_make_api_call", noted)
    stack = WeekStack(monkeypatch)
    stack.s3.put_bucket_versioning(Bucket="drops", VersioningConfiguration={"Status": "Enabled"})
    for name in FUNCTIONS:
        monkeypatch.setattr(stack.functions[name], "lambda_handler", _watched(stack, name, at_work))
    tell_every_story(stack, monkeypatch)
    return used


def _watched(stack: WeekStack, name: str, at_work: list[str]) -> Callable[[Any, Any], Any]:
    handler = stack.functions[name].lambda_handler

    def watched(event: Any, context: Any) -> Any:
        at_work.append(name)
        try:
            return handler(event, context)
        finally:
            at_work.pop()

    return watched


def tell_every_story(stack: WeekStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drops, a week that reaches the stores, one that is rejected, one that evaluates the first, the night's work."""
    small = chain(stores=4, by_hour=1)
    stack.drop_chain(small)
    store = small.stores["store_id"].iloc[0]
    stack.drop("visits", "wrong.csv", f"store_id,ts,visitors\n{store},2026-11-22,many\n".encode())
    _leave_parts(stack)
    stack.call("compact_warehouse")
    stack.call("watch_deadline")
    opened = stack.compute()
    own = {"week": opened["week"], "attempt": opened["attempt"]}
    stack.call("ask_approval", **own, token="t")
    _plan_and_approve(stack)
    _first_mail_fails(stack, monkeypatch, own)
    stack.tell(opened)
    stack.http("POST", f"/weeks/{WEEK}/resend", {"include_uncertain": True})
    _evaluate_and_reject(stack)


def _leave_parts(stack: WeekStack) -> None:
    """Drops merge small months at once; what is too large for that is left to the night."""
    listed = stack.s3.list_objects_v2(Bucket="warehouse")["Contents"]
    for base in {thing["Key"].partition("/")[0]: thing["Key"] for thing in listed}.values():
        part = f"{base.rpartition('/')[0]}/_part.parquet"
        stack.s3.copy_object(Bucket="warehouse", Key=part, CopySource={"Bucket": "warehouse", "Key": base})


def _plan_and_approve(stack: WeekStack) -> None:
    stack.http("GET", "/weeks")
    _, listed = stack.http("GET", f"/weeks/{WEEK}/stores")
    store = listed["items"][0]["store_id"]
    _, plan = stack.http("GET", f"/weeks/{WEEK}/stores/{store}")
    row = next(row for row in plan["rows"] if row["open"])
    edit = {"plan_version": 1, "reason": "a fair", "edits": [{"ts": row["ts"], "staff": row["staff"] + 1}]}
    status, edited = stack.http("POST", f"/weeks/{WEEK}/stores/{store}/edits", edit)
    assert 200 == status, edited
    stack.http("POST", f"/weeks/{WEEK}/comments", {"text": "looks right"})
    decision = {"decision": "approve", "plan_version": edited["plan_version"]}
    assert 200 == stack.http("POST", f"/weeks/{WEEK}/decision", decision)[0]


def _first_mail_fails(stack: WeekStack, monkeypatch: pytest.MonkeyPatch, own: dict[str, Any]) -> None:
    """A mail service that is away: the claimed receipt is given back."""

    def away(*_: Any) -> None:
        raise DependencyUnavailable("ses:SendEmail is unavailable for now")

    with monkeypatch.context() as outage:
        outage.setattr(SesMailer, "send", away)
        with pytest.raises(DependencyUnavailable), pytest.warns(UserWarning, match="No application metrics"):
            stack.call("tell_stores", **own, shard=0, include_uncertain=False)


def _evaluate_and_reject(stack: WeekStack) -> None:
    """Two weeks later, when it is known what came: a week that is evaluated, and that nobody approves."""
    stack.now += timedelta(days=14)
    _, started = stack.http("POST", f"/weeks/{LATER}/runs", {})
    stack.drop(
        "visits",
        "later.csv",
        csv(drawn_chain(stores=4, by_hour=1, first=date(2026, 6, 1), last=date(2026, 12, 6)).visits),
    )
    opened = stack.compute(started["execution"], week=LATER, started_by="planner-1")
    own = {"week": LATER, "attempt": opened["attempt"]}
    stack.call("ask_approval", **own, token="u")
    rejection = {"decision": "reject", "plan_version": 1, "reason": "a strike"}
    assert 200 == stack.http("POST", f"/weeks/{LATER}/decision", rejection)[0]
    ended = {"execution": started["execution"], "ending": "rejected", "error": {"Error": "Rejected", "Cause": ""}}
    stack.call("close_week", **own, **ended)


def granted() -> Iterator[tuple[str, str, str]]:
    """Function, action and resource of every right in the functions' own policies."""
    for logical_id, properties in functions(load()).items():
        name = folder_of(logical_id)
        if name not in FUNCTIONS:
            continue
        for policy in properties["Policies"]:
            for statement in policy["Statement"]:
                for action in rules.listed(statement["Action"]):
                    for resource in rules.listed(statement["Resource"]):
                        yield name, action, rules.written(resource)


def test_a_role_allows_every_call_of_its_function_on_its_resource(used: dict[str, set[Call]]) -> None:
    rights = defaultdict(set)
    for name, action, resource in granted():
        rights[name].add((action, resource))

    missing = {
        (name, *call)
        for name, calls in used.items()
        for call in calls
        if not any(_covers(right, call) for right in rights[name])
    }
    assert set() == missing
    assert set(FUNCTIONS) == set(used)
    unused = {right for right in granted() if not any(_covers(right[1:], call) for call in used[right[0]])}
    assert set(WITHOUT_A_CALL) == unused, sorted(unused ^ set(WITHOUT_A_CALL))


def _covers(right: Call, call: Call) -> bool:
    return right[0] == call[0] and fnmatchcase(call[1], right[1])
