"""What follows from another watch or team: who takes over is paged, who left has nothing. On the engine's thread.

Each step is guarded for itself and tried again: what goes wrong with one keeps neither the others from being done, nor
what is due.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select

from desktop.domain.errors import WatchbellError
from desktop.domain.incident import Status
from desktop.server import departed, handover_departures, incidents, schema
from desktop.server.station import Station
from desktop.server.writer import Work

log = logging.getLogger(__name__)

CHUNK = 200
_AFTER_A_FAULT = timedelta(seconds=1)
# What makes no sense now makes none in a second, and who took over may have very many incidents.
_FAULTY_FOR = timedelta(minutes=1)

_table = schema.incidents.c
Command = Callable[[Station, Work, Sequence[str]], int]


class ShiftChange:
    """Follows each one: ``chunk`` does a command on incidents, ``meanwhile`` all that is due, ``then`` tells of it.

    ``boundary`` is when to look again; None: at once.
    """

    def __init__(
        self,
        station: Station,
        chunk: Callable[[Command, Sequence[str]], int],
        meanwhile: Callable[[], int],
        then: Callable[[], None],
    ) -> None:
        self.boundary: datetime | None = None
        self._station = station
        self._chunk, self._meanwhile, self._then = chunk, meanwhile, then
        # When the boundary was looked for: a clock that was put back since then may have passed over another.
        self._looked = station.clock()

    def due(self, now: datetime) -> bool:
        """Tell whether somebody's shift may have begun or ended, or who is in the team have changed."""
        return self.boundary is None or not self._looked <= now < self.boundary

    def follow(self, now: datetime) -> None:
        """Do all that follows."""
        self.boundary, self._looked = None, now
        # An answer ends the page by which somebody is asked for a watch: it has to be no incident of theirs any more.
        for step in (partial(self._bound, now), self._decline, self._relieve, self._take_over, self._then):
            self._tried(step)

    def _tried(self, step: Callable[[], object]) -> None:
        try:
            step()
        except WatchbellError as error:
            log.error("shift change delayed", extra={"fields": {"error": error.message}})  # noqa: TRY400 - said in words
            self._again(_AFTER_A_FAULT)
        except Exception:
            log.exception("shift change delayed")
            self._again(_FAULTY_FOR)

    def _again(self, after: timedelta) -> None:
        at = self._station.clock() + after
        self.boundary = at if self.boundary is None else min(at, self.boundary)

    def _bound(self, now: datetime) -> None:
        self.boundary = self._station.roster.boundary(now)

    def _decline(self) -> None:
        """Let nobody go on being asked to take a watch who left the team."""
        with self._station.storage.read() as connection:
            ids = handover_departures.asked(connection)
        for handover in ids:
            self._tried(partial(self._say_no, handover))

    def _say_no(self, handover: str) -> None:
        station = self._station
        station.writer.run(lambda work: handover_departures.decline(station, work, handover))

    def _relieve(self) -> None:
        """Let nobody go on having an incident who left the team."""
        with self._station.storage.read() as connection:
            ids = departed.had(connection)
        if ids:
            log.warning("incidents of people who left the team", extra={"fields": {"incidents": len(ids)}})
        for start in range(0, len(ids), CHUNK):
            self._chunk(departed.relieve, ids[start : start + CHUNK])

    def _take_over(self) -> None:
        """Page whoever took over a role that was paged already, for every incident that waits for an answer."""
        query = select(_table.id).where(_table.status == Status.TRIGGERED.value)
        with self._station.storage.read() as connection:
            ids = list(connection.execute(query).scalars())
        for start in range(0, len(ids), CHUNK):
            # A hundred thousand take half a minute: what falls due meanwhile waits for one chunk of them at the most.
            self._meanwhile()
            self._chunk(incidents.take_over, ids[start : start + CHUNK])
