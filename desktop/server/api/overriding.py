"""An override as a request asks for it, and as an answer shows it. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from desktop.domain.team import Override, Role, Team
from desktop.domain.text import plain
from desktop.domain.wall import instant as on_the_wall
from desktop.server import things
from desktop.server.api.common import Json, exact_instant
from desktop.server.directory import Directory
from desktop.server.failures import Refused
from desktop.server.overrides import Kept

FILE = "file-"
"""How the ids of overrides begin that stand in the team file."""

_YEAR = timedelta(days=366)
_REASON_LIMIT = 500
# Instants past this have no place in a schedule.
_LAST_YEAR = 2198


def read(directory: Directory, role: Role, part: Json, now: datetime) -> tuple[Override | None, list[str]]:
    """Return the override that ``part`` asks for, or all that is wrong with it.

    What is past is not rewritten: one that begins before ``now`` begins now.
    """
    errors: list[str] = []
    start, end = _time(part, "start", errors), _time(part, "end", errors)
    person, reason = _person(directory, part, errors), _reason(part, errors)
    if start is not None and end is not None:
        errors += _misfits(start, end, now)
    if errors or start is None or end is None:
        return None, errors
    return Override(role, person, max(start, now), end, reason), []


def shown(directory: Directory, kept: Kept, start: datetime | None = None, end: datetime | None = None) -> Json:
    """Return an override, cut to ``[start, end)`` where they are given."""
    override = kept.override
    return {
        "id": kept.id,
        "start": things.instant(override.start if start is None else max(start, override.start)),
        "end": things.instant(override.end if end is None else min(end, override.end)),
        "user": things.user(directory, override.person, full=False),
        "watchbell": {
            "reason": override.reason,
            "origin": "file" if kept.id.startswith(FILE) else "application",
            "created_at": things.instant(kept.created_at),
            "created_by": kept.created_by,
        },
    }


def summary(kept: Kept) -> Json:
    """Return what the audit log says of an override."""
    override = kept.override
    return {
        "role": override.role.value,
        "person": override.person,
        "start": things.instant(override.start),
        "end": things.instant(override.end),
        "reason": override.reason,
    }


def of_the_file(file: Team, role: Role, start: datetime, end: datetime, applied_at: datetime) -> Iterator[Kept]:
    """Yield the overrides of ``role`` that stand in the team ``file`` and touch ``[start, end)``."""
    for number, override in enumerate(file.overrides, 1):
        begins, ends = (on_the_wall(at, file.time_zone) for at in (override.start, override.end))
        if override.role is role and begins < end and ends > start:
            found = Override(role, override.person, begins, ends, override.reason)
            yield Kept(f"{FILE}{number}", found, applied_at, "file")


def _misfits(start: datetime, end: datetime, now: datetime) -> Iterator[str]:
    if start >= end:
        yield "Override must end after its start"
    elif end <= now:
        yield "Override must end in the future"
    elif end - start > _YEAR:
        yield "Override must not be longer than a year"
    elif end.year > _LAST_YEAR:
        yield f"Override must end before the year {_LAST_YEAR + 1}"


def _time(part: Json, key: str, errors: list[str]) -> datetime | None:
    value = part.get(key)
    try:
        found = exact_instant(value, key)
    except Refused as error:
        errors.extend(error.errors)
        return None
    return found


def _person(directory: Directory, part: Json, errors: list[str]) -> str:
    user = part.get("user")
    wanted = user.get("id") if isinstance(user, dict) else None
    known = directory.people.get(wanted) if isinstance(wanted, str) else None
    if known is None or not known.active or known.contact:
        errors.append(f"user: there is no {plain(wanted, 80)!r}" if isinstance(wanted, str) else "user has no id")
        return ""
    return known.id


def _reason(part: Json, errors: list[str]) -> str:
    value = part.get("reason")
    if not isinstance(value, str | None) or len(value or "") > _REASON_LIMIT:
        errors.append(f"reason must be a text of at most {_REASON_LIMIT} characters")
        return ""
    return value or ""
