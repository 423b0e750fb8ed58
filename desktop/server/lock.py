"""One server for each database: an OS lock beside it, and a note of who holds it. On the main thread, at start."""

import contextlib
import json
import os
import signal
from pathlib import Path

from filelock import FileLock, Timeout

from desktop.domain.errors import InputError, StorageError

_HAND_OVER_SECONDS = 10.0


class DatabaseLock:
    """The right to run the server on a database. Held until ``release`` or the end of the process, however it ends."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._note = database.parent / "server.json"
        self._lock = FileLock(database.with_name(database.name + ".lock"), mode=0o600)

    def acquire(self, *, take: bool) -> None:
        """Take the lock; with ``take``, ask who holds it to end and wait, else InputError says who holds it."""
        try:
            self._acquire(take=take)
        except OSError as error:
            raise StorageError(f"{self._lock.lock_file}: {error.strerror or error}") from error
        # What stands there is from a process that is gone: nobody may be asked to end by its number.
        self._note.unlink(missing_ok=True)

    def announce(self, url: str) -> None:
        """Note which process holds the lock, and where it listens; readable by its owner only."""
        content = json.dumps({"pid": os.getpid(), "url": url, "database": str(self._database)}) + "\n"
        temporary = self._note.with_name(f"server.json.{os.getpid()}")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
        temporary.replace(self._note)

    def release(self) -> None:
        """Give the lock back."""
        if self._lock.is_locked:
            self._note.unlink(missing_ok=True)
            self._lock.release()

    def _acquire(self, *, take: bool) -> None:
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            holder = self._holder()
            if not take or holder.get("database") != str(self._database):
                raise InputError(self._held_by(holder)) from None
            self._replace(holder)

    def _replace(self, holder: dict[str, object]) -> None:
        pid = holder.get("pid")
        if isinstance(pid, int) and pid > 1:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        try:
            self._lock.acquire(timeout=_HAND_OVER_SECONDS)
        except Timeout:
            raise InputError(f"{self._held_by(holder)}, and does not end") from None

    def _held_by(self, holder: dict[str, object]) -> str:
        who = f"process {holder['pid']} at {holder['url']}" if {"pid", "url"} <= holder.keys() else "another process"
        return f"the database {self._database} is served by {who}"

    def _holder(self) -> dict[str, object]:
        try:
            read = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return read if isinstance(read, dict) else {}
