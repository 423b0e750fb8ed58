"""What the server finds wrong with itself: an incident for the admins, once, resolved when it is over.

On the writer's thread. Rows say what was found already, so that any number of servers tell it once. An incident that
somebody resolved while its cause goes on comes back a day later, not at once. It is assigned to the admins directly:
who is on call for the services can seldom mend the pager.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from desktop.domain.incident import Status
from desktop.domain.severity import Mapped, Severity
from desktop.domain.team import Access
from desktop.domain.text import plain
from desktop.server import additions, incidents, schema, transitions
from desktop.server.dialects import insert_new
from desktop.server.incidents import Opening
from desktop.server.records import ENGINE
from desktop.server.station import Station
from desktop.server.tables.promises import findings
from desktop.server.writer import Work

SERVICE: Final = "watchbell"
"""The service of these incidents. It is in no team file and takes no alerts; a team may have one of this name."""

OVERDUE: Final = "overdue"
SCHEDULE: Final = "schedule"
MESSAGE: Final = "message"
TEAM_FILE: Final = "team_file"
ADDRESS: Final = "address"
UNREACHED: Final = "unreached"
KINDS: Final = (OVERDUE, SCHEDULE, MESSAGE, TEAM_FILE, ADDRESS, UNREACHED)
"""All that there are."""

_TELL_AGAIN = timedelta(days=1)
_NAME = "Watchbell itself"
_KEY_LIMIT, _TITLE_LIMIT = 100, 500
_table = findings.c


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong: of a ``kind``, told from others of it by ``key``. ``title`` changes with its cause only.

    ``details`` stand in the incident; nothing secret may. Of its kind it takes the place of the one with the key
    ``instead_of``, which was told before it became worse.
    """

    kind: str
    key: str
    title: str
    details: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity = Severity.SEV2
    instead_of: str = ""


def report(station: Station, work: Work, finding: Finding) -> None:
    """Let the admins know of ``finding``, unless they do; to be called as often as it is found."""
    now, key = station.clock(), finding.key[:_KEY_LIMIT]
    if finding.instead_of:
        over(station, work, finding.kind, finding.instead_of, "It is told anew: it became more urgent.")
    known = _find(work.connection, finding.kind, key)
    if known is None or known.ended_at is not None:
        incident = _open(station, work, finding, None if known is None else known.incident_id)
        row = {"since": now, "told_at": now, "ended_at": None}
        if known is None:
            # Never over what another server found meanwhile: then all of this is done again, and finds it.
            work.connection.execute(insert(findings).values({**_row(finding, incident, now), **row}))
        else:
            _update(work.connection, finding, incident, now, **row)
        return
    still_open = _is_open(work.connection, known.incident_id)
    if not still_open and now - known.told_at >= _TELL_AGAIN:
        incident = _open(station, work, finding, known.incident_id)
        _update(work.connection, finding, incident, now, told_at=now)
        return
    if still_open and known.title != _title(finding):
        step = partial(transitions.set_title, actor=ENGINE, title=_title(finding))
        incidents.change(station, work, [(known.incident_id, [step])])
    _update(work.connection, finding, known.incident_id, now)


def over(station: Station, work: Work, kind: str, key: str, why: str = "It is over.") -> None:
    """Take note that something is right again: its incident is resolved, if nobody did that yet."""
    known = _find(work.connection, kind, key[:_KEY_LIMIT])
    if known is None or known.ended_at is not None:
        return
    if _is_open(work.connection, known.incident_id):
        step = partial(transitions.resolve, actor=ENGINE, resolution=why)
        incidents.change(station, work, [(known.incident_id, [step])])
    where = _table.kind == kind, _table.key == known.key
    work.connection.execute(update(findings).where(*where).values(ended_at=station.clock()))


def unseen(connection: Connection, kinds: Collection[str], since: datetime) -> list[tuple[str, str]]:
    """Return the kind and key of what goes on, of these ``kinds``, and was not found any more ``since``."""
    asked = select(_table.kind, _table.key).where(_table.ended_at.is_(None), _table.kind.in_(kinds))
    return [(row.kind, row.key) for row in connection.execute(asked.where(_table.seen_at < since))]


def count(connection: Connection) -> dict[str, int]:
    """Return how much of each kind goes on."""
    asked = select(_table.kind, func.count()).where(_table.ended_at.is_(None)).group_by(_table.kind)
    return {row[0]: row[1] for row in connection.execute(asked)}


def admins(station: Station) -> tuple[str, ...]:
    """Return whom it is told: the admins, else the managers; nobody where there are neither."""
    people = [p for p in station.directory.people.values() if p.active and not p.contact]
    for access in (Access.ADMIN, Access.MANAGER):
        if found := tuple(sorted(p.id for p in people if p.access == access.value)):
            return found
    return ()


def _open(station: Station, work: Work, finding: Finding, before: str | None) -> str:
    """Open an incident, or reopen the one that there was a short while ``before``; return its id."""
    if before is not None and _may_reopen(station, work, before):
        step = partial(transitions.reopen, actor=ENGINE, data={"event": dict(finding.details)})
        return incidents.change(station, work, [(before, [step])])[0].id
    _know_service(station, work)
    # Without admins it escalates like any other: somebody has to hear of it.
    people = admins(station)
    opening = Opening(_title(finding), SERVICE, Mapped(finding.severity), None, finding.details, people)
    return incidents.create(station, work, ENGINE, opening).id


def _may_reopen(station: Station, work: Work, name: str) -> bool:
    """Tell whether the incident ``name`` was resolved so shortly ago that it is the same trouble."""
    resolved = incidents.find(station, work.connection, name).resolved_at
    within = timedelta(minutes=transitions.REOPEN_WITHIN_MINUTES)
    return resolved is not None and station.clock() - resolved < within


def _know_service(station: Station, work: Work) -> None:
    """Make the service of these incidents, inactive: it is not offered to anybody, and no key can belong to it."""
    if SERVICE in station.directory.services:
        return
    dialect = work.connection.dialect.name
    row = {"id": SERVICE, "name": _NAME, "runbook": "", "severity": None, "active": False}
    work.connection.execute(insert_new(schema.services, dialect, ("id",)), row)
    additions.advance(work.connection)


def _is_open(connection: Connection, incident: str) -> bool:
    asked = select(schema.incidents.c.status).where(schema.incidents.c.id == incident)
    return bool(connection.execute(asked).scalar_one() != Status.RESOLVED.value)


def _find(connection: Connection, kind: str, key: str) -> Row[Any] | None:
    asked = select(findings).where(_table.kind == kind, _table.key == key)
    return connection.execute(asked.with_for_update()).one_or_none()


def _row(finding: Finding, incident: str, now: datetime) -> dict[str, object]:
    key = {"kind": finding.kind, "key": finding.key[:_KEY_LIMIT]}
    return {**key, "title": _title(finding), "incident_id": incident, "seen_at": now}


def _update(connection: Connection, finding: Finding, incident: str, now: datetime, **more: datetime | None) -> None:
    row = _row(finding, incident, now)
    where = _table.kind == row["kind"], _table.key == row["key"]
    connection.execute(update(findings).where(*where).values({**row, **more}))


def _title(finding: Finding) -> str:
    return plain(finding.title, _TITLE_LIMIT)
