"""PagerDuty's status of services, wherever one is shown whole: what their incidents make of them. On worker threads."""

from collections.abc import Iterable

from sqlalchemy import select

from desktop.domain.incident import Status
from desktop.server import schema
from desktop.server.api.common import Json
from desktop.server.rows import IS_OPEN
from desktop.server.station import Station


def tell(station: Station, services: Iterable[Json]) -> None:
    """Write into ``services`` how they are; references, and those that are no more, stay as they are."""
    whole = [service for service in services if service["type"] == "service" and service["status"] != "disabled"]
    found = _statuses(station) if whole else {}
    for service in whole:
        service["status"] = found.get(service["id"], "active")


def _statuses(station: Station) -> dict[str, str]:
    """Return the status of each service that has open incidents, or is under maintenance."""
    incidents = schema.incidents.c
    open_ones = select(incidents.service_id, incidents.status).where(IS_OPEN)
    with station.storage.read() as connection:
        found = {tuple(row) for row in connection.execute(open_ones.distinct())}
    statuses = {
        service: "critical" if (service, Status.TRIGGERED.value) in found else "warning" for service, _ in found
    }  # fmt: skip
    now = station.clock()
    return statuses | {s: "maintenance" for w in station.windows if w.start <= now < w.end for s in w.services}
