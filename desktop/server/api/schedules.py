"""``/schedules``: each role, who has it from when to when, and everybody who does. On worker threads."""

from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query

from desktop.domain.team import Role
from desktop.server import schedules, things
from desktop.server.api.common import Here, Json, Page, Zone, instant
from desktop.server.api.overrides import ForRole
from desktop.server.failures import invalid, not_found
from desktop.server.station import Station

router = APIRouter()

# What PagerDuty renders when only one end of the time is given.
_USUAL = timedelta(days=14)
_LONGEST = timedelta(days=366)


@router.get("/schedules")
def list_schedules(  # noqa: PLR0913, PLR0917 - the parameters of PagerDuty's endpoint
    station: Here,
    page: Page,
    zone: Zone,
    query: str = "",
    since: str | None = None,
    until: str | None = None,
    include_next_oncall_for_user: str | None = None,
    team_ids: Annotated[list[str] | None, Query(alias="team_ids[]")] = None,
) -> Json:
    """List the roles; with ``since`` or ``until``, each as ``GET /schedules/ID`` renders it."""
    asked = _asked(station, since, until, zone, overflow=False)
    team = station.roster.team
    roles = [r for r in schedules.roles(team) if query.casefold() in r.value.casefold() and not team_ids]
    shown = [schedules.schedule(station.directory, station.roster, role, asked) for role in roles]
    if include_next_oncall_for_user is not None:
        for role, each in zip(roles, shown, strict=True):
            each["next_oncall_for_user"] = _next(station, role, include_next_oncall_for_user, asked)
    return page.cut("schedules", shown)


@router.get("/schedules/{schedule_id}")
def get_schedule(
    station: Here,
    role: ForRole,
    zone: Zone,
    since: str | None = None,
    until: str | None = None,
    overflow: bool = False,
    include_next_oncall_for_user: str | None = None,
) -> Json:
    """Answer one role: rendered from ``since`` to ``until`` where one of them is given. The final schedule is true."""
    asked = _asked(station, since, until, zone, overflow=overflow)
    shown = schedules.schedule(station.directory, station.roster, role, asked)
    if include_next_oncall_for_user is not None:
        shown["next_oncall_for_user"] = _next(station, role, include_next_oncall_for_user, asked)
    return {"schedule": shown}


@router.get("/schedules/{schedule_id}/users")
def schedule_users(station: Here, role: ForRole, since: str | None = None, until: str | None = None) -> Json:
    """List everybody who has the role at some time from ``since`` to ``until``: now, where neither is given."""
    window = _window(since, until) or (station.clock(), station.clock() + timedelta(microseconds=1))
    people = schedules.people(station.roster.team, role, *window)
    return {"users": [things.user(station.directory, person) for person in people]}


def _asked(
    station: Station, since: str | None, until: str | None, zone: ZoneInfo | None, *, overflow: bool
) -> schedules.Asked:  # fmt: skip
    return schedules.Asked(_window(since, until), zone or station.roster.team.time_zone, overflow)


def _window(since: str | None, until: str | None) -> tuple[datetime, datetime] | None:
    start, end = instant(since, "since"), instant(until, "until")
    if start is None and end is None:
        return None
    try:
        start = start or _before(end)
        end = end or start + _USUAL
    except OverflowError as error:
        raise invalid("since or until is no time that a schedule has") from error
    if end <= start or end - start > _LONGEST:
        raise invalid("until must follow since within a year")
    return start, end


def _before(end: datetime | None) -> datetime:
    if end is None:
        raise invalid("since or until is needed")
    return end - _USUAL


def _next(station: Station, role: Role, person: str, asked: schedules.Asked) -> Json | None:
    if person not in station.directory.people:
        raise not_found("such user")
    return schedules.next_time(station.directory, station.roster.team, role, person, station.clock(), asked)
