"""People, services, schedules, policies and severities in PagerDuty's shapes: as references, and whole. Pure."""

from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from desktop.domain.severity import Severity
from desktop.domain.team import Role
from desktop.server import contacts
from desktop.server.directory import Directory
from desktop.server.records import ENGINE

Json = dict[str, Any]

# What PagerDuty calls somebody who may do what ours may.
_ROLES = {"engineer": "limited_user", "manager": "user", "admin": "admin"}


class Instant(str):
    """A time as an answer says it: known from what somebody else wrote, which is never rendered in another zone."""

    __slots__ = ()


def instant(at: datetime | None) -> str | None:
    """Return ``at`` as PagerDuty writes it: 2026-01-05T17:00:00Z, with microseconds where there are any."""
    return None if at is None else Instant(at.isoformat().replace("+00:00", "Z"))


def in_zone(answer: Any, zone: ZoneInfo | None) -> Any:  # noqa: ANN401 - JSON, as it came
    """Return ``answer`` with its instants as a clock in ``zone`` shows them; as it is without one."""
    if zone is None:
        return answer
    if isinstance(answer, Instant):
        return instant(datetime.fromisoformat(answer).astimezone(zone))
    if isinstance(answer, dict):
        return {key: in_zone(value, zone) for key, value in answer.items()}
    return [in_zone(value, zone) for value in answer] if isinstance(answer, list) else answer


def reference(directory: Directory, kind: str, thing_id: str, summary: str, place: str | None = None) -> Json:
    """Return PagerDuty's reference to something; ``place`` is its collection in the API."""
    url = None if place is None else f"{directory.origin}/{place}/{quote(thing_id, safe='')}"
    return {"id": thing_id, "type": f"{kind}_reference", "summary": summary, "self": url, "html_url": None}


def user(directory: Directory, person_id: str, *, full: bool = True) -> Json:
    """Return a person; only who they are unless ``full``. One whose file names no address has an empty ``email``."""
    person = directory.person(person_id)
    ref = reference(directory, "user", person.id, person.name, "users")
    # Our clients show names at once: a reference carries it, too.
    ref |= {"name": person.name, "email": person.email}
    if not full:
        return ref
    return ref | {
        "type": "user",
        "time_zone": person.time_zone,
        "role": _ROLES.get(person.access, "limited_user"),
        "description": None,
        "invitation_sent": False,
        "created_via_sso": False,
        "teams": [],
        "contact_methods": [contacts.short(method) for method in contacts.methods(directory, person)],
        "notification_rules": [],
    }


def service(directory: Directory, service_id: str) -> Json:
    """Return a reference to a service."""
    thing = directory.service(service_id)
    return reference(directory, "service", thing.id, thing.name, "services")


def schedule(directory: Directory, role: Role) -> Json:
    """Return a reference to the schedule that ``role`` is."""
    return reference(directory, "schedule", role.value, role.value.capitalize(), "schedules")


def priority(severity: Severity) -> Json:
    """Return a severity as a priority: PagerDuty lists them from the worst."""
    return {
        "id": severity.key,
        "type": "priority",
        "summary": severity.label,
        "name": severity.label,
        "description": severity.word,
        "self": None,
        "html_url": None,
        "order": 1 << (3 - severity.value),
    }


def policy(directory: Directory, severity: Severity) -> Json:
    """Return a reference to the escalation policy of a severity."""
    return reference(directory, "escalation_policy", severity.key, severity.label, "escalation_policies")


def agent(actor: str, directory: Directory, *, full: bool = False) -> Json:
    """Return who did something: a person, a service's integration, or the server itself."""
    kind, _, name = actor.partition(":")
    if kind == "person":
        return user(directory, name, full=full)
    if kind == "service":
        return service(directory, name)
    return reference(directory, "service", ENGINE, "Watchbell")
