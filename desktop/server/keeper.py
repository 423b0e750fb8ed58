"""Looks after what was promised: heartbeats, duties, and that the server itself does its work. A thread of its own.

What is due stands in rows; the writer does the work. One that fails is said and looked at again, and stops no other.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from desktop.domain.errors import WatchbellError
from desktop.server import auditing, findings, heartbeats, reminding
from desktop.server.addresses import Addresses
from desktop.server.findings import Finding
from desktop.server.station import Station
from desktop.server.unreached import Unreached

if TYPE_CHECKING:
    from desktop.domain.segments import Segment
    from desktop.domain.team import Role

log = logging.getLogger(__name__)

SECONDS = 5.0
# So often it is told that something goes on. It is over when no server found it for a while: each sees its own delays.
_RENEW = timedelta(minutes=1)
_OVER = timedelta(minutes=10)
_LOOK_AT_SCHEDULE = timedelta(hours=1)


class Keeper:
    """``tick`` does all that there is to do now. ``gaps`` are the times without anybody that it found last.

    ``allow_private`` tells whether messages may go to machines of this network.
    """

    def __init__(self, station: Station, allow_private: Callable[[], bool] = lambda: False) -> None:
        self._station = station
        self._unreached = Unreached(station)
        self._addresses = Addresses(station, allow_private)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper")
        self._reported: dict[tuple[str, str], tuple[datetime, str]] = {}
        self._looked: tuple[datetime, int] | None = None
        self._worst = 0.0
        self.gaps: dict[Role, list[Segment]] = {}

    def start(self) -> None:
        """Look every few seconds, in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def tick(self) -> None:
        """Look once at everything."""
        for part in (self._heartbeats, self._audit, self._reminders):
            self._try(part)

    def _run(self) -> None:
        while not self._stopping.wait(SECONDS):
            self.tick()

    def _try(self, part: Callable[[], object]) -> None:
        try:
            part()
        except WatchbellError as error:
            log.error("not looked after", extra={"fields": {"error": error.message}})  # noqa: TRY400 - said in words
        except Exception:
            log.exception("not looked after")

    def _heartbeats(self) -> None:
        station = self._station
        with station.storage.read() as connection:
            if not heartbeats.any_promised(connection):
                return
        if station.writer.run(lambda work: heartbeats.watch(station, work)):
            log.warning("nobody looked after heartbeats for a while: each has its whole time anew")
        with station.storage.read() as connection:
            due = heartbeats.overdue(connection, heartbeats.now_at(station, connection))
        for name in due:
            self._try(partial(self._silence, name))

    def _silence(self, name: str) -> None:
        station = self._station
        if station.writer.run(lambda work: heartbeats.silence(station, work, name)):
            log.warning("a heartbeat is missing", extra={"fields": {"heartbeat": name}})

    def _reminders(self) -> None:
        reminding.remind(self._station)

    def _audit(self) -> None:
        station, now = self._station, self._station.clock()
        self._worst = max(self._worst, station.counts.lateness.longest())
        found = (*auditing.overdue(station, self._worst), *auditing.undelivered(station))
        found += (*auditing.unused(station), *self._missing(now))
        found += (*self._addresses.wrong(), *self._unreached.look())
        for finding in found:
            self._report(finding, now)
        self._worst = 0.0
        with station.storage.read() as connection:
            ended = findings.unseen(connection, findings.KINDS, now - _OVER)
        for kind, key in ended:
            log.info("found over", extra={"fields": {"kind": kind, "key": key}})
            station.writer.run(partial(findings.over, station, kind=kind, key=key))

    def _missing(self, now: datetime) -> list[Finding]:
        """Return who will be missing; the schedule is worked out once an hour, and when the team changed."""
        station = self._station
        revision = station.revision
        known = self._looked
        if known is None or known[1] != revision or abs(now - known[0]) >= _LOOK_AT_SCHEDULE:
            self.gaps = auditing.unmanned(station.roster.team, now)
            known = self._looked = (now, revision)
        return list(auditing.missing(self.gaps, known[0], now, station.roster.team.time_zone))

    def _report(self, finding: Finding, now: datetime) -> None:
        """Tell of it, and once a minute that it goes on."""
        name = (finding.kind, finding.key)
        said = self._reported.get(name)
        if said is not None and said[1] == finding.title and timedelta(0) <= now - said[0] < _RENEW:
            return
        if said is None or now - said[0] > _OVER:
            log.error("found wrong", extra={"fields": {"kind": finding.kind, "title": finding.title}})
        self._station.writer.run(lambda work: findings.report(self._station, work, finding))
        self._station.refresh()
        self._reported[name] = (now, finding.title)
