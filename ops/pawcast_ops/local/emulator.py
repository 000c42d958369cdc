"""The MiniStack process of one state folder: start it, find it again, stop it with everything it started.

Whether it lives is asked from the kernel, not from a process id, which another process may own by now: the
emulator inherits a locked file, and the lock is held exactly as long as it lives. It leads a process group of its
own, in which its Lambda workers live too, so stopping the group leaves nothing running.

    .pawcast/emulator.lock   held by the emulator while it lives
    .pawcast/emulator.json   {"pid", "port", "host", "instance"}
    .pawcast/emulator.log    what it and the functions write
    .pawcast/tmp/            unpacked functions and layers

Everything is in memory: a stopped emulator has forgotten the stack.
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

START_SECONDS = 60.0
STOP_SECONDS = 10.0
LOOPBACK = "127.0.0.1"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - asked for by the container test alone: containers come from outside

# Made up: no key of the operator's gets near an emulator. `local` is its root user because it was started with it.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
REGION = "us-east-1"

# Emulators that this very process started: it has to take leave of them, or they stay as zombies.
_children: dict[int, subprocess.Popen[bytes]] = {}


class LocalStackError(Exception):
    """The local stack can't be started, built, deployed or stopped. The message says why and what to do."""


@dataclass(frozen=True)
class Emulator:
    """A running MiniStack."""

    pid: int
    port: int
    host: str
    instance: str  # another one for each start: what was deployed into an earlier one is gone

    @property
    def endpoint_url(self) -> str:
        """Where this machine reaches it."""
        return f"http://{LOOPBACK}:{self.port}"


def clean_environment() -> dict[str, str]:
    """This process's environment without anything of AWS: no account, profile or endpoint of the operator's."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "SAM_CLI_", "PYTHONPATH")) or name == "AWS_CA_BUNDLE"
    }


def running(state: Path) -> Emulator | None:
    """The emulator of this state folder, if it lives."""
    if not _is_locked(state):
        return None
    try:
        return Emulator(**json.loads((state / "emulator.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise LocalStackError(
            f"an emulator runs, but {state / 'emulator.json'} can't be read ({error}): "
            "stop it by hand (`fuser -k` on emulator.lock)"
        ) from error


def start(state: Path, host: str = LOOPBACK) -> Emulator:
    """Start MiniStack and wait until it answers; the port of last time if it is free, else any."""
    state.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(state / "tmp", ignore_errors=True)
    (state / "tmp").mkdir()
    port = _free_port(_last_port(state), host)
    with (state / "emulator.lock").open("w") as lock, (state / "emulator.log").open("w") as log:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            env=_emulator_environment(state, host, port),
            cwd=state,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[lock.fileno()],
            start_new_session=True,
        )
    _children[process.pid] = process
    emulator = Emulator(pid=process.pid, port=port, host=host, instance=uuid.uuid4().hex)
    (state / "emulator.json").write_text(json.dumps(asdict(emulator)), encoding="utf-8")
    until = time.monotonic() + START_SECONDS
    while not is_healthy(emulator):
        if process.poll() is not None or time.monotonic() > until:
            stop(state)
            raise LocalStackError(f"MiniStack did not start:\n{_tail(state / 'emulator.log')}")
        time.sleep(0.1)
    return emulator


def is_healthy(emulator: Emulator) -> bool:
    """Whether it answers."""
    try:
        with urllib.request.urlopen(  # noqa: S310 - the address is ours
            f"{emulator.endpoint_url}/_ministack/health", timeout=5
        ) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def stop(state: Path) -> bool:
    """Stop the emulator and its workers and remove its files; False if none ran. Waits until they are gone."""
    emulator = running(state)
    if emulator:
        _signal(emulator, signal.SIGTERM)
        _wait_for_end(state, emulator)
        _signal(emulator, signal.SIGKILL)  # also the workers that were in the middle of something
        if not _wait_for_end(state, emulator):
            raise LocalStackError(f"process group {emulator.pid} does not end; is it stuck in the kernel?")
    shutil.rmtree(state / "tmp", ignore_errors=True)
    return emulator is not None


def _signal(emulator: Emulator, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(emulator.pid, number)


def _wait_for_end(state: Path, emulator: Emulator) -> bool:
    until = time.monotonic() + STOP_SECONDS
    while _is_locked(state) and time.monotonic() < until:
        time.sleep(0.05)
    if not _is_locked(state) and (child := _children.pop(emulator.pid, None)):
        child.wait(STOP_SECONDS)
    return not _is_locked(state)


def _is_locked(state: Path) -> bool:
    try:
        with (state / "emulator.lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return False
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True


def _emulator_environment(state: Path, host: str, port: int) -> dict[str, str]:
    return (
        clean_environment()
        | CREDENTIALS
        | {
            "AWS_DEFAULT_REGION": REGION,
            "BIND_HOST": host,
            "GATEWAY_PORT": str(port),
            "IOT_MTLS_ENABLED": "0",  # listeners nobody asked for
            "SFTP_ENABLED": "0",
            "LAMBDA_STATE_TRANSITION_SECONDS": "0",
            "LAMBDA_WARM_TTL_SECONDS": "3600",
            "MINISTACK_REGION": REGION,
            "NO_PROXY": "*",
            "OMP_NUM_THREADS": "1",
            "SFN_WAIT_SCALE": "0",
            "TMPDIR": str((state / "tmp").resolve()),
        }
    )


def _last_port(state: Path) -> int:
    try:
        return int(json.loads((state / "emulator.json").read_text(encoding="utf-8"))["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _free_port(wanted: int, host: str) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
            return int(probe.getsockname()[1])
    raise LocalStackError(f"no free port on {host}")


def _tail(log: Path, lines: int = 20) -> str:
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
    except OSError as error:
        return str(error)
