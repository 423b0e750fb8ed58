"""The team of the fault suite: who is to be paged when, once as its file says it and once as the proof wants it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """How an incident escalates: after how many seconds whom. The rest holds for all."""

    steps: Sequence[tuple[float, str]]
    again: float = 30.0
    repeats: int = 1
    timeout: float = 4.0


PLANS = {
    "sev0": Plan(((0, "ana"), (2, "ben"), (4, "cho"))),
    "sev1": Plan(((0, "ana"), (3, "ben"))),
    "sev2": Plan(((0, "ben"), (1, "cho"))),
}
WORDS = {"critical": "sev0", "error": "sev1", "warning": "sev2"}
"""The Events API's words, and what they become."""

RESPONDERS = ("ana", "ben", "cho", "dan")
"""Who acknowledges: Dan is on no list. Eve does nothing and is on none: she must hear nothing."""

KEY = "fault-suite-0123456789abcdef0123"
KEY_VARIABLE = "WB_FAULT_KEY"
SERVICE = "payments"

_ROLES = {"ana": "primary", "ben": "secondary", "cho": "manager"}
_PEOPLE = "".join(f'[[people]]\nid = "{p}"\nname = "{p.title()}"\n' for p in (*RESPONDERS, "eve"))
_ROTATION = "".join(
    f'[rotation.{role}]\nmembers = ["{person}"]\nstart = 2020-01-06T09:00:00\nevery = "1 week"\n'
    for person, role in _ROLES.items()
)
_STEPS = "".join(
    f'[[escalation.{severity}.steps]]\nafter = "{after:.0f}s"\nroles = ["{_ROLES[person]}"]\n'
    for severity, plan in PLANS.items()
    for after, person in plan.steps
)
_TARGETS = "".join(f'[severity.{severity}]\nacknowledge = "30s"\n' for severity in PLANS)

TEAM = f"""
time_zone = "Europe/Berlin"
{_PEOPLE}{_ROTATION}{_TARGETS}
[escalation]
repeat = 1
acknowledge_timeout = "4s"
acting_primary = false
{_STEPS}
[[emergency_contacts]]
name = "Duty director"
[[services]]
id = "{SERVICE}"
integration_key = "env:{KEY_VARIABLE}"
"""
