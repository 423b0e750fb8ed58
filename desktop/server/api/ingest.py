"""``POST /watchbell/v1/ingest/…``: what senders post in a shape of their own. On worker threads; the writer changes.

The integration key comes in a header, never in the address: addresses are logged. Whatever a request with a known key
says, pages; it is answered 202 only when all of it is durable.
"""

import base64
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from desktop.domain.text import shorten, storable
from desktop.server.access import token_of
from desktop.server.api.body import NotJson, parse
from desktop.server.api.common import Here, Json
from desktop.server.authentication import find_service
from desktop.server.enqueueing import enqueue
from desktop.server.failures import UNAUTHORIZED, InvalidEvent, Refused, invalid
from desktop.server.ingest import alertmanager, datadog, generic, grafana
from desktop.server.ingest.mending import mend
from desktop.server.ingest.report import Report, bounded, event
from desktop.server.salvage import KEPT, decoded
from desktop.server.station import Station
from desktop.server.writer import Work

log = logging.getLogger(__name__)
router = APIRouter(prefix="/watchbell/v1/ingest", tags=["ingest"])

PATHS = frozenset(f"{router.prefix}/{sender}" for sender in ("alertmanager", "grafana", "datadog", "generic"))
"""Where no person's token is asked for."""

Reader = Callable[[object], list[Report]]

SECURITY: list[dict[str, list[str]]] = [{"integrationKey": []}, {"integrationPassword": []}, {"routingKey": []}]
_OBJECT = {"type": "object", "description": "Whatever it holds, what can be read of it pages."}
_WORDS = {
    "title": "what is the matter; enough by itself",
    "severity": "critical, error, warning, info, sev0 to sev3, or a word of the team file's map",
    "key": "tells this alert from others; without it, its title does",
    "status": "firing (also when absent), acknowledged, or resolved",
    "link": "where more can be seen: an http(s) address",
}
_SMALL = {
    **_OBJECT,
    "properties": {
        **{name: {"type": "string", "description": meaning} for name, meaning in _WORDS.items()},
        "details": {"description": "whatever helps: any JSON"},
    },
}


def _extra(schema: Json, *types: str) -> Json:
    content: Json = {"application/json": {"schema": schema}}
    content |= {kind: {"schema": {"type": "string"}} for kind in types}
    return {"security": SECURITY, "requestBody": {"required": True, "content": content}}


@dataclass(frozen=True, slots=True)
class Sent:
    """A request: its integration key, its body, and the address that it came from."""

    key: str
    content: bytes
    sender: str


async def _sent(request: Request) -> Sent:
    """Read a request; refused (401) when it brings no integration key."""
    address = request.client.host if request.client else "?"
    key = _key_of(request.headers.get("authorization", "")) or request.headers.get("x-routing-key", "").strip()
    if not key:
        raise unknown_key(address, "the integration key is missing: send it as Authorization or X-Routing-Key")
    return Sent(key, await request.body(), address)


Posted = Annotated[Sent, Depends(_sent)]


@router.post("/alertmanager", status_code=202, openapi_extra=_extra(_OBJECT))
def ingest_alertmanager(station: Here, sent: Posted) -> Json:
    """Take a group of alerts as Prometheus' Alertmanager posts it to a webhook (version 4): each is an incident."""
    return _take(station, sent, alertmanager.read)


@router.post("/grafana", status_code=202, openapi_extra=_extra(_OBJECT))
def ingest_grafana(station: Here, sent: Posted) -> Json:
    """Take alerts as Grafana posts them to a webhook contact point, or as its legacy alerting did."""
    return _take(station, sent, grafana.read)


@router.post("/datadog", status_code=202, openapi_extra=_extra(_OBJECT))
def ingest_datadog(station: Here, sent: Posted) -> Json:
    """Take an alert as Datadog's webhook posts it, with the payload of docs/senders.md."""
    return _take(station, sent, datadog.read)


@router.post("/generic", status_code=202, openapi_extra=_extra(_SMALL, "text/plain"))
def ingest_generic(station: Here, sent: Posted) -> Json:
    """Take an alert (or a list of them) as a small object, or as bare text, whose first line is the title."""
    return _take(station, sent, generic.read)


def _take(station: Station, sent: Sent, read: Reader) -> Json:
    # The key first: what strangers send is not even parsed.
    with station.storage.read() as connection:
        if find_service(connection, sent.key, station.clock()) is None:
            raise unknown_key(sent.sender)
    reports = bounded(_read(sent, read))
    if not reports:
        log.warning("alerts refused", extra={"fields": {"sender": sent.sender, "error": "no alert in it"}})
        raise invalid("the body names no alert")
    try:
        keys = station.writer.run(lambda work: _enqueue(station, work, sent.key, reports))
    except InvalidEvent as error:
        # Revoked between the two looks.
        raise unknown_key(sent.sender) from error
    for report in reports:
        station.counts.triggers.add((report.action.value, "accepted"))
    return {"status": "success", "message": "Alerts processed", "dedup_keys": keys}


def _read(sent: Sent, read: Reader) -> list[Report]:
    """Return the reports in a body; of what is no proper JSON, as much as can be read."""
    try:
        return read(parse(sent.content))
    except NotJson as error:
        content = decoded(sent.content)
        value = mend(content)
        reports = read(value)
        if isinstance(value, str):
            return reports
        log.warning("alerts mended", extra={"fields": {"sender": sent.sender, "error": str(error)}})
        return _marked(reports, str(error), content)


def _marked(reports: Sequence[Report], why: str, content: str) -> list[Report]:
    """Say in each report that it was mended, and in the first what was sent: in all, it could fill the disk."""
    marked = [replace(report, details={**report.details, "mended": why}) for report in reports]
    if marked:
        whole = {**marked[0].details, "sent": shorten(storable(content), KEPT)}
        marked[0] = replace(marked[0], details=whole)
    return marked


def _enqueue(station: Station, work: Work, key: str, reports: Sequence[Report]) -> list[str]:
    """Take all of ``reports``, or none: on the writer's thread, in one transaction. Return their dedup keys."""
    service = find_service(work.connection, key, station.clock()) or ""
    events = [event(report, key, _word(station, service, report.severities)) for report in reports]
    return enqueue(station, work, events)


def _word(station: Station, service: str, words: Sequence[Any]) -> object:
    """Return the first of ``words`` that says a severity here, else the first that is said at all."""
    known = (word for word in words if not station.roster.severity(service, word).note)
    return next(known, words[0] if words else None)


def _key_of(header: str) -> str:
    """Return the key of an Authorization header: a token, or the password of HTTP basic authentication."""
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return token_of(header)
    try:
        return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def unknown_key(sender: str, why: str = "the integration key is unknown or revoked") -> Refused:
    """Return the refusal of a request without a good integration key, which ``sender`` made."""
    # A sender that is refused may be a page that nobody gets: it must be found in the log. Never with its key.
    log.warning("alerts refused", extra={"fields": {"sender": sender, "error": why}})
    return Refused(401, UNAUTHORIZED, "Authentication failed", [why])
