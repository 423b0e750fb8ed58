"""The tray application with a stopwatch in it: woken when told, it says how long its GUI thread took. A process.

Each line on standard input is one sleep and waking up; the answer is a line of JSON on standard output.
"""

import json
import os
import sys
import time

from PySide6.QtCore import QObject, QSocketNotifier, Qt, QTimer, Slot

from desktop import app
from desktop.app.pager import Pager
from desktop.domain.attention import ConnectionState, Contact
from desktop.system.guard import Guard

OPEN = int(os.environ.get("BENCH_OPEN", "1000"))
# Long enough for everything that follows the showing, short enough for nothing else.
_AFTER_MS = 1_500


class Blocks(QObject):
    """Ticks every millisecond: a tick that comes late says for how long the GUI thread did nothing else."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._last = 0.0
        self.found: list[float] = []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)

    def start(self) -> None:
        """Begin."""
        self._last, self.found = time.perf_counter(), []
        self._timer.start(1)

    def stop(self) -> list[float]:
        """End; return the five longest blocks in seconds."""
        self._timer.stop()
        return sorted(self.found, reverse=True)[:5]

    @Slot()
    def _tick(self) -> None:
        now = time.perf_counter()
        self.found.append(now - self._last)
        self._last = now


class Measured(Pager):
    """The pager, which notes when it showed everything again."""

    def start(self) -> None:
        """Begin, and listen to standard input."""
        super().start()
        self._woken = self._shown = self._took = 0.0
        self._blocks = Blocks(self)
        self._input = QSocketNotifier(0, QSocketNotifier.Type.Read, self)
        self._input.activated.connect(self._told)

    @Slot()
    def _told(self) -> None:
        if not os.read(0, 4096):
            self.quit()
            return
        self._power.prepare(True)
        self._blocks.start()
        self._woken, self._shown, self._took = time.perf_counter(), 0.0, 0.0
        self._power.prepare(False)

    @Slot(object)
    def _take_states(self, states: tuple[ConnectionState, ...]) -> None:
        began = time.perf_counter()
        super()._take_states(states)
        ended = time.perf_counter()
        self._took = max(self._took, ended - began)
        if self._woken and complete(states) and not self._shown:
            self._shown = ended
            QTimer.singleShot(_AFTER_MS, self, self._tell)

    @Slot()
    def _tell(self) -> None:
        said = {"after": self._shown - self._woken, "slot": self._took, "blocks": self._blocks.stop()}
        print(json.dumps(said), flush=True)


def complete(states: tuple[ConnectionState, ...]) -> bool:
    """Tell whether everything is live, and all that is open is known."""
    return all(
        s.contact is Contact.LIVE and s.snapshot is not None and sum(i.open for i in s.snapshot.incidents) >= OPEN
        for s in states
    )


if __name__ == "__main__":
    setattr(app, "Pager", Measured)  # noqa: B010 - it is no part of what the module offers
    sys.exit(app.run(Guard.NOBODY))
