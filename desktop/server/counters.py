"""Numbers that are given out in the order of the commits, one row of ``counters`` each. On a connection, any thread."""

from sqlalchemy import Connection, insert, select, update

from desktop.server import schema
from desktop.server.dialects import tell

_counters = schema.counters.c


def latest(connection: Connection, name: str) -> int:
    """Return the number that was given out last, 0 before the first."""
    return connection.execute(select(_counters.value).where(_counters.name == name)).scalar_one_or_none() or 0


def hold(connection: Connection, name: str) -> None:
    """Let nobody else come past here, or take a number, before this transaction ends."""
    connection.execute(select(_counters.value).where(_counters.name == name).with_for_update())


def advance(connection: Connection, name: str) -> int:
    """Return another number, and tell the other servers at the commit.

    Nobody else can take one before this transaction ends.
    """
    next_one = update(schema.counters).where(_counters.name == name).values(value=_counters.value + 1)
    number = connection.execute(next_one.returning(_counters.value)).scalar_one_or_none()
    if number is None:
        number = 1
        connection.execute(insert(schema.counters).values(name=name, value=number))
    tell(connection, number)
    return int(number)
