"""Drops through the real handler and adapters on moto: warehouse, report, event; twice, out of order, broken."""

import json
from datetime import datetime
from types import ModuleType
from typing import TYPE_CHECKING, Any

import boto3
import pandas as pd
import pytest
from botocore.exceptions import ClientError

from pawcast.adapters.warehouse_store import WarehouseStore
from pawcast.forecasting.warehouse import SET_ASIDE, VISITS
from tests.support.aws import REGION
from tests.support.drops import lines
from tests.support.functions import FakeContext, load_function
from tests.support.template import event

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

STORES = b"store_id,region,time_zone,plans_by,visitors_per_person\nS1,KR,Asia/Seoul,day,40\nS2,KR,Asia/Seoul,day,40\n"
SEQUENCER = "0055AED6DCD90281E5"


class Unreadable:
    """A body that nobody may read."""

    def read(self, size: int) -> bytes:
        raise AssertionError(size)

    def close(self) -> None:
        """Closing it is fine."""


class Ingest:
    """Buckets, a topic with a listener, and both functions."""

    def __init__(self, s3: "S3Client", monkeypatch: pytest.MonkeyPatch) -> None:
        self.s3 = s3
        for bucket in ("drops", "warehouse"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket="drops", VersioningConfiguration={"Status": "Enabled"})
        sns, self.sqs = boto3.client("sns"), boto3.client("sqs")
        topic = sns.create_topic(Name="forecast-events")["TopicArn"]
        self.queue = self.sqs.create_queue(QueueName="heard")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
        environment = {
            "POWERTOOLS_METRICS_NAMESPACE": "Pawcast",
            "POWERTOOLS_SERVICE_NAME": "test",
            "DROPS_BUCKET": "drops",
            "WAREHOUSE_BUCKET": "warehouse",
            "FORECAST_EVENTS_TOPIC_ARN": topic,
        }
        self.function: ModuleType = load_function("ingest_drops", environment, monkeypatch)
        self.compactor: ModuleType = load_function("compact_warehouse", environment, monkeypatch)
        self.warehouse = WarehouseStore(s3, "warehouse")

    def put(self, key: str, content: bytes, at: str = "2026-11-23T03:00:00.000Z") -> dict[str, Any]:
        """Put a file; the message that S3 sends."""
        version = self.s3.put_object(Bucket="drops", Key=key, Body=content)["VersionId"]
        thing = {"key": key, "size": len(content), "versionId": version, "sequencer": SEQUENCER}
        body = json.dumps({"Records": [{"eventTime": at, "s3": {"bucket": {"name": "drops"}, "object": thing}}]})
        return {"messageId": f"m-{version}", "body": body}

    def deliver(self, *messages: dict[str, Any]) -> list[str]:
        """Hand messages to the function; ids of those that it wants again."""
        answer = self.function.lambda_handler({"Records": list(messages)}, FakeContext())
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def report(self, name: str) -> dict[str, Any]:
        """The sender's report."""
        found: dict[str, Any] = json.loads(
            self.s3.get_object(Bucket="drops", Key=f"ingest-reports/{name}.json")["Body"].read()
        )
        return found

    def heard(self) -> list[dict[str, Any]]:
        """Events since the last call."""
        found = []
        while messages := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return found

    def visitors(self) -> dict[str, float]:
        """Visitors of S1 by day."""
        rows = self.warehouse.read(VISITS)
        return {str(ts.date()): number for ts, number in zip(rows["ts"], rows["visitors"], strict=True)}


@pytest.fixture
def ingest(s3: "S3Client", monkeypatch: pytest.MonkeyPatch) -> Ingest:
    found = Ingest(s3, monkeypatch)
    assert [] == found.deliver(found.put("drops/stores/stores.csv", STORES))
    found.heard()
    return found


def test_good_rows_reach_the_warehouse_bad_rows_are_set_aside_and_the_sender_is_told(ingest: Ingest) -> None:
    assert [] == ingest.deliver(ingest.put("drops/visits/a.csv", lines("S1,2026-11-01,5,1", "S9,2026-11-01,5,1")))

    report = ingest.report("visits/a.csv")
    assert {"2026-11-01": 5} == ingest.visitors()
    assert (2, 1, 1, False) == tuple(report[name] for name in ("rows_read", "rows_kept", "rows_set_aside", "refused"))
    assert ("store_unknown", 3) == (report["problems"][0]["code"], report["problems"][0]["row"])
    aside = ingest.warehouse.read(SET_ASIDE)
    assert [("drops/visits/a.csv", 3, "store_unknown", "S9,2026-11-01,5,1")] == list(
        aside[["file", "row", "problem", "line"]].itertuples(index=False, name=None)
    )
    (told,) = ingest.heard()
    assert ("DropTaken", {"store_unknown": 1}, 1) == (told["event"], told["counts"], told["rows_kept"])
    assert {"ko", "en"} == set(told["summary"])


def test_what_athena_sees_is_one_file_a_month_after_each_drop(ingest: Ingest) -> None:
    ingest.deliver(ingest.put("drops/visits/a.csv", lines("S1,2026-10-31,5,1", "S1,2026-11-01,5,1")))
    ingest.deliver(ingest.put("drops/visits/b.csv", lines("S1,2026-11-01,6,1"), "2026-11-23T04:00:00Z"))

    found = [thing["Key"] for thing in ingest.s3.list_objects_v2(Bucket="warehouse", Prefix="visits/")["Contents"]]
    assert [f"visits/year=2026/month={month}/visits.parquet" for month in ("10", "11")] == found


def test_a_correction_counts_though_its_message_came_first(ingest: Ingest) -> None:
    first = ingest.put("drops/visits/a.csv", lines("S1,2026-11-01,5,1", "S1,2026-11-02,6,1"), "2026-11-23T03:00:00Z")
    correction = ingest.put("drops/visits/a.csv", lines("S1,2026-11-01,7,1"), "2026-11-23T03:00:01Z")

    ingest.deliver(correction)
    ingest.deliver(first)

    assert {"2026-11-01": 7, "2026-11-02": 6} == ingest.visitors()
    assert 1 == ingest.report("visits/a.csv")["rows_read"]  # of the newest version


def test_a_message_that_comes_twice_changes_nothing_and_tells_nobody(ingest: Ingest) -> None:
    message = ingest.put("drops/visits/a.csv", lines("S1,2026-11-01,5,1"))
    ingest.deliver(message, message)
    ingest.deliver(message)

    assert 1 == len(ingest.heard())
    assert {"2026-11-01": 5} == ingest.visitors()


@pytest.mark.parametrize(
    ("key", "content", "code"),
    [
        ("drops/visits/empty.csv", b"", "file_empty"),
        ("drops/visits/book.csv", b"PK\x03\x04" + bytes(50), "spreadsheet"),
        ("drops/stores/wrong.csv", b"a,b\n1,2\n", "header_missing"),
        ("drops/photos/cat.csv", b"a,b\n1,2\n", "kind_unknown"),
        ("drops/visits.csv", b"a,b\n1,2\n", "kind_unknown"),
    ],
)
def test_a_refused_file_is_reported_and_not_tried_again(ingest: Ingest, key: str, content: bytes, code: str) -> None:
    assert [] == ingest.deliver(ingest.put(key, content))

    report = ingest.report(key.removeprefix("drops/"))
    (told,) = ingest.heard()
    assert (True, code, "DropRefused") == (report["refused"], report["problems"][0]["code"], told["event"])


def test_a_file_over_the_limit_is_refused_before_it_is_read(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    real = ingest.function.ingesting.drops._s3.get_object

    def huge(**request: Any) -> Any:
        answer = real(**request)
        if request["Key"].endswith("huge.csv"):
            answer |= {"ContentLength": 2 * 1024**3, "Body": Unreadable()}
        return answer

    monkeypatch.setattr(ingest.function.ingesting.drops._s3, "get_object", huge)

    assert [] == ingest.deliver(ingest.put("drops/visits/huge.csv", b"x"))
    assert "268,435,456 bytes" in ingest.report("visits/huge.csv")["problems"][0]["text"]["en"]


def test_visits_before_any_store_are_refused_with_what_to_do(s3: "S3Client", monkeypatch: pytest.MonkeyPatch) -> None:
    ingest = Ingest(s3, monkeypatch)

    ingest.deliver(ingest.put("drops/visits/a.csv", lines("S1,2026-11-01,5,1")))

    assert "no_stores" == ingest.report("visits/a.csv")["problems"][0]["code"]


def test_of_a_batch_only_what_failed_comes_back(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    good = ingest.put("drops/visits/good.csv", lines("S1,2026-11-01,5,1"))
    slow = ingest.put("drops/visits/slow.csv", lines("S1,2026-11-02,5,1"))
    real = ingest.function.ingesting.drops._s3.get_object

    def throttled(**request: Any) -> Any:
        if request["Key"].endswith("slow.csv"):
            raise ClientError({"Error": {"Code": "SlowDown"}}, "GetObject")
        return real(**request)

    with monkeypatch.context() as patch:
        patch.setattr(ingest.function.ingesting.drops._s3, "get_object", throttled)
        failed = ingest.deliver(good, slow, {"messageId": "nonsense", "body": "{"})

    assert sorted([slow["messageId"], "nonsense"]) == failed
    assert [] == ingest.deliver(slow)
    assert {"2026-11-01": 5, "2026-11-02": 5} == ingest.visitors()


def test_the_sample_batch_of_files_that_are_gone_is_done(ingest: Ingest) -> None:
    answer = ingest.function.lambda_handler(event("ingest_drops/sqs_s3_object_created"), FakeContext())

    assert {"batchItemFailures": []} == answer
    assert [] == ingest.heard()


def test_the_sample_batch_announces_two_kinds_with_their_names_decoded(ingest: Ingest) -> None:
    found = [
        ingest.function.drops_of(record["body"]) for record in event("ingest_drops/sqs_s3_object_created")["Records"]
    ]

    assert ["visits", "stores"] == [drop.kind for (drop,) in found]
    assert "drops/visits/2026-11-22/서울 south.csv" == found[0][0].key
    assert "ingest-reports/visits/2026-11-22/서울 south.csv.json" == found[0][0].report_key
    assert datetime.fromisoformat("2026-11-23T08:15:38.021+00:00") == found[0][0].received_at


def test_the_test_event_of_s3_is_swallowed(ingest: Ingest) -> None:
    answer = ingest.function.lambda_handler(event("ingest_drops/sqs_s3_test_event"), FakeContext())

    assert {"batchItemFailures": []} == answer


def test_the_night_compacts_what_was_left(ingest: Ingest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pawcast.forecasting.ingest.intake.MERGED_AT_ONCE_BYTES", 0)
    ingest.deliver(ingest.put("drops/visits/a.csv", lines("S1,2026-11-01,5,1")))
    ingest.deliver(ingest.put("drops/visits/b.csv", lines("S1,2026-11-02,6,1"), "2026-11-23T04:00:00Z"))

    done = ingest.compactor.lambda_handler(event("compact_warehouse/schedule"), FakeContext())

    assert {"partitions": 1, "parts": 2, "left": 0} == done
    assert {"2026-11-01": 5, "2026-11-02": 6} == ingest.visitors()


def test_logs_and_metrics_name_codes_and_no_values(
    ingest: Ingest, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    capsys.readouterr()
    caplog.clear()

    ingest.deliver(ingest.put("drops/visits/a.csv", lines("secret-store,2026-11-01,5,1", "S1,2026-11-01,5,1")))

    said = " ".join(str(vars(record)) for record in caplog.records)
    counted = capsys.readouterr().out
    assert "secret" not in said + counted
    assert "'problems': {'store_unknown': 1}" in said
    assert all(name in counted for name in ("DropsTaken", "RowsKept", "RowsSetAside"))


def test_a_year_ago_is_as_good_as_yesterday(ingest: Ingest) -> None:
    days = [str(day.date()) for day in pd.date_range("2025-11-20", periods=30)]

    ingest.deliver(ingest.put("drops/visits/backfill.csv", lines(*(f"S1,{day},5,1" for day in days))))

    assert days == list(ingest.visitors())
