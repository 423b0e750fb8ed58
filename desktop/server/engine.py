"""The escalation engine: wakes when something is due and has it done. A thread of its own; it decides nothing.

What is due stands in rows, so that a restart takes up where the last process was. The writer does the work.
"""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, select

from desktop.domain.errors import WatchbellError
from desktop.server import departed, incidents, schema
from desktop.server.ahead import Ahead
from desktop.server.ahead_waits import LongWaits
from desktop.server.records import Record
from desktop.server.shift_change import CHUNK, Command, ShiftChange
from desktop.server.station import Station

log = logging.getLogger(__name__)

# The wait never trusts one long timer: clocks jump, and machines sleep while monotonic time stands still.
_LONGEST_WAIT = timedelta(seconds=5)
# How often the clock is looked at meanwhile, and what is no mere delay of ours.
_GLANCE = timedelta(seconds=1)
_JUMP = timedelta(milliseconds=500)
_SHORTEST_WAIT = timedelta(milliseconds=20)
_AFTER_A_FAULT = timedelta(seconds=1)
_FAULTY_FOR = timedelta(minutes=1)
# It looks every five seconds, and between the chunks of a shift change.
_STUCK_SECONDS = 60.0

_table = schema.incidents.c


class Engine:
    """Runs escalations from ``next_action_at`` and tells ``on_shift_change`` when somebody's shift begins or ends.

    ``ticks`` is how often it did all that was due.
    """

    def __init__(self, station: Station, on_shift_change: Callable[[], None]) -> None:
        self._station = station
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._next: datetime | None = None
        self._faulty: dict[str, datetime] = {}
        self._ticked = 0.0
        self.ticks = 0
        self._shifts = ShiftChange(station, self._chunk, self._all_due, on_shift_change)
        self._ahead, self._waits = Ahead(station), LongWaits(station)
        self._thread = threading.Thread(target=self._run, name="engine")

    def start(self) -> None:
        """Work off what fell due while nobody ran, then go on in the background."""
        self.tick()
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether escalations are running: the thread lives, and did all that was due a short while ago."""
        return self._thread.is_alive() and self.age < _STUCK_SECONDS

    @property
    def age(self) -> float:
        """How many seconds ago all that was due was done; without end before the first time."""
        return time.monotonic() - self._ticked if self.ticks else math.inf

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()

    def committed(self, changed: Sequence[Record]) -> None:
        """Take note of what a commit changed: something may be due earlier than known (on the writer's thread)."""
        self.expect(min((r.next_action_at for r in changed if r.next_action_at is not None), default=None))
        if departed.any_of(self._station.directory, changed):
            # What was given to somebody who left meanwhile was opened again.
            self.rotation_changed()

    def expect(self, at: datetime | None) -> None:
        """Take note that something is due ``at``, in this server or another (from any thread)."""
        planned = self._next
        if at is not None and (planned is None or at < planned):
            self._wake.set()

    def rotation_changed(self) -> None:
        """Look again at who is on call: the team, or an override, was changed."""
        self._shifts.boundary = None
        self._wake.set()

    def tick(self) -> int:
        """Do all that is due now; return how many incidents were worked on."""
        # Another server on the same database may have changed the team; what this one does is taken up at once.
        self._station.refresh()
        now = self._station.clock()
        self._set_right(now)
        if self._shifts.due(now):
            self._shifts.follow(now)
        done = self._all_due()
        self.ticks += 1
        return done

    def _all_due(self) -> int:
        done = 0
        while (due := self._due()) and (worked := self._work_off(due)):
            done += worked
        self._ticked = time.monotonic()
        return done

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                self.tick()
                wait = self._until_next()
            except WatchbellError as error:
                # A full disk or a locked file: nothing is lost, the rows stay due.
                log.error("escalation delayed", extra={"fields": {"error": error.message}})  # noqa: TRY400 - said in words
                wait = _AFTER_A_FAULT
            except Exception:
                log.exception("escalation delayed")
                wait = _AFTER_A_FAULT
            self._wait(wait)

    def _wait(self, wait: timedelta) -> None:
        """Wait that long, until woken, or until the clock jumps: then something else is due."""
        clock = self._station.clock
        before = clock()
        while wait > timedelta(0):
            glance = min(wait, _GLANCE)
            if self._wake.wait(glance.total_seconds()):
                return
            now = clock()
            if abs(now - before - glance) > _JUMP:
                return
            before, wait = now, wait - glance

    def _until_next(self) -> timedelta:
        # None first: whatever is committed while we look wakes us again.
        self._next = None
        earliest = select(func.min(_table.next_action_at)).where(_table.id.not_in(list(self._faulty)))
        with self._station.storage.read() as connection:
            self._next = connection.execute(earliest).scalar_one()
        times = [t for t in (self._next, self._shifts.boundary) if t is not None]
        wait = min(times) - self._station.clock() if times else _LONGEST_WAIT
        # What is due and was not worked off is in another server's hands, or will be in ours.
        return max(min(wait, _LONGEST_WAIT), _SHORTEST_WAIT)

    def _due(self) -> list[str]:
        now = self._station.clock()
        self._faulty = {incident: until for incident, until in self._faulty.items() if until > now}
        query = select(_table.id).where(_table.next_action_at <= now, _table.id.not_in(list(self._faulty)))
        with self._station.storage.read() as connection:
            return list(connection.execute(query.order_by(_table.next_action_at).limit(CHUNK)).scalars())

    def _work_off(self, due: Sequence[str]) -> int:
        """Work off what no other server has in hands; ``due`` one by one when something among it makes no sense."""
        station, faulty = self._station, list(self._faulty)
        try:
            return station.writer.run(lambda work: incidents.work_off_next(station, work, CHUNK, faulty))
        except WatchbellError:
            raise
        except Exception:
            log.exception("escalating one by one")
        return sum(self._one(incidents.work_off, incident) for incident in due)

    def _chunk(self, command: Command, ids: Sequence[str]) -> int:
        """Do ``command`` on ``ids`` in one transaction; when one makes no sense, on each alone: it stops no other."""
        try:
            return self._do(command, ids)
        except WatchbellError:
            raise
        except Exception:
            log.exception("escalating one by one")
        return sum(self._one(command, incident) for incident in ids)

    def _one(self, command: Command, incident: str) -> int:
        try:
            return self._do(command, [incident])
        except WatchbellError:
            raise
        except Exception:
            log.exception("an incident cannot be escalated", extra={"fields": {"incident": incident}})
            self._faulty[incident] = self._station.clock() + _FAULTY_FOR
            return 1

    def _do(self, command: Command, ids: Sequence[str]) -> int:
        return self._station.writer.run(lambda work: command(self._station, work, ids))

    def _set_right(self, now: datetime) -> None:
        """Bring back what a wrong clock wrote; whatever goes wrong with that keeps no escalation from being done."""
        try:
            self._bring_back(now)
        except WatchbellError:
            raise
        except Exception:
            log.exception("what a wrong clock wrote stays as it is")

    def _bring_back(self, now: datetime) -> None:
        """Count from now what a wrong clock wrote into the future: it must not escalate as late as that was fast."""
        ids = self._ahead.look(now)
        if ids:
            log.warning(
                "incidents were ahead of the time: a clock was wrong", extra={"fields": {"incidents": len(ids)}}
            )
        for start in range(0, len(ids), CHUNK):
            self._chunk(incidents.bring_back, ids[start : start + CHUNK])
        if waits := self._waits.end(now):
            log.warning("messages were ahead of the time: a clock was wrong", extra={"fields": {"rows": waits}})
