"""Hours out of hours, on a person's own clock. Pure; instants are aware, results are in UTC.

Out of hours is what is not Monday to Friday, 09:00 to 17:00, in the person's zone, or is a holiday of the team.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from desktop.domain.wall import clock, instant

_OPENS, _CLOSES = time(9), time(17)
_SATURDAY, _DAY, _ZERO = 5, timedelta(days=1), timedelta(0)

Span = tuple[datetime, datetime]
"""``[start, end)``."""


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """One person's business hours."""

    zone: ZoneInfo
    holidays: Collection[date] = ()

    def out(self, at: datetime) -> bool:
        """Tell whether ``at`` is out of hours."""
        wall = clock(at, self.zone)
        return not (self._works(wall.date()) and _OPENS <= wall.time() < _CLOSES)

    def time_out(self, spans: Iterable[Span]) -> timedelta:
        """Return how much of ``spans`` is out of hours; what overlaps counts once."""
        return sum((end - start - self._in_hours(start, end) for start, end in union(spans)), _ZERO)

    def _in_hours(self, start: datetime, end: datetime) -> timedelta:
        found = _ZERO
        day, last = clock(start, self.zone).date(), clock(end, self.zone).date()
        while day <= last:
            if self._works(day):
                opens = instant(datetime.combine(day, _OPENS), self.zone)
                closes = instant(datetime.combine(day, _CLOSES), self.zone)
                found += max(min(end, closes) - max(start, opens), _ZERO)
            day += _DAY
        return found

    def _works(self, day: date) -> bool:
        return day.weekday() < _SATURDAY and day not in self.holidays


def union(spans: Iterable[Span]) -> list[Span]:
    """Return ``spans`` joined, sorted and in UTC; empty ones are left out."""
    joined: list[Span] = []
    for start, end in sorted((s.astimezone(UTC), e.astimezone(UTC)) for s, e in spans if s < e):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((start, end))
    return joined


def clipped(span: Span, start: datetime, end: datetime) -> Span:
    """Return the part of ``span`` within ``[start, end)``; it may be empty."""
    return max(span[0], start), min(span[1], end)
