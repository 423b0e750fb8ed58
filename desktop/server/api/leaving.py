"""An absence as a request announces it, and as an answer tells it: whether it holds, and who is to say yes. Pure."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from desktop.domain.additions import NOTICE, Leave
from desktop.domain.rotation import schedule
from desktop.domain.team import Role
from desktop.domain.text import plain
from desktop.server import things
from desktop.server.absences import Kept
from desktop.server.api import spans
from desktop.server.api.common import Json
from desktop.server.api.strict import CLOSED, known_keys
from desktop.server.directory import Directory
from desktop.server.failures import invalid
from desktop.server.station import Station

_TIME = {
    "type": "string",
    "format": "date-time",
    "description": "With its offset from UTC, or Z; a local time without one is refused.",
    "example": "2026-01-14T09:00:00-08:00",
}
_ID = {"type": "string", "maxLength": 255}
_USER = {"type": "object", "required": ["id"], "properties": {"id": _ID}}
_PROPERTIES = {
    "start": _TIME,
    "end": _TIME,
    "person": {**_ID, "description": "Whose it is, by their id; one's own when neither this nor `user` is given."},
    "user": {**_USER, "description": "Whose it is, as the answer names them."},
    "cover": {"oneOf": [{**_ID, "nullable": True}, _USER]},
}
_ABSENCE = {"type": "object", "required": ["start", "end"], "properties": _PROPERTIES, **CLOSED}
_SENT = {"type": "object", "required": ["absence"], "properties": {"absence": _ABSENCE}, **CLOSED}
BODY: Json = {"requestBody": {"required": True, "content": {"application/json": {"schema": _SENT}}}}
"""What a request to announce one looks like."""

WITHDRAWN: dict[int | str, Json] = {
    200: {"description": "It held already, and ends now", "content": {"application/json": {"schema": {}}}},
    204: {"description": "It is withdrawn"},
}


def read(station: Station, me: str, body: object, now: datetime) -> Leave:
    """Return the absence that ``body`` announces, of ``me`` where it names nobody; refused with all that is wrong.

    What is past is not rewritten: one that begins before ``now`` begins now.
    """
    part = body.get("absence") if isinstance(body, dict) else None
    if not isinstance(part, dict):
        raise invalid("the body must be an object with an object 'absence'")
    known_keys(body, _SENT)
    errors: list[str] = []
    start, end = (spans.time(part, key, errors) for key in ("start", "end"))
    whose = "user" if "user" in part else "person"
    if "user" in part and "person" in part:
        errors.append("give person or user, not both")
    person = _person(station.directory, part.get(whose, me), whose, errors)
    cover = None if part.get("cover") is None else _person(station.directory, part["cover"], "cover", errors)
    if cover and cover == person:
        errors.append("cover must be somebody else than the person who is absent")
    if start is not None and end is not None:
        errors += spans.misfits("an absence", start, end, now)
    if errors or start is None or end is None:
        raise invalid(*errors)
    return Leave(person, cover, max(start, now), end, now, None)


def shown(station: Station, kept: Kept, now: datetime) -> Json:
    """Return an absence and, in words, whether the person stays on call."""
    leave, directory = kept.leave, station.directory
    held = kept.held(station.roster.team.time_zone)
    return {
        "id": kept.id,
        "user": things.user(directory, leave.person, full=False),
        "cover": None if leave.cover is None else things.user(directory, leave.cover, full=False),
        "start": things.instant(leave.start),
        "end": things.instant(leave.end),
        "announced_at": things.instant(leave.announced),
        "confirmed_at": things.instant(leave.confirmed),
        "confirmed_by": kept.confirmed_by or None,
        "created_by": kept.created_by,
        "state": "waiting" if held is None else "holds",
        "holds_from": None if held is None else things.instant(held.start),
        "says": _says(station, kept),
        "warnings": list(_warnings(station, kept, now)),
    }


def summary(kept: Kept) -> Json:
    """Return what the audit log says of an absence."""
    leave = kept.leave
    return {
        "person": leave.person,
        "cover": leave.cover,
        "start": things.instant(leave.start),
        "end": things.instant(leave.end),
        "confirmed_by": kept.confirmed_by or None,
    }


def _says(station: Station, kept: Kept) -> str:
    directory, leave = station.directory, kept.leave
    name = directory.person(leave.person).name
    if kept.held(station.roster.team.time_zone) is not None:
        return f"{name} is not on call in this time"
    who = "a manager" if leave.cover is None else f"{directory.person(leave.cover).name} or a manager"
    return f"Announced less than {NOTICE.days} days ahead: {name} stays on call until {who} says yes"


def _warnings(station: Station, kept: Kept, now: datetime) -> Iterator[str]:
    """Yield when a role would have nobody at all while this absence holds, or once somebody said yes to it."""
    team, zone = station.roster.team, station.roster.team.time_zone
    held, waits = kept.held(zone), ""
    if held is None:
        held, waits = replace(kept, leave=replace(kept.leave, confirmed=now)).held(zone), "Once it holds: "
        team = team if held is None else replace(team, absences=(*team.absences, held))
    if held is None or max(held.start, now) >= held.end:
        return
    for segment in schedule(team, max(held.start, now), held.end):
        if segment.person is None and segment.role in team.rotations:
            nobody = "NOBODY ON CALL" if segment.role is Role.PRIMARY else f"Nobody is {segment.role.value}"
            yield f"{waits}{nobody} from {things.instant(segment.start)} to {things.instant(segment.end)}"


def _person(directory: Directory, wanted: object, key: str, errors: list[str]) -> str:
    if isinstance(wanted, dict):
        wanted = wanted.get("id")
    known = directory.people.get(wanted) if isinstance(wanted, str) else None
    if known is None or not known.active or known.contact:
        named = f"there is no {plain(wanted, 80)!r}" if isinstance(wanted, str) else "must be a person's id"
        errors.append(f"{key}: {named}")
        return ""
    return known.id
