"""Carries commands to the backend: durable before they show, retried until a definite answer. Its own thread.

A command is in the store before the screen says "sending", and leaves it only when the backend confirmed or refused for
good; what a crash leaves behind is sent at the next start, if it still holds (design, promise 2; ``domain.clicks``).
"""

import logging
import queue
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from desktop.backends.base import Backend
from desktop.domain.attention import Command, ConnectionState
from desktop.domain.clicks import Click, done, overtaken
from desktop.domain.errors import BackendError, NotFound, Rejected, Unreachable, WatchbellError
from desktop.domain.incident import Incident
from desktop.sync import changes
from desktop.sync.backoff import Backoff
from desktop.sync.commands import Commands, Key, Trouble, Waiting
from desktop.sync.keeper import Keeper
from desktop.sync.pace import Pace

log = logging.getLogger(__name__)

# What waited longer than this (others were tried before it, in vain) may answer a page that came since: look first.
FRESH = timedelta(seconds=2)
_USUAL = Pace()


class Outbox(threading.Thread):
    """Sends the commands of one connection, in the order in which they were given for each incident.

    ``answered`` is called after each definite answer; ``trouble`` with why commands are not durable. ``retry`` is the
    ceiling, in seconds, of the wait until the next attempt. ``taken_up`` is set when what an earlier run left is shown.
    """

    def __init__(
        self,
        path: Path,
        keeper: Keeper,
        connect: Callable[[], Backend],
        now: Callable[[], datetime],
        *,
        trouble: Trouble = lambda reason: None,  # noqa: ARG005 - its shape
        answered: Callable[[], None] = lambda: None,
        retry: float = _USUAL.retry,
    ) -> None:
        super().__init__(name=f"watchbell-outbox-{keeper.state.id}", daemon=True)
        self.taken_up = threading.Event()
        self._keeper = keeper
        self._connect = connect
        self._now = now
        self._answered = answered
        # None is the end.
        self._given: queue.Queue[tuple[str, Click] | None] = queue.Queue()
        self._trouble = trouble
        self._backoff, self._store_backoff = Backoff(most=retry), Backoff(most=retry)
        self._backend: Backend | None = None
        self._commands = Commands(path, keeper.state.id, trouble)
        # What was given a moment ago and never tried: nobody can know of it, and nothing can have happened since.
        self._fresh: set[Key] = set()
        self._shown: set[Key] = set()
        self._at_fault = False

    def submit(self, incident_id: str, command: Command) -> None:
        """Take a command; from any thread, without blocking. The state shows it when it is durable.

        It answers what is known now: while another one hangs, the incident may page again.
        """
        self._given.put((incident_id, Click(command, self._now(), _pages(self._keeper, incident_id))))

    def stop(self) -> None:
        """End the thread soon; what is not confirmed stays for the next start."""
        self._given.put(None)
        backend = self._backend
        if backend is not None:
            backend.close()

    def run(self) -> None:
        """Send until stopped."""
        try:
            self._guarded(self._show_waiting)
            self.taken_up.set()
            self._serve()
        finally:
            self.taken_up.set()
            self._commands.close()

    def _serve(self) -> None:
        wait: float | None = 0.0
        while True:
            taken = self._take(wait)
            before, self._at_fault = self._at_fault, False
            for given in taken:
                if given is None:
                    return
                self._guarded(partial(self._keep, *given))
            waits = (self._guarded(self._send_waiting), self._until_settled())
            wait = min((w for w in waits if w is not None), default=None)
            if before and not self._at_fault and self._commands.settled:
                self._trouble("")

    def _guarded(self, step: Callable[[], float | None]) -> float | None:
        """Do a step; a fault of ours in it is told, and is no reason to do nothing for the next click."""
        try:
            return step()
        except Exception as e:
            log.exception("clicks on %s are held up", self._keeper.state.name)
            return self._fault(e)

    def _fault(self, error: Exception) -> float:
        """Tell of a fault of ours; return how long until the next try."""
        self._at_fault = True
        self._trouble(f"An internal error holds up your clicks: {type(error).__name__}. They are tried again.")
        return self._backoff.next()

    def _until_settled(self) -> float | None:
        """Return how long until the store is tried again, None when there is no need."""
        if self._commands.settled:
            self._store_backoff.reset()
            return None
        return self._store_backoff.next()

    def _take(self, wait: float | None) -> list[tuple[str, Click] | None]:
        """Return what was given, waiting up to ``wait`` seconds for it (None: for ever)."""
        taken: list[tuple[str, Click] | None] = []
        try:
            if wait != 0:
                taken.append(self._given.get(timeout=wait))
            while True:
                taken.append(self._given.get_nowait())
        except queue.Empty:
            return taken

    def _keep(self, incident_id: str, click: Click) -> None:
        if incident_id not in self._keeper.state.sending:
            self._fresh.add((incident_id, click.command))
        self._commands.add(incident_id, click)
        self._show(incident_id, click)

    def _show_waiting(self) -> None:
        """Show what an earlier run left, as soon as it could be read."""
        for waiting in self._commands.waiting():
            if waiting.key not in self._shown:
                self._show(waiting.incident, waiting.click)

    def _show(self, incident_id: str, click: Click) -> None:
        self._shown.add((incident_id, click.command))
        self._keeper.change(lambda state: changes.sending(state, incident_id, click.command, click.at))

    def _send_waiting(self) -> float | None:
        """Send what waits, in order for each incident; return how long until the next try, None when nothing waits."""
        blocked: set[str] = set()
        wait: float | None = None
        self._show_waiting()
        for waiting in self._commands.waiting():
            if waiting.incident in blocked:
                continue
            try:
                self._send_one(waiting)
            except WatchbellError as e:
                log.info("%s of %s waits: %s", waiting.click.command, waiting.incident, e.message)
                wait = max(wait or 0.0, self._backoff.next(e.retry_after))
                if not isinstance(e, BackendError) or isinstance(e, Unreachable):
                    break
                blocked.add(waiting.incident)
                continue
            except Exception as e:
                log.exception("%s of %s is held up", waiting.click.command, waiting.incident)
                wait = max(wait or 0.0, self._fault(e))
                blocked.add(waiting.incident)
                continue
            self._shown.discard(waiting.key)
            self._commands.remove(waiting)
            self._backoff.reset()
            self._answered()
        return wait

    def _send_one(self, waiting: Waiting) -> None:
        """Send one command; raises while there is no definite answer."""
        try:
            incident, refusal = self._send(waiting)
        except (Rejected, NotFound) as e:
            incident, refusal = None, e.message

        def told(state: ConnectionState) -> ConnectionState:
            # At once: what is on its way no more, and not what was wanted, is told with the reason.
            state = state if incident is None else changes.settled(state, incident)
            return changes.refused(state, waiting.incident, refusal) if refusal else state

        self._keeper.change(told)

    def _send(self, waiting: Waiting) -> tuple[Incident, str]:
        """Return the incident as it is now, and why the command was not sent, if it was not."""
        key = (waiting.incident, waiting.click.command)
        try:
            if self._backend is None:
                self._backend = self._connect()
            soon = abs(self._now() - waiting.click.at) <= FRESH
            fresh = key in self._fresh and soon and _pages(self._keeper, waiting.incident) == waiting.click.pages
            self._fresh.discard(key)
            if not fresh:
                # An attempt whose answer was lost may have arrived, and much may have happened since.
                incident = self._backend.incident(waiting.incident)
                if done(waiting.click, incident, self._me(self._backend)):
                    return incident, ""
                if reason := overtaken(waiting.click, incident, self._now()):
                    return incident, reason
            if waiting.click.command is Command.ACKNOWLEDGE:
                return self._backend.acknowledge(waiting.incident), ""
            return self._backend.resolve(waiting.incident), ""
        except (Rejected, NotFound):
            raise
        except WatchbellError:
            # The next attempt connects anew: address and token may have changed meanwhile.
            self._backend = None
            raise

    def _me(self, backend: Backend) -> str:
        snapshot = self._keeper.state.snapshot
        return backend.me().id if snapshot is None else snapshot.me.id


def _pages(keeper: Keeper, incident_id: str) -> int:
    """Return how often the incident had been paged when it was last told."""
    snapshot = keeper.state.snapshot
    return next((i.pages for i in snapshot.incidents if i.id == incident_id), 0) if snapshot else 0
