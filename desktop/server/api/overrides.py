"""``/schedules/{role}/overrides``: who has a role instead, from when to when. On worker threads; the writer writes.

Roles are schedules. Engineers change their own shifts, managers and admins all (design, section 6, "Access").
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response
from sqlalchemy import Connection

from desktop.domain.team import Access, Override, Role
from desktop.server import applying, audit, leave_telling, override_telling, overrides, rights
from desktop.server.api import overriding
from desktop.server.api.common import Body, Here, Json, Me, Whose, instant
from desktop.server.audit import By
from desktop.server.failures import invalid, not_found
from desktop.server.override_telling import Telling
from desktop.server.overrides import Kept
from desktop.server.station import Station
from desktop.server.writer import Work

router = APIRouter()

MANY = 250


async def _role(schedule_id: str) -> Role:
    """Return the role that the schedule ``schedule_id`` is; refused (404) when it is none."""
    try:
        return Role(schedule_id)
    except ValueError as error:
        raise not_found("such schedule") from error


ForRole = Annotated[Role, Depends(_role)]


@router.get("/schedules/{schedule_id}/overrides")
def list_overrides(
    station: Here,
    role: ForRole,
    since: str | None = None,
    until: str | None = None,
    editable: bool = False,
    overflow: bool = False,
) -> Json:
    """List the overrides that touch ``[since, until)``, by time; those of the team file have ids ``file-N``.

    PagerDuty's document says that this answers 201; that is taken for a slip.
    """
    start, end = instant(since, "since"), instant(until, "until")
    if start is None or end is None or start >= end:
        raise invalid("since and until are needed, and until must follow since")
    with station.storage.read() as connection:
        found = overrides.within(connection, role, start, end)
        applied = applying.current(connection)
    if editable:
        now = station.clock()
        found = [kept for kept in found if kept.override.end > now]
    elif applied is not None:
        found += overriding.of_the_file(station.roster.file, role, start, end, applied.at)
    cut = (None, None) if overflow else (start, end)
    shown = [overriding.shown(station.directory, k, *cut) for k in sorted(found, key=lambda k: k.override.start)]
    return {"overrides": shown}


@router.post("/schedules/{schedule_id}/overrides", status_code=201, response_model=None)
def create_overrides(station: Here, person: Me, by: Whose, role: ForRole, body: Body) -> list[Json] | Json:
    """Make overrides. In a list each has a status of its own; the older form with a single one is taken as well."""
    now = station.clock()
    if isinstance(body, dict) and isinstance(body.get("override"), dict):
        wanted, errors = overriding.read(station.directory, role, body["override"], now)
        if wanted is None:
            raise invalid(*errors)
        return {"override": overriding.shown(station.directory, _make(station, person, by, [wanted])[0])}
    parts = _parts(body)
    read = [overriding.read(station.directory, role, part, now) for part in parts]
    made = iter(_make(station, person, by, [wanted for wanted, _ in read if wanted is not None]))
    return [
        {"status": 400, "errors": errors, "override": part}
        if wanted is None
        else {"status": 201, "override": overriding.shown(station.directory, next(made))}
        for part, (wanted, errors) in zip(parts, read, strict=True)
    ]


@router.delete("/schedules/{schedule_id}/overrides/{override_id}", response_model=None)
def delete_override(station: Here, person: Me, by: Whose, role: ForRole, override_id: str) -> Response:
    """Take an override back: 204; one that has begun ends now: 200. What is past stays (400)."""
    if override_id.startswith(overriding.FILE):
        raise rights.forbidden("this override stands in the team file: change it there, and apply the file")
    now = station.clock()
    begun = station.writer.run(lambda work: _take_back(station, work.connection, person, by, role, override_id, now))
    station.refresh()
    if not begun:
        return Response(status_code=204)
    with station.storage.read() as connection:
        kept = overrides.find(connection, role, override_id)
    return JSONResponse({"override": None if kept is None else overriding.shown(station.directory, kept)})


def _parts(body: object) -> list[Json]:
    parts = body.get("overrides") if isinstance(body, dict) else None
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        raise invalid("overrides must be a list of at least one override")
    if len(parts) > MANY:
        raise invalid(f"at most {MANY} overrides can be made at once")
    return parts


def _make(station: Station, person: str, by: By, wanted: Sequence[Override]) -> list[Kept]:
    """Keep ``wanted``; refused (403) as a whole when one of them is not the person's to make."""
    if not wanted:
        return []
    with station.storage.read() as connection:
        access = rights.access_of(connection, person)
    team = station.roster.team
    if access is Access.ENGINEER and not all(overrides.own_shift(team, person, each) for each in wanted):
        raise rights.forbidden("an engineer changes their own shifts only: ask whose shift it is, or a manager")
    now = station.clock()

    def command(work: Work) -> list[Kept]:
        before = leave_telling.team_now(station, work.connection)
        made = overrides.add(work.connection, wanted, by.actor, now)
        for kept in made:
            audit.note(work.connection, by, "override.create", _target(kept), now, after=overriding.summary(kept))
        override_telling.tell(Telling(station, work.connection, person, "made", now), made, before)
        return made

    made = station.writer.run(command)
    station.refresh()
    return made


def _take_back(
    station: Station, connection: Connection, person: str, by: By, role: Role, override_id: str, now: datetime
) -> bool:
    """Delete an override, or end it when it has begun; tell which."""
    kept = overrides.find(connection, role, override_id)
    if kept is None:
        raise not_found("such override")
    if rights.access_of(connection, person) is Access.ENGINEER and not overrides.made_by(connection, kept, person):
        raise rights.forbidden("an engineer takes back only what they made: hand the watch over, or ask a manager")
    if kept.override.end <= now:
        raise invalid("an override that is past cannot be removed")
    before = leave_telling.team_now(station, connection)
    begun = kept.override.start <= now
    if begun:
        overrides.end(connection, override_id, now)
        ended = overriding.summary(replace(kept, override=replace(kept.override, end=now)))
        audit.note(connection, by, "override.end", _target(kept), now, overriding.summary(kept), ended)
    else:
        overrides.remove(connection, override_id)
        audit.note(connection, by, "override.delete", _target(kept), now, overriding.summary(kept))
    override_telling.tell(Telling(station, connection, person, "taken back", now), [kept], before)
    return begun


def _target(kept: Kept) -> str:
    return f"override:{kept.id}"
