"""``/watchbell/v1/absences``: who cannot be on call, from when to when. On worker threads; the writer writes.

Announced 14 days ahead an absence holds at once. Later, the person stays on call until the cover or a manager says yes.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Connection

from desktop.domain.team import Access
from desktop.server import absences, audit, leave_telling, rights
from desktop.server.absences import Kept
from desktop.server.api import leaving
from desktop.server.api.common import Body, Here, Json, Me, Page, Whose, instant
from desktop.server.audit import By
from desktop.server.failures import invalid, not_found
from desktop.server.station import Station
from desktop.server.writer import Work

router = APIRouter()

_BACK, _AHEAD = timedelta(days=90), timedelta(days=365)


@router.get("/watchbell/v1/absences")
def list_absences(station: Here, page: Page, since: str | None = None, until: str | None = None) -> Json:
    """List the absences announced here that touch ``[since, until)`` (90 days ago to a year ahead), by time."""
    now = station.clock()
    start, end = instant(since, "since") or now - _BACK, instant(until, "until") or now + _AHEAD
    if start >= end:
        raise invalid("until must follow since")
    with station.storage.read() as connection:
        found = absences.within(connection, start, end)
    return page.cut("absences", [leaving.shown(station, kept, now) for kept in found])


@router.post("/watchbell/v1/absences", status_code=201, openapi_extra=leaving.BODY)
def announce(station: Here, me: Me, by: Whose, body: Body) -> Json:
    """Announce an absence, one's own (a manager: anybody's); the answer says whether it holds, or who is to say yes."""
    now = station.clock()
    leave = leaving.read(station, me, body, now)
    with station.storage.read() as connection:
        if leave.person != me and rights.access_of(connection, me) is Access.ENGINEER:
            raise rights.forbidden("an engineer announces their own absences only: ask whose it is, or a manager")

    def command(work: Work) -> Kept:
        kept = absences.add(work.connection, leave, by.actor)
        audit.note(work.connection, by, "absence.create", _target(kept), now, after=leaving.summary(kept))
        leave_telling.announced(station, work.connection, kept, now)
        return kept

    made = station.writer.run(command)
    station.refresh()
    return {"absence": leaving.shown(station, made, now)}


@router.post("/watchbell/v1/absences/{absence_id}/confirm")
def confirm(station: Here, me: Me, by: Whose, absence_id: str) -> Json:
    """Say yes to an absence that was announced late: for its cover, or a manager who is not the one to be absent."""
    now = station.clock()
    station.writer.run(lambda work: _confirm(station, work.connection, me, by, absence_id, now))
    station.refresh()
    return {"absence": leaving.shown(station, _found(station, absence_id), now)}


@router.delete("/watchbell/v1/absences/{absence_id}", response_model=None, responses=leaving.WITHDRAWN)
def withdraw(station: Here, me: Me, by: Whose, absence_id: str) -> Response:
    """Withdraw an absence: 204; one that holds already ends now: 200. What is past stays (400)."""
    now = station.clock()
    begun = station.writer.run(lambda work: _withdraw(station, work.connection, me, by, absence_id, now))
    station.refresh()
    if not begun:
        return Response(status_code=204)
    return JSONResponse({"absence": leaving.shown(station, _found(station, absence_id), now)})


def _confirm(station: Station, connection: Connection, me: str, by: By, absence_id: str, now: datetime) -> None:
    kept = _known(connection, absence_id)
    manages = rights.access_of(connection, me) is not Access.ENGINEER
    if me == kept.leave.person or not (manages or me == kept.leave.cover):
        raise rights.forbidden("the cover of this absence says yes to it, or a manager, not who is to be absent")
    if kept.leave.end <= now:
        raise invalid("an absence that is past needs no yes")
    if kept.held(station.roster.team.time_zone) is not None:
        return
    before = leave_telling.team_now(station, connection)
    absences.confirm(connection, absence_id, by.actor, now)
    said = replace(kept, leave=replace(kept.leave, confirmed=now), confirmed_by=by.actor)
    audit.note(connection, by, "absence.confirm", _target(kept), now, leaving.summary(kept), leaving.summary(said))
    leave_telling.changed(station, connection, kept, before, "confirmed", me, now)


def _withdraw(station: Station, connection: Connection, me: str, by: By, absence_id: str, now: datetime) -> bool:
    """Remove an absence, or end it where it holds by now; tell which."""
    kept = _known(connection, absence_id)
    theirs = me == kept.leave.person or kept.created_by == f"person:{me}"
    if not theirs and rights.access_of(connection, me) is Access.ENGINEER:
        raise rights.forbidden("an engineer withdraws their own absences only: ask whose it is, or a manager")
    if kept.leave.end <= now:
        raise invalid("an absence that is past cannot be withdrawn")
    held = kept.held(station.roster.team.time_zone)
    begun = held is not None and held.start <= now
    before = leave_telling.team_now(station, connection)
    if begun:
        absences.end(connection, absence_id, now)
        ended = leaving.summary(replace(kept, leave=replace(kept.leave, end=now)))
        audit.note(connection, by, "absence.end", _target(kept), now, leaving.summary(kept), ended)
    else:
        absences.remove(connection, absence_id)
        audit.note(connection, by, "absence.delete", _target(kept), now, leaving.summary(kept))
    if held is None:
        leave_telling.waived(station, connection, kept, me, now)
    else:
        leave_telling.changed(station, connection, kept, before, "ended", me, now)
    return begun


def _known(connection: Connection, absence_id: str) -> Kept:
    kept = absences.find(connection, absence_id)
    if kept is None:
        raise not_found("such absence")
    return kept


def _found(station: Station, absence_id: str) -> Kept:
    with station.storage.read() as connection:
        return _known(connection, absence_id)


def _target(kept: Kept) -> str:
    return f"absence:{kept.id}"
