"""``/maintenance_windows``: when incidents of a service page nobody. On worker threads; the writer writes.

Everybody may see them; managers and admins make, change and end them.
"""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from sqlalchemy import Connection

from desktop.server import audit, maintenance, rights, windows
from desktop.server.api import maintaining, statuses
from desktop.server.api.common import Body, Here, Include, Json, Page, Whose
from desktop.server.audit import By
from desktop.server.failures import INVALID, Refused, invalid, not_found
from desktop.server.station import Station
from desktop.server.windows import Window
from desktop.server.writer import Work

router = APIRouter()


@router.get("/maintenance_windows")
def list_windows(
    station: Here,
    page: Page,
    query: str = "",
    service_ids: Annotated[list[str] | None, Query(alias="service_ids[]")] = None,
    team_ids: Annotated[list[str] | None, Query(alias="team_ids[]")] = None,
    state: Annotated[str | None, Query(alias="filter")] = None,
    include: Include = [],  # noqa: B006 - FastAPI copies it
) -> Json:
    """List maintenance windows by time: all of them, or those that are past, ongoing, future, or open."""
    maintaining.check_state(state)
    now, word = station.clock(), query.casefold()
    with station.storage.read() as connection:
        found = [w for w in windows.every(connection) if maintaining.in_state(w, state, now)]
    found = [w for w in found if word in w.description.casefold() and not team_ids]
    found = [w for w in found if service_ids is None or set(service_ids) & set(w.services)]
    return page.cut("maintenance_windows", [_shown(station, window, include) for window in found])


@router.post("/maintenance_windows", status_code=201)
def create_window(station: Here, by: Whose, body: Body) -> Json:
    """Put services under maintenance."""
    window = maintaining.new(station.directory, _part(body), by.actor, station.clock())

    def command(work: Work) -> Window:
        rights.need_manager(work.connection, by)
        made = windows.add(work.connection, window)
        maintenance.plan_anew(station, work, made.services)
        _note(work.connection, by, "create", made, station.clock(), after=maintaining.summary(made))
        return made

    made = station.writer.run(command)
    station.refresh()
    return {"maintenance_window": _shown(station, made, [])}


@router.get("/maintenance_windows/{name}")
def get_window(station: Here, name: str, include: Include = []) -> Json:  # noqa: B006 - FastAPI copies it
    """Answer one maintenance window."""
    with station.storage.read() as connection:
        window = windows.find(connection, name)
    if window is None:
        raise not_found("such maintenance window")
    return {"maintenance_window": _shown(station, window, include)}


@router.put("/maintenance_windows/{name}")
def put_window(station: Here, by: Whose, name: str, body: Body) -> Json:
    """Change a maintenance window that is not over; its beginning only while it lies ahead."""
    part = _part(body)

    def command(work: Work) -> Window:
        now = station.clock()
        before = _known(work.connection, by, name)
        if before.end <= now:
            raise invalid("the maintenance window is over: it cannot be changed")
        after = maintaining.changed(station.directory, before, part, now)
        windows.change(work.connection, after)
        maintenance.plan_anew(station, work, {*before.services, *after.services})
        said = maintaining.summary(before), maintaining.summary(after)
        _note(work.connection, by, "change", after, now, *said)
        return after

    window = station.writer.run(command)
    station.refresh()
    return {"maintenance_window": _shown(station, window, [])}


@router.delete("/maintenance_windows/{name}", status_code=204, response_model=None)
def delete_window(station: Here, by: Whose, name: str) -> Response:
    """Take back a maintenance window that lies ahead, or end one that goes on: what is still open pages now."""
    station.writer.run(lambda work: end_window(station, work, by, name))
    station.refresh()
    return Response(status_code=204)


def end_window(station: Station, work: Work, by: By, name: str) -> None:
    """Take a window back, or end it (on the writer's thread)."""
    now = station.clock()
    window = _known(work.connection, by, name)
    if window.end <= now:
        raise Refused(405, INVALID, "Method Not Allowed", ["the maintenance window has ended already"])
    before = maintaining.summary(window)
    if window.start > now:
        windows.remove(work.connection, name)
        _note(work.connection, by, "delete", window, now, before)
    else:
        ended = replace(window, end=now)
        windows.change(work.connection, ended)
        _note(work.connection, by, "end", window, now, before, maintaining.summary(ended))
    maintenance.plan_anew(station, work, window.services)


def _known(connection: Connection, by: By, name: str) -> Window:
    """Return a window for whoever may change it, and hold it for them."""
    rights.need_manager(connection, by)
    window = windows.find(connection, name, lock=True)
    if window is None:
        raise not_found("such maintenance window")
    return window


def _note(
    connection: Connection,
    by: By,
    what: str,
    window: Window,
    now: datetime,
    before: Json | None = None,
    after: Json | None = None,
) -> None:
    audit.note(connection, by, f"maintenance.{what}", f"maintenance_window:{window.id}", now, before, after)


def _shown(station: Station, window: Window, include: list[str]) -> Json:
    shown = maintaining.shown(window, station.directory, station.roster, include)
    statuses.tell(station, shown["services"])
    return shown


def _part(body: object) -> Json:
    part = body.get("maintenance_window") if isinstance(body, dict) else None
    if not isinstance(part, dict):
        raise invalid("the body must be an object with an object 'maintenance_window'")
    return part
