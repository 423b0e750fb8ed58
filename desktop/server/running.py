"""A server put together: storage, writer, engine, hub, in the order in which they start and end. On the main thread."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from desktop import team as teams
from desktop.domain.errors import InputError, TeamFileError
from desktop.server import applying, audit, files, keeping, tokens
from desktop.server.announcer import Announcer
from desktop.server.applying import Applied
from desktop.server.counts import Running
from desktop.server.engine import Engine
from desktop.server.hub import Hub
from desktop.server.keeper import Keeper
from desktop.server.keys import integration_keys
from desktop.server.messenger import Messenger
from desktop.server.records import Record
from desktop.server.roster import Roster
from desktop.server.station import Clock, Station, utc_now
from desktop.server.storage import Storage
from desktop.server.watchkeeper import Watchkeeper
from desktop.server.writer import Writer
from desktop.team import document

if TYPE_CHECKING:
    from desktop.server.following import Follower
    from desktop.server.postgresql import Postgresql

log = logging.getLogger(__name__)


class Server:
    """Everything that runs beside the HTTP server. ``allow_private_channels``: messages may go to this network, too."""

    def __init__(
        self, storage: Storage, roster: Roster, clock: Clock = utc_now, *, allow_private_channels: bool = False
    ) -> None:  # fmt: skip
        self.hub = Hub()
        self.storage = storage
        self.writer = Writer(storage, self._committed, self.hub.drop)
        self.station = Station(storage, self.writer, roster, clock)
        self.engine = Engine(self.station, self.hub.publish_oncalls)
        self.messenger = Messenger(self.station, lambda: self.hub.people, allow_private=allow_private_channels)
        self.keeper = Keeper(self.station, lambda: self.messenger.allow_private)
        self.hub.came_or_left = self.messenger.wake
        self.station.escalating = lambda: self.engine.alive
        self.station.messaging = lambda: self.messenger.alive
        self.station.running = self._running
        self.station.renewed = self._renewed
        self.watchkeeper = Watchkeeper(self.station)
        self.station.announce = Announcer(self.station, self.hub).announce
        self.follower = self._follower()

    def start(self) -> None:
        """Begin to write and to escalate; what fell due to escalate meanwhile has done so when this returns."""
        self.begin()
        self.engine.start()
        self.watchkeeper.start()
        self.keeper.start()
        self.messenger.start()

    def begin(self) -> None:
        """Begin to write, and to take up what other servers wrote."""
        keeping.begin(self.storage, self.station.clock())
        self.writer.start()
        if self.follower is not None:
            self.follower.start()

    def stop(self) -> None:
        """End in order; what was accepted is written."""
        self.keeper.stop()
        self.engine.stop()
        self.watchkeeper.stop()
        self.messenger.stop()
        if self.follower is not None:
            self.follower.stop()
        self.writer.close()
        self.storage.close()

    def _renewed(self) -> None:
        """Page whoever took over, and let every client hear of it: the team, or who is on call, is another."""
        self.engine.rotation_changed()
        self.hub.dismiss({p.id for p in self.station.directory.people.values() if not p.active})

    def _running(self) -> Running:
        gaps = {role.value: len(times) for role, times in self.keeper.gaps.items()}
        return Running(self.engine.ticks, self.engine.age, self.hub.streams, gaps)

    def _follower(self) -> "Follower | None":
        if not self.storage.shared:
            return None
        # Only with PostgreSQL: what it imports costs a tenth of a second.
        from desktop.server.following import Follower  # noqa: PLC0415

        return Follower(cast("Postgresql", self.storage.database), self.station, self.hub, self.engine)

    def _committed(self, changed: Sequence[Record]) -> None:
        self.engine.committed(changed)
        self.watchkeeper.committed(changed)
        self.messenger.committed()
        if self.follower is None:
            self.hub.publish(changed)
        for record in changed:
            if record.open and not record.assignments and record.held_until is None:
                log.error(
                    "nobody is on call", extra={"fields": {"incident": record.id, "severity": record.severity.key}}
                )


@dataclass(frozen=True, slots=True)
class Start:
    """The team with which a server starts; ``mistakes`` is why its team file could not be used, empty when it was."""

    roster: Roster
    mistakes: tuple[str, ...] = ()


def load_team(storage: Storage, file: Path | None, now: datetime) -> Start:
    """Apply the team ``file``, or take up the one that was applied last; InputError when there is neither.

    A file that says what it said when it was last loaded is no news: a team that was applied since is kept. One that
    cannot be used leaves the team as it was: a typo must not keep a pager down.
    """
    try:
        return Start(_load(storage, file, now))
    except InputError as error:
        if file is None or not _has_team(storage):
            raise
        problems = error.problems if isinstance(error, TeamFileError) else (error.message,)
        mistakes = tuple(str(problem) for problem in problems)
    kept = Start(_load(storage, None, now), mistakes)
    fields = {"file": str(file), "mistakes": list(mistakes)}
    log.error("the team file cannot be used: the team that was applied last is kept", extra={"fields": fields})
    return kept


def _has_team(storage: Storage) -> bool:
    with storage.read() as connection:
        return applying.current(connection) is not None


def _load(storage: Storage, file: Path | None, now: datetime) -> Roster:
    text = None if file is None else document.load(file)
    with storage.write() as connection:
        was = found = applying.current(connection)
        if file is not None and text is not None and (found is None or not files.unchanged(connection, file, text)):
            found = _news(found, Applied(text, file.name, applying.digest_of(text), now, applying.FILE))
        if found is None:
            raise InputError("this database has no team yet: start once with --team FILE")
        roster = Roster(teams.parse(found.document, found.source))
        if file is None or text is None:
            applying.take_up(connection, roster, now)
        else:
            if was is None or was.digest != found.digest:
                audit.note_team(connection, audit.OPERATOR, was, found)
            # Even the same team: a key in the environment or the keyring may be another by now.
            applying.write(connection, roster, found, integration_keys(roster.team))
            files.remember(connection, file, text, now)
    return roster


def _news(was: Applied | None, new: Applied) -> Applied:
    if was is not None and was.by != applying.FILE and was.digest != new.digest:
        fields = {"by": was.by, "at": was.at.isoformat()}
        log.warning("the team file was changed: it replaces the team that was applied", extra={"fields": fields})
    return new


def admit(storage: Storage, token: str, person: str, now: datetime) -> None:
    """Let the application that started this server act as ``person`` with ``token``."""
    with storage.write() as connection:
        tokens.replace_embedded(connection, token, person, now)
