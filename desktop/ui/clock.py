"""The present moment between two updates, and a tick no more often than digits change. GUI thread."""

from datetime import datetime, timedelta

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer, Signal

# In the last ten seconds the ring drains smoothly; before that, only digits change.
URGENT = timedelta(seconds=10)
URGENT_TICK_MS = 250
SECOND_MS = 1000


class Clock(QObject):
    """Local time as last told, carried on by the monotonic clock; ``ticked`` while running."""

    ticked = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._base: datetime | None = None
        self._since = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.ticked)

    def set(self, now: datetime) -> None:
        """Take ``now`` (aware, local machine's clock) as the present."""
        self._base = now
        self._since.start()

    def now(self) -> datetime:
        """Return the present. Raises RuntimeError before the first ``set``."""
        if self._base is None:
            raise RuntimeError("the clock was never set")
        return self._base + timedelta(milliseconds=self._since.elapsed())

    def tick_in(self, milliseconds: int) -> None:
        """Tick once after ``milliseconds``, in place of any earlier wish."""
        self._timer.start(milliseconds)

    def stop(self) -> None:
        """Tick no more."""
        self._timer.stop()

    @property
    def running(self) -> bool:
        """Whether a tick is due."""
        return self._timer.isActive()


def next_tick(left: timedelta | None) -> int:
    """Return the milliseconds until the digits of a countdown with ``left`` to go change (None: no countdown)."""
    if left is None or left <= timedelta(0):
        return SECOND_MS
    if left <= URGENT:
        return URGENT_TICK_MS
    # The digits show started seconds, so they change when a whole second is left: wake just after.
    return left // timedelta(milliseconds=1) % SECOND_MS + 5
