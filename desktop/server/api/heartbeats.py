"""``/watchbell/v1/heartbeats``: promises to call, and the calls. On worker threads; the writer writes.

Whoever calls brings an integration key, as senders do; people see what is promised, managers and admins change it.
"""

import logging
from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse, Response

from desktop.domain.severity import Severity
from desktop.domain.severity import parse as parse_severity
from desktop.server import audit, heartbeats, rights, things
from desktop.server.access import Scope
from desktop.server.api.common import Body, Here, Json, Page, Whose
from desktop.server.api.ingest import SECURITY, Posted, unknown_key
from desktop.server.api.strict import CLOSED, known_keys
from desktop.server.audit import By
from desktop.server.authentication import find_service
from desktop.server.failures import RATE_LIMIT, error_body, invalid, not_found
from desktop.server.heartbeats import Promise, Wish
from desktop.server.station import Station
from desktop.server.tokens import digest_of
from desktop.server.writer import Work
from desktop.team.times import duration
from desktop.team.words import Wrong

log = logging.getLogger(__name__)
PREFIX = "/watchbell/v1/heartbeats"
router = APIRouter(prefix=PREFIX, tags=["heartbeats"])

_SHORTEST, _LONGEST = 30, 366 * 86_400
# Shorter restarts of the server are within it.
_LEAST_GRACE = 60

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9._-]{1,100}$")]

_DURATION = {"type": "string", "description": '"90s", "5m", "1h" or "1 day"'}
_BODY = {
    "type": "object",
    "required": ["heartbeat"],
    **CLOSED,
    "properties": {
        "heartbeat": {
            "type": "object",
            "required": ["service", "every"],
            **CLOSED,
            "properties": {
                "service": {
                    "type": "object",
                    "required": ["id"],
                    "properties": {"id": {"type": "string"}},
                },
                "every": _DURATION,
                "grace": {**_DURATION, "description": "how much later a call may come; a minute at least"},
                "severity": {"type": "string", "description": "sev0 to sev3; sev1 when absent"},
            },
        }
    },
}
_PUT = {"requestBody": {"required": True, "content": {"application/json": {"schema": _BODY}}}}
_CALL: Json = {"security": SECURITY}


def is_call(scope: Scope) -> bool:
    """Tell whether a request is a call, which brings an integration key instead of a person's token."""
    return scope["method"] == "POST" and str(scope["path"]).startswith(f"{PREFIX}/")


# Of one slash too many it is clear what is meant.
@router.post("/{name}/", status_code=202, response_model=None, include_in_schema=False)
@router.post("/{name}", status_code=202, response_model=None, openapi_extra=_CALL)
def call(
    station: Here, sent: Posted, name: Name, every: str | None = None, grace: str | None = None
) -> Json | JSONResponse:
    """Keep a promise; the first call makes it when it says how often (`?every=5m`). 202 once it is durable."""
    used = station.limits.requests.take(digest_of(sent.key))
    if not used.allowed:
        errors = [f"more than {used.limit} calls in a minute: call again in {used.reset} seconds"]
        body = error_body(RATE_LIMIT, "Rate Limit Exceeded", errors)
        return JSONResponse(body, 429, headers={"retry-after": str(used.reset)})
    wish = None if every is None else _wish(every, grace)

    def command(work: Work) -> Promise:
        service = find_service(work.connection, sent.key, station.clock())
        if service is None:
            raise unknown_key(sent.sender)
        before = _summary(heartbeats.find(work.connection, name, lock=True))
        kept = heartbeats.call(station, work, name, service, wish)
        # What it promises is a change like any other; that it calls is none.
        if before != _summary(kept):
            _note(station, work, By(f"service:{service}", sent.sender), name, before, kept)
        return kept

    return {"heartbeat": _shown(station, station.writer.run(command))}


@router.get("")
def list_heartbeats(station: Here, page: Page) -> Json:
    """List all promises, by name."""
    with station.storage.read() as connection:
        found = heartbeats.every(connection)
    return page.cut("heartbeats", [_shown(station, promise) for promise in found])


@router.get("/{name}")
def get_heartbeat(station: Here, name: Name) -> Json:
    """Answer one promise."""
    with station.storage.read() as connection:
        found = heartbeats.find(connection, name)
    if found is None:
        raise not_found("such heartbeat")
    return {"heartbeat": _shown(station, found)}


@router.put("/{name}", openapi_extra=_PUT)
def put_heartbeat(station: Here, by: Whose, name: Name, body: Body) -> Json:
    """Promise a heartbeat for a service, or change what is promised: its time begins now."""
    part = body.get("heartbeat") if isinstance(body, dict) else None
    if not isinstance(part, dict):
        raise invalid("the body must be an object with an object 'heartbeat'")
    known_keys(body, _BODY)
    wish = _wish(part.get("every"), part.get("grace"))
    service, severity = _service(station, part.get("service")), _severity(part.get("severity"))

    def command(work: Work) -> Promise:
        rights.need_manager(work.connection, by)
        before = _summary(heartbeats.find(work.connection, name))
        wanted = Promise(name, service, wish.every, wish.grace, severity, station.clock(), by.actor)
        kept = heartbeats.keep(station, work, wanted)
        _note(station, work, by, name, before, kept)
        return kept

    return {"heartbeat": _shown(station, station.writer.run(command))}


@router.delete("/{name}", status_code=204, response_model=None)
def delete_heartbeat(station: Here, by: Whose, name: Name) -> Response:
    """Forget a promise; the incident of its silence, if there is one, is resolved."""

    def command(work: Work) -> None:
        rights.need_manager(work.connection, by)
        gone = _summary(heartbeats.remove(station, work, name, by.actor))
        audit.note(work.connection, by, "heartbeat.delete", f"heartbeat:{name}", station.clock(), gone)

    station.writer.run(command)
    return Response(status_code=204)


def _note(station: Station, work: Work, by: By, name: str, before: Json | None, kept: Promise) -> None:
    action = "heartbeat.create" if before is None else "heartbeat.change"
    audit.note(work.connection, by, action, f"heartbeat:{name}", station.clock(), before, _summary(kept))


def _shown(station: Station, promise: Promise) -> Json:
    return {
        "name": promise.name,
        "state": promise.state,
        "service": things.service(station.directory, promise.service),
        "every": heartbeats.said(promise.every),
        "grace": heartbeats.said(promise.grace),
        "severity": promise.severity.key,
        "called_at": things.instant(promise.called_at),
        "due_at": things.instant(promise.due_at),
        "silent_since": things.instant(promise.silent_since),
        "created_at": things.instant(promise.created_at),
        "created_by": promise.created_by,
    }


def _summary(promise: Promise | None) -> Json | None:
    """Return what the audit log says of a promise."""
    if promise is None:
        return None
    said = {name: heartbeats.said(getattr(promise, name)) for name in ("every", "grace")}
    return {"service": promise.service, **said, "severity": promise.severity.key}


def _wish(every: object, grace: object) -> Wish:
    found = _seconds("every", every, _SHORTEST)
    # A tenth later is nothing to be woken for.
    return Wish(found, max(found // 10, _LEAST_GRACE) if grace is None else _seconds("grace", grace, _LEAST_GRACE))


def _seconds(name: str, value: object, least: int) -> int:
    try:
        seconds = int(duration(value).total_seconds())
    except Wrong as error:
        raise invalid(f"{name}: {error}") from error
    if not least <= seconds <= _LONGEST:
        raise invalid(f"{name} must be {heartbeats.said(least)} at least, and a year at most")
    return seconds


def _service(station: Station, value: Any) -> str:  # noqa: ANN401 - what was sent
    name = value.get("id") if isinstance(value, dict) else None
    known = station.directory.services.get(name) if isinstance(name, str) else None
    if known is None or not known.active:
        raise invalid("service must name a service of the team by its id")
    return known.id


def _severity(value: object) -> Severity:
    found = Severity.SEV1 if value is None else parse_severity(value) if isinstance(value, str) else None
    if found is None:
        raise invalid("severity must be one of sev0, sev1, sev2, sev3")
    return found
