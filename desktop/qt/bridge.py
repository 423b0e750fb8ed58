"""The one door from worker threads to the screen. Made in the GUI thread; ``post_*`` may be called from any thread."""

from collections.abc import Callable
from threading import Lock

from PySide6.QtCore import QObject, Qt, QThread, Signal, Slot

from desktop.domain.attention import ConnectionState


class Bridge(QObject):
    """Carries frozen values to the GUI thread, where its signals are emitted, in order.

    ``states``: the newest tuple of ConnectionState (a flood arrives as one). ``notice``: key and text, None to take it
    back.
    """

    states = Signal(object)
    notice = Signal(str, object)

    _wake = Signal()
    _calls = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = Lock()
        self._newest: tuple[ConnectionState, ...] | None = None
        self._open = True
        # Queued even within the GUI thread: whoever posts never runs the receivers inside its own call.
        self._wake.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._calls.connect(self._run, Qt.ConnectionType.QueuedConnection)

    def post_states(self, states: tuple[ConnectionState, ...]) -> None:
        """Hand over all connections' states; only the newest of several is delivered."""
        with self._lock:
            if not self._open:
                return
            waiting = self._newest is not None
            self._newest = states
            if not waiting:
                self._wake.emit()

    def post_notice(self, key: str, text: str | None) -> None:
        """Hand over a notice for the person, or take back the one of that ``key``."""
        self.call(lambda: self.notice.emit(key, text))

    def call(self, function: Callable[[], None]) -> None:
        """Run ``function`` in the GUI thread, soon and after what was posted before; dropped once closed."""
        with self._lock:
            if self._open:
                self._calls.emit(function)

    def close(self) -> None:
        """Deliver nothing any more: the screen is going away. Any thread."""
        with self._lock:
            self._open = False
            self._newest = None

    @Slot()
    def _deliver(self) -> None:
        with self._lock:
            states, self._newest = self._newest, None
        if states is not None:
            self.states.emit(states)

    @Slot(object)
    def _run(self, function: Callable[[], None]) -> None:
        if QThread.currentThread() is not self.thread():
            raise RuntimeError("the bridge was not made in the GUI thread")
        if self._open:
            function()
