"""What an action of a handover does to the facts. Pure.

A backend that keeps handovers as rows makes its changes so, within a transaction; one that does not shows the same
facts at the next reading.
"""

from dataclasses import replace
from datetime import datetime

from desktop.domain.handover import due_actions
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
from desktop.domain.handover_facts import Ended, Handover, Held, Offer, accepted_at


def applied(facts: Handover, action: Action, at: datetime) -> Handover:
    """Return the facts after ``action`` was done ``at``; the same facts when it is not, or no longer, called for."""
    if action not in due_actions(facts, at):
        return facts
    if isinstance(action, CreateOverride | RecordAbsence | AddNote | Delegate):
        return _written(facts, action)
    return _kept(facts, action, at)


def _kept(facts: Handover, action: PagePerson | AskAsker | Remind | ReadBack | Close | Tell, at: datetime) -> Handover:
    """Return the facts after something that the handover keeps about itself."""
    match action:
        case PagePerson(person):
            return replace(facts, offers=(*facts.offers, Offer(person, at)))
        case AskAsker(_, person):
            return replace(facts, asked=facts.asked | {person})
        case Remind(_, _):
            said = accepted_at(facts)
            return facts if said is None else replace(facts, reminded=facts.reminded | {said})
        case ReadBack():
            return replace(facts, read_at=at)
        case Close(end):
            return replace(facts, ended=Ended(end, at))
        case Tell(about, _, _, _):
            return replace(facts, told=facts.told | {(about, accepted_at(facts))})


def _written(facts: Handover, action: CreateOverride | RecordAbsence | AddNote | Delegate) -> Handover:
    """Return the facts after a change to the schedule or to an incident: what was read back before is void."""
    facts = replace(facts, read_at=None)
    match action:
        case CreateOverride(override):
            return replace(facts, overrides=(*facts.overrides, override))
        case RecordAbsence(absence):
            return replace(facts, absences=(*facts.absences, absence))
        case AddNote(incident, _):
            return replace(facts, incidents=tuple(_noted(h) if h.id == incident else h for h in facts.incidents))
        case Delegate(incident, giver, to, _):
            moved = (_moved(h, giver, to) if h.id == incident else h for h in facts.incidents)
            return replace(facts, incidents=tuple(moved))


def _noted(held: Held) -> Held:
    return replace(held, noted=True)


def _moved(held: Held, giver: str, to: str) -> Held:
    return replace(held, assigned=tuple(dict.fromkeys(to if p == giver else p for p in held.assigned)))
