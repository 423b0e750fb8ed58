"""Escalation policies and progress as JSON and back. Pure.

Durations and instants are whole microseconds, so that what is read equals what was written.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from desktop.domain.escalation import Policy, Progress, Step
from desktop.domain.severity import Severity
from desktop.server.schema import from_micros, to_micros

Json = dict[str, Any]
Frozen = Mapping[Severity, Policy]
"""The escalation lists of all severities, as they were when an incident was born."""

_MICROSECOND = timedelta(microseconds=1)
# The times of a ``Progress`` that may be None.
_TIMES = ("again_at", "emergency_at", "next_at", "fired_at")


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
        "graces": progress.graces,
        "paged": list(progress.paged),
        "ever": list(progress.ever),
        "exhausted": progress.exhausted,
        **{name: _instant_to_json(getattr(progress, name)) for name in _TIMES},
    }


def progress_from_json(document: Json) -> Progress:
    """Return the progress that ``progress_to_json`` wrote."""
    # An older Watchbell did not write all of these times.
    times = {name: document.get(name) for name in _TIMES}
    return Progress(
        base=from_micros(document["base"]),
        step=document["step"],
        round=document["round"],
        graces=document.get("graces", 0),
        paged=tuple(document["paged"]),
        ever=tuple(document["ever"]),
        exhausted=document["exhausted"],
        **{name: None if at is None else from_micros(at) for name, at in times.items()},
    )


def _instant_to_json(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)


def _policy_to_json(policy: Policy) -> Json:
    return {
        "steps": [
            {"after": step.after // _MICROSECOND, "roles": list(step.roles), "business": step.business}
            for step in policy.steps
        ],
        "page_again": policy.page_again // _MICROSECOND,
        "repeats": policy.repeats,
        "acknowledge_timeout": _micros(policy.acknowledge_timeout),
        "resolve": _micros(policy.resolve),
    }


def _policy_from_json(document: Json) -> Policy:
    return Policy(
        steps=tuple(
            Step(step["after"] * _MICROSECOND, tuple(step["roles"]), step["business"]) for step in document["steps"]
        ),
        page_again=document["page_again"] * _MICROSECOND,
        repeats=document["repeats"],
        acknowledge_timeout=_duration(document["acknowledge_timeout"]),
        # An older Watchbell did not freeze the target to resolve: such an incident has none.
        resolve=_duration(document.get("resolve")),
    )


def _micros(duration: timedelta | None) -> int | None:
    return None if duration is None else duration // _MICROSECOND


def _duration(micros: int | None) -> timedelta | None:
    return None if micros is None else micros * _MICROSECOND
