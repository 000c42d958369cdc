"""Which way the arrows point: functions -> core -> nothing, and the core knows neither AWS, environment nor time."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.template import ROOT

CORE = ROOT / "layers" / "core"
PURE = ("pawcast.screening", "pawcast.forecasting", "pawcast.mlops")
AWS_LIBRARIES = ("boto3", "botocore", "aiobotocore", "s3transfer", "moto")
HANDLER_LINES = 90

ENVIRONMENT = ("os.environ", "os.getenv", "os.environb")
TIME = (
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
)


def within(name: str, *packages: str) -> bool:
    """Is this module one of the packages or inside one?"""
    return any(name == package or name.startswith(package + ".") for package in packages)


def names_used(tree: ast.AST) -> Iterator[str]:
    """Full names of what a module imports or reaches through its imports, without what only a type checker sees."""
    hidden = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    seen = [node for node in ast.walk(tree) if id(node) not in hidden]
    aliases: dict[str, str] = {}
    for node in seen:
        if isinstance(node, ast.Import):
            for alias in node.names:
                aliases[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide where an arrow points"
            for alias in node.names:
                aliases[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                yield f"{node.module}.{alias.name}"
    for node in seen:
        if isinstance(node, ast.Attribute):
            first, *rest = ast.unparse(node).split(".")
            if first in aliases:
                yield ".".join((aliases[first], *rest))


def arrows(module: str, source: str) -> list[str]:
    """What is wrong with a module's imports and calls, one sentence each."""
    used = set(names_used(ast.parse(source)))
    found = []
    if not within(module, "pawcast.adapters"):
        found += [f"{module} uses {name}: only adapters know AWS" for name in used if within(name, *AWS_LIBRARIES)]
    if within(module, *PURE):
        found += [f"{module} uses {name}: it is given what it needs" for name in used if within(name, *ENVIRONMENT)]
        found += [f"{module} uses {name}: it is given the time" for name in used if name in TIME]
        outer = ("pawcast.adapters", "pawcast.settings", "pawcast.observability", "pawcast.http", "pawcast.sqs")
        found += [f"{module} uses {name}: arrows point inward" for name in used if within(name, *outer)]
    for one, other in (("screening", "forecasting"), ("forecasting", "screening")):
        if within(module, f"pawcast.{one}"):
            found += [
                f"{module} uses {name}: {one} and {other} do not know each other"
                for name in used
                if within(name, f"pawcast.{other}")
            ]
    if within(module, "pawcast"):
        found += [
            f"{module} uses {name}: the core knows nobody outside"
            for name in used
            if within(name, "functions", "pawcast_ops", "tests", "benchmarks")
        ]
    return sorted(found)


def modules() -> dict[str, Path]:
    """The core's modules and the functions by dotted name."""
    core = {".".join(path.relative_to(CORE).with_suffix("").parts): path for path in (CORE / "pawcast").rglob("*.py")}
    apps = {f"functions.{path.parent.name}.app": path for path in (ROOT / "functions").glob("*/app.py")}
    return {name.removesuffix(".__init__"): path for name, path in (core | apps).items()}


@pytest.mark.parametrize(("module", "path"), sorted(modules().items()), ids=sorted(modules()))
def test_arrows_point_inward(module: str, path: Path) -> None:
    assert [] == arrows(module, path.read_text(encoding="utf-8"))


def test_both_workloads_and_every_function_were_looked_at() -> None:
    looked_at = modules()

    assert {"pawcast.screening.post", "pawcast.mlops.policy", "pawcast.adapters.posts_table"} <= set(looked_at)
    assert 5 <= sum(name.startswith("functions.") for name in looked_at)


@pytest.mark.parametrize(
    ("module", "source", "finding"),
    [
        ("pawcast.screening.post", "import boto3", "uses boto3: only adapters know AWS"),
        ("pawcast.http", "from botocore.config import Config", "uses botocore.config.Config: only adapters know AWS"),
        ("functions.eat.app", "def f():\n    import boto3", "uses boto3: only adapters know AWS"),
        ("pawcast.mlops.gate", "import os\nos.environ['X']", "uses os.environ: it is given what it needs"),
        ("pawcast.mlops.gate", "from os import getenv", "uses os.getenv: it is given what it needs"),
        (
            "pawcast.screening.post",
            "from datetime import UTC, datetime as dt\nnow = dt.now(UTC)",
            "uses datetime.datetime.now: it is given the time",
        ),
        (
            "pawcast.forecasting.week",
            "import datetime\nclock = datetime.datetime.now",
            "uses datetime.datetime.now: it is given the time",
        ),
        ("pawcast.mlops.gate", "from time import time", "uses time.time: it is given the time"),
        (
            "pawcast.screening.post",
            "import pawcast.forecasting.week",
            "uses pawcast.forecasting.week: screening and forecasting do not know each other",
        ),
        (
            "pawcast.forecasting.week",
            "from pawcast.screening import post",
            "uses pawcast.screening.post: forecasting and screening do not know each other",
        ),
        (
            "pawcast.mlops.gate",
            "from pawcast.adapters import items",
            "uses pawcast.adapters.items: arrows point inward",
        ),
        (
            "pawcast.adapters.items",
            "import pawcast_ops.cli",
            "uses pawcast_ops.cli: the core knows nobody outside",
        ),
    ],
)
def test_a_wrong_arrow_is_found(module: str, source: str, finding: str) -> None:
    assert f"{module} {finding}" in arrows(module, source)


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("pawcast.adapters.items", "import boto3"),
        ("pawcast.settings", "import os\nos.environ"),
        ("pawcast.screening.post", "from datetime import datetime, timedelta\ndatetime.fromisoformat('2026-11-23')"),
        (
            "pawcast.http",
            """
            from typing import TYPE_CHECKING
            if TYPE_CHECKING:
                import boto3
            """,
        ),
    ],
)
def test_a_right_arrow_is_left_alone(module: str, source: str) -> None:
    assert [] == arrows(module, inspect.cleandoc(source))


@pytest.mark.parametrize("path", sorted((ROOT / "functions").glob("*/app.py")), ids=lambda path: path.parent.name)
def test_a_handler_fits_one_screen(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()

    assert len(lines) <= HANDLER_LINES


@pytest.mark.parametrize("path", sorted((ROOT / "functions").glob("*/app.py")), ids=lambda path: path.parent.name)
def test_a_function_has_the_handler_of_the_template(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))

    assert "lambda_handler" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
