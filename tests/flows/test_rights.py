"""Each function's role allows every call that the function makes, and hardly anything else.

moto and MiniStack ask no role. So the calls are written down while a photo's stories run, and compared with the
template's policies, in both directions.
"""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.client
import pytest

from tests.support.flow import ANNA, BORA, FUNCTIONS, JUN, MINA, Stack, picture
from tests.support.functions import FakeContext
from tests.support.template import folder_of, functions, load

# Rights that no call of a flow shows, and why they are there.
CUT_OFF = "records of a decision that was cut off before it was told"
NOT_FOUND = "makes a missing key a 404"
WITHOUT_A_CALL = {
    ("serve_posts", "s3:PutObject"): "signs uploads for browsers",
    ("serve_posts", "s3:GetObject"): "signs views for browsers",
    ("serve_posts", "sns:Publish"): "the third report hides a post and tells its owner",
    ("serve_posts", "firehose:PutRecordBatch"): CUT_OFF,
    ("screen_photos", "s3:ListBucket"): NOT_FOUND,
    ("expire_uploads", "s3:ListBucket"): NOT_FOUND,
    ("expire_uploads", "s3:DeleteObject"): "what was still being written when its post was withdrawn",
    ("expire_uploads", "s3:DeleteObjectVersion"): "what was still being written when its post was withdrawn",
    ("rescue_failed_photos", "firehose:PutRecordBatch"): CUT_OFF,
    ("serve_reviews", "s3:GetObject"): "signs views for operators",
    ("serve_reviews", "s3:GetObjectVersion"): "signs views of what could not be rendered",
    ("serve_reviews", "dynamodb:DeleteItem"): "unlists tags and takes bank entries out; these photos have neither",
    ("serve_reviews", "firehose:PutRecordBatch"): CUT_OFF,
    ("mosaic_photos", "s3:GetObject"): "models; the flows bring their own",
    ("mosaic_photos", "s3:ListBucket"): NOT_FOUND,
    ("mosaic_photos", "firehose:PutRecordBatch"): CUT_OFF,
    ("compact_banks", "s3:ListBucket"): NOT_FOUND,
}


def rights_of(service: str, operation: str, request: dict[str, Any]) -> set[str]:
    """The IAM actions that a call needs."""
    if operation == "TransactWriteItems":
        return {f"dynamodb:{kind}Item" for item in request["TransactItems"] for kind in item}
    if operation == "GetObject" and "VersionId" in request:
        return {"s3:GetObjectVersion"}
    if operation == "DeleteObjects":
        return {"s3:DeleteObject", "s3:DeleteObjectVersion"}
    renamed = {"HeadObject": "GetObject", "PublishBatch": "Publish", "ListObjectVersions": "ListBucketVersions"}
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
    tell_what_people_do(stack)
    stack.submit(MINA, None)
    stack.submit(MINA, picture(30))
    expirer = stack.functions["expire_uploads"].expiring
    object.__setattr__(expirer, "now", lambda: datetime.now(UTC) + timedelta(hours=3))
    stack.functions["expire_uploads"].lambda_handler({}, FakeContext())


def tell_what_people_do(stack: Stack) -> None:
    """Verdicts and their way back, an appeal, a mosaic, reports, a withdrawal; and what runs by the clock."""
    for _ in range(2):  # what the stories before left waiting
        stack.decide(ANNA, "overturn", "fine")
    _, refused = stack.held(MINA), stack.decide(ANNA, "uphold", "human_face")
    review_id = refused[1]["review"]["review_id"]
    for path in ("undo", "seen", "comment", "skip"):
        body = {"what": "photo", "text": "hm", "reason": "not sure"}
        assert 200 == stack.call(ANNA, "POST", f"/reviews/{review_id}/{path}", body)[0]
    stack.decide(BORA, "uphold", "human_face")
    post_id = review_id.partition("-")[0]
    stack.call(MINA, "POST", f"/posts/{post_id}/mosaic")
    stack.deliver_queue("mosaic_photos", stack.mosaic_queue)
    assert 202 == stack.call(MINA, "POST", f"/posts/{post_id}/mosaic/accept")[0]
    stack.deliver_queue("screen_photos", stack.screening_queue)
    stack.decide(ANNA, "uphold", "human_face")
    assert 200 == stack.call(MINA, "POST", f"/posts/{post_id}/appeal", {"text": "Look again"})[0]
    stack.decide(BORA, "overturn", "fine")
    assert 201 == stack.call(JUN, "POST", f"/posts/{post_id}/claims", {"reason": "other"})[0]
    assert 200 == stack.call(MINA, "POST", f"/posts/{post_id}/withdraw")[0]
    _, notification = stack.submit(MINA, picture(30))
    stack.deliver("rescue_failed_photos", notification)
    stack.decide(ANNA, "overturn", "fine")
    for path in ("/reviews/summary", "/reviews/shift", f"/reviews/{review_id}", "/operations"):
        assert 200 == stack.call(ANNA, "GET", path)[0]
    for method, path in (("GET", "/me"), ("POST", "/me"), ("POST", "/inbox/read"), ("GET", "/inbox")):
        assert 200 == stack.call(MINA, method, path, {"language": "en"})[0]
    held = stack.held(JUN)
    later = datetime.now(UTC) + timedelta(hours=2)
    object.__setattr__(stack.functions["apologise"].apologising, "now", lambda: later)
    for name in ("apologise", "compact_banks"):
        stack.functions[name].lambda_handler({}, FakeContext())
    compactor = stack.functions["compact_banks"].compacting
    compactor._now = lambda: later
    stack.functions["compact_banks"].lambda_handler({}, FakeContext())
    stack.call(JUN, "POST", f"/posts/{held}/withdraw")


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
    assert set(WITHOUT_A_CALL) == unused
    assert set(FUNCTIONS) == set(used)
