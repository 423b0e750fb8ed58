"""Times in a team file: durations, shift lengths, dates, zones. Pure; each reader raises ``Wrong``."""

import re
from datetime import date, datetime, timedelta
from functools import cache
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from desktop.domain.team import Every, Unit
from desktop.team.words import Wrong, nearest, said, text

_DURATION = re.compile(r"(\d{1,9})\s*([a-z]+)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LONG_UNITS = {
    "s": "s", "sec": "s", "second": "s", "m": "m", "min": "m", "minute": "m", "h": "h", "hour": "h",
    "d": "d", "day": "d", "w": "w", "week": "w",
}  # fmt: skip
_SHIFT_UNITS = {"h": Unit.HOURS, "d": Unit.DAYS, "w": Unit.WEEKS}
_LONGEST = timedelta(days=3660)
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*")
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


def duration(value: object) -> timedelta:
    """Return the time that ``"90s"``, ``"15m"``, ``"1h"`` or ``"1 week"`` names; ``"0s"`` is allowed."""
    count, unit = _counted(value, 'a duration: write for example "90s", "15m", "1h" or "1 week"')
    seconds = count * _SECONDS[unit]
    if seconds > _LONGEST.total_seconds():
        raise Wrong(f"{said(value)} is longer than ten years.")
    return timedelta(seconds=seconds)


def positive(value: object) -> timedelta:
    """Return a duration that is longer than nothing."""
    found = duration(value)
    if not found:
        raise Wrong(f"{said(value)} is no time at all: it must be longer than 0s.")
    return found


def every(value: object) -> Every:
    """Return the shift length that ``"12 hours"``, ``"1 day"`` or ``"2 weeks"`` names."""
    count, unit = _counted(value, 'the length of a shift: write for example "12 hours", "1 day" or "1 week"')
    if unit not in _SHIFT_UNITS or count < 1:
        raise Wrong(f'{said(value)} is no length of a shift: write for example "12 hours", "1 day" or "1 week".')
    if count * _SECONDS[unit] > _LONGEST.total_seconds():
        raise Wrong(f"{said(value)} is longer than ten years.")
    return Every(count, _SHIFT_UNITS[unit])


def _counted(value: object, what: str) -> tuple[int, str]:
    """Return the count and the one-letter unit of ``value``."""
    found = _DURATION.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    unit = _LONG_UNITS.get(found[2]) or _LONG_UNITS.get(found[2].removesuffix("s")) if found else None
    if found is None or unit is None:
        raise Wrong(f"{said(value)} is not {what}.")
    return int(found[1]), unit


def day(value: object) -> date:
    """Return the date that ``value`` is; a time of day is one mistake, quotes another."""
    if isinstance(value, datetime):
        raise Wrong(f"is a date without a time: write {value.date().isoformat()}.")
    if not isinstance(value, date):
        raise Wrong(_no_date(value, "2026-01-05"))
    return _in_range(value)


def moment(value: object) -> datetime:
    """Return the date and time that ``value`` is: on the team's wall clock, unless it names an offset."""
    if not isinstance(value, datetime):
        if isinstance(value, date):
            raise Wrong(f"needs a time of day: write for example {value.isoformat()}T09:00:00.")
        raise Wrong(_no_date(value, "2026-01-05T09:00:00"))
    return _in_range(value)


def _no_date(value: object, example: str) -> str:
    if not isinstance(value, str):
        return f"expected a date like {example}, not {said(value)}."
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return f"{said(value)} is not in the calendar: write a date like {example}."
    return f"{said(value)}: write it without quotes, like {example if 'T' in example else found.date().isoformat()}."


_D = TypeVar("_D", bound=date)


def _in_range(value: _D) -> _D:
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise Wrong(f"{value.isoformat()} is out of range: use the years {_FIRST_YEAR} to {_LAST_YEAR}.")
    return value


def zone(value: object) -> ZoneInfo:
    """Return the IANA time zone called ``value``."""
    name = text(value)
    if not _ZONE.fullmatch(name):
        raise Wrong(f"{said(name)} is no IANA time zone: write for example America/Los_Angeles.")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        # A folder of the database, such as "America", is an OSError.
        raise Wrong(f"{said(name)} is no IANA time zone", nearest(name, *_zones_and_cities())) from error


@cache
def _zones_and_cities() -> tuple[frozenset[str], dict[str, str]]:
    zones = available_timezones()
    return frozenset(zones), {zone.rpartition("/")[2]: zone for zone in sorted(zones, reverse=True)}
