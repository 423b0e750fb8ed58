"""``/healthz`` and ``/readyz``: whoever watches the server needs no token. On worker threads."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from desktop.server.api.common import Here

router = APIRouter()


@router.get("/healthz")
def healthz() -> dict[str, str]:
    """Answer that the process lives."""
    return {"status": "ok"}


@router.get("/readyz")
def readyz(station: Here) -> JSONResponse:
    """Answer 200 while pages are taken and escalated, 503 while not."""
    writes = station.writer.alive and not station.writer.trouble
    checks = {"database": station.storage.ready(), "writer": writes, "engine": station.escalating()}
    ready = all(checks.values())
    return JSONResponse({"status": "ok" if ready else "not ready", **checks}, 200 if ready else 503)
