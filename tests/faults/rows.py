"""The rows of a database as the proof wants them, all of one moment; and aging what waits. On the test's thread."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Table, func, select, update

from desktop.server import schema
from desktop.server.codec import progress_from_json
from desktop.server.outbox import LEASE, State
from desktop.server.rows import current_version
from desktop.server.storage import Storage, resolve
from desktop.server.tables import handovers as tables
from desktop.server.tables.messages import messages
from tests.faults import traced
from tests.faults.evidence import Entry, Incident
from tests.faults.rota import Rota
from tests.faults.traces import Handover, Message, Page

# Longer than an offer stands.
_AGED = timedelta(hours=2)
# Longer than a server is at one message while the sink is kind.
_AT_WORK = timedelta(seconds=4)
_NEW = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Rows:
    """What the database said at one moment, ``at``, when it stood at ``version``."""

    at: float
    version: int
    entries: list[Entry]
    incidents: list[Incident]
    rota: Rota
    handovers: list[Handover]
    pages: list[Page]
    messages: list[Message]


def read(database: str, hook: str, began: float) -> Rows:
    """Read all of it."""
    with _reading(database) as connection:
        version = current_version(connection)
        at = time.time()
        return Rows(
            at=at,
            version=version,
            entries=_entries(connection),
            incidents=_incidents(connection),
            rota=traced.rota(connection, hook, began, at),
            handovers=traced.read_handovers(connection),
            pages=traced.read_pages(connection),
            messages=traced.read_messages(connection, hook),
        )


def hurry(database: str) -> None:
    """Let every message that waits be due now.

    So are those that a server took and did not settle: it is no more, or did not get to it.
    """
    table, now = messages.c, datetime.now(UTC)
    left = now + LEASE - _AT_WORK
    with _storage(database) as storage, storage.write() as connection:
        connection.execute(update(messages).where(table.state == State.WAITING, table.due_at > now).values(due_at=now))
        sending = (table.state == State.SENDING, table.leased_until > now, table.leased_until < left)
        connection.execute(update(messages).where(*sending).values(leased_until=now))


def waiting(database: str) -> int:
    """Return how many messages that are not quite new are not settled."""
    table = messages.c
    unsettled = table.created_at < datetime.now(UTC) - _NEW, table.state.in_((State.WAITING, State.SENDING))
    with _reading(database) as connection:
        return connection.execute(select(func.count()).where(*unsettled)).scalar_one()


def age(database: str, handover: str) -> None:
    """Let a handover have been asked for, and offered, two hours ago."""
    table, offers, now = tables.handovers, tables.handover_offers, datetime.now(UTC)
    with _storage(database) as storage, storage.write() as connection:
        asked = connection.execute(select(table.c.requested_at).where(table.c.id == handover).with_for_update())
        then = asked.scalar_one() - _AGED
        mine = update(table).where(table.c.id == handover)
        connection.execute(mine.values(requested_at=then, next_action_at=now))
        connection.execute(update(offers).where(offers.c.handover_id == handover).values(at=then))


@contextmanager
def _storage(database: str) -> Iterator[Storage]:
    storage = Storage(resolve(database))
    try:
        yield storage
    finally:
        storage.close()


@contextmanager
def _reading(database: str) -> Iterator[Connection]:
    with _storage(database) as storage, storage.read() as connection:
        yield connection


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
            title=row.title,
            service=row.service_id,
            alone=row.escalates_as is None,
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
