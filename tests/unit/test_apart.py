"""Processes of their own: what they are given, and how they end."""

import os
import sys
from pathlib import Path

import pytest

from pawcast.apart import Stopped, environment, run_apart


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module `child` that can be imported and is still empty."""
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    return tmp_path / "child.py"


def test_it_is_given_a_folder_and_no_credentials(module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    module.write_text("import os, sys; open(sys.argv[1] + '/found', 'w').write(' '.join(os.environ))")

    run_apart("child", tmp_path, 10)

    found = (tmp_path / "found").read_text().split()
    assert "PYTHONPATH" in found
    assert [] == [name for name in found if "AWS" in name]


def test_what_python_needs_is_handed_on() -> None:
    ours = {"PATH": "/bin", "LD_LIBRARY_PATH": "/lib", "AWS_SECRET_ACCESS_KEY": "secret"}

    made = environment(ours)

    assert {"PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "OPENBLAS_NUM_THREADS"} == set(made)
    assert made["PYTHONPATH"].split(os.pathsep) == [path for path in sys.path if path]


@pytest.mark.parametrize(
    ("source", "seconds", "why"),
    [
        ("import time; time.sleep(60)", 0.5, "> 0.5 s"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", 10, "SIGSEGV"),
    ],
)
def test_a_process_that_does_not_come_back_is_stopped(
    module: Path, tmp_path: Path, source: str, seconds: float, why: str
) -> None:
    module.write_text(source)

    with pytest.raises(Stopped, match=why):
        run_apart("child", tmp_path, seconds)


def test_what_it_says_when_it_fails_is_handed_on(module: Path, tmp_path: Path) -> None:
    module.write_text("raise ValueError('no such thing')")

    with pytest.raises(RuntimeError, match="ValueError: no such thing"):
        run_apart("child", tmp_path, 10)
