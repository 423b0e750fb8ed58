"""The emergency handover: where it stands, who is on call meanwhile, and what is to be done next. Pure.

Both sides' Watchbell and the server ask ``next_action`` of the same facts, do it, read the facts again, and ask again:
whoever stops half way, another goes on. Each action names what it makes, and is called for only while that is missing.
Source of the rules: design, section 3, "Handover".
"""

from dataclasses import dataclass
from datetime import datetime

from desktop.domain.handover_facts import (
    NEXT_AFTER,
    Handover,
    Held,
    Kind,
    State,
    confirmed_at,
    expires_at,
    left,
    missing_overrides,
    receiver,
    wanted_absence,
)
from desktop.domain.team import Absence, Override


@dataclass(frozen=True, slots=True)
class PagePerson:
    """Offer ``person`` the watch: an incident of its own, SEV-0, assigned to them, and every other channel."""

    person: str


@dataclass(frozen=True, slots=True)
class AskAsker:
    """Ask ``asker`` whether ``person`` is to be offered the watch next."""

    asker: str
    person: str


@dataclass(frozen=True, slots=True)
class CreateOverride:
    """Make ``override`` (its times are instants). A backend that takes no start in the past begins it at once."""

    override: Override


@dataclass(frozen=True, slots=True)
class RecordAbsence:
    """Let the outgoing engineer count as absent."""

    absence: Absence


@dataclass(frozen=True, slots=True)
class AddNote:
    """Put ``text``, which carries the handover's id, into ``incident`` as a note."""

    incident: str
    text: str


@dataclass(frozen=True, slots=True)
class Delegate:
    """Assign ``incident`` to ``receiver`` instead of ``giver`` by way of ``policy``, so that it still escalates."""

    incident: str
    giver: str
    receiver: str
    policy: str


@dataclass(frozen=True, slots=True)
class ReadBack:
    """Read schedules, overrides and incidents from the backend, all of them, anew."""


@dataclass(frozen=True, slots=True)
class Close:
    """Record that the handover has ended as ``state``."""

    state: State


@dataclass(frozen=True, slots=True)
class Tell:
    """Tell ``people`` about ``state``; the handover's pages that still ring for them end with it."""

    state: State
    people: tuple[str, ...]


Action = PagePerson | AskAsker | CreateOverride | RecordAbsence | AddNote | Delegate | ReadBack | Close | Tell


def state(facts: Handover, now: datetime) -> State:
    """Return where the handover stands at ``now``."""
    if facts.ended is not None:
        return facts.ended.state
    if receiver(facts) is None:
        return _unaccepted(facts, now)
    if confirmed_at(facts) is None:
        return State.ACCEPTED if left(facts, now) else State.NOTHING_LEFT
    # Whoever has been put on call is not told that nothing was left, even if the rest has gone to somebody else.
    given = any(o.end > now for o in facts.overrides)
    return State.APPLYING if given or left(facts, now) else State.NOTHING_LEFT


def _unaccepted(facts: Handover, now: datetime) -> State:
    """Return the state of a handover that nobody has accepted."""
    if facts.cancelled_at is not None:
        return State.CANCELLED
    if now >= expires_at(facts) or not left(facts, now):
        return State.EXPIRED
    refused = all(o.answer is not None and not o.answer.yes for o in facts.offers)
    if refused and next_candidate(facts) is None:
        return State.DECLINED
    return State.PAGING if facts.offers else State.REQUESTED


def on_call(facts: Handover) -> str:
    """Return who has the watch that this is about: the outgoing engineer until it is *done*, then the receiver.

    What begins after the watch's last segment is none of the handover's business: the schedule says it.
    """
    to = receiver(facts)
    done = facts.ended is not None and facts.ended.state is State.DONE
    return to if done and to is not None else facts.giver


def paged(facts: Handover, now: datetime) -> tuple[str, ...]:
    """Return who is paged for what happens on the watch: from the yes until *done*, both of them."""
    to = receiver(facts)
    if to is not None and state(facts, now) in {State.ACCEPTED, State.APPLYING}:
        return facts.giver, to
    return (on_call(facts),)


def next_candidate(facts: Handover) -> str | None:
    """Return who would be offered the watch next: whom the asker named, then the candidates in order."""
    offered = {facts.giver, *(o.person for o in facts.offers)}
    return next((p for p in (*facts.allowed, *facts.candidates) if p not in offered), None)


def next_action(facts: Handover, now: datetime) -> Action | None:
    """Return what is to be done now, None when somebody's answer or a later instant has to come first."""
    return next(iter(due_actions(facts, now)), None)


def due_actions(facts: Handover, now: datetime) -> tuple[Action, ...]:
    """Return all that may be done now, in any order; more may follow once it is done."""
    stage = state(facts, now)
    if facts.ended is not None:
        return _telling(facts, stage)
    if stage in {State.REQUESTED, State.PAGING}:
        return _paging(facts, now) or _telling_giver(facts)
    if stage is State.ACCEPTED:
        return _telling(facts, State.ACCEPTED)
    if stage is State.APPLYING:
        return _telling(facts, State.ACCEPTED) or _applying(facts, now)
    return (Close(stage),)


def next_action_at(facts: Handover, now: datetime) -> datetime | None:
    """Return the next instant after ``now`` at which time alone changes what is to be done, None when none does."""
    if facts.ended is not None:
        return None
    times = [*(s.end for s in left(facts, now)), *(o.end for o in facts.overrides)]
    if receiver(facts) is None:
        times += [expires_at(facts), *(o.at + NEXT_AFTER for o in facts.offers[-1:])]
    return min((t for t in times if t > now), default=None)


def _paging(facts: Handover, now: datetime) -> tuple[Action, ...]:
    """Offer the watch to the first, then to the next when the last offer was refused or has waited long enough."""
    person = next_candidate(facts)
    if person is None:
        return ()
    if not facts.offers or person in facts.allowed:
        return (PagePerson(person),)
    last = facts.offers[-1]
    if last.answer is None and now < last.at + NEXT_AFTER:
        return ()
    if facts.auto_next:
        return (PagePerson(person),)
    return () if person in facts.asked else (AskAsker(facts.asker, person),)


def _applying(facts: Handover, now: datetime) -> tuple[Action, ...]:
    """Return the first of these that is not empty: overrides, absence, incidents, reading back, the end."""
    overrides = tuple(CreateOverride(o) for o in missing_overrides(facts, now))
    if overrides:
        return overrides
    absence = wanted_absence(facts)
    # Only now: while an override was missing, an absence would have put a third person on call.
    if absence is not None and facts.absence is None:
        return (RecordAbsence(absence),)
    incidents = tuple(a for held in facts.incidents if (a := _for_incident(facts, held)) is not None)
    return incidents or ((ReadBack(),) if facts.read_at is None else (Close(State.DONE),))


def _for_incident(facts: Handover, held: Held) -> AddNote | Delegate | None:
    """Return what ``held`` lacks. The note comes first: once delegated, nothing else would tell that it was theirs."""
    to = receiver(facts)
    if to is None or not held.open or facts.giver not in held.assigned:
        return None
    if not held.noted:
        return AddNote(
            held.id, f"Handover {facts.id}: the watch goes from {facts.giver} to {to}, this incident with it."
        )
    return Delegate(held.id, facts.giver, to, held.policy)


def _telling(facts: Handover, about: State) -> tuple[Action, ...]:
    if about in facts.told:
        return ()
    return (Tell(about, tuple(dict.fromkeys((facts.asker, facts.giver, *(o.person for o in facts.offers))))),)


def _telling_giver(facts: Handover) -> tuple[Action, ...]:
    """Tell the outgoing engineer that somebody else began to give their watch away."""
    if facts.kind is Kind.ASK or State.REQUESTED in facts.told:
        return ()
    return (Tell(State.REQUESTED, (facts.giver,)),)
