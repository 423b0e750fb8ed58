"""``/healthz`` and ``/readyz``: whoever watches the server needs no token. On worker threads."""

import math

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from desktop.server.api.common import Here, Json

router = APIRouter()


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """Answer that the process lives."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(station: Here) -> JSONResponse:
    """Answer 200 while pages are taken, escalated, and sent as messages, 503 while not."""
    writes = station.writer.alive and not station.writer.trouble
    checks = {"database": station.storage.ready(), "writer": writes}
    checks |= {"engine": station.escalating(), "messenger": station.messaging()}
    ready = all(checks.values())
    age = station.running().age
    told: Json = {"status": "ok" if ready else "not ready", **checks}
    # It pages all the same, by the team that was applied last.
    told |= {"team_file": station.unused is None}
    # Who only asks whether it is ready learns what is not, and no more: anybody may ask.
    told |= {"engine_last_tick_age_seconds": None if math.isinf(age) else round(age, 1)}
    return JSONResponse(told, 200 if ready else 503)
