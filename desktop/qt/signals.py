"""Ctrl+C and SIGTERM, delivered to a Qt program. GUI thread."""

import signal
import socket

from PySide6.QtCore import QObject, QSocketNotifier, Signal, Slot


class TerminationSignals(QObject):
    """Emits ``requested`` when the process is asked to end.

    Python runs its signal handlers between bytecodes only, which an idle event loop never reaches: the wake-up
    descriptor wakes it without any timer.
    """

    requested = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._before = signal.set_wakeup_fd(self._writer.fileno())
        self._handlers = {s: signal.signal(s, lambda *_: None) for s in (signal.SIGINT, signal.SIGTERM)}
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._read)

    @Slot()
    def _read(self) -> None:
        numbers = self._reader.recv(64)
        if any(number in {signal.SIGINT, signal.SIGTERM} for number in numbers):
            self.requested.emit()

    def close(self) -> None:
        """Give the signals back."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._before)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._reader.close()
        self._writer.close()
