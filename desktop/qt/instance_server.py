"""Listens for a second start of the application, for who changed its settings, and for who asks what it watches.

GUI thread; free while unasked.
"""

import logging
import sys
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from desktop.domain.second_start import DONE, MOST_BYTES, RELOAD, WATCH, asked

log = logging.getLogger(__name__)

_MOST_CALLERS = 8
_PATIENCE_MS = 2_000
# However often somebody asks, the window comes up no more often.
_PAUSE_MS = 500


class InstanceServer(QObject):
    """Emits ``show`` with the caller's activation token, and ``reload``; all else that is said to it is dropped.

    ``watch`` makes the answer to who asks what is watched: one line, and no secret in it. That it is made on the GUI
    thread is meant: an application that hangs does not answer, and that is told.
    Only to be started by who holds the application's lock: it takes the place of what a crashed one left.
    """

    show = Signal(str)
    reload = Signal()

    def __init__(
        self, parent: QObject | None = None, *, watch: Callable[[], bytes] = bytes, patience_ms: int = _PATIENCE_MS
    ) -> None:
        super().__init__(parent)
        self._watch = watch
        self._patience_ms = patience_ms
        # Each with a timer of its own, which ends with it.
        self._callers: dict[QLocalSocket, QTimer] = {}
        self._last = QElapsedTimer()
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.setMaxPendingConnections(_MOST_CALLERS)
        self._server.newConnection.connect(self._take)

    def start(self, where: str) -> str:
        """Listen at ``where``; return why that is impossible: a second start cannot bring us up then."""
        name = where.removeprefix("\\\\.\\pipe\\") if sys.platform == "win32" else where
        return "" if self._server.listen(name) else self._server.errorString()

    def close(self) -> None:
        """Listen no longer; the socket is removed."""
        self._server.close()
        for caller in tuple(self._callers):
            self._drop(caller)

    @property
    def callers(self) -> int:
        """How many are being listened to."""
        return len(self._callers)

    @Slot()
    def _take(self) -> None:
        while (caller := self._next()) is not None:
            if len(self._callers) == _MOST_CALLERS:
                caller.abort()
                caller.deleteLater()
                continue
            self._callers[caller] = self._timer(partial(self._drop, caller))
            caller.setReadBufferSize(MOST_BYTES + 1)
            caller.readyRead.connect(partial(self._read, caller))
            caller.disconnected.connect(partial(self._drop, caller))
            self._read(caller)

    def _timer(self, fire: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(fire)
        timer.start(self._patience_ms)
        return timer

    def _next(self) -> QLocalSocket | None:
        return self._server.nextPendingConnection() if self._server.hasPendingConnections() else None

    def _read(self, caller: QLocalSocket) -> None:
        if caller not in self._callers:
            return
        line = bytes(caller.peek(MOST_BYTES + 1).data())
        if b"\n" not in line and len(line) <= MOST_BYTES:
            return
        token = asked(line)
        if token is None and line not in {RELOAD, WATCH}:
            log.info("somebody said what is no request to the application's socket")
            self._drop(caller)
            return
        caller.readAll()
        caller.write(self._watch() if line == WATCH else DONE)
        caller.disconnectFromServer()
        if line == RELOAD:
            # Never left out: what is not watched yet may wait behind it. Whoever does it does it once at a time.
            self.reload.emit()
        elif token is not None:
            self._tell(token)

    def _tell(self, token: str) -> None:
        if self._last.isValid() and self._last.elapsed() < _PAUSE_MS:
            return
        self._last.start()
        self.show.emit(token)

    def _drop(self, caller: QLocalSocket) -> None:
        timer = self._callers.pop(caller, None)
        if timer is not None:
            timer.stop()
            timer.deleteLater()
            caller.abort()
            caller.deleteLater()
