"""Incidents in the database: loading them, and writing what became of them. On a connection, any thread.

``save`` writes any number of drafts with as few statements as one needs.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, delete, insert, select, update

from desktop.domain.incident import Status
from desktop.domain.severity import Severity, Urgency
from desktop.server import schema
from desktop.server.codec import Frozen, progress_from_json, progress_to_json
from desktop.server.records import Draft, Entry, Held, Record

PolicyById = Callable[[Connection, str], Frozen]

_COLUMNS = list(schema.incidents.c)
_CHUNK = 500


def load(connection: Connection, policies: PolicyById, *where: ColumnElement[bool], limit: int | None = None,
         order: Sequence[ColumnElement[Any]] = ()) -> list[Record]:  # fmt: skip
    """Return the incidents that fulfil ``where``, each with who is assigned and who acknowledged."""
    query = select(*_COLUMNS).where(*where).order_by(*order).limit(limit)
    rows = connection.execute(query).all()
    if not rows:
        return []
    ids = [row.id for row in rows]
    assigned = _held(connection, schema.assignments, ids)
    acknowledged = _held(connection, schema.acknowledgements, ids)
    return [
        _record(row, policies(connection, row.policy), assigned.get(row.id, ()), acknowledged.get(row.id, ()))
        for row in rows
    ]


def save(connection: Connection, drafts: Sequence[Draft]) -> list[Record]:
    """Write ``drafts``, each touched one with the next version, and return what they became."""
    touched = [draft for draft in drafts if draft.touched]
    if not touched:
        return []
    first = count(connection, "version", len(touched)) - len(touched) + 1
    for version, draft in enumerate(touched, first):
        draft.change(version=version)
    _insert_new([draft for draft in touched if draft.before is None], connection)
    _update_known([draft for draft in touched if draft.before is not None], connection)
    _write_held(connection, schema.assignments, ((d.record, _old(d, "assignments"), d.record.assignments)
                                                 for d in touched))  # fmt: skip
    _write_held(connection, schema.acknowledgements, ((d.record, _old(d, "acknowledgements"), d.record.acknowledgements)
                                                      for d in touched))  # fmt: skip
    entries = [_entry_row(draft.record.id, entry) for draft in touched for entry in draft.entries]
    if entries:
        connection.execute(insert(schema.log_entries), entries)
    return [draft.record for draft in touched]


def count(connection: Connection, name: str, by: int = 1) -> int:
    """Raise the counter ``name`` and return its new value."""
    counters = schema.counters
    query = update(counters).where(counters.c.name == name).values(value=counters.c.value + by)
    return int(connection.execute(query.returning(counters.c.value)).scalar_one())


def latest_event(connection: Connection, incident_id: str) -> object:
    """Return the latest event (or request) that triggered ``incident_id``, as it was sent; None when there is none."""
    entries = schema.log_entries.c
    query = select(entries.data).where(entries.incident_id == incident_id, entries.type == "trigger")
    data = connection.execute(query.order_by(entries.id.desc()).limit(1)).scalar_one_or_none()
    return None if data is None else data.get("event")


def current_version(connection: Connection) -> int:
    """Return the version of the latest change that ``connection`` sees."""
    counters = schema.counters
    return int(connection.execute(select(counters.c.value).where(counters.c.name == "version")).scalar_one())


def _old(draft: Draft, name: str) -> tuple[Held, ...]:
    return () if draft.before is None else getattr(draft.before, name)


def _insert_new(drafts: list[Draft], connection: Connection) -> None:
    if not drafts:
        return
    number = count(connection, "incident", len(drafts)) - len(drafts)
    rows = []
    for draft in drafts:
        number += 1
        draft.change(number=number)
        rows.append({**_row(draft.record), "number": number, "id": draft.record.id})
    connection.execute(insert(schema.incidents), rows)


_UPDATE = (
    update(schema.incidents)
    .where(schema.incidents.c.id == bindparam("b_id"))
    .values({c.name: bindparam(c.name) for c in _COLUMNS if c.name not in ("id", "number", "created_at")})
)


def _update_known(drafts: list[Draft], connection: Connection) -> None:
    if drafts:
        rows = [{**_row(draft.record), "b_id": draft.record.id} for draft in drafts]
        for row in rows:
            del row["created_at"]
        connection.execute(_UPDATE, rows)


def _write_held(
    connection: Connection, table: Any, changes: Iterable[tuple[Record, tuple[Held, ...], tuple[Held, ...]]]  # noqa: ANN401
) -> None:  # fmt: skip
    added, gone = [], []
    for record, old, new in changes:
        if old == new:
            continue
        gone += [{"b_incident": record.id, "b_person": held.person} for held in old if held not in new]
        added += [{"incident_id": record.id, "person_id": h.person, "at": h.at} for h in new if h not in old]
    if gone:
        query = delete(table).where(
            table.c.incident_id == bindparam("b_incident"), table.c.person_id == bindparam("b_person")
        )
        connection.execute(query, gone)
    if added:
        connection.execute(insert(table), added)


def _row(record: Record) -> dict[str, Any]:
    return {
        "service_id": record.service_id,
        "dedup_key": record.dedup_key,
        "title": record.title,
        "status": record.status.value,
        "severity": record.severity.value,
        "severity_note": record.severity_note,
        "urgency": record.urgency.value,
        "link": record.link,
        "policy": record.policy,
        "escalates_as": None if record.escalates_as is None else record.escalates_as.value,
        "progress": progress_to_json(record.progress),
        "next_action_at": record.next_action_at,
        "version": record.version,
        "pages": record.pages,
        "flaps": record.flaps,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
        "changed_at": record.changed_at,
        "changed_by": record.changed_by,
        "resolved_at": record.resolved_at,
    }


def _record(row: Row[Any], policies: Frozen, assigned: tuple[Held, ...], acknowledged: tuple[Held, ...]) -> Record:
    return Record(
        id=row.id,
        number=row.number,
        service_id=row.service_id,
        dedup_key=row.dedup_key,
        title=row.title,
        status=Status(row.status),
        severity=Severity(row.severity),
        urgency=Urgency(row.urgency),
        policy=row.policy,
        policies=policies,
        escalates_as=None if row.escalates_as is None else Severity(row.escalates_as),
        progress=progress_from_json(row.progress),
        created_at=row.created_at,
        updated_at=row.updated_at,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        severity_note=row.severity_note,
        link=row.link,
        next_action_at=row.next_action_at,
        resolved_at=row.resolved_at,
        version=row.version,
        pages=row.pages,
        flaps=row.flaps,
        assignments=assigned,
        acknowledgements=acknowledged,
    )


def _held(connection: Connection, table: Any, ids: list[str]) -> dict[str, tuple[Held, ...]]:  # noqa: ANN401
    found: dict[str, tuple[Held, ...]] = {}
    for start in range(0, len(ids), _CHUNK):
        query = select(table).where(table.c.incident_id.in_(ids[start : start + _CHUNK]))
        for row in connection.execute(query.order_by(table.c.at, table.c.person_id)):
            found[row.incident_id] = (*found.get(row.incident_id, ()), Held(row.person_id, row.at))
    return found


def _entry_row(incident_id: str, entry: Entry) -> dict[str, Any]:
    return {
        "incident_id": incident_id,
        "type": entry.type,
        "at": entry.at,
        "actor": entry.actor,
        "channel": entry.channel,
        "data": entry.data,
    }
