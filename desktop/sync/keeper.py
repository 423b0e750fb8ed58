"""Holds what is known of one connection, for several writers. Any thread."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from desktop.domain.attention import ConnectionState

# Well within what silence is allowed to last (``domain.attention``).
TOLD_EVERY = timedelta(seconds=15)

Publish = Callable[[ConnectionState], None]


class Keeper:
    """The one place where a connection's state changes; every change is published, in order.

    ``publish`` is called under the lock, on the thread that changed something, and must only hand over.
    """

    def __init__(self, state: ConnectionState, publish: Publish) -> None:
        self._state = state
        self._publish = publish
        self._told = state
        self._lock = threading.Lock()

    @property
    def state(self) -> ConnectionState:
        """What is known now."""
        return self._state

    def change(self, how: Callable[[ConnectionState], ConnectionState]) -> ConnectionState:
        """Apply ``how`` to the state and publish the result if it differs."""
        with self._lock:
            new = how(self._state)
            old, self._state = self._state, new
            if new is not old and not _same(new, self._told):
                self._told = new
                self._publish(new)
            return new


def _same(new: ConnectionState, told: ConnectionState) -> bool:
    """Tell whether only the moment of hearing differs, and not by so much that contact would seem to be lost."""
    if new.heard_at is not None and (told.heard_at is None or abs(new.heard_at - told.heard_at) >= TOLD_EVERY):
        return False
    return replace(new, heard_at=told.heard_at) == told
