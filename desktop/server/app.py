"""Puts the server's ASGI application together: gate, stream, API. Made once, served on the event loop."""

import json
import logging
from collections.abc import Mapping
from typing import Any, Final, cast

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from desktop.domain.errors import InputError, StorageError
from desktop.server import flooding, senders
from desktop.server.access import BODY_LIMIT, PERSON, UNAVAILABLE, App, Gate, Receive, Scope, Send
from desktop.server.api import (
    absences,
    acting_primary,
    audit,
    calendars,
    document,
    duties,
    events,
    handovers,
    health,
    heartbeats,
    incidents,
    ingest,
    links,
    log_entries,
    maintenance_windows,
    metrics,
    overrides,
    people,
    readonly,
    receipts,
    responses,
    review,
    schedules,
    services,
    sheets,
    team,
)
from desktop.server.api.strict import known_query
from desktop.server.failures import INVALID, NOT_FOUND, Refused, error_body, invalid
from desktop.server.forwarding import Forwarding
from desktop.server.hub import Hub
from desktop.server.limits import Flooded
from desktop.server.links import is_link
from desktop.server.measuring import Measured
from desktop.server.reach import Reach
from desktop.server.station import Station
from desktop.server.stream import Stream
from desktop.server.tokens import Holder

log = logging.getLogger(__name__)

STREAM_PATH = "/watchbell/v1/stream"


def create_app(station: Station, hub: Hub, reach: Reach | None = None) -> App:
    """Return the whole application over a running ``station``; without a ``reach`` this machine itself is served."""
    reach = reach or Reach()
    api = FastAPI(
        title="Watchbell",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        max_body_size=BODY_LIMIT,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    api.state.station = station
    parts = (events, incidents, responses, log_entries, people, services, schedules, overrides, team, ingest, health)
    watch = (handovers, acting_primary, duties, sheets, review, calendars, absences)
    ours = (maintenance_windows, heartbeats, metrics, receipts, audit, links, *watch)
    for part in (*parts, *ours, document, readonly):
        api.include_router(part.router, dependencies=[Depends(known_query)] if part in (*ours, team) else None)
    for error, handler in _HANDLERS.items():
        api.add_exception_handler(error, handler)
    alerts = events.alerts(api, station, _HANDLERS)
    gate = _Doors(_beside(api, Stream(station, hub), alerts), station, reach)
    reached = Forwarding(gate, reach) if reach.proxies else gate
    return Measured(senders.Senders(reached, station), station.counts)


class _Doors(Gate):
    """The gate, with the doors of senders and links: what they bring, a key or a secret, their endpoints look at.

    And with that of calendar programs, whose token stands in the address.
    """

    async def _authenticate(self, scope: Scope, request: Request) -> tuple[int, object]:
        path = scope["path"]
        if senders.is_alert(scope) and path not in ingest.PATHS:
            return 404, senders.misplaced(scope)
        if path in ingest.PATHS or is_link(path) or heartbeats.is_call(scope):
            return 0, None
        return await super()._authenticate(scope, request)

    def _comes_from_a_page(self, scope: Scope, request: Request) -> bool:
        return super()._comes_from_a_page(scope, request) and not is_link(scope["path"])

    def _find(self, scope: Scope, token: str) -> Holder | None:
        if token or not calendars.is_feed(scope["method"], scope["path"]):
            return super()._find(scope, token)
        with self._station.storage.read() as connection:
            return calendars.holder_of(connection, scope["path"], scope["query_string"], self._station.clock())


def _beside(api: FastAPI, stream: Stream, alerts: App) -> App:
    """Serve the stream and alerts past FastAPI.

    Measured, that halves the memory of each stream, and takes a seventh off what an alert costs.
    """

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == STREAM_PATH and scope["method"] == "GET":
            await stream(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == events.PATH:
            await alerts(scope, receive, send)
        else:
            await api(cast("Any", scope), cast("Any", receive), cast("Any", send))

    return route


async def _refused(_: Request, error: Exception) -> JSONResponse:
    refusal = cast("Refused", error)
    headers = {"www-authenticate": 'Token realm="watchbell"'} if refusal.status == 401 else None
    return JSONResponse(refusal.body(), refusal.status, headers=headers)


async def _not_valid(_: Request, error: Exception) -> JSONResponse:
    """Answer 400, never FastAPI's 422, and never with what was sent."""
    problems = cast("RequestValidationError", error).errors()
    errors = [f"{'.'.join(str(p) for p in e['loc'][1:])}: {e['msg']}" for e in problems]
    return JSONResponse(error_body(INVALID, "Invalid Input Provided", errors), 400)


async def _http(_: Request, error: Exception) -> JSONResponse:
    found = cast("HTTPException", error)
    code = NOT_FOUND if found.status_code == 404 else INVALID
    message = "Not Found" if found.status_code == 404 else found.detail
    return JSONResponse(error_body(code, message), found.status_code, headers=found.headers)


async def _input(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse(invalid(cast("InputError", error).message).body(), 400)


async def _storage(request: Request, error: Exception) -> JSONResponse:
    """Answer "try again": the sender must not believe that we have it."""
    message = cast("StorageError", error).message
    log.error("storage failed", extra={"fields": {"error": message}})
    # What a database says may name where it is: no stranger learns that.
    told = message if PERSON in request.scope else UNAVAILABLE
    return JSONResponse(error_body(503, "Service Unavailable", [told]), 503, headers={"retry-after": "5"})


async def _hung_up(request: Request, _: Exception) -> Response:
    """Note that a client left in the middle of its body; nobody reads the answer, which is counted as nginx does."""
    sender = request.client.host if request.client else "?"
    route = getattr(request.scope.get("route"), "path", "none")
    log.info("client hung up", extra={"fields": {"sender": sender, "route": route}})
    return Response(status_code=499)


async def _fault(request: Request, error: Exception) -> JSONResponse:
    log.error("internal fault", exc_info=error, extra={"fields": {"path": json.dumps(request.url.path)}})
    return JSONResponse(error_body(500, "Internal Server Error"), 500)


_HANDLERS: Final[Mapping[type[Exception], events.Handler]] = {
    Refused: _refused,
    Flooded: flooding.refuse,
    RequestValidationError: _not_valid,
    HTTPException: _http,
    InputError: _input,
    StorageError: _storage,
    ClientDisconnect: _hung_up,
    Exception: _fault,
}
