"""Answers for those who left the team what a handover asked of them: the next one is asked. On the writer's thread.

Until somebody else says yes and confirms it, the watch is whose the schedule says it is.
"""

from sqlalchemy import Connection, select, update

from desktop.domain.errors import StorageError
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


def asked(connection: Connection) -> list[str]:
    """Return the ids of the open handovers that wait for somebody who left, or have their yes."""
    return list(connection.execute(_ASKED).scalars())


def decline(station: Station, work: Work, handover: str) -> None:
    """Say no to a ``handover`` for everybody who left, a yes of theirs that was not carried out yet included.

    Raises StorageError when another server has it in hands.
    """
    connection, now = work.connection, station.clock()
    row = handover_rows.lock(connection, handover, skip_locked=True)
    if row is None:
        # Not waited for: meanwhile nothing else would be written here.
        raise StorageError(f"another server has the handover {handover} in hands")
    if row.ended_at is not None:
        return
    people = select(schema.people).where(schema.people.c.active.is_(False))
    gone = {person.id: person.name for person in connection.execute(people)}
    theirs = [o for o in handover_rows.offers(connection, handover) if o.person_id in gone and o.yes is not False]
    for offer in theirs:
        mine = (_offers.handover_id == handover, _offers.person_id == offer.person_id)
        connection.execute(update(tables.handover_offers).where(*mine).values(yes=False, answered_at=now))
        handover_doing.end_page(station, work, offer.incident_id, f"{gone[offer.person_id]} left the team.")
        said = {"answers": {offer.person_id: "no"}, "reason": "left the team"}
        audit.note(connection, By(ENGINE), "handover.decline", f"handover:{handover}", now, after=said)
    handover_writing.touch(connection, handover, now)
