"""Records on their way to Firehose: in chunks, again where refused, never lost in silence."""

import gzip
import json
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from pawcast.adapters.inference_stream import MAX_BYTES, MAX_RECORDS, InferenceStream, in_batches
from pawcast.errors import DependencyUnavailable
from pawcast.mlops.inference_log import InferenceRecord
from tests.support.releases import a_record

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def records(number: int) -> list[InferenceRecord]:
    return [a_record(post_id=f"post-{index}") for index in range(number)]


class FakeFirehose:
    """Takes lines, except those that `refusals` (one list of indices for each call) tell it to refuse."""

    def __init__(self, *refusals: Sequence[int] | ClientError) -> None:
        self.refusals = list(refusals)
        self.calls: list[list[bytes]] = []
        self.taken: list[bytes] = []

    def put_record_batch(self, *, DeliveryStreamName: str, Records: list[dict[str, bytes]]) -> dict[str, Any]:
        assert DeliveryStreamName == "inferences"
        lines = [record["Data"] for record in Records]
        self.calls.append(lines)
        refused = self.refusals.pop(0) if self.refusals else []
        if isinstance(refused, ClientError):
            raise refused
        self.taken += [line for index, line in enumerate(lines) if index not in refused]
        return {
            "FailedPutCount": len(refused),
            "RequestResponses": [
                {"ErrorCode": "ServiceUnavailableException"} if index in refused else {"RecordId": str(index)}
                for index in range(len(lines))
            ],
        }


class Pauses(list[float]):
    """A sleep that takes no time."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def stream(firehose: FakeFirehose, pauses: Pauses) -> InferenceStream:
    return InferenceStream(firehose, "inferences", sleep=pauses)  # type: ignore[arg-type]


def a_throttle() -> ClientError:
    response = {"Error": {"Code": "ServiceUnavailableException"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
    return ClientError(response, "PutRecordBatch")  # type: ignore[arg-type]


@given(sizes=st.lists(st.integers(1, 1_000_000), max_size=40))
def test_batches_keep_every_line_in_order_and_both_limits(sizes: list[int]) -> None:
    lines = [bytes(size) for size in sizes]

    batches = list(in_batches(lines))

    assert [line for batch in batches for line in batch] == lines
    assert all(0 < len(batch) <= MAX_RECORDS and sum(map(len, batch)) <= MAX_BYTES for batch in batches)
    assert all(
        len(left) == MAX_RECORDS or sum(map(len, left)) + len(right[0]) > MAX_BYTES for left, right in pairwise(batches)
    )


def test_more_than_500_records_go_in_several_calls() -> None:
    firehose, pauses = FakeFirehose(), Pauses()

    stream(firehose, pauses).put(records(1_001))

    assert [len(call) for call in firehose.calls] == [500, 500, 1]
    assert firehose.taken == [record.json_line() for record in records(1_001)]
    assert pauses == []


def test_no_records_make_no_call() -> None:
    firehose = FakeFirehose()

    stream(firehose, Pauses()).put([])

    assert firehose.calls == []


def test_only_refused_records_are_sent_again_with_growing_pauses() -> None:
    firehose, pauses = FakeFirehose([1, 3], [1]), Pauses()
    sent = [record.json_line() for record in records(4)]

    stream(firehose, pauses).put(records(4))

    assert firehose.calls == [sent, [sent[1], sent[3]], [sent[3]]]
    assert sorted(firehose.taken) == sorted(sent)
    assert pauses == [0.2, 0.4]


def test_records_refused_to_the_end_are_counted_and_the_rest_is_delivered() -> None:
    firehose, pauses = FakeFirehose(*[[0, 1]] * 4), Pauses()

    with pytest.raises(DependencyUnavailable, match="2 of 5 inference records were not taken in 4"):
        stream(firehose, pauses).put(records(5))

    assert len(firehose.taken) == 3
    assert pauses == [0.2, 0.4, 0.8]


def test_a_throttled_call_counts_as_refusing_all_its_records() -> None:
    firehose, pauses = FakeFirehose(a_throttle(), a_throttle()), Pauses()

    stream(firehose, pauses).put(records(3))

    assert [len(call) for call in firehose.calls] == [3, 3, 3]
    assert len(firehose.taken) == 3


def test_a_stream_that_never_answers_loses_nothing_in_silence_and_later_batches_are_tried() -> None:
    firehose = FakeFirehose(*[a_throttle()] * 4)

    with pytest.raises(DependencyUnavailable, match="500 of 501 inference records"):
        stream(firehose, Pauses()).put(records(501))

    assert firehose.taken == [records(501)[500].json_line()]


def test_a_missing_permission_is_not_taken_for_weather() -> None:
    denied = ClientError({"Error": {"Code": "AccessDeniedException"}}, "PutRecordBatch")

    with pytest.raises(ClientError, match="AccessDenied"):
        stream(FakeFirehose(denied), Pauses()).put(records(1))


def test_what_firehose_writes_is_one_json_object_a_line(s3: "S3Client", models_bucket: str) -> None:
    firehose = boto3.Session().client("firehose")
    firehose.create_delivery_stream(
        DeliveryStreamName="inferences",
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::123456789012:role/delivery",
            "BucketARN": f"arn:aws:s3:::{models_bucket}",
            "CompressionFormat": "UNCOMPRESSED",
        },
    )

    InferenceStream(firehose, "inferences").put(records(3))

    (written,) = s3.list_objects_v2(Bucket=models_bucket)["Contents"]
    body = s3.get_object(Bucket=models_bucket, Key=written["Key"])["Body"].read()
    body = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
    assert [json.loads(line)["post_id"] for line in body.splitlines()] == ["post-0", "post-1", "post-2"]
