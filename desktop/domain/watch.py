"""Who has the watch, whose it is by the rotation, and when it changes hands by it. Pure."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from operator import attrgetter

from desktop.domain.rotation import on_call
from desktop.domain.segments import Segment, Why
from desktop.domain.shifts import Ring, Turn, length, runs
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


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift of a role by the rotation: when it is handed over, and who else had those before, the nearest first."""

    end: datetime
    earlier: tuple[str, ...]


def shift_at(team: Team, role: Role, at: datetime) -> Shift | None:
    """Return the shift of ``role`` that ``at`` lies in, None without a rotation or before its first shift.

    A holiday on the day of the handover moves the end, as it moves the handover.
    """
    rotation, zone = team.rotations.get(role), team.time_zone
    if rotation is None or not rotation.members:
        return None
    ring = Ring.of(role, rotation, zone, team.weeks, ())
    turn = next(ring.turns(at, at + _INSTANT), None)
    if turn is None:
        return None
    end = turn.end if length(rotation.every) < _DAY else instant(_moved(team, clock(turn.end, zone)), zone)
    return Shift(end, tuple(ring.earlier(turn.shift)))


def _moved(team: Team, wall: datetime) -> datetime:
    """Return the wall time of a handover at ``wall`` after holidays have moved it."""
    while wall.date() in team.holidays:
        wall += _DAY
    return wall


@dataclass(frozen=True, slots=True)
class Weekly:
    """The watch changes hands ``at`` an instant; ``shift`` is the date on which the incoming shift starts by the ring.

    ``at`` is later than that date's handover time where a holiday moved it. ``outgoing`` and ``incoming`` are the
    engineers of the two shifts, whoever stands in for them at that instant.
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
    if rotation is None or not rotation.members or length(rotation.every) < _DAY:
        return
    held = _held(watch.team, start, end)
    times = sorted(held)
    if not times:
        return
    ring = Ring.of(Role.PRIMARY, rotation, watch.team.time_zone, watch.team.weeks, runs(watch.team.holidays))
    turns = tuple(ring.turns(times[0], times[-1]))
    for before, at, following in zip(times, times[1:], times[2:], strict=False):
        if start <= at < end:
            incoming = next(_engineers(watch, _within(turns, at, following)), None)
            found = _engineers(watch, _within(turns, before, at)[::-1])
            outgoing = next((p for p in found if p != incoming), None)
            if incoming is not None and outgoing is not None:
                yield Weekly(held[at], at, outgoing, incoming)


def _within(turns: Sequence[Turn], start: datetime, end: datetime) -> list[Turn]:
    """Return what of ``turns``, which are in order, lies within ``[start, end)``."""
    first = bisect_right(turns, start, key=attrgetter("end"))
    after = bisect_left(turns, end, key=attrgetter("start"))
    return [t._replace(start=max(t.start, start), end=min(t.end, end)) for t in turns[first:after]]


def _engineers(watch: Watch, turns: Sequence[Turn]) -> Iterator[str]:
    """Yield whose shift it is in each of ``turns``, in their order, each person's turns taken together.

    That is the person whose turn it is, or whoever has more of these turns than they have: somebody who is absent all
    week, or handed the watch over in an emergency, hands nothing over. Other stand-ins are looked through.
    """
    for person in dict.fromkeys(t.person for t in turns):
        had = {person: timedelta(0)}
        for turn in turns:
            if turn.person == person:
                _count(watch, turn.start, turn.end, had)
        most = max(had, key=had.__getitem__)
        if had[most]:
            yield most


def _count(watch: Watch, start: datetime, end: datetime, had: dict[str, timedelta]) -> None:
    """Add to ``had`` for how long each person is primary within ``[start, end)``."""
    for segment in watch.segments(Role.PRIMARY, start, end):
        if segment.person is not None:
            lasted = min(segment.end, end) - max(segment.start, start)
            had[segment.person] = had.get(segment.person, timedelta(0)) + lasted


def _held(team: Team, start: datetime, end: datetime) -> dict[datetime, date]:
    """Return when shifts are handed over, from the last one before ``start`` on, with the date of the shift.

    The last one is after ``end``.
    """
    rotation, zone = team.rotations[Role.PRIMARY], team.time_zone
    every = length(rotation.every)
    first = rotation.start if rotation.start.tzinfo is None else clock(rotation.start, zone)
    low = max((clock(start, zone) - _LONGEST_RUN - first) // every - 1, 0)
    high = (clock(end, zone) - first) // every + 1
    held: dict[datetime, date] = {}
    for shift in range(low, high + 2):
        begins = first + shift * every
        held[instant(_moved(team, begins), zone)] = begins.date()
    return held
