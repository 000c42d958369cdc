"""The deployed API: the table of rights with every kind of caller and token, and schemathesis over its document."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from pawcast.adapters.posts_table import PostsTable
from pawcast.screening.ports import Change
from pawcast.screening.post import Post, PostState, move
from pawcast_ops.client import sign_in
from pawcast_ops.local.emulator import REGION
from tests.support.rights import ROOT, Right, rights
from tests.support.stack import RunningStack

pytestmark = pytest.mark.e2e

OWN, OTHERS = "a" * 32, "b" * 32
# Bodies that a route accepts as far as rights go; ids that are nobody's.
FILLED = {"review_id": f"{'c' * 32}-1", "week": "2026-W40", "store_id": "S0001"}
GROUPS = {"operators": "operator", "planners": "planner"}


@pytest.fixture(scope="module")
def tokens(stack: RunningStack) -> dict[str, str]:
    """ID tokens of an owner, another person, an operator and a planner."""
    people = {"owner": "sora", "person": "jun", "operator": "operator", "planner": "planner"}
    return {caller: id_token(stack, name) for caller, name in people.items()}


@pytest.fixture(scope="module")
def api(stack: RunningStack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.stack.output("ApiUrl"), timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def posts(stack: RunningStack, tokens: dict[str, str]) -> None:
    """A rejected post of the owner, and a published one of the other person."""
    output, now = stack.stack.output, datetime.now(UTC)
    table = PostsTable(
        stack.client("dynamodb"),
        posts=output("PostsTableName"),
        tags=output("TagsTableName"),
        reviews=output("ReviewsTableName"),
    )
    for post_id, caller, state in (
        (OWN, "owner", PostState.REJECTED),
        (OTHERS, "person", PostState.PUBLISHED),
    ):
        post = Post(
            post_id=post_id,
            user_id=claims_of(tokens[caller])["sub"],
            title="A post",
            content_type="image/jpeg",
            state=PostState.SCREENING,
            created_at=now,
            upload_expires_at=now + timedelta(minutes=15),
        )
        table.put_new(post)
        shown = {"published_at": now} if state is PostState.PUBLISHED else {"reason": "empty_file"}
        assert not table.save_many([Change(move(post, state, **shown))])


def id_token(stack: RunningStack, name: str) -> str:
    person = stack.people[name]
    return sign_in(
        person.username,
        person.password,
        user_pool_client_id=stack.stack.output("UserPoolClientId"),
        region=REGION,
        endpoint_url=stack.emulator.endpoint_url,
    )


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def encoded(document: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def ask(api: httpx.Client, right: Right, token: str | None, post_id: str = OWN) -> httpx.Response:
    path = right.path.format(post_id=post_id, **FILLED)
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    return api.request(right.method, path, headers=headers, json={} if right.method == "POST" else None)


# ---------------------------------------------------------------- tokens


def forged(token: str) -> str:
    """Another's signature: the last bytes differ."""
    head, body, signature = token.split(".")
    return f"{head}.{body}.{signature[:-8]}{'A' * 8 if signature[-8:] != 'A' * 8 else 'B' * 8}"


def promoted(token: str) -> str:
    """The same signature under claims that say more."""
    head, _, signature = token.split(".")
    return f"{head}.{encoded(claims_of(token) | {'cognito:groups': ['operators', 'planners']})}.{signature}"


def unsigned(token: str) -> str:
    return f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{token.split('.')[1]}."


def signed_with_a_secret(token: str) -> str:
    """HS256 over a guessable secret, as a library is fooled that takes the algorithm from the token."""
    text = f"{encoded({'alg': 'HS256', 'typ': 'JWT'})}.{token.split('.')[1]}"
    signature = hmac.new(b"public key", text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def expired(token: str) -> str:
    head, _, signature = token.split(".")
    past = int(time.time()) - 7200
    return f"{head}.{encoded(claims_of(token) | {'exp': past, 'iat': past - 3600})}.{signature}"


BAD_TOKENS: dict[str, Callable[[str], str | None]] = {
    "none at all": lambda _: None,
    "no token": lambda _: "not.a.token",
    "forged signature": forged,
    "claims changed": promoted,
    "no algorithm": unsigned,
    "signed with a secret": signed_with_a_secret,
    "expired": expired,
}


@pytest.mark.parametrize("kind", BAD_TOKENS)
def test_no_route_answers_a_token_that_is_none(
    kind: str, api: httpx.Client, tokens: dict[str, str], posts: None
) -> None:
    token = BAD_TOKENS[kind](tokens["operator"])

    statuses = {right.route: ask(api, right, token).status_code for right in rights()}

    assert {} == {route: status for route, status in statuses.items() if status not in (401, 403)}


def test_no_route_answers_a_token_of_another_pool(stack: RunningStack, api: httpx.Client) -> None:
    cognito = stack.client("cognito-idp")
    pool = cognito.create_user_pool(PoolName="another")["UserPool"]["Id"]
    client = cognito.create_user_pool_client(
        UserPoolId=pool,
        ClientName="another",
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )["UserPoolClient"]["ClientId"]
    cognito.admin_create_user(UserPoolId=pool, Username="mallory", MessageAction="SUPPRESS")
    cognito.admin_set_user_password(UserPoolId=pool, Username="mallory", Password="Mallory-Password-1", Permanent=True)
    cognito.create_group(UserPoolId=pool, GroupName="operators")
    cognito.admin_add_user_to_group(UserPoolId=pool, Username="mallory", GroupName="operators")
    token = sign_in(
        "mallory",
        "Mallory-Password-1",
        user_pool_client_id=client,
        region=REGION,
        endpoint_url=stack.emulator.endpoint_url,
    )

    assert {401} == {ask(api, right, token).status_code for right in rights()}


def test_no_route_answers_an_access_token(stack: RunningStack, api: httpx.Client) -> None:
    person = stack.people["operator"]
    answer = stack.client("cognito-idp").initiate_auth(
        ClientId=stack.stack.output("UserPoolClientId"),
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": person.username, "PASSWORD": person.password},
    )
    token = answer["AuthenticationResult"]["AccessToken"]

    assert {401} == {ask(api, right, token).status_code for right in rights()}


@pytest.mark.parametrize("caller", ["owner", "person", "operator", "planner"])
def test_every_route_keeps_to_the_table_of_rights(
    caller: str, api: httpx.Client, tokens: dict[str, str], posts: None
) -> None:
    found = {}
    # What takes the post away comes last.
    for right in sorted(rights(), key=lambda right: right.path.endswith("withdraw")):
        claims = right.path.endswith("claims")
        # Reports are about a published post: the other person's, which is their own in turn.
        post_id = OTHERS if claims else OWN
        expected = right.statuses[caller]
        if claims:
            expected = {"person": 403}.get(caller)
        status = ask(api, right, tokens[caller], post_id).status_code
        fits = status == expected if expected is not None else status not in (401, 403) and status < 500
        if expected is None and right.path == "/posts/{post_id}" and caller != "owner":
            fits = status == 404
        if not fits:
            found[right.route] = (status, expected)

    assert {} == found


# ---------------------------------------------------------------- schemathesis

DOCUMENT = json.loads((ROOT / "web" / "openapi.json").read_text(encoding="utf-8"))
schema = schemathesis.openapi.from_dict(DOCUMENT)
# What would start real work for minutes, or take photos out of other tests' hands.
LEFT_OUT = ("/weeks/{week}/runs", "/weeks/{week}/resend", "/reviews/take")


@schema.exclude(path=list(LEFT_OUT)).parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_no_route_fails_and_every_answer_is_as_documented(
    case: Any, stack: RunningStack, tokens: dict[str, str]
) -> None:
    (tag,) = case.operation.definition.raw["tags"]
    token = tokens[GROUPS.get(tag, "person")]

    case.call_and_validate(
        base_url=stack.stack.output("ApiUrl"),
        headers={"Authorization": f"Bearer {token}"},
        checks=[schemathesis.checks.not_a_server_error, status_code_conformance, response_schema_conformance],
    )
