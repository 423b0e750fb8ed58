"""``/users``, ``/services``, ``/priorities``, ``/oncalls``. On worker threads."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from desktop.domain.severity import Severity
from desktop.server import oncalls, present
from desktop.server.api.common import Here, Include, Json, Me, Page, instant
from desktop.server.failures import invalid, not_found

router = APIRouter()

_LONGEST = timedelta(days=366)


@router.get("/users/me")
def me(station: Here, person: Me) -> Json:
    """Answer who the token belongs to."""
    return {"user": present.user(station.directory.person(person))}


@router.get("/users")
def users(station: Here, page: Page, query: str = "") -> Json:
    """List the people of the team; ``query`` narrows them by a part of the name or address."""
    word = query.casefold()
    people = [p for p in station.directory.people.values() if p.active and not p.contact]
    found = [p for p in people if word in p.name.casefold() or word in p.email.casefold()]
    return page.cut("users", [present.user(p) for p in found])


@router.get("/users/{user_id}")
def user(station: Here, user_id: str) -> Json:
    """Answer one person."""
    found = station.directory.people.get(user_id)
    if found is None:
        raise not_found("such user")
    return {"user": present.user(found)}


@router.get("/services")
def services(station: Here, page: Page, query: str = "") -> Json:
    """List the services that alerts are about."""
    word = query.casefold()
    found = [s for s in station.directory.services.values() if s.active and word in s.name.casefold()]
    return page.cut("services", [present.service(station.directory, s.id) for s in found])


@router.get("/services/{service_id}")
def service(station: Here, service_id: str) -> Json:
    """Answer one service."""
    if service_id not in station.directory.services:
        raise not_found("such service")
    return {"service": present.service(station.directory, service_id)}


@router.get("/priorities")
def priorities(page: Page) -> Json:
    """List the severities, the worst first."""
    return page.cut("priorities", [present.priority(severity) for severity in Severity])


@router.get("/oncalls")
def on_calls(  # noqa: PLR0913, PLR0917 - the parameters of PagerDuty's endpoint
    station: Here,
    page: Page,
    user_ids: Annotated[list[str] | None, Query(alias="user_ids[]")] = None,
    escalation_policy_ids: Annotated[list[str] | None, Query(alias="escalation_policy_ids[]")] = None,
    schedule_ids: Annotated[list[str] | None, Query(alias="schedule_ids[]")] = None,
    since: str | None = None,
    until: str | None = None,
    earliest: bool = False,
    include: Include = [],  # noqa: B006 - FastAPI copies it
) -> Json:
    """List who is on call from ``since`` (now) until ``until`` (``since``)."""
    start = instant(since, "since") or station.clock()
    end = instant(until, "until") or start
    if end < start or end - start > _LONGEST:
        raise invalid("until must follow since within a year")
    wanted = oncalls.Wanted(
        frozenset(user_ids or ()), frozenset(escalation_policy_ids or ()), frozenset(schedule_ids or ())
    )
    found = oncalls.entries(station.roster, station.directory, start, end, wanted, include)
    return page.cut("oncalls", oncalls.earliest(found) if earliest else found)
