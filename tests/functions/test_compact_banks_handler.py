"""The handler that writes the snapshot of the hash banks."""

import json

import pytest

from pawcast.adapters import bank_assembly
from pawcast.adapters.bank_snapshot import Compaction
from pawcast.errors import DependencyUnavailable, InvalidSettings
from tests.support.functions import FakeContext, load_function
from tests.support.template import environment_of, event


class FakeCompactor:
    def __init__(self, done: Compaction | Exception) -> None:
        self.done = done

    def run(self) -> Compaction:
        if isinstance(self.done, Exception):
            raise self.done
        return self.done


def test_the_schedule_says_how_large_the_banks_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bank_assembly, "compactor", lambda _: FakeCompactor(Compaction(1200, 7)))
    module = load_function("compact_banks", environment_of("compact_banks"), monkeypatch)

    answer = module.lambda_handler(event("compact_banks/schedule"), FakeContext())

    metrics = json.loads(next(line for line in capsys.readouterr().out.splitlines() if '"_aws"' in line))
    assert ({"entries": 1200, "new_lines": 7}, [1200.0]) == (answer, metrics["BankEntries"])


# Powertools warns of a call that counted nothing, as one that failed does.
@pytest.mark.filterwarnings("ignore:No application metrics to publish:UserWarning")
def test_a_failure_is_the_functions_failure_so_that_the_schedule_tries_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bank_assembly, "compactor", lambda _: FakeCompactor(DependencyUnavailable("s3")))
    module = load_function("compact_banks", environment_of("compact_banks"), monkeypatch)

    with pytest.raises(DependencyUnavailable):
        module.lambda_handler(event("compact_banks/schedule"), FakeContext())


def test_a_missing_setting_is_named_at_cold_start(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidSettings, match="BANKS_BUCKET"):
        load_function("compact_banks", environment_of("compact_banks") | {"BANKS_BUCKET": ""}, monkeypatch)
