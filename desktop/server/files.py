"""The team files that whoever runs a server named at its start, and the secrets that they vouch for. Any thread."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, delete, insert, select

from desktop.domain.errors import TeamFileError
from desktop.server.applying import digest_of
from desktop.server.tables.team import team_files as _table
from desktop.team import document, references


@dataclass(frozen=True, slots=True)
class Loaded:
    """The file at ``place`` as it was when a server last loaded it, and the references to secrets that it named."""

    place: Path
    digest: str
    vouched: frozenset[str]


def remember(connection: Connection, place: Path, text: str, now: datetime) -> None:
    """Note that the file at ``place`` was loaded, and said ``text``."""
    where = str(place.resolve())
    vouched = sorted(references.named(text, place.name))
    connection.execute(delete(_table).where(_table.c.place == where))
    row = {"place": where, "digest": digest_of(text), "vouched": vouched, "loaded_at": now}
    connection.execute(insert(_table).values(row))


def unchanged(connection: Connection, place: Path, text: str) -> bool:
    """Tell whether the file at ``place`` said ``text`` when it was loaded last."""
    asked = select(_table.c.digest).where(_table.c.place == str(place.resolve()))
    return connection.execute(asked).scalar_one_or_none() == digest_of(text)


def latest(connection: Connection) -> Loaded | None:
    """Return the file that was loaded last, None when a team was never loaded from one."""
    row = connection.execute(select(_table).order_by(_table.c.loaded_at.desc()).limit(1)).one_or_none()
    return None if row is None else Loaded(Path(row.place), row.digest, frozenset(row.vouched))


def text_now(loaded: Loaded) -> str | None:
    """Return what stands in the file at this moment, None when it is gone or unreadable."""
    try:
        return document.load(loaded.place)
    except TeamFileError:
        return None


def vouched_now(loaded: Loaded, text: str | None) -> frozenset[str]:
    """Return the references that the file vouches for: as it was loaded, and as it stands now with ``text``.

    Only who works on the server's own machine can write there, so what they added counts before the next start.
    """
    try:
        return loaded.vouched | (references.named(text, loaded.place.name) if text is not None else frozenset())
    except TeamFileError:
        return loaded.vouched
