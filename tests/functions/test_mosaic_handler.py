"""The handler of the mosaic queue: which messages come back, and what is counted."""

import json
from typing import Any

import pytest

from pawcast.errors import DependencyUnavailable
from pawcast.screening.mosaics import MosaicReport
from tests.support.functions import FakeContext, load_function
from tests.support.template import environment_of, event

BATCH = "mosaic_photos/sqs_request"
POST_ID = "3f2b8c1d4e5f60718293a4b5c6d7e8f9"


class Maker:
    """Answers what it was told."""

    def __init__(self, answer: MosaicReport | Exception) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def make(self, post_id: str) -> MosaicReport:
        self.asked.append(post_id)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def handled(
    maker: Maker, batch: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> tuple[list[str], dict[str, int]]:
    """The messages that come back, and the metrics."""
    module = load_function("mosaic_photos", environment_of("mosaic_photos"), monkeypatch)
    monkeypatch.setattr(module, "mosaics", maker)
    answer = module.lambda_handler(batch, FakeContext())
    documents = [line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    metrics = {
        name: sum(values)
        for document in documents
        for name, values in json.loads(document).items()
        if isinstance(values, list)
    }
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]], metrics


@pytest.mark.parametrize(
    ("report", "metric"),
    [
        (MosaicReport("made", faces=2), "MosaicsMade"),
        (MosaicReport("mosaic_no_face"), "MosaicsWithoutFace"),
        (MosaicReport("mosaic_failed"), "MosaicsFailed"),
        (MosaicReport("nothing_to_do"), "DuplicateMessages"),
        (MosaicReport("unknown"), "UnknownPosts"),
        (MosaicReport("made", uncounted=DependencyUnavailable("dynamodb")), "MosaicsMade"),
    ],
)
def test_a_message_that_was_dealt_with_is_gone_and_counted(
    report: MosaicReport, metric: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    maker = Maker(report)

    again, metrics = handled(maker, event(BATCH), monkeypatch, capsys)

    assert ([], [POST_ID]) == (again, maker.asked)
    assert (1, 1) == (metrics["Messages"], metrics[metric])


@pytest.mark.parametrize("error", [DependencyUnavailable("s3"), RuntimeError("a bug")])
def test_a_message_that_failed_comes_back(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    batch = event(BATCH)

    again, metrics = handled(Maker(error), batch, monkeypatch, capsys)

    assert ([batch["Records"][0]["messageId"]], 1) == (again, metrics["Retries"])


def test_of_a_batch_only_the_message_that_can_not_be_read_comes_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (record,) = event(BATCH)["Records"]
    maker = Maker(MosaicReport("made", faces=1))

    again, metrics = handled(maker, {"Records": [{"messageId": "m0", "body": "{}"}, record]}, monkeypatch, capsys)

    assert (["m0"], [POST_ID], 1) == (again, maker.asked, metrics["UnreadableMessages"])


def test_a_release_that_can_not_be_loaded_is_seen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = load_function("mosaic_photos", environment_of("mosaic_photos"), monkeypatch)

    class Failing:
        """Its release can't be loaded."""

        def make(self, _: str) -> MosaicReport:
            module.release_failed(DependencyUnavailable("ssm"))
            return MosaicReport("nothing_to_do")

    monkeypatch.setattr(module, "mosaics", Failing())
    module.lambda_handler(event(BATCH), FakeContext())

    assert '"ReleaseErrors":[1.0]' in capsys.readouterr().out.replace(" ", "")
