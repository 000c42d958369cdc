"""The handler of apologies, and how events that nobody can read go back, with their event files."""

import json
from pathlib import Path
from typing import Any

import pytest

from pawcast.adapters import operations_assembly
from pawcast.errors import DependencyUnavailable, InvalidSettings
from pawcast.screening.apologies import ApologyReport, QueueAge
from pawcast.screening.post import PostEvent
from tests.support.functions import FakeContext, load_function
from tests.support.template import environment_of, event


class FakeApologiser:
    def __init__(self, report: ApologyReport | Exception) -> None:
        self.report = report

    def run(self) -> ApologyReport:
        if isinstance(self.report, Exception):
            raise self.report
        return self.report


def handler(report: ApologyReport | Exception, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(operations_assembly, "apologiser", lambda _: FakeApologiser(report))
    return load_function("apologise", environment_of("apologise"), monkeypatch)


@pytest.mark.parametrize(("oldest", "seconds"), [(4_000, 4_000), (None, 0)])
def test_the_schedule_measures_the_queue_so_that_alarms_can_watch_it(
    oldest: int | None, seconds: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    report = ApologyReport(told=3, screening_late=2, queue=QueueAge(waiting=9, oldest_seconds=oldest, overdue=4))
    module = handler(report, monkeypatch)

    answer = module.lambda_handler(event("apologise/schedule"), FakeContext())

    metrics = json.loads(next(line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line))
    expected = {
        "Apologies": [3.0],
        "ScreeningLate": [2.0],
        "ReviewsWaiting": [9.0],
        "OldestReviewSeconds": [float(seconds)],
        "ReviewsOverdue": [4.0],
    }
    assert {"told": 3, "screening_late": 2, "waiting": 9, "overdue": 4} == answer
    assert expected == {name: metrics[name] for name in expected}


# Powertools warns of a call that counted nothing, as one that failed does.
@pytest.mark.filterwarnings("ignore:No application metrics to publish:UserWarning")
def test_a_failed_run_fails_the_call_so_that_the_schedule_repeats_it(monkeypatch: pytest.MonkeyPatch) -> None:
    module = handler(DependencyUnavailable("sns:PublishBatch"), monkeypatch)

    with pytest.raises(DependencyUnavailable):
        module.lambda_handler(event("apologise/schedule"), FakeContext())


def test_without_its_environment_it_fails_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidSettings, match="Set them in template"):
        load_function("apologise", dict.fromkeys(environment_of("apologise"), ""), monkeypatch)


def test_an_event_whose_reason_has_no_sentence_comes_back_and_the_others_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = load_function("send_notices", environment_of("send_notices"), monkeypatch)
    told: list[PostEvent] = []

    class Notices:
        def notify(self, post_event: PostEvent) -> str:
            if post_event.reason == "unheard_of":
                raise KeyError(post_event.reason)
            told.append(post_event)
            return "sent"

    monkeypatch.setattr(module, "notices", Notices())
    batch = event("send_notices/sqs_sns_raw")
    first, second = batch["Records"]
    first["body"] = first["body"].replace('"reason":null', '"reason":"unheard_of"')

    answer = module.lambda_handler(batch, FakeContext())

    assert [{"itemIdentifier": first["messageId"]}] == answer["batchItemFailures"]
    assert [json.loads(second["body"])["post_id"]] == [post_event.post_id for post_event in told]


def test_every_event_file_of_notices_can_be_read() -> None:
    files = sorted((Path(__file__).parents[2] / "events" / "send_notices").glob("*.json"))
    bodies = [record["body"] for file in files for record in json.loads(file.read_text("utf-8"))["Records"]]

    kinds = {PostEvent.model_validate_json(body).event for body in bodies}

    assert {"PostPublished", "PostHeld", "PostLate", "PostRejected", "MosaicFailed"} <= kinds
