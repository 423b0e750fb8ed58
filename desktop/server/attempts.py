"""Running commands within one transaction, each undone alone when it fails. On the writer's thread."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Any, Protocol, TypeVar, runtime_checkable

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from desktop.domain.errors import StorageError
from desktop.server import pages
from desktop.server.columns import HistoryRow
from desktop.server.records import Record
from desktop.server.rows import Stale, number, write_history

T = TypeVar("T")

# How often a command is tried that others on the same database get in the way of.
ATTEMPTS = 5


@dataclass(slots=True, weakref_slot=True)
class Work:
    """What a command works on: its ``connection``, and the incidents that it ``changed``, in order.

    ``history`` are rows of ``log_entries`` and ``moves`` what pages mean for messages, written with those of the whole
    group. ``services`` is which service each integration key was found to open within the same transaction: alerts come
    in swarms.
    """

    connection: Connection
    changed: list[Record] = field(default_factory=list)
    history: list[HistoryRow] = field(default_factory=list)
    moves: list[pages.Move] = field(default_factory=list)
    services: dict[str, str] = field(default_factory=dict)


Command = Callable[[Work], T]
Outcome = object
"""What became of one of many commands: its result, or the exception that was its own."""


@runtime_checkable
class Sociable(Protocol):
    """A command that can be done together with others of its kind, with fewer statements than each alone.

    ``together`` returns the outcome of each, in order; when it raises, each is done alone.
    """

    def __call__(self, work: Work) -> object:
        """Do it alone."""

    def together(self, work: Work, commands: Sequence[Any]) -> Sequence[Outcome]:
        """Do all of ``commands``, which are of this one's kind and stand in order."""


@dataclass(slots=True)
class Job:
    """A command that somebody waits for by its ``future``, and what became of its last run.

    ``since`` is when it was run first (monotonic).
    """

    command: Command[object]
    future: Future[object]
    since: float = math.inf
    result: object = None
    error: Exception | None = None
    runs: int = 0
    changed: list[Record] = field(default_factory=list)
    history: list[HistoryRow] = field(default_factory=list)
    moves: list[pages.Move] = field(default_factory=list)

    def begin(self, transaction: Work) -> Work:
        """Begin another run: nothing of the one before counts."""
        self.error, self.result, self.changed, self.history, self.moves = None, None, [], [], []
        self.runs += 1
        self.since = min(self.since, time.monotonic())
        return Work(transaction.connection, services=transaction.services)

    def take(self, outcome: Outcome) -> None:
        """Take the outcome of a run together with others."""
        if isinstance(outcome, Exception):
            self.error = outcome
        else:
            self.result = outcome

    def done(self, work: Work) -> None:
        """Take over what a run that succeeded made."""
        self.changed, self.history, self.moves = work.changed, work.history, work.moves

    def settle(self) -> None:
        """Tell whoever waits."""
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Unguarded(Exception):
    """A command failed that had no savepoint: its group has to be done again, with one for each."""


def attempt_bare(transaction: Work, jobs: Sequence[Job]) -> None:
    """Run the commands of ``jobs`` without savepoints, those of a kind that stand together as one."""
    for _, neighbours in groupby(jobs, key=_kind):
        _bare(transaction, list(neighbours))


def attempt(transaction: Work, job: Job) -> None:
    """Run one command in a savepoint, again while other servers get in its way."""
    for _ in range(ATTEMPTS):
        if _once(transaction, job):
            return


def _kind(job: Job) -> object:
    return type(job.command) if isinstance(job.command, Sociable) else job


def _bare(transaction: Work, jobs: Sequence[Job]) -> None:
    # What all of them change is told with the first.
    work, *_ = [job.begin(transaction) for job in jobs]
    command = jobs[0].command
    try:
        if isinstance(command, Sociable):
            for job, outcome in zip(jobs, command.together(work, [job.command for job in jobs]), strict=True):
                job.take(outcome)
        else:
            jobs[0].result = command(work)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        raise Unguarded from error
    except Exception as error:
        raise Unguarded from error
    jobs[0].done(work)


def _once(transaction: Work, job: Job) -> bool:
    """Run a command in a savepoint; its own error undoes it alone, a failing database everything.

    Tell whether that was all: else another server changed meanwhile what it works on, and it is worth another try.
    """
    work = job.begin(transaction)
    savepoint = work.connection.begin_nested()
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
        job.done(work)
    return True


def finish(connection: Connection, group: Sequence[Job]) -> None:
    """Write the history and the pages of what the group changed, and give it its versions: last before the commit."""
    write_history(connection, [row for job in group for row in job.history])
    pages.play(connection, [move for job in group for move in job.moves])
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
