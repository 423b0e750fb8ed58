"""The rows of a database as the proof wants them, all of one moment. On the test's thread."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import Connection, Table, select

from desktop.server import schema
from desktop.server.codec import progress_from_json
from desktop.server.rows import current_version
from desktop.server.storage import Storage, resolve
from tests.faults.evidence import Entry, Incident


def read(database: str) -> tuple[int, list[Entry], list[Incident]]:
    """Return at which version the database stands, its history, and its incidents."""
    storage = Storage(resolve(database))
    try:
        with storage.read() as connection:
            return current_version(connection), _entries(connection), _incidents(connection)
    finally:
        storage.close()


def _entries(connection: Connection) -> list[Entry]:
    rows = connection.execute(select(schema.log_entries)).all()
    return [Entry(r.id, r.incident_id, r.type, _seconds(r.at), r.actor, r.channel, r.data) for r in rows]


def _incidents(connection: Connection) -> list[Incident]:
    assigned, acknowledged = (_held(connection, t) for t in (schema.assignments, schema.acknowledgements))
    return [
        Incident(
            id=row.id,
            key=row.dedup_key,
            severity=f"sev{row.severity}",
            status=row.status,
            version=row.version,
            pages=row.pages,
            step=progress_from_json(row.progress).step,
            assigned=frozenset(assigned[row.id]),
            acknowledged=frozenset(acknowledged[row.id]),
        )
        for row in connection.execute(select(schema.incidents))
    ]


def _held(connection: Connection, table: Table) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for incident, person in connection.execute(select(table.c.incident_id, table.c.person_id)):
        found[incident].add(person)
    return found


def _seconds(at: datetime) -> float:
    return at.timestamp()
