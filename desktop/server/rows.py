"""Incidents in the database: loading them, and writing what became of them. On a connection, any thread.

``save`` writes any number of drafts with as few statements as one needs, and only over what they were made from: any
number of servers may work on one database. ``number`` is the last step of a transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Select,
    Table,
    bindparam,
    delete,
    select,
)

from desktop.domain.incident import Status
from desktop.server import columns, schema
from desktop.server.codec import Frozen
from desktop.server.columns import HistoryRow
from desktop.server.dialects import insert_all, number_changes, open_incidents, update_incidents
from desktop.server.holders import holders
from desktop.server.records import Draft, Record

PolicyById = Callable[[Connection, str], Frozen]

_COLUMNS = list(schema.incidents.c)
IS_OPEN = schema.incidents.c.status.in_((Status.TRIGGERED.value, Status.ACKNOWLEDGED.value))
"""Holds for incidents that are open. Not "unless resolved": that would read those of all years."""


class Stale(Exception):
    """Another server changed an incident, or opened one with the same key, since it was read: look again."""


_VERSION = select(schema.counters.c.value).where(schema.counters.c.name == "version")


def query(
    *where: ColumnElement[bool], limit: int | None = None, order: Sequence[ColumnElement[Any]] = ()
) -> Select[Any]:
    """Return the question for the incidents that fulfil ``where``. Building one costs more than asking it: keep it."""
    return select(*_COLUMNS).where(*where).order_by(*order).limit(limit)


_AMONG = query(schema.incidents.c.id.in_(bindparam("ids", expanding=True)))
_LOCKED, _LOCKED_FREE = _AMONG.with_for_update(), _AMONG.with_for_update(skip_locked=True)


def load(connection: Connection, policies: PolicyById, asked: Select[Any], **values: object) -> list[Record]:
    """Return the incidents that ``asked`` finds, each with who is assigned and who acknowledged."""
    rows = connection.execute(asked, values).all()
    if not rows:
        return []
    held = holders(connection, [row.id for row in rows])
    return [
        columns.to_record(
            row,
            policies(connection, row.policy),
            held.get((schema.assignments.name, row.id), ()),
            held.get((schema.acknowledgements.name, row.id), ()),
        )
        for row in rows
    ]


def locked(
    connection: Connection, policies: PolicyById, ids: Sequence[str], *, leave_locked: bool = False
) -> list[Record]:
    """Return the incidents ``ids`` and keep other servers from them until the commit.

    Those that one of them has in hands are waited for, or left out (``leave_locked``). Whatever else they have to be is
    asked of what was found: PostgreSQL would look it up in an index of its own, and read all that is open for a few.
    """
    return load(connection, policies, _LOCKED_FREE if leave_locked else _LOCKED, ids=ids)


def save(connection: Connection, drafts: Sequence[Draft], history: list[HistoryRow]) -> list[Record]:
    """Write the ``drafts`` that are touched and return what they became; ``number`` gives them their versions.

    Their entries are added to ``history``, for ``write_history`` to write at the end of the transaction. Raises Stale
    when what one of them was made from is not what stands there any more.
    """
    # In one order everywhere: servers that write the same ones wait for each other, but not in a circle.
    touched = sorted((draft for draft in drafts if draft.touched), key=lambda draft: draft.record.id)
    if not touched:
        return []
    _insert_new(connection, [draft for draft in drafts if draft.before is None and draft.touched])
    _update_known(connection, [draft for draft in touched if draft.before is not None])
    for table in (schema.assignments, schema.acknowledgements):
        _write_held(connection, table, touched)
    history.extend(columns.of_entry(draft.record.id, entry) for draft in touched for entry in draft.entries)
    return [draft.record for draft in drafts if draft.touched]


def write_history(connection: Connection, history: Sequence[HistoryRow]) -> None:
    """Write what ``save`` collected: once for all that shares a commit."""
    insert_all(connection, schema.log_entries, history)


def number(connection: Connection, changed: Sequence[Record]) -> list[Record]:
    """Give each of ``changed`` the next version, in the order of the commits, and tell the other servers.

    Must be the last thing that a transaction does: from here to its commit, every other one that comes here waits. A
    number taken earlier could become visible after a later one, and whoever reads on from there would miss it.
    """
    places = {record.id: place for place, record in enumerate(changed, 1)}
    last = number_changes(connection, len(changed), places)
    return [replace(record, version=v) for v, record in enumerate(changed, last - len(changed) + 1)]


def latest_event(connection: Connection, incident_id: str) -> object:
    """Return the latest event (or request) that triggered ``incident_id``, as it was sent; None when there is none."""
    entries = schema.log_entries.c
    query = select(entries.data).where(entries.incident_id == incident_id, entries.type == "trigger")
    data = connection.execute(query.order_by(entries.id.desc()).limit(1)).scalar_one_or_none()
    return None if data is None else data.get("event")


def current_version(connection: Connection) -> int:
    """Return the version of the latest change that ``connection`` sees."""
    return int(connection.execute(_VERSION).scalar_one())


def _insert_new(connection: Connection, drafts: list[Draft]) -> None:
    if not drafts:
        return
    rows = [{**columns.of_record(draft.record), "id": draft.record.id, "version": 0} for draft in drafts]
    numbers = open_incidents(connection, rows)
    if numbers is None:
        raise Stale
    for draft in drafts:
        draft.change(number=numbers[draft.record.id])


def _update_known(connection: Connection, drafts: list[Draft]) -> None:
    if not drafts:
        return
    rows = [
        {**columns.of_record(draft.record), "id": draft.record.id, "version": draft.record.version} for draft in drafts
    ]
    for row in rows:
        del row["created_at"]
    if not update_incidents(connection, rows):
        raise Stale


def _write_held(connection: Connection, table: Table, drafts: list[Draft]) -> None:
    """Write who is assigned, or acknowledged, as far as it changed."""
    added, gone = [], []
    for draft in drafts:
        new = getattr(draft.record, table.name)
        old = () if draft.before is None else getattr(draft.before, table.name)
        if new != old:
            incident = draft.record.id
            gone += [{"b_incident": incident, "b_person": held.person} for held in old if held not in new]
            added += [{"incident_id": incident, "person_id": h.person, "at": h.at} for h in new if h not in old]
    if gone:
        connection.execute(_delete_held(table), gone)
    insert_all(connection, table, added)


def _delete_held(table: Table) -> Delete:
    incident, person = table.c.incident_id, table.c.person_id
    return delete(table).where(incident == bindparam("b_incident"), person == bindparam("b_person"))
