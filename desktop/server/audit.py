"""The audit log: who changed what, from which address, in the transaction of the change. On a connection, any thread.

It holds what people ask for and what commands on the server's machine do. Events of integrations and what the engine
does stand in ``log_entries``, whole. What is written here is words, ids and instants: never a token, an integration
key, or the address of a channel. A line is never changed: the database refuses that (``tables.audit``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, func, insert, select

from desktop.domain.text import plain, shorten
from desktop.server.records import Draft, Record
from desktop.server.tables.audit import audit_log
from desktop.server.things import instant

if TYPE_CHECKING:
    from desktop.server.applying import Applied

Json = Mapping[str, Any]

_table = audit_log.c


@dataclass(frozen=True, slots=True)
class By:
    """Who does something: ``actor`` as in a log entry, ``address`` from where (nothing: on the server's machine)."""

    actor: str
    address: str = ""


OPERATOR = By("operator")
"""Whoever may open the database: commands on the server's own machine, and its start."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Which lines: those in ``[since, until)`` (None: without end), ``limit`` of them after ``offset``."""

    since: datetime | None
    until: datetime | None
    limit: int
    offset: int


def note(
    connection: Connection,
    by: By,
    action: str,
    target: str,
    now: datetime,
    before: Json | None = None,
    after: Json | None = None,
) -> None:
    """Write a line: ``action`` (``override.create``) was done to ``target`` (``override:ID``)."""
    row = {
        "at": now,
        "actor": shorten(by.actor, 300),
        "address": plain(by.address, 80),
        "action": action,
        "target": shorten(target, 300),
        "before": None if before is None else dict(before),
        "after": None if after is None else dict(after),
    }
    connection.execute(insert(audit_log).values(row))


def note_draft(connection: Connection, by: By, action: str, draft: Draft, now: datetime) -> None:
    """Write what a transition made of an incident: what differs, and which lines its history got."""
    if not draft.touched:
        return
    before = {} if draft.before is None else summary(draft.before)
    after = summary(draft.record)
    changed = {name: value for name, value in after.items() if before.get(name) != value}
    history = [entry.type for entry in draft.entries]
    was = None if draft.before is None else {name: before[name] for name in changed}
    note(connection, by, action, f"incident:{draft.record.id}", now, was, {**changed, "history": history})


def note_team(connection: Connection, by: By, before: "Applied | None", after: "Applied") -> None:
    """Write that a team file took the place of another: by which digest, not what it holds (addresses, references)."""
    said = None if before is None else {"digest": before.digest, "source": before.source}
    note(connection, by, "team.apply", "team", after.at, said, {"digest": after.digest, "source": after.source})


def summary(record: Record) -> dict[str, Any]:
    """Return what people change of an incident, as JSON. Not what notes say: that is in its history."""
    return {
        "title": record.title,
        "service": record.service_id,
        "status": record.status.value,
        "severity": record.severity.key,
        "urgency": record.urgency.value,
        "escalates_as": None if record.escalates_as is None else record.escalates_as.key,
        "assigned": [held.person for held in record.assignments],
        "acknowledged_by": [held.person for held in record.acknowledgements],
        "responders": [responder.person for responder in record.responders],
        "snoozed_until": None if record.snoozed_until is None else instant(record.snoozed_until),
        "note": None if record.latest_note is None else record.latest_note.id,
    }


def read(connection: Connection, asked: Asked) -> tuple[list[dict[str, Any]], int]:
    """Return the lines that are asked for, the latest first (one more than ``limit`` if there are), and how many."""
    conditions = []
    if asked.since is not None:
        conditions.append(_table.at >= asked.since)
    if asked.until is not None:
        conditions.append(_table.at < asked.until)
    total = connection.execute(select(func.count()).select_from(audit_log).where(*conditions)).scalar_one()
    query = select(audit_log).where(*conditions).order_by(_table.at.desc(), _table.id.desc())
    rows = connection.execute(query.offset(asked.offset).limit(asked.limit + 1))
    return [{**row._mapping, "at": instant(row.at)} for row in rows], total  # noqa: SLF001 - public, despite its name
