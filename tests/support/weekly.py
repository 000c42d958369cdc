"""All functions of a week's run with their real adapters around moto, called in the state machine's order.

The order, the catches and the payloads are those of `statemachines/weekly_forecast.asl.json`; that the file says so is
tested end to end on MiniStack. moto has no Lambda here, so the map's iterations are a loop.
"""

import io
import json
from datetime import UTC, date, datetime
from types import ModuleType
from typing import Any

import boto3
import pandas as pd
import pytest

from pawcast_ops.demo.chain import Chain, drawn_chain
from tests.support.functions import FakeContext, load_function
from tests.support.template import create_tables

COMPUTING = ("open_week", "forecast_shard", "plan_shard", "evaluate_week", "report_week")
TELLING = ("ask_approval", "tell_stores", "close_week", "watch_deadline", "serve_weeks")
FEEDING = ("ingest_drops", "compact_warehouse")
FUNCTIONS = (*FEEDING, *COMPUTING, *TELLING)
PLANNER = {"sub": "planner-1", "email": "planner@example.com", "token_use": "id", "cognito:groups": "[planners]"}
WEEK = "2026-W49"
TUESDAY = datetime(2026, 11, 23, 21, tzinfo=UTC)  # 06:00 on Tuesday in Seoul
LAST_KNOWN = date(2026, 11, 22)


def chain(stores: int = 12, by_hour: int = 2, weeks: int = 26) -> Chain:
    """A small chain whose newest known week is the one before the run."""
    first = LAST_KNOWN - pd.Timedelta(days=7 * weeks - 1)
    return drawn_chain(stores=stores, by_hour=by_hour, first=first, last=LAST_KNOWN)


def csv(frame: pd.DataFrame) -> bytes:
    """A frame as a sender's file."""
    file = io.BytesIO()
    frame.assign(open=frame["open"].astype(int)).to_csv(file, index=False) if "open" in frame else frame.to_csv(
        file, index=False
    )
    return file.getvalue()


class WeekStack:
    """The functions with table, buckets, topic and state machine around them, and a clock that the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        session = boto3.Session()
        self.s3, self.ses = session.client("s3"), session.client("sesv2")
        self.dynamodb, self.states = session.client("dynamodb"), session.client("stepfunctions")
        self.tables = create_tables(self.dynamodb, "WeeksTable")
        where: Any = {"LocationConstraint": session.region_name}
        for bucket in ("drops", "warehouse", "plans", "models"):
            self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=where)
        self.ses.create_email_identity(EmailIdentity="pawcast@example.com")
        sns, sqs = session.client("sns"), session.client("sqs")
        topic = sns.create_topic(Name="forecast-events")["TopicArn"]
        self.sqs, self.heard_queue = sqs, sqs.create_queue(QueueName="heard")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self.heard_queue, AttributeNames=["QueueArn"])
        raw = {"RawMessageDelivery": "true"}
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"], Attributes=raw)
        session.client("ssm").put_parameter(Name="release", Value='{"version": 0}', Type="String")
        machine = self.states.create_state_machine(
            name="weekly",
            definition=json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}}),
            roleArn="arn:aws:iam::123456789012:role/x",
        )
        environment = {
            "POWERTOOLS_METRICS_NAMESPACE": "Pawcast",
            "POWERTOOLS_SERVICE_NAME": "test",
            "DROPS_BUCKET": "drops",
            "WAREHOUSE_BUCKET": "warehouse",
            "PLANS_BUCKET": "plans",
            "MODELS_BUCKET": "models",
            "WEEKS_TABLE": self.tables["WeeksTable"],
            "FORECAST_EVENTS_TOPIC_ARN": topic,
            "FORECAST_RELEASE_PARAMETER": "release",
            "PLANNING_TIME_ZONE": "Asia/Seoul",
            "MINIMUM_FRESH_PERCENT": "90",
            "PUBLIC_BASE_URL": "https://pawcast.example",
            "SENDER_MAIL": "pawcast@example.com",
            "STATE_MACHINE_ARN": machine["stateMachineArn"],
        }
        self.now = TUESDAY
        for variable, value in environment.items():
            monkeypatch.setenv(variable, value)
        for module in ("week_assembly", "forecast_assembly", "forecast_data_assembly"):
            monkeypatch.setattr(f"pawcast.adapters.{module}.utc_now", lambda: self.now)
        self.functions: dict[str, ModuleType] = {
            name: load_function(name, environment, monkeypatch) for name in FUNCTIONS
        }

    def call(self, name: str, **event: Any) -> Any:
        """Call a function as the state machine does; what it answers has been through JSON."""
        answer = self.functions[name].lambda_handler(json.loads(json.dumps(event)), FakeContext())
        return json.loads(json.dumps(answer))

    def drop(self, kind: str, name: str, content: bytes) -> None:
        """Drop a file, and hand its notification to the function."""
        key = f"drops/{kind}/{name}"
        version = self.s3.put_object(Bucket="drops", Key=key, Body=content).get("VersionId")
        thing = {"key": key, "size": len(content), "versionId": version, "sequencer": "0055AED6DCD90281E5"}
        record = {"eventTime": self.now.isoformat(), "s3": {"bucket": {"name": "drops"}, "object": thing}}
        body = json.dumps({"Records": [record]})
        answer = self.call("ingest_drops", Records=[{"messageId": "m1", "body": body}])
        assert {"batchItemFailures": []} == answer

    def drop_chain(self, chain: Chain) -> None:
        """Drop everything that a chain has."""
        self.drop("stores", "stores.csv", csv(chain.stores))
        self.drop("promotions", "promotions.csv", csv(chain.promotions))
        self.drop("calendar", "calendar.csv", csv(chain.calendar))
        self.drop("visits", "visits.csv", csv(chain.visits))

    def compute(self, execution: str = "run-1", **request: Any) -> dict[str, Any]:
        """From the start to the gate."""
        opened: dict[str, Any] = self.call("open_week", request=request, execution=execution)
        if opened["outcome"] != "opened":
            return opened
        own = {"week": opened["week"], "attempt": opened["attempt"]}
        for shard in opened["shards"]:
            self.call("forecast_shard", **own, shard=shard, fallback=False)
            self.call("plan_shard", **own, shard=shard)
        self.call("evaluate_week", **own)
        return opened | {"report": self.call("report_week", **own)}

    def tell(self, opened: dict[str, Any]) -> Any:
        """From the approval to the end."""
        own = {"week": opened["week"], "attempt": opened["attempt"]}
        for shard in opened["shards"]:
            self.call("tell_stores", **own, shard=shard, include_uncertain=False)
        return self.call("close_week", **own, execution="run-1", ending="done")

    def http(
        self, method: str, path: str, body: Any = None, claims: dict[str, str] | None = PLANNER, **query: str
    ) -> tuple[int, Any]:
        """One request of a signed-in person, as the gateway hands it on."""
        context: dict[str, Any] = {"requestId": "r1", "http": {"method": method, "path": path}, "stage": "$default"}
        if claims is not None:
            context["authorizer"] = {"jwt": {"claims": claims, "scopes": None}}
        event = {
            "version": "2.0",
            "rawPath": path,
            "headers": {},
            "requestContext": context,
            "isBase64Encoded": False,
            "queryStringParameters": query or None,
            "body": json.dumps(body) if body is not None else None,
        }
        answer = self.functions["serve_weeks"].lambda_handler(event, FakeContext())
        return answer["statusCode"], json.loads(answer["body"])

    def heard(self) -> list[dict[str, Any]]:
        """Events that planners heard since the last call."""
        found = []
        while messages := self.sqs.receive_message(QueueUrl=self.heard_queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.heard_queue, ReceiptHandle=message["ReceiptHandle"])
        return found
