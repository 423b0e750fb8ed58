"""Replaces a store that cannot be used: the new one is whole before the old one is moved. Main thread, at the start.

The new file's name says where the old one goes, so that a start after a crash in between can finish what was begun.
"""

import contextlib
import logging
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from desktop.sync.rows import Row, read

log = logging.getLogger(__name__)

# The file, and what SQLite keeps beside it.
PARTS = ("", "-wal", "-shm")
_NEW = ".new"
_INSERT = "INSERT OR IGNORE INTO commands (connection, incident, command, since, pages) VALUES (?, ?, ?, ?, ?)"
_KINDS = {"damaged": "damaged", "newer": "of a newer Watchbell"}

Open = Callable[[Path], sqlite3.Connection]
"""Opens the store at a path, making it where there is none."""


def replace(path: Path, now: datetime, kind: str, saved: Iterable[Row], open_store: Open) -> str:
    """Set the store at ``path`` aside for one that holds ``saved``; return what a person must know. Raises what fails.

    ``kind`` is why, a word for the file's name. Until all of the new store is on the disk nothing is moved.
    """
    _forget_begun(path)
    aside = _free_name(path, now, kind)
    new = aside.with_name(aside.name + _NEW)
    try:
        with closing(open_store(new)) as database:
            with database:
                database.executemany(_INSERT, saved)
            # All of it into the file that is moved; closing would do so, too, and not say when it cannot.
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except BaseException:
        _forget_begun(path)
        raise
    return _swap(path, new, open_store)


def finish(path: Path, open_store: Open) -> str:
    """Finish what a crash interrupted; return what a person must know, empty when there was nothing to do."""
    begun = [] if path.exists() else [p for p in _begun(path) if p.suffix == _NEW]
    return _swap(path, begun[-1], open_store) if begun else ""


def why(kind: str) -> str:
    """Return the words for ``kind``."""
    return _KINDS[kind]


def _swap(path: Path, new: Path, open_store: Open) -> str:
    aside = new.with_suffix("")
    # The file goes first: without it the next start knows that this was under way, and the rest of it is never taken
    # for the new file's.
    for part in PARTS:
        with contextlib.suppress(FileNotFoundError):
            Path(f"{path}{part}").replace(f"{aside}{part}")
    _tidy(aside)
    new.replace(path)
    with closing(open_store(path)) as database:
        saved = len(read(database).rows)
    kind = next(kind for kind in _KINDS if aside.name.startswith(f"{path.name}.{kind}-"))
    log.warning("the store was %s and is set aside as %s; commands saved: %d", _KINDS[kind], aside.name, saved)
    clicks = {0: "Nothing was found waiting in it", 1: "One click that waited in it was saved"}
    told = clicks.get(saved, f"{saved} clicks that waited in it were saved")
    return (
        f"Watchbell's store was {_KINDS[kind]} and is set aside as {aside.name}. {told}; "
        "all else is fetched anew from the backend."
    )


def _tidy(aside: Path) -> None:
    """Remove what looking into the file left beside it: an index that is made anew each time, and an empty log."""
    log_file = Path(f"{aside}-wal")
    with contextlib.suppress(OSError):
        Path(f"{aside}-shm").unlink(missing_ok=True)
        if not log_file.stat().st_size:
            log_file.unlink()


def _begun(path: Path) -> list[Path]:
    """Return the files of replacements that were begun, with what SQLite keeps beside them."""
    return sorted(p for kind in _KINDS for p in path.parent.glob(f"{path.name}.{kind}-*{_NEW}*"))


def _forget_begun(path: Path) -> None:
    for file in _begun(path):
        with contextlib.suppress(OSError):
            file.unlink()


def _free_name(path: Path, now: datetime, kind: str) -> Path:
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    names = (path.with_name(f"{path.name}.{kind}-{stamp}{more}") for more in ("", *(f"-{n}" for n in range(2, 100))))
    return next(name for name in names if not name.exists())
