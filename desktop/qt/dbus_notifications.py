"""Desktop notifications over D-Bus, with an Acknowledge button. One worker thread; signals reach the GUI thread.

PySide6's QtDBus cannot build this call: every integer becomes a 16-bit one and ``replaces_id`` must be an unsigned
32-bit one (PySide6 6.11, ``QDBusArgument << int``). jeepney, which keyring brings along on Linux, can.
"""

import selectors
import socket
from contextlib import suppress
from dataclasses import replace
from threading import Lock, Thread

from PySide6.QtCore import QObject, Signal

from desktop.qt.notification_session import Note, NotificationSession

# How long the end of the program may wait for the server: together well below what a person takes for a freeze.
_FAREWELL = 0.4
_PATIENCE = 0.6
_AFTER_CUT = 0.2


class DBusLink(QObject):
    """Shows and closes notifications without ever blocking its caller.

    Of each key only the newest wish is kept, so what waits for a slow server is bounded by what is to be on screen.
    ``answered`` carries the note, whether it was shown, and else why not; ``acknowledge`` the key of a pressed button.
    """

    answered = Signal(object, bool, str)
    acknowledge = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = Lock()
        # What the worker has still to do, oldest first: a note to show, None to close what is shown of the key.
        self._wanted: dict[tuple[str, str], Note | None] = {}
        # The keys of which something may be on screen.
        self._sent: set[tuple[str, str]] = set()
        self._session = NotificationSession(self.acknowledge.emit)
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._waker.setblocking(False)
        self._thread: Thread | None = None
        self._ended = False

    def show(self, note: Note) -> None:
        """Show ``note``, or update the one with its key; ``answered`` follows, unless another wish overtakes it."""
        with self._lock:
            waiting = self._wanted.get(note.key)
            # A correction of news that nobody has seen yet is news.
            self._want(note.key, replace(note, news=note.news or (waiting is not None and waiting.news)))

    def withdraw(self, key: tuple[str, str]) -> None:
        """Close the notification of ``key``, if it is still there; forget it, if it never was."""
        with self._lock:
            if key in self._sent:
                self._want(key, None)
            else:
                self._wanted.pop(key, None)

    def close(self) -> None:
        """Close what is shown and end the thread; waits less than a second, whatever the server does."""
        with self._lock:
            self._ended = True
            self._wanted.clear()
        self._waker.close()
        if self._thread is None:
            self._wake.close()
            return
        self._thread.join(_PATIENCE)
        if self._thread.is_alive():
            self._session.cut()
            self._thread.join(_AFTER_CUT)

    def _want(self, key: tuple[str, str], note: Note | None) -> None:
        if self._ended:
            return
        self._wanted[key] = note
        if self._thread is None:
            self._thread = Thread(target=self._run, name="watchbell-notify", daemon=True)
            self._thread.start()
        # Full means that it has been woken already.
        with suppress(BlockingIOError):
            self._waker.send(b"1")

    def _run(self) -> None:
        with self._wake:
            while not self._ended:
                self._wait()
                self._work()
                self._session.listen()
            self._session.close_all(_FAREWELL)

    def _wait(self) -> None:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._wake, selectors.EVENT_READ)
            if (bus := self._session.socket) is not None:
                waiting.register(bus, selectors.EVENT_READ)
            waiting.select()
        with suppress(BlockingIOError):
            while self._wake.recv(4096):
                pass

    def _work(self) -> None:
        while (wish := self._next()) is not None:
            key, note = wish
            # What was closed while the wish before was told is known before anything of it is corrected.
            self._session.listen()
            if note is None:
                self._session.close(key)
            elif note.news or self._session.shows(key):
                reason = self._session.show(note)
                if not self._ended:
                    self.answered.emit(note, not reason, reason)

    def _next(self) -> tuple[tuple[str, str], Note | None] | None:
        with self._lock:
            if not self._wanted:
                return None
            key = next(iter(self._wanted))
            note = self._wanted.pop(key)
            if note is None:
                self._sent.discard(key)
            else:
                self._sent.add(key)
            return key, note
