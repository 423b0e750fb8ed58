"""Holds what is known of one connection, for several writers. Any thread."""

import threading
from collections.abc import Callable
from dataclasses import replace

from desktop.domain.attention import ConnectionState

Publish = Callable[[ConnectionState], None]


class Keeper:
    """The one place where a connection's state changes; every change is published, in order.

    ``publish`` is called under the lock, on the thread that changed something, and must only hand over.
    """

    def __init__(self, state: ConnectionState, publish: Publish) -> None:
        self._state = state
        self._publish = publish
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
            if new is not old and not _same(new, old):
                self._publish(new)
            return new


def _same(new: ConnectionState, old: ConnectionState) -> bool:
    """Tell whether only the moment of hearing differs: nobody needs to be told of that."""
    return replace(new, heard_at=old.heard_at) == old
