"""Business hours: Monday to Friday, 09:00 to 17:00 in the team's zone, no holiday. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_OPENS, _CLOSES = time(9), time(17)
_SATURDAY = 5
# A year without a working day is no calendar of a team: it gives up waiting rather than never fire.
_LOOK_AHEAD_DAYS = 366


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """The hours in which a step that waits for them may fire (design, section 3)."""

    zone: ZoneInfo
    holidays: frozenset[date] = frozenset()

    def next_open(self, at: datetime) -> datetime:
        """Return ``at`` when it lies within business hours, else the next opening, in UTC."""
        today = at.astimezone(self.zone).date()
        for day in (today + timedelta(days=ahead) for ahead in range(_LOOK_AHEAD_DAYS)):
            # Asked first: a long run of holidays then costs hardly anything.
            if self._works(day) and at < self._at(day, _CLOSES):
                return max(at.astimezone(UTC), self._at(day, _OPENS))
        return at.astimezone(UTC)

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone).astimezone(UTC)

    def _works(self, day: date) -> bool:
        return day.weekday() < _SATURDAY and day not in self.holidays
