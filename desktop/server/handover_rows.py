"""The facts of an emergency handover: read from its rows, and what people say written to them. On a connection.

The schedule, the absences and the incidents are read anew each time, without what the handover itself made.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, select

from desktop.domain.additions import merged
from desktop.domain.handover_facts import (
    Answer,
    Confirmation,
    Ended,
    Handover,
    Kind,
    Offer,
    Point,
    State,
)
from desktop.domain.handover_facts import Held as HeldIncident
from desktop.domain.handover_request import around
from desktop.domain.handover_watch import roles_of
from desktop.domain.rotation import on_call
from desktop.domain.severity import Severity
from desktop.domain.team import Absence, Override, Role, Team
from desktop.server import additions, schema
from desktop.server.rows import IS_OPEN
from desktop.server.station import Station
from desktop.server.tables import handovers as tables
from desktop.server.tables.additions import absences, overrides

OVERRIDE, ABSENCE, NOTE, DELEGATION = "override", "absence", "note", "delegation"
TELL, ASK, REMIND = "tell", "ask", "remind"

AnyRow = Row[Any]

_handovers = tables.handovers


def find(connection: Connection, handover_id: str) -> AnyRow | None:
    """Return the row of the handover called ``handover_id``, None when there is none."""
    return connection.execute(select(_handovers).where(_handovers.c.id == handover_id)).one_or_none()


def lock(connection: Connection, handover_id: str, *, skip_locked: bool = False) -> AnyRow | None:
    """Return its row, which nobody else can lock before this transaction ends; ``skip_locked``: None when taken."""
    asked = select(_handovers).where(_handovers.c.id == handover_id)
    return connection.execute(asked.with_for_update(skip_locked=skip_locked)).one_or_none()


def lock_due(connection: Connection, handover_id: str, now: datetime) -> AnyRow | None:
    """Return its row, locked, as far as it is due and in nobody else's hands."""
    asked = select(_handovers).where(_handovers.c.id == handover_id, _handovers.c.next_action_at <= now)
    return connection.execute(asked.with_for_update(skip_locked=True)).one_or_none()


def facts(station: Station, connection: Connection, row: AnyRow) -> Handover:
    """Return what is known of the handover of ``row``.

    Of one with which nothing is to be done any more the schedule and the incidents are left out. What it gave away is
    left out, too, once the schedule has put who gave it on call again: they have it for what they are now, and would
    else be paged for it and stripped of it in turn.
    """
    made = works(connection, row.id)
    known = _known(connection, row, made)
    if row.ended_at is not None and row.next_action_at is None:
        return known
    own = {*made.get(OVERRIDE, ()), *made.get(ABSENCE, ())}
    team = merged(station.roster.file, additions.read(connection, without=own))
    found = around(team, row.giver_id, row.requested_at)
    gone = made.get(DELEGATION, ()) if _on_call_again(station, connection, row.giver_id) else ()
    return replace(
        known,
        segments=found.segments,
        away=found.away,
        incidents=_incidents(connection, row.giver_id, frozenset(made.get(NOTE, ())), frozenset(gone)),
    )


def _on_call_again(station: Station, connection: Connection, giver: str) -> bool:
    """Tell whether the schedule, with what all handovers made, has whoever gave the watch on call now."""
    return bool(roles_of(giver, on_call(team_now(station, connection), station.clock()).values()))


def team_now(station: Station, connection: Connection) -> Team:
    """Return the team with all that was added to it, as the rows say in this transaction."""
    return merged(station.roster.file, additions.read(connection))


def works(connection: Connection, handover_id: str) -> dict[str, tuple[str, ...]]:
    """Return the ids of what the handover made, by kind, in their order."""
    found: dict[str, list[str]] = {}
    for row in _of(connection, tables.handover_works, handover_id, "at"):
        found.setdefault(row.kind, []).append(row.thing_id)
    return {kind: tuple(ids) for kind, ids in found.items()}


def offers(connection: Connection, handover_id: str) -> list[AnyRow]:
    """Return its offers, in the order in which they were made."""
    return _of(connection, tables.handover_offers, handover_id, "number")


def notices(connection: Connection, handover_id: str) -> list[AnyRow]:
    """Return what was said to whom, in order."""
    return _of(connection, tables.handover_notices, handover_id, "number")


def _of(connection: Connection, table: Table, handover_id: str, order: str) -> list[AnyRow]:
    asked: Select[Any] = select(table).where(table.c.handover_id == handover_id)
    return list(connection.execute(asked.order_by(table.c[order], *table.primary_key)))


def _known(connection: Connection, row: AnyRow, made: dict[str, tuple[str, ...]]) -> Handover:
    """Return what the handover's own rows say."""
    said = notices(connection, row.id)
    # Whoever left the team is asked nothing, neither to take the watch nor whom to ask.
    here = set(connection.execute(select(schema.people.c.id).where(schema.people.c.active)).scalars())
    return Handover(
        id=row.id,
        kind=Kind(row.kind),
        giver=row.giver_id,
        asker=row.asker_id,
        requested_at=row.requested_at,
        role=Role(row.role),
        until=row.until,
        segments=(),
        candidates=tuple(p for p in row.candidates if p in here),
        managers=tuple(p for p in row.managers if p in here),
        reason=row.reason,
        auto_next=row.auto_next or row.asker_id not in here,
        stays_available=row.stays_available,
        offers=_offers(connection, row.id),
        asked=frozenset(n.about for n in said if n.kind == ASK),
        allowed=tuple(p for p in row.allowed if p in here),
        confirmations=tuple(
            Confirmation(Point(c.point), c.by_id, c.receiver_id, c.at, c.waived)
            for c in _of(connection, tables.handover_confirmations, row.id, "at")
        ),
        overrides=_overrides(connection, made.get(OVERRIDE, ())),
        absences=_absences(connection, made.get(ABSENCE, ())),
        read_at=row.read_at,
        cancelled_at=row.cancelled_at,
        ended=None if row.ended_at is None else Ended(State(row.ended_as), row.ended_at),
        told=frozenset((State(n.about), n.said_at) for n in said if n.kind == TELL),
        reminded=frozenset(n.said_at for n in said if n.kind == REMIND),
    )


def _offers(connection: Connection, handover_id: str) -> tuple[Offer, ...]:
    rows = offers(connection, handover_id)
    table = schema.acknowledgements.c
    asked = select(table.incident_id, table.person_id, table.at)
    pages = connection.execute(asked.where(table.incident_id.in_([r.incident_id for r in rows if r.incident_id])))
    acknowledged = {(page.incident_id, page.person_id): page.at for page in pages}
    return tuple(
        Offer(
            r.person_id,
            r.at,
            None if r.yes is None else Answer(r.yes, r.answered_at),
            acknowledged.get((r.incident_id, r.person_id)),
        )
        for r in rows
    )


def _overrides(connection: Connection, ids: Sequence[str]) -> tuple[Override, ...]:
    asked = select(overrides).where(overrides.c.id.in_(ids)).order_by(overrides.c.number)
    rows = connection.execute(asked) if ids else ()
    return tuple(Override(Role(o.role), o.person_id, o.starts_at, o.ends_at, o.reason) for o in rows)


def _absences(connection: Connection, ids: Sequence[str]) -> tuple[Absence, ...]:
    asked = select(absences).where(absences.c.id.in_(ids)).order_by(absences.c.id)
    rows = connection.execute(asked) if ids else ()
    return tuple(Absence(a.person_id, a.starts_at, a.ends_at, cover=a.cover_id) for a in rows)


def _incidents(
    connection: Connection, giver: str, noted: frozenset[str], gone: frozenset[str]
) -> tuple[HeldIncident, ...]:
    """Return the open incidents of the outgoing engineer that are the watch's, without those ``gone`` with it.

    A page that offers them a watch is none of it.
    """
    table, held = schema.incidents.c, schema.assignments.c
    mine = select(held.incident_id).where(held.person_id == giver)
    pages = select(tables.handover_offers.c.incident_id).where(tables.handover_offers.c.incident_id.is_not(None))
    asked = select(table.id, table.escalates_as).where(IS_OPEN, table.id.in_(mine), table.id.not_in(pages))
    found = connection.execute(asked.order_by(table.number)).all()
    assigned: dict[str, tuple[str, ...]] = {}
    everybody = select(held.incident_id, held.person_id).where(held.incident_id.in_([r.id for r in found]))
    for row in connection.execute(everybody.order_by(held.at, held.person_id)):
        assigned[row.incident_id] = (*assigned.get(row.incident_id, ()), row.person_id)
    return tuple(
        HeldIncident(
            row.id,
            "" if row.escalates_as is None else Severity(row.escalates_as).key,
            assigned.get(row.id, ()),
            noted=row.id in noted,
        )
        for row in found
        if row.id not in gone
    )
