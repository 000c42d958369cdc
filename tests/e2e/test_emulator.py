"""The emulator's process: found again, replaced when it died, and gone with its workers when it is stopped."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from pawcast_ops.local import emulator as emulators

pytestmark = pytest.mark.e2e


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state"
    emulators.stop(tmp_path / "state")


def test_a_started_emulator_answers_and_is_found_again(state: Path) -> None:
    started = emulators.start(state)

    assert emulators.is_healthy(started)
    assert started == emulators.running(state)


def test_nothing_of_a_stopped_emulator_runs(state: Path) -> None:
    started = emulators.start(state)

    assert emulators.stop(state)
    assert emulators.running(state) is None
    with pytest.raises(ProcessLookupError):
        os.killpg(started.pid, 0)
    assert not emulators.stop(state)


def test_a_killed_emulator_is_not_taken_for_a_running_one_even_if_its_files_say_so(state: Path) -> None:
    killed = emulators.start(state)
    os.kill(killed.pid, signal.SIGKILL)
    os.waitpid(killed.pid, 0)

    assert emulators.running(state) is None
    again = emulators.start(state)
    assert (killed.port, True) == (again.port, again.instance != killed.instance)


def test_a_process_id_that_belongs_to_another_by_now_is_left_alone(state: Path) -> None:
    state.mkdir()
    stale = emulators.Emulator(pid=os.getpid(), port=1, host=emulators.LOOPBACK, instance="gone")
    (state / "emulator.json").write_text(json.dumps(vars(stale)), encoding="utf-8")
    (state / "emulator.lock").touch()

    assert emulators.running(state) is None
    assert not emulators.stop(state)


def test_a_taken_port_is_avoided(state: Path) -> None:
    with socket.create_server((emulators.LOOPBACK, 0)) as other:
        state.mkdir()
        taken = other.getsockname()[1]
        (state / "emulator.json").write_text(json.dumps({"port": taken}), encoding="utf-8")

        assert taken != emulators.start(state).port


def test_no_account_of_the_operator_reaches_the_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(variable, "the operator's")

    assert "the operator's" not in emulators.clean_environment().values()
