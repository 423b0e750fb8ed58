"""The number of each change to a handover or an acting primary, in the order of the commits. On a connection."""

from sqlalchemy import Connection

from desktop.server import counters

_NAME = "handover"


def latest(connection: Connection) -> int:
    """Return the number of the latest change, 0 before the first."""
    return counters.latest(connection, _NAME)


def advance(connection: Connection) -> int:
    """Return the number of another change, and tell the other servers at the commit.

    Nobody else can make one before this transaction ends.
    """
    return counters.advance(connection, _NAME)
