"""The commands that wait for the backend's answer: in memory, and in the store while that can be written. One thread.

A command that is not durable, or cannot be read back, is no reason to keep it from the backend; that it would not
survive a crash is told.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from desktop.domain.attention import Command
from desktop.domain.clicks import Click, aged, behind
from desktop.domain.errors import StorageError
from desktop.sync.rows import Row, is_elsewhere, read, rows_in
from desktop.sync.store import Unreadable, open_store

log = logging.getLogger(__name__)

_INSERT = """
INSERT INTO commands (connection, incident, command, since, pages) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (connection, incident, command) DO UPDATE SET since = excluded.since, pages = excluded.pages
"""
# By its place, too: what is damaged may be stored under another name than the one that was read.
_DELETE = "DELETE FROM commands WHERE id = ? OR (connection = ? AND incident = ? AND command = ?)"

_NEVER = datetime.max.replace(tzinfo=UTC)

Key = tuple[str, Command]
"""What there is one click of: an incident, and what is to be done with it."""

Trouble = Callable[[str], None]
"""Told why commands are not durable, and nothing when they are again."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A click on one incident that the backend has not answered for good. ``row`` is where an earlier run left it."""

    row: int | None
    incident: str
    click: Click

    @property
    def key(self) -> Key:
        """What there is one of."""
        return self.incident, self.click.command


class Commands:
    """What waits on one ``connection``, in the order in which it was given."""

    def __init__(
        self, path: Path, connection: str, trouble: Trouble, now: Callable[[], datetime] = lambda: _NEVER
    ) -> None:
        # By the last time that the store knows of, what an earlier run left is as old as it really is.
        self._now = now
        self._path = path
        self._connection = connection
        self._trouble = trouble
        self._database: sqlite3.Connection | None = None
        self._held: dict[Key, Waiting] = {}
        # What could not be written yet: clicks, and those that were answered.
        self._unwritten: set[Key] = set()
        self._answered: dict[Key, Waiting] = {}
        self._taken_up = self._failing = False

    @property
    def settled(self) -> bool:
        """Whether the store holds what is held here, and nothing else: if not, ask again soon."""
        return self._taken_up and not self._unwritten and not self._answered

    def add(self, incident: str, click: Click) -> None:
        """Keep a click; the same one twice is one, and answers the page that was there when it was given last."""
        before = self._held.pop((incident, click.command), None)
        waiting = Waiting(before.row if before is not None else None, incident, click)
        self._held[waiting.key] = waiting
        self._unwritten.add(waiting.key)
        self._make_durable()

    def waiting(self) -> list[Waiting]:
        """Return what waits, the earliest first."""
        if self._unwritten or self._answered:
            self._make_durable()
        if not self._taken_up:
            self._take_up()
        return sorted(self._held.values(), key=lambda waiting: (waiting.click.at, waiting.row is None))

    def remove(self, waiting: Waiting) -> None:
        """Forget what was answered for good."""
        self._held.pop(waiting.key, None)
        self._unwritten.discard(waiting.key)
        self._answered[waiting.key] = waiting
        self._make_durable()

    def set_back(self, by: timedelta) -> None:
        """Note that the clock was set back ``by`` so much: what waits is as old as before."""
        for key, waiting in self._held.items():
            self._held[key] = replace(waiting, click=aged(waiting.click, by))
        self._unwritten.update(self._held)
        self._make_durable()

    def newest(self, waiting: Waiting) -> bool:
        """Tell whether nobody clicked the same again since."""
        return self._held.get(waiting.key, waiting) is waiting

    def close(self) -> None:
        """Close the store."""
        if self._database is not None:
            self._database.close()

    def _make_durable(self) -> None:
        gone = [(w.row, self._connection, w.incident, w.click.command) for w in self._answered.values()]
        new = [(self._connection, w.incident, w.click.command, w.click.at.isoformat(), w.click.pages)
               for key, w in self._held.items() if key in self._unwritten]  # fmt: skip
        try:
            database = self._open()
            with database:
                database.executemany(_DELETE, gone)
                database.executemany(_INSERT, new)
        except (sqlite3.Error, StorageError) as e:
            self._failed(e)
        else:
            self._unwritten.clear()
            self._answered.clear()
            self._failing = False
            self._trouble("")

    def _take_up(self) -> None:
        """Take up what an earlier run left, as far as it can be read; the rest when it can."""
        error: Exception | None
        try:
            found = read(self._open())
            error = found.error
        except (sqlite3.Error, StorageError) as e:
            found, error = rows_in(self._path), e
        self._hold(found.rows)
        # There is no more in a damaged file, or one of a newer version, than was read of it now.
        later = [e for e in (error, found.error) if e is not None and _can_end(e)]
        self._taken_up = not later
        if error is not None:
            self._failed(error)
        elif self._failing and self.settled:
            self._failing = False
            self._trouble("")

    def _hold(self, rows: Iterable[tuple[int, Row]]) -> None:
        left = [w for place, row in rows if row[0] == self._connection and (w := _waiting(place, row)) is not None]
        left = [w for w in left if w.key not in self._answered and w.key not in self._held]
        by = behind(self._now(), [*(w.click.at for w in left), *self._heard()]) if left else timedelta(0)
        for waiting in left:
            self._held.setdefault(waiting.key, replace(waiting, click=aged(waiting.click, by)))
            if by:
                self._unwritten.add(waiting.key)

    def _heard(self) -> list[datetime]:
        """Return when the backends were last heard, as far as that can be read."""
        try:
            heard = [row[0] for row in self._open().execute("SELECT heard_at FROM copies")]
            return [at for at in map(datetime.fromisoformat, heard) if at.tzinfo is not None]
        except (sqlite3.Error, StorageError, TypeError, ValueError) as e:
            log.info("when a backend was heard is not known: %s", type(e).__name__)
            return []

    def _open(self) -> sqlite3.Connection:
        if self._database is None:
            self._database = open_store(self._path)
        return self._database

    def _failed(self, error: Exception) -> None:
        reason = error.message if isinstance(error, StorageError) else f"{self._path} cannot be used: {error}"
        log.warning("commands are not durable: %s", reason)
        self._failing = True
        if self._database is not None:
            # The next attempt opens it anew: the disk may have room again, or the folder be another.
            self._database.close()
            self._database = None
        self._trouble(f"{reason}. What you click now does not survive a crash of Watchbell.")


def _can_end(error: Exception) -> bool:
    """Tell whether what is in the way of reading may be gone later."""
    if isinstance(error, StorageError):
        return not isinstance(error, Unreadable)
    return is_elsewhere(error)


def _waiting(place: int, row: Row) -> Waiting | None:
    _, incident, command, since, pages = row
    try:
        return Waiting(place, incident, Click(Command(command), datetime.fromisoformat(since), pages))
    except ValueError:
        # Of a newer version, perhaps, which will know what to do with it.
        log.warning("a waiting command is not understood: %s", command[:40])
        return None
