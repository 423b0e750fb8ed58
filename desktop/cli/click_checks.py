"""The doctor's look at clicks that wait in the store: of what, for which connection, and since when. Main thread."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

from desktop.cli import output
from desktop.cli.findings import Check
from desktop.domain.text import plain

# What is read at a glance; the rest is counted.
_NAMED = 5
_MOST_READ = 10_000
_MEND = (
    "Start Watchbell if it does not run: it sends what still holds as soon as the connection answers, and says what it "
    "does not send. Until then acknowledge by another way what rings."
)


def clicks(store: Path) -> Iterator[Check]:
    """Yield a finding when clicks wait in ``store``; one that cannot be opened has a finding of its own."""
    try:
        rows = _rows(store)
    except (sqlite3.Error, UnicodeDecodeError):
        return
    if not rows:
        return
    readable = sorted(found for row in rows if (found := _click(row)) is not None)
    said = [f"{what}, since {output.local(since)}" for since, what in readable[:_NAMED]]
    if len(readable) > _NAMED:
        said.append(f"{len(readable) - _NAMED} more")
    if broken := len(rows) - len(readable):
        said.append("one that cannot be read" if broken == 1 else f"{broken} that cannot be read")
    count = "one waits" if len(rows) == 1 else f"{len(rows)} wait"
    yield Check("clicks", False, f"{count} to be sent: {'; '.join(said)}", _MEND)


def _rows(store: Path) -> list[tuple[object, ...]]:
    """Return all that waits, its texts as bytes: one that is damaged must not hide the others."""
    if not store.exists():
        return []
    with closing(sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True)) as database:
        database.text_factory = bytes
        query = "SELECT since, command, incident, connection FROM commands LIMIT ?"
        return database.execute(query, (_MOST_READ,)).fetchall()


def _click(row: tuple[object, ...]) -> tuple[datetime, str] | None:
    """Return since when a click waits, and what it is; None for a row that makes no sense."""
    try:
        since, command, incident, connection = (part.decode() for part in row if isinstance(part, bytes))
        at = datetime.fromisoformat(since)
    except ValueError:
        return None
    if at.tzinfo is None:
        return None
    return at, f"{plain(command, 40)} {plain(incident, 40)} at {plain(connection, 60)}"
