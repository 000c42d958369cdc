"""Each function's role allows every call that the function makes, and hardly anything else.

moto and MiniStack ask no role. So the calls are written down while a photo's stories run, and compared with the
template's policies, in both directions.
"""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.client
import pytest

from tests.support.flow import FUNCTIONS, MINA, Stack, picture
from tests.support.functions import FakeContext
from tests.support.template import folder_of, functions, load

# Rights that no call of a flow shows, and why they are there.
WITHOUT_A_CALL = {
    ("serve_posts", "s3:PutObject"): "signs uploads for browsers",
    ("serve_posts", "s3:GetObject"): "signs views for browsers",
    ("screen_photos", "s3:GetObject"): "models; the flows bring their own",
    ("screen_photos", "s3:ListBucket"): "makes a missing key a 404",
    ("expire_uploads", "s3:ListBucket"): "makes a missing key a 404",
    ("rescue_failed_photos", "firehose:PutRecordBatch"): "records of a decision that was cut off before it was told",
    ("rescue_failed_photos", "dynamodb:UpdateItem"): "empties outboxes",
}


def rights_of(service: str, operation: str, request: dict[str, Any]) -> set[str]:
    """The IAM actions that a call needs."""
    if operation == "TransactWriteItems":
        return {f"dynamodb:{kind}Item" for item in request["TransactItems"] for kind in item}
    if operation == "GetObject" and "VersionId" in request:
        return {"s3:GetObjectVersion"}
    renamed = {"HeadObject": "GetObject", "PublishBatch": "Publish"}
    return {f"{'ses' if service == 'sesv2' else service}:{renamed.get(operation, operation)}"}


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """The rights that each function used, while both stories of every photo ran."""
    used: dict[str, set[str]] = defaultdict(set)
    at_work: list[str] = []
    client_class: Any = botocore.client.BaseClient
    call = client_class._make_api_call

    def noted(self: Any, operation: str, request: dict[str, Any]) -> Any:
        if at_work:
            used[at_work[-1]] |= rights_of(self.meta.service_model.service_name, operation, request)
        return call(self, operation, request)

    monkeypatch.setattr(client_class, "_make_api_call", noted)
    stack = Stack(monkeypatch)
    for name in FUNCTIONS:
        handler = stack.functions[name].lambda_handler

        def watched(event: Any, context: Any, name: str = name, handler: Any = handler) -> Any:
            at_work.append(name)
            try:
                return handler(event, context)
            finally:
                at_work.pop()

        monkeypatch.setattr(stack.functions[name], "lambda_handler", watched)
    tell_every_story(stack)
    return used


def tell_every_story(stack: Stack) -> None:
    for brightness in (30, 240):
        post_id, notification = stack.submit(MINA, picture(brightness))
        stack.deliver("screen_photos", notification)
        stack.deliver_notices()
        stack.call(MINA, "GET", f"/posts/{post_id}")
    _, notification = stack.submit(MINA, picture(30))
    stack.deliver("rescue_failed_photos", notification)
    for path, query in (("/posts", {}), ("/feed", {}), ("/feed", {"tag": "cat"}), ("/inbox", {})):
        stack.call(MINA, "GET", path, **query)
    stack.submit(MINA, None)
    stack.submit(MINA, picture(30))
    expirer = stack.functions["expire_uploads"].expiring
    object.__setattr__(expirer, "now", lambda: datetime.now(UTC) + timedelta(hours=3))
    stack.functions["expire_uploads"].lambda_handler({}, FakeContext())


def allowed() -> dict[str, set[str]]:
    """The actions in each function's own policies."""
    rights: dict[str, set[str]] = {}
    for logical_id, properties in functions(load()).items():
        statements = [statement for policy in properties["Policies"] for statement in policy["Statement"]]
        actions = [s["Action"] if isinstance(s["Action"], list) else [s["Action"]] for s in statements]
        rights[folder_of(logical_id)] = {action for group in actions for action in group}
    return rights


def test_a_role_allows_every_call_of_its_function_and_nothing_unused(used: dict[str, set[str]]) -> None:
    rights = allowed()

    missing = {name: used[name] - rights[name] for name in FUNCTIONS if used[name] - rights[name]}
    unused = {(name, right) for name in FUNCTIONS for right in rights[name] - used[name]}
    assert {} == missing
    assert unused <= set(WITHOUT_A_CALL)
    assert set(FUNCTIONS) == set(used)
