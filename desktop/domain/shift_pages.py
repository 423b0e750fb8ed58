"""How often those on call were paged in each shift, whoever stood in told apart. Pure; every time is aware.

A shift is the rotation's: from its handover time to the next, whatever holidays, absences and overrides made of it. It
counts where it begins, with all of its pages: a long one is not counted again in the months that it covers.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from desktop.domain.handled import Handled
from desktop.domain.rotation import on_call, schedule
from desktop.domain.segments import ORDER
from desktop.domain.shifts import Ring
from desktop.domain.team import Role, Team
from desktop.domain.watch import Watch

_ROLES = tuple(role for role in ORDER if role is not Role.SHADOW)
_Pages = dict[tuple[Role, datetime], Counter[str]]


@dataclass(frozen=True, slots=True)
class Shift:
    """One turn of a role: ``person``'s by the ring or an explicit row, in ``[start, end)``."""

    role: Role
    person: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class ShiftPages:
    """A shift, the pages of the one whose it is, and those of each who stood in for them (by id, sorted)."""

    shift: Shift
    own: int
    stand_ins: tuple[tuple[str, int], ...] = ()

    @property
    def stood_in(self) -> int:
        """The pages of all who stood in."""
        return sum(count for _, count in self.stand_ins)

    @property
    def pages(self) -> int:
        """The pages of whoever was on call."""
        return self.own + self.stood_in


def pages_per_shift(team: Team, incidents: Iterable[Handled], start: datetime, end: datetime) -> tuple[ShiftPages, ...]:
    """Return the pages of each shift that begins within ``[start, end)``, in the order of ``Role``, then of time.

    Counted are the pages of the person on call then. Somebody in two roles is counted in the first of them, so that no
    page counts twice. Of a role without a rotation, each time that overrides put somebody into it is a shift.
    """
    shifts: dict[Role, list[Shift]] = {role: list(_begun(team, role, start, end)) for role in _ROLES}
    counted: _Pages = {}
    for incident in incidents:
        for paged in incident.pages:
            for at in paged.at:
                _count(team, shifts, counted, paged.person, at)
    none: Counter[str] = Counter()
    return tuple(_told_apart(s, counted.get((s.role, s.start), none)) for those in shifts.values() for s in those)


def _count(team: Team, shifts: dict[Role, list[Shift]], counted: _Pages, person: str, at: datetime) -> None:
    within = {role: found for role, those in shifts.items() if (found := _holding(those, at)) is not None}
    if within:
        role = next((r for r, s in on_call(team, at).items() if r in _ROLES and s.person == person), None)
        if role in within:
            counted.setdefault((role, within[role].start), Counter())[person] += 1


def _holding(shifts: list[Shift], at: datetime) -> Shift | None:
    index = bisect_right(shifts, at, key=attrgetter("start")) - 1
    return shifts[index] if index >= 0 and at < shifts[index].end else None


def _told_apart(shift: Shift, pages: Counter[str]) -> ShiftPages:
    others = tuple(sorted((person, count) for person, count in pages.items() if person != shift.person))
    return ShiftPages(shift, pages[shift.person], others)


def _begun(team: Team, role: Role, start: datetime, end: datetime) -> Iterator[Shift]:
    """Yield the shifts of ``role`` that begin within ``[start, end)`` and in which anybody had it."""
    rotation = team.rotations.get(role)
    if rotation is None or not rotation.members:
        yield from _by_overrides(team, role, start, end)
        return
    # Without holidays, a turn is a whole shift; the first one may have begun before.
    for turn in Ring.of(role, rotation, team.time_zone, team.weeks, ()).turns(start, end):
        held = Watch(team).segments(role, turn.start, turn.end)
        if start <= turn.start and any(s.person is not None for s in held):
            yield Shift(role, turn.person, turn.start, turn.end)


def _by_overrides(team: Team, role: Role, start: datetime, end: datetime) -> Iterator[Shift]:
    for segment in schedule(team, start, end):
        if segment.role is role and segment.person is not None:
            whole = on_call(team, segment.start)[role]
            if start <= whole.start:
                yield Shift(role, segment.person, whole.start, whole.end)
