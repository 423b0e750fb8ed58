"""Keeps a copy of what is known of each connection, for the next start: shown as old until the backend answers.

Its own thread. A copy is never ahead of what was heard, and may be a few seconds behind: a crash loses nothing by that,
since the backend is asked anew.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from desktop.domain.attention import ConnectionState, Contact
from desktop.domain.errors import StorageError
from desktop.domain.incident import Snapshot
from desktop.sync import copies
from desktop.sync.commands import Trouble
from desktop.sync.store import open_store

log = logging.getLogger(__name__)

# How soon after a change, and how often at all, copies are written.
SOON_SECONDS, ANYHOW_SECONDS = 2.0, 60.0


@dataclass(frozen=True, slots=True)
class Copy:
    """What was known of a connection: ``heard_at`` is when it was true, ``offset`` server time minus local time."""

    snapshot: Snapshot
    heard_at: datetime
    offset: timedelta


def read_copy(path: Path, connection: str) -> Copy | None:
    """Return the copy of a connection that an earlier run kept, None when there is none that can be read."""
    if not path.exists():
        return None
    query = "SELECT heard_at, clock_ahead, snapshot FROM copies WHERE connection = ?"
    try:
        with closing(open_store(path, durable=False)) as database:
            row = database.execute(query, (connection,)).fetchone()
        if row is None:
            return None
        heard_at = datetime.fromisoformat(row[0])
        if heard_at.tzinfo is None:
            return None
        return Copy(copies.from_text(row[2]), heard_at, timedelta(seconds=row[1]))
    except (sqlite3.Error, StorageError, ValueError, TypeError, OverflowError) as e:
        log.warning("the copy of %s cannot be read: %s", connection, type(e).__name__)
        return None


def connections(path: Path) -> tuple[str, ...]:
    """Return of which connections earlier runs kept a copy, by their ids, as far as that can be read."""
    if not path.exists():
        return ()
    try:
        with closing(open_store(path, durable=False)) as database:
            return tuple(str(row[0]) for row in database.execute("SELECT connection FROM copies ORDER BY connection"))
    except (sqlite3.Error, StorageError) as e:
        log.warning("which connections there were cannot be read: %s", type(e).__name__)
        return ()


class Archive(threading.Thread):
    """Writes a copy of ``states`` now and then; ``trouble`` is told why it cannot, and nothing when it can again."""

    def __init__(self, path: Path, states: Callable[[], tuple[ConnectionState, ...]], trouble: Trouble) -> None:
        super().__init__(name="watchbell-archive", daemon=True)
        self._path = path
        self._states = states
        self._trouble = trouble
        self._changed = threading.Event()
        self._stopping = threading.Event()
        self._written: dict[str, Copy] = {}

    def changed(self) -> None:
        """Take note that there is something new to keep; from any thread, without blocking."""
        self._changed.set()

    def stop(self) -> None:
        """Write what is new once more, then end the thread."""
        self._stopping.set()
        self._changed.set()

    def run(self) -> None:
        """Write until stopped."""
        while not self._stopping.is_set():
            self._changed.wait(ANYHOW_SECONDS)
            self._stopping.wait(SOON_SECONDS)
            self._changed.clear()
            self._write()

    def _write(self) -> None:
        held = {s.id: copy for s in self._states() if (copy := _copy_of(s)) is not None}
        new = {state_id: copy for state_id, copy in held.items() if copy != self._written.get(state_id)}
        if not new:
            return
        try:
            with closing(open_store(self._path, durable=False)) as database, database:
                for state_id, copy in new.items():
                    _write(database, state_id, copy, self._written.get(state_id))
        except (sqlite3.Error, StorageError) as e:
            reason = e.message if isinstance(e, StorageError) else f"{self._path} cannot be used: {e}"
            log.warning("no copies are kept: %s", reason)
            self._trouble(f"{reason}. After a restart Watchbell shows nothing until the backend answers.")
            return
        self._trouble("")
        self._written |= new


def _copy_of(state: ConnectionState) -> Copy | None:
    """Return what is worth keeping of ``state``: only what is true now."""
    if state.contact is not Contact.LIVE or state.snapshot is None or state.heard_at is None:
        return None
    return Copy(state.snapshot, state.heard_at, state.offset)


def _write(database: sqlite3.Connection, connection: str, copy: Copy, before: Copy | None) -> None:
    heard_at, ahead = copy.heard_at.isoformat(), copy.offset.total_seconds()
    if before is not None and before.snapshot is copy.snapshot:
        database.execute(
            "UPDATE copies SET heard_at = ?, clock_ahead = ? WHERE connection = ?", (heard_at, ahead, connection)
        )
        return
    database.execute(
        "INSERT OR REPLACE INTO copies (connection, heard_at, clock_ahead, snapshot) VALUES (?, ?, ?, ?)",
        (connection, heard_at, ahead, copies.to_text(copy.snapshot)),
    )
