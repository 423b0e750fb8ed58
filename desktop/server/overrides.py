"""Overrides that people make: rows of their own, which applying a team file never touches. On a connection.

Of two that overlap the one made last holds, and any of them over those in the team file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, delete, insert, select, update

from desktop.domain.rotation import schedule
from desktop.domain.team import Override, Role, Team
from desktop.server import additions
from desktop.server.records import new_id
from desktop.server.tables.additions import overrides as _table
from desktop.server.tables.handovers import silence_replies


@dataclass(frozen=True, slots=True)
class Kept:
    """An override as its row says; the instants of ``override`` are aware."""

    id: str
    override: Override
    created_at: datetime
    created_by: str


def add(connection: Connection, wanted: Sequence[Override], actor: str, now: datetime) -> list[Kept]:
    """Keep ``wanted`` (aware instants) in this order, made by ``actor`` (as in a log entry)."""
    made = [Kept(new_id(), override, now, actor) for override in wanted]
    for kept in made:
        connection.execute(insert(_table).values({**_row(kept), "number": additions.advance(connection)}))
    return made


def find(connection: Connection, role: Role, override_id: str) -> Kept | None:
    """Return the override of ``role`` called ``override_id``, None when there is none."""
    asked = select(_table).where(_table.c.id == override_id, _table.c.role == role.value)
    row = connection.execute(asked).one_or_none()
    return None if row is None else _kept(row)


def within(connection: Connection, role: Role, start: datetime, end: datetime) -> list[Kept]:
    """Return the overrides of ``role`` that touch ``[start, end)``, in the order in which they were made."""
    asked = select(_table).where(_table.c.role == role.value, _table.c.starts_at < end, _table.c.ends_at > start)
    return [_kept(row) for row in connection.execute(asked.order_by(_table.c.number))]


def remove(connection: Connection, override_id: str) -> None:
    """Take back an override that has not begun."""
    connection.execute(delete(_table).where(_table.c.id == override_id))
    additions.advance(connection)


def end(connection: Connection, override_id: str, now: datetime) -> None:
    """End an override that has begun: what was is not changed."""
    connection.execute(update(_table).where(_table.c.id == override_id).values(ends_at=now))
    additions.advance(connection)


def made_by(connection: Connection, kept: Kept, person: str) -> bool:
    """Tell whether ``person`` made an override of their own accord: acting as primary, they said yes to a watch."""
    replies = silence_replies.c
    if kept.created_by != f"person:{person}":
        return False
    return connection.execute(select(replies.number).where(replies.override_id == kept.id)).first() is None


def own_shift(team: Team, person: str, override: Override) -> bool:
    """Tell whether ``person`` has the role of ``override`` (aware instants) for all of its time."""
    segments = [s for s in schedule(team, override.start, override.end) if s.role is override.role]
    covered = sum((s.end - s.start for s in segments), start=override.start - override.start)
    return covered == override.end - override.start and all(s.person == person for s in segments)


def _row(kept: Kept) -> dict[str, object]:
    return {
        "id": kept.id,
        "role": kept.override.role.value,
        "person_id": kept.override.person,
        "starts_at": kept.override.start,
        "ends_at": kept.override.end,
        "reason": kept.override.reason,
        "created_at": kept.created_at,
        "created_by": kept.created_by,
    }


def _kept(row: Row[tuple[object, ...]]) -> Kept:
    found = Override(Role(row.role), row.person_id, row.starts_at, row.ends_at, row.reason)
    return Kept(row.id, found, row.created_at, row.created_by)
