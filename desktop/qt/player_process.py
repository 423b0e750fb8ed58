"""Plays a sound file by the desktop's own player, a process: the way out where QtMultimedia is deaf. GUI thread."""

import shutil
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QTimer, Signal, Slot

_PLAYERS = (("pw-play",), ("paplay",), ("aplay", "-q"), ("afplay",))
# A player that cannot reach a device fails at once; it is tried again, but not in a tight loop.
_AGAIN_MS = 3_000


class PlayerProcess(QObject):
    """Runs one player at a time. ``failed`` with its name when it could not play."""

    failed = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._commands = [c for c in _PLAYERS if shutil.which(c[0])]
        self._process = QProcess(self)
        self._process.setStandardOutputFile(QProcess.nullDevice())
        self._process.setStandardErrorFile(QProcess.nullDevice())
        self._process.finished.connect(self._finished)
        self._again = QTimer(self)
        self._again.setSingleShot(True)
        self._again.timeout.connect(self._start)
        self._file: Path | None = None
        self._loop = False

    @property
    def name(self) -> str:
        """The player's name, empty where this machine has none."""
        return self._commands[0][0] if self._commands else ""

    def play(self, file: Path, *, loop: bool) -> None:
        """Play ``file`` in place of what is playing, again and again when ``loop``."""
        self.stop()
        self._file, self._loop = file, loop
        self._start()

    def stop(self) -> None:
        """Be silent now."""
        self._file = None
        self._again.stop()
        if self._process.state() is not QProcess.ProcessState.NotRunning:
            self._process.kill()
            self._process.waitForFinished(10)

    @Slot()
    def _start(self) -> None:
        if self._file is None or not self._commands:
            return
        if self._process.state() is not QProcess.ProcessState.NotRunning:
            # The one before is still dying.
            self._again.start(20)
            return
        program, *options = self._commands[0]
        self._process.start(program, [*options, str(self._file)])

    @Slot(int, QProcess.ExitStatus)
    def _finished(self, code: int, _status: QProcess.ExitStatus) -> None:
        if self._file is None:
            return
        if code:
            # The next of them may get on with this machine better.
            self._commands.append(self._commands.pop(0))
            self.failed.emit(self.name)
        if self._loop:
            self._again.start(_AGAIN_MS if code else 0)
