"""Ctrl+C, SIGTERM and SIGHUP, delivered to a Qt program. GUI thread."""

import signal
import socket

from PySide6.QtCore import QObject, QSocketNotifier, Signal, Slot

# A terminal that is closed hangs up. Windows has no such signal.
_NUMBERS = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else []))


class TerminationSignals(QObject):
    """Emits ``requested`` when the process is asked to end; ``interrupted`` says whether by a person's Ctrl+C.

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
        self.interrupted = False
        # What is ignored (nohup) stays ignored.
        heard = [n for n in _NUMBERS if n == signal.SIGINT or signal.getsignal(n) != signal.SIG_IGN]
        self._handlers = {number: signal.signal(number, lambda *_: None) for number in heard}
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._read)

    @Slot()
    def _read(self) -> None:
        numbers = self._reader.recv(64)
        if any(number in self._handlers for number in numbers):
            self.interrupted = self.interrupted or signal.SIGINT in numbers
            self.requested.emit()

    def close(self) -> None:
        """Give the signals back."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._before)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self._reader.close()
        self._writer.close()
