"""Sends one click at a time and hands back what came of it. Its own thread: what hangs here holds up nothing else."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from desktop.backends.base import Backend
from desktop.domain.attention import Command
from desktop.domain.clicks import done, overtaken
from desktop.domain.errors import NotFound, Rejected, Unreachable
from desktop.domain.incident import Incident
from desktop.sync.commands import Waiting
from desktop.sync.keeper import Keeper

# What waited longer than this (others were tried before it, in vain) may answer a page that came since: look first.
FRESH = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a click: the ``incident`` as it is now, and ``refusal``, why it was not sent or not taken.

    With an ``error`` nobody knows whether it arrived.
    """

    sender: "Sender"
    waiting: Waiting
    incident: Incident | None = None
    refusal: str = ""
    error: Exception | None = None


class Sender(threading.Thread):
    """Sends what it is given on a backend of its own; ``tell`` is called with each answer, on this thread."""

    def __init__(
        self,
        keeper: Keeper,
        connect: Callable[[], Backend],
        now: Callable[[], datetime],
        tell: Callable[[Answer], None],
    ) -> None:
        super().__init__(name=f"watchbell-sender-{keeper.state.id}", daemon=True)
        self._keeper = keeper
        self._connect = connect
        self._now = now
        self._tell = tell
        # None is the end.
        self._given: queue.Queue[tuple[Waiting, bool] | None] = queue.Queue()
        self._backend: Backend | None = None
        self._closed = threading.Event()

    def send(self, waiting: Waiting, *, fresh: bool) -> None:
        """Send a click; ``fresh``: it was never tried, and given in this run. Returns at once."""
        self._given.put((waiting, fresh))

    def stop(self) -> None:
        """End the thread soon; what only asks is cut off, a command under way is left to its answer."""
        self._closed.set()
        self._given.put(None)
        backend = self._backend
        if backend is not None:
            backend.close()

    def run(self) -> None:
        """Send until stopped."""
        while (given := self._given.get()) is not None:
            self._tell(self._answer(*given))

    def _answer(self, waiting: Waiting, fresh: bool) -> Answer:
        try:
            incident, refusal = self._send(waiting, fresh=fresh)
        except (Rejected, NotFound) as e:
            return Answer(self, waiting, refusal=e.message)
        except Exception as e:  # noqa: BLE001 - handed back, and told by who gets it
            # The next attempt connects anew: address and token may have changed meanwhile.
            self._backend = None
            return Answer(self, waiting, error=e)
        return Answer(self, waiting, incident, refusal)

    def _send(self, waiting: Waiting, *, fresh: bool) -> tuple[Incident, str]:
        """Return the incident as it is now, and why the command was not sent, if it was not."""
        backend = self._connected()
        soon = abs(self._now() - waiting.click.at) <= FRESH
        if not (fresh and soon and pages(self._keeper, waiting.incident) == waiting.click.pages):
            # An attempt whose answer was lost may have arrived, and much may have happened since.
            incident = backend.incident(waiting.incident)
            if done(waiting.click, incident, self._me(backend)):
                return incident, ""
            if reason := overtaken(waiting.click, incident, self._now()):
                return incident, reason
        if waiting.click.command is Command.ACKNOWLEDGE:
            return backend.acknowledge(waiting.incident), ""
        return backend.resolve(waiting.incident), ""

    def _connected(self) -> Backend:
        if self._backend is None:
            self._backend = self._connect()
        if self._closed.is_set():
            raise Unreachable("the connection was closed")
        return self._backend

    def _me(self, backend: Backend) -> str:
        snapshot = self._keeper.state.snapshot
        return backend.me().id if snapshot is None else snapshot.me.id


def pages(keeper: Keeper, incident_id: str) -> int:
    """Return how often the incident had been paged when it was last told."""
    snapshot = keeper.state.snapshot
    return next((i.pages for i in snapshot.incidents if i.id == incident_id), 0) if snapshot else 0
