"""Escalation policies and progress as JSON and back. Pure.

Durations and instants are whole microseconds, so that what is read equals what was written.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from desktop.domain.escalation import Policy, Progress, Step
from desktop.domain.severity import Severity
from desktop.server.schema import from_micros, to_micros

Json = dict[str, Any]
Frozen = Mapping[Severity, Policy]
"""The escalation lists of all severities, as they were when an incident was born."""

_MICROSECOND = timedelta(microseconds=1)


def policies_to_json(policies: Frozen) -> Json:
    """Return the JSON of the lists of all severities."""
    return {severity.key: _policy_to_json(policy) for severity, policy in sorted(policies.items())}


def policies_from_json(document: Json) -> Frozen:
    """Return the lists that ``policies_to_json`` wrote."""
    return {severity: _policy_from_json(document[severity.key]) for severity in Severity}


def digest(document: Json) -> str:
    """Return a name for ``document`` that equal ones share."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def progress_to_json(progress: Progress) -> Json:
    """Return the JSON of how far an incident has come."""
    return {
        "base": to_micros(progress.base),
        "step": progress.step,
        "round": progress.round,
        "paged": list(progress.paged),
        "ever": list(progress.ever),
        "again_at": None if progress.again_at is None else to_micros(progress.again_at),
        "emergency_at": None if progress.emergency_at is None else to_micros(progress.emergency_at),
        "exhausted": progress.exhausted,
    }


def progress_from_json(document: Json) -> Progress:
    """Return the progress that ``progress_to_json`` wrote."""
    again, emergency = document["again_at"], document["emergency_at"]
    return Progress(
        base=from_micros(document["base"]),
        step=document["step"],
        round=document["round"],
        paged=tuple(document["paged"]),
        ever=tuple(document["ever"]),
        again_at=None if again is None else from_micros(again),
        emergency_at=None if emergency is None else from_micros(emergency),
        exhausted=document["exhausted"],
    )


def _policy_to_json(policy: Policy) -> Json:
    timeout = policy.acknowledge_timeout
    return {
        "steps": [
            {"after": step.after // _MICROSECOND, "roles": list(step.roles), "business": step.business}
            for step in policy.steps
        ],
        "page_again": policy.page_again // _MICROSECOND,
        "repeats": policy.repeats,
        "acknowledge_timeout": None if timeout is None else timeout // _MICROSECOND,
    }


def _policy_from_json(document: Json) -> Policy:
    timeout = document["acknowledge_timeout"]
    return Policy(
        steps=tuple(
            Step(step["after"] * _MICROSECOND, tuple(step["roles"]), step["business"]) for step in document["steps"]
        ),
        page_again=document["page_again"] * _MICROSECOND,
        repeats=document["repeats"],
        acknowledge_timeout=None if timeout is None else timeout * _MICROSECOND,
    )
