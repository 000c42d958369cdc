"""A module of ours in a process of its own: for work on bytes that may stop or fill a process. No credentials there."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

INHERITED: Final = ("PATH", "LD_LIBRARY_PATH", "LANG", "TMPDIR")
_LAST_WORDS: Final = 2_000


class Stopped(Exception):
    """The process took too long or was ended by a signal; the message says which."""


def run_apart(module: str, folder: Path, seconds: float) -> None:
    """Run `python -m module folder` and wait.

    Raises:
        Stopped: it took longer than `seconds`, or a signal ended it: a crash, or a limit that it set itself.
        RuntimeError: it failed by itself; with the end of what it wrote to stderr.
    """
    with TemporaryFile() as trouble:
        try:
            child = subprocess.run(
                [sys.executable, "-P", "-m", module, str(folder)],
                env=environment(os.environ),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=trouble,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Stopped(f"> {seconds} s") from error
        if child.returncode < 0:
            raise Stopped(signal.Signals(-child.returncode).name)
        if child.returncode > 0:
            trouble.seek(0)
            last_words = trouble.read().decode("utf-8", "replace")[-_LAST_WORDS:]
            raise RuntimeError(f"{module} failed: {last_words}")


def environment(ours: Mapping[str, str]) -> dict[str, str]:
    """What Python needs to start and find our packages, one thread for numpy, and nothing else of `ours`."""
    kept = {name: ours[name] for name in INHERITED if name in ours}
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OPENBLAS_NUM_THREADS": "1"}
