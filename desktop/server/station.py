"""What one running server shares: storage, writer, team, clock. Made once; used from every thread.

``roster`` and ``directory`` are immutable and replaced as a whole.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from desktop import team as teams
from desktop.domain.duty import Kind, Mark
from desktop.domain.errors import InputError
from desktop.domain.team import Team
from desktop.server import additions, applying, companions, marks, schema, windows
from desktop.server import directory as directories
from desktop.server.codec import Frozen, policies_from_json
from desktop.server.counts import Counts, Running
from desktop.server.limits import Limits
from desktop.server.roster import Moment, Roster
from desktop.server.storage import Storage
from desktop.server.writer import Writer

log = logging.getLogger(__name__)

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


class Station:
    """The parts that the API, the engine and the stream work with.

    ``revision`` is the number of the latest change to the team that ``roster`` and ``directory`` know of; ``renewed``
    is called after each of them was replaced, ``announce`` after handovers or acting primaries may have changed.
    ``public_url`` is what links in messages begin with, empty where it was not said how others reach the server.
    ``windows`` are the maintenance windows that are not over.
    """

    def __init__(self, storage: Storage, writer: Writer, roster: Roster, clock: Clock = utc_now) -> None:
        self.storage = storage
        self.writer = writer
        self.clock = clock
        self.limits = Limits()
        self.public_url = ""
        self.counts = Counts()
        self.running: Callable[[], Running] = Running
        self._unused: tuple[str, int, str] | None = None
        self._policies: dict[str, Frozen] = {}
        self.escalating: Callable[[], bool] = lambda: False
        self.messaging: Callable[[], bool] = lambda: False
        self.renewed: Callable[[], None] = lambda: None
        self.announce: Callable[[], None] = lambda: None
        self._refreshing = threading.Lock()
        with storage.read() as connection:
            self._digest = _digest(applying.current(connection))
            self.revision = additions.revision(connection)
            added, beside = additions.read(connection), companions.read(connection)
            self.roster = Roster(roster.file, added, beside, _certified(connection))
            self.directory = directories.read(connection)
            self.windows = windows.ahead(connection, clock())

    def reached_at(self, origin: str) -> None:
        """Let links begin with ``origin`` (``https://host:port``), where this server is reached."""
        with self._refreshing:
            self.directory = replace(self.directory, origin=origin)

    def runs_without(self, file: str, mistakes: int) -> None:
        """Take note that the team ``file`` of this server's start could not be used, for it has so many mistakes."""
        self._unused = (file, mistakes, self._digest)

    @property
    def unused(self) -> tuple[str, int] | None:
        """The team file that could not be used at the start, and its mistakes, until another team is applied."""
        known = self._unused
        return None if known is None or known[2] != self._digest else known[:2]

    def refresh(self) -> bool:
        """Take up what became of the team, in this process or another; tell whether anything did."""
        with self._refreshing:
            if not self._read_anew():
                return False
        self.renewed()
        return True

    def moment(self) -> Moment:
        """Return what the rules need to know of now."""
        return self.roster.moment(self.clock())

    def policies(self, connection: Connection, digest: str) -> Frozen:
        """Return the frozen escalation lists called ``digest``."""
        found = self._policies.get(digest)
        if found is None:
            query = select(schema.policies.c.document).where(schema.policies.c.digest == digest)
            found = policies_from_json(connection.execute(query).scalar_one())
            self._policies[digest] = found
        return found

    def _read_anew(self) -> bool:
        with self.storage.read() as connection:
            revision = additions.revision(connection)
            if revision == self.revision:
                return False
            applied = applying.current(connection)
            added, beside = additions.read(connection), companions.read(connection)
            certified = _certified(connection)
            directory = replace(directories.read(connection), origin=self.directory.origin)
            ahead = windows.ahead(connection, self.clock())
        file = self.roster.file
        if applied is not None and applied.digest != self._digest:
            # Only a new file is read anew: an override is no reason to parse hundreds of kilobytes.
            file = _understood(applied) or file
        self.roster = Roster(file, added, beside, certified)
        self.directory, self.windows = directory, ahead
        self._digest, self.revision = _digest(applied), revision
        return True


def _understood(applied: applying.Applied) -> Team | None:
    """Return the team of an applied file; that of a newer server may be beyond us, which must not end escalation."""
    try:
        return teams.parse(applied.document, applied.source)
    except InputError as error:
        fields = {"digest": applied.digest, "error": error.message}
        log.error("team not understood: the old one is kept", extra={"fields": fields})  # noqa: TRY400 - said in words
        return None


def _certified(connection: Connection) -> tuple[Mark, ...]:
    return marks.ruled(marks.held(marks.of_kind(connection, Kind.CERTIFICATION)))


def _digest(applied: applying.Applied | None) -> str:
    return "" if applied is None else applied.digest
