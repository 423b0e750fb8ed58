"""Climbs the ladders that are due: looks at what was confirmed, puts the next message in. On the writer's thread.

Where nothing is left to try and nothing told the person of their page, the incident's history and the log say so.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select, update

from desktop.domain.incident import Status
from desktop.domain.ladder import Climb, Rung, next_rung
from desktop.server import outbox, places, presence, schema
from desktop.server.contributions import awaited, responders_from_json
from desktop.server.outbox import Kind, Message, State
from desktop.server.records import ENGINE, NO_ADDRESS, UNREACHED
from desktop.server.station import Station
from desktop.server.tables.messages import messages, pages
from desktop.server.writer import Work

log = logging.getLogger(__name__)

MANY = 200

_page, _assigned = pages.c, schema.assignments.c
_DUE = (
    select(pages, schema.incidents.c.status, schema.incidents.c.responders, _assigned.person_id.label("assigned"))
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
# By way of what is open: the pages of years are many.
_SHOWN = (
    select(_page.number)
    .join(schema.incidents, schema.incidents.c.id == _page.incident_id)
    .where(
        schema.incidents.c.status == Status.TRIGGERED.value,
        _page.person_id == bindparam("person"),
        _page.displayed_at.is_not(None),
        _page.ended_at.is_(None),
    )
    .limit(1)
)
_FAILED = select(messages.c.key).where(
    messages.c.key.in_(bindparam("keys", expanding=True)), messages.c.state == State.FAILED
)


def climb(station: Station, work: Work) -> int:
    """Do what is due on ladders, as far as no other server has it in hands; return how many were looked at."""
    connection, now = work.connection, station.clock()
    due = connection.execute(_DUE, {"now": now}).all()
    if not due:
        return 0
    live = presence.live(connection, {row.person_id for row in due}, now)
    failed = _failed(connection, due)
    found = [(row, _rung(station, row, failed, now, live=row.person_id in live)) for row in due]
    if doubtful := live & {row.person_id for row, rung in found if rung.unreached}:
        shown = _shown_others(connection, doubtful)
        found = [
            (row, _rung(station, row, failed, now, live=True, showing=True) if row.person_id in shown else rung)
            for row, rung in found
        ]
    connection.execute(_CLIMBED, [_climbed(row, rung, now) for row, rung in found])
    outbox.put(connection, [_message(row, rung.address, now) for row, rung in found if rung.address is not None])
    _say_unreached(work, [row for row, rung in found if rung.unreached], now)
    return len(due)


def next_at(connection: Connection) -> datetime | None:
    """Return when a ladder is due next."""
    asked = select(_page.next_at).where(_page.next_at.is_not(None)).order_by(_page.next_at).limit(1)
    return connection.execute(asked).scalar_one_or_none()


def _failed(connection: Connection, due: Iterable[Row[Any]]) -> frozenset[str]:
    """Return the keys of the messages of the pages ``due`` that failed for good."""
    keys = [_key(row, address) for row in due for address in row.used]
    return frozenset(connection.execute(_FAILED, {"keys": keys}).scalars()) if keys else frozenset()


def _shown_others(connection: Connection, people: Iterable[str]) -> frozenset[str]:
    """Return those of ``people`` whose application shows them a page that nobody took yet."""
    return frozenset(p for p in people if connection.execute(_SHOWN, {"person": p}).first() is not None)


def _key(row: Row[Any], address: str) -> str:
    return outbox.page_key(row.incident_id, row.number, row.person_id, address)


def _rung(
    station: Station, row: Row[Any], failed: frozenset[str], now: datetime, *, live: bool, showing: bool = False
) -> Rung:
    asked = row.assigned is not None or awaited(responders_from_json(row.responders), row.person_id)
    if row.status == Status.RESOLVED.value or not asked:
        # Handed to somebody else: it is not theirs any more.
        return Rung()
    hopeless = frozenset(address for address in row.used if _key(row, address) in failed)
    climb = Climb(row.paged_at, tuple(row.used), row.climbed_at, row.displayed_at, row.input_at, hopeless)
    return next_rung(places.ladder(station.roster, row.person_id), climb, now, live=live, showing=showing)


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
        key=_key(row, address),
        kind=Kind.PAGE,
        recipient=f"{places.PERSON}{row.person_id}",
        address=address,
        at=now,
        incident=row.incident_id,
        page=row.number,
    )


def _say_unreached(work: Work, rows: Sequence[Row[Any]], now: datetime) -> None:
    """Say which pages reached nobody, where people look: the keeper tells the admins by the same lines."""
    lines = [_unreached(row, now) for row in rows]
    work.history.extend(lines)
    # Pages come by the thousand: one line for each person.
    for row in {row.person_id: row for row in reversed(rows)}.values():
        many = sum(other.person_id == row.person_id for other in rows)
        why = "every address failed" if row.used else "no address"
        fields = {"person": row.person_id, "pages": many, "incident": row.incident_id, "why": why}
        log.error("a page reached nobody", extra={"fields": fields})


def _unreached(row: Row[Any], now: datetime) -> dict[str, Any]:
    return {
        "incident_id": row.incident_id,
        "type": UNREACHED if row.used else NO_ADDRESS,
        "at": now,
        "actor": ENGINE,
        "channel": "auto",
        "data": {"assignees": [row.person_id], "page": row.number},
    }
