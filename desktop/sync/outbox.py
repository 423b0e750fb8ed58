"""Carries commands to the backend: durable before they show, retried until a definite answer. Its own thread.

A command is a row in SQLite (WAL, synchronous=FULL) before the screen says "sending", and leaves it only when the
backend confirmed or refused for good; what a crash leaves behind is sent at the next start (design, promise 2).
"""

import logging
import queue
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path

from desktop.backends.base import Backend
from desktop.domain.attention import Command
from desktop.domain.errors import BackendError, NotFound, Rejected, StorageError, Unreachable, WatchbellError
from desktop.domain.incident import Incident
from desktop.sync import changes
from desktop.sync.backoff import Backoff
from desktop.sync.keeper import Keeper

log = logging.getLogger(__name__)

_TABLE = """
CREATE TABLE IF NOT EXISTS commands (
    id INTEGER PRIMARY KEY,
    connection TEXT NOT NULL,
    incident TEXT NOT NULL,
    command TEXT NOT NULL,
    since TEXT NOT NULL,
    UNIQUE (connection, incident, command)
)
"""
_STOP = ("", Command.ACKNOWLEDGE)


class Outbox(threading.Thread):
    """Sends the commands of one connection, in the order in which they were given."""

    def __init__(self, path: Path, keeper: Keeper, connect: Callable[[], Backend], now: Callable[[], datetime]) -> None:
        super().__init__(name=f"watchbell-outbox-{keeper.state.id}", daemon=True)
        self._path = path
        self._keeper = keeper
        self._connect = connect
        self._now = now
        self._connection = keeper.state.id
        self._given: queue.Queue[tuple[str, Command]] = queue.Queue()
        self._backoff = Backoff(most=5.0)
        self._backend: Backend | None = None

    def submit(self, incident_id: str, command: Command) -> None:
        """Take a command; from any thread, without blocking. The state shows it when it is durable."""
        self._given.put((incident_id, command))

    def stop(self) -> None:
        """End the thread soon; what is not confirmed stays for the next start."""
        self._given.put(_STOP)
        backend = self._backend
        if backend is not None:
            backend.close()

    def run(self) -> None:
        """Send until stopped."""
        try:
            with closing(open_database(self._path)) as database:
                self._show_waiting(database)
                self._serve(database)
        except StorageError as e:
            self._serve_undurably(e)

    def _serve(self, database: sqlite3.Connection) -> None:
        wait: float | None = 0.0
        while True:
            for incident_id, command in self._take(wait):
                if (incident_id, command) == _STOP:
                    return
                self._store(database, incident_id, command)
            wait = self._send_waiting(database)

    def _take(self, wait: float | None) -> list[tuple[str, Command]]:
        """Return what was given, waiting up to ``wait`` seconds for it (None: for ever)."""
        taken: list[tuple[str, Command]] = []
        try:
            if wait != 0:
                taken.append(self._given.get(timeout=wait))
            while True:
                taken.append(self._given.get_nowait())
        except queue.Empty:
            return taken

    def _store(self, database: sqlite3.Connection, incident_id: str, command: Command) -> None:
        since = self._now()
        try:
            with database:
                database.execute(
                    "INSERT OR IGNORE INTO commands (connection, incident, command, since) VALUES (?, ?, ?, ?)",
                    (self._connection, incident_id, command, since.isoformat()),
                )
        except sqlite3.Error as e:
            # Not durable is not a reason to keep the acknowledgement from the backend: send it now, or say so.
            log.warning("the outbox cannot be written: %s", e)
            self._send_unstored(incident_id, command)
            return
        self._show(incident_id, command, since)

    def _show(self, incident_id: str, command: Command, since: datetime) -> None:
        self._keeper.change(lambda state: changes.sending(state, incident_id, command, since))

    def _send_unstored(self, incident_id: str, command: Command) -> None:
        try:
            incident = self._send(incident_id, command)
        except WatchbellError as e:
            reason = f"Not sent: {e.message}"
            self._keeper.change(lambda state: changes.refused(state, incident_id, reason))
        else:
            self._keeper.change(lambda state: changes.settled(state, incident))

    def _show_waiting(self, database: sqlite3.Connection) -> None:
        for incident_id, command, since in database.execute(
            "SELECT incident, command, since FROM commands WHERE connection = ? ORDER BY id", (self._connection,)
        ).fetchall():
            self._show(incident_id, Command(command), datetime.fromisoformat(since))

    def _send_waiting(self, database: sqlite3.Connection) -> float | None:
        """Send what waits, in order for each incident; return how long until the next try, None when nothing waits."""
        rows = database.execute(
            "SELECT id, incident, command FROM commands WHERE connection = ? ORDER BY id", (self._connection,)
        ).fetchall()
        blocked: set[str] = set()
        wait: float | None = None
        for row, incident_id, command in rows:
            if incident_id in blocked:
                continue
            try:
                self._send_one(incident_id, Command(command))
            except BackendError as e:
                log.info("%s of %s waits: %s", command, incident_id, e.message)
                wait = max(wait or 0.0, self._backoff.next(e.retry_after))
                if isinstance(e, Unreachable):
                    break
                blocked.add(incident_id)
                continue
            with database:
                database.execute("DELETE FROM commands WHERE id = ?", (row,))
            self._backoff.reset()
        return wait

    def _send_one(self, incident_id: str, command: Command) -> None:
        """Send one command; raises while there is no definite answer."""
        try:
            incident = self._send(incident_id, command)
        except (Rejected, NotFound) as e:
            reason = e.message
            self._keeper.change(lambda state: changes.refused(state, incident_id, reason))
        else:
            self._keeper.change(lambda state: changes.settled(state, incident))

    def _send(self, incident_id: str, command: Command) -> Incident:
        if self._backend is None:
            self._backend = self._connect()
        try:
            if command is Command.ACKNOWLEDGE:
                return self._backend.acknowledge(incident_id)
            return self._backend.resolve(incident_id)
        except BackendError:
            # The next attempt connects anew: address and token may have changed meanwhile.
            self._backend = None
            raise

    def _serve_undurably(self, error: StorageError) -> None:
        """Without a database, still send what is clicked: one attempt each, told as it went."""
        log.warning("commands are not durable: %s", error.message)
        while (given := self._given.get()) != _STOP:
            self._send_unstored(*given)


def open_database(path: Path) -> sqlite3.Connection:
    """Open the outbox's database at ``path``, durable at every commit."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = sqlite3.connect(path, timeout=10)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA fullfsync = ON")
        database.execute(_TABLE)
        database.commit()
        path.chmod(0o600)
    except (sqlite3.Error, OSError) as e:
        raise StorageError(f"{path} cannot be used: {e}") from e
    return database
