"""Functions of the template in this process: a cold start, and the context of a call."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


class FakeContext:
    """What Lambda hands to a handler, as far as ours look at it."""

    function_name = "function"
    memory_limit_in_mb = 512
    invoked_function_arn = "arn:aws:lambda:ap-northeast-1:123456789012:function:function"
    aws_request_id = "request"

    def __init__(self, remaining_seconds: float = 900.0) -> None:
        self._remaining_seconds = remaining_seconds

    def get_remaining_time_in_millis(self) -> int:
        """Time left."""
        return int(self._remaining_seconds * 1000)


def load_function(name: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """`functions/<name>/app.py`, freshly imported: a cold start in this environment."""
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    spec = importlib.util.spec_from_file_location(f"function_{name}", ROOT / "functions" / name / "app.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
