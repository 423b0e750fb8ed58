"""The facts of an emergency handover: read from its rows, and what people say written to them. On a connection.

The schedule, the absences and the incidents are read anew each time, without what the handover itself made.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, insert, select, update

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
from desktop.domain.incident import Status
from desktop.domain.severity import Severity
from desktop.domain.team import Absence, Override, Role, Team
from desktop.server import additions, changes, schema
from desktop.server.dialects import insert_new
from desktop.server.station import Station
from desktop.server.tables import handovers as tables

OVERRIDE, ABSENCE, NOTE, DELEGATION = "override", "absence", "note", "delegation"
TELL, ASK, REMIND = "tell", "ask", "remind"

AnyRow = Row[Any]

_handovers = tables.handovers


def find(connection: Connection, handover_id: str) -> AnyRow | None:
    """Return the row of the handover called ``handover_id``, None when there is none."""
    return connection.execute(select(_handovers).where(_handovers.c.id == handover_id)).one_or_none()


def lock(connection: Connection, handover_id: str) -> AnyRow | None:
    """Return its row, which nobody else can lock before this transaction ends."""
    asked = select(_handovers).where(_handovers.c.id == handover_id)
    return connection.execute(asked.with_for_update()).one_or_none()


def lock_due(connection: Connection, handover_id: str, now: datetime) -> AnyRow | None:
    """Return its row, locked, as far as it is due and in nobody else's hands."""
    asked = select(_handovers).where(_handovers.c.id == handover_id, _handovers.c.next_action_at <= now)
    return connection.execute(asked.with_for_update(skip_locked=True)).one_or_none()


def facts(station: Station, connection: Connection, row: AnyRow) -> Handover:
    """Return what is known of the handover of ``row``.

    Of one with which nothing is to be done any more the schedule and the incidents are left out.
    """
    made = works(connection, row.id)
    known = _known(connection, row, made)
    if row.ended_at is not None and row.next_action_at is None:
        return known
    own = {*made.get(OVERRIDE, ()), *made.get(ABSENCE, ())}
    team = merged(station.roster.file, additions.read(connection, without=own))
    found = around(team, row.giver_id, row.requested_at)
    return replace(
        known,
        segments=found.segments,
        away=found.away,
        incidents=_incidents(connection, row.giver_id, frozenset(made.get(NOTE, ()))),
    )


def team_now(station: Station, connection: Connection) -> Team:
    """Return the team with all that was added to it, as the rows say in this transaction."""
    return merged(station.roster.file, additions.read(connection))


def works(connection: Connection, handover_id: str) -> dict[str, tuple[str, ...]]:
    """Return the ids of what the handover made, by kind, in their order."""
    found: dict[str, tuple[str, ...]] = {}
    for row in _of(connection, tables.handover_works, handover_id, "at"):
        found[row.kind] = (*found.get(row.kind, ()), row.thing_id)
    return found


def offers(connection: Connection, handover_id: str) -> list[AnyRow]:
    """Return its offers, in the order in which they were made."""
    return _of(connection, tables.handover_offers, handover_id, "number")


def notices(connection: Connection, handover_id: str) -> list[AnyRow]:
    """Return what was said to whom, in order."""
    return _of(connection, tables.handover_notices, handover_id, "number")


def add(connection: Connection, new: Handover, receiver: str | None, key: str | None) -> None:
    """Write a handover that was just asked for; it is due at once."""
    connection.execute(
        insert(_handovers).values(
            id=new.id,
            version=changes.advance(connection),
            kind=new.kind.value,
            giver_id=new.giver,
            asker_id=new.asker,
            receiver_id=receiver,
            role=new.role.value,
            reason=new.reason,
            auto_next=new.auto_next,
            stays_available=new.stays_available,
            key=key,
            requested_at=new.requested_at,
            until=new.until,
            candidates=list(new.candidates),
            managers=list(new.managers),
            allowed=[],
            next_action_at=new.requested_at,
        )
    )
    for offer in new.offers:
        add_offer(connection, new.id, offer, None)


def add_offer(connection: Connection, handover_id: str, offer: Offer, incident: str | None) -> None:
    """Write that somebody was offered the watch; ``incident`` is the page."""
    row = {
        "handover_id": handover_id,
        "person_id": offer.person,
        "number": len(offers(connection, handover_id)) + 1,
        "at": offer.at,
        "incident_id": incident,
        **_answer(offer),
    }
    connection.execute(insert(tables.handover_offers).values(row))


def add_work(connection: Connection, handover_id: str, kind: str, thing: str, now: datetime) -> None:
    """Write that the handover made ``thing``: what was read back before is void."""
    row = {"handover_id": handover_id, "kind": kind, "thing_id": thing, "at": now}
    # An incident may come back to the outgoing engineer, and go on once more.
    new = insert_new(tables.handover_works, connection.dialect.name, ("handover_id", "kind", "thing_id"))
    connection.execute(new, row)
    change(connection, handover_id, read_at=None)


def add_notice(connection: Connection, handover_id: str, now: datetime, **notice: object) -> None:
    """Write that something was said: ``kind``, ``about``, ``said_at``, ``people`` and ``text``."""
    number = len(notices(connection, handover_id)) + 1
    row = {"handover_id": handover_id, "number": number, "at": now, **notice}
    connection.execute(insert(tables.handover_notices).values(row))


def change(connection: Connection, handover_id: str, **values: object) -> None:
    """Change columns of the handover itself."""
    connection.execute(update(_handovers).where(_handovers.c.id == handover_id).values(**values))


def touch(connection: Connection, handover_id: str, due: datetime | None) -> None:
    """Give it the number of another change, and let it be looked at ``due``."""
    change(connection, handover_id, version=changes.advance(connection), next_action_at=due)


def write_said(connection: Connection, before: Handover, after: Handover) -> None:
    """Write what people said between ``before`` and ``after``: answers, confirmations, whom to ask, a cancellation."""
    table = tables.handover_offers.c
    for old, new in zip(before.offers, after.offers, strict=True):
        if new.answer != old.answer:
            mine = (table.handover_id == after.id, table.person_id == new.person)
            connection.execute(update(tables.handover_offers).where(*mine).values(_answer(new)))
    for point in after.confirmations:
        if point not in before.confirmations:
            connection.execute(insert(tables.handover_confirmations).values(_confirmation(after.id, point)))
    if after.allowed != before.allowed or after.cancelled_at != before.cancelled_at:
        change(connection, after.id, allowed=list(after.allowed), cancelled_at=after.cancelled_at)


def _of(connection: Connection, table: Table, handover_id: str, order: str) -> list[AnyRow]:
    asked: Select[Any] = select(table).where(table.c.handover_id == handover_id)
    return list(connection.execute(asked.order_by(table.c[order], *table.primary_key)))


def _known(connection: Connection, row: AnyRow, made: dict[str, tuple[str, ...]]) -> Handover:
    """Return what the handover's own rows say."""
    said = notices(connection, row.id)
    return Handover(
        id=row.id,
        kind=Kind(row.kind),
        giver=row.giver_id,
        asker=row.asker_id,
        requested_at=row.requested_at,
        role=Role(row.role),
        until=row.until,
        segments=(),
        candidates=tuple(row.candidates),
        managers=tuple(row.managers),
        reason=row.reason,
        auto_next=row.auto_next,
        stays_available=row.stays_available,
        offers=_offers(connection, row.id),
        asked=frozenset(n.about for n in said if n.kind == ASK),
        allowed=tuple(row.allowed),
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
    table = schema.overrides
    rows = connection.execute(select(table).where(table.c.id.in_(ids)).order_by(table.c.number)) if ids else ()
    return tuple(Override(Role(o.role), o.person_id, o.starts_at, o.ends_at, o.reason) for o in rows)


def _absences(connection: Connection, ids: Sequence[str]) -> tuple[Absence, ...]:
    table = schema.absences
    rows = connection.execute(select(table).where(table.c.id.in_(ids)).order_by(table.c.id)) if ids else ()
    return tuple(Absence(a.person_id, a.starts_at, a.ends_at, cover=a.cover_id) for a in rows)


def _incidents(connection: Connection, giver: str, noted: frozenset[str]) -> tuple[HeldIncident, ...]:
    """Return the open incidents of the outgoing engineer; a page that offers them a watch is none of the watch's."""
    table, held = schema.incidents.c, schema.assignments.c
    mine = select(held.incident_id).where(held.person_id == giver)
    pages = select(tables.handover_offers.c.incident_id).where(tables.handover_offers.c.incident_id.is_not(None))
    asked = select(table.id, table.escalates_as).where(
        table.status != Status.RESOLVED.value, table.id.in_(mine), table.id.not_in(pages)
    )
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
    )


def _answer(offer: Offer) -> dict[str, object]:
    answer = offer.answer
    return {"yes": None if answer is None else answer.yes, "answered_at": None if answer is None else answer.at}


def _confirmation(handover_id: str, said: Confirmation) -> dict[str, object]:
    return {
        "handover_id": handover_id,
        "point": said.point.value,
        "receiver_id": said.receiver,
        "by_id": said.by,
        "at": said.at,
        "waived": said.waived,
    }
