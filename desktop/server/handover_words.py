"""What is said of an emergency handover, in words for people: titles, notices. Pure; all of it is plain text."""

from desktop.domain.handover_actions import Tell
from desktop.domain.handover_facts import Handover, State, receiver
from desktop.server.directory import Directory
from desktop.server.things import instant

_ENDS = {
    State.DECLINED: "Everybody who was asked has said no",
    State.CANCELLED: "The handover was called off",
    State.EXPIRED: "The handover is over: nobody said yes in time, or nothing of the watch is left",
    State.NOTHING_LEFT: "Nothing of the watch is left to hand over",
}


def title(directory: Directory, facts: Handover) -> str:
    """Return the title of the page that offers the watch."""
    giver = directory.person(facts.giver).name
    return f"Will you take over as {facts.role} from {giver}? {facts.reason}"


def asked(directory: Directory, facts: Handover, person: str) -> str:
    """Return the question whether ``person`` is to be offered the watch next."""
    name, giver = directory.person(person).name, directory.person(facts.giver).name
    return f"Nobody has taken the watch of {giver} yet. Shall {name} be asked?"


def reminded(directory: Directory, facts: Handover) -> str:
    """Return the reminder that a yes was not confirmed."""
    giver, to = directory.person(facts.giver).name, directory.person(receiver(facts) or "").name
    return f"{to} said yes to the watch of {giver} and has not confirmed it: {giver} is still on call."


def told(directory: Directory, facts: Handover, tell: Tell) -> str:
    """Return what everybody in the handover is told."""
    giver, role = directory.person(facts.giver).name, facts.role
    to = "" if tell.receiver is None else directory.person(tell.receiver).name
    but = "".join(f" Not from {instant(s.start)} to {instant(s.end)}: that stays as it is." for s in tell.left_out)
    if tell.state is State.REQUESTED:
        return f"{directory.person(facts.asker).name} gives your watch as {role} away: {facts.reason}"
    if tell.state is State.ACCEPTED:
        return f"{to} takes over as {role} from {giver} once it is confirmed; until then {giver} is on call.{but}"
    if tell.state is State.DONE:
        return f"Done: {to} is on call as {role} instead of {giver}.{but}"
    return f"{_ENDS[tell.state]}. The watch of {giver} as {role} stays where the schedule has it."
