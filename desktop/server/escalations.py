"""Escalation policies and services in PagerDuty's shapes. Pure.

Each severity is a policy, whose rules are ``domain.policies.levels``; a service has the one of its own severity.
"""

from collections.abc import Iterator
from typing import Any

from desktop.domain.policies import Level, levels
from desktop.domain.severity import Severity
from desktop.domain.team import Role
from desktop.server import things
from desktop.server.directory import Directory
from desktop.server.roster import Roster

Json = dict[str, Any]

_TARGETS = 10  # PagerDuty's most for a rule


def policy(directory: Directory, roster: Roster, severity: Severity, *, full: bool = True) -> Json:
    """Return the escalation policy of a severity; only a reference unless ``full``.

    ``watchbell.steps`` has what PagerDuty's rules cannot say: exact times (in seconds) and business hours.
    """
    ref = things.policy(directory, severity)
    if not full:
        return ref
    rules = roster.policies[severity]
    return ref | {
        "type": "escalation_policy",
        "name": severity.label,
        "description": f"Whom an incident of {severity.label} ({severity.word}) pages. It stands in the team file.",
        "num_loops": rules.repeats,
        "on_call_handoff_notifications": "if_has_services",
        "escalation_rules": [
            _rule(directory, roster, severity, number, level) for number, level in enumerate(levels(rules), 1)
        ],
        "services": [things.service(directory, name) for name in _services(directory, roster, severity)],
        "teams": [],
        "watchbell": {
            "steps": [
                {"after": step.after.total_seconds(), "roles": list(step.roles), "business_hours": step.business}
                for step in rules.steps
            ]
        },
    }


def service(directory: Directory, roster: Roster, service_id: str, *, full: bool = True) -> Json:
    """Return a service; only a reference unless ``full``. What its open incidents make of it is not known here."""
    ref = things.service(directory, service_id)
    if not full:
        return ref
    thing = directory.service(service_id)
    severity = severity_of(roster, service_id)
    timeout = roster.policies[severity].acknowledge_timeout
    shown = ref | {
        "type": "service",
        "name": thing.name,
        "description": "",
        "status": "active" if thing.active else "disabled",
        "escalation_policy": things.policy(directory, severity),
        "incident_urgency_rule": {"type": "constant", "urgency": "severity_based"},
        "alert_creation": "create_alerts_and_incidents",
        "integrations": [],
        "scheduled_actions": [],
        "addons": [],
        "teams": [],
        "runbook": thing.runbook or None,
    }
    # Where there is no timeout, PagerDuty's document has no word for it: nothing is said.
    return shown if timeout is None else shown | {"acknowledgement_timeout": int(timeout.total_seconds())}


def severity_of(roster: Roster, service_id: str) -> Severity:
    """Return the severity of a service's incidents where the event says nothing."""
    return roster.severity(service_id, None).severity


def people(roster: Roster, level: Level) -> tuple[str, ...]:
    """Return the emergency contacts that ``level`` targets: they hold no schedule."""
    return tuple(roster.contacts) if Role.EMERGENCY.value in level.roles else ()


def _rule(directory: Directory, roster: Roster, severity: Severity, number: int, level: Level) -> Json:
    targets = [
        *(things.schedule(directory, role) for role in _schedules(roster, level)),
        *(things.user(directory, contact, full=False) for contact in people(roster, level)),
    ]
    return {
        "id": f"{severity.key}-{number}",
        "escalation_delay_in_minutes": level.delay_minutes,
        "targets": targets[:_TARGETS],
        "escalation_rule_assignment_strategy": "assign_to_everyone",
    }


def _schedules(roster: Roster, level: Level) -> Iterator[Role]:
    """Yield the roles of ``level`` that are schedules: all but that of emergency contacts who hold none."""
    for name in level.roles:
        role = Role(name)
        if role is not Role.EMERGENCY or role in roster.team.rotations or not roster.contacts:
            yield role


def _services(directory: Directory, roster: Roster, severity: Severity) -> Iterator[str]:
    for thing in directory.services.values():
        if thing.active and severity_of(roster, thing.id) is severity:
            yield thing.id
