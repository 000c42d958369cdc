"""Typed HTTP client of the Pawcast API, as the demo, load runs and end-to-end tests use it.

    sign_in(...) -> id token           Cognito, USER_PASSWORD_AUTH; needs no AWS credentials
    PawcastClient(api_url, token)      one signed-in person; its methods may be called from many threads
        submit(NewPost) -> Ticket        POST /posts
        upload(ticket, data)             presigned POST straight to S3; the file is the form's last field
        my_posts() post() feed() inbox() one page each; `pages` walks through all of a list

Errors, all below `ClientError`, chosen by status and never by words:

    ClientError
    ├── SignInFailed       Cognito did not take the name or password
    ├── Unreachable        no answer: refused, timed out, broken off
    ├── ServiceFailed      5xx, or an answer that breaks the contract
    ├── UploadRefused      S3 did not take the file; `code` is S3's own (EntityTooSmall, EntityTooLarge, ...)
    └── Refused            the API said no; `code`, `message` (ko, en), `field`, `status`
        └── TokenRefused (401)  Forbidden (403)  Missing (404)  Conflicting (409)  TooMany (429)

What can be repeated safely is repeated: reading and uploading (the key is fixed, and a second version of an
upload changes nothing) after a 5xx or a lost answer, `submit` only when no connection was made: a repeated
one could leave a second post.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

import boto3
import httpx
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from botocore.exceptions import ClientError as AwsError
from pydantic import ValidationError

from pawcast_ops.api_types import Answer, NewPost, Notice, Page, Post, Text, Ticket

_ATTEMPTS = 4
_REPEAT_STATUS = frozenset({429, 500, 502, 503, 504})
_S3_CODE, _S3_MESSAGE = re.compile(r"<Code>([^<]+)</Code>"), re.compile(r"<Message>([^<]*)</Message>")


class ClientError(Exception):
    """Base: a call of the client did not succeed."""


class SignInFailed(ClientError):
    """Cognito did not take the name or password."""


class Unreachable(ClientError):
    """No answer came: refused, timed out or broken off; `unsent` when the request never left."""

    def __init__(self, message: str, *, unsent: bool = False) -> None:
        super().__init__(message)
        self.unsent = unsent


class ServiceFailed(ClientError):
    """The service answered 5xx, or with something that the contract does not know."""


class UploadRefused(ClientError):
    """S3 did not take the file."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message


class Refused(ClientError):
    """The API understood the request and said no."""

    def __init__(self, status: int, code: str, message: Text, field: str | None, request_id: str | None) -> None:
        super().__init__(f"{code}: {message.en}" + (f" (field {field})" if field else ""))
        self.status, self.code, self.message = status, code, message
        self.field, self.request_id = field, request_id


class TokenRefused(Refused):
    """401: no token, an expired one, or one of another pool."""


class Forbidden(Refused):
    """403."""


class Missing(Refused):
    """404: unknown, or another person's unpublished post."""


class Conflicting(Refused):
    """409."""


class TooMany(Refused):
    """429: slow down."""


_REFUSALS: Mapping[int, type[Refused]] = {
    401: TokenRefused,
    403: Forbidden,
    404: Missing,
    409: Conflicting,
    429: TooMany,
}


def sign_in(
    username: str, password: str, *, user_pool_client_id: str, region: str, endpoint_url: str | None = None
) -> str:
    """The Cognito ID token of a person; it is valid for an hour.

    Raises:
        SignInFailed: wrong name or password, or the account asks for a further step (such as a new password).
        Unreachable: Cognito could not be reached.
    """
    config = Config(signature_version=UNSIGNED, retries={"max_attempts": 3, "mode": "standard"})
    cognito = boto3.client("cognito-idp", region_name=region, endpoint_url=endpoint_url, config=config)
    try:
        answer = cognito.initiate_auth(
            AuthFlow="USER_PASSWORD_AUTH",
            ClientId=user_pool_client_id,
            AuthParameters={"USERNAME": username, "PASSWORD": password},
        )
    except AwsError as error:
        raise SignInFailed(f"{username}: {error.response.get('Error', {}).get('Message', error)}") from error
    except BotoCoreError as error:
        raise Unreachable(f"Cognito: {error}") from error
    token = answer.get("AuthenticationResult", {}).get("IdToken")
    if token is None:
        raise SignInFailed(f"{username}: Cognito asks for {answer.get('ChallengeName', 'something else')} first")
    return token


def pages[T: Answer](read: Callable[[str | None], Page[T]]) -> Iterator[T]:
    """All items of a list: `pages(lambda cursor: client.feed(tag="cat", cursor=cursor))`."""
    cursor: str | None = None
    while True:
        page = read(cursor)
        yield from page.items
        cursor = page.next_cursor
        if cursor is None:
            return


class PawcastClient:
    """The API as one signed-in person sees it."""

    def __init__(
        self,
        api_url: str,
        token: str,
        *,
        timeout_seconds: float = 30.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        host = httpx.URL(api_url).host
        # A proxy of the machine knows nothing of servers on its loopback.
        local = host in {"127.0.0.1", "::1", "localhost"} or host.endswith(".localhost")
        transport = _LoopbackTransport() if local else None
        self._http = httpx.Client(timeout=timeout_seconds, trust_env=not local, transport=transport)
        self._base, self._headers, self._sleep = (
            api_url.rstrip("/"),
            {"Authorization": f"Bearer {token}"},
            sleep,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def submit(self, new: NewPost) -> Ticket:
        """Create a post; raises `Refused` with the field that breaks a limit."""
        answer = self._repeated(
            "POST", f"{self._base}/posts", only_unsent=True, headers=self._headers, json=new.as_json()
        )
        return _parsed(Ticket, answer)

    def upload(self, ticket: Ticket, data: bytes, *, filename: str = "photo") -> None:
        """Send the photo to where the ticket says; raises `UploadRefused` when S3 does not take it."""
        # S3 ignores every field after the file, so `file` must be last; httpx writes `data` before `files`.
        # The part's own type is set: S3 reads the form field, and httpx would guess from the name.
        content_type = ticket.upload.fields.get("Content-Type", "application/octet-stream")
        answer = self._repeated(
            "POST",
            ticket.upload.url,
            data=ticket.upload.fields,
            files={"file": (filename, data, content_type)},
        )
        if not answer.is_success:
            code, message = _S3_CODE.search(answer.text), _S3_MESSAGE.search(answer.text)
            raise UploadRefused(
                answer.status_code,
                code[1] if code else f"status {answer.status_code}",
                message[1] if message else answer.text[:200],
            )

    def post(self, post_id: str) -> Post:
        """One post: an own one, or anybody's published one."""
        return _parsed(Post, self._get(f"/posts/{post_id}"))

    def my_posts(self, *, cursor: str | None = None, limit: int | None = None) -> Page[Post]:
        """Own posts, newest first."""
        return _parsed(Page[Post], self._get("/posts", cursor=cursor, limit=limit))

    def feed(self, *, tag: str | None = None, cursor: str | None = None, limit: int | None = None) -> Page[Post]:
        """Published posts, newest first."""
        return _parsed(Page[Post], self._get("/feed", tag=tag, cursor=cursor, limit=limit))

    def inbox(self, *, cursor: str | None = None, limit: int | None = None) -> Page[Notice]:
        """Own notices, newest first."""
        return _parsed(Page[Notice], self._get("/inbox", cursor=cursor, limit=limit))

    def photo(self, post: Post) -> bytes:
        """The published photo as everybody gets it; raises ServiceFailed when the link does not work."""
        if post.photo_url is None:
            raise ServiceFailed(f"post {post.post_id} ({post.state}) has no photo_url")
        # No token: the link is signed by itself, and S3 refuses two signatures.
        answer = self._repeated("GET", post.photo_url)
        if not answer.is_success:
            raise ServiceFailed(f"the photo of post {post.post_id} answers {answer.status_code}")
        return answer.content

    def get_json(self, path: str, **query: str | int | None) -> dict[str, Any]:
        """What a path answers, as it is: for parts of the API that the operator only shows."""
        return _document(self._get(path, **query))

    def post_json(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """What a path answers to a body. Not repeated once it was sent: it may have been done."""
        return _document(
            self._repeated("POST", f"{self._base}{path}", only_unsent=True, headers=self._headers, json=dict(body))
        )

    def _get(self, path: str, **query: str | int | None) -> httpx.Response:
        chosen = {name: value for name, value in query.items() if value is not None}
        return self._repeated("GET", f"{self._base}{path}", headers=self._headers, params=chosen)

    def _once(self, method: str, url: str, **request: Any) -> httpx.Response:
        try:
            return self._http.request(method, url, **request)
        except httpx.HTTPError as error:
            unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
            what = f"{method} {url.partition('?')[0]}: {str(error) or type(error).__name__}"
            raise Unreachable(what, unsent=unsent) from error

    def _repeated(self, method: str, url: str, *, only_unsent: bool = False, **request: Any) -> httpx.Response:
        for attempt in range(1, _ATTEMPTS):
            try:
                answer = self._once(method, url, **request)
            except Unreachable as error:
                if only_unsent and not error.unsent:
                    raise
            else:
                if only_unsent or answer.status_code not in _REPEAT_STATUS:
                    return answer
            self._sleep(0.2 * 2**attempt)
        return self._once(method, url, **request)


class _LoopbackTransport(httpx.HTTPTransport):
    """Reaches `name.localhost` on this machine, as browsers do and many resolvers don't (RFC 6761, 6.3)."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host.endswith(".localhost"):
            # The Host header was set before and keeps the name, by which an emulator finds the API.
            url = request.url.copy_with(host="127.0.0.1")
            request = httpx.Request(
                request.method,
                url,
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions,
            )
        return super().handle_request(request)


def _parsed[T: Answer](kind: type[T], answer: httpx.Response) -> T:
    if answer.is_success:
        try:
            return kind.model_validate_json(answer.content)
        except ValidationError as error:
            where = f"{answer.request.method} {answer.request.url.path}"
            raise ServiceFailed(f"{where} answered what the contract does not know: {error}") from error
    raise _failure(answer)


def _document(answer: httpx.Response) -> dict[str, Any]:
    if not answer.is_success:
        raise _failure(answer)
    document = answer.json()
    if not isinstance(document, dict):
        raise ServiceFailed(f"{answer.request.method} {answer.request.url.path} answered no JSON object")
    return document


def _failure(answer: httpx.Response) -> ClientError:
    status, where = answer.status_code, f"{answer.request.method} {answer.request.url.path}"
    try:
        content = answer.json()
    except ValueError:
        content = {}
    body = content if isinstance(content, dict) else {}
    if status >= 500 or status < 400:
        return ServiceFailed(f"{where} answered {status} (request {body.get('request_id', 'unknown')})")
    error: Any = body.get("error")
    kind = _REFUSALS.get(status, Refused)
    try:
        message = Text.model_validate(error["message"])
        return kind(status, str(error["code"]), message, error.get("field"), body.get("request_id"))
    except (TypeError, KeyError, AttributeError, ValidationError):
        # The gateway itself refuses bad tokens and too many requests, with {"message": "Unauthorized"}.
        said = str(body.get("message", answer.reason_phrase))
        return kind(status, f"http_{status}", Text(ko=said, en=said), None, None)
