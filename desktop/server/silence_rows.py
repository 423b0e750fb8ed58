"""The facts of a silence: what escalated past the primary, what they did since, who said yes or no. On a connection.

They are read anew each time; the schedule is read without those who act.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from desktop.domain.acting import Escalated, Reply, Shift
from desktop.domain.additions import merged
from desktop.domain.rotation import on_call
from desktop.domain.severity import Severity
from desktop.domain.team import Role
from desktop.server import additions, receipts
from desktop.server.station import Station
from desktop.server.tables import handovers as tables
from desktop.server.tables.audit import audit_log

AnyRow = Row[Any]

MOST = 500
_SHORTLY = timedelta(microseconds=1)
_passes, _silences, _replies = tables.passes, tables.silences, tables.silence_replies
OPEN = select(_silences).where(_silences.c.ended_at.is_(None)).order_by(_silences.c.id)
"""The question for all silences that last."""


@dataclass(frozen=True, slots=True)
class Silence:
    """An open silence: its row, and the ``shift`` as the rows say in this transaction."""

    row: AnyRow
    shift: Shift
    made: dict[str, Reply]


def read(station: Station, connection: Connection, row: AnyRow) -> Silence:
    """Return the silence of ``row``: the schedule is read without those who act."""
    now = station.clock()
    said = connection.execute(select(_replies).where(_replies.c.silence_id == row.id).order_by(_replies.c.number)).all()
    replies = {r.number: Reply(r.person_id, r.yes, r.at) for r in said}
    team = merged(station.roster.file, additions.read(connection, without=all_made(connection)))
    segment = on_call(team, row.passed_at).get(Role.PRIMARY)
    kept = segment is not None and segment.person == row.primary_id
    secondary = on_call(team, now).get(Role.SECONDARY)
    shift = Shift(
        primary=row.primary_id,
        secondary=None if secondary is None else secondary.person,
        # Another schedule by now, in which it was never their shift: it is over.
        end=segment.end if kept and segment is not None else row.passed_at + _SHORTLY,
        incidents=_escalated(connection, row),
        heard=_heard(connection, row),
        replies=tuple(replies.values()),
        enabled=station.roster.file.escalation.acting_primary,
    )
    return Silence(row, shift, {r.override_id: replies[r.number] for r in said if r.override_id is not None})


def _escalated(connection: Connection, row: AnyRow) -> tuple[Escalated, ...]:
    """Return what escalated past the primary since, of very much what was acknowledged first."""
    table = _passes.c
    asked = select(_passes).where(table.passed_at >= row.passed_at)
    rows = connection.execute(asked.order_by(table.acknowledged_at.is_(None), table.passed_at, table.id).limit(MOST))
    return tuple(
        Escalated(p.incident_id, Severity(p.severity), p.paged_at, p.passed_at, p.acknowledged_by, p.acknowledged_at)
        for p in rows
        if row.primary_id in p.people
    )


def _heard(connection: Connection, row: AnyRow) -> tuple[datetime, ...]:
    """Return when the primary did anything: whatever people change is in the audit log.

    What their application shows or sounds by itself says nothing of them; their keyboard and mouse do.
    """
    table = audit_log.c
    asked = select(table.at).where(
        table.at > row.paged_at,
        table.actor == f"person:{row.primary_id}",
        table.action.not_in(receipts.BY_ITSELF),
    )
    return tuple(connection.execute(asked.order_by(table.at).limit(MOST)).scalars())


def all_made(connection: Connection) -> frozenset[str]:
    """Return the ids of the overrides by which anybody acts, or acted."""
    asked = select(_replies.c.override_id).where(_replies.c.override_id.is_not(None))
    return frozenset(str(found) for found in connection.execute(asked).scalars())
