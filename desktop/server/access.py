"""Who may come in: the outermost ASGI layer. On the event loop; tokens are looked up on worker threads.

A browser page must not reach a server on loopback: the Host must be the server's own (DNS rebinding), an Origin is
refused, no CORS, no cookies. Everything but health and events needs a person's token, before anything is looked up.
"""

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from ipaddress import ip_address
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from desktop.domain.errors import StorageError
from desktop.server.failures import INVALID, UNAUTHORIZED, error_body
from desktop.server.station import Station
from desktop.server.tokens import find_person

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

OPEN_PATHS = frozenset({"/healthz", "/readyz", "/v2/enqueue", "/v2/change/enqueue"})
PERSON = "watchbell.person"
BODY_LIMIT = 512 * 1024

_SECURITY_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]


class Gate:
    """Lets a request through to ``app`` when it may come in, with the person's id in the scope."""

    def __init__(self, app: App, station: Station) -> None:
        self._app = app
        self._station = station

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        secured = _with_security_headers(send)
        status, body = await self._check(scope)
        if status:
            await answer(secured, status, body)
        else:
            await self._app(scope, receive, secured)

    async def _check(self, scope: Scope) -> tuple[int, object]:
        request = Request(scope)
        if not _is_loopback(host_name(request.headers.get("host", ""))):
            return 403, error_body(403, "Forbidden", ["the Host header does not name this server"])
        if "origin" in request.headers:
            return 403, error_body(403, "Forbidden", ["requests from web pages are refused"])
        if (length := request.headers.get("content-length", "")).isdigit() and int(length[:20]) > BODY_LIMIT:
            return 413, error_body(INVALID, "Content Too Large", [f"at most {BODY_LIMIT} bytes are taken"])
        if scope["path"] in OPEN_PATHS:
            return 0, None
        return await self._authenticate(scope, request)

    async def _authenticate(self, scope: Scope, request: Request) -> tuple[int, object]:
        token = token_of(request.headers.get("authorization", ""))
        try:
            person = await run_in_threadpool(self._find, token) if token else None
        except StorageError as error:
            log.error("token lookup failed", extra={"fields": {"error": error.message}})  # noqa: TRY400 - said in words
            return 503, error_body(503, "Service Unavailable", [error.message])
        if person is None:
            return 401, error_body(UNAUTHORIZED, "Authentication failed", ["the token is missing, unknown or revoked"])
        scope[PERSON] = person
        return 0, None

    def _find(self, token: str) -> str | None:
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


def host_name(header: str) -> str:
    """Return the name in a Host header, without its port."""
    name, colon, port = header.strip().lower().rpartition(":")
    return name if colon and port.isdigit() else header.strip().lower()


def _is_loopback(name: str) -> bool:
    """Tell whether a Host names this machine itself: an address cannot be rebound as a name can."""
    try:
        return name == "localhost" or ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


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


def _with_security_headers(send: Send) -> Send:
    async def secured(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", []), *_SECURITY_HEADERS]
        await send(message)

    return secured
