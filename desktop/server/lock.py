"""One server for each database file: an OS lock beside it, and a note of who holds it. On the main thread, at start."""

import contextlib
import json
import os
import signal
import time
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from desktop.domain.errors import InputError, StorageError

_HAND_OVER_SECONDS = 5.0
# Windows has no SIGKILL; there SIGTERM already ends by force.
_FORCE = getattr(signal, "SIGKILL", signal.SIGTERM)
_GLANCE_SECONDS = 0.5


class Lock(Protocol):
    """The right to run a server on a database."""

    def acquire(self, *, take: bool) -> None:
        """Take the right; InputError when somebody else has it."""

    def announce(self, url: str) -> None:
        """Note where the server listens."""

    def release(self) -> None:
        """Give the right back."""


class AnyNumber:
    """The right to run a server on a database that takes any number of them."""

    def acquire(self, *, take: bool) -> None:
        """Do nothing: everybody may."""

    def announce(self, url: str) -> None:
        """Do nothing: nobody is kept from anything."""

    def release(self) -> None:
        """Do nothing."""


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
        self._forget()

    def announce(self, url: str) -> None:
        """Note which process holds the lock, and where it listens; readable by its owner only.

        StorageError when it cannot be written: whoever has to take the lock over would not know whom to ask.
        """
        content = json.dumps({"pid": os.getpid(), "url": url, "database": str(self._database)}) + "\n"
        temporary = self._note.with_name(f"server.json.{os.getpid()}")
        try:
            self._write_note(temporary, content)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise StorageError(f"{self._note}: {error.strerror or error}") from error

    def _write_note(self, temporary: Path, content: str) -> None:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
        temporary.replace(self._note)

    def release(self) -> None:
        """Give the lock back."""
        if self._lock.is_locked:
            self._forget()
            self._lock.release()

    def _acquire(self, *, take: bool) -> None:
        try:
            # A client that looks whether a server runs holds the lock for a moment.
            self._lock.acquire(timeout=_GLANCE_SECONDS, poll_interval=0.05)
        except Timeout:
            if not take:
                raise InputError(self._held_by(self._holder())) from None
            self._replace()

    def _replace(self) -> None:
        """Ask whoever holds the lock to end, as soon as it has said who it is; what does not end is ended by force.

        A server that hangs pages nobody, and everything that it accepted is on disk.
        """
        for number in (signal.SIGTERM, _FORCE):
            if self._signal_and_wait(number):
                return
        raise InputError(f"{self._held_by(self._holder())}, and does not end")

    def _signal_and_wait(self, number: int) -> bool:
        asked: set[int] = set()
        deadline = time.monotonic() + _HAND_OVER_SECONDS
        while time.monotonic() < deadline:
            pid = self._holder().get("pid")
            if isinstance(pid, int) and pid > 1 and pid not in asked:
                asked.add(pid)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            with contextlib.suppress(Timeout):
                self._lock.acquire(timeout=_GLANCE_SECONDS, poll_interval=0.05)
                return True
        return False

    def _held_by(self, holder: dict[str, object]) -> str:
        who = f"process {holder['pid']} at {holder['url']}" if {"pid", "url"} <= holder.keys() else "another process"
        return f"the database {self._database} is served by {who}"

    def _holder(self) -> dict[str, object]:
        """Return what the holder noted; nothing when there is no note, or it is another database's."""
        try:
            read = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        ours = isinstance(read, dict) and read.get("database") == str(self._database)
        return read if ours else {}

    def _forget(self) -> None:
        """Remove the note, unless it is that of another database in the same folder."""
        if self._holder():
            self._note.unlink(missing_ok=True)
