"""Business hours: Monday to Friday, 09:00 to 17:00 in the team's zone, no holiday. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_OPENS, _CLOSES = time(9), time(17)
_SATURDAY = 5
# Longer than any run of holidays; past it a calendar without a working day gives up waiting.
_LOOK_AHEAD_DAYS = 60


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """The hours in which a step that waits for them may fire (design, section 3)."""

    zone: ZoneInfo
    holidays: frozenset[date] = frozenset()

    def next_open(self, at: datetime) -> datetime:
        """Return ``at`` when it lies within business hours, else the next opening, in UTC."""
        local = at.astimezone(self.zone)
        for ahead in range(_LOOK_AHEAD_DAYS):
            day = local.date() + timedelta(days=ahead)
            opens = datetime.combine(day, _OPENS, self.zone).astimezone(UTC)
            closes = datetime.combine(day, _CLOSES, self.zone).astimezone(UTC)
            if self._works(day) and at < closes:
                return max(at.astimezone(UTC), opens)
        return at.astimezone(UTC)

    def _works(self, day: date) -> bool:
        return day.weekday() < _SATURDAY and day not in self.holidays
