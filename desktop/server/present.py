"""Our rows in PagerDuty's shapes. Pure; times are ISO 8601 in UTC, to the microsecond."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from desktop.domain import escalation
from desktop.domain.incident import Status
from desktop.domain.severity import Severity
from desktop.server.directory import Directory, Somebody
from desktop.server.records import ENGINE, Held, Record
from desktop.server.roster import Roster
from desktop.server.transitions import acknowledged_until

Json = dict[str, Any]
_NONE: frozenset[str] = frozenset()


def instant(at: datetime | None) -> str | None:
    """Return ``at`` as PagerDuty writes it: 2026-01-05T17:00:00Z, with microseconds where there are any."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def reference(kind: str, thing_id: str, summary: str, place: str | None = None) -> Json:
    """Return PagerDuty's reference to something; ``place`` is its path in the API."""
    url = None if place is None else f"/{place}/{thing_id}"
    return {"id": thing_id, "type": f"{kind}_reference", "summary": summary, "self": url, "html_url": None}


def user(person: Somebody, *, full: bool = True) -> Json:
    """Return a person; only who they are unless ``full``."""
    ref = reference("user", person.id, person.name, "users")
    # Our clients show names at once: a reference carries it, too.
    ref |= {"name": person.name, "email": person.email}
    if not full:
        return ref
    role = {"manager": "limited_user", "admin": "admin"}.get(person.access, "limited_user")
    return ref | {"type": "user", "time_zone": person.time_zone, "role": role, "job_title": None, "teams": []}


def service(directory: Directory, service_id: str, *, full: bool = True) -> Json:
    """Return a service; only its name unless ``full``."""
    thing = directory.service(service_id)
    ref = reference("service", thing.id, thing.name, "services")
    if not full:
        return ref
    status = "active" if thing.active else "disabled"
    return ref | {"type": "service", "name": thing.name, "status": status, "runbook": thing.runbook or None}


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


def policy(severity: Severity) -> Json:
    """Return a reference to the escalation policy of a severity."""
    return reference("escalation_policy", severity.key, severity.label, "escalation_policies")


def incident(record: Record, directory: Directory, roster: Roster, include: Collection[str] = _NONE) -> Json:
    """Return one incident; ``include`` names what is given whole instead of as a reference."""
    full_users = bool({"users", "assignees"} & set(include))
    full_acknowledgers = bool({"users", "acknowledgers"} & set(include))
    lists = record.severity if record.escalates_as is None else record.escalates_as
    return {
        "id": record.id,
        "type": "incident",
        "summary": f"[#{record.number}] {record.title}",
        "self": f"/incidents/{record.id}",
        "html_url": record.link or None,
        "incident_number": record.number,
        "title": record.title,
        "status": record.status.value,
        "urgency": record.urgency.value,
        "incident_key": record.dedup_key,
        "created_at": instant(record.created_at),
        "updated_at": instant(record.updated_at),
        "last_status_change_at": instant(record.changed_at),
        "last_status_change_by": agent(record.changed_by, directory),
        "resolved_at": instant(record.resolved_at),
        "service": service(directory, record.service_id, full="services" in include),
        "escalation_policy": policy(lists),
        "priority": priority(record.severity),
        "teams": [],
        "assigned_via": "direct_assignment" if record.escalates_as is None else "escalation_policy",
        "assignments": _held(record.assignments, "assignee", directory, full=full_users) if record.open else [],
        "acknowledgements": _held(record.acknowledgements, "acknowledger", directory, full=full_acknowledgers),
        "pending_actions": pending_actions(record, roster),
        "alert_counts": {"all": 1, "triggered": int(record.open), "resolved": int(not record.open)},
        "first_trigger_log_entry": None,
        "resolve_reason": None,
        "incident_type": {"name": "incident_default"},
        "watchbell": _ours(record, directory),
    }


def pending_actions(record: Record, roster: Roster) -> list[Json]:
    """Return what the engine will do by itself: when it escalates, or when the acknowledgement ends."""
    if record.status is Status.ACKNOWLEDGED:
        ends = acknowledged_until(record)
        return [] if ends is None else [{"type": "unacknowledge", "at": instant(ends)}]
    if record.status is Status.TRIGGERED and _goes_on(record):
        due = escalation.next_step_at(record.plan, record.progress, roster.hours)
        return [] if due is None else [{"type": "escalate", "at": instant(due)}]
    return []


def agent(actor: str, directory: Directory) -> Json:
    """Return who did something: a person, a service's integration, or the server itself."""
    kind, _, name = actor.partition(":")
    if kind == "person":
        return user(directory.person(name), full=False)
    if kind == "service":
        return service(directory, name, full=False)
    return reference("service", ENGINE, "Watchbell")


def _goes_on(record: Record) -> bool:
    """Tell whether there is another step or round, not merely the end of the last one."""
    more_steps = record.progress.step < len(record.plan.steps)
    return more_steps or (record.progress.round < record.plan.repeats and not record.progress.exhausted)


def _held(held: tuple[Held, ...], name: str, directory: Directory, *, full: bool) -> list[Json]:
    return [{"at": instant(h.at), name: user(directory.person(h.person), full=full)} for h in held]


def _ours(record: Record, directory: Directory) -> Json:
    """Return what PagerDuty has no place for."""
    return {
        "version": record.version,
        "pages": record.pages,
        "severity": record.severity.key,
        "note": record.severity_note,
        "exhausted": record.open and record.progress.exhausted,
        "runbook": directory.service(record.service_id).runbook or None,
        "flaps": record.flaps,
    }
