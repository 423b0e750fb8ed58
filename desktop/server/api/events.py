"""``POST /v2/enqueue``: PagerDuty's Events API v2. On the event loop; the writer does the work."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

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


def alerts(api: FastAPI, station: Station, handlers: Mapping[type[Exception], Handler]) -> App:
    """Return what serves ``PATH``, and answers by ``handlers`` what goes wrong there."""
    # Requests are counted by the path of what stands there, where FastAPI puts its route.
    route = SimpleNamespace(path=PATH)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"], scope["app"] = route, api
        request = Request(scope, receive)
        try:
            response = await _enqueue(request, station)
        except Exception as error:  # noqa: BLE001 - the last of them is for whatever it is
            handler = next(handlers[kind] for kind in type(error).__mro__ if kind in handlers)
            response = await handler(request, error)
        await response(scope, receive, send)

    return serve


async def _enqueue(request: Request, station: Station) -> Response:
    """Take an event: answered 202 only when it is durable."""
    if request.method != "POST":
        raise HTTPException(405, headers={"allow": "POST"})
    try:
        event = _read(request, await _body(request))
        future = station.writer.submit(Enqueue(station, event))
        key = await asyncio.wrap_future(future)
    except InvalidEvent as error:
        return _refused(request, error)
    station.counts.triggers.add((event.action.value, "accepted"))
    return JSONResponse({"status": "success", "message": "Event processed", "dedup_key": key}, 202)


async def _body(request: Request) -> bytes:
    found = bytearray()
    async for chunk in request.stream():
        found += chunk
        if len(found) > BODY_LIMIT:
            raise HTTPException(413)
    return bytes(found)


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
