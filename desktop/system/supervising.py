"""Whether a supervisor is there, also while its application is not: a lock of its own tells. Any thread.

Small, since the supervisor imports it and stays.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from filelock import FileLock

from desktop.domain.errors import StorageError
from desktop.system.instance import held
from desktop.system.paths import Paths, private_folder


def _lock(paths: Paths) -> Path:
    return paths.data / "supervisor.lock"


@contextmanager
def supervising(paths: Paths) -> Iterator[None]:
    """Tell commands, for as long as the block lasts, that a supervisor is there; without a disk to say it on, do not.

    Where another is there already, that one is told.
    """
    with ExitStack() as stack:
        # Timeout is an OSError, too.
        with suppress(StorageError, OSError):
            private_folder(paths.data)
            stack.enter_context(FileLock(_lock(paths)).acquire(blocking=False))
        yield


def supervised(paths: Paths) -> bool:
    """Tell whether a supervisor is there."""
    return held(_lock(paths))
