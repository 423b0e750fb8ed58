"""Who had the watch, asked often about one window, and when the watch changes hands by the rotation. Pure."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from desktop.domain.rotation import on_call, schedule
from desktop.domain.segments import Segment, Why
from desktop.domain.shifts import length
from desktop.domain.team import Access, Role, Team
from desktop.domain.wall import clock, instant

_DAY = timedelta(days=1)
# Longer than any run of holidays that moves a handover.
_LONGEST_RUN = timedelta(days=60)


class Watch:
    """The schedule of ``team`` within ``[start, end)``, ready for questions about instants in it."""

    def __init__(self, team: Team, start: datetime, end: datetime) -> None:
        self.team = team
        self.start, self.end = start.astimezone(UTC), end.astimezone(UTC)
        self.segments: dict[Role, list[Segment]] = {}
        for segment in schedule(team, start, end):
            self.segments.setdefault(segment.role, []).append(segment)

    def holding(self, role: Role, at: datetime) -> Segment | None:
        """Return the segment of ``role`` at ``at``, None where the role does not exist."""
        if not self.start <= at < self.end:
            return on_call(self.team, at).get(role)
        those = self.segments.get(role, ())
        place = bisect_right(those, at, key=lambda s: s.start) - 1
        return those[place] if place >= 0 and at < those[place].end else None

    def holder(self, role: Role, at: datetime) -> str | None:
        """Return who has ``role`` at ``at``."""
        segment = self.holding(role, at)
        return None if segment is None else segment.person

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
        those = self.segments.get(role, ())
        for place in range(bisect_right(those, at, key=lambda s: s.start) - 1, -1, -1):
            segment = those[place]
            if segment.end <= back_to:
                break
            if segment.start < at and segment.person not in (None, person):
                return segment.person
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


def reach(team: Team) -> timedelta:
    """Return how far before a handover ``weekly_handovers`` may have to look for who had the watch."""
    rotation = team.rotations.get(Role.PRIMARY)
    return _LONGEST_RUN if rotation is None else _LONGEST_RUN + length(rotation.every)


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
