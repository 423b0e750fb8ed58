"""``POST /v2/enqueue``: PagerDuty's Events API v2. On the event loop; the writer does the work."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, cast

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from desktop.server import events
from desktop.server.access import BODY_LIMIT, App, Receive, Scope, Send
from desktop.server.api.body import NotJson, parse
from desktop.server.enqueueing import Enqueue
from desktop.server.failures import InvalidEvent
from desktop.server.salvage import salvage
from desktop.server.station import Station

log = logging.getLogger(__name__)
router = APIRouter()


PATH: Final = "/v2/enqueue"
Handler = Callable[[Request, Exception], Awaitable[Response]]


def alerts(station: Station, handlers: Mapping[type[Exception], Handler]) -> App:
    """Return what serves ``PATH``, and answers what goes wrong there by ``handlers``."""
    route = Route(PATH, _enqueue, methods=["POST"])
    own = Starlette(routes=[route], exception_handlers=cast("Any", handlers), max_body_size=BODY_LIMIT)
    own.state.station = station

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        # By this it is counted, as FastAPI would say it.
        scope["route"] = route
        await own(cast("Any", scope), cast("Any", receive), cast("Any", send))

    return serve


async def _enqueue(request: Request) -> JSONResponse:
    """Take an event: answered 202 only when it is durable."""
    station = cast("Station", request.app.state.station)
    try:
        event = _read(request, await request.body())
        future = station.writer.submit(Enqueue(station, event))
        key = await asyncio.wrap_future(future)
    except InvalidEvent as error:
        return _refused(request, error)
    station.counts.triggers.add((event.action.value, "accepted"))
    return JSONResponse({"status": "success", "message": "Event processed", "dedup_key": key}, 202)


@router.post("/v2/change/enqueue")
async def enqueue_change() -> JSONResponse:
    """Refuse change events: nothing here would show them, and what is answered 202 must not be lost."""
    errors = ["change events are not taken here: they page nobody"]
    return JSONResponse({"status": "not found", "message": "Not Found", "errors": errors}, 404)


def _read(request: Request, content: bytes) -> events.Event:
    """Return the event in ``content``; what is no proper JSON pages all the same, as far as it can be read."""
    header_key = request.headers.get("x-routing-key", "")
    try:
        return events.parse(parse(content), header_key)
    except NotJson as error:
        try:
            event = events.parse(salvage(content), header_key)
        except InvalidEvent as invalid:
            raise InvalidEvent([str(error), *invalid.errors]) from error
        log.warning("event mended", extra={"fields": {"sender": _sender(request), "error": str(error)}})
        return event


def _sender(request: Request) -> str:
    return request.client.host if request.client else "?"


def _refused(request: Request, error: InvalidEvent) -> JSONResponse:
    # A sender that is refused may be a page that nobody gets: it must be found in the log. Never with its key.
    log.warning("event refused", extra={"fields": {"sender": _sender(request), "errors": "; ".join(error.errors)}})
    return JSONResponse(error.body(), 400)
