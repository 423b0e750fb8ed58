"""Who has the watch, and when it changes hands by the rotation. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from desktop.domain.rotation import on_call
from desktop.domain.segments import Segment, Why
from desktop.domain.shifts import length
from desktop.domain.team import Access, Role, Team
from desktop.domain.wall import clock, instant

_DAY, _INSTANT = timedelta(days=1), timedelta(microseconds=1)
# Longer than any run of holidays that moves a handover.
_LONGEST_RUN = timedelta(days=60)


class Watch:
    """Who has the watch of ``team``, instant by instant; ``on_call`` keeps what was worked out."""

    def __init__(self, team: Team) -> None:
        self.team = team

    def holding(self, role: Role, at: datetime) -> Segment | None:
        """Return the segment of ``role`` at ``at``, None where the role does not exist."""
        return on_call(self.team, at).get(role)

    def holder(self, role: Role, at: datetime) -> str | None:
        """Return who has ``role`` at ``at``."""
        segment = self.holding(role, at)
        return None if segment is None else segment.person

    def segments(self, role: Role, start: datetime, end: datetime) -> Iterator[Segment]:
        """Yield the segments that touch ``[start, end)`` of a ``role`` that has a rotation; none of another role."""
        at = start
        while role in self.team.rotations and at < end:
            segment = on_call(self.team, at)[role]
            yield segment
            at = segment.end

    def begun(self, role: Role, at: datetime) -> bool:
        """Tell whether there should be somebody in ``role`` at ``at``: its rotation has started, or is overridden."""
        segment = self.holding(role, at)
        return segment is not None and not (segment.person is None and segment.why is Why.ROTATION)

    def managers(self, at: datetime) -> tuple[str, ...]:
        """Return the manager on call at ``at``, else everybody whose access is a manager's."""
        person = self.holder(Role.MANAGER, at)
        if person is not None:
            return (person,)
        return tuple(p.id for p in self.team.people if p.access is Access.MANAGER)

    def other_before(self, role: Role, at: datetime, back_to: datetime, person: str) -> str | None:
        """Return who else than ``person`` had ``role`` last before ``at``, looking back to ``back_to``."""
        while at > back_to:
            segment = self.holding(role, at - _INSTANT)
            if segment is None:
                return None
            if segment.person not in (None, person):
                return segment.person
            at = segment.start
        return None


@dataclass(frozen=True, slots=True)
class Weekly:
    """The watch changes hands ``at`` an instant; ``shift`` is the date on which the incoming shift starts by the ring.

    ``at`` is later than that date's handover time where a holiday moved it.
    """

    shift: date
    at: datetime
    outgoing: str
    incoming: str


def weekly_handovers(watch: Watch, start: datetime, end: datetime) -> Iterator[Weekly]:
    """Yield the handovers of the primary by the rotation within ``[start, end)``, in order.

    There is one for each shift whose engineer is not who had the watch before, at the handover time of its first day
    that is no holiday; of several that holidays move to one instant only the last is held. What an override or an
    absence changes within a shift is no weekly handover, and shifts shorter than a day have none.
    """
    rotation = watch.team.rotations.get(Role.PRIMARY)
    if rotation is None or length(rotation.every) < _DAY:
        return
    held = _held(watch.team, start, end)
    times = sorted(held)
    for before, at in pairwise(times):
        incoming = watch.holder(Role.PRIMARY, at) if start <= at < end else None
        outgoing = watch.other_before(Role.PRIMARY, at, before, incoming) if incoming is not None else None
        if incoming is not None and outgoing is not None:
            yield Weekly(held[at], at, outgoing, incoming)


def _held(team: Team, start: datetime, end: datetime) -> dict[datetime, date]:
    """Return when shifts are handed over, from the last one before ``start`` on, with the date of the shift."""
    rotation, zone = team.rotations[Role.PRIMARY], team.time_zone
    every = length(rotation.every)
    first = rotation.start if rotation.start.tzinfo is None else clock(rotation.start, zone)
    low = max((clock(start, zone) - _LONGEST_RUN - first) // every - 1, 0)
    high = (clock(end, zone) - first) // every + 1
    held: dict[datetime, date] = {}
    for shift in range(low, high + 1):
        begins = first + shift * every
        day = begins
        while day.date() in team.holidays:
            day += _DAY
        held[instant(day, zone)] = begins.date()
    return held
