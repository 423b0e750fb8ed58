"""By what list an incident escalates, and the lists of those who say nothing else. Pure.

Source of the rules: design, section 3, "Escalation".
"""

from dataclasses import dataclass
from datetime import timedelta

from desktop.domain.severity import Severity, Targets

MAX_REPEATS = 9
# An acknowledgement by a machine says that nobody has it yet: it holds no longer than this, whatever the severity.
MACHINE_HOLDS = timedelta(minutes=30)
EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class Step:
    """Page those who hold ``roles`` ``after`` this long from the trigger; ``business`` waits for business hours."""

    after: timedelta
    roles: tuple[str, ...]
    business: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """How one incident escalates, frozen when it is born.

    ``page_again`` is the acknowledge target: those paged are paged again each time it has passed, and a further round
    starts that long after the last step. ``acknowledge_timeout`` of None lets an acknowledgement hold for ever;
    ``resolve`` is the target to resolve, from the trigger, None where there is none.
    """

    steps: tuple[Step, ...]
    page_again: timedelta
    repeats: int = 0
    acknowledge_timeout: timedelta | None = None
    resolve: timedelta | None = None

    def holds(self, *, by_person: bool) -> timedelta | None:
        """Return how long an acknowledgement holds, None when for ever; one by a machine alone never does."""
        own = self.acknowledge_timeout
        return own if by_person else min(own or MACHINE_HOLDS, MACHINE_HOLDS)


def default_steps(severity: Severity, target: timedelta) -> tuple[Step, ...]:
    """Return the steps of design section 3: primary at once, secondary 1×, manager 2×, emergency 4× the target."""
    mild = not severity.repeats
    steps = (
        Step(timedelta(0), ("primary",)),
        Step(target, ("secondary",)),
        Step(2 * target, ("manager",), business=mild),
    )
    return steps if mild else (*steps, Step(4 * target, (EMERGENCY,)))


def default_acknowledge_timeout(severity: Severity) -> timedelta | None:
    """Return how long an acknowledgement holds: 30 min on SEV-0, 60 on SEV-1, else for ever."""
    return {Severity.SEV0: timedelta(minutes=30), Severity.SEV1: timedelta(minutes=60)}.get(severity)


def default_policy(severity: Severity, targets: Targets) -> Policy:
    """Return the policy that holds where a team file says nothing."""
    return Policy(
        steps=default_steps(severity, targets.acknowledge),
        page_again=targets.acknowledge,
        repeats=MAX_REPEATS if severity.repeats else 0,
        acknowledge_timeout=default_acknowledge_timeout(severity),
        resolve=targets.resolve,
    )
