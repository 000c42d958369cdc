"""Handlers with their event files: parse, call, answer. What the core does with it is tested there."""

import json
from typing import Any

import pytest

from pawcast.errors import DependencyUnavailable, InvalidRequest, InvalidSettings, NotFound
from pawcast.screening.expire import ExpiryReport
from pawcast.screening.rescue import RescueReport
from pawcast.screening.screen import BatchReport
from tests.support.functions import FakeContext, load_function
from tests.support.screening import a_post
from tests.support.template import environment_of, event


class Calls:
    """Stands in for the object that a handler calls: remembers what it was given, answers what it was told."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.given: list[Any] = []

    def __call__(self, *given: Any) -> Any:
        self.given.append(given)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def __getattr__(self, _: str) -> "Calls":
        return self


def handler(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function's module after a cold start with the template's environment."""
    return load_function(name, environment_of(name), monkeypatch)


def test_a_batch_of_uploads_is_screened_and_failures_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    module = handler("screen_photos", monkeypatch)
    batch = event("screen_photos/sqs_s3_object_created")
    first, second = (record["messageId"] for record in batch["Records"])
    calls = Calls(BatchReport(failed=frozenset({second})))
    monkeypatch.setattr(module, "screening", calls)

    answer = module.lambda_handler(batch, FakeContext(12.0))

    messages, remaining = calls.given[0]
    assert {"batchItemFailures": [{"itemIdentifier": second}]} == answer
    assert ([first, second], 12.0) == ([message.message_id for message in messages], remaining())


def test_the_test_event_of_s3_is_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    module = handler("screen_photos", monkeypatch)
    monkeypatch.setattr(module, "screening", Calls(BatchReport()))

    assert {"batchItemFailures": []} == module.lambda_handler(event("screen_photos/sqs_s3_test_event"), FakeContext())


def test_what_became_of_photos_is_counted_without_naming_their_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = handler("screen_photos", monkeypatch)
    states = ["published", "in_review", "rejected"]
    posts = tuple(a_post(number, state=state, title="my secret") for number, state in enumerate(states))
    report = BatchReport(decided=posts, duplicates=2, unknown=("x",), errors=(("y", DependencyUnavailable("S3")),))
    monkeypatch.setattr(module, "screening", Calls(report))

    module.lambda_handler(event("screen_photos/sqs_s3_object_created"), FakeContext())

    output = capsys.readouterr().out
    metrics = json.loads(next(line for line in output.splitlines() if '"_aws"' in line))
    counted = {name: sum(values) for name, values in metrics.items() if isinstance(values, list)}
    expected = {"Decisions": 3, "PhotosPublished": 1, "PhotosHeld": 1, "PhotosRejected": 1, "DuplicateMessages": 2}
    assert expected == {name: counted[name] for name in expected}
    assert "my secret" not in output


def test_failed_messages_are_rescued(monkeypatch: pytest.MonkeyPatch) -> None:
    module = handler("rescue_failed_photos", monkeypatch)
    calls = Calls(RescueReport(failed=frozenset(), rescued=(a_post(),)))
    monkeypatch.setattr(module, "rescuing", calls)

    answer = module.lambda_handler(event("rescue_failed_photos/sqs_dlq"), FakeContext())

    assert ({"batchItemFailures": []}, 1) == (answer, len(calls.given))


@pytest.mark.parametrize(
    ("outcome", "again"),
    [("sent", False), ("repeated", False), ("rejected", False), (DependencyUnavailable("SES"), True)],
)
def test_an_event_that_could_not_be_told_comes_back(
    outcome: str | Exception, monkeypatch: pytest.MonkeyPatch, *, again: bool
) -> None:
    module = handler("send_notices", monkeypatch)
    monkeypatch.setattr(module, "notices", Calls(outcome))
    batch = event("send_notices/sqs_sns_raw")

    answer = module.lambda_handler(batch, FakeContext())

    assert (len(batch["Records"]) if again else 0) == len(answer["batchItemFailures"])


def test_an_event_that_can_not_be_read_comes_back_until_it_is_in_the_dlq(monkeypatch: pytest.MonkeyPatch) -> None:
    module = handler("send_notices", monkeypatch)
    calls = Calls("sent")
    monkeypatch.setattr(module, "notices", calls)

    answer = module.lambda_handler({"Records": [{"messageId": "m1", "body": "{}"}]}, FakeContext())

    assert ([{"itemIdentifier": "m1"}], []) == (answer["batchItemFailures"], calls.given)


def test_the_schedule_tidies_up(monkeypatch: pytest.MonkeyPatch) -> None:
    module = handler("expire_uploads", monkeypatch)
    monkeypatch.setattr(module, "expiring", Calls(ExpiryReport(expired=2, requeued=1)))

    done = {"expired": 2, "requeued": 1, "given_back": 0, "erased": 0}
    assert done == module.lambda_handler(event("expire_uploads/schedule"), FakeContext())


@pytest.mark.parametrize("name", ["get_feed", "get_inbox", "get_posts", "post_posts"])
def test_requests_as_the_gateway_sends_them_reach_the_api(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = handler("serve_posts", monkeypatch)
    calls = Calls({"items": [], "next_cursor": None, "post": {"post_id": "x"}})
    monkeypatch.setattr(module, "api", calls)

    answer = module.lambda_handler(event(f"serve_posts/{name}"), FakeContext())

    expected = 201 if name == "post_posts" else 200
    assert (expected, "no-store") == (answer["statusCode"], answer["headers"]["Cache-Control"])
    assert calls.given[0][0].user_id


@pytest.mark.parametrize(
    ("error", "metric"),
    [
        (InvalidRequest("no", code="title_missing"), "RequestsRefused"),
        (NotFound("no"), "RequestsRefused"),
        (DependencyUnavailable("S3"), "RequestsFailed"),
        (RuntimeError("bug"), "RequestsFailed"),
    ],
)
def test_refusals_and_failures_are_counted_apart(
    error: Exception, metric: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    module = handler("serve_posts", monkeypatch)
    monkeypatch.setattr(module, "api", Calls(error))

    module.lambda_handler(event("serve_posts/get_feed"), FakeContext())

    metrics = json.loads(next(line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line))
    assert ([1.0], [1.0]) == (metrics["Requests"], metrics[metric])


def test_an_unexpected_error_is_answered_without_its_words(monkeypatch: pytest.MonkeyPatch) -> None:
    module = handler("serve_posts", monkeypatch)
    monkeypatch.setattr(module, "api", Calls(RuntimeError("secret table name")))

    answer = module.lambda_handler(event("serve_posts/get_feed"), FakeContext())

    assert (500, False) == (answer["statusCode"], "secret" in answer["body"])


@pytest.mark.parametrize(
    "name", ["serve_posts", "screen_photos", "rescue_failed_photos", "send_notices", "expire_uploads"]
)
def test_a_function_deployed_without_its_environment_fails_at_once(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidSettings, match="Set them in template"):
        load_function(name, dict.fromkeys(environment_of(name), ""), monkeypatch)
