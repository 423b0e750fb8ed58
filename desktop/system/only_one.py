"""One application for each person, held by the operating system's locks: they are gone with its process. Any thread.

There are two: one in the data folder, and one elsewhere, for a home that cannot be written. Each that can be taken is
taken, so that a home that is writable again lets nobody in beside the one that runs. Where none can be, whatever the
reason, nothing is held: two that watch are better than nobody who does.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from filelock import FileLock, Timeout

from desktop.domain.errors import StorageError, WatchbellError
from desktop.system.instance import locks, prepare
from desktop.system.paths import Paths, private_folder

log = logging.getLogger(__name__)

# Seconds. Who only looks whether somebody holds one has it for a moment.
_PATIENCE = 0.2


def only_one(paths: Paths) -> ExitStack:
    """Return the locks of the one application, held until that is closed; Timeout where another holds one."""
    with ExitStack() as held:
        for trouble in _take(paths, held):
            log.warning("a lock is not held: %s", trouble.message)
        return held.pop_all()


def _take(paths: Paths, held: ExitStack) -> Iterator[WatchbellError]:
    """Take each lock that can be taken; yield why one cannot."""
    for where in locks(paths):
        try:
            if where == paths.lock:
                private_folder(where.parent)
            else:
                prepare(str(where))
            held.enter_context(_acquired(where))
        except WatchbellError as e:
            yield e
        except Timeout:
            raise
        except OSError as e:
            yield StorageError(f"{where.parent} cannot be written: {e.strerror}; Watchbell keeps its files there")


def _acquired(where: Path) -> FileLock:
    lock = FileLock(where)
    lock.acquire(timeout=_PATIENCE)
    return lock
