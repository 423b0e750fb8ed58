"""Who is paged next, and when: the escalation of one incident. Pure; every time is aware.

An incident carries its ``Policy`` from birth and its ``Progress``; ``advance`` moves the one along the other and says
what has to be done. Source of the rules: design, section 3, "Escalation".
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from desktop.domain.business import BusinessHours
from desktop.domain.escalation_list import EMERGENCY, MAX_REPEATS, Policy, Step, default_policy

__all__ = [
    "EMERGENCY_GRACE",
    "MAX_REPEATS",
    "Event",
    "Exhausted",
    "Page",
    "Policy",
    "Progress",
    "Reason",
    "Step",
    "WhoIsOnCall",
    "advance",
    "begin",
    "begin_again",
    "default_policy",
    "escalate",
    "next_action_at",
    "next_step_at",
    "reached",
    "resume",
    "take_over",
]

# The emergency contacts, found overdue after an outage, wait this long: those who were just paged come first.
EMERGENCY_GRACE = timedelta(minutes=5)
# A server that is always late must reach them all the same: after so many graces they are paged.
_MOST_GRACES = 2
# Later than this (or half the time after which those paged are paged again), a step was slept through.
_OUTAGE = timedelta(minutes=1)

WhoIsOnCall = Callable[[str], tuple[str, ...]]
"""Returns the ids of those who hold a role now, in order."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an incident has come along its policy.

    ``step`` is the index of the next step, ``base`` the instant from which the steps' times count in this round,
    ``paged`` who was paged in this round and ``ever`` who was paged at all, in order. ``next_at`` is when the next step
    is due where that is not at its own time, ``emergency_at`` when only the emergency contacts of it are still to be
    paged, and ``graces`` how often they were put off; ``fired_at`` is when a step fired last.
    """

    base: datetime
    step: int = 0
    round: int = 0
    paged: tuple[str, ...] = ()
    ever: tuple[str, ...] = ()
    again_at: datetime | None = None
    emergency_at: datetime | None = None
    exhausted: bool = False
    next_at: datetime | None = None
    fired_at: datetime | None = None
    graces: int = 0


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
        due = progress.emergency_at or progress.next_at or progress.base + step.after
        return hours.next_open(due) if step.business else due
    if not progress.exhausted:
        last = progress.base + (policy.steps[-1].after if policy.steps else timedelta(0))
        return max(last, progress.fired_at or last) + policy.page_again
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
        progress, happened = _do_next(policy, progress, due, now, who, hours)
        events.extend(happened)
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
    again_at = now + policy.page_again
    progress = replace(progress, base=now - done, again_at=again_at, emergency_at=None, next_at=None, graces=0)
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
        reached = policy.steps[progress.step - 1].after
        progress = replace(progress, base=now - reached, again_at=now + policy.page_again)
    return progress, tuple(events)


def take_over(
    policy: Policy, progress: Progress, now: datetime, who: WhoIsOnCall
) -> tuple[Progress, tuple[Event, ...]]:
    """Page whoever took over a role that was already paged (the shift changed while nobody had acknowledged)."""
    holders = _holders(reached(policy, progress), who)
    new = tuple(person for person in holders if person not in progress.ever)
    return _page(policy, progress, now, new, Reason.TAKEOVER)


def _do_next(
    policy: Policy, progress: Progress, due: datetime, now: datetime, who: WhoIsOnCall, hours: BusinessHours
) -> tuple[Progress, tuple[Event, ...]]:
    """Do the one thing that has been due since ``due``: a step, or the end of a round."""
    if progress.step >= len(policy.steps):
        return _end_of_round(policy, progress, due, now)
    step = policy.steps[progress.step]
    if not _slept_through(policy, due, now):
        return _fire(policy, progress, due, now, who)
    grace = EMERGENCY_GRACE if EMERGENCY in step.roles else timedelta(0)
    if step.business and hours.next_open(now) > now:
        # Overdue, and found outside of business hours: it waits for them like any other.
        return replace(progress, next_at=now + grace, emergency_at=None), ()
    if grace and progress.graces < _MOST_GRACES:
        put_off = replace(progress, emergency_at=now + grace, graces=progress.graces + 1)
        return _page_all_but_emergency(policy, put_off, now, who)
    return _fire(policy, progress, due, now, who)


def _fire(
    policy: Policy, progress: Progress, due: datetime, now: datetime, who: WhoIsOnCall
) -> tuple[Progress, tuple[Event, ...]]:
    """Fire the next step; when it adds nobody new, the one after it is due at the same time."""
    # It waited for business hours, or for its grace after an outage: the later ones wait equally.
    waited = max(due - (progress.base + policy.steps[progress.step].after), timedelta(0))
    fired_at = now if _slept_through(policy, due, now) else due
    progress, page = _page_step(policy, progress, now, who)
    next_at = None if page else due
    return replace(progress, base=progress.base + waited, fired_at=fired_at, next_at=next_at), page


def _page_step(
    policy: Policy, progress: Progress, now: datetime, who: WhoIsOnCall
) -> tuple[Progress, tuple[Event, ...]]:
    """Take the next step: page whoever it adds, if anybody."""
    new = _unpaged(policy.steps[progress.step].roles, progress, who)
    progress = replace(progress, step=progress.step + 1, next_at=None, emergency_at=None, graces=0)
    return _page(policy, progress, now, new, Reason.ROUND if progress.round else Reason.STEP)


def _page_all_but_emergency(
    policy: Policy, progress: Progress, now: datetime, who: WhoIsOnCall
) -> tuple[Progress, tuple[Event, ...]]:
    """Page whom the next step adds but for the emergency contacts, who have their grace: the step is not yet taken."""
    new = _unpaged(_but_emergency(policy.steps[progress.step]), progress, who)
    reason = Reason.ROUND if progress.round else Reason.STEP
    reached, page = _page(policy, replace(progress, step=progress.step + 1), now, new, reason)
    return replace(reached, step=progress.step), page


def _page(
    policy: Policy, progress: Progress, now: datetime, people: tuple[str, ...], reason: Reason
) -> tuple[Progress, tuple[Event, ...]]:
    """Page ``people``, if there are any, whom nobody paged in this round."""
    if not people:
        return progress, ()
    added = tuple(person for person in people if person not in progress.ever)
    page = Page(people, progress.step, reason, added)
    again_at = progress.again_at or now + policy.page_again
    return replace(progress, paged=progress.paged + people, ever=progress.ever + added, again_at=again_at), (page,)


def reached(policy: Policy, progress: Progress) -> Iterable[str]:
    """Return the roles that were paged already."""
    steps = policy.steps if progress.round else policy.steps[: progress.step]
    begun = () if progress.emergency_at is None else _but_emergency(policy.steps[progress.step])
    return (*(role for step in steps for role in step.roles), *begun)


def _but_emergency(step: Step) -> tuple[str, ...]:
    return tuple(role for role in step.roles if role != EMERGENCY)


def _unpaged(roles: Iterable[str], progress: Progress, who: WhoIsOnCall) -> tuple[str, ...]:
    return tuple(person for person in _holders(roles, who) if person not in progress.paged)


def _holders(roles: Iterable[str], who: WhoIsOnCall) -> Iterable[str]:
    """Return those who hold ``roles``, each once."""
    return dict.fromkeys(person for role in roles for person in who(role))


def _end_of_round(
    policy: Policy, progress: Progress, due: datetime, now: datetime
) -> tuple[Progress, tuple[Event, ...]]:
    """Start the next round, or find the escalation exhausted.

    A round that was slept through starts now: an outage must not burn all rounds in one instant.
    """
    if progress.round >= policy.repeats:
        return replace(progress, exhausted=True), (Exhausted(progress.ever),)
    base = now if _slept_through(policy, due, now) else due
    return replace(progress, base=base, step=0, round=progress.round + 1, paged=(), next_at=None), ()


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


def _slept_through(policy: Policy, due: datetime, now: datetime) -> bool:
    """Tell whether what was due at ``due`` is not merely a moment late, but comes after an outage."""
    return now - due > min(_OUTAGE, policy.page_again / 2)
