"""The emergency handover: where it stands, who is on call meanwhile, and what is to be done next. Pure.

Both sides' Watchbell and the server ask ``next_action`` of the same facts, do it, read the facts again, and ask again:
whoever stops half way, another goes on. Each action names what it makes, and is called for only while that is missing.
Source of the rules: design, section 3, "Handover".
"""

from datetime import datetime

from desktop.domain.handover_actions import (
    Action,
    AddNote,
    AskAsker,
    Close,
    CreateOverride,
    Delegate,
    PagePerson,
    ReadBack,
    RecordAbsence,
    Remind,
    Tell,
)
from desktop.domain.handover_facts import (
    NEXT_AFTER,
    Handover,
    Held,
    Kind,
    State,
    accepted_at,
    confirmed_at,
    expires_at,
    lapses_at,
    receiver,
)
from desktop.domain.handover_watch import left, left_out, missing_absences, missing_overrides, watch


def state(facts: Handover, now: datetime) -> State:
    """Return where the handover stands at ``now``."""
    if facts.ended is not None:
        return facts.ended.state
    if receiver(facts) is None:
        return _unaccepted(facts, now)
    if confirmed_at(facts) is None:
        # All of it, not only what the receiver can have: their yes may lapse, and somebody else have more of it.
        return State.ACCEPTED if watch(facts, now) else State.NOTHING_LEFT
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


def on_call(facts: Handover, now: datetime) -> str | None:
    """Return who has the role of this handover at ``now``, None for nobody.

    Whatever of the watch the schedule leaves with the outgoing engineer is theirs until the handover is *done*, then
    the receiver's where an override says so. At any other time, after the watch too, it is whom the schedule names.
    """
    named = next((s.person for s in facts.segments if s.role is facts.role and s.start <= now < s.end), None)
    done = facts.ended is not None and facts.ended.state is State.DONE
    moved = any(o.role is facts.role and o.start <= now < o.end for o in facts.overrides)
    return receiver(facts) if named == facts.giver and done and moved else named


def paged(facts: Handover, now: datetime) -> tuple[str, ...]:
    """Return who is paged for what happens in this role at ``now``: from the yes until *done*, the receiver too."""
    busy = state(facts, now) in {State.ACCEPTED, State.APPLYING}
    both = (on_call(facts, now), receiver(facts) if busy else None)
    return tuple(dict.fromkeys(p for p in both if p is not None))


def lapsed(facts: Handover, now: datetime) -> bool:
    """Tell whether somebody said yes and did not confirm it for so long that others may take the watch as well."""
    until = lapses_at(facts)
    return facts.ended is None and until is not None and now >= until


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
        return _telling(facts, State.ACCEPTED) or _unconfirmed(facts, now)
    if stage is State.APPLYING:
        return _telling(facts, State.ACCEPTED) or _applying(facts, now)
    return (Close(stage),)


def next_action_at(facts: Handover, now: datetime) -> datetime | None:
    """Return the next instant after ``now`` at which time alone changes what is to be done, None when none does."""
    if facts.ended is not None:
        return None
    times = [s.end for s in (*watch(facts, now), *left(facts, now))] + [o.end for o in facts.overrides]
    if receiver(facts) is None:
        times.append(expires_at(facts))
    if confirmed_at(facts) is None:
        times += [o.at + NEXT_AFTER for o in facts.offers[-1:]]
    if (lapse := lapses_at(facts)) is not None:
        times.append(lapse)
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
    # Whoever took the watch and fell silent is not asked whom to ask.
    if facts.auto_next or facts.asker == receiver(facts):
        return (PagePerson(person),)
    return () if person in facts.asked else (AskAsker(facts.asker, person),)


def _unconfirmed(facts: Handover, now: datetime) -> tuple[Action, ...]:
    """Once a yes has waited too long for its confirmations: remind, then offer the watch to the next."""
    to = receiver(facts)
    if to is None or not lapsed(facts, now):
        return ()
    if accepted_at(facts) not in facts.reminded:
        return (Remind(to, tuple(dict.fromkeys((to, facts.giver, *facts.managers)))),)
    return _paging(facts, now)


def _applying(facts: Handover, now: datetime) -> tuple[Action, ...]:
    """Return the first of these that is not empty: overrides, absences, incidents, reading back, the end."""
    overrides = tuple(CreateOverride(o) for o in missing_overrides(facts, now))
    if overrides:
        return overrides
    # Only now: while an override was missing, an absence would have put a third person on call.
    absences = tuple(RecordAbsence(a) for a in missing_absences(facts, now))
    if absences:
        return absences
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
    # Each yes is told of, also when somebody else said one meanwhile and it is the same person's again.
    if (about, accepted_at(facts)) in facts.told:
        return ()
    people = tuple(dict.fromkeys((facts.asker, facts.giver, *(o.person for o in facts.offers))))
    return (Tell(about, people, receiver(facts), left_out(facts)),)


def _telling_giver(facts: Handover) -> tuple[Action, ...]:
    """Tell the outgoing engineer that somebody else began to give their watch away."""
    if facts.kind is Kind.ASK or (State.REQUESTED, None) in facts.told:
        return ()
    return (Tell(State.REQUESTED, (facts.giver,)),)
