"""Whose turn it is: one role's ring on the wall clock, with explicit rows and holidays; no absences yet. Pure.

Source of the rules: design, section 3, "Rotation", its first three points.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from desktop.domain.segments import Why
from desktop.domain.team import Every, Role, Rotation, Week
from desktop.domain.wall import clock, instant

_DAY = timedelta(days=1)
# No clock change moves the wall clock further (Samoa skipped a whole day in 2011).
_CLOCK_CHANGE = timedelta(hours=25)

Run = tuple[date, date]
"""The first and last day of holidays that follow each other without a gap."""


class Turn(NamedTuple):
    """``person``'s turn in ``[start, end)``; covering reads the ring backwards from shift number ``shift``."""

    start: datetime
    end: datetime
    person: str
    why: Why
    shift: int


@dataclass(frozen=True, slots=True)
class _Span:
    """A run of holidays as the role lives it: from handover to handover, covered by ``person``."""

    start: datetime
    end: datetime
    person: str
    shift: int


def length(every: Every) -> timedelta:
    """Return how long a shift lasts on the wall clock."""
    return timedelta(**{every.unit.value: every.count})


def shifts_on(rotation: Rotation, day: date) -> range:
    """Return the numbers of the shifts that start on ``day``: one, none, or several where shifts are of hours."""
    every = length(rotation.every)
    midnight = datetime.combine(day, time())
    first = -((rotation.start - midnight) // every)
    after = -((rotation.start - midnight - _DAY) // every)
    return range(max(first, 0), max(after, 0))


def runs(holidays: Iterable[date]) -> tuple[Run, ...]:
    """Return the runs of ``holidays``, in order."""
    found: list[Run] = []
    for day in sorted(holidays):
        if found and day - found[-1][1] <= _DAY:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return tuple(found)


class Ring:
    """One role's rotation, made ready for questions. It holds no state that changes an answer."""

    def __init__(
        self, rotation: Rotation, zone: ZoneInfo, rows: Mapping[int, str], holidays: Sequence[Run] = ()
    ) -> None:
        """``rows`` are explicit engineers by shift number; ``holidays`` are runs, in order."""
        self.members = rotation.members
        self._start = rotation.start
        self._zone = zone
        self._every = length(rotation.every)
        self._rows = rows
        self._row_numbers = sorted(rows)
        # Shifts shorter than a day work through holidays.
        self._runs = holidays if self._every >= _DAY else ()

    @classmethod
    def of(
        cls, role: Role, rotation: Rotation, zone: ZoneInfo, weeks: Iterable[Week], holidays: Sequence[Run]
    ) -> "Ring":
        """Return the ring of ``role`` with its part of ``weeks`` (of two rows for one shift the later counts)."""
        start = rotation.start if rotation.start.tzinfo is None else clock(rotation.start, zone)
        rotation = Rotation(rotation.members, start, rotation.every)
        rows = {n: w.people[role] for w in weeks if role in w.people for n in shifts_on(rotation, w.start)}
        return cls(rotation, zone, rows, holidays)

    def engineer(self, shift: int) -> str:
        """Return whose turn shift number ``shift`` is; the ring is read backwards for negative ones."""
        return self._rows.get(shift) or self.members[shift % len(self.members)]

    def earlier(self, shift: int) -> Iterator[str]:
        """Yield the other engineers of the shifts before ``shift``, the nearest first, each once."""
        met = {self.engineer(shift)}
        for person in self._backwards(shift):
            if person not in met:
                met.add(person)
                yield person

    def count(self, start: datetime, end: datetime) -> int:
        """Return how many shifts begin within ``[start, end)``, about."""
        return (end - start) // self._every

    def turns(self, start: datetime, end: datetime) -> Iterator[Turn]:
        """Yield the turns that touch ``[start, end)``, in order, without gaps; none before the first shift.

        They may reach beyond the window, where holidays are not looked at.
        """
        spans = deque(self._spans(start, end))
        low = self._number(clock(start, self._zone) - _CLOCK_CHANGE)
        high = self._number(clock(end, self._zone) + _CLOCK_CHANGE)
        begins = self._begins(max(low, 0))
        for shift in range(max(low, 0), high + 1):
            ends = self._begins(shift + 1)
            # A shift that a clock change swallowed has no length: it is skipped, its turn used up.
            if begins < ends and begins < end and ends > start:
                while spans and spans[0].end <= begins:
                    spans.popleft()
                turn = Turn(begins, ends, self.engineer(shift), self._why(shift), shift)
                yield from _around_holidays(turn, spans) if spans and spans[0].start < ends else (turn,)
            begins = ends

    def _backwards(self, shift: int) -> Iterator[str]:
        """Yield the engineers before ``shift``: shift by shift until all of the ring were met, then those of rows."""
        to_meet = set(self.members)
        while to_meet:
            shift -= 1
            person = self.engineer(shift)
            to_meet.discard(person)
            yield person
        for row in reversed(self._row_numbers[: bisect_left(self._row_numbers, shift)]):
            yield self._rows[row]

    def _number(self, wall: datetime) -> int:
        return (wall - self._start) // self._every

    def _begins(self, shift: int) -> datetime:
        return instant(self._start + shift * self._every, self._zone)

    def _why(self, shift: int) -> Why:
        return Why.WEEK if shift in self._rows else Why.ROTATION

    def _spans(self, start: datetime, end: datetime) -> Iterator[_Span]:
        """Yield the runs of holidays near ``[start, end)`` that somebody else than the engineer can cover."""
        handover = self._start.time()
        first_day = clock(start, self._zone).date() - 2 * _DAY
        last_day = clock(end, self._zone).date() + 2 * _DAY
        index = bisect_left(self._runs, first_day, key=lambda run: run[1])
        while index < len(self._runs) and self._runs[index][0] <= last_day:
            first, last = self._runs[index]
            index += 1
            begins = datetime.combine(first, handover)
            shift = self._number(begins)
            other = next(self.earlier(shift), None)
            if other is not None:
                until = instant(datetime.combine(last + _DAY, handover), self._zone)
                yield _Span(instant(begins, self._zone), until, other, shift)


def _around_holidays(turn: Turn, spans: Iterable[_Span]) -> Iterator[Turn]:
    """Yield what holidays leave of ``turn``, and between that the turns of those who cover them."""
    at = turn.start
    for span in spans:
        if span.start >= turn.end:
            break
        # Whoever covers a run and comes to their own turn within it simply has their turn.
        if span.person == turn.person:
            continue
        if at < span.start:
            yield turn._replace(start=at, end=span.start)
        until = min(turn.end, span.end)
        yield Turn(max(at, span.start), until, span.person, Why.HOLIDAY, span.shift)
        at = until
    if at < turn.end:
        yield turn._replace(start=at)
