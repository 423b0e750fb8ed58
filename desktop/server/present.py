"""Incidents in PagerDuty's shape. Pure."""

from collections.abc import Collection
from itertools import groupby
from typing import Any

from desktop.domain import escalation
from desktop.domain.incident import Status
from desktop.server import escalations, things
from desktop.server.contributions import Responder
from desktop.server.directory import Directory
from desktop.server.escalation_path import acknowledged_until
from desktop.server.records import Held, Record
from desktop.server.roster import Roster
from desktop.server.things import instant

Json = dict[str, Any]
_NONE: frozenset[str] = frozenset()


def incident(record: Record, directory: Directory, roster: Roster, include: Collection[str] = _NONE) -> Json:
    """Return one incident; ``include`` names what is given whole instead of as a reference."""
    lists = record.severity if record.escalates_as is None else record.escalates_as
    users = "users" in include
    return {
        "id": record.id,
        "type": "incident",
        "summary": f"[#{record.number}] {record.title}",
        "self": f"{directory.origin}/incidents/{record.id}",
        "html_url": f"{directory.origin}/incidents/{record.id}",
        "incident_number": record.number,
        "title": record.title,
        "status": record.status.value,
        "urgency": record.urgency.value,
        "incident_key": record.dedup_key,
        "created_at": instant(record.created_at),
        "updated_at": instant(record.updated_at),
        "last_status_change_at": instant(record.changed_at),
        "last_status_change_by": things.agent(record.changed_by, directory, full=users or "agents" in include),
        "resolved_at": instant(record.resolved_at),
        "service": escalations.service(directory, roster, record.service_id, full="services" in include),
        "escalation_policy": escalations.policy(directory, roster, lists, full="escalation_policies" in include),
        "priority": things.priority(record.severity),
        "teams": [],
        "assigned_via": "direct_assignment" if record.escalates_as is None else "escalation_policy",
        "assignments": _assignments(record, directory, full=users or "assignees" in include),
        "acknowledgements": _acknowledgements(record, directory, full=users or "acknowledgers" in include),
        "pending_actions": pending_actions(record, roster),
        "alert_counts": {"all": 1, "triggered": int(record.open), "resolved": int(not record.open)},
        "first_trigger_log_entry": first_trigger(record, directory),
        "is_mergeable": False,
        "incidents_responders": responders(record, directory),
        "responder_requests": _requests(record, directory),
        "incident_type": {"name": "incident_default"},
        "watchbell": _ours(record, directory),
    }


def reference(directory: Directory, incident_id: str, number: int, title: str) -> Json:
    """Return a reference to an incident."""
    ref = things.reference(directory, "incident", incident_id, f"[#{number}] {title}", "incidents")
    return ref | {"html_url": ref["self"]}


def responders(record: Record, directory: Directory) -> list[Json]:
    """Return who was asked to help, and who of them came."""
    return [_responder(record, directory, asked) for asked in record.responders]


def pending_actions(record: Record, roster: Roster) -> list[Json]:
    """Return what the engine will do by itself: when it escalates, or when the acknowledgement ends."""
    if record.status is Status.ACKNOWLEDGED:
        ends = acknowledged_until(record)
        return [] if ends is None else [{"type": "unacknowledge", "at": instant(ends)}]
    if record.status is Status.TRIGGERED and record.held_until is not None:
        return [{"type": "escalate", "at": instant(record.held_until)}]
    if record.status is Status.TRIGGERED and _goes_on(record):
        due = escalation.next_step_at(record.plan, record.progress, roster.hours)
        return [] if due is None else [{"type": "escalate", "at": instant(due)}]
    return []


def trigger_id(incident_id: str) -> str:
    """Return the id of the log entry that began an incident: told without looking it up, for every change sends it."""
    return f"R{incident_id[1:]}"


def first_trigger(record: Record, directory: Directory) -> Json:
    """Return a reference to the log entry that began an incident."""
    summary = f"Triggered: {record.title}"
    return things.reference(directory, "trigger_log_entry", trigger_id(record.id), summary, "log_entries")


def _goes_on(record: Record) -> bool:
    """Tell whether there is another step or round, not merely the end of the last one."""
    more_steps = record.progress.step < len(record.plan.steps)
    return more_steps or (record.progress.round < record.plan.repeats and not record.progress.exhausted)


def _assignments(record: Record, directory: Directory, *, full: bool) -> list[Json]:
    return _held(record.assignments, "assignee", directory, full=full) if record.open else []


def _acknowledgements(record: Record, directory: Directory, *, full: bool) -> list[Json]:
    """Return who acknowledged: the integration of a service first, where it did before anybody."""
    service = record.acknowledged_by_service
    machine = (
        [{"at": instant(record.changed_at), "acknowledger": things.service(directory, service)}] if service else []
    )
    return [*machine, *_held(record.acknowledgements, "acknowledger", directory, full=full)]


def _held(held: tuple[Held, ...], name: str, directory: Directory, *, full: bool) -> list[Json]:
    return [{"at": instant(h.at), name: things.user(directory, h.person, full=full)} for h in held]


def _responder(record: Record, directory: Directory, asked: Responder) -> Json:
    return {
        "state": asked.state.value,
        "user": things.user(directory, asked.person, full=False),
        "incident": reference(directory, record.id, record.number, record.title),
        "updated_at": instant(asked.answered_at or asked.at),
        "message": asked.message,
        "requester": things.user(directory, asked.requester, full=False),
        "requested_at": instant(asked.at),
    }


def _requests(record: Record, directory: Directory) -> list[Json]:
    """Return the requests for help: those who were asked together, by one person with one message."""
    together = groupby(record.responders, key=lambda asked: (asked.at, asked.requester, asked.message))
    return [
        {
            "incident": reference(directory, record.id, record.number, record.title),
            "requester": things.user(directory, requester, full=False),
            "requested_at": instant(at),
            "message": message,
            "responder_request_targets": [
                {
                    "type": "user",
                    "id": each.person,
                    "summary": directory.person(each.person).name,
                    "incident_responders": [_responder(record, directory, each)],
                }
                for each in asked
            ],
        }
        for (at, requester, message), asked in together
    ]


def _ours(record: Record, directory: Directory) -> Json:
    """Return what PagerDuty has no place for; ``link`` is where the event said that more can be seen."""
    note = record.latest_note
    return {
        "version": record.version,
        "pages": record.pages,
        "severity": record.severity.key,
        "note": record.severity_note,
        "exhausted": record.open and record.progress.exhausted,
        "runbook": directory.service(record.service_id).runbook or None,
        "link": record.link or None,
        "flaps": record.flaps,
        "snoozed_until": instant(record.snoozed_until),
        "maintenance_until": instant(record.held_until) if record.open else None,
        "latest_note": None
        if note is None
        else {
            "id": note.id,
            "user": things.user(directory, note.person, full=False),
            "content": note.text,
            "created_at": instant(note.at),
        },
    }
