"""The file in which the client keeps what must survive it: waiting commands, and a copy of each connection's state.

``prepare`` makes it usable once at the start, on the main thread; afterwards each thread opens it for itself. A file
that cannot be used is set aside, never deleted: what waits in it is saved as far as it can be read.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from desktop.domain.errors import StorageError
from desktop.sync import replacing
from desktop.sync.rows import is_elsewhere, read, rows_in

log = logging.getLogger(__name__)

SCHEMA = 2
_TABLES = """
CREATE TABLE IF NOT EXISTS commands (
    id INTEGER PRIMARY KEY,
    connection TEXT NOT NULL,
    incident TEXT NOT NULL,
    command TEXT NOT NULL,
    since TEXT NOT NULL,
    pages INTEGER NOT NULL DEFAULT 0,
    UNIQUE (connection, incident, command)
);
CREATE TABLE IF NOT EXISTS copies (
    connection TEXT PRIMARY KEY,
    heard_at TEXT NOT NULL,
    clock_ahead REAL NOT NULL,
    snapshot TEXT NOT NULL
);
"""
_COLUMNS = {
    "commands": {"id", "connection", "incident", "command", "since", "pages"},
    "copies": {"connection", "heard_at", "clock_ahead", "snapshot"},
}
_UNDURABLE = "What you click now does not survive a crash of Watchbell."
# Where a file says by which version of SQLite's format it may be read and written; all that we write is of 1 or 2.
_FORMATS = slice(18, 20)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What became of the file: ``notice`` is what a person must know of it, empty when all is well."""

    usable: bool
    notice: str = ""


def prepare(path: Path, now: datetime) -> Prepared:
    """Make the file at ``path`` usable, setting aside one that is not. Never raises: whatever is wrong is told."""
    try:
        return _prepared(path, now)
    except StorageError as e:
        log.warning("the store cannot be used: %s", e.message)
        return Prepared(usable=False, notice=f"{e.message}. {_UNDURABLE}")
    except Exception as e:
        log.exception("the store cannot be used")
        return Prepared(usable=False, notice=f"{path} cannot be used: {_words(e)}. {_UNDURABLE}")


def _prepared(path: Path, now: datetime) -> Prepared:
    _take_over(path)
    try:
        notice = replacing.finish(path, open_store)
        with closing(open_store(path)) as database:
            _check(database, path)
    except Unreadable as e:
        return _begin_anew(path, now, e)
    except OSError as e:
        raise StorageError(f"{path} cannot be used: {_words(e)}") from e
    return Prepared(usable=True, notice=notice)


def _take_over(path: Path) -> None:
    """Take over the file that held commands alone, and had another name."""
    before = path.with_name("outbox.db")
    if path.exists() or not before.exists():
        return
    try:
        for suffix in reversed(replacing.PARTS):
            with contextlib.suppress(FileNotFoundError):
                Path(f"{before}{suffix}").replace(f"{path}{suffix}")
    except OSError as e:
        log.warning("%s cannot be taken over: %s", before, _words(e))


def examine(path: Path) -> bool:
    """Look at the file at ``path`` without changing it, for ``doctor``; False when there is none.

    Raises Unreadable when it is damaged or of a newer version, StorageError when it cannot be opened.
    """
    if not path.exists():
        return False
    with _translated(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA:
            raise Unreadable(f"{path} was written by a newer Watchbell", newer=True)
        if version == SCHEMA:
            _check(database, path)
    return True


class Unreadable(StorageError):
    """There is a file, and nothing that this version can make sense of. ``newer``: a newer version wrote it."""

    def __init__(self, message: str, *, newer: bool = False) -> None:
        super().__init__(message)
        self.newer = newer


def open_store(path: Path, *, durable: bool = True) -> sqlite3.Connection:
    """Open the file at ``path``, making it where there is none, for the thread that calls.

    ``durable``: every commit survives a power cut. Raises Unreadable when it is no store of this version or an older
    one, StorageError when it cannot be opened or written at all.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        database = sqlite3.connect(path, timeout=10)
    except (sqlite3.Error, OSError) as e:
        raise StorageError(f"{path} cannot be opened: {_words(e)}") from e
    try:
        _set_up(database, path, durable=durable)
    except BaseException:
        database.close()
        raise
    return database


def _set_up(database: sqlite3.Connection, path: Path, *, durable: bool) -> None:
    with _translated(path):
        version = database.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA:
            raise Unreadable(f"{path} was written by a newer Watchbell", newer=True)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        database.execute("PRAGMA fullfsync = ON")
        if version < SCHEMA:
            _migrate(database)
        with contextlib.suppress(OSError):
            path.chmod(0o600)


def _check(database: sqlite3.Connection, path: Path) -> None:
    """Find damage now, not at the click that needs the file."""
    with _translated(path):
        sound = not _is_of_no_format(path) and database.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok"
        for table, columns in _COLUMNS.items():
            there = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
            sound = sound and columns <= there
        found = read(database)
        if found.error is not None:
            raise found.error
        sound = sound and not found.senseless
    if not sound:
        raise Unreadable(f"{path} is damaged")


def _migrate(database: sqlite3.Connection) -> None:
    """Bring an empty file, or one of before there were copies, to this version: all of it or nothing."""
    database.execute("BEGIN IMMEDIATE")
    try:
        columns = [row[1] for row in database.execute("PRAGMA table_info(commands)")]
        if columns and "pages" not in columns:
            database.execute("ALTER TABLE commands ADD COLUMN pages INTEGER NOT NULL DEFAULT 0")
        for statement in _TABLES.split(";"):
            database.execute(statement)
        database.execute(f"PRAGMA user_version = {SCHEMA}")
        database.commit()
    except BaseException:
        database.rollback()
        raise


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except StorageError:
        raise
    except Exception as e:
        # A fault that SQLite cannot even put into words is damage, too: what it quotes of the file is no UTF-8.
        if is_elsewhere(e) and not _is_of_no_format(path):
            raise StorageError(f"{path} cannot be used: {_words(e)}") from e
        raise Unreadable(f"{path} is damaged") from e


def _is_of_no_format(path: Path) -> bool:
    """Tell whether the file claims a format that nobody writes: SQLite calls it read-only then, on any disk."""
    try:
        with path.open("rb") as file:
            return not {*file.read(_FORMATS.stop)[_FORMATS]} <= {1, 2}
    except OSError:
        return False


def _begin_anew(path: Path, now: datetime, error: Unreadable) -> Prepared:
    kind = "newer" if error.newer else "damaged"
    try:
        return Prepared(
            usable=True, notice=replacing.replace(path, now, kind, [row for _, row in rows_in(path).rows], open_store)
        )
    except (OSError, sqlite3.Error, StorageError) as e:
        # What waits in it is sent from memory meanwhile (``commands``), and saved at the next start.
        log.warning("the store is %s and cannot be replaced: %s", replacing.why(kind), _words(e))
        return Prepared(
            usable=False,
            notice=f"{path} is {replacing.why(kind)} and cannot be replaced ({_words(e)}). {_UNDURABLE}",
        )


def _words(error: BaseException) -> str:
    if isinstance(error, StorageError):
        return error.message
    return getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
