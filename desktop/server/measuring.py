"""Counts requests by the template of their route, never by their path, which strangers choose. On the event loop.

The outermost layer, so that what is refused before it finds its way is counted, too.
"""

from typing import Final

from desktop.server.access import App, Message, Receive, Scope, Send
from desktop.server.counts import Counts

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
STREAM: Final = "/watchbell/v1/stream"


class Measured:
    """Passes each request on to ``app`` and counts it when its answer begins."""

    def __init__(self, app: App, counts: Counts) -> None:
        self._app = app
        self._requests = counts.requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._requests.add((_method(scope), _route(scope), message["status"]))
            await send(message)

        await self._app(scope, receive, counting if scope["type"] == "http" else send)


def _method(scope: Scope) -> str:
    method = str(scope["method"])
    return method if method in _METHODS else "other"


def _route(scope: Scope) -> str:
    """Return the template that was found for a request; "none" where there is none, or it was not let in."""
    found = getattr(scope.get("route"), "path", None)
    if found is None and scope["path"] == STREAM:
        return STREAM
    return str(found or "none")
