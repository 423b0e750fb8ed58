"""Climbs the ladders that are due: looks at what was confirmed, puts the next message in. On the writer's thread."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from desktop.domain.incident import Status
from desktop.domain.ladder import Climb, Rung, next_rung
from desktop.server import outbox, places, presence, schema
from desktop.server.outbox import Kind, Message
from desktop.server.station import Station
from desktop.server.tables.messages import pages
from desktop.server.writer import Work

MANY = 200

_page, _assigned = pages.c, schema.assignments.c
_DUE = (
    select(pages, schema.incidents.c.status, _assigned.person_id.label("assigned"))
    .join(schema.incidents, schema.incidents.c.id == _page.incident_id)
    .outerjoin(
        schema.assignments,
        (_assigned.incident_id == _page.incident_id) & (_assigned.person_id == _page.person_id),
    )
    .where(_page.next_at <= bindparam("now"))
    .order_by(_page.next_at)
    .limit(MANY)
    .with_for_update(skip_locked=True, of=pages)
)
_CLIMBED = (
    update(pages)
    .where(
        _page.incident_id == bindparam("b_incident"),
        _page.number == bindparam("b_number"),
        _page.person_id == bindparam("b_person"),
    )
    .values(used=bindparam("used"), climbed_at=bindparam("climbed_at"), next_at=bindparam("next_at"))
)


def climb(station: Station, work: Work) -> int:
    """Do what is due on ladders, as far as no other server has it in hands; return how many were looked at."""
    connection, now = work.connection, station.clock()
    due = connection.execute(_DUE, {"now": now}).all()
    if not due:
        return 0
    live = presence.live(connection, {row.person_id for row in due}, now)
    found = [(row, _rung(station, row, now, live=row.person_id in live)) for row in due]
    connection.execute(_CLIMBED, [_climbed(row, rung, now) for row, rung in found])
    outbox.put(connection, [_message(row, rung.address, now) for row, rung in found if rung.address is not None])
    return len(due)


def next_at(connection: Connection) -> datetime | None:
    """Return when a ladder is due next."""
    asked = select(_page.next_at).where(_page.next_at.is_not(None)).order_by(_page.next_at).limit(1)
    return connection.execute(asked).scalar_one_or_none()


def _rung(station: Station, row: Row[Any], now: datetime, *, live: bool) -> Rung:
    if row.status == Status.RESOLVED.value or row.assigned is None:
        # Handed to somebody else: it is not theirs any more.
        return Rung()
    climb = Climb(row.paged_at, tuple(row.used), row.climbed_at, row.displayed_at, row.input_at)
    return next_rung(places.ladder(station.roster, row.person_id), climb, now, live=live)


def _climbed(row: Row[Any], rung: Rung, now: datetime) -> dict[str, Any]:
    used: Sequence[str] = row.used if rung.address is None else [*row.used, rung.address]
    return {
        "b_incident": row.incident_id,
        "b_number": row.number,
        "b_person": row.person_id,
        "used": used,
        "climbed_at": row.climbed_at if rung.address is None else now,
        "next_at": rung.look_at,
    }


def _message(row: Row[Any], address: str, now: datetime) -> Message:
    return Message(
        key=outbox.page_key(row.incident_id, row.number, row.person_id, address),
        kind=Kind.PAGE,
        recipient=f"{places.PERSON}{row.person_id}",
        address=address,
        at=now,
        incident=row.incident_id,
        page=row.number,
    )
