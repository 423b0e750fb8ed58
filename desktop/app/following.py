"""Follows the settings file while the application runs: what is added there is watched without a restart. Any thread.

Whoever changes it says so ("reload"); where nobody did, a look at the file's time finds it. The work is done in a
thread of its own, one at a time, since a home folder may be slow.
"""

import threading
from collections.abc import Callable
from pathlib import Path


class Following:
    """Calls ``work`` after each change of the file at ``path``, in a thread that ends when there is nothing to do."""

    def __init__(self, path: Path, work: Callable[[], None]) -> None:
        self._path = path
        self._work = work
        self._lock = threading.Lock()
        self._due = self._working = False
        # Taken before the file is first read: what changes meanwhile differs from it.
        self._seen = _stamp(path)

    def look(self, *, due: bool = False) -> None:
        """Look whether the file is another; let the work be done if so, or if it is ``due`` anyway. Returns at once."""
        seen = _stamp(self._path)
        with self._lock:
            if seen == self._seen and not due:
                return
            self._seen = seen
            self._due = True
            if self._working:
                return
            self._working = True
        threading.Thread(target=self._run, name="watchbell-settings", daemon=True).start()

    def _run(self) -> None:
        while self._take():
            self._work()

    def _take(self) -> bool:
        """Tell whether there is something to do; whoever asks for more from now on is heard."""
        with self._lock:
            self._working, self._due = self._due, False
            return self._working


def _stamp(path: Path) -> tuple[int, ...]:
    """Return what differs when the file was written anew, however it was written."""
    try:
        found = path.stat()
    except OSError as e:
        return (e.errno or 0,)
    return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size
