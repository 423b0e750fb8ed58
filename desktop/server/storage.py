"""The database: opening, its settings, its schema. Any thread; connections are never shared between threads."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import platformdirs
from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from desktop.domain.errors import InputError, StorageError
from desktop.server import schema

_BUSY_MILLISECONDS = 10_000


def resolve(database: str | None) -> URL:
    """Return the URL that ``database`` (a URL, a path, None for the default place) means.

    Raises InputError when it means nothing that can be used.
    """
    if database is None:
        folder = Path(platformdirs.user_data_dir("watchbell", appauthor=False))
        return URL.create("sqlite", database=str(folder / "watchbell.db"))
    if "://" not in database:
        return URL.create("sqlite", database=str(Path(database).expanduser().absolute()))
    try:
        url = make_url(database)
    except ArgumentError as error:
        raise InputError("--database: not a database URL; write sqlite:///PATH") from error
    if url.get_backend_name() != "sqlite":
        raise InputError(f"--database: {url.get_backend_name()} cannot be used yet; write sqlite:///PATH")
    if not url.database or url.database == ":memory:":
        raise InputError("--database: a database in memory would lose pages; write sqlite:///PATH")
    return url.set(database=str(Path(url.database).expanduser().absolute()))


def path_of(url: URL) -> Path:
    """Return the file of a SQLite ``url``."""
    return Path(url.database or "")


class Storage:
    """One open database. ``read()`` and ``write()`` give connections within a transaction."""

    def __init__(self, url: URL) -> None:
        self.url = url
        _prepare_file(path_of(url))
        self._engine = create_engine(url, pool_size=8, max_overflow=32)
        self._writing = self._engine.execution_options(watchbell_begin="BEGIN IMMEDIATE")
        event.listen(self._engine, "connect", _configure)
        event.listen(self._engine, "begin", _begin)

    @property
    def path(self) -> Path:
        """The database file."""
        return path_of(self.url)

    @property
    def engine(self) -> Engine:
        """The engine whose transactions may write."""
        return self._writing

    def migrate(self) -> None:
        """Create the tables in an empty database; refuse one that a newer Watchbell wrote."""
        with self.write() as connection:
            if inspect(connection).has_table("meta"):
                _check_version(connection)
                return
            schema.metadata.create_all(connection)
            connection.execute(insert(schema.meta).values(key="schema_version", value=str(schema.SCHEMA_VERSION)))
            counters = [{"name": "version", "value": 0}, {"name": "incident", "value": 0}]
            connection.execute(insert(schema.counters), counters)

    def ready(self) -> bool:
        """Tell whether the database answers and has the schema of this version."""
        try:
            with self.read() as connection:
                _check_version(connection)
        except StorageError:
            return False
        return True

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one moment of the database throughout."""
        with _translated(), self._engine.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a writing transaction: committed at the end, rolled back on an error.

        For start-up and the command line; a running server writes through its ``Writer``.
        """
        with _translated(), self._writing.begin() as connection:
            yield connection

    def close(self) -> None:
        """Close the idle connections."""
        self._engine.dispose()


def open_existing(database: str | None) -> Storage:
    """Open a database that a server made; InputError when there is none."""
    url = resolve(database)
    if not path_of(url).is_file():
        raise InputError(f"there is no database at {path_of(url)}: start `watchbell serve` on it first")
    storage = Storage(url)
    try:
        with storage.read() as connection:
            if not inspect(connection).has_table("meta"):
                raise InputError(f"{path_of(url)} holds no Watchbell database: start `watchbell serve` on it first")
            _check_version(connection)
    except BaseException:
        storage.close()
        raise
    return storage


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


def _check_version(connection: Connection) -> None:
    query = select(schema.meta.c.value).where(schema.meta.c.key == "schema_version")
    found = int(connection.execute(query).scalar_one())
    if found > schema.SCHEMA_VERSION:
        raise StorageError(
            f"the database was written by a newer Watchbell (schema {found}, this one knows {schema.SCHEMA_VERSION}): "
            "update Watchbell, nothing was changed"
        )


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise StorageError(f"the database failed: {getattr(error, 'orig', None) or error}") from error
