"""Who a request comes from when a proxy stands before the server: an ASGI layer outside the gate. On the event loop.

Only what the proxies themselves say is believed; without them nothing is, so that addresses cannot be forged.
"""

from typing import Any, cast

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from desktop.server.access import App, Receive, Scope, Send, answer
from desktop.server.failures import FORBIDDEN, error_body
from desktop.server.reach import Reach, address, is_loopback

_PEER = "watchbell.peer"


class Forwarding:
    """Puts the client that a proxy speaks for in the place of the proxy, and lets nobody come past the proxies."""

    def __init__(self, app: App, reach: Reach) -> None:
        self._reach = reach
        trusted = [str(network) for network in reach.proxies]
        self._app = cast("App", ProxyHeadersMiddleware(cast("Any", _Addressed(app)), trusted))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        peer, port = scope.get("client") or ("", 0)
        if self._reach.proxies_only and not self._reach.speaks_for_others(peer) and not is_loopback(peer):
            refusal = error_body(FORBIDDEN, "Forbidden", ["this server is reached through its proxy only"])
            await answer(send, 403, refusal)
            return
        scope["client"] = scope[_PEER] = (str(address(peer) or peer), port)
        await self._app(scope, receive, send)


class _Addressed:
    """Passes on only an address as who comes: of whatever else a proxy says, the proxy itself is the one to name."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] == "http":
            host, port = scope.get("client") or ("", 0)
            # A zone behind "%" may be any text.
            found = address(host.partition("%")[0])
            scope["client"] = scope[_PEER] if found is None else (str(found), port)
        await self._app(scope, receive, send)
