"""The incidents that duties follow from: those that are, or once were, SEV-0 or SEV-1. On a connection, any thread."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, insert, or_, select, text, union

from desktop.domain import duty
from desktop.domain.duties import MajorIncident
from desktop.domain.duty import Kind, Mark
from desktop.domain.incident import Status
from desktop.domain.severity import Severity
from desktop.domain.severity import parse as parse_severity
from desktop.server import own, responding, schema
from desktop.server.rows import IS_OPEN
from desktop.server.tables.duties import settled_incidents

MOST = 500
"""How many are looked at, the latest first: whoever has more of them open has other duties."""

KINDS = (Kind.STATUS_PAGE, Kind.CUSTOMER_NOTICE, Kind.STATUS_UPDATE, Kind.INCIDENT_REVIEW)
"""The duties that follow from one."""

_incidents, _entries, _settled = schema.incidents.c, schema.log_entries.c, settled_incidents.c
_RAISED = "priority_change"
# In these words the database knows that it has an index of them.
_MAJOR, _CHANGED = text("candidates.severity <= 1"), text("log_entries.type = 'priority_change'")
_candidates = schema.incidents.alias("candidates").c
_MAJORS: Select[Any] = select(
    *(_incidents.id, _incidents.title, _incidents.severity, _incidents.created_at),
    *(_incidents.resolved_at, _incidents.changed_by),
).where(own.not_own())


@dataclass(frozen=True, slots=True)
class Majors:
    """Such incidents, when a status update was posted for each, by whom, and how many more there are."""

    incidents: tuple[MajorIncident, ...]
    updates: Mapping[str, Sequence[tuple[datetime, str]]]
    left_out: int = 0


def unsettled(connection: Connection, since: datetime, window: tuple[datetime, datetime]) -> Majors:
    """Return those of whose duties something may be left to do, and those that began within ``window``.

    Left alone are those that were over before ``since``, when duties began to be kept.
    """
    start, end = window
    late = or_(IS_OPEN, _incidents.resolved_at >= since)
    to_do = or_(IS_OPEN, _settled.at.is_(None), _incidents.resolved_at > _settled.at)
    shown = or_(to_do, _incidents.created_at.between(start, end))
    asked = _MAJORS.outerjoin(settled_incidents, _settled.incident_id == _incidents.id)
    asked = asked.where(_incidents.id.in_(_ever_major(since)), late, shown).order_by(_incidents.created_at.desc())
    rows = connection.execute(asked.limit(MOST)).all()
    counted = select(func.count()).select_from(asked.with_only_columns(_incidents.id).order_by(None).subquery())
    left_out = connection.execute(counted).scalar_one() - MOST if len(rows) == MOST else 0
    return _told(connection, rows, left_out)


def one(connection: Connection, incident_id: str) -> Majors:
    """Return the incident ``incident_id`` alone, nothing where it never was such a one."""
    return _told(connection, connection.execute(_MAJORS.where(_incidents.id == incident_id)).all())


def settle(connection: Connection, incident_id: str, now: datetime, *, settled: bool) -> None:
    """Keep whether nothing is left to do for an incident."""
    connection.execute(delete(settled_incidents).where(_settled.incident_id == incident_id))
    if settled:
        connection.execute(insert(settled_incidents).values(incident_id=incident_id, at=now))


def posted(majors: Majors, marks: Iterable[Mark]) -> tuple[Mark, ...]:
    """Return the status updates that were posted as marks: each is the one that was to be done then.

    Without them, whoever posted an update would be asked for it all the same.
    """
    done: dict[str, datetime] = {}
    for mark in marks:
        done[mark.duty] = min(mark.at, done.get(mark.duty, mark.at))
    return tuple(m for i in majors.incidents for m in _posted(i, majors.updates.get(i.id, ()), done))


def _posted(
    incident: MajorIncident, updates: Sequence[tuple[datetime, str]], done: Mapping[str, datetime]
) -> Iterator[Mark]:
    number = 1
    for at, person in updates:
        if at < incident.started:
            continue
        while (settled := done.get(_update(incident.id, number))) is not None and settled <= at:
            number += 1
        yield Mark(_update(incident.id, number), duty.Act.SIGN, person, at)
        number += 1


def _update(incident_id: str, number: int) -> str:
    return f"{Kind.STATUS_UPDATE}/{incident_id}/{number}"


def _ever_major(since: datetime) -> Any:  # noqa: ANN401 - SQLAlchemy's, which has no name of its own
    """Return the question for the ids: each part has an index of its own."""
    return union(
        select(_candidates.id).where(_MAJOR, _candidates.created_at >= since),
        select(_candidates.id).where(_MAJOR, _candidates.status.in_([Status.TRIGGERED, Status.ACKNOWLEDGED])),
        select(_entries.incident_id).where(_CHANGED),
    )


def _told(connection: Connection, rows: Sequence[Row[Any]], left_out: int = 0) -> Majors:
    ids = [row.id for row in rows]
    changes = _by_incident(connection, ids, select(_entries.incident_id, _entries.at, _entries.data), _RAISED)
    asked = select(_entries.incident_id, _entries.at, _entries.actor)
    updates = _by_incident(connection, ids, asked, responding.STATUS_UPDATE)
    owners = _owners(connection, ids)
    told = (_major(row, changes.get(row.id, ()), owners.get(row.id, "")) for row in rows)
    by_people = {name: [(u.at, _person(u.actor)) for u in those if _person(u.actor)] for name, those in updates.items()}
    return Majors(tuple(major for major in told if major is not None), by_people, left_out)


def _by_incident(
    connection: Connection, ids: Sequence[str], asked: Select[Any], kind: str
) -> dict[str, list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = {}
    of_them: ColumnElement[bool] = _entries.incident_id.in_(ids)
    for row in connection.execute(asked.where(of_them, _entries.type == kind).order_by(_entries.id)):
        found.setdefault(row.incident_id, []).append(row)
    return found


def _owners(connection: Connection, ids: Sequence[str]) -> dict[str, str]:
    """Return who acknowledged each first, of those who have it."""
    held = schema.acknowledgements.c
    asked = select(held.incident_id, held.person_id).where(held.incident_id.in_(ids))
    rows = connection.execute(asked.order_by(held.at.desc(), held.person_id))
    return {row.incident_id: row.person_id for row in rows}


def _major(row: Row[Any], changes: Sequence[Row[Any]], owner: str) -> MajorIncident | None:
    """Return what the rules need to know of an incident and its ``changes`` of severity; None: it never was major."""
    was = _severity(changes[0].data, "from") if changes else None
    steps = [(row.created_at, row.severity if was is None else was)]
    steps += [(c.at, found) for c in changes if (found := _severity(c.data, "to")) is not None]
    major = [at for at, severity in steps if severity <= Severity.SEV1]
    if not major:
        return None
    lowered = None if steps[-1][1] <= Severity.SEV1 else next(at for at, _ in steps if at > major[-1])
    ends = [at for at in (lowered, row.resolved_at) if at is not None]
    return MajorIncident(
        id=row.id,
        title=row.title,
        severity=Severity(min(severity for _, severity in steps)),
        started=major[0],
        ended=min(ends, default=None),
        resolved=row.resolved_at,
        # Who resolves without acknowledging has acknowledged by that.
        owner=owner or ("" if row.resolved_at is None else _person(row.changed_by)),
    )


def _severity(data: Mapping[str, Any], key: str) -> Severity | None:
    return parse_severity(str(data.get(key)))


def _person(actor: str) -> str:
    return actor.removeprefix("person:") if actor.startswith("person:") else ""
