"""What happened to incidents, read from the log: lines of one or of all, notes, what began one. On a connection.

The log's own words that PagerDuty lacks are in ``lines``; a renewed acknowledgement is not listed, for the note or the
update that renewed it is.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select

from desktop.server import responding, schema
from desktop.server.present import trigger_id
from desktop.server.records import MESSAGE, POSTED, RECEIPTS

_entries, _incidents = schema.log_entries.c, schema.incidents.c
_COLUMNS = (
    *(_entries.id, _entries.type, _entries.at, _entries.actor, _entries.channel, _entries.data),
    *(_incidents.id.label("incident_id"), _incidents.number, _incidents.title, _incidents.service_id),
)
_ALL: Select[Any] = select(*_COLUMNS).join(schema.incidents)
_UNLISTED = ("renew",)
_DETAILS = ("notify", "repeat_escalation_path", "stand_down", responding.NOTE, MESSAGE, POSTED, *RECEIPTS)
"""What an overview leaves out."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the history, and the incident that it is of. ``first`` is the one that began the incident."""

    id: str
    first: bool
    type: str
    at: datetime
    actor: str
    channel: str
    data: Mapping[str, Any]
    incident_id: str
    number: int
    title: str
    service_id: str


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines are asked for: of one incident (None: of all), within a time, without details."""

    incident: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    overview: bool = False

    def where(self) -> list[ColumnElement[bool]]:
        """Return it as conditions."""
        found: list[ColumnElement[bool]] = [_entries.type.not_in(_UNLISTED)]
        if self.incident is not None:
            found.append(_entries.incident_id == self.incident)
        if self.since is not None:
            found.append(_entries.at >= self.since)
        if self.until is not None:
            found.append(_entries.at < self.until)
        if self.overview:
            found.append(_entries.type.not_in(_DETAILS))
        return found


def lines(connection: Connection, asked: Asked, limit: int, offset: int) -> list[Line]:
    """Return the lines that are ``asked`` for, the latest first."""
    found = _ALL.where(*asked.where()).order_by(_entries.id.desc())
    return [_line(row) for row in connection.execute(found.limit(limit).offset(offset))]


def count(connection: Connection, asked: Asked) -> int:
    """Return how many lines are ``asked`` for."""
    return int(
        connection.execute(select(func.count()).select_from(schema.log_entries).where(*asked.where())).scalar_one()
    )


def find(connection: Connection, name: str) -> Line | None:
    """Return the line whose id is ``name``: ``L`` and its number, or ``R`` and the rest of its incident's id."""
    kind, rest = name[:1], name[1:]
    if kind == "R":
        return firsts(connection, [f"Q{rest}"]).get(f"Q{rest}")
    if kind != "L" or not rest.isascii() or not rest.isdigit() or len(rest) > 18:
        return None
    row = connection.execute(_ALL.where(_entries.id == int(rest))).one_or_none()
    return None if row is None else _line(row)


def firsts(connection: Connection, incidents: Collection[str]) -> dict[str, Line]:
    """Return, by incident, the lines that began ``incidents``."""
    ids = select(func.min(_entries.id)).where(_entries.type == "trigger", _entries.incident_id.in_(incidents))
    asked = _ALL.where(_entries.id.in_(ids.group_by(_entries.incident_id)))
    return {line.incident_id: line for line in map(_line, connection.execute(asked))}


def notes(connection: Connection, incident: str) -> Sequence[Row[Any]]:
    """Return the notes of ``incident``, the latest first."""
    asked = _ALL.where(_entries.incident_id == incident, _entries.type == responding.NOTE)
    return connection.execute(asked.order_by(_entries.id.desc())).all()


def called(connection: Connection, incident: str) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return whom each target, by its type and id, stood for when ``incident`` asked it to help."""
    asked = _ALL.where(_entries.incident_id == incident, _entries.type == responding.CALL)
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in connection.execute(asked.order_by(_entries.id)).all():
        for target in row.data["targets"]:
            key = target["type"], target["id"]
            found[key] = (*found.get(key, ()), *target["people"])
    return found


def _line(row: Row[Any]) -> Line:
    first = row.type == "trigger" and not row.data.get("repeated") and not row.data.get("reopened")
    return Line(
        id=trigger_id(row.incident_id) if first else f"L{row.id}",
        first=first,
        type=row.type,
        at=row.at,
        actor=row.actor,
        channel=row.channel,
        data=row.data,
        incident_id=row.incident_id,
        number=row.number,
        title=row.title,
        service_id=row.service_id,
    )
