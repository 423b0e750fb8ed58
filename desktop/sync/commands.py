"""The commands that wait for the backend's answer: in the store, or in memory while that cannot be written. One thread.

A command that is not durable is no reason to keep it from the backend; that it would not survive a crash is told.
"""

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from desktop.domain.attention import Command
from desktop.domain.clicks import Click
from desktop.domain.errors import StorageError
from desktop.sync.store import open_store

log = logging.getLogger(__name__)

_INSERT = """
INSERT INTO commands (connection, incident, command, since, pages) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (connection, incident, command) DO UPDATE SET since = excluded.since, pages = excluded.pages
"""

Trouble = Callable[[str], None]
"""Told why commands are not durable, and nothing when they are again."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A click on one incident that the backend has not answered for good. ``row`` is its place, None in memory."""

    row: int | None
    incident: str
    click: Click


class Commands:
    """What waits on one ``connection``, in the order in which it was given."""

    def __init__(self, path: Path, connection: str, trouble: Trouble) -> None:
        self._path = path
        self._connection = connection
        self._trouble = trouble
        self._database: sqlite3.Connection | None = None
        # What could not be written yet: clicks, and the rows of those that were answered.
        self._undurable: list[Waiting] = []
        self._answered: set[int] = set()

    def add(self, incident: str, click: Click) -> None:
        """Keep a click; the same one twice is one, and answers the page that was there when it was given last."""
        others = [w for w in self._undurable if (w.incident, w.click.command) != (incident, click.command)]
        self._undurable = [*others, Waiting(None, incident, click)]
        self._make_durable()

    def waiting(self) -> list[Waiting]:
        """Return what waits, the earliest first."""
        if self._undurable or self._answered:
            self._make_durable()
        return sorted((*self._stored(), *self._undurable), key=lambda waiting: waiting.click.at)

    def remove(self, waiting: Waiting) -> None:
        """Forget what was answered for good."""
        if waiting.row is None:
            self._undurable.remove(waiting)
        else:
            self._answered.add(waiting.row)
            self._make_durable()

    def close(self) -> None:
        """Close the store."""
        if self._database is not None:
            self._database.close()

    def _make_durable(self) -> None:
        new = [(self._connection, w.incident, w.click.command, w.click.at.isoformat(), w.click.pages)
               for w in self._undurable]  # fmt: skip
        try:
            database = self._open()
            with database:
                database.executemany(_INSERT, new)
                database.executemany("DELETE FROM commands WHERE id = ?", [(row,) for row in self._answered])
        except (sqlite3.Error, StorageError) as e:
            self._failed(e)
        else:
            self._undurable.clear()
            self._answered.clear()
            self._trouble("")

    def _stored(self) -> list[Waiting]:
        query = "SELECT id, incident, command, since, pages FROM commands WHERE connection = ? ORDER BY id"
        try:
            rows = self._open().execute(query, (self._connection,)).fetchall()
        except (sqlite3.Error, StorageError) as e:
            self._failed(e)
            return []
        return [w for row in rows if row[0] not in self._answered and (w := _waiting(row)) is not None]

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            self._database = open_store(self._path)
        return self._database

    def _failed(self, error: Exception) -> None:
        reason = error.message if isinstance(error, StorageError) else f"{self._path} cannot be used: {error}"
        log.warning("commands are not durable: %s", reason)
        if self._database is not None:
            # The next attempt opens it anew: the disk may have room again, or the folder be another.
            self._database.close()
            self._database = None
        self._trouble(f"{reason}. What you click now does not survive a crash of Watchbell.")


def _waiting(row: tuple[int, str, str, str, int]) -> Waiting | None:
    number, incident, command, since, pages = row
    try:
        return Waiting(number, incident, Click(Command(command), datetime.fromisoformat(since), pages))
    except ValueError:
        # Of a newer version, perhaps, which will know what to do with it.
        log.warning("a waiting command is not understood: %s", command[:40])
        return None
