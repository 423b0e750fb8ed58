"""``/log_entries`` of one incident and of all, and ``/alerts``. On worker threads."""

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query

from desktop.server import history, incidents, lines, rows, things
from desktop.server.api import statuses as service_statuses
from desktop.server.api.common import Here, Include, Json, Page, Paging, Zone, instant
from desktop.server.failures import invalid, not_found
from desktop.server.station import Station

router = APIRouter()


@router.get("/log_entries")
def log_entries(  # noqa: PLR0913, PLR0917 - the parameters of PagerDuty's endpoint
    station: Here,
    page: Page,
    zone: Zone,
    since: str | None = None,
    until: str | None = None,
    is_overview: bool = False,
    team_ids: Annotated[list[str] | None, Query(alias="team_ids[]")] = None,
    include: Include = [],  # noqa: B006 - FastAPI copies it
) -> Json:
    """List what happened to all incidents, the latest first; without ``since`` and ``until``, ever. No teams."""
    if team_ids:
        return page.cut("log_entries", [])
    return _listed(station, page, _asked(None, since, until, is_overview=is_overview), zone, include)


@router.get("/log_entries/{entry_id}")
def log_entry(station: Here, zone: Zone, entry_id: str, include: Include = []) -> Json:  # noqa: B006
    """Answer one line of the history."""
    with station.storage.read() as connection:
        found = history.find(connection, entry_id)
    if found is None:
        raise not_found("such log entry")
    shown = lines.entry(found, station.directory, station.roster, include)
    service_statuses.tell(station, [shown["service"]])
    return {"log_entry": things.in_zone(shown, zone)}


@router.get("/incidents/{name}/log_entries")
def incident_log_entries(  # noqa: PLR0913, PLR0917 - the parameters of PagerDuty's endpoint
    station: Here,
    page: Page,
    zone: Zone,
    name: str,
    since: str | None = None,
    until: str | None = None,
    is_overview: bool = False,
    include: Include = [],  # noqa: B006
) -> Json:
    """List what happened to one incident, the latest first."""
    with station.storage.read() as connection:
        incident = incidents.find(station, connection, name).id
    return _listed(station, page, _asked(incident, since, until, is_overview=is_overview), zone, include)


@router.get("/incidents/{name}/alerts")
def alerts(
    station: Here,
    page: Page,
    name: str,
    alert_key: str | None = None,
    statuses: Annotated[list[str] | None, Query(alias="statuses[]")] = None,
) -> Json:
    """List the alerts of an incident: it has one, for all with the same dedup key."""
    found = _alert(station, name)
    wanted = alert_key in (None, found["alert_key"]) and (not statuses or found["status"] in statuses)
    return page.cut("alerts", [found] if wanted else [])


@router.get("/incidents/{name}/alerts/{alert_id}")
def alert(station: Here, name: str, alert_id: str) -> Json:
    """Answer the alert of an incident."""
    found = _alert(station, name)
    if found["id"] != alert_id:
        raise not_found("such alert")
    return {"alert": found}


def _alert(station: Station, name: str) -> Json:
    with station.storage.read() as connection:
        record = incidents.find(station, connection, name)
        event = rows.latest_event(connection, record.id)
    return lines.alert(record, event, station.directory)


def _asked(incident: str | None, since: str | None, until: str | None, *, is_overview: bool) -> history.Asked:
    start, end = instant(since, "since"), instant(until, "until")
    if start is not None and end is not None and start > end:
        raise invalid("until must follow since")
    return history.Asked(incident, start, end, is_overview)


def _listed(station: Station, page: Paging, asked: history.Asked, zone: ZoneInfo | None, include: list[str]) -> Json:
    with station.storage.read() as connection:
        found = history.lines(connection, asked, page.limit + 1, page.offset)
        total = history.count(connection, asked) if page.total else None
    shown = [lines.entry(line, station.directory, station.roster, include) for line in found[: page.limit]]
    service_statuses.tell(station, [entry["service"] for entry in shown])
    return page.answer("log_entries", things.in_zone(shown, zone), more=len(found) > page.limit, total=total)
