"""Waits that a clock which was fast made too long: ladders, messages, who is there. The engine's thread.

None of them is ever longer than a few minutes, so that what lies further ahead was written by a wrong clock.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Column, ColumnElement, Connection, Table, and_, or_, select, update

from desktop.channels.outcome import LONGEST_WAIT
from desktop.domain.ladder import UNTOUCHED
from desktop.server import ahead, outbox, presence
from desktop.server.outbox import State
from desktop.server.station import Station
from desktop.server.tables.messages import messages, pages, presences


class _Wait(NamedTuple):
    """Rows of ``table`` that are not due before ``column``, never later than ``longest`` from when that is written."""

    table: Table
    column: Column[datetime]
    longest: timedelta
    which: tuple[ColumnElement[bool], ...] = ()


_RETRIED = timedelta(seconds=LONGEST_WAIT + outbox.LONGEST_WAIT)
_WAITS = (
    _Wait(pages, pages.c.next_at, UNTOUCHED),
    _Wait(messages, messages.c.due_at, _RETRIED, (messages.c.state == State.WAITING,)),
    _Wait(messages, messages.c.leased_until, outbox.LEASE, (messages.c.state == State.SENDING,)),
    _Wait(presences, presences.c.until, presence.HELD),
)


class LongWaits:
    """Ends them. A clock that is slow for a moment makes all waits look too long: it has to stay so."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._looked: datetime | None = None
        self._suspected = False

    def end(self, now: datetime) -> int:
        """End what was too long at the last look too, and return how much; at most once in a minute."""
        if self._looked is not None and abs(now - self._looked) < ahead.LOOK_EVERY:
            return 0
        self._looked = now
        with self._station.storage.read() as connection:
            found = _any_too_long(connection, ahead.latest_now(connection, now))
        certain, self._suspected = found and self._suspected, found
        return self._station.writer.run(lambda work: _end(work.connection, now)) if certain else 0


def _any_too_long(connection: Connection, latest: datetime) -> bool:
    return any(
        connection.execute(select(wait.column).where(*_too_long(wait, latest)).limit(1)).first() for wait in _WAITS
    )


def _end(connection: Connection, now: datetime) -> int:
    """Let all that waits too long be due ``now``; return how much there was."""
    latest = ahead.latest_now(connection, now)
    return sum(
        connection.execute(update(wait.table).where(*_too_long(wait, latest)).values({wait.column: now})).rowcount
        for wait in _WAITS
    )


def _too_long(wait: _Wait, latest: datetime) -> tuple[ColumnElement[bool], ...]:
    surely = latest + ahead.TOLERANCE
    long: ColumnElement[bool] = wait.column > surely + wait.longest
    if wait.column is messages.c.due_at:
        # One that was never tried is due when it was made.
        long = or_(long, and_(messages.c.created_at > surely, messages.c.due_at > surely))
    return (*wait.which, long)
