"""``/services``, ``/priorities``, ``/escalation_policies``, ``/abilities``. On worker threads."""

from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import APIRouter, Query
from fastapi.responses import Response

from desktop.domain.severity import Severity
from desktop.server import escalations, things
from desktop.server.api import statuses
from desktop.server.api.common import Here, Include, Json, Page
from desktop.server.failures import MISSING_ABILITY, Refused, invalid, not_found
from desktop.server.station import Station

router = APIRouter()

# What of PagerDuty's optional parts there is here.
ABILITIES = ("coordinated_responding", "urgencies")
_SORTS = ("name", "name:asc", "name:desc")

_T = TypeVar("_T")
Teams = Annotated[list[str] | None, Query(alias="team_ids[]")]


@router.get("/services")
def services(
    station: Here,
    page: Page,
    query: str = "",
    name: str | None = None,
    team_ids: Teams = None,
    sort_by: str = "name",
    include: Include = [],  # noqa: B006 - FastAPI copies it
) -> Json:
    """List the services that alerts are about; ``query`` is a part of the name, ``name`` all of it."""
    word = query.casefold()
    found = [s for s in station.directory.services.values() if s.active and word in s.name.casefold() and not team_ids]
    found = [s for s in found if name is None or s.name == name]
    shown = [_service(station, s.id, include) for s in _sorted(found, sort_by, lambda s: s.name)]
    statuses.tell(station, shown)
    return page.cut("services", shown)


@router.get("/services/{service_id}")
def service(station: Here, service_id: str, include: Include = []) -> Json:  # noqa: B006
    """Answer one service."""
    if service_id not in station.directory.services:
        raise not_found("such service")
    shown = _service(station, service_id, include)
    statuses.tell(station, [shown])
    return {"service": shown}


@router.get("/priorities")
def priorities(page: Page) -> Json:
    """List the severities, the worst first."""
    return page.cut("priorities", [things.priority(severity) for severity in Severity])


@router.get("/escalation_policies")
def escalation_policies(
    station: Here,
    page: Page,
    query: str = "",
    user_ids: Annotated[list[str] | None, Query(alias="user_ids[]")] = None,
    team_ids: Teams = None,
    sort_by: str = "name",
    include: Include = [],  # noqa: B006
) -> Json:
    """List how each severity escalates; ``user_ids[]`` asks for those of whose rules one names a person."""
    found = [s for s in Severity if query.casefold() in s.label.casefold() and not team_ids]
    shown = [_policy(station, s, include) for s in _sorted(found, sort_by, lambda s: s.label)]
    if user_ids:
        shown = [policy for policy in shown if _named(policy) & set(user_ids)]
    return page.cut("escalation_policies", shown)


@router.get("/escalation_policies/{policy_id}")
def escalation_policy(station: Here, policy_id: str, include: Include = []) -> Json:  # noqa: B006
    """Answer how one severity escalates."""
    found = next((severity for severity in Severity if severity.key == policy_id), None)
    if found is None:
        raise not_found("such escalation policy")
    return {"escalation_policy": _policy(station, found, include)}


@router.get("/abilities")
def abilities() -> Json:
    """List what of PagerDuty's optional parts there is here."""
    return {"abilities": list(ABILITIES)}


@router.get("/abilities/{ability}", status_code=204, response_model=None)
def ability(ability: str) -> Response:
    """Tell whether there is one of PagerDuty's optional parts: 204, else 402."""
    if ability not in ABILITIES:
        raise Refused(402, MISSING_ABILITY, "Account does not have the abilities to perform the action")
    return Response(status_code=204)


def _service(station: Station, service_id: str, include: list[str]) -> Json:
    shown = escalations.service(station.directory, station.roster, service_id)
    if "escalation_policies" in include:
        severity = escalations.severity_of(station.roster, service_id)
        shown["escalation_policy"] = escalations.policy(station.directory, station.roster, severity)
    return shown


def _policy(station: Station, severity: Severity, include: list[str]) -> Json:
    shown = escalations.policy(station.directory, station.roster, severity)
    if "services" in include:
        ids = [service["id"] for service in shown["services"]]
        shown["services"] = [escalations.service(station.directory, station.roster, name) for name in ids]
        statuses.tell(station, shown["services"])
    return shown


def _named(policy: Json) -> set[str]:
    rules = policy["escalation_rules"]
    return {target["id"] for rule in rules for target in rule["targets"] if target["type"] == "user_reference"}


def _sorted(things_found: list[_T], sort_by: str, key: Callable[[_T], str]) -> list[_T]:
    if sort_by not in _SORTS:
        raise invalid(f"sort_by must be one of {', '.join(_SORTS)}")
    return sorted(things_found, key=lambda thing: key(thing).casefold(), reverse=sort_by.endswith(":desc"))
