"""Programs that a test starts: awaited by what they print, and gone at the end, whatever happens. Main thread.

Each is started through setpriv, so that it dies with the test process even when that is killed.
"""

import os
import re
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from tests.desktop.inbox import Inbox
from tests.parts import need

ENOUGH = 5.0
"""How long, in seconds, a program may take to end when it is asked to."""


class Process:
    """A running program; a thread keeps what it prints, line by line."""

    def __init__(self, popen: "subprocess.Popen[str]", log: Path) -> None:
        self.popen = popen
        self.log = log
        self.lines: Inbox[str] = Inbox()

    @property
    def pid(self) -> int:
        """The process id, which is also that of its group."""
        return self.popen.pid

    def write(self, text: str) -> None:
        """Give the program `text` on its standard input, and close that."""
        assert self.popen.stdin is not None
        self.popen.stdin.write(text)
        self.popen.stdin.close()


@contextmanager
def running(
    *command: str,
    environment: Mapping[str, str],
    log: Path,
    read: Literal["stdout", "stderr"] = "stdout",
    folder: Path | None = None,
) -> Iterator[Process]:
    """Run a program in a process group of its own; one stream is read line by line, the other goes into `log`."""
    with log.open("ab") as other:
        streams = {"stdout": other, "stderr": other, read: subprocess.PIPE}
        popen = subprocess.Popen(
            [str(need("setpriv")), "--pdeathsig", "KILL", "--", *command],
            **streams,  # type: ignore[call-overload]  # one of two names, chosen at run time
            stdin=subprocess.PIPE,
            env=dict(environment),
            cwd=folder,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    process = Process(popen, log)
    reader = threading.Thread(target=_read, args=(process, read), name=f"desktop-reads-{popen.pid}", daemon=True)
    reader.start()
    try:
        yield process
    finally:
        end(popen)
        reader.join(ENOUGH)
        popen.__exit__(None, None, None)


def end(popen: "subprocess.Popen[str]") -> None:
    """End the program and all that it started in its group: by asking, and by force after a while."""
    _signal(popen.pid, signal.SIGTERM)
    try:
        popen.wait(ENOUGH)
    except subprocess.TimeoutExpired:
        pass
    finally:
        _signal(popen.pid, signal.SIGKILL)
        popen.wait()


def await_line(process: Process, pattern: re.Pattern[str], seconds: float) -> re.Match[str]:
    """Return the first line that matches; AssertionError with all that was printed when none comes in time."""
    line = process.lines.wait(
        lambda text: bool(pattern.search(text)) or text == _END,
        seconds,
        f"{pattern.pattern!r} of {process.popen.args!r}",
    )
    found = pattern.search(line)
    if not found:
        raise AssertionError(f"{process.popen.args!r} ended: {process.lines.pending()}, {process.log.read_text()}")
    return found


_END = "\0end of output"


def _read(process: Process, name: str) -> None:
    stream = getattr(process.popen, name)
    for line in stream:
        process.lines.put(line.rstrip("\n"))
    process.lines.put(_END)


def _signal(group: int, number: int) -> None:
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return  # it has ended, with all that it started
