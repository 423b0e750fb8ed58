"""Keeps the tray application running: its parent, which starts it again when it crashes. Main thread; no Qt.

It stays small, since it is there for as long as the application is: nothing of ours that is large may be imported here.
"""

import logging
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

log = logging.getLogger(__name__)

# How the application ends when nothing would be different the next time: quit, or wrong input.
_FINAL = frozenset({0, 2})
# However often it crashed it is back within 5 s, of which three are for its start.
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 2.0
# So many crashes, one soon after the other, are told to the person: the application cannot say it.
_OFTEN = 3
# Whoever ran for so long did not crash at its start: the next crash is a first one again.
_STEADY = 60.0
_GRACE = 20.0
# As of a shell: a program that cannot be run.
_NOT_STARTED = 126
_SLICE = 0.1
# Without a screen for so long, the session is over; a compositor that crashed is back by then.
_SCREEN_GONE = 60.0
_PASSED_ON = ("SIGINT", "SIGTERM", "SIGHUP")


class Supervisor:
    """Runs ``command`` until it was quit, or until we are told to end; never two at once.

    ``screen`` tells whether there is still something to show it on. ``often`` is called when it crashes again and
    again, once until it ran steadily, and must return at once. The child's standard input is a pipe of ours: it reads
    the end of it when we die, and goes on without us, since a watch without a guard is better than none.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        screen: Callable[[], bool],
        often: Callable[[], None],
    ) -> None:
        self._command = command
        self._environment = environment
        self._screen = screen
        self._often = often
        self._process: subprocess.Popen[bytes] | None = None
        # The signal that told us to end; 0 before.
        self._told = 0

    def run(self) -> int:
        """Return the exit code with which the last child ended, 128 and the signal's number where one ended it."""
        wait, crashes = _FIRST_WAIT, 0
        with self._signals():
            while True:
                began = time.monotonic()
                status = self._run_child()
                if self._told or status in _FINAL:
                    return status if status >= 0 else 128 - status
                if time.monotonic() - began >= _STEADY:
                    wait, crashes = _FIRST_WAIT, 0
                crashes += 1
                if crashes == _OFTEN:
                    self._often()
                log.warning("the application ended with status %s; starting it again in %.1f s", status, wait)
                if not self._pause(wait):
                    return self._code()
                wait = min(wait * 2, _LONGEST_WAIT)

    def _code(self) -> int:
        """Return the exit code of an end between two children."""
        return 128 + self._told if self._told else 0

    def _run_child(self) -> int:
        try:
            process = subprocess.Popen(  # noqa: S603 - our own program, every argument ours
                self._command, stdin=subprocess.PIPE, env=dict(self._environment)
            )
        except OSError as e:
            # No memory, no process, a program that is being replaced: over soon, or told as a crash is.
            log.warning("the application cannot be started: %s", e.strerror)
            return _NOT_STARTED
        self._process = process
        if self._told:
            # It came while there was no process yet.
            process.send_signal(self._told)
        try:
            return process.wait()
        finally:
            self._process = None
            if process.stdin is not None:
                process.stdin.close()

    def _pause(self, seconds: float) -> bool:
        """Wait, and for a screen as well; False when there is nothing to go on for."""
        start = time.monotonic()
        while not self._told:
            passed = time.monotonic() - start
            if passed >= seconds and self._screen():
                return True
            if passed >= seconds + _SCREEN_GONE:
                return False
            # A signal's handler cannot set what a wait holds: short sleeps, while nothing runs.
            time.sleep(_SLICE)
        return False

    @contextmanager
    def _signals(self) -> Iterator[None]:
        numbers = [getattr(signal, name) for name in _PASSED_ON if hasattr(signal, name)]
        # What is ignored (nohup) stays ignored, here and in the child.
        before = {n: signal.signal(n, self._pass_on) for n in numbers if signal.getsignal(n) != signal.SIG_IGN}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _pass_on(self, number: int, _frame: FrameType | None) -> None:
        self._told = number
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(number)
        kill = threading.Timer(_GRACE, process.kill)
        kill.daemon = True
        kill.start()
