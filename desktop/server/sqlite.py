"""What is particular to SQLite: the file and who may read it, its settings, its transactions. Any thread."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from desktop.domain.errors import StorageError

_BUSY_MILLISECONDS = 10_000


class Sqlite:
    """One file, with one server on it (``lock`` sees to that). ``reading`` and ``writing`` are engines over it."""

    shared = False

    def __init__(self, url: URL) -> None:
        self.path = path_of(url)
        self.name = str(self.path)
        _prepare_file(self.path)
        # What was asked with is nobody's business in an error message or a trace.
        self.reading: Engine = create_engine(url, pool_size=8, max_overflow=32, hide_parameters=True)
        self.writing: Engine = self.reading.execution_options(watchbell_begin="BEGIN IMMEDIATE")
        event.listen(self.reading, "connect", _configure)
        event.listen(self.reading, "begin", _begin)

    def wait_for_others(self, connection: Connection) -> None:
        """Do nothing: whoever writes is alone."""

    def hurry(self, connection: Connection) -> None:
        """Do nothing: nobody else writes."""

    @contextlib.contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Give a transaction that may change tables; what they refer to is checked at its end, not on the way."""
        with self.writing.connect() as connection:
            # Within a transaction this says nothing: https://www.sqlite.org/pragma.html#pragma_foreign_keys
            settings = connection.connection.cursor()
            settings.execute("PRAGMA foreign_keys=OFF")
            try:
                with connection.begin():
                    yield connection
                    if broken := connection.exec_driver_sql("PRAGMA foreign_key_check").all():
                        raise StorageError(
                            f"{self.path}: {len(broken)} rows would refer to nothing: nothing was changed"
                        )
            finally:
                settings.execute("PRAGMA foreign_keys=ON")
                settings.close()

    def keep_copy(self, schema_version: int) -> str:
        """Copy the file beside itself, for its owner only; return where. StorageError when that cannot be done."""
        copy = self.path.with_name(f"{self.path.name}.schema-{schema_version}")
        half = copy.with_name(copy.name + ".half")
        try:
            half.unlink(missing_ok=True)
            _prepare_file(half)
            with (
                contextlib.closing(sqlite3.connect(self.path)) as source,
                contextlib.closing(sqlite3.connect(half)) as to,
            ):
                source.backup(to)
            half.replace(copy)
        except (OSError, sqlite3.Error) as error:
            half.unlink(missing_ok=True)
            raise StorageError(f"{copy}: the database cannot be copied before it is migrated: {error}") from error
        return str(copy)

    def check(self, connection: Connection) -> None:
        """Do nothing: opening it was the check."""

    def close(self) -> None:
        """Close the idle connections."""
        self.reading.dispose()


def path_of(url: URL) -> Path:
    """Return the file of a SQLite ``url``."""
    return Path(url.database or "")


def _prepare_file(path: Path) -> None:
    """Make the folder (0700) and the file (0600) before SQLite does, which would follow the umask."""
    try:
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, parents=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}") from error


def _configure(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    # The driver's own transactions begin too late and break savepoints; `_begin` starts them instead.
    # https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#sqlite-transactions
    connection.isolation_level = None
    try:
        _set_pragmas(connection)
    except sqlite3.Error:
        # The pool never gets to see a connection that fails here, and would not close it.
        connection.close()
        raise


def _set_pragmas(connection: sqlite3.Connection) -> None:
    cursor = connection.cursor()
    # The time to wait first: switching to WAL needs a lock.
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "fullfsync=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("watchbell_begin", "BEGIN"))
