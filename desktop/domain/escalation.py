"""Who is paged next, and when: the escalation of one incident. Pure; every time is aware.

An incident carries its ``Policy`` from birth and its ``Progress``; ``advance`` moves the one along the other and says
what has to be done. Source of the rules: design, section 3, "Escalation".
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from desktop.domain.business import BusinessHours
from desktop.domain.severity import Severity, Targets

MAX_REPEATS = 9
# The emergency step, found overdue after an outage, waits this long: those who were just paged come first.
EMERGENCY_GRACE = timedelta(minutes=5)
# Later than this, a step was not merely fired late but slept through.
_OUTAGE = timedelta(minutes=1)
_EMERGENCY = "emergency"

WhoIsOnCall = Callable[[str], tuple[str, ...]]
"""Returns the ids of those who hold a role now, in order."""


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
    starts that long after the last step. ``acknowledge_timeout`` of None lets an acknowledgement hold for ever.
    """

    steps: tuple[Step, ...]
    page_again: timedelta
    repeats: int = 0
    acknowledge_timeout: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an incident has come along its policy.

    ``step`` is the index of the next step, ``base`` the instant from which the steps' times count in this round,
    ``paged`` who was paged in this round and ``ever`` who was paged at all, in order.
    """

    base: datetime
    step: int = 0
    round: int = 0
    paged: tuple[str, ...] = ()
    ever: tuple[str, ...] = ()
    again_at: datetime | None = None
    emergency_at: datetime | None = None
    exhausted: bool = False


class Reason(StrEnum):
    """Why somebody is paged."""

    STEP = "step"
    AGAIN = "again"
    ROUND = "round"
    TIMEOUT = "acknowledgement ended"
    TAKEOVER = "took over"


@dataclass(frozen=True, slots=True)
class Page:
    """Page ``people`` now; ``step`` counts from 1, ``added`` are those of them who were not paged before."""

    people: tuple[str, ...]
    step: int
    reason: Reason
    added: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exhausted:
    """The last step of the last round has passed and nobody acknowledged."""

    people: tuple[str, ...]


Event = Page | Exhausted


def default_steps(severity: Severity, target: timedelta) -> tuple[Step, ...]:
    """Return the steps of design section 3: primary at once, secondary 1×, manager 2×, emergency 4× the target."""
    mild = not severity.repeats
    steps = (
        Step(timedelta(0), ("primary",)),
        Step(target, ("secondary",)),
        Step(2 * target, ("manager",), business=mild),
    )
    return steps if mild else (*steps, Step(4 * target, (_EMERGENCY,)))


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
    )


def begin(at: datetime) -> Progress:
    """Return the progress of an incident triggered ``at``, before anybody was paged."""
    return Progress(base=at)


def begin_again(policy: Policy, progress: Progress, at: datetime) -> Progress:
    """Return the progress from the top of ``policy`` of an incident that pages those of ``progress`` already.

    They are paged again in their turn even when the list adds nobody, or has no steps at all.
    """
    return Progress(base=at, ever=progress.ever, again_at=at + policy.page_again if progress.ever else None)


def next_step_at(policy: Policy, progress: Progress, hours: BusinessHours) -> datetime | None:
    """Return when the next step, or the next round, is due; None when there is none."""
    if progress.step < len(policy.steps):
        step = policy.steps[progress.step]
        due = progress.emergency_at if _in_grace(policy, progress) else progress.base + step.after
        return hours.next_open(due) if due is not None and step.business else due
    if not progress.exhausted:
        return progress.base + _last_after(policy) + policy.page_again
    return None


def next_action_at(policy: Policy, progress: Progress, hours: BusinessHours) -> datetime | None:
    """Return when ``advance`` has something to do next; None when never again."""
    times = [t for t in (next_step_at(policy, progress, hours), progress.again_at) if t is not None]
    return min(times, default=None)


def advance(
    policy: Policy, progress: Progress, now: datetime, who: WhoIsOnCall, hours: BusinessHours
) -> tuple[Progress, tuple[Event, ...]]:
    """Do all that is due at ``now``: return the new progress and what happened, in order.

    Calling it again with the result and the same ``now`` does nothing.
    """
    events: list[Event] = []
    while (due := next_step_at(policy, progress, hours)) is not None and due <= now:
        if progress.step >= len(policy.steps):
            progress, event = _end_of_round(policy, progress, due, now)
            events.extend(event)
        elif _slept_through_emergency(policy, progress, due, now):
            progress = replace(progress, emergency_at=now + EMERGENCY_GRACE)
        elif now - due > _OUTAGE and _closed(policy, progress, now, hours):
            # Overdue, and found outside of business hours: it waits for them like any other.
            progress = _put_off(policy, progress, hours.next_open(now))
        else:
            progress, fired = _fire(policy, progress, due, now, who, hours)
            events.extend(fired)
    progress, again = _page_again(policy, progress, now, events)
    return progress, (*events, *again)


def resume(
    policy: Policy, progress: Progress, now: datetime, who: WhoIsOnCall, hours: BusinessHours
) -> tuple[Progress, tuple[Event, ...]]:
    """Take up the escalation when an acknowledgement ended: page all assigned, the next step after its original gap.

    A list that was begun anew meanwhile (the severity was raised) fires its first step now; nobody is paged twice.
    """
    done = policy.steps[progress.step - 1].after if progress.step else timedelta(0)
    assigned = progress.ever
    progress = replace(progress, base=now - done, again_at=now + policy.page_again, emergency_at=None)
    progress, events = advance(policy, progress, now, who, hours)
    just_paged = {p for e in events if isinstance(e, Page) for p in e.people}
    rest = tuple(p for p in assigned if p not in just_paged)
    return progress, ((Page(rest, progress.step, Reason.TIMEOUT),) if rest else ()) + events


def escalate(
    policy: Policy, progress: Progress, now: datetime, upto: int, who: WhoIsOnCall
) -> tuple[Progress, tuple[Event, ...]]:
    """Fire the steps up to the ``upto``-th (from 1) now, because a person asked for it: no step waits for its time.

    When they add nobody new, the ones after them fire too, until one does. The next one follows after its original gap.
    """
    events: list[Event] = []
    upto = min(upto, len(policy.steps))
    while progress.step < upto or (not events and progress.step < len(policy.steps)):
        progress, page = _page_step(policy, progress, now, who)
        events.extend(page)
    if policy.steps:
        reached = policy.steps[max(progress.step, 1) - 1].after
        progress = replace(progress, base=now - reached, again_at=now + policy.page_again)
    return progress, tuple(events)


def take_over(
    policy: Policy, progress: Progress, now: datetime, who: WhoIsOnCall
) -> tuple[Progress, tuple[Event, ...]]:
    """Page whoever took over a role that was already paged (the shift changed while nobody had acknowledged)."""
    reached = policy.steps if progress.round else policy.steps[: progress.step]
    people = dict.fromkeys(person for step in reached for role in step.roles for person in who(role))
    new = tuple(p for p in people if p not in progress.ever)
    if not new:
        return progress, ()
    progress = replace(
        progress,
        paged=progress.paged + new,
        ever=progress.ever + new,
        again_at=progress.again_at or now + policy.page_again,
    )
    return progress, (Page(new, progress.step, Reason.TAKEOVER, new),)


def _fire(
    policy: Policy, progress: Progress, due: datetime, now: datetime, who: WhoIsOnCall, hours: BusinessHours
) -> tuple[Progress, tuple[Event, ...]]:
    """Fire the next step, and the ones after it for as long as they add nobody new."""
    step = policy.steps[progress.step]
    delay = due - (progress.base + step.after)
    if (step.business or progress.emergency_at is not None) and delay > timedelta(0):
        # It waited for business hours, or for its grace after an outage: the later ones wait equally.
        progress = replace(progress, base=progress.base + delay)
    progress, page = _page_step(policy, progress, now, who)
    while not page and progress.step < len(policy.steps):
        overdue = progress.base + policy.steps[progress.step].after
        if _slept_through_emergency(policy, progress, overdue, now) or _closed(policy, progress, now, hours):
            break
        progress, page = _page_step(policy, progress, now, who)
    return progress, page


def _page_step(
    policy: Policy, progress: Progress, now: datetime, who: WhoIsOnCall
) -> tuple[Progress, tuple[Event, ...]]:
    """Take the next step: page whoever it adds, if anybody."""
    new = _unpaged(policy.steps[progress.step], progress.paged, who)
    progress = replace(progress, step=progress.step + 1, emergency_at=None)
    if not new:
        return progress, ()
    added = tuple(p for p in new if p not in progress.ever)
    progress = replace(
        progress,
        paged=progress.paged + new,
        ever=progress.ever + added,
        again_at=progress.again_at or now + policy.page_again,
    )
    return progress, (Page(new, progress.step, Reason.ROUND if progress.round else Reason.STEP, added),)


def _closed(policy: Policy, progress: Progress, now: datetime, hours: BusinessHours) -> bool:
    """Tell whether the next step waits for business hours and it is outside of them."""
    return policy.steps[progress.step].business and hours.next_open(now) > now


def _unpaged(step: Step, paged: tuple[str, ...], who: WhoIsOnCall) -> tuple[str, ...]:
    people = dict.fromkeys(person for role in step.roles for person in who(role))
    return tuple(p for p in people if p not in paged)


def _put_off(policy: Policy, progress: Progress, until: datetime) -> Progress:
    """Let the next step be due at ``until``, and the later ones wait equally."""
    if _in_grace(policy, progress):
        return replace(progress, emergency_at=until)
    return replace(progress, base=until - policy.steps[progress.step].after)


def _in_grace(policy: Policy, progress: Progress) -> bool:
    """Tell whether the next step is the emergency step, put off after an outage."""
    return progress.emergency_at is not None and _EMERGENCY in policy.steps[progress.step].roles


def _end_of_round(
    policy: Policy, progress: Progress, due: datetime, now: datetime
) -> tuple[Progress, tuple[Event, ...]]:
    """Start the next round, or find the escalation exhausted.

    A round that was slept through starts now: an outage must not burn all rounds in one instant.
    """
    if progress.round < policy.repeats:
        base = now if now - due > _OUTAGE else due
        return replace(progress, base=base, step=0, round=progress.round + 1, paged=()), ()
    return replace(progress, exhausted=True), (Exhausted(progress.ever),)


def _page_again(
    policy: Policy, progress: Progress, now: datetime, events: list[Event]
) -> tuple[Progress, tuple[Event, ...]]:
    """Page those paged before once more, however many times it was missed; nobody twice at one instant."""
    if progress.again_at is None or progress.again_at > now:
        return progress, ()
    missed = (now - progress.again_at) // policy.page_again + 1
    progress = replace(progress, again_at=progress.again_at + missed * policy.page_again)
    just_paged = {p for e in events if isinstance(e, Page) for p in e.people}
    again = tuple(p for p in progress.ever if p not in just_paged)
    return progress, ((Page(again, progress.step, Reason.AGAIN),) if again else ())


def _slept_through_emergency(policy: Policy, progress: Progress, due: datetime, now: datetime) -> bool:
    return (
        _EMERGENCY in policy.steps[progress.step].roles
        and progress.round == 0
        and progress.emergency_at is None
        and now - due > _OUTAGE
    )


def _last_after(policy: Policy) -> timedelta:
    return policy.steps[-1].after if policy.steps else timedelta(0)
