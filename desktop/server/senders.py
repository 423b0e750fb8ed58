"""Where alerts are posted, and that none is refused there in silence: the outermost ASGI layer. On the event loop.

Whoever is refused before an endpoint looked (a wrong address, a foreign Host, too much) may be a page that nobody gets.
It stands in the log with the sender's address, never with what was sent or the path, which may hold a key.
"""

import logging
from http import HTTPStatus
from typing import Final

from desktop.server.access import BODY_LIMIT, App, Message, Receive, Scope, Send
from desktop.server.counts import SENDERS
from desktop.server.failures import NOT_FOUND, error_body
from desktop.server.station import Station

log = logging.getLogger(__name__)

_PLACES: Final = ("/v2", "/watchbell/v1/ingest")
# What the endpoints themselves log, with what is wrong with the event or the key.
_SAID_THERE: Final = frozenset({400, 401})
# Told by the flood's incident, and by "client hung up".
_NOT_REFUSED: Final = frozenset({429, 499})
_WHY: Final = {
    400: "a request needs one Host header",
    403: "it comes from a web page, or past the proxy",
    404: "no alerts are taken at this address",
    413: f"the body is larger than {BODY_LIMIT} bytes",
    421: "the Host header does not name this server",
}


class Senders:
    """Passes requests on to ``app``; logs and counts the alerts that it refuses, whatever they are refused by."""

    def __init__(self, app: App, station: Station) -> None:
        self._app = app
        self._station = station

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request (ASGI)."""
        if scope["type"] != "http" or not is_alert(scope):
            await self._app(scope, receive, send)
            return
        # Of one slash too many it is clear what is meant.
        if scope["path"].removesuffix("/") in SENDERS:
            scope["path"] = scope["path"].removesuffix("/")

        async def watching(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._look(scope, message["status"])
            await send(message)

        await self._app(scope, receive, watching)

    def _look(self, scope: Scope, status: int) -> None:
        if status < 400 or status in _NOT_REFUSED:
            return
        self._station.counts.triggers.add(("unknown", "refused"))
        if "route" in scope and status in _SAID_THERE:
            return
        sender = (scope.get("client") or ("?", 0))[0]
        used = self._station.limits.refusals.take(sender)
        if not used.allowed:
            return
        fields = {"sender": sender, "at": _place(scope), "status": status}
        fields["error"] = _WHY.get(status) or HTTPStatus(status).phrase
        if not used.remaining:
            fields["more"] = f"what else is refused from there is only counted for {used.reset} seconds"
        log.warning("alerts refused", extra={"fields": fields})


def is_alert(scope: Scope) -> bool:
    """Tell whether a request posts where alerts are posted, or where somebody may think that they are."""
    path = _plain(scope)
    return scope["method"] == "POST" and any(path == place or path.startswith(f"{place}/") for place in _PLACES)


def misplaced(scope: Scope) -> object:
    """Return the answer to an alert that is posted where none is taken: it names the address that was meant."""
    path = _plain(scope)
    meant = path if path in SENDERS else ", ".join(SENDERS)
    return error_body(NOT_FOUND, "Not Found", [f"no alerts are taken at this address: post them to {meant}"])


def _place(scope: Scope) -> str:
    """Return as much of the address as is known to be no secret."""
    path = _plain(scope)
    return next((known for known in (*SENDERS, *_PLACES) if path == known or path.startswith(f"{known}/")), "?")


def _plain(scope: Scope) -> str:
    """Return the path without slashes and capitals that make it another one."""
    return "/" + "/".join(part for part in str(scope["path"]).lower().split("/") if part)
