"""What escalated past whom: a row for each time that something grave did. On a connection, any thread.

They are written in the transaction of the escalation, for all severities in ``GRAVE``, whoever is primary: that is
looked into afterwards (``silences``), so that no page waits for it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, update

from desktop.domain.severity import Severity
from desktop.server.dialects import insert_all
from desktop.server.records import Draft, Record
from desktop.server.tables import handovers as tables

GRAVE = frozenset({Severity.SEV0, Severity.SEV1})

_table = tables.passes
_PERSON = "person:"


def note(connection: Connection, drafts: Sequence[Draft]) -> None:
    """Write what of ``drafts`` escalates past somebody in this transaction, and who acknowledges what did."""
    passed = []
    for draft in drafts:
        before = draft.before
        if before is None or draft.record.severity not in GRAVE or not before.progress.ever:
            continue
        for entry in draft.entries:
            if entry.type == "escalate":
                passed.append(_row(draft, before, entry.at))
            elif entry.type == "acknowledge" and entry.actor.startswith(_PERSON) and len(before.progress.ever) > 1:
                _acknowledged(connection, draft.record.id, entry.actor.removeprefix(_PERSON), entry.at)
    insert_all(connection, _table, passed)


def _acknowledged(connection: Connection, incident: str, person: str, now: datetime) -> None:
    first = update(_table).where(_table.c.incident_id == incident, _table.c.acknowledged_at.is_(None))
    connection.execute(first.values(acknowledged_by=person, acknowledged_at=now))


def _row(draft: Draft, before: Record, now: datetime) -> dict[str, Any]:
    again_at = before.progress.again_at
    # They were paged last one interval before they would have been paged again.
    paged_at = before.created_at if again_at is None else again_at - before.plan.page_again
    return {
        "incident_id": draft.record.id,
        "severity": draft.record.severity.value,
        "people": list(before.progress.ever),
        "paged_at": min(paged_at, now),
        "passed_at": now,
        "next_action_at": now,
    }
