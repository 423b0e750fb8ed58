"""Ends what takes too long: one thread for all that may, which sleeps until something is late. Any thread.

A timer for each request is a thread for each request: of what a poll cost, that was most. What is done in time wakes
nobody; the thread ends by itself when it wakes and nothing is under way.
"""

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger(__name__)

THREAD = "watchbell-deadlines"


class Deadline:
    """A moment (monotonic) at which something is ended, unless it is cancelled before."""

    def __init__(self, at: float, end: Callable[[], None]) -> None:
        self.at = at
        self._end: Callable[[], None] | None = end

    def cancel(self) -> None:
        """End nothing; from any thread."""
        self._end = None

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._end is None

    def meet(self) -> None:
        """End what is late."""
        end = self._end
        if end is not None:
            end()


class Deadlines:
    """Meets each deadline at its time."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[Deadline] = []
        # When the thread wakes by itself; None while there is none.
        self._wakes_at: float | None = None

    def after(self, seconds: float, end: Callable[[], None]) -> Deadline:
        """Call ``end`` after so many seconds, on another thread; it must not block. Returns what cancels that."""
        deadline = Deadline(time.monotonic() + seconds, end)
        with self._changed:
            if self._wakes_at is None:
                threading.Thread(target=self._run, name=THREAD, daemon=True).start()
                self._wakes_at = deadline.at
            elif deadline.at < self._wakes_at:
                self._changed.notify()
            self._waiting.append(deadline)
        return deadline

    def _run(self) -> None:
        while (due := self._await_due()) is not None:
            try:
                due.meet()
            except Exception:
                # All later ones depend on this thread.
                log.exception("what is late was not ended")

    def _await_due(self) -> Deadline | None:
        """Return the next deadline at its time, None when nothing is under way any more."""
        with self._changed:
            while True:
                self._waiting = [d for d in self._waiting if not d.cancelled]
                first = min(self._waiting, key=lambda d: d.at, default=None)
                self._wakes_at = None if first is None else first.at
                if first is None:
                    return None
                left = first.at - time.monotonic()
                if left <= 0:
                    self._waiting.remove(first)
                    return first
                self._changed.wait(left)


SHARED = Deadlines()
