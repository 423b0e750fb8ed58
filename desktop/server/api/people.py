"""``/users``, their contact methods and notification rules, ``/oncalls``. On worker threads."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query

from desktop.server import contacts, notification_rules, oncalls, things
from desktop.server.api.common import Here, Include, Json, Me, Page, Zone, instant
from desktop.server.directory import Somebody
from desktop.server.failures import invalid, not_found
from desktop.server.station import Station

router = APIRouter()

_LONGEST = timedelta(days=366)


@router.get("/users/me")
def me(station: Here, person: Me, include: Include = []) -> Json:  # noqa: B006 - FastAPI copies it
    """Answer who the token belongs to."""
    return {"user": _shown(station, person, include)}


@router.get("/users")
def users(
    station: Here,
    page: Page,
    query: str = "",
    team_ids: Annotated[list[str] | None, Query(alias="team_ids[]")] = None,
    include: Include = [],  # noqa: B006
) -> Json:
    """List the people of the team; ``query`` narrows them by a part of the name or address. There are no teams."""
    word = query.casefold()
    people = [p for p in station.directory.people.values() if p.active and not p.contact and not team_ids]
    found = [p for p in people if word in p.name.casefold() or word in p.email.casefold()]
    return page.cut("users", [_shown(station, p.id, include) for p in found])


@router.get("/users/{user_id}")
def user(station: Here, user_id: str, include: Include = []) -> Json:  # noqa: B006
    """Answer one person."""
    return {"user": _shown(station, _known(station, user_id).id, include)}


@router.get("/users/{user_id}/contact_methods")
def contact_methods(station: Here, user_id: str) -> Json:
    """List how somebody can be reached beside their tray application, as the team file says."""
    return {"contact_methods": contacts.methods(station.directory, _known(station, user_id))}


@router.get("/users/{user_id}/contact_methods/{method_id}")
def contact_method(station: Here, user_id: str, method_id: str) -> Json:
    """Answer one contact method."""
    for method in contacts.methods(station.directory, _known(station, user_id)):
        if method["id"] == method_id:
            return {"contact_method": method}
    raise not_found("such contact method")


@router.get("/users/{user_id}/notification_rules")
def list_rules(station: Here, user_id: str, urgency: str = "high", include: Include = []) -> Json:  # noqa: B006
    """List the rules by which somebody is written to beside their tray application: those of high urgency only."""
    if urgency not in ("high", "low", "all"):
        raise invalid("urgency must be high, low or all")
    found = _rules(station, _known(station, user_id), include)
    return {"notification_rules": [] if urgency == "low" else found}


@router.get("/users/{user_id}/notification_rules/{rule_id}")
def get_rule(station: Here, user_id: str, rule_id: str, include: Include = []) -> Json:  # noqa: B006
    """Answer one of these rules."""
    for rule in _rules(station, _known(station, user_id), include):
        if rule["id"] == rule_id:
            return {"notification_rule": rule}
    raise not_found("such notification rule")


@router.get("/oncalls")
def on_calls(  # noqa: PLR0913, PLR0917 - the parameters of PagerDuty's endpoint
    station: Here,
    page: Page,
    zone: Zone,
    user_ids: Annotated[list[str] | None, Query(alias="user_ids[]")] = None,
    escalation_policy_ids: Annotated[list[str] | None, Query(alias="escalation_policy_ids[]")] = None,
    schedule_ids: Annotated[list[str] | None, Query(alias="schedule_ids[]")] = None,
    since: str | None = None,
    until: str | None = None,
    earliest: bool = False,
    include: Include = [],  # noqa: B006
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
    shown = page.cut("oncalls", oncalls.earliest(found) if earliest else found)
    return dict(things.in_zone(shown, zone))


def _known(station: Station, user_id: str) -> Somebody:
    found = station.directory.people.get(user_id)
    if found is None:
        raise not_found("such user")
    return found


def _shown(station: Station, person: str, include: list[str]) -> Json:
    shown = things.user(station.directory, person)
    if "contact_methods" in include:
        shown["contact_methods"] = contacts.methods(station.directory, station.directory.person(person))
    rules = _rules(station, station.directory.person(person), include)
    shown["notification_rules"] = (
        rules if "notification_rules" in include else list(map(notification_rules.short, rules))
    )
    return shown


def _rules(station: Station, person: Somebody, include: list[str]) -> list[Json]:
    whole = "contact_methods" in include
    return notification_rules.of(station.roster, station.directory, person, whole=whole)
