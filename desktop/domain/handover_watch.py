"""Which time an emergency handover is about: the watch, what of it the receiver can have, and the overrides. Pure.

The decision: what is handed over is the role that the outgoing engineer holds now, until the shift of that role that
is running now has ended. Design, section 3, "Handover", says "to the end of the last contiguous one" of their own
segments; read across shifts and roles, that would let one night's handover take a whole year of a ring of one, or of a
ring of two whose roles swap every week, and put the receiver into two roles. So these segments belong together:

* of the same role, each beginning where the one before ends, whatever the reason (a holiday or an absence that splits
  the shift, a cover that continues it);
* up to the end of the shift by the rotation, where a holiday moves the handover: up to the moved one. A role without
  a rotation, which only overrides create, has no shifts and goes on as long as its segments do;
* and never beyond the instant at which the outgoing engineer gets a role that stands before it.

Who has several roles hands over the foremost. The receiver is never put into a second role and never on call while
absent: what of the watch lies in such a time is left out and stays as it is, with the outgoing engineer not counted as
absent. A role behind the one that they receive is not in the way, since the rotation then gives it to somebody else;
only where an override made by hand puts them into it do they have both, as that override wants.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from desktop.domain.handover_facts import Handover, accepted_at, confirmed_at, receiver
from desktop.domain.segments import ORDER, Segment
from desktop.domain.team import Absence, Override, Role


class Hindrance(NamedTuple):
    """Somebody cannot have the watch in ``[start, end)``; ``why`` completes "Ben is …"."""

    start: datetime
    end: datetime
    why: str


def foremost(person: str, segments: Iterable[Segment], at: datetime) -> Role | None:
    """Return the first, in the order of ``Role``, of the roles of ``person`` at ``at``; a shadow has no watch."""
    held = roles_of(person, (s for s in segments if s.start <= at < s.end))
    return min(held, key=ORDER.index, default=None)


def roles_of(person: str, segments: Iterable[Segment]) -> frozenset[Role]:
    """Return the roles of ``person`` in segments of one instant; a shadow has no watch."""
    return frozenset(s.role for s in segments if s.person == person and s.role is not Role.SHADOW)


def hindrance(
    person: str, role: Role, segments: Iterable[Segment], away: Iterable[Absence], at: datetime
) -> Hindrance | None:
    """Return what keeps ``person`` from taking ``role`` at ``at``, None when nothing does."""
    return next((h for h in _hindrances(person, role, segments, away) if h.start <= at < h.end), None)


def _hindrances(person: str, role: Role, segments: Iterable[Segment], away: Iterable[Absence]) -> Iterator[Hindrance]:
    for absence in away:
        if absence.person == person:
            yield Hindrance(absence.start, absence.end, "away")
    before = ORDER[: ORDER.index(role)]
    for segment in segments:
        if segment.person == person and segment.role in before:
            yield Hindrance(segment.start, segment.end, f"{segment.role} already")


def watch(facts: Handover, at: datetime) -> tuple[Segment, ...]:
    """Return the outgoing engineer's own segments from ``at`` to the end of the watch, by time.

    Nothing when they do not have the role at ``at``. What belongs to the watch is said at the top of this module.
    """
    kept: list[Segment] = []
    reached, end = at, _end(facts, at)
    own = (s for s in facts.segments if s.role is facts.role and s.person == facts.giver and s.end > at)
    for segment in sorted(own, key=lambda s: s.start):
        if segment.start > reached or (end is not None and reached >= end):
            break
        reached = segment.end if end is None else min(segment.end, end)
        kept.append(replace(segment, start=max(segment.start, at), end=reached))
    return tuple(kept)


def _end(facts: Handover, at: datetime) -> datetime | None:
    """Return when a watch that is held at ``at`` ends at the latest, None when nothing but its segments ends it."""
    higher = (h.start for h in _hindrances(facts.giver, facts.role, facts.segments, ()) if h.end > at)
    return min((t for t in (facts.until, *higher) if t is not None), default=None)


def left(facts: Handover, now: datetime) -> tuple[Segment, ...]:
    """Return what there is still to hand over at ``now``, counted from when it was confirmed, if it was.

    Once somebody has accepted, that is what they can have of the watch.
    """
    return tuple(s for s in _taken(facts, confirmed_at(facts) or now) if s.end > now)


def left_out(facts: Handover) -> tuple[Segment, ...]:
    """Return what of the watch, counted from their yes, the receiver cannot have; nothing while nobody said yes."""
    since = accepted_at(facts)
    if since is None:
        return ()
    taken = _taken(facts, since)
    return tuple(piece for s in watch(facts, since) for piece in _without(s, [(t.start, t.end) for t in taken]))


def _taken(facts: Handover, at: datetime) -> tuple[Segment, ...]:
    """Return the watch from ``at`` on, without what the receiver cannot have of it."""
    to = receiver(facts)
    if to is None:
        return watch(facts, at)
    hindered = [(h.start, h.end) for h in _hindrances(to, facts.role, facts.segments, facts.away)]
    return tuple(piece for segment in watch(facts, at) for piece in _without(segment, hindered))


def _without(segment: Segment, spans: Sequence[tuple[datetime, datetime]]) -> list[Segment]:
    """Return what is left of ``segment`` outside of ``spans``, by time."""
    pieces = [segment]
    for start, end in spans:
        pieces = [piece for whole in pieces for piece in _around(whole, start, end)]
    return pieces


def _around(segment: Segment, start: datetime, end: datetime) -> Iterator[Segment]:
    """Yield what of ``segment`` lies before ``start``, and what lies after ``end``."""
    if segment.start < start:
        yield replace(segment, end=min(segment.end, start))
    if segment.end > end:
        yield replace(segment, start=max(segment.start, end))


def wanted_overrides(facts: Handover, now: datetime) -> tuple[Override, ...]:
    """Return the overrides that hand the watch over, one for each piece that the receiver can have and is not past."""
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


def wanted_absences(facts: Handover, now: datetime) -> tuple[Absence, ...]:
    """Return for which times, none of them past, the outgoing engineer counts as absent.

    That is whenever the receiver has the watch instead, and never when the outgoing engineer said otherwise.
    """
    if facts.stays_available:
        return ()
    spans: list[tuple[datetime, datetime]] = []
    for made in wanted_overrides(facts, now):
        if spans and spans[-1][1] == made.start:
            spans[-1] = (spans[-1][0], made.end)
        else:
            spans.append((made.start, made.end))
    return tuple(Absence(facts.giver, start, end, cover=receiver(facts)) for start, end in spans)


def missing_absences(facts: Handover, now: datetime) -> tuple[Absence, ...]:
    """Return the wanted absences that were not recorded; one that began only when it was recorded is enough."""
    return tuple(w for w in wanted_absences(facts, now) if not any(_says(a, w, now) for a in facts.absences))


def _says(made: Absence, wanted: Absence, now: datetime) -> bool:
    return made.start <= max(wanted.start, now) and made.end >= wanted.end
