"""Times as the document writes them, ``Sat 2026-01-10 23:40`` and ``1 h 30 min``, read strictly and shown. Pure."""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from desktop.domain.wall import clock, instant

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
NONE = "–"
_SECOND = " (second time)"
_DAY = re.compile(r"([A-Z][a-z]{2}) (\d{4}-\d\d-\d\d)")
_SPAN = re.compile(r"(?:(\d+) h)?(?: )?(?:(\d+) min)?")


class Wrong(ValueError):
    """Something in the document that cannot be meant so; the message says what."""


def day(text: str) -> date:
    """Return the date of ``Mon 2026-01-05``; the name of the day must be its own."""
    found = _DAY.fullmatch(text)
    if found is None:
        raise Wrong(f'"{text}" is not written like Mon 2026-01-05')
    try:
        value = date.fromisoformat(found[2])
    except ValueError as error:
        raise Wrong(f"{found[2]} is not in the calendar") from error
    if show_day(value) != text:
        raise Wrong(f"{found[2]} is a {DAYS[value.weekday()]}, not a {found[1]}")
    return value


def moment(text: str, zone: ZoneInfo) -> datetime:
    """Return the instant (UTC) at which a clock in ``zone`` shows ``Mon 2026-01-05 09:00``.

    A time that the clock skips is wrong; of one that it shows twice the first is meant, unless the text says otherwise.
    """
    plain = text.removesuffix(_SECOND)
    date_text, _, time_text = plain.rpartition(" ")
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", time_text):
        raise Wrong(f'"{text}" is not written like Mon 2026-01-05 09:00')
    wall = datetime.combine(day(date_text), time.fromisoformat(time_text))
    at = wall.replace(tzinfo=zone, fold=1).astimezone(UTC) if plain != text else instant(wall, zone)
    if clock(at, zone) != wall or show(at, zone) != text:
        raise Wrong(f"no clock in {zone.key} shows {text}")
    return at


def show(at: datetime, zone: ZoneInfo) -> str:
    """Return the instant ``at`` as a clock in ``zone`` shows it, with the day's name; whole minutes only."""
    local = at.astimezone(zone)
    if local.second or local.microsecond:
        raise Wrong(f"{local.isoformat()} is no whole minute")
    return f"{show_day(local.date())} {local:%H:%M}{_SECOND if local.fold else ''}"


def show_day(value: date) -> str:
    """Return ``value`` with the day's name."""
    return f"{DAYS[value.weekday()]} {value.isoformat()}"


def span(text: str) -> timedelta:
    """Return the time that ``15 min``, ``1 h`` or ``1 h 30 min`` lasts."""
    found = _SPAN.fullmatch(text)
    value = timedelta(hours=int(found[1] or 0), minutes=int(found[2] or 0)) if found and text else None
    if value is None or show_span(value) != text:
        raise Wrong(f'"{text}" is no time like 15 min, 1 h or 1 h 30 min')
    return value


def show_span(value: timedelta | None) -> str:
    """Return how long ``value`` is, in hours and minutes; a dash for None."""
    if value is None:
        return NONE
    hours, rest = divmod(value, HOUR)
    minutes, seconds = divmod(rest, MINUTE)
    if seconds:
        raise Wrong(f"{value} is no whole minute")
    parts = [f"{hours} h"] * bool(hours) + [f"{minutes} min"] * bool(minutes)
    return " ".join(parts) or "0 min"
