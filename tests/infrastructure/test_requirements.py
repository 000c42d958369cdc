"""The lock files: what they promise can be seen without asking an index."""

import re
from pathlib import Path

import pytest

from tests.support.template import ROOT

LOCKS = sorted([*ROOT.glob("requirements/*.txt"), *ROOT.glob("layers/*/requirements.txt")])
LAYERS = [path for path in LOCKS if "layers" in path.parts]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_requirement_is_pinned_by_version_and_hash(lock: Path) -> None:
    loose = [
        entry
        for entry in lock.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
        if entry and not re.match(r"[\w.-]+==\S+.* --hash=sha256:[0-9a-f]{64}", entry)
    ]

    assert [] == loose


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_everything_asked_for_is_locked(lock: Path) -> None:
    missing = asked_for(lock.with_suffix(".in")) - pins(lock).keys()

    assert set() == missing


@pytest.mark.parametrize("lock", LAYERS, ids=lambda path: path.parent.name)
def test_tests_run_with_the_versions_that_go_to_lambda(lock: Path) -> None:
    development = pins(ROOT / "requirements/dev.txt")

    assert {name: development.get(name) for name in pins(lock)} == pins(lock)


def test_the_first_uv_is_the_one_of_the_lock() -> None:
    assert pins(ROOT / "requirements/uv.txt")["uv"] == pins(ROOT / "requirements/dev.txt")["uv"]


def pins(lock: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))


def asked_for(source: Path) -> set[str]:
    """Names in an .in file and in those it includes."""
    names: set[str] = set()
    for line in source.read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            names |= asked_for((source.parent / line[3:]).resolve())
        elif found := re.match(r"[A-Za-z0-9][\w.-]*", line):
            names.add(re.sub(r"[-_.]+", "-", found[0]).lower())
    return names
