"""What is particular to PostgreSQL: connections, their settings, and how servers tell each other. Any thread.

psycopg is imported only here, and only for a PostgreSQL URL.
"""

import contextlib
import logging
import select
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.pool import ConnectionPoolEntry

from desktop.domain.errors import InputError, StorageError
from desktop.domain.text import storable
from desktop.server.dialects import CHANNEL
from desktop.server.hiding import shown

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger(__name__)

# Any number that nobody else takes: who applies a team file or migrates does it alone.
_ALONE = 0x7761_7463
# A server that is cut off in the middle of a transaction must not hold up the others for longer than this.
_SETTINGS = """
SELECT set_config('idle_in_transaction_session_timeout', '15s', false), set_config('lock_timeout', '10s', false),
       set_config('synchronous_commit',
                  CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'
                       ELSE current_setting('synchronous_commit') END, false),
       set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false)
"""
# Every statement finds few rows by an index. Statistics come a minute late, though, and plans are kept: one made while
# the tables were small reads whole tables for each alert once a storm has filled them. What few rows are joined with is
# found by index, too.
_WRITING = """
SELECT set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false)
"""
# A dead network is noticed within seconds, not in the two hours of the system's own settings.
_CONNECTING = {
    "connect_timeout": 5,
    "application_name": "watchbell",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


class Postgresql:
    """One database with any number of servers on it. ``reading`` sees one moment for each transaction."""

    shared = True

    def __init__(self, url: URL) -> None:
        self.name = shown(url)
        _must_have_psycopg()
        self.reading = _engine(url, isolation_level="REPEATABLE READ", pool_size=5, max_overflow=15)
        self.writing = _engine(url, isolation_level="READ COMMITTED", pool_size=2, max_overflow=3)
        event.listen(self.reading, "connect", _only_read)
        event.listen(self.writing, "connect", _join_by_index)

    def wait_for_others(self, connection: Connection) -> None:
        """Wait until no other process is starting on the database, and keep others waiting until the commit."""
        connection.execute(text("SET LOCAL lock_timeout = '5min'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ALONE})

    def hurry(self, connection: Connection) -> None:
        """Let the transaction wait for no more than a moment for what another server has in hands."""
        connection.execute(_HURRY)

    @contextlib.contextmanager
    def migrating(self) -> Iterator[Connection]:
        """Give a transaction that may change tables, while no other server starts."""
        with self.writing.begin() as connection:
            self.wait_for_others(connection)
            yield connection

    def keep_copy(self, schema_version: int) -> str:  # noqa: ARG002 - as SQLite's
        """Do nothing: whoever runs the database makes its backups. A migration that fails undoes itself."""
        return ""

    def check(self, connection: Connection) -> None:
        """Refuse an encoding that cannot hold every text (StorageError), and say when a power cut may lose pages."""
        encoding, safe = connection.execute(_FACTS).one()
        if encoding != "UTF8":
            raise StorageError(f"the database has the encoding {encoding}: make one with ENCODING 'UTF8'")
        if safe != "on":
            log.warning("the database runs with fsync=off: a power cut may lose what was accepted")

    def listen(self) -> "Ear":
        """Return a connection of its own that hears what ``dialects.tell`` tells; StorageError when there is none."""
        # The pool gives the driver's own errors here.
        with _translated():
            connection = self.writing.raw_connection()
        return Ear(cast("psycopg.Connection[Any]", _own(connection)))

    def close(self) -> None:
        """Close the idle connections."""
        self.reading.dispose()
        self.writing.dispose()


# Well below the second after which PostgreSQL looks whether two wait for each other.
_HURRY = text("SET LOCAL lock_timeout = '250ms'")
_FACTS = text("SELECT current_setting('server_encoding'), current_setting('fsync')")


class Ear:
    """Hears that something changed. Used by one thread."""

    def __init__(self, connection: "psycopg.Connection[Any]") -> None:
        self._connection = connection
        with _translated():
            connection.autocommit = True
            # What is told is only that there is something to read.
            connection.add_notify_handler(lambda notice: None)  # noqa: ARG005 - psycopg's
            connection.execute(f"LISTEN {CHANNEL}")

    def wait(self, seconds: float, also: socket.socket) -> None:
        """Return when something was told, when ``also`` has something to read, or after ``seconds``.

        StorageError when nobody is there any more.
        """
        with _translated():
            select.select([self._connection.fileno(), also.fileno()], [], [], seconds)
            # Takes up what was told, and finds out whether anybody is there at all.
            self._connection.execute("SELECT 1")

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    import psycopg  # noqa: PLC0415 - as below

    try:
        yield
    except (psycopg.Error, OSError) as error:
        raise StorageError(f"the database failed: {' '.join(str(error).split())}") from error


def _must_have_psycopg() -> None:
    try:
        import psycopg  # noqa: F401, PLC0415 - costs time and memory that SQLite does not need
    except ImportError as error:
        raise InputError("--database: PostgreSQL needs psycopg: pip install 'psycopg[binary]'") from error


def _engine(url: URL, **options: Any) -> Engine:  # noqa: ANN401 - SQLAlchemy's own options
    ours = {name: value for name, value in _CONNECTING.items() if name not in url.query}
    try:
        engine = create_engine(
            url, connect_args=ours, pool_pre_ping=True, pool_timeout=10, hide_parameters=True, **options
        )
    except (TypeError, ValueError) as error:
        raise InputError("--database: the URL has a part that makes no sense") from error
    event.listen(engine, "connect", _configure)
    return engine


def _configure(connection: "psycopg.Connection[Any]", _: ConnectionPoolEntry) -> None:
    connection.adapters.register_dumper(str, _dumper())
    connection.execute(_SETTINGS)
    connection.commit()


def _only_read(connection: "psycopg.Connection[Any]", _: ConnectionPoolEntry) -> None:
    connection.read_only = True


def _join_by_index(connection: "psycopg.Connection[Any]", _: ConnectionPoolEntry) -> None:
    connection.execute(_WRITING)
    connection.commit()


def _dumper() -> Any:  # noqa: ANN401 - a class of psycopg's
    """Return what writes texts: NUL and lone surrogates cannot be stored, wherever they slipped in."""
    from psycopg.types.string import StrDumper  # noqa: PLC0415 - only with PostgreSQL

    class Storable(StrDumper):
        def dump(self, obj: str) -> Any:  # noqa: ANN401 - psycopg's
            return super().dump(storable(obj))

    return Storable


def _own(connection: Any) -> Any:  # noqa: ANN401 - what SQLAlchemy's pool gives
    """Take a connection out of its pool."""
    driver = connection.driver_connection
    connection.detach()
    return driver
