"""What is known of one emergency handover, and what follows from that alone. Pure; every time is aware.

A ``Handover`` is read anew from the backend before each step: nothing here is a plan that somebody has to keep.
``handover`` says what to do next. Source of the rules: design, section 3, "Handover".
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from desktop.domain.segments import Segment
from desktop.domain.team import Absence, Override, Role

# Unanswered for this long, the next candidate is offered the watch; the earlier offer stays open.
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
    """``point`` was confirmed, or waived, by the person ``by``."""

    point: Point
    by: str
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

    ``candidates``: whom to offer the watch, in order. ``segments``: the schedule from ``requested_at`` on, looked at
    as far as ``rotation.LOOK_AHEAD`` from there, *without* this handover's own overrides and absence. ``asked``: whom
    the asker was asked about; ``allowed``: whom the asker said yes to. ``overrides``: those for the receiver by which
    this handover's work is done, with aware times. ``absence``: what this handover recorded. ``read_at``: when
    everything was read from the backend after the last change that this handover made there, else None. ``told``: the
    states about which everybody was told.
    """

    id: str
    kind: Kind
    giver: str
    asker: str
    requested_at: datetime
    candidates: tuple[str, ...]
    segments: tuple[Segment, ...]
    reason: str = ""
    auto_next: bool = False
    stays_available: bool = False
    offers: tuple[Offer, ...] = ()
    asked: frozenset[str] = frozenset()
    allowed: tuple[str, ...] = ()
    confirmations: tuple[Confirmation, ...] = ()
    overrides: tuple[Override, ...] = ()
    absence: Absence | None = None
    incidents: tuple[Held, ...] = ()
    read_at: datetime | None = None
    cancelled_at: datetime | None = None
    ended: Ended | None = None
    told: frozenset[State] = frozenset()


def offer_to(facts: Handover, person: str) -> Offer | None:
    """Return the offer made to ``person``, None when there is none."""
    return next((o for o in facts.offers if o.person == person), None)


def expires_at(facts: Handover) -> datetime:
    """Return the instant from which a yes comes too late."""
    return max((o.at for o in facts.offers), default=facts.requested_at) + EXPIRES_AFTER


def receiver(facts: Handover) -> str | None:
    """Return who accepted first (of two at one instant: who was offered first), None while nobody has."""
    yes = _acceptance(facts)
    return None if yes is None else yes[1]


def _acceptance(facts: Handover) -> tuple[datetime, str] | None:
    """Return the first yes that came before a cancellation and in time: when, and whose."""
    until = expires_at(facts)
    found = [
        (o.answer.at, o.person)
        for o in sorted(facts.offers, key=lambda o: o.at)
        if o.answer is not None and o.answer.yes and o.answer.at < until
    ]
    first = min(found, key=lambda yes: yes[0], default=None)
    if first is not None and facts.cancelled_at is not None and facts.cancelled_at < first[0]:
        return None
    return first


def missing_points(facts: Handover) -> tuple[Point, ...]:
    """Return what is neither confirmed nor waived, in the order of ``Point``."""
    known = {c.point for c in facts.confirmations}
    return tuple(p for p in Point if p not in known)


def confirmed_at(facts: Handover) -> datetime | None:
    """Return from when on the watch is the receiver's to be: the last of the yes and both confirmations."""
    yes = _acceptance(facts)
    if yes is None or missing_points(facts):
        return None
    # Of two records of one point the earlier holds, so that both sides reckon from the same instant.
    firsts = (min(c.at for c in facts.confirmations if c.point is p) for p in Point)
    return max(yes[0], *firsts)


def watch(facts: Handover, at: datetime) -> tuple[Segment, ...]:
    """Return the outgoing engineer's own segments from ``at`` to the end of the last contiguous one, by time.

    Nothing when they are not on call at ``at``. A shadow has no watch.
    """
    kept: list[Segment] = []
    reached = at
    own = (s for s in facts.segments if s.person == facts.giver and s.role is not Role.SHADOW and s.end > at)
    for segment in sorted(own, key=lambda s: (s.start, s.role)):
        if segment.start > reached:
            break
        kept.append(replace(segment, start=max(segment.start, at)))
        reached = max(reached, segment.end)
    return tuple(kept)


def left(facts: Handover, now: datetime) -> tuple[Segment, ...]:
    """Return what of the watch is still to come at ``now``, counted from when it was confirmed, if it was."""
    return tuple(s for s in watch(facts, confirmed_at(facts) or now) if s.end > now)


def wanted_overrides(facts: Handover, now: datetime) -> tuple[Override, ...]:
    """Return the overrides that hand the watch over, one for each of its segments that is not past."""
    to = receiver(facts)
    if to is None or confirmed_at(facts) is None:
        return ()
    reason = f"Handover {facts.id}"
    return tuple(Override(s.role, to, s.start, s.end, reason) for s in left(facts, now))


def missing_overrides(facts: Handover, now: datetime) -> tuple[Override, ...]:
    """Return the wanted overrides that the backend does not have."""
    return tuple(w for w in wanted_overrides(facts, now) if not any(_does(o, w, now) for o in facts.overrides))


def _does(made: Override, wanted: Override, now: datetime) -> bool:
    """Tell whether ``made`` does what ``wanted`` would: a backend may begin it at its own now instead."""
    who = made.role is wanted.role and made.person == wanted.person
    return who and made.start <= max(wanted.start, now) and made.end >= wanted.end


def wanted_absence(facts: Handover) -> Absence | None:
    """Return for which time the outgoing engineer counts as absent, None when they said otherwise."""
    since = confirmed_at(facts)
    those = watch(facts, since) if since is not None else ()
    if since is None or not those or facts.stays_available:
        return None
    return Absence(facts.giver, since, max(s.end for s in those), cover=receiver(facts))
