"""Sends what is due: climbs ladders, takes messages and has them sent by a few channel workers. A thread of its own.

What is due stands in rows, so that any server takes up what another left; the writer changes them, in transactions
that end before anything is sent.
"""

import logging
import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from desktop.channels.outcome import Outcome
from desktop.domain.errors import WatchbellError
from desktop.server import climbing, dispatch, outbox, places, turns
from desktop.server.dispatch import Outgoing
from desktop.server.presence import Presence
from desktop.server.station import Station

log = logging.getLogger(__name__)

# So many channels may hang before a message to another one has to wait.
WORKERS = 6
_LONGEST_WAIT, _SHORTEST_WAIT = 5.0, 0.02
# What is due and was not taken is in another server's hands, or behind one that is on its way.
_BUSY_WAIT = 0.5
_AFTER_A_FAULT = 1.0
# No look takes as long, and between two of them it waits for a few seconds.
_STUCK_SECONDS = 60.0


class Messenger:
    """Sends messages for as long as it runs; ``people`` tells who has a stream at this server."""

    def __init__(self, station: Station, people: Callable[[], frozenset[str]], *, allow_private: bool = False) -> None:
        self.allow_private = allow_private
        self._station = station
        self._presence = Presence(station, people)
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._busy = 0
        # Of several servers nobody knows whether another is dead; of a file there is only one.
        self._freed = station.storage.shared
        self._workers: ThreadPoolExecutor | None = None
        self._looked = -math.inf
        self._thread = threading.Thread(target=self._run, name="messenger")

    @property
    def alive(self) -> bool:
        """Whether messages are sent: the thread lives, and did what was due a short while ago."""
        return self._thread.is_alive() and time.monotonic() - self._looked < _STUCK_SECONDS

    def start(self) -> None:
        """Begin to send, in the background."""
        self._looked = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """End the thread, and what is on its way: it is sent again by whoever comes next."""
        self._stopping.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._workers is not None:
            from desktop.channels import guard  # noqa: PLC0415 - whoever has workers has imported it

            guard.cut_all()
            self._workers.shutdown(wait=True)
        try:
            self._presence.end()
        except WatchbellError as error:
            log.warning("streams not taken back", extra={"fields": {"error": error.message}})

    def committed(self) -> None:
        """Look again after a commit, if anything can follow from one: triggers come by the hundred."""
        if places.any_named(self._station.roster):
            self._wake.set()

    def wake(self) -> None:
        """Look again: something may be due (from any thread)."""
        self._wake.set()

    def tick(self) -> int:
        """Do all that is due now, on this thread, one by one; return how many messages were tried."""
        self._prepare()
        done = 0
        while taken := self._take(WORKERS):
            for outgoing in taken:
                self._deliver(outgoing)
            done += len(taken)
        return done

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                seconds = self._turn()
                self._looked = time.monotonic()
            except WatchbellError as error:
                # A full disk or a lost database: nothing is lost, the rows stay due.
                log.error("messages delayed", extra={"fields": {"error": error.message}})  # noqa: TRY400 - said in words
                seconds = _AFTER_A_FAULT
            except Exception:
                log.exception("messages delayed")
                seconds = _AFTER_A_FAULT
            self._wake.wait(seconds)
            # Commits come by the hundred; one look takes up what came with all of them.
            self._stopping.wait(_SHORTEST_WAIT)

    def _turn(self) -> float:
        """Do what can be done now; return after how many seconds to look again."""
        self._prepare()
        taken = self._take(WORKERS - self._busy)
        for outgoing in taken:
            self._hand_over(outgoing)
        with self._station.storage.read() as connection:
            times = (climbing.next_at(connection), outbox.next_at(connection), self._presence.renew_at)
        soonest = min((at for at in times if at is not None), default=None)
        if soonest is None:
            return _LONGEST_WAIT
        seconds = (soonest - self._station.clock()) / timedelta(seconds=1)
        return min(max(seconds, _SHORTEST_WAIT if taken else _BUSY_WAIT if seconds <= 0 else seconds), _LONGEST_WAIT)

    def _prepare(self) -> None:
        """Say who is here, and put in what is due on ladders."""
        self._free()
        self._presence.keep()
        if not self._something_due():
            return
        while self._station.writer.run(lambda work: climbing.climb(self._station, work)) == climbing.MANY:
            # Many that are due together are no reason to look as if nothing was done.
            self._looked = time.monotonic()

    def _free(self) -> None:
        """Take up at once what the server before this one had in hands: nobody else can have it."""
        if not self._freed:
            now = self._station.clock()
            self._station.writer.run(lambda work: outbox.free(work.connection, now))
            self._freed = True

    def _something_due(self) -> bool:
        with self._station.storage.read() as connection:
            at = climbing.next_at(connection)
        return at is not None and at <= self._station.clock()

    def _take(self, most: int) -> list[Outgoing]:
        ids = self._first() if most > 0 else []
        return self._station.writer.run(lambda work: dispatch.take(self._station, work, most, ids)) if ids else []

    def _first(self) -> list[int]:
        """Return what is to be sent now: looked up here, for who writes must not wait while all that waits is read."""
        now = self._station.clock()
        with self._station.storage.read() as connection:
            at = outbox.next_at(connection)
            return turns.first(connection, now) if at is not None and at <= now else []

    def _hand_over(self, outgoing: Outgoing) -> None:
        with self._lock:
            self._busy += 1
        self._pool().submit(self._deliver_and_wake, outgoing)

    def _pool(self) -> ThreadPoolExecutor:
        if self._workers is None:
            self._workers = ThreadPoolExecutor(WORKERS, thread_name_prefix="channel")
        return self._workers

    def _deliver_and_wake(self, outgoing: Outgoing) -> None:
        try:
            self._deliver(outgoing)
        finally:
            with self._lock:
                self._busy -= 1
            self._wake.set()

    def _deliver(self, outgoing: Outgoing) -> None:
        """Send a message and note what became of it. On a channel worker."""
        try:
            became = self._send(outgoing)
            self._note(outgoing, became, self._station.clock())
        except Exception:
            log.exception("message not noted", extra={"fields": {"message": outgoing.id}})

    def _note(self, outgoing: Outgoing, became: Outcome, now: datetime) -> None:
        """Note what became of a message, again and again until the database takes it or the lease is over.

        Not noted, it is sent once more, and until the lease ends nothing else goes to its address.
        """
        until = time.monotonic() + outbox.LEASE.total_seconds()
        while True:
            try:
                self._station.writer.run(lambda work: dispatch.settle(work, outgoing, became, now))
            except WatchbellError as error:
                log.warning("message not noted", extra={"fields": {"message": outgoing.id, "error": error.message}})
                if not self._stopping.wait(_AFTER_A_FAULT) and time.monotonic() < until:
                    continue
            return

    def _send(self, outgoing: Outgoing) -> Outcome:
        # Apprise comes with it: nothing of that is loaded before the first message.
        from desktop.channels.sending import send  # noqa: PLC0415

        station = self._station
        try:
            address = places.resolve(station.storage, station.roster, outgoing.recipient, outgoing.address)
        except places.Unknown as error:
            return Outcome(delivered=False, reason=error.reason, retry=error.retry)
        return send(address, outgoing.text, allow_private=self.allow_private)
