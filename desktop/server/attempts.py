"""Running commands within one transaction, each undone alone when it fails. On the writer's thread."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from desktop.domain.errors import StorageError
from desktop.server.records import Record
from desktop.server.rows import Stale, number

T = TypeVar("T")

# How often a command is tried that others on the same database get in the way of.
ATTEMPTS = 5


@dataclass(slots=True)
class Work:
    """What a command works on: its ``connection``, and the incidents that it ``changed``, in order."""

    connection: Connection
    changed: list[Record] = field(default_factory=list)


Command = Callable[[Work], T]


@dataclass(slots=True)
class Job:
    """A command that somebody waits for by its ``future``, and what became of its last run."""

    command: Command[object]
    future: Future[object]
    result: object = None
    error: Exception | None = None
    runs: int = 0
    changed: list[Record] = field(default_factory=list)

    def settle(self) -> None:
        """Tell whoever waits."""
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Unguarded(Exception):
    """A command failed that had no savepoint: its group has to be done again, with one for each."""


def attempt(connection: Connection, job: Job, *, guarded: bool) -> None:
    """Run one command, again while other servers get in its way; not ``guarded``, without a savepoint."""
    if not guarded:
        _bare(connection, job)
        return
    for _ in range(ATTEMPTS):
        if _once(connection, job):
            return


def _bare(connection: Connection, job: Job) -> None:
    work = Work(connection)
    job.error, job.result, job.changed = None, None, []
    job.runs += 1
    try:
        job.result = job.command(work)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        raise Unguarded from error
    except Exception as error:
        raise Unguarded from error
    job.changed = work.changed


def _once(connection: Connection, job: Job) -> bool:
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


def number_changes(connection: Connection, group: Sequence[Job]) -> None:
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


def in_the_way(error: DBAPIError) -> bool:
    """Tell whether PostgreSQL had to end one of two transactions that waited for each other, or waited too long.

    https://www.postgresql.org/docs/current/errcodes-appendix.html: serialization, deadlock, lock not available.
    """
    return getattr(error.orig, "sqlstate", None) in ("40001", "40P01", "55P03")
