"""What there may be to do about an emergency handover, each thing by its name. Pure values; persons are ids."""

from dataclasses import dataclass

from desktop.domain.handover_facts import State
from desktop.domain.segments import Segment
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
class Remind:
    """Remind ``people`` that ``receiver`` said yes a while ago and has not confirmed: the watch has not moved."""

    receiver: str
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CreateOverride:
    """Make ``override`` (its times are instants). A backend that takes no start in the past begins it at once."""

    override: Override


@dataclass(frozen=True, slots=True)
class RecordAbsence:
    """Let the outgoing engineer count as absent (the times of ``absence`` are instants)."""

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
    """Tell ``people`` about ``state``; the handover's pages that still ring for them end with it.

    ``receiver`` has said yes (None: nobody has). ``left_out`` is what of the watch they cannot have, which is to be
    said too: it stays as the schedule has it.
    """

    state: State
    people: tuple[str, ...]
    receiver: str | None = None
    left_out: tuple[Segment, ...] = ()


Action = PagePerson | AskAsker | Remind | CreateOverride | RecordAbsence | AddNote | Delegate | ReadBack | Close | Tell
