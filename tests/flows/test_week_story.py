"""The weeks of a chain, from a head office's files to the stores' mails: every function with its adapters."""

import time
import pytest
from tests.support.weekly import WeekStack, chain, WEEK


def test_smoke(monkeypatch: pytest.MonkeyPatch) -> None:
    t = time.time()
    stack = WeekStack(monkeypatch)
    print("stack", time.time() - t)
    t = time.time()
    stack.drop_chain(chain())
    print("drop", time.time() - t)
    t = time.time()
    opened = stack.compute()
    print(opened)
    print("compute", time.time() - t)
    t = time.time()
    own = {"week": opened["week"], "attempt": opened["attempt"]}
    stack.call("ask_approval", **own, token="t")
    print(stack.http("GET", f"/weeks/{WEEK}"))
    print(stack.http("POST", f"/weeks/{WEEK}/decision", {"decision": "approve", "plan_version": 1})[0])
    print(stack.tell(opened))
    print("tell", time.time() - t)
    t = time.time()
    print(stack.heard())
