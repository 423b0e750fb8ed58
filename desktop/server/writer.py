"""The one thread that writes: commands that arrive together share a commit, a savepoint each.

Every change goes through here, from the API and from the engine; measured, it triples what one process accepts.
"""

import logging
import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError

from desktop.domain.errors import StorageError
from desktop.server import schema
from desktop.server.records import Record
from desktop.server.rows import Stale, number
from desktop.server.storage import Storage

log = logging.getLogger(__name__)
T = TypeVar("T")

GROUP = 200
# How often a command is tried that others on the same database get in the way of.
ATTEMPTS = 5


@dataclass(slots=True)
class Work:
    """What a command works on: its ``connection``, and the incidents that it ``changed``, in order."""

    connection: Connection
    changed: list[Record] = field(default_factory=list)


Command = Callable[[Work], T]
Listener = Callable[[Sequence[Record]], None]


@dataclass(slots=True)
class _Job:
    command: Command[object]
    future: Future[object]
    result: object = None
    error: Exception | None = None
    runs: int = 0
    changed: list[Record] = field(default_factory=list)

    def settle(self) -> None:
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Writer:
    """Owns the writing connection. ``listener`` is told what each commit changed, on this thread, before futures are.

    A command may run more than once (only the last run counts): it must change nothing but rows. What it changed gets
    its version when all commands of a group are done; a result that is a record, or a list of them, says it too.
    ``trouble`` says why the last commit failed, empty when it did not; ``on_trouble`` is called when it begins.
    """

    def __init__(
        self,
        storage: Storage,
        listener: Listener | None = None,
        on_trouble: Callable[[], None] = lambda: None,
    ) -> None:
        self.trouble = ""
        self._on_trouble = on_trouble
        self._storage = storage
        self._listener = listener or (lambda changed: None)  # noqa: ARG005 - the shape of a listener
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
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

    def submit(self, command: Command[T]) -> Future[T]:
        """Queue ``command``; the future has its result once that is durable, or its error.

        Raises StorageError when the writer is closed.
        """
        future: Future[T] = Future()
        with self._closing:
            if self._closed:
                raise StorageError("the server is shutting down: try again")
            self._jobs.put(_Job(command, cast("Future[object]", future)))
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
        while (first := self._jobs.get()) is not None:
            group, last = self._gather(first)
            self._commit([job for job in group if job.future.set_running_or_notify_cancel()])
            if last:
                return

    def _gather(self, first: _Job) -> tuple[list[_Job], bool]:
        group = [first]
        while len(group) < GROUP:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                return group, True
            group.append(job)
        return group, False

    def _commit(self, group: list[_Job]) -> None:
        if not group:
            return
        try:
            with self._storage.engine.begin() as connection:
                for job in group:
                    _attempt(connection, job)
                _number(connection, group)
        except SQLAlchemyError as error:
            self._failed(group, error)
            return
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it, and the thread must go on
            self._fail(group, error)
            return
        self.trouble = ""
        changed = [record for job in group for record in job.changed]
        if changed:
            self._tell(changed)
        for job in group:
            job.settle()

    def _failed(self, group: list[_Job], error: SQLAlchemyError) -> None:
        """Nothing of the group was written: alone, one cannot take the others down with it.

        Without a connection each would fail for itself, slowly; and one that was lost during the commit leaves open
        whether it was written, so that nothing may be done again without being asked for.
        """
        if not isinstance(error, DBAPIError) or error.connection_invalidated or not any(job.runs for job in group):
            self._fail(group, error)
        elif len(group) > 1:
            for job in group:
                self._commit([job])
        elif _in_the_way(error) and group[0].runs < ATTEMPTS:
            self._commit(group)
        else:
            self._fail(group, error)

    def _fail(self, group: list[_Job], error: Exception) -> None:
        cause = self._storage.words(error)
        log.error("commit failed", extra={"fields": {"error": cause, "commands": len(group)}})
        for job in group:
            job.error = StorageError(f"the database failed: {cause}")
            job.settle()
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


def _attempt(connection: Connection, job: _Job) -> None:
    """Run one command, again while other servers get in its way."""
    for _ in range(ATTEMPTS):
        if _once(connection, job):
            return


def _once(connection: Connection, job: _Job) -> bool:
    """Run a command in a savepoint; its own error undoes it alone, a failing database everything.

    Tell whether that was all: else another server changed meanwhile what it works on, and it is worth another try.
    """
    work = Work(connection)
    job.error, job.result, job.changed = None, None, []
    job.runs += 1
    savepoint = connection.begin_nested()
    try:
        job.result = job.command(work)
    except (Stale, IntegrityError) as error:
        savepoint.rollback()
        reason = "others are changing the same" if isinstance(error, Stale) else error.orig
        job.error = StorageError(f"the database refused it: {reason}")
        return False
    except DBAPIError as error:
        # A database that fails may have undone the whole transaction by itself: there may be no savepoint any more.
        if not isinstance(error, DataError):
            raise
        savepoint.rollback()
        job.error = StorageError(f"the database refused it: {error.orig}")
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to whoever asked
        savepoint.rollback()
        job.error = error
    else:
        savepoint.commit()
        job.changed = work.changed
    return True


def _number(connection: Connection, group: list[_Job]) -> None:
    """Give what the group changed its versions: the last thing before the commit."""
    changed = [record for job in group for record in job.changed]
    if not changed:
        return
    numbered = iter(number(connection, changed))
    for job in group:
        job.changed = list(islice(numbered, len(job.changed)))
        latest = {record.id: record for record in job.changed}
        job.result = _renewed(job.result, latest)


def _renewed(result: object, latest: Mapping[str, Record]) -> object:
    if isinstance(result, Record):
        return latest.get(result.id, result)
    return [_renewed(part, latest) for part in result] if isinstance(result, list) else result


def _in_the_way(error: DBAPIError) -> bool:
    """Tell whether PostgreSQL had to end one of two transactions that waited for each other, or waited too long.

    https://www.postgresql.org/docs/current/errcodes-appendix.html: serialization, deadlock, lock not available.
    """
    return getattr(error.orig, "sqlstate", None) in ("40001", "40P01", "55P03")


def touch(work: Work) -> None:
    """Write without changing anything: a command that finds out whether the database can be written again."""
    meta = schema.meta
    work.connection.execute(meta.update().values(value=meta.c.value))
