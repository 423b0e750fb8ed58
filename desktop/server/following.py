"""Takes up what other servers on the same database did, by listening, and by looking anyway. A thread of its own.

With several servers, this is the only way from a commit to a stream, for their own commits too: one source, in the
order of the versions, so that no stream goes back to an older state.
"""

import logging
import socket
import threading

from sqlalchemy import bindparam, func, select

from desktop.domain.errors import StorageError
from desktop.server import schema
from desktop.server.engine import Engine
from desktop.server.hub import Hub
from desktop.server.postgresql import Postgresql
from desktop.server.rows import current_version, load, query
from desktop.server.station import Station
from desktop.server.writer import touch

log = logging.getLogger(__name__)

# A notice may get lost with a connection: what it would have said is read at the latest after this long.
LOOK_SECONDS = 5.0
_PAUSE_SECONDS = 1.0
# Under load one look takes up what many commits did: each costs as much as an alert.
_SPACING_SECONDS = 0.05
_MANY = 500

_table = schema.incidents.c
_CHANGED = query(_table.version > bindparam("seen"), order=(_table.version,), limit=_MANY)
_COUNTERS = select(schema.counters.c.name, schema.counters.c.value)
# Set apart, so that only what changed is read: a minimum is else looked for from the earliest on, among all.
_NEW = select(_table.next_action_at).where(_table.version > bindparam("seen")).offset(0).subquery()
_EARLIEST = select(func.min(_NEW.c.next_action_at))


class Follower:
    """Tells ``hub`` and ``engine`` of every change that any server committed, and ``station`` of another team."""

    def __init__(self, database: Postgresql, station: Station, hub: Hub, engine: Engine) -> None:
        self._database = database
        self._station = station
        self._hub = hub
        self._engine = engine
        self._seen = 0
        # The number of the latest change to handovers and acting primaries, None before the first look.
        self._told: int | None = None
        self._failures = 0
        self._stopping = threading.Event()
        self._woken, self._wake = socket.socketpair()
        self._thread = threading.Thread(target=self._run, name="follower")

    def start(self) -> None:
        """Follow what is committed from now on, in the background."""
        with self._station.storage.read() as connection:
            self._seen = current_version(connection)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        self._wake.send(b"x")
        if self._thread.is_alive():
            self._thread.join()
        self._wake.close()
        self._woken.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._follow()
            except StorageError as error:
                self._lost(error)
            except Exception:
                # Whatever it is that cannot be read, nobody may take old news for the state of things.
                log.exception("following failed")
                self._hub.drop()
                self._stopping.wait(_PAUSE_SECONDS)

    def _follow(self) -> None:
        with self._station.storage.translated():
            ear = self._database.listen()
        try:
            # What was told before somebody listened is read now.
            self._look()
            self._found()
            while not self._stopping.wait(_SPACING_SECONDS):
                ear.wait(LOOK_SECONDS, self._woken)
                self._look()
        finally:
            ear.close()

    def _look(self) -> None:
        with self._station.storage.read() as connection:
            latest = {row.name: row.value for row in connection.execute(_COUNTERS)}
        if latest.get("team", 0) != self._station.revision:
            self._station.refresh()
        while self._seen < latest["version"]:
            self._take_up()
        told = latest.get("handover", 0)
        if told != self._told:
            self._station.announce()
            self._told = told

    def _take_up(self) -> None:
        """Tell of the next changes."""
        with self._station.storage.read() as connection:
            version = current_version(connection)
            earliest = connection.execute(_EARLIEST, {"seen": self._seen}).scalar_one()
            # Asked after the first look at the database: whoever comes later has all of this in the snapshot.
            found = load(connection, self._station.policies, _CHANGED, seen=self._seen) if self._hub.streams else []
        self._engine.expect(earliest)
        self._hub.publish(found)
        self._seen = found[-1].version if len(found) == _MANY else version

    def _lost(self, error: StorageError) -> None:
        """Connect again at once; when that fails too, nobody may believe any more that nothing happens."""
        self._failures += 1
        if self._failures == 1:
            return
        if self._failures == 2:
            log.error("contact with the database lost", extra={"fields": {"error": error.message}})
            self._station.writer.report(error.message)
        self._stopping.wait(_PAUSE_SECONDS)

    def _found(self) -> None:
        if self._failures > 1:
            log.warning("contact with the database is back")
            # A commit that succeeds ends the trouble.
            self._station.writer.submit(touch)
        self._failures = 0
