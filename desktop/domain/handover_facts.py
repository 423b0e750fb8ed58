"""What is known of one emergency handover, and who has said yes to it. Pure; every time is aware.

A ``Handover`` is read anew from the backend before each step: nothing here is a plan that somebody has to keep.
``handover_watch`` says which time it is about, ``handover`` what to do next. Source of the rules: design, section 3,
"Handover".
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from desktop.domain.segments import Segment
from desktop.domain.team import Absence, Override, Role

# Unanswered for this long, or accepted and not confirmed, the next candidate is offered the watch; the earlier offers
# stay open.
NEXT_AFTER = timedelta(minutes=5)
# Nobody said yes for this long after the last offer: whoever answers later must not be taken at an old word.
EXPIRES_AFTER = timedelta(hours=1)


class Kind(StrEnum):
    """Who began: the outgoing engineer asks, a manager gives, somebody certified takes."""

    ASK = "ask"
    GIVE = "give"
    TAKE = "take"


class State(StrEnum):
    """Where a handover stands; from ``DONE`` on, the ends that it can have."""

    REQUESTED = "requested"
    PAGING = "paging"
    ACCEPTED = "accepted"
    APPLYING = "applying"
    DONE = "done"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    NOTHING_LEFT = "nothing left"


class Point(StrEnum):
    """What is confirmed after accepting."""

    BRIEFING = "briefing"
    ACCESS = "access"


@dataclass(frozen=True, slots=True)
class Answer:
    """Yes or no, as the backend recorded it ``at``."""

    yes: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Offer:
    """``person`` was paged ``at`` and asked to take the watch. Acknowledging the page answers nothing."""

    person: str
    at: datetime
    answer: Answer | None = None
    acknowledged_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Confirmation:
    """``point`` was confirmed, or waived, by the person ``by``, so that ``receiver`` may have the watch."""

    point: Point
    by: str
    receiver: str
    at: datetime
    waived: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """An incident that was the outgoing engineer's when the watch changed hands; ``policy`` is what escalates it.

    ``noted``: a note with this handover's id stands in it.
    """

    id: str
    policy: str
    assigned: tuple[str, ...]
    noted: bool = False
    open: bool = True


@dataclass(frozen=True, slots=True)
class Ended:
    """How it ended, on the record."""

    state: State
    at: datetime


@dataclass(frozen=True, slots=True)
class Handover:
    """The facts of one emergency handover, from the backend. Persons are ids.

    Of the watch: ``role`` is what changes hands, ``until`` when the shift of that role ends in which it was asked for
    (None: the role has no rotation). ``segments``: the schedule from ``requested_at`` on, looked at as far as
    ``rotation.LOOK_AHEAD`` from there, and ``away``: the team's absences, with aware times; both *without* what this
    handover itself made. ``candidates``: whom to offer the watch, in order. ``managers``: who hears of a yes that is
    not confirmed.

    Of what happened: ``asked``: whom the asker was asked about; ``allowed``: whom the asker said yes to.
    ``overrides``: those for the receiver by which this handover's work is done, with aware times. ``absences``: those
    of the giver that it recorded. ``read_at``: when everything was read from the backend after the last change that
    this handover made there, else None. ``told``: the states about which everybody was told, each with when the yes
    was said that held then. ``reminded``: when each yes was said about which people were reminded.
    """

    id: str
    kind: Kind
    giver: str
    asker: str
    requested_at: datetime
    role: Role
    until: datetime | None
    segments: tuple[Segment, ...]
    away: tuple[Absence, ...] = ()
    candidates: tuple[str, ...] = ()
    managers: tuple[str, ...] = ()
    reason: str = ""
    auto_next: bool = False
    stays_available: bool = False
    offers: tuple[Offer, ...] = ()
    asked: frozenset[str] = frozenset()
    allowed: tuple[str, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()
    overrides: tuple[Override, ...] = ()
    absences: tuple[Absence, ...] = ()
    incidents: tuple[Held, ...] = ()
    read_at: datetime | None = None
    cancelled_at: datetime | None = None
    ended: Ended | None = None
    told: frozenset[tuple[State, datetime | None]] = frozenset()
    reminded: frozenset[datetime] = frozenset()


def offer_to(facts: Handover, person: str) -> Offer | None:
    """Return the offer made to ``person``, None when there is none."""
    return next((o for o in facts.offers if o.person == person), None)


def expires_at(facts: Handover) -> datetime:
    """Return the instant from which a yes comes too late."""
    return max((o.at for o in facts.offers), default=facts.requested_at) + EXPIRES_AFTER


def receiver(facts: Handover) -> str | None:
    """Return whose yes holds, None while nobody's does.

    The first to accept wins (of two at one instant: who was offered first). A yes that is not confirmed within
    ``NEXT_AFTER`` holds on only until somebody else says yes, or it is called off, before it is confirmed after all.
    """
    yes = _acceptance(facts)
    return None if yes is None else yes[1]


def accepted_at(facts: Handover) -> datetime | None:
    """Return when the receiver said yes, None when there is none."""
    yes = _acceptance(facts)
    return None if yes is None else yes[0]


def confirmed_at(facts: Handover) -> datetime | None:
    """Return from when on the watch is the receiver's to be: the last of their yes and both confirmations."""
    yes = _acceptance(facts)
    return None if yes is None else _confirmed_at(facts, yes)


def lapses_at(facts: Handover) -> datetime | None:
    """Return from when on somebody else may take what was accepted; None with no yes, or one that is confirmed."""
    yes = _acceptance(facts)
    return None if yes is None or _confirmed_at(facts, yes) is not None else yes[0] + NEXT_AFTER


_Yes = tuple[datetime, str]


def _acceptance(facts: Handover) -> _Yes | None:
    """Return the yes that holds: when it was said, and whose it is."""
    called_off = facts.cancelled_at
    held: _Yes | None = None
    for yes in _yeses(facts):
        if called_off is not None and called_off < yes[0] and _open(facts, held, called_off):
            return None
        if _open(facts, held, yes[0]):
            held = yes
    return None if called_off is not None and _open(facts, held, called_off) else held


def _yeses(facts: Handover) -> list[_Yes]:
    """Return every yes that came in time, in order."""
    until = expires_at(facts)
    found = [
        (o.answer.at, o.person)
        for o in sorted(facts.offers, key=lambda o: o.at)
        if o.answer is not None and o.answer.yes and o.answer.at < until
    ]
    return sorted(found, key=lambda yes: yes[0])


def _open(facts: Handover, held: _Yes | None, at: datetime) -> bool:
    """Tell whether the watch can still be accepted, or called off, at ``at`` although ``held`` was said."""
    if held is None:
        return True
    confirmed = _confirmed_at(facts, held)
    return at >= held[0] + NEXT_AFTER and (confirmed is None or confirmed > at)


def _confirmed_at(facts: Handover, yes: _Yes) -> datetime | None:
    times = [yes[0]]
    for point in Point:
        # Of two records of one point the earlier holds, so that both sides reckon from the same instant.
        first = min((c.at for c in facts.confirmations if c.point is point and c.receiver == yes[1]), default=None)
        if first is None:
            return None
        times.append(first)
    return max(times)
