"""What one running server shares: storage, writer, team, clock. Made once; used from every thread.

``roster`` and ``directory`` are immutable and replaced as a whole.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from desktop.server import directory as directories
from desktop.server import schema
from desktop.server.codec import Frozen, policies_from_json
from desktop.server.roster import Moment, Roster
from desktop.server.storage import Storage
from desktop.server.writer import Writer

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)


class Station:
    """The parts that the API, the engine and the stream work with."""

    def __init__(self, storage: Storage, writer: Writer, roster: Roster, clock: Clock = utc_now) -> None:
        self.storage = storage
        self.writer = writer
        self.roster = roster
        self.clock = clock
        self._policies: dict[str, Frozen] = {}
        self.escalating: Callable[[], bool] = lambda: False
        with storage.read() as connection:
            self.directory = directories.read(connection)

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
