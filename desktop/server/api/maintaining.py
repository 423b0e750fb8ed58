"""A maintenance window as a request asks for it, and as an answer shows it. Pure."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from desktop.server import escalations, things
from desktop.server.api.common import Json, exact_instant
from desktop.server.directory import Directory
from desktop.server.failures import Refused, invalid
from desktop.server.records import new_id
from desktop.server.roster import Roster
from desktop.server.windows import Window

_LONGEST = timedelta(days=366)
_TEXT_LIMIT = 1_000
_MOST_SERVICES = 500
_STATES = ("past", "future", "ongoing", "open", "all")


def new(directory: Directory, part: Json, actor: str, now: datetime) -> Window:
    """Return the window that ``part`` asks for, beginning now at the soonest; refused with all that is wrong."""
    missing = [f"{name} is missing" for name in ("start_time", "end_time", "services") if part.get(name) is None]
    if missing:
        raise invalid(*missing)
    return changed(directory, Window("P" + new_id()[1:], 0, now, now, "", (), now, actor), part, now)


def changed(directory: Directory, window: Window, part: Json, now: datetime) -> Window:
    """Return what ``part`` makes of ``window``; what is past of it is not rewritten, and stays when nothing is said."""
    errors: list[str] = []
    start = _time(part, "start_time", errors) or window.start
    begun = window.number and window.start <= now
    found = replace(
        window,
        start=window.start if begun else max(start, now),
        end=_time(part, "end_time", errors) or window.end,
        description=_text(part, window.description, errors),
        services=_services(directory, part, window.services, errors),
    )
    if not errors and found.end <= max(found.start, now):
        errors.append("end_time must be in the future, and after start_time")
    if not errors and found.end - found.start > _LONGEST:
        errors.append("a maintenance window must not be longer than a year")
    if errors:
        raise invalid(*errors)
    return found


def shown(window: Window, directory: Directory, roster: Roster, include: Collection[str] = ()) -> Json:
    """Return a window as PagerDuty shows it; ``include`` names what is given whole (services, users)."""
    summary = window.description or "Maintenance"
    ref = things.reference(directory, "maintenance_window", window.id, summary, "maintenance_windows")
    person = window.created_by.removeprefix("person:")
    return ref | {
        "type": "maintenance_window",
        "sequence_number": window.number,
        "start_time": things.instant(window.start),
        "end_time": things.instant(window.end),
        "description": window.description,
        "services": [
            escalations.service(directory, roster, service, full="services" in include) for service in window.services
        ],
        "teams": [],
        "created_by": things.user(directory, person, full="users" in include),
    }


def summary(window: Window) -> Json:
    """Return what the audit log says of a window."""
    return {
        "start": things.instant(window.start),
        "end": things.instant(window.end),
        "services": list(window.services),
        "description": window.description,
    }


def check_state(state: str | None) -> None:
    """Refuse a word that says of no window in which state it is."""
    if state is not None and state not in _STATES:
        raise invalid(f"filter must be one of {', '.join(_STATES)}")


def in_state(window: Window, state: str | None, now: datetime) -> bool:
    """Tell whether a window is past, future, ongoing, or open (one of the latter two)."""
    if state == "past":
        return window.end <= now
    if state == "future":
        return window.start > now
    if state == "ongoing":
        return window.start <= now < window.end
    return state != "open" or window.end > now


def _time(part: Json, key: str, errors: list[str]) -> datetime | None:
    value = part.get(key)
    if value is None:
        return None
    try:
        found = exact_instant(value, key)
    except Refused as error:
        errors.extend(error.errors)
        return None
    if not 1970 <= found.year < 2199:
        errors.append(f"{key} is out of range")
        return None
    return found


def _text(part: Json, was: str, errors: list[str]) -> str:
    value: Any = part.get("description")
    if value is None:
        return was
    if not isinstance(value, str) or len(value) > _TEXT_LIMIT:
        errors.append(f"description must be a text of at most {_TEXT_LIMIT} characters")
        return was
    return value


def _services(directory: Directory, part: Json, was: tuple[str, ...], errors: list[str]) -> tuple[str, ...]:
    value = part.get("services")
    if value is None:
        return was
    if not isinstance(value, list) or not 1 <= len(value) <= _MOST_SERVICES:
        errors.append(f"services must be a list of 1 to {_MOST_SERVICES} services")
        return was
    names = [each.get("id") if isinstance(each, dict) else None for each in value]
    for name in names:
        known = directory.services.get(name) if isinstance(name, str) else None
        if known is None or not known.active:
            errors.append(f"there is no service {name[:80]!r}" if isinstance(name, str) else "a service has no id")
    return tuple(sorted({name for name in names if isinstance(name, str)}))
