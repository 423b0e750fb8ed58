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
from datetime import UTC, datetime
from pathlib import Path

from desktop.domain.errors import StorageError

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
_BESIDE = ("", "-wal", "-shm")
# More than anybody clicks while there is no contact; a broken file may claim anything.
_MOST_SAVED = 10_000

Row = tuple[str, str, str, str, int]
"""A command: connection, incident, command, since, pages."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What became of the file: ``notice`` is what a person must know of it, empty when all is well."""

    usable: bool
    notice: str = ""


def prepare(path: Path, now: datetime) -> Prepared:
    """Make the file at ``path`` usable, setting aside one that is not."""
    _take_over(path)
    try:
        with closing(open_store(path)) as database:
            _check(database, path)
            return Prepared(usable=True)
    except Unreadable as e:
        return _begin_anew(path, now, e)
    except StorageError as e:
        log.warning("the store cannot be used: %s", e.message)
        return Prepared(usable=False, notice=f"{e.message}. What you click now does not survive a crash of Watchbell.")


def _take_over(path: Path) -> None:
    """Take over the file that held commands alone, and had another name."""
    before = path.with_name("outbox.db")
    if path.exists() or not before.exists():
        return
    try:
        for suffix in reversed(_BESIDE):
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
        sound = database.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
        for table, columns in _COLUMNS.items():
            there = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
            sound = sound and columns <= there
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
    except sqlite3.OperationalError as e:
        # Full, read-only, locked, no such folder: the file itself may be good.
        raise StorageError(f"{path} cannot be used: {_words(e)}") from e
    except sqlite3.Error as e:
        raise Unreadable(f"{path} is damaged") from e


def _begin_anew(path: Path, now: datetime, error: Unreadable) -> Prepared:
    saved = _waiting_in(path)
    why = "of a newer Watchbell" if error.newer else "damaged"
    try:
        aside = _set_aside(path, now, "newer" if error.newer else "damaged")
        with closing(open_store(path)) as database, database:
            database.executemany(
                "INSERT OR IGNORE INTO commands (connection, incident, command, since, pages) VALUES (?, ?, ?, ?, ?)",
                saved,
            )
    except (OSError, sqlite3.Error, StorageError) as e:
        log.warning("the store is %s and cannot be replaced: %s", why, _words(e))
        return Prepared(
            usable=False,
            notice=f"{path} is {why} and cannot be replaced ({_words(e)}). "
            "What you click now does not survive a crash of Watchbell.",
        )
    clicks = {0: "Nothing was found waiting in it", 1: "One click that waited in it was saved"}
    told = clicks.get(len(saved), f"{len(saved)} clicks that waited in it were saved")
    log.warning("the store was %s and is set aside as %s; commands saved: %d", why, aside.name, len(saved))
    return Prepared(
        usable=True,
        notice=f"Watchbell's store was {why} and is set aside as {aside.name}. {told}; "
        "all else is fetched anew from the backend.",
    )


def _set_aside(path: Path, now: datetime, why: str) -> Path:
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    names = (path.with_name(f"{path.name}.{why}-{stamp}{more}") for more in ("", *(f"-{n}" for n in range(2, 100))))
    aside = next(name for name in names if not name.exists())
    for suffix in _BESIDE:
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{suffix}").replace(f"{aside}{suffix}")
    return aside


def _waiting_in(path: Path) -> list[Row]:
    """Return the commands that can still be read, in order; rows that make no sense are left out."""
    saved: list[Row] = []
    try:
        with closing(sqlite3.connect(path, timeout=10)) as database:
            columns = [row[1] for row in database.execute("PRAGMA table_info(commands)")]
            pages = "pages" if "pages" in columns else "0"
            for row in database.execute(f"SELECT connection, incident, command, since, {pages} FROM commands"):  # noqa: S608 - one of two words
                if _makes_sense(row):
                    saved.append(row)
                if len(saved) == _MOST_SAVED:
                    break
    except (sqlite3.Error, OSError, UnicodeDecodeError) as e:
        log.warning("no more could be read from the damaged store: %s", _words(e))
    return saved


def _makes_sense(row: tuple[object, ...]) -> bool:
    *texts, pages = row
    if not all(isinstance(text, str) and 0 < len(text) <= 300 for text in texts) or not isinstance(pages, int):
        return False
    try:
        return datetime.fromisoformat(str(texts[3])).tzinfo is not None
    except ValueError:
        return False


def _words(error: BaseException) -> str:
    if isinstance(error, StorageError):
        return error.message
    return getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
