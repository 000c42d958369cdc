"""Sends inference records to Firehose, each as one JSON line.

A batch may fail in part: Firehose answers 200 and marks single records. Those are sent again with growing
pauses, a bounded number of times; then `DependencyUnavailable` says how many are missing, and the caller
leaves the message in its queue. So a record can arrive twice (its `inference_id` tells) but not vanish.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pawcast.adapters.aws_errors import mapped
from pawcast.errors import DependencyUnavailable
from pawcast.mlops.inference_log import InferenceRecord

if TYPE_CHECKING:
    from mypy_boto3_firehose import FirehoseClient

MAX_RECORDS = 500  # PutRecordBatch
MAX_BYTES = 4_000_000  # PutRecordBatch takes 4 MiB; one record is far below its own limit of 1,000 KiB
ATTEMPTS = 4
FIRST_PAUSE_SECONDS = 0.2  # 0.2 + 0.4 + 0.8 s: a photo waits at most 1.4 s for its log

_log = logging.getLogger(__name__)


def in_batches(lines: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Lists of lines, in order, that one PutRecordBatch takes."""
    batch: list[bytes] = []
    size = 0
    for line in lines:
        if batch and (len(batch) == MAX_RECORDS or size + len(line) > MAX_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line)
    if batch:
        yield batch


class InferenceStream:
    """The inference log's way in."""

    def __init__(
        self,
        firehose_client: "FirehoseClient",
        stream_name: str,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._firehose = firehose_client
        self._name = stream_name
        self._sleep = sleep

    def put(self, records: Sequence[InferenceRecord]) -> None:
        """Send all records; `DependencyUnavailable` names how many could not be handed over."""
        missing = 0
        for batch in in_batches(record.json_line() for record in records):
            missing += len(self._put_batch(batch))
        if missing:
            raise DependencyUnavailable(
                f"firehose:PutRecordBatch on {self._name}: {missing} of {len(records)} inference records "
                f"were not taken in {ATTEMPTS} attempts"
            )

    def _put_batch(self, lines: list[bytes]) -> list[bytes]:
        """The lines that were still refused at the last attempt."""
        for attempt in range(ATTEMPTS):
            if attempt:
                self._sleep(FIRST_PAUSE_SECONDS * 2 ** (attempt - 1))
            lines = self._refused(lines)
            if not lines:
                break
        return lines

    def _refused(self, lines: list[bytes]) -> list[bytes]:
        try:
            with mapped("firehose:PutRecordBatch", self._name):
                answer = self._firehose.put_record_batch(
                    DeliveryStreamName=self._name, Records=[{"Data": line} for line in lines]
                )
        except DependencyUnavailable as error:
            _log.warning("%s", error)
            return lines
        if not answer["FailedPutCount"]:
            return []
        return [line for line, result in zip(lines, answer["RequestResponses"], strict=True) if result.get("ErrorCode")]
