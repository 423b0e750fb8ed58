"""A server put together: storage, writer, engine, hub, in the order in which they start and end. On the main thread."""

import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from desktop import team as teams
from desktop.domain.errors import InputError
from desktop.server import applying, tokens
from desktop.server.engine import Engine
from desktop.server.records import Record
from desktop.server.roster import Roster
from desktop.server.station import Clock, Station, utc_now
from desktop.server.storage import Storage
from desktop.server.stream import Hub
from desktop.server.writer import Writer
from desktop.team import document

log = logging.getLogger(__name__)


class Server:
    """Everything that runs beside the HTTP server."""

    def __init__(self, storage: Storage, roster: Roster, clock: Clock = utc_now) -> None:
        self.hub = Hub()
        self.storage = storage
        self.writer = Writer(storage, self._committed, self.hub.drop)
        self.station = Station(storage, self.writer, roster, clock)
        self.engine = Engine(self.station, self.hub.publish_oncalls)
        self.station.escalating = lambda: self.engine.alive

    def start(self) -> None:
        """Begin to write and to escalate; what fell due meanwhile is worked off when this returns."""
        self.writer.start()
        self.engine.start()

    def stop(self) -> None:
        """End in order; what was accepted is written."""
        self.engine.stop()
        self.writer.close()
        self.storage.close()

    def _committed(self, changed: Sequence[Record]) -> None:
        self.engine.committed(changed)
        self.hub.publish(changed)
        for record in changed:
            if record.open and not record.assignments:
                log.error(
                    "nobody is on call", extra={"fields": {"incident": record.id, "severity": record.severity.key}}
                )


def load_team(storage: Storage, file: Path | None, now: datetime) -> Roster:
    """Apply the team ``file``, or take up the one that was applied last; InputError when there is neither."""
    if file is not None:
        text = document.load(file)
        roster = Roster(teams.parse(text, file.name))
        with storage.write() as connection:
            applying.apply(connection, roster, text, file.name, now)
        return roster
    with storage.write() as connection:
        found = applying.stored(connection)
        if found is None:
            raise InputError("this database has no team yet: start once with --team FILE")
        roster = Roster(teams.parse(*found))
        applying.remember_policies(connection, roster)
    return roster


def admit(storage: Storage, token: str, person: str, now: datetime) -> None:
    """Let the application that started this server act as ``person`` with ``token``."""
    with storage.write() as connection:
        tokens.replace_embedded(connection, token, person, now)
