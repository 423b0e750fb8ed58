"""The database: opening it by its URL, reading, writing, its schema. Any thread; connections are never shared.

What differs between databases is in ``sqlite`` and ``postgresql``.
"""

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import platformdirs
from sqlalchemy import Connection, Engine, insert, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from desktop.domain.errors import InputError, StorageError
from desktop.server import schema
from desktop.server.hiding import HIDDEN, secrets_of
from desktop.server.sqlite import Sqlite, path_of
from desktop.server.tables import metadata

log = logging.getLogger(__name__)

_FORMS = "write sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME"


class Database(Protocol):
    """What SQLite and PostgreSQL do differently. ``shared``: several servers may work on it."""

    shared: bool
    name: str
    reading: Engine
    writing: Engine

    def wait_for_others(self, connection: Connection) -> None:
        """Within a transaction that starts a server up: let no other do so until its end."""

    def hurry(self, connection: Connection) -> None:
        """Let the transaction wait for no more than a moment for what another process has in hands."""

    def migrating(self) -> contextlib.AbstractContextManager[Connection]:
        """Give a transaction that may change tables, while nobody else does."""

    def keep_copy(self, schema_version: int) -> str:
        """Keep a copy of the database as it is; return where, nothing where that is not ours to do."""

    def check(self, connection: Connection) -> None:
        """Find out whether the database can be used at all: StorageError when not."""

    def close(self) -> None:
        """Close the idle connections."""


def resolve(database: str | None) -> URL:
    """Return the URL that ``database`` (a URL, a path, None for the default place) means.

    Raises InputError, which never repeats a URL, when it means nothing that can be used.
    """
    if database is None:
        folder = Path(platformdirs.user_data_dir("watchbell", appauthor=False))
        return URL.create("sqlite", database=str(folder / "watchbell.db"))
    if "://" not in database:
        return URL.create("sqlite", database=str(Path(database).expanduser().absolute()))
    try:
        url = make_url(database)
    except (ArgumentError, ValueError) as error:
        raise InputError(f"--database: not a database URL; {_FORMS}") from error
    if url.drivername in ("postgresql", "postgresql+psycopg"):
        return url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise InputError(f"--database: {url.drivername} cannot be used; {_FORMS}")
    if not url.database or url.database == ":memory:":
        raise InputError(f"--database: a database in memory would lose pages; {_FORMS}")
    return url.set(database=str(Path(url.database).expanduser().absolute()))


def _database(url: URL) -> Database:
    if url.get_backend_name() == "sqlite":
        return Sqlite(url)
    # Costs a tenth of a second: only for those who use it.
    from desktop.server.postgresql import Postgresql  # noqa: PLC0415

    return Postgresql(url)


class Storage:
    """One open database. ``read()`` and ``write()`` give connections within a transaction."""

    def __init__(self, url: URL) -> None:
        self.url = url
        self.database = _database(url)

    @property
    def path(self) -> Path:
        """The database file (SQLite only)."""
        return path_of(self.url)

    @property
    def shared(self) -> bool:
        """Whether other servers may work on the same database."""
        return self.database.shared

    @property
    def engine(self) -> Engine:
        """The engine whose transactions may write."""
        return self.database.writing

    def migrate(self) -> None:
        """Create the tables in an empty database, migrate older ones; refuse those that a newer Watchbell wrote.

        A SQLite database is copied before it is migrated. Whatever fails on the way leaves everything as it was.
        """
        with self.write() as connection:
            self.database.check(connection)
            if not inspect(connection).has_table("meta"):
                _create(connection)
                return
            found = _check_version(connection)
        if found < schema.SCHEMA_VERSION:
            self._migrate(found)

    def _migrate(self, found: int) -> None:
        from desktop.server import migrations  # noqa: PLC0415 - costs 0.2 s and 23 MiB, hardly ever needed

        kept = self.database.keep_copy(found)
        with self.translated(), self.database.migrating() as connection:
            # Another server may have been faster.
            found = _check_version(connection)
            if found < schema.SCHEMA_VERSION:
                migrations.upgrade(connection, found)
        if kept:
            log.info("the database as it was is kept", extra={"fields": {"file": kept}})

    def ready(self) -> bool:
        """Tell whether the database answers and has the schema of this version."""
        try:
            with self.read() as connection:
                return _check_version(connection) == schema.SCHEMA_VERSION
        except StorageError:
            return False

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection that sees one moment of the database throughout."""
        with self.translated(), self.database.reading.connect() as connection:
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in a writing transaction: committed at the end, rolled back on an error.

        For start-up and the command line, one at a time; a running server writes through its ``Writer``.
        """
        with self.translated(), self.database.writing.begin() as connection:
            self.database.wait_for_others(connection)
            yield connection

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Make a StorageError of whatever the database or its driver raises."""
        try:
            yield
        except SQLAlchemyError as error:
            raise StorageError(f"the database failed: {self.words(error)}") from error

    def words(self, error: Exception) -> str:
        """Return what a database said, as one line: never the statement, its values, or a password."""
        said = " ".join(str(getattr(error, "orig", None) or error).split())
        for secret in secrets_of(self.url):
            said = said.replace(secret, HIDDEN)
        return said

    def close(self) -> None:
        """Close the idle connections."""
        self.database.close()


def open_existing(database: str | None) -> Storage:
    """Open a database that a server made; InputError when there is none."""
    url = resolve(database)
    if url.get_backend_name() == "sqlite" and not path_of(url).is_file():
        raise InputError(f"there is no database at {path_of(url)}: start `watchbell serve` on it first")
    storage = Storage(url)
    try:
        with storage.read() as connection:
            if not inspect(connection).has_table("meta"):
                raise InputError(
                    f"{storage.database.name} holds no Watchbell database: start `watchbell serve` on it first"
                )
            if _check_version(connection) < schema.SCHEMA_VERSION:
                raise InputError(
                    f"{storage.database.name} is of an older Watchbell: start `watchbell serve` on it first"
                )
    except BaseException:
        storage.close()
        raise
    return storage


def _create(connection: Connection) -> None:
    metadata.create_all(connection)
    version = str(schema.SCHEMA_VERSION)
    connection.execute(insert(schema.meta).values(key=schema.VERSION_KEY, value=version))
    connection.execute(insert(schema.revision).values(version_num=version))
    counters = [{"name": name, "value": 0} for name in ("version", "incident", "team")]
    connection.execute(insert(schema.counters), counters)


def _check_version(connection: Connection) -> int:
    """Return which schema the database has; StorageError when it is a newer one."""
    query = select(schema.meta.c.value).where(schema.meta.c.key == schema.VERSION_KEY)
    found = int(connection.execute(query).scalar_one())
    if found > schema.SCHEMA_VERSION:
        raise StorageError(
            f"the database was written by a newer Watchbell (schema {found}, this one knows {schema.SCHEMA_VERSION}): "
            "update Watchbell, nothing was changed"
        )
    return found
