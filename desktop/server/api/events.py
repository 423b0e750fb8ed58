"""``POST /v2/enqueue``: PagerDuty's Events API v2. On the event loop; the writer does the work."""

import asyncio
import logging

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from desktop.server import events, incidents
from desktop.server.api.body import NotJson, parse
from desktop.server.api.common import Here
from desktop.server.failures import InvalidEvent

log = logging.getLogger(__name__)
router = APIRouter()


@router.post("/v2/enqueue")
async def enqueue(request: Request, station: Here) -> JSONResponse:
    """Take an event: answered 202 only when it is durable."""
    try:
        event = events.parse(parse(await request.body()), request.headers.get("x-routing-key", ""))
        future = station.writer.submit(lambda work: incidents.enqueue(station, work, event))
        key = await asyncio.wrap_future(future)
    except NotJson as error:
        return _refused(request, InvalidEvent([str(error)]))
    except InvalidEvent as error:
        return _refused(request, error)
    return JSONResponse({"status": "success", "message": "Event processed", "dedup_key": key}, 202)


def _refused(request: Request, error: InvalidEvent) -> JSONResponse:
    # A sender that is refused may be a page that nobody gets: it must be found in the log. Never with its key.
    sender = request.client.host if request.client else "?"
    log.warning("event refused", extra={"fields": {"sender": sender, "errors": "; ".join(error.errors)}})
    return JSONResponse(error.body(), 400)
