"""Writing what happens to an emergency handover: requests, offers, what people say, what is made. On a connection.

Whoever calls has locked the handover's row (``handover_rows.lock``), or makes it.
"""

from datetime import datetime

from sqlalchemy import Connection, insert, update

from desktop.domain.handover_facts import Confirmation, Handover, Offer
from desktop.server import changes, handover_rows
from desktop.server.dialects import insert_new
from desktop.server.tables import handovers as tables

_handovers = tables.handovers


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
        "number": len(handover_rows.offers(connection, handover_id)) + 1,
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


def add_notice(connection: Connection, handover_id: str, now: datetime, **notice: object) -> int:
    """Write that something was said: ``kind``, ``about``, ``said_at``, ``people`` and ``text``; return its number."""
    number = len(handover_rows.notices(connection, handover_id)) + 1
    row = {"handover_id": handover_id, "number": number, "at": now, **notice}
    connection.execute(insert(tables.handover_notices).values(row))
    return number


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
