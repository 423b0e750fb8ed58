"""The number of each change to a handover or an acting primary, in the order of the commits. On a connection."""

from sqlalchemy import Connection, insert, select, update

from desktop.server import schema
from desktop.server.dialects import tell

_NAME = "handover"
_counters = schema.counters.c


def latest(connection: Connection) -> int:
    """Return the number of the latest change, 0 before the first."""
    return connection.execute(select(_counters.value).where(_counters.name == _NAME)).scalar_one_or_none() or 0


def advance(connection: Connection) -> int:
    """Return the number of another change, and tell the other servers at the commit.

    Nobody else can make one before this transaction ends.
    """
    next_one = update(schema.counters).where(_counters.name == _NAME).values(value=_counters.value + 1)
    number = connection.execute(next_one.returning(_counters.value)).scalar_one_or_none()
    if number is None:
        number = 1
        connection.execute(insert(schema.counters).values(name=_NAME, value=number))
    tell(connection, number)
    return int(number)
