"""The one thread that writes: commands that arrive together share a commit, and each fails for itself.

Every change goes through here, from the API and from the engine; measured, it triples what one process accepts.
"""

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import TypeVar, cast

from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError

from desktop.domain.errors import StorageError
from desktop.server import schema
from desktop.server.attempts import (
    Command,
    Job,
    Outcome,
    Unguarded,
    Work,
    attempt,
    attempt_bare,
    finish,
    in_the_way,
)
from desktop.server.counts import COMMITS, Spread
from desktop.server.records import Record
from desktop.server.storage import Storage

__all__ = ["GROUP", "Command", "Listener", "Outcome", "Work", "Writer", "touch"]

log = logging.getLogger(__name__)
T = TypeVar("T")
Listener = Callable[[Sequence[Record]], None]

GROUP = 200
# How many groups are written with savepoints after one that needed them.
_CAREFUL = 20
_SLOW_SECONDS = 1.0
# How long a command is tried that others are in the way of: longer than whoever hangs can hold anything up
# (``postgresql``: idle_in_transaction_session_timeout).
PATIENCE_SECONDS = 20.0


class Writer:
    """Owns the writing connection. ``listener`` is told what each commit changed, on this thread, before futures are.

    A command may run more than once (only the last run counts): it must change nothing but rows. What it changed gets
    its version when all commands of a group are done; a result that is a record, or a list of them, says it too.
    ``trouble`` says why the last commit failed, empty when it did not; ``on_trouble`` is called when it begins.
    ``commits`` counts how long groups took, from the first command to the commit.
    """

    def __init__(
        self,
        storage: Storage,
        listener: Listener | None = None,
        on_trouble: Callable[[], None] = lambda: None,
    ) -> None:
        self.trouble = ""
        self.commits = Spread(COMMITS)
        self._on_trouble = on_trouble
        self._storage = storage
        self._listener = listener or (lambda changed: None)  # noqa: ARG005 - the shape of a listener
        # Savepoints cost a tenth of a command on SQLite, and two of seven round trips on PostgreSQL.
        self._careful = 0
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        # What another server was in the way of: done one by one, between what comes.
        self._put_off: deque[Job] = deque()
        self._closing = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="writer")

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether commands are still worked off."""
        return self._thread.is_alive()

    @property
    def queued(self) -> int:
        """How many commands wait, about."""
        return self._jobs.qsize() + len(self._put_off)

    def submit(self, command: Command[T]) -> Future[T]:
        """Queue ``command``; the future has its result once that is durable, or its error.

        Raises StorageError when the writer is closed.
        """
        future: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise StorageError("the server is shutting down: try again")
            self._jobs.put(Job(command, cast("Future[object]", future)))
        return future

    def run(self, command: Command[T]) -> T:
        """Queue ``command`` and wait for it."""
        return self.submit(command).result()

    def close(self) -> None:
        """Work off what is queued, then end the thread."""
        with self._closing:
            self._closed = True
            self._jobs.put(None)
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        last = False
        while not last or self._put_off:
            group: list[Job] = []
            if not last:
                group, last = self._gather(wait=not self._put_off)
            self._commit([job for job in group if job.future.set_running_or_notify_cancel()])
            if self._put_off:
                self._commit([self._put_off.popleft()])

    def _gather(self, *, wait: bool) -> tuple[list[Job], bool]:
        """Return what is queued, and whether that was the last; ``wait`` for it where there is nothing yet."""
        group: list[Job] = []
        while len(group) < GROUP:
            try:
                job = self._jobs.get(block=wait and not group)
            except queue.Empty:
                break
            if job is None:
                return group, True
            group.append(job)
        return group, False

    def _commit(self, group: list[Job]) -> None:
        if not group:
            return
        began = time.monotonic()
        try:
            self._write(group)
        except Unguarded as error:
            self._again(group, error)
            return
        except SQLAlchemyError as error:
            self._failed(group, error)
            return
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, and the thread must go on
            self._fail(group, error)
            return
        self.trouble = ""
        took = time.monotonic() - began
        self.commits.add(took)
        if took >= _SLOW_SECONDS:
            # Everything waits for it, escalations too: whoever looks for why something was late finds it here.
            fields = {"seconds": round(took, 2), "commands": len(group)}
            log.warning("slow commit", extra={"fields": fields})
        self._careful = max(0, self._careful - 1)
        changed = [record for job in group for record in job.changed]
        if changed:
            self._tell(changed)
        for job in group:
            job.settle()

    def _write(self, group: list[Job]) -> None:
        with self._storage.engine.begin() as connection:
            transaction = Work(connection)
            # What one command waits for holds up all others, and groups of two servers may wait for each other.
            self._storage.database.hurry(connection)
            if self._careful:
                for job in group:
                    attempt(transaction, job)
            else:
                attempt_bare(transaction, group)
            finish(connection, group)

    def _again(self, group: list[Job], error: Unguarded) -> None:
        """Write a group anew in which a command without a savepoint failed."""
        cause = error.__cause__
        if isinstance(cause, DBAPIError) and in_the_way(cause):
            self._later(group, cause)
            return
        self._careful = _CAREFUL
        self._commit(group)

    def _failed(self, group: list[Job], error: SQLAlchemyError) -> None:
        """Nothing of the group was written: alone, one cannot take the others down with it.

        Without a connection each would fail for itself, slowly; and one that was lost during the commit leaves open
        whether it was written, so that nothing may be done again without being asked for.
        """
        if not isinstance(error, DBAPIError) or error.connection_invalidated or not any(job.runs for job in group):
            self._fail(group, error)
        elif in_the_way(error):
            self._later(group, error)
        elif len(group) > 1:
            self._one_by_one(group)
        else:
            self._fail(group, error)

    def _later(self, group: list[Job], error: DBAPIError) -> None:
        """Do a group one by one that others are in the way of; one that they are in the way of for itself, later.

        A server that hangs with a lock holds up what needs that lock, and nothing else.
        """
        if len(group) > 1:
            self._one_by_one(group)
        elif time.monotonic() - group[0].since < PATIENCE_SECONDS:
            self._put_off.append(group[0])
        else:
            self._fail(group, error)

    def _one_by_one(self, group: list[Job]) -> None:
        for job in group:
            self._commit([job])

    def _fail(self, group: list[Job], error: Exception) -> None:
        cause = self._storage.words(error)
        log.error("commit failed", extra={"fields": {"error": cause, "commands": len(group)}})
        for job in group:
            job.error = StorageError(f"the database failed: {cause}")
            job.settle()
        # Values that do not fit, and a server that is in the way of one, say nothing about anybody else's.
        if not isinstance(error, DataError) and not (isinstance(error, DBAPIError) and in_the_way(error)):
            self.report(f"the database failed: {cause}")

    def report(self, trouble: str) -> None:
        """Take note that nothing can be written, until something is (from any thread)."""
        first, self.trouble = not self.trouble, trouble
        if first:
            self._on_trouble()

    def _tell(self, changed: list[Record]) -> None:
        try:
            self._listener(changed)
        except Exception:  # what is written is written: a listener's fault must not fail a durable command
            log.exception("listener failed")


def touch(work: Work) -> None:
    """Write without changing anything: a command that finds out whether the database can be written again."""
    meta = schema.meta
    work.connection.execute(meta.update().values(value=meta.c.value))
