"""``/incidents``: list, open, look at, change one or many. On worker threads; the writer does the changes."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from sqlalchemy import Connection

from desktop.server import history, incidents, lines, present, rows, things
from desktop.server.api import acting, changes, listing
from desktop.server.api import statuses as service_statuses
from desktop.server.api.common import Body, Here, Include, Json, Me, Page, Whose, Zone
from desktop.server.failures import INVALID, Refused, invalid
from desktop.server.records import Record
from desktop.server.station import Station

router = APIRouter()

MANY = 250


@router.get("/incidents")
def list_incidents(  # noqa: PLR0913, PLR0917 - the parameters of PagerDuty's endpoint
    station: Here,
    page: Page,
    zone: Zone,
    statuses: Annotated[list[str] | None, Query(alias="statuses[]")] = None,
    user_ids: Annotated[list[str] | None, Query(alias="user_ids[]")] = None,
    service_ids: Annotated[list[str] | None, Query(alias="service_ids[]")] = None,
    urgencies: Annotated[list[str] | None, Query(alias="urgencies[]")] = None,
    team_ids: Annotated[list[str] | None, Query(alias="team_ids[]")] = None,
    incident_key: str | None = None,
    since: str | None = None,
    until: str | None = None,
    date_range: str | None = None,
    sort_by: str | None = None,
    include: Include = [],  # noqa: B006 - FastAPI copies it
) -> Json:
    """List incidents; without ``date_range=all`` only those of the last month, as PagerDuty does."""
    asked = listing.Asked(statuses, user_ids, service_ids, urgencies, incident_key, team_ids)
    window = listing.window(since, until, date_range, station.clock())
    found, total = listing.find(station, asked, window, listing.order(sort_by), page)
    shown = _many_shown(station, found[: page.limit], include)
    return page.answer("incidents", things.in_zone(shown, zone), more=len(found) > page.limit, total=total)


@router.post("/incidents", status_code=201)
def open_incident(station: Here, by: Whose, body: Body) -> Json:
    """Open an incident."""
    opening = changes.opening(station, _part(body, "incident"))
    return {"incident": _shown(station, acting.create(station, by, opening), ())}


@router.get("/incidents/{name}")
def get_incident(station: Here, name: str, include: Include = []) -> Json:  # noqa: B006 - FastAPI copies it
    """Answer one incident, by id or number; ``include[]=body`` brings the event as it was sent."""
    with station.storage.read() as connection:
        record = incidents.find(station, connection, name)
        shown = present.incident(record, station.directory, station.roster, include)
        _add_first_triggers(station, connection, [shown], include)
        if "body" in include:
            event = rows.latest_event(connection, record.id)
            shown["body"] = {"type": "incident_body", "details": event}
    service_statuses.tell(station, [shown["service"]])
    return {"incident": shown}


@router.put("/incidents/{name}")
def put_incident(
    station: Here,
    person: Me,
    by: Whose,
    name: str,
    body: Body,
    include: Include = [],  # noqa: B006
) -> Json:
    """Change one incident."""
    steps = changes.steps(station, person, _part(body, "incident"))
    changed = acting.change(station, by, "incident.change", [(name, steps)])
    return {"incident": _shown(station, changed[0], include)}


@router.put("/incidents")
def put_incidents(station: Here, person: Me, by: Whose, body: Body, include: Include = []) -> Json:  # noqa: B006
    """Change many incidents: all of them or none."""
    parts = body.get("incidents") if isinstance(body, dict) else None
    if not isinstance(parts, list) or not all(isinstance(p, dict) and isinstance(p.get("id"), str) for p in parts):
        raise invalid("incidents must be a list of objects that each have an id")
    if len(parts) > MANY:
        raise Refused(413, INVALID, "Too many incidents", [f"at most {MANY} can be changed at once"])
    wanted = [(part["id"], changes.steps(station, person, part)) for part in parts]
    changed = acting.change(station, by, "incident.change", wanted)
    return {"incidents": _many_shown(station, changed, include)}


def _part(body: object, name: str) -> Json:
    part = body.get(name) if isinstance(body, dict) else None
    if not isinstance(part, dict):
        raise invalid(f"the body must be an object with an object {name!r}")
    return part


def _many_shown(station: Station, records: Sequence[Record], include: list[str]) -> list[Json]:
    shown = [present.incident(record, station.directory, station.roster, include) for record in records]
    service_statuses.tell(station, [incident["service"] for incident in shown])
    if "first_trigger_log_entries" in include:
        with station.storage.read() as connection:
            _add_first_triggers(station, connection, shown, include)
    return shown


def _add_first_triggers(station: Station, connection: Connection, shown: list[Json], include: list[str]) -> None:
    """Put what began each incident in the place of the reference to it, where that is asked for."""
    if "first_trigger_log_entries" in include:
        found = history.firsts(connection, [incident["id"] for incident in shown])
        for incident in shown:
            line = found[incident["id"]]
            incident["first_trigger_log_entry"] = lines.entry(line, station.directory, station.roster)


def _shown(station: Station, record: Record, include: list[str] | tuple[str, ...]) -> Json:
    shown = present.incident(record, station.directory, station.roster, include)
    service_statuses.tell(station, [shown["service"]])
    return shown
