"""Opens an incident by a person's wish, in a thread of its own; a failure becomes a notice. Any thread."""

import secrets
import threading
from collections.abc import Callable
from dataclasses import replace

from desktop.backends.base import NewPage
from desktop.connections.live import LiveConnection
from desktop.domain.errors import Unreachable, WatchbellError
from desktop.domain.incident import Person

_ATTEMPTS, _WAIT = 40, 0.5
_NOTICE = "trigger"


class Triggering:
    """Goes on trying until ``stopping``."""

    def __init__(self, notice: Callable[[str, str | None], None], stopping: threading.Event) -> None:
        self._notice = notice
        self._stopping = stopping

    def trigger(self, connection: LiveConnection | None, make: Callable[[Person], NewPage]) -> None:
        """Open what ``make`` makes of who we are there; returns at once. None: nothing is connected, which is told."""
        if connection is None:
            self._notice(_NOTICE, "The page could not be triggered: nothing is connected.")
            return
        key = f"watchbell-{secrets.token_hex(8)}"

        def work() -> None:
            try:
                self._insist(connection, make, key)
            except WatchbellError as e:
                self._notice(_NOTICE, f"The page could not be triggered: {e.message}")
            else:
                self._notice(_NOTICE, None)

        threading.Thread(target=work, name="watchbell-trigger", daemon=True).start()

    def _insist(self, connection: LiveConnection, make: Callable[[Person], NewPage], key: str) -> None:
        """Trigger, trying again while there is no contact: the key makes the second attempt harmless."""
        for _ in range(_ATTEMPTS):
            try:
                backend = connection.backend()
                backend.trigger(replace(make(backend.me()), dedup_key=key))
            except WatchbellError as e:
                if not e.retryable or self._stopping.wait(_WAIT):
                    raise
            else:
                return
        raise Unreachable("the backend did not answer in time")
