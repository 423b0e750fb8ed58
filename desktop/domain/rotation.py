"""Who is on call, when and why: the whole rotation of a team. Pure; every instant is aware, results are in UTC.

``shifts`` says whose turn it is, ``overriding`` and ``covering`` who has it instead; here time is cut where any of
them changes, and the pieces are joined again. Source of the rules: design, section 3, "Rotation".

Any thread may ask. What was worked out is kept for the teams asked for last, which no answer depends on; for that the
mappings within a ``Team`` must never change, only be replaced.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from operator import itemgetter
from types import MappingProxyType
from typing import TypeVar

from desktop.domain.covering import Covering, Holder, Presence
from desktop.domain.errors import InputError
from desktop.domain.overriding import Overriding
from desktop.domain.segments import ORDER, Segment, Why
from desktop.domain.shifts import Ring, Turn, runs
from desktop.domain.team import Role, Team

__all__ = ["LOOK_AHEAD", "Segment", "Why", "known_end", "on_call", "schedule"]

# How far ``on_call`` looks for the ends of a segment, at the least, before and after the instant asked for.
LOOK_AHEAD = timedelta(days=366)
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
_BLOCK = timedelta(weeks=8)
_LOOK_BLOCKS = -(-LOOK_AHEAD // _BLOCK)
_KEPT_TEAMS, _KEPT_BLOCKS = 8, 32
# A century of hours would take half a minute and a gigabyte.
_MOST_SHIFTS = 100_000

Moment = Mapping[Role, Segment]
_Moments = tuple[list[datetime], list[Moment]]
_Segments = dict[Role, list[Segment]]
_Change = tuple[datetime, Role | None, Turn | None]
_T = TypeVar("_T")


def schedule(team: Team, start: datetime, end: datetime) -> tuple[Segment, ...]:
    """Return who has which role within ``[start, end)``, sorted by role (in the order of ``Role``), then time.

    The segments of a role that has a rotation leave no gap (``person`` None: nobody); those of a role that only
    overrides create cover just their time. Neighbours that are equal but for their times are one segment.

    Raises ``InputError`` for instants without a zone or outside the years 1970 to 2199, and for so long a time that it
    has more than 100,000 shifts of a role: those of an hour in eleven years.
    """
    _check(start)
    _check(end)
    if start >= end:
        return ()
    plan = _plan(team)
    if plan.most_shifts(start, end) > _MOST_SHIFTS:
        raise InputError(f"That is more than {_MOST_SHIFTS:,} shifts of one role: ask for a shorter time.")
    return tuple(s for those in plan.segments(start, end).values() for s in those)


def on_call(team: Team, at: datetime) -> Mapping[Role, Segment]:
    """Return each role's segment at the instant ``at``, with its real boundaries, in the order of ``Role``.

    A segment lasts until the person or the reason changes. Boundaries are looked for at least ``LOOK_AHEAD`` before
    and after ``at``: one further away is as far as was looked, and nothing is known to change there.

    Raises ``InputError`` for an instant without a zone or outside the years 1970 to 2199.
    """
    _check(at)
    return _plan(team).moment(at)


def known_end(team: Team, segment: Segment) -> datetime | None:
    """Return when ``segment``, one of ``on_call``, ends; None for an end that is only where the looking ended."""
    if segment.end >= _LAST:
        return None
    following = on_call(team, segment.end).get(segment.role)
    goes_on = following is not None and (following.person, following.why) == (segment.person, segment.why)
    return None if goes_on else segment.end


def _check(at: datetime) -> None:
    if at.tzinfo is None:
        raise InputError(f"{at.isoformat()} names no zone: add one, or Z for UTC.")
    if not _FIRST <= at < _LAST:
        raise InputError(f"{at.isoformat()} is out of range: schedules are made for the years 1970 to 2199.")


class _Plan:
    """A team's rules made ready, and the blocks of time that were asked for last."""

    def __init__(self, team: Team) -> None:
        holidays = runs(team.holidays)
        self._rings = {
            role: Ring.of(role, rotation, team.time_zone, team.weeks, holidays)
            for role, rotation in team.rotations.items()
            if rotation.members
        }
        self._presence = Presence(team.absences, team.time_zone)
        self._overriding = Overriding(team.overrides, team.time_zone)
        self._covering = Covering(self._rings, self._presence, [person.id for person in team.people])
        self._edges = sorted(self._presence.edges() | self._overriding.edges())
        self._blocks: dict[int, _Segments] = {}
        self._moments: dict[int, _Moments] = {}

    def moment(self, at: datetime) -> Moment:
        """Return each role's segment at ``at``."""
        number = (at - _FIRST) // _BLOCK
        found = self._moments.get(number)
        if found is None:
            found = _moments(self._whole(number), _FIRST + number * _BLOCK)
            _keep(self._moments, number, found, _KEPT_BLOCKS)
        starts, moments = found
        return moments[bisect_right(starts, at) - 1]

    def most_shifts(self, start: datetime, end: datetime) -> int:
        """Return how many shifts the role with the shortest ones has within ``[start, end)``, about."""
        return max((ring.count(start, end) for ring in self._rings.values()), default=0)

    def segments(self, start: datetime, end: datetime) -> _Segments:
        """Return the segments of each role within ``[start, end)``."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        joined = _Joined()
        turns: dict[Role, Turn] = {}
        for (at, role, turn), (following, _, _) in pairwise(self._changes(start, end)):
            # Turns leave no gap: each holds until the next one of its role.
            if role is not None and turn is not None:
                turns[role] = turn
            if at < following:
                joined.add(at, self._covering.settle(at, turns, self._overriding.at(at)))
        return joined.close(end)

    def _changes(self, start: datetime, end: datetime) -> list[_Change]:
        """Return what changes from ``start`` on, in order: turns that begin, and edges; the last is ``end`` itself."""
        edges = self._edges[bisect_right(self._edges, start) : bisect_left(self._edges, end)]
        changes: list[_Change] = [(at, None, None) for at in (start, *edges)]
        for role, ring in self._rings.items():
            changes += [(max(turn.start, start), role, turn) for turn in ring.turns(start, end) if turn.start < end]
        changes.sort(key=itemgetter(0))
        return [*changes, (end, None, None)]

    def _whole(self, number: int) -> _Segments:
        """Return the segments of block ``number`` with their real boundaries."""
        whole = {role: list(those) for role, those in self._block(number).items()}
        for those in whole.values():
            those[0] = self._reaching_back(those[0], number)
            those[-1] = self._reaching_ahead(those[-1], number)
        return whole

    def _reaching_back(self, segment: Segment, number: int) -> Segment:
        """Return ``segment`` of block ``number`` with the start that it has in the blocks before."""
        for earlier in range(number - 1, number - 1 - _LOOK_BLOCKS, -1):
            those = self._block(earlier).get(segment.role)
            if those is None or not _continues(those[-1], segment):
                break
            segment = replace(segment, start=those[-1].start)
        return segment

    def _reaching_ahead(self, segment: Segment, number: int) -> Segment:
        """Return ``segment`` of block ``number`` with the end that it has in the blocks after."""
        for later in range(number + 1, number + 1 + _LOOK_BLOCKS):
            those = self._block(later).get(segment.role)
            if those is None or not _continues(segment, those[0]):
                break
            segment = replace(segment, end=those[0].end)
        return segment

    def _block(self, number: int) -> _Segments:
        """Return the segments within block ``number``, cut at its ends."""
        block = self._blocks.get(number)
        if block is None:
            start = _FIRST + number * _BLOCK
            block = self.segments(start, start + _BLOCK)
            _keep(self._blocks, number, block, _KEPT_BLOCKS)
        return block


def _continues(one: Segment, other: Segment) -> bool:
    return one.end == other.start and one.person == other.person and one.why is other.why


def _moments(segments: _Segments, start: datetime) -> _Moments:
    """Return each role's segment at ``start`` and wherever a segment begins or ends after it."""
    starts = sorted({start, *(t for those in segments.values() for s in those for t in (s.start, s.end) if t > start)})
    places = dict.fromkeys(segments, 0)
    return starts, [
        MappingProxyType({r: s for r, those in segments.items() if (s := _at(those, places, r, at)) is not None})
        for at in starts
    ]


def _at(segments: Sequence[Segment], places: dict[Role, int], role: Role, at: datetime) -> Segment | None:
    """Return the one of ``segments`` at ``at``, which grows: ``places`` keeps where each role's search stands."""
    place = places[role]
    while place < len(segments) and segments[place].end <= at:
        place += 1
    places[role] = place
    return segments[place] if place < len(segments) and segments[place].start <= at else None


class _Joined:
    """Collects who holds what from instant to instant, joining what stays the same."""

    def __init__(self) -> None:
        self._done: dict[Role, list[Segment]] = {}
        self._open: dict[Role, tuple[datetime, Holder]] = {}

    def add(self, at: datetime, held: dict[Role, Holder]) -> None:
        """Say that from ``at`` on, ``held`` is what holds."""
        for role in [r for r, (_, holder) in self._open.items() if held.get(r) != holder]:
            self._end(role, at)
        for role, holder in held.items():
            if role not in self._open:
                self._open[role] = (at, holder)

    def close(self, end: datetime) -> _Segments:
        """Return all segments, the open ones ended at ``end``, in the order of roles."""
        for role in list(self._open):
            self._end(role, end)
        return {role: self._done[role] for role in ORDER if role in self._done}

    def _end(self, role: Role, at: datetime) -> None:
        start, (person, why) = self._open.pop(role)
        self._done.setdefault(role, []).append(Segment(role, person, start, at, why))


_plans: dict[int, tuple[Team, _Plan]] = {}


def _plan(team: Team) -> _Plan:
    """Return the plan of ``team``, kept from the last time where this or an equal team was asked for."""
    # The entry holds the team, so that its id cannot be given to another one while the entry stands.
    kept = _plans.get(id(team))
    if kept is not None and kept[0] is team:
        return kept[1]
    plan = next((p for t, p in list(_plans.values()) if t == team), None) or _Plan(team)
    _keep(_plans, id(team), (team, plan), _KEPT_TEAMS)
    return plan


def _keep(store: dict[int, _T], key: int, value: _T, limit: int) -> None:
    """Put ``value`` into ``store``, forgetting the oldest beyond ``limit``."""
    while len(store) >= limit:
        for oldest in list(store)[:1]:
            # Another thread may have been quicker to forget the same one.
            store.pop(oldest, None)
    store[key] = value
