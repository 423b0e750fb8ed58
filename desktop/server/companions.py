"""Who is paged beside whoever holds a role, as rows. On a connection, any thread.

That is both sides of a handover from the yes until it is done, and the secondary while the primary is silent. Nobody is
on call by this: the schedule alone says who is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from desktop.domain.team import Role
from desktop.server import additions
from desktop.server.tables import handovers as tables

_table = tables.companions


@dataclass(frozen=True, slots=True)
class Companion:
    """``person`` is paged with whoever holds ``role``, until ``ends_at`` (None: until it is taken back)."""

    role: Role
    person: str
    ends_at: datetime | None = None


def read(connection: Connection) -> tuple[Companion, ...]:
    """Return all of them, in an order that is always the same."""
    rows = connection.execute(select(_table).order_by(_table.c.source, _table.c.role, _table.c.person_id))
    return tuple(Companion(Role(row.role), row.person_id, row.ends_at) for row in rows)


def keep(connection: Connection, source: str, wanted: Sequence[Companion]) -> None:
    """Let those of ``source`` be ``wanted``; every server takes it up like another schedule."""
    rows = connection.execute(select(_table).where(_table.c.source == source)).all()
    if {Companion(Role(r.role), r.person_id, r.ends_at) for r in rows} == set(wanted):
        return
    connection.execute(delete(_table).where(_table.c.source == source))
    for each in dict.fromkeys(wanted):
        row = {"source": source, "role": each.role.value, "person_id": each.person, "ends_at": each.ends_at}
        connection.execute(insert(_table).values(row))
    additions.advance(connection)
