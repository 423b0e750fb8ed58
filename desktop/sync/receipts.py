"""Tells the backend what became of pages here, as well as it can. Its own thread; a failure disturbs nothing else."""

import logging
import queue
import random
import threading
from collections.abc import Callable, Sequence

from desktop.backends.base import Backend, Receipt
from desktop.domain.errors import Unauthorized, WatchbellError
from desktop.sync.backoff import Backoff

log = logging.getLogger(__name__)

# What a server takes at once.
MOST = 100
# Later than this no receipt changes anything: the server did without.
ATTEMPTS = 4


class Receipts(threading.Thread):
    """Sends the receipts of one connection; those that nobody takes are dropped."""

    def __init__(
        self, name: str, connect: Callable[[], Backend], draw: Callable[[float, float], float] = random.uniform
    ) -> None:  # fmt: skip
        super().__init__(name=f"watchbell-receipts-{name}", daemon=True)
        self._connect = connect
        self._draw = draw
        self._given: queue.SimpleQueue[Receipt | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._backend: Backend | None = None

    def confirm(self, receipts: Sequence[Receipt]) -> None:
        """Take receipts; from any thread, without blocking."""
        for receipt in receipts:
            self._given.put(receipt)

    def stop(self) -> None:
        """End the thread soon."""
        self._stopping.set()
        self._given.put(None)

    def run(self) -> None:
        """Send until stopped."""
        while (first := self._given.get()) is not None:
            try:
                self._send(self._gather(first))
            except Exception:
                # Nobody waits for a receipt, and the next one must find this thread alive.
                log.exception("receipts not sent")

    def _gather(self, first: Receipt) -> list[Receipt]:
        gathered = [first]
        while len(gathered) < MOST:
            try:
                receipt = self._given.get_nowait()
            except queue.Empty:
                break
            if receipt is None:
                self._given.put(None)
                break
            gathered.append(receipt)
        return gathered

    def _send(self, receipts: list[Receipt]) -> None:
        backoff = Backoff(most=5.0, draw=self._draw)
        for _ in range(ATTEMPTS):
            known = self._backend is not None
            try:
                if self._backend is None:
                    self._backend = self._connect()
                self._backend.confirm(receipts)
            except WatchbellError as error:
                # The next attempt connects anew: address and token may have changed meanwhile.
                self._backend = None
                log.debug("receipts not taken: %s", error.title)
                if known and isinstance(error, Unauthorized):
                    # It was opened with a token that was good then.
                    continue
                if not error.retryable or self._stopping.wait(backoff.next(error.retry_after)):
                    return
            else:
                return
