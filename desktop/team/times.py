"""Times in a team file: durations, shift lengths, dates, zones. Pure; each reader raises ``Wrong``."""

import re
from collections.abc import Collection
from datetime import date, datetime, timedelta
from functools import cache
from typing import TypeVar
from zoneinfo import ZoneInfo, available_timezones

from desktop.domain.team import Every, Unit
from desktop.team.words import Near, Wrong, nearest, said, text

_DURATION = re.compile(r"(\d{1,9})\s*([a-z]+)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LONG_UNITS = {
    "s": "s", "sec": "s", "second": "s", "m": "m", "min": "m", "minute": "m", "h": "h", "hour": "h",
    "d": "d", "day": "d", "w": "w", "week": "w",
}  # fmt: skip
_LONG_NAMES = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
_SHIFT_UNITS = {"h": Unit.HOURS, "d": Unit.DAYS, "w": Unit.WEEKS}
_LONGEST = timedelta(days=3660)
# Names of the database that are no place's time: what this machine happens to be set to, and what it is before it is
# set; and the time zones that count leap seconds.
_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})
_NO_FOLDERS = ("right/", "posix/")
_SHORTEST_TARGET = timedelta(seconds=30)
_FIRST_YEAR, _LAST_YEAR = 1970, 2199


def duration(value: object) -> timedelta:
    """Return the time that ``"90s"``, ``"15m"``, ``"1h"`` or ``"1 week"`` names; ``"0s"`` is allowed."""
    count, unit = _counted(value, "a duration", '"90s", "15m", "1h" or "1 week"', _SECONDS)
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


def target(value: object) -> timedelta:
    """Return within which time to acknowledge: 30 s at least, as the server pages again no sooner than that."""
    found = duration(value)
    if found < _SHORTEST_TARGET:
        raise Wrong(f"{said(value)} is too short to be answered in: it must be 30s at least.")
    return found


def every(value: object) -> Every:
    """Return the shift length that ``"12 hours"``, ``"1 day"`` or ``"2 weeks"`` names."""
    examples = '"12 hours", "1 day" or "1 week"'
    count, unit = _counted(value, "the length of a shift", examples, _SHIFT_UNITS)
    if unit not in _SHIFT_UNITS or count < 1:
        raise Wrong(f"{said(value)} is no length of a shift: write for example {examples}.")
    if count * _SECONDS[unit] > _LONGEST.total_seconds():
        raise Wrong(f"{said(value)} is longer than ten years.")
    return Every(count, _SHIFT_UNITS[unit])


def _counted(value: object, what: str, examples: str, units: Collection[str]) -> tuple[int, str]:
    """Return the count and the one-letter unit of ``value``; those that are meant are among ``units``."""
    found = _DURATION.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    otherwise = f"write for example {examples}"
    if found is None:
        raise Wrong(f"{said(value)} is not {what}: {otherwise}.")
    unit = _LONG_UNITS.get(found[2]) or _LONG_UNITS.get(found[2].removesuffix("s"))
    if unit is None:
        near = _near_unit(int(found[1]), found[2].removesuffix("s"), units, otherwise)
        raise Wrong(f"{said(value)} is not {what}", near)
    return int(found[1]), unit


def _near_unit(count: int, word: str, units: Collection[str], otherwise: str) -> Near:
    """Return the durations of ``count`` that ``word`` may have meant the unit of."""
    names = {_LONG_NAMES[unit]: f"{count} {_LONG_NAMES[unit]}{'' if count == 1 else 's'}" for unit in units}
    return nearest(word, (), names, otherwise=otherwise)


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
    zones, cities = _zones_and_cities()
    if name not in zones:
        otherwise = "write for example America/Los_Angeles, Europe/Berlin or UTC"
        raise Wrong(f"{said(name)} is no IANA time zone", nearest(name, zones, cities, otherwise=otherwise))
    return ZoneInfo(name)


@cache
def _zones_and_cities() -> tuple[frozenset[str], dict[str, str]]:
    zones = {zone for zone in available_timezones() - _NO_ZONES if not zone.startswith(_NO_FOLDERS)}
    return frozenset(zones), {zone.rpartition("/")[2]: zone for zone in sorted(zones, reverse=True)}
