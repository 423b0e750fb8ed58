"""Answers for those who left the team what a handover asked of them: the next one is asked. On the writer's thread.

Until somebody else says yes and confirms it, the watch is whose the schedule says it is.
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, update

from desktop.server import audit, handover_doing, handover_rows, handover_writing, schema
from desktop.server.audit import By
from desktop.server.records import ENGINE
from desktop.server.station import Station
from desktop.server.tables import handovers as tables
from desktop.server.writer import Work

_handovers, _offers = tables.handovers.c, tables.handover_offers.c
_ASKED = (
    select(_offers.handover_id)
    .join(tables.handovers, _handovers.id == _offers.handover_id)
    .join(schema.people, schema.people.c.id == _offers.person_id)
    .where(_handovers.ended_at.is_(None), schema.people.c.active.is_(False))
    .where(_offers.yes.is_distinct_from(False))
    .distinct()
    .order_by(_offers.handover_id)
)


def decline(station: Station, work: Work) -> int:
    """Say no for everybody who left, a yes of theirs that was not carried out yet included; return to how many."""
    now, connection = station.clock(), work.connection
    asked = list(connection.execute(_ASKED).scalars())
    gone = schema.people.c.active.is_(False)
    people = {row.id: row.name for row in connection.execute(select(schema.people).where(gone))} if asked else {}
    return sum(_decline(station, work, handover, people, now) for handover in asked)


def _decline(station: Station, work: Work, handover: str, gone: Mapping[str, str], now: datetime) -> bool:
    connection = work.connection
    row = handover_rows.lock(connection, handover)
    if row is None or row.ended_at is not None:
        return False
    theirs = [o for o in handover_rows.offers(connection, handover) if o.person_id in gone and o.yes is not False]
    for offer in theirs:
        mine = (_offers.handover_id == handover, _offers.person_id == offer.person_id)
        connection.execute(update(tables.handover_offers).where(*mine).values(yes=False, answered_at=now))
        handover_doing.end_page(station, work, offer.incident_id, f"{gone[offer.person_id]} left the team.")
        said = {"answers": {offer.person_id: "no"}, "reason": "left the team"}
        audit.note(connection, By(ENGINE), "handover.decline", f"handover:{handover}", now, after=said)
    handover_writing.touch(connection, handover, now)
    return bool(theirs)
