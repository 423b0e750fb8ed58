"""Who may come in: the outermost ASGI layer. On the event loop; tokens are looked up on worker threads.

A browser page must not reach a server on loopback: the Host must be the server's own (DNS rebinding), an Origin is
refused, no CORS, no cookies. Everything but health, events and links needs a person's token, before anything is looked
up.
"""

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from desktop.domain.errors import StorageError
from desktop.server.authentication import find_person
from desktop.server.failures import FORBIDDEN, INVALID, RATE_LIMIT, UNAUTHORIZED, error_body
from desktop.server.limits import Used
from desktop.server.reach import Reach
from desktop.server.station import Station
from desktop.server.tokens import Holder

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/v2/enqueue", "/v2/change/enqueue"})
PERSON = "watchbell.person"
HOLDER = "watchbell.holder"
BODY_LIMIT = 512 * 1024
UNAVAILABLE = "the database cannot be used now: try again"

_TOO_MANY = "more than {used.limit} requests in a minute with this token: come again in {used.reset} seconds"

Headers = list[tuple[bytes, bytes]]

_SECURITY_HEADERS: Headers = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]


class Gate:
    """Lets a request through to ``app`` when it may come in, with the person and their token in the scope.

    The application that started this server is not limited: its pages must come through whatever else uses the server.
    """

    def __init__(self, app: App, station: Station, reach: Reach) -> None:
        self._app = app
        self._station = station
        self._reach = reach

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, body = await self._check(scope)
        headers = _SECURITY_HEADERS
        if not status and HOLDER in scope and not scope[HOLDER].embedded:
            used = self._station.limits.requests.take(scope[HOLDER].digest)
            headers = [*headers, *_limit_headers(used)]
            if not used.allowed:
                status, body = 429, error_body(RATE_LIMIT, "Rate Limit Exceeded", [_TOO_MANY.format(used=used)])
        if status:
            await answer(_with_headers(send, headers), status, body)
        else:
            await self._app(scope, receive, _with_headers(send, headers))

    async def _check(self, scope: Scope) -> tuple[int, object]:
        request = Request(scope)
        if problem := self._misdirected(scope, request):
            return problem
        if self._comes_from_a_page(scope, request):
            return 403, error_body(FORBIDDEN, "Forbidden", ["requests from web pages are refused"])
        if (length := request.headers.get("content-length", "")).isdigit() and int(length[:20]) > BODY_LIMIT:
            return 413, error_body(INVALID, "Content Too Large", [f"at most {BODY_LIMIT} bytes are taken"])
        if scope["path"] in OPEN_PATHS:
            return 0, None
        return await self._authenticate(scope, request)

    def _comes_from_a_page(self, scope: Scope, request: Request) -> bool:  # noqa: ARG002 - for who lets pages in
        return "origin" in request.headers

    def _misdirected(self, scope: Scope, request: Request) -> tuple[int, object] | None:
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or not hosts[0].strip():
            return 400, error_body(INVALID, "Bad Request", ["a request needs one Host header"])
        if not self._reach.is_own(hosts[0], scope.get("server") or ("", None)):
            errors = ["the Host header does not name this server: its other names are told it by --public-url"]
            return 421, error_body(INVALID, "Misdirected Request", errors)
        return None

    async def _authenticate(self, scope: Scope, request: Request) -> tuple[int, object]:
        token = token_of(request.headers.get("authorization", ""))
        try:
            holder = await run_in_threadpool(self._find, scope, token)
        except StorageError as error:
            log.error("token lookup failed", extra={"fields": {"error": error.message}})  # noqa: TRY400 - said in words
            return 503, error_body(503, "Service Unavailable", [UNAVAILABLE])
        if holder is None:
            return 401, error_body(UNAUTHORIZED, "Authentication failed", ["the token is missing, unknown or revoked"])
        scope[HOLDER], scope[PERSON] = holder, holder.person
        return 0, None

    def _find(self, scope: Scope, token: str) -> Holder | None:  # noqa: ARG002 - a subclass has other doors
        if not token:
            return None
        with self._station.storage.read() as connection:
            return find_person(connection, token, self._station.clock())


def token_of(header: str) -> str:
    """Return the token of an Authorization header: ``Token token=KEY`` or ``Bearer KEY``, else nothing."""
    scheme, _, rest = header.strip().partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer":
        return rest
    if scheme.lower() == "token" and rest.lower().startswith("token="):
        return rest[len("token=") :].strip().strip('"')
    return ""


async def answer(send: Send, status: int, body: object) -> None:
    """Send a JSON answer."""
    content = json.dumps(body).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b'Token realm="watchbell"'))
    if status == 503:
        headers.append((b"retry-after", b"5"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def _limit_headers(used: Used) -> Headers:
    """Return PagerDuty's headers: ``ratelimit-reset`` is in seconds from now."""
    found = [("limit", used.limit), ("remaining", used.remaining), ("reset", used.reset)]
    headers = [(f"ratelimit-{name}".encode(), str(value).encode()) for name, value in found]
    return headers if used.allowed else [*headers, (b"retry-after", str(used.reset).encode())]


def _with_headers(send: Send, headers: Headers) -> Send:
    """Add ``headers`` to an answer, but for those that it has itself: of two policies a browser obeys both."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            own = list(message.get("headers", []))
            named = {name.lower() for name, _ in own}
            message["headers"] = [*own, *(header for header in headers if header[0] not in named)]
        await send(message)

    return sending
