"""The team of the fault suite: who is to be paged when, once as its file says it and once as the proof wants it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from desktop.domain.team import Contact
from desktop.server.emergency import contact_id

EMERGENCY = "emergency"
BUSINESS = "business"


@dataclass(frozen=True, slots=True)
class Step:
    """Whoever has ``role`` is paged ``after`` so many seconds; ``business``: not before the next business hours."""

    after: float
    role: str
    business: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """How an incident escalates. The gaps between its steps never shrink, which the proof relies on."""

    steps: Sequence[Step]
    again: float = 30.0
    repeats: int = 1
    timeout: float = 4.0


ALONE = Plan((), repeats=0)
"""How one escalates that a person gave to somebody: it pages them again, and no more."""

PLANS = {
    "sev0": Plan((Step(0, "primary"), Step(2, "secondary"), Step(4, "manager"), Step(6, EMERGENCY))),
    "sev1": Plan((Step(0, "primary"), Step(1, "secondary"), Step(3, "manager"), Step(6, EMERGENCY))),
    "sev2": Plan((Step(0, "secondary"), Step(1, "manager"), Step(2, "primary", business=True))),
    "sev3": Plan((Step(0, "secondary"), Step(2, "manager", business=True))),
}
WORDS = {"critical": "sev0", "error": "sev1", "warning": "sev2", "info": "sev3"}
"""The Events API's words, and what they become."""

ROLES = ("primary", "secondary", "manager")
"""Somebody has each of these at every instant."""

RINGS: Mapping[str, Sequence[str]] = {
    "primary": ("ana", "ben", "fay"),
    "secondary": ("ben", "fay", "ana"),
    "manager": ("cho", "gus"),
}
RESPONDERS = ("ana", "ben", "fay", "cho", "gus", "dan")
"""Who acknowledges: Dan is in no rotation. Eve does nothing and is in none: she must hear nothing."""

MANAGER = "dan"
DIRECTOR = "director"
DIRECTOR_VARIABLE = "WB_FAULT_DIRECTOR"
"""Where the address of the emergency contact stands: their id follows from what the file says, which is no port."""

CONTACT = contact_id(Contact("Duty director", notify=(f"env:{DIRECTOR_VARIABLE}",)))
"""What the server calls the emergency contact."""

ADDRESSES = {"ana": ("ana1", "ana2"), "ben": ("ben1",), "eve": ("eve1",), CONTACT: (DIRECTOR,)}
"""Where the messages of each go: paths of the sink."""

# Of the two services, the second is under maintenance now and then.
SERVICES = ("payments", "shop")
KEYS = {service: f"fault-suite-{service}-0123456789abcdef"[:32] for service in SERVICES}
KEY_VARIABLES = {service: f"WB_FAULT_KEY_{service.upper()}" for service in SERVICES}

_MANAGERS = {*RINGS["manager"], MANAGER}


def team(hook: str) -> str:
    """Return the team file in which everybody's other channels are webhooks at ``hook``."""
    return f"""
time_zone = "Europe/Berlin"
{_people(hook)}{_rotation()}{_targets()}
[escalation]
repeat = 1
acknowledge_timeout = "4s"
acting_primary = false
{_steps()}
[[emergency_contacts]]
name = "Duty director"
notify = ["{entry(hook, DIRECTOR)}"]
{_services()}
"""


def address(hook: str, name: str) -> str:
    """Return the address at ``hook`` that is called ``name``."""
    return f"{hook.replace('http', 'json', 1)}/{name}"


def entry(hook: str, name: str) -> str:
    """Return what the team file says of the address at ``hook`` that is called ``name``."""
    return f"env:{DIRECTOR_VARIABLE}" if name == DIRECTOR else address(hook, name)


def _notify(person: str, hook: str) -> str:
    return "[" + ", ".join(f'"{address(hook, name)}"' for name in ADDRESSES.get(person, ())) + "]"


def _people(hook: str) -> str:
    return "".join(
        f'[[people]]\nid = "{p}"\nname = "{p.title()}"\nnotify = {_notify(p, hook)}\n'
        f'access = "{"manager" if p in _MANAGERS else "engineer"}"\n'
        for p in (*RESPONDERS, "eve")
    )


def _rotation() -> str:
    return "".join(
        f"[rotation.{role}]\nmembers = [{', '.join(f'{chr(34)}{p}{chr(34)}' for p in ring)}]\n"
        f'start = 2020-01-06T09:00:00\nevery = "1 week"\n'
        for role, ring in RINGS.items()
    )


def _steps() -> str:
    return "".join(
        f'[[escalation.{severity}.steps]]\nafter = "{step.after:.0f}s"\nroles = ["{step.role}"]\n'
        + (f'hours = "{BUSINESS}"\n' if step.business else "")
        for severity, plan in PLANS.items()
        for step in plan.steps
    )


def _targets() -> str:
    return "".join(f'[severity.{severity}]\nacknowledge = "30s"\n' for severity in PLANS)


def _services() -> str:
    return "".join(
        f'[[services]]\nid = "{service}"\nintegration_key = "env:{KEY_VARIABLES[service]}"\n' for service in SERVICES
    )
