"""What people changed in the application beside the team file: overrides and absences. On a connection, any thread.

They are rows of their own and stay whatever file is applied. Each change of them, and of the file, makes a revision.
"""

from collections.abc import Collection

from sqlalchemy import Connection, select

from desktop.domain.additions import Additions, Leave
from desktop.domain.team import Override, Role
from desktop.server import counters
from desktop.server.tables import additions as tables

_TEAM = "team"


def read(connection: Connection, without: Collection[str] = ()) -> Additions:
    """Return what the rows say, leaving out those whose ids are in ``without``."""
    overrides = connection.execute(select(tables.overrides).order_by(tables.overrides.c.number))
    absences = connection.execute(select(tables.absences).order_by(tables.absences.c.created_at, tables.absences.c.id))
    return Additions(
        tuple(
            Override(Role(o.role), o.person_id, o.starts_at, o.ends_at, o.reason)
            for o in overrides
            if o.id not in without
        ),
        tuple(
            Leave(a.person_id, a.cover_id, a.starts_at, a.ends_at, a.announced_at, a.confirmed_at)
            for a in absences
            if a.id not in without
        ),
    )


def revision(connection: Connection) -> int:
    """Return the number of the latest change to who is in the team or on call, 0 before the first."""
    return counters.latest(connection, _TEAM)


def hold(connection: Connection) -> None:
    """Let nobody else come past here, or make a revision, before this transaction ends."""
    counters.hold(connection, _TEAM)


def advance(connection: Connection) -> int:
    """Make a new revision and return its number. Nobody else can make one before this transaction ends."""
    return counters.advance(connection, _TEAM)
