"""Follows one connection over its stream, or by polling where that does not do. Its own thread."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial

from desktop.backends.base import Alive, Backend, FullState, Missed, StreamEvent
from desktop.domain.attention import ConnectionState, Contact, shifts
from desktop.domain.errors import (
    BackendError,
    BackendFault,
    Forbidden,
    NotFound,
    Rejected,
    SecretsUnavailable,
    Unauthorized,
    Unreachable,
    WatchbellError,
)
from desktop.domain.incident import Snapshot
from desktop.domain.server_clock import Reading, better
from desktop.sync import changes
from desktop.sync.backoff import Backoff
from desktop.sync.gone import Gone
from desktop.sync.keeper import Keeper
from desktop.sync.pace import Pace, until_zero

log = logging.getLogger(__name__)

_USUAL = Pace()


class Watcher(threading.Thread):
    """Keeps a connection's state live until ``stop``; whatever fails is told as lost contact and tried again."""

    def __init__(
        self, keeper: Keeper, connect: Callable[[], Backend], now: Callable[[], datetime], pace: Pace = _USUAL
    ) -> None:
        super().__init__(name=f"watchbell-watch-{keeper.state.id}", daemon=True)
        self._keeper = keeper
        self._connect = connect
        self._now = now
        self._pace = pace
        self._wake, self._anew, self._stopping = threading.Event(), threading.Event(), threading.Event()
        self._backend: Backend | None = None
        self._backoff = Backoff(pace.first, pace.most, pace.draw)
        self._heard = False
        self._answers = 0
        self._clock: Reading | None = None
        self._fetched_at = 0.0
        self._stream = _StreamTrust(pace)
        self._gone = Gone(keeper.state.name)
        # Set by whoever has reason to ask before the time that the backend asked for is over.
        self._released = threading.Event()

    def stop(self) -> None:
        """End the thread soon; from any thread."""
        self._stopping.set()
        self._released.set()
        self.resync()

    def doubt(self) -> None:
        """Trust nothing that is known until the backend is heard again, and ask it now; from any thread."""
        now = self._now()
        self._keeper.change(lambda state: changes.doubted(state, now))
        # How much of it went by while this machine slept, nobody here knows.
        self._released.set()
        self.resync()

    def resync(self) -> None:
        """Fetch everything anew now, on a new connection; from any thread."""
        self._anew.set()
        self._wake.set()
        backend = self._backend
        if backend is not None:
            backend.close()

    def poll(self) -> None:
        """Look now where there is no stream to tell, for a command was answered; from any thread."""
        self._answers += 1
        self._wake.set()

    def run(self) -> None:
        """Follow until stopped."""
        while not self._stopping.is_set():
            self._wake.clear()
            self._released.clear()
            wait, hold = self._attempt()
            if not self._released.wait(hold):
                self._wake.wait(wait)

    def _attempt(self) -> tuple[float, float]:
        """Follow the backend until that ends; return how long to wait, and how long of that whatever happens."""
        try:
            polled = self._follow(self._connected())
        except WatchbellError as e:
            return self._lose(e)
        except Exception as e:
            # A fault of ours must look like lost contact, never like calm.
            log.exception("the watch of %s failed", self._keeper.state.name)
            return self._lose(BackendError(f"an internal error: {type(e).__name__}"))
        return self._until_next_poll() if polled else 0, 0

    def _connected(self) -> Backend:
        """Return the backend of the last attempt if that went well and nobody wants another."""
        if self._anew.is_set():
            self._anew.clear()
            self._backend = None
        if self._backend is None:
            self._backend = self._connect()
        return self._backend

    def _follow(self, backend: Backend) -> bool:
        """Follow the stream until it is ended, or look once; tell whether it was that."""
        trouble: WatchbellError | None = None
        if self._stopping.is_set():
            return False
        if self._stream.wanted:
            trouble = self._follow_stream(backend)
            if trouble is None or self._anew.is_set():
                return False
        self._hear(FullState(self._snapshot(backend)), backend)
        if trouble is not None:
            # The backend answers: it is the stream that does not work.
            self._stream.left(trouble)
        return True

    def _follow_stream(self, backend: Backend) -> WatchbellError | None:
        """Follow the stream; return why polling must do instead, None when it was ended. Raises what ends contact."""
        began = None
        try:
            with backend.stream() as events:
                for event in events:
                    began = began or time.monotonic()
                    self._hear(event, backend)
                    self._catch_up(event, backend)
        except (NotFound, Forbidden, Rejected, BackendFault, Unreachable) as e:
            if began is not None:
                if self._stream.ended(time.monotonic() - began, rubbish=not isinstance(e, Unreachable)):
                    raise
                self._tell_lost(e)
            return e
        return None

    def _catch_up(self, event: StreamEvent, backend: Backend) -> None:
        """Fetch everything after a gap in the stream, though not more often than by polling."""
        if isinstance(event, Missed):
            self._stream.missed = True
        if self._stream.missed and time.monotonic() - self._fetched_at >= self._pace.on_call[0]:
            self._hear(FullState(self._snapshot(backend)), backend)

    def _snapshot(self, backend: Backend) -> Snapshot:
        """Fetch everything; once more where a command was answered meanwhile, which this may not know of yet."""
        before = self._answers
        snapshot = backend.snapshot()
        return snapshot if self._answers == before else backend.snapshot()

    def _hear(self, event: StreamEvent, backend: Backend) -> None:
        if isinstance(event, Missed):
            return
        if isinstance(event, FullState):
            event = FullState(self._with_gone(event.snapshot, backend))
            self._clock = better(self._clock, backend.clock())
            self._fetched_at, self._stream.missed = time.monotonic(), False
        now = self._now()
        if not self._heard or not isinstance(event, Alive):
            self._backoff.reset()
        self._heard = True
        before = self._keeper.state.contact
        after = self._keeper.change(lambda state: self._on_server_time(changes.heard(state, event, now))).contact
        if after is Contact.LIVE and before is not Contact.LIVE:
            log.info("%s: in contact", self._keeper.state.name)
        for incident in self._gone.ask(backend):
            self._keeper.change(partial(changes.with_incident, incident=incident))

    def _on_server_time(self, state: ConnectionState) -> ConnectionState:
        return state if self._clock is None else replace(state, offset=self._clock.offset)

    def _with_gone(self, snapshot: Snapshot, backend: Backend) -> Snapshot:
        """Return ``snapshot`` with this person's incidents that are not open any more, as what they are now.

        What pages anew waits for none of them: then they are told after it.
        """
        state = self._keeper.state
        self._gone.note(changes.missing(state, snapshot), (i.id for i in snapshot.incidents))
        if changes.pages_anew(state, snapshot):
            return snapshot
        return replace(snapshot, incidents=(*snapshot.incidents, *self._gone.ask(backend)))

    def _lose(self, error: WatchbellError) -> tuple[float, float]:
        """Tell that contact is lost; return how long to wait, and how long of that since the backend asks for it."""
        self._backend = None
        if self._anew.is_set():
            # It was we who hung up.
            return 0, 0
        self._tell_lost(error)
        return self._backoff.next(), error.retry_after or 0

    def _tell_lost(self, error: WatchbellError) -> None:
        now = self._now()
        before = self._keeper.state
        token = isinstance(error, (Unauthorized, SecretsUnavailable))
        after = self._keeper.change(lambda state: changes.lost(state, error.message, now, needs_token=token))
        if before.contact is not Contact.LOST and after.contact is Contact.LOST:
            log.warning("%s: contact lost: %s", before.name, error.message)

    def _until_next_poll(self) -> float:
        state = self._keeper.state
        wait = self._pace.poll(on_call=bool(shifts(state)))
        wait = min(wait, max(self._stream.wait, self._pace.on_call[0]))
        incidents = state.snapshot.incidents if state.snapshot is not None else ()
        zero = until_zero(incidents, self._now() + state.offset)
        return wait if zero is None else min(wait, zero + self._pace.after_zero)


class _StreamTrust:
    """Whether the stream is worth another attempt. The watcher's thread.

    ``missed`` tells that it left something out, and that this was not made up for yet.
    """

    def __init__(self, pace: Pace) -> None:
        self.missed = False
        self._pace = pace
        self._short = 0
        self._again_at = 0.0
        self._pauses = Backoff(pace.stream_pause, pace.no_stream, pace.draw)

    @property
    def wanted(self) -> bool:
        """Whether to try it now."""
        return self.wait <= 0

    @property
    def wait(self) -> float:
        """How many seconds to do without."""
        return self._again_at - time.monotonic()

    def ended(self, lived: float, *, rubbish: bool) -> bool:
        """Note that it ended after ``lived`` seconds; tell whether to open it again at once."""
        if lived >= self._pace.settled:
            self._short = 0
            self._pauses.reset()
        self._short += 1
        return not rubbish and self._short < self._pace.short_streams

    def left(self, trouble: WatchbellError) -> None:
        """Do without for a while: there is none, or it is of no use now."""
        none = isinstance(trouble, (NotFound, Forbidden, Rejected))
        self._again_at = time.monotonic() + (self._pace.no_stream if none else self._pauses.next())
        log.info("the stream is left for polling: %s", trouble.message)
