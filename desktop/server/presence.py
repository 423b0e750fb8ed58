"""Who has a live stream, in rows: each server keeps those of its own people. On the messenger's thread.

A stream that says ``present=false`` is nobody's: no page is shown there. Rows change when somebody's first stream
begins or last one ends; in between, one statement renews them all. What a server that was killed left behind ends by
itself after ``HELD``: until then a page gets the time to be confirmed that it would get with a stream, and no more.
"""

import secrets
from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, select, update

from desktop.server.dialects import insert_all
from desktop.server.station import Station
from desktop.server.tables.messages import presences
from desktop.server.writer import Work

HELD, RENEWED_AFTER = timedelta(seconds=30), timedelta(seconds=10)
_FORGOTTEN_AFTER = timedelta(minutes=10)

_table = presences.c
_RENEW = update(presences).where(_table.server == bindparam("b_server")).values(until=bindparam("b_until"))
_LIVE = select(_table.person_id).where(
    _table.person_id.in_(bindparam("people", expanding=True)), _table.until > bindparam("now")
)


def live(connection: Connection, people: Collection[str], now: datetime) -> frozenset[str]:
    """Return those of ``people`` who have a stream now, at any server."""
    return frozenset(connection.execute(_LIVE, {"people": sorted(people), "now": now}).scalars())


class Presence:
    """Keeps the rows of one server in step with ``people``: those who have a stream at it now."""

    def __init__(self, station: Station, people: Callable[[], frozenset[str]]) -> None:
        self._station = station
        self._people = people
        self._server = secrets.token_hex(8)
        self._written: frozenset[str] = frozenset()
        self._renew_at: datetime | None = None

    @property
    def renew_at(self) -> datetime | None:
        """When the rows have to be renewed; None when there are none."""
        return self._renew_at if self._written else None

    def keep(self) -> None:
        """Write what changed, or renew what was written long enough ago."""
        people, now = self._people(), self._station.clock()
        if people == self._written and (not people or (self._renew_at is not None and now < self._renew_at)):
            return
        same = people == self._written
        self._station.writer.run(lambda work: self._write(work, people, now, same=same))
        self._written, self._renew_at = people, now + RENEWED_AFTER

    def end(self) -> None:
        """Take the rows back: this server ends, and its streams with it."""
        if self._written:
            self._station.writer.run(lambda work: self._write(work, frozenset(), self._station.clock(), same=False))
            self._written = frozenset()

    def _write(self, work: Work, people: frozenset[str], now: datetime, *, same: bool) -> None:
        connection, until = work.connection, now + HELD
        if same:
            renewed = connection.execute(_RENEW, {"b_server": self._server, "b_until": until}).rowcount
            if renewed == len(people):
                return
        connection.execute(
            delete(presences).where((_table.server == self._server) | (_table.until < now - _FORGOTTEN_AFTER))
        )
        rows = [{"server": self._server, "person_id": person, "until": until} for person in sorted(people)]
        insert_all(connection, presences, rows)
