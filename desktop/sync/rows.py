"""The commands in the client's store, read one by one, so that what is damaged takes nothing else with it. Any thread.

Texts are read as bytes: SQLite keeps, and hands out, what is no UTF-8, and would refuse all rows because of one.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

log = logging.getLogger(__name__)

# More than anybody clicks while there is no contact; a broken file may claim anything.
_MOST = 10_000
_LONGEST = 300
# What waited is then looked at before it is sent, as if it had been clicked before the incident ever paged.
_WITHOUT_PAGES = "NULL, connection, incident, command, since, 0"
# By name, else by place, as of a version before or after this one, or where a name is damaged. Where a row is, SQLite
# knows by itself: no damaged name hides it.
_COLUMNS = ("NULL, connection, incident, command, since, pages", "*", _WITHOUT_PAGES)
# Under a name of its own: the column's, which it would have else, may be damaged, and is read as a text.
_PLACE = "rowid AS place"
# Also what SQLite quotes of a damaged file in its words for it.
_DAMAGE = (sqlite3.Error, ValueError, OverflowError)
_ELSEWHERE = {
    sqlite3.SQLITE_AUTH, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL, sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOLFS, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_READONLY,
}  # fmt: skip

Row = tuple[str, str, str, str, int]
"""A command: connection, incident, command, since, pages."""
_Seen = set[tuple[int, Row | None]]


@dataclass(slots=True)
class Found:
    """What was read: rows with their places in the file, how many made no sense, what was in the way of the rest."""

    rows: list[tuple[int, Row]] = field(default_factory=list)
    senseless: int = 0
    error: Exception | None = None


def is_elsewhere(error: Exception) -> bool:
    """Tell whether the fault is the disk's, the folder's or another process', so that the file itself may be good."""
    code = getattr(error, "sqlite_errorcode", None)
    return isinstance(error, OSError) or (code is not None and code & 0xFF in _ELSEWHERE)


def read(database: sqlite3.Connection) -> Found:
    """Return the commands in ``database`` that can be read, in order. Never raises for what is in the file."""
    found: Found | None = None
    database.text_factory = bytes
    try:
        for columns in _COLUMNS:
            seen, error = _ways_through(database, columns)
            rows = sorted((place, row) for place, row in seen if row is not None)
            now = Found(rows, len(seen) - len(rows), error)
            if error is None:
                return now
            found = now if found is None or len(rows) > len(found.rows) else found
    finally:
        database.text_factory = str
    return found or Found()


def rows_in(path: Path) -> Found:
    """Return the commands that can be read in the file at ``path``, whatever else is wrong with it, or its disk.

    Changes nothing.
    """
    found = Found()
    for how in _ways(path):
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True, timeout=10)) as database:
                # Damage in what is said of one table is then no reason not to read another.
                database.execute("PRAGMA writable_schema = ON")
                now = read(database)
        except (OSError, *_DAMAGE) as e:
            now = Found(error=e)
        if now.error is None:
            return now
        found = now if len(now.rows) >= len(found.rows) else found
    if found.error is not None:
        log.warning("no more could be read from %s: %s", path, type(found.error).__name__)
    return found


def _ways(path: Path) -> list[str]:
    """Return how to open the file: for reading, or, where SQLite's notes beside it cannot be made, without them."""
    if not path.exists():
        return []
    log_file = Path(f"{path}-wal")
    # What was done last is in the log alone: without it the file would tell of clicks that were answered.
    return ["mode=ro"] if log_file.exists() and log_file.stat().st_size else ["mode=ro", "immutable=1"]


def _ways_through(database: sqlite3.Connection, columns: str) -> tuple[_Seen, Exception | None]:
    """Read all rows in one go; where something is in the way, each by its place."""
    seen: _Seen = set()
    error = _scan(database, f"SELECT {_PLACE}, {columns} FROM commands ORDER BY rowid", seen)  # noqa: S608 - our words
    if error is not None:
        for place in sorted(_places(database)):
            for each in (columns, _WITHOUT_PAGES):
                query = f"SELECT {_PLACE}, {each} FROM commands WHERE rowid = {place}"  # noqa: S608 - a number
                if _scan(database, query, seen) is None:
                    break
    return seen, error


def _places(database: sqlite3.Connection) -> set[int]:
    """Return where rows are: by the table, from either end, and by its index."""
    places: set[int] = set()
    for order in ("NOT INDEXED ORDER BY rowid", "NOT INDEXED ORDER BY rowid DESC", ""):
        with contextlib.suppress(*_DAMAGE):
            query = f"SELECT {_PLACE} FROM commands {order} LIMIT {_MOST}"  # noqa: S608 - words of our own
            for (place,) in database.execute(query):
                places.add(place)
    return places


def _scan(database: sqlite3.Connection, query: str, seen: _Seen) -> Exception | None:
    """Read into ``seen``; return what was in the way."""
    try:
        for place, _, *values in database.execute(f"{query} LIMIT {_MOST}"):
            seen.add((place, understood(values)))
    except _DAMAGE as e:
        return e
    return None


def understood(values: Sequence[object]) -> Row | None:
    """Return the command that ``values`` are, None when they make no sense."""
    *texts, pages = (*values, 0)[:5]
    if len(texts) != 4:
        return None
    try:
        connection, incident, command, since = (_text(value) for value in texts)
        aware = datetime.fromisoformat(since).tzinfo is not None
    except ValueError:
        return None
    return (connection, incident, command, since, pages if isinstance(pages, int) else 0) if aware else None


def _text(value: object) -> str:
    """Return the text that ``value`` is; raises ValueError when it is none that we write."""
    if not isinstance(value, bytes) or not 0 < len(value) <= _LONGEST:
        raise ValueError
    return value.decode()
