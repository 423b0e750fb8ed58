"""The times between which an absence, an override or a maintenance window is to hold, as a request says them. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from desktop.server.api.common import Json, exact_instant
from desktop.server.failures import Refused

_YEAR = timedelta(days=366)
# Instants past this have no place in a schedule.
_LAST_YEAR = 2198


def time(part: Json, key: str, errors: list[str]) -> datetime | None:
    """Return the time that ``part`` says under ``key``; when it is none, what is wrong is added to ``errors``."""
    try:
        return exact_instant(part.get(key), key)
    except Refused as error:
        errors.extend(error.errors)
        return None


def misfits(what: str, start: datetime, end: datetime, now: datetime) -> Iterator[str]:
    """Yield why nothing called ``what`` can hold from ``start`` to ``end``."""
    if start >= end:
        yield f"{what} must end after its start"
    elif end <= now:
        yield f"{what} must end in the future"
    elif end - start > _YEAR:
        yield f"{what} must not be longer than a year"
    elif end.year > _LAST_YEAR:
        yield f"{what} must end before the year {_LAST_YEAR + 1}"
