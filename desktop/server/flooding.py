"""What happens when a sender floods: one incident says so, and the sender is asked to come again. On the event loop.

The sender keeps what was refused and sends it again (Alertmanager does); whoever is on call learns that it happens.
"""

import asyncio
import logging
from typing import cast

from fastapi import Request
from fastapi.responses import JSONResponse

from desktop.domain.errors import StorageError
from desktop.domain.severity import Mapped, Severity
from desktop.server import incidents
from desktop.server.failures import Refused
from desktop.server.incidents import Opening
from desktop.server.limits import Flooded
from desktop.server.records import ENGINE
from desktop.server.station import Station

log = logging.getLogger(__name__)

DEDUP_KEY = "watchbell-flood"


async def refuse(request: Request, error: Exception) -> JSONResponse:
    """Answer 429 in the words of PagerDuty's Events API, after somebody was told."""
    flood = cast("Flooded", error)
    station = cast("Station", request.app.state.station)
    station.counts.triggers.add(("trigger", "flooded"))
    if flood.first:
        await _tell(station, flood)
    errors = [f"more than {flood.limit} new incidents in a minute: send this again in {flood.retry_after} seconds"]
    body = {"status": "throttle exceeded", "message": "Too many new incidents by this key", "errors": errors}
    return JSONResponse(body, 429, headers={"retry-after": str(flood.retry_after)})


async def _tell(station: Station, flood: Flooded) -> None:
    log.warning("flood", extra={"fields": {"service": flood.service, "limit": flood.limit}})
    name = station.directory.service(flood.service).name
    title = f"Alert flood: more than {flood.limit} new incidents of {name} in a minute, further ones are refused"
    detail = {"refused": "429 with Retry-After: the sender has to send again what was refused", "limit": flood.limit}
    opening = Opening(title, flood.service, Mapped(Severity.SEV1), DEDUP_KEY, detail)
    try:
        command = station.writer.submit(lambda work: incidents.create(station, work, ENGINE, opening))
        await asyncio.wrap_future(command)
    except Refused:
        # One is open already, and says it.
        pass
    except StorageError as error:
        log.error("flood not told", extra={"fields": {"error": error.message}})  # noqa: TRY400 - said in words
        return
    flood.noted()
