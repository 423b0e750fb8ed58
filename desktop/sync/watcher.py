"""Follows one connection over its stream, or by polling where it has none. Its own thread."""

import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from desktop.backends.base import Alive, Backend, FullState, StreamEvent
from desktop.domain.attention import Contact, shifts
from desktop.domain.errors import BackendError, NotFound, SecretsUnavailable, Unauthorized, WatchbellError
from desktop.sync import changes
from desktop.sync.backoff import Backoff
from desktop.sync.keeper import Keeper

log = logging.getLogger(__name__)

# Seconds between polls where there is no stream (design, section 7).
POLL_ON_CALL, POLL_OFF_CALL = 7.5, 45.0
# How many incidents that are over are asked for one by one.
MOST_MISSING = 20


class Watcher(threading.Thread):
    """Keeps a connection's state live until ``stop``; whatever fails is told as lost contact and tried again."""

    def __init__(self, keeper: Keeper, connect: Callable[[], Backend], now: Callable[[], datetime]) -> None:
        super().__init__(name=f"watchbell-watch-{keeper.state.id}", daemon=True)
        self._keeper = keeper
        self._connect = connect
        self._now = now
        self._wake = threading.Event()
        self._stopping = False
        self._backend: Backend | None = None
        self._backoff = Backoff()
        self._heard_at: datetime | None = None
        self._streams = True

    def stop(self) -> None:
        """End the thread soon; from any thread."""
        self._stopping = True
        self.resync()

    def doubt(self) -> None:
        """Trust nothing that is known until the backend is heard again, and ask it now; from any thread."""
        now = self._now()
        self._keeper.change(lambda state: changes.doubted(state, now))
        self.resync()

    def resync(self) -> None:
        """Fetch everything anew now; from any thread."""
        self._wake.set()
        backend = self._backend
        if backend is not None:
            backend.close()

    def run(self) -> None:
        """Follow until stopped."""
        while not self._stopping:
            self._wake.clear()
            wait = self._attempt()
            if not self._stopping:
                self._wake.wait(wait)

    def _attempt(self) -> float:
        """Follow the backend until that ends; return how many seconds to wait before the next attempt."""
        try:
            self._backend = self._connect()
            if self._stopping:
                return 0
            self._follow(self._backend)
        except WatchbellError as e:
            return self._lose(e)
        except Exception as e:
            # A fault of ours must look like lost contact, never like calm.
            log.exception("the watch of %s failed", self._keeper.state.name)
            return self._lose(BackendError(f"an internal error: {type(e).__name__}"))
        finally:
            self._backend = None
        return self._next_poll()

    def _follow(self, backend: Backend) -> None:
        if self._streams:
            try:
                self._follow_stream(backend)
            except NotFound:
                self._streams = False
        if not self._streams:
            self._hear(FullState(backend.snapshot()), backend)

    def _follow_stream(self, backend: Backend) -> None:
        with backend.stream() as events:
            for event in events:
                self._hear(event, backend)

    def _hear(self, event: StreamEvent, backend: Backend) -> None:
        if isinstance(event, FullState):
            event = self._with_missing(event, backend)
        now = self._now()
        if self._heard_at is None or not isinstance(event, Alive):
            self._backoff.reset()
        self._heard_at = now
        before = self._keeper.state.contact
        after = self._keeper.change(lambda state: changes.heard(state, event, now)).contact
        if after is Contact.LIVE and before is not Contact.LIVE:
            log.info("%s: in contact", self._keeper.state.name)

    def _with_missing(self, event: FullState, backend: Backend) -> FullState:
        """Add what became of this person's incidents that are not among the open ones any more, for it to be told."""
        found = []
        for incident_id in changes.missing(self._keeper.state, event.snapshot)[:MOST_MISSING]:
            try:
                found.append(backend.incident(incident_id))
            except BackendError as e:
                # Nobody is kept from the news by what is over.
                log.info("what became of %s is not known: %s", incident_id, e.message)
        return FullState(replace(event.snapshot, incidents=(*event.snapshot.incidents, *found)))

    def _lose(self, error: WatchbellError) -> float:
        now = self._now()
        before = self._keeper.state
        token = isinstance(error, (Unauthorized, SecretsUnavailable))
        after = self._keeper.change(
            lambda state: changes.lost(state, error.message, now, self._heard_at, needs_token=token)
        )
        if before.contact is Contact.LIVE and after.contact is not Contact.LIVE:
            log.warning("%s: contact lost: %s", before.name, error.message)
        return self._backoff.next(error.retry_after)

    def _next_poll(self) -> float:
        if self._streams:
            return 0
        return POLL_ON_CALL if shifts(self._keeper.state) else POLL_OFF_CALL
