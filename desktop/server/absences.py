"""Absences that people announce in the application: rows of their own, like overrides. On a connection.

When each holds is a rule (``domain.additions``): announced 14 days ahead at once, later once the cover or a manager
said yes.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, delete, insert, select, update

from desktop.domain.additions import Leave, held
from desktop.domain.team import Absence
from desktop.server import additions
from desktop.server.records import new_id
from desktop.server.tables.additions import absences as _table


@dataclass(frozen=True, slots=True)
class Kept:
    """An absence as its row says; ``confirmed_by`` and ``created_by`` as in a log entry, "" where nobody did."""

    id: str
    leave: Leave
    confirmed_by: str
    created_by: str

    def held(self, zone: ZoneInfo) -> Absence | None:
        """Return the absence that it is by now, None while it waits for a yes."""
        return held(self.leave, zone)


def add(connection: Connection, leave: Leave, actor: str) -> Kept:
    """Keep an absence, announced by ``actor``."""
    kept = Kept(new_id(), leave, "", actor)
    row = {
        "id": kept.id,
        "person_id": leave.person,
        "cover_id": leave.cover,
        "starts_at": leave.start,
        "ends_at": leave.end,
        "announced_at": leave.announced,
        "confirmed_at": leave.confirmed,
        "created_at": leave.announced,
        "created_by": actor,
    }
    connection.execute(insert(_table).values(row))
    additions.advance(connection)
    return kept


def find(connection: Connection, absence_id: str) -> Kept | None:
    """Return the absence called ``absence_id``, None when there is none."""
    row = connection.execute(select(_table).where(_table.c.id == absence_id)).one_or_none()
    return None if row is None else _kept(row)


def within(connection: Connection, start: datetime, end: datetime) -> list[Kept]:
    """Return the absences that touch ``[start, end)``, by time."""
    asked = select(_table).where(_table.c.starts_at < end, _table.c.ends_at > start)
    return [_kept(row) for row in connection.execute(asked.order_by(_table.c.starts_at, _table.c.id))]


def confirm(connection: Connection, absence_id: str, actor: str, now: datetime) -> None:
    """Keep that ``actor`` said yes."""
    said = {"confirmed_at": now, "confirmed_by": actor}
    connection.execute(update(_table).where(_table.c.id == absence_id).values(said))
    additions.advance(connection)


def remove(connection: Connection, absence_id: str) -> None:
    """Withdraw an absence that has not begun to hold."""
    connection.execute(delete(_table).where(_table.c.id == absence_id))
    additions.advance(connection)


def end(connection: Connection, absence_id: str, now: datetime) -> None:
    """End an absence that holds: what was is not changed."""
    connection.execute(update(_table).where(_table.c.id == absence_id).values(ends_at=now))
    additions.advance(connection)


def _kept(row: Row[tuple[object, ...]]) -> Kept:
    leave = Leave(row.person_id, row.cover_id, row.starts_at, row.ends_at, row.announced_at, row.confirmed_at)
    return Kept(row.id, leave, row.confirmed_by or "", row.created_by)
