"""Open incidents that those who left the team have: finding them, before and after, and what follows.

``relieve`` is a command of the writer's; the rest is on a connection, any thread. Rows say who left, so that whichever
server looks first does it, once.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, exists, or_, select

from desktop.domain.text import plain
from desktop.server import departures, incidents, schema
from desktop.server.directory import Directory
from desktop.server.records import Draft, Record
from desktop.server.rows import IS_OPEN, locked
from desktop.server.station import Station
from desktop.server.writer import Work

_SHOWN = 20
_TITLE = 120
_incident, _person = schema.incidents.c, schema.people.c


@dataclass(frozen=True, slots=True)
class Left:
    """An open incident that leaving changes: ``nobody`` would have it, else nobody would have acknowledged it."""

    id: str
    number: int
    title: str
    nobody: bool

    def __str__(self) -> str:
        title = plain(self.title, _TITLE)
        if self.nobody:
            return f"incident {self.number} ({title}) would be left with nobody: whoever is on call is paged for it"
        return f"incident {self.number} ({title}) would be triggered again: who acknowledged it would be gone"


def foreseen(connection: Connection, staying: Collection[str]) -> tuple[Left, ...]:
    """Return the open incidents that would be left to nobody, or by all who acknowledged, if only ``staying`` stayed.

    The first of them, by number: who leaves may have had thousands.
    """
    active = connection.execute(select(_person.id).where(_person.active)).scalars()
    leaving = [person for person in active if person not in staying]
    if not leaving:
        return ()
    nobody = _only(schema.assignments, leaving)
    asked = select(_incident.id, _incident.number, _incident.title, nobody.label("nobody")).where(
        IS_OPEN, or_(nobody, _only(schema.acknowledgements, leaving))
    )
    rows = connection.execute(asked.order_by(_incident.number).limit(_SHOWN))
    return tuple(Left(row.id, row.number, row.title, bool(row.nobody)) for row in rows)


def had(connection: Connection) -> list[str]:
    """Return the ids of the open incidents that somebody has who is not in the team."""
    gone = select(_person.id).where(_person.active.is_(False))
    held = (schema.assignments.c, schema.acknowledgements.c)
    theirs = (exists().where(one.incident_id == _incident.id, one.person_id.in_(gone)) for one in held)
    return list(connection.execute(select(_incident.id).where(IS_OPEN, or_(*theirs)).order_by(_incident.id)).scalars())


def any_of(directory: Directory, records: Iterable[Record]) -> bool:
    """Tell whether somebody has one of ``records``, and it is open, who is not in the team."""
    people = directory.people
    held = (each.person for record in records if record.open for each in record.assignments)
    return any(person in people and not people[person].active for person in held)


def relieve(station: Station, work: Work, ids: Sequence[str]) -> int:
    """Take those who left off the incidents ``ids``, and page whoever takes their place; return how many it were."""
    people = select(_person.id, _person.name).where(_person.active.is_(False))
    gone = {row.id: row.name for row in work.connection.execute(people)}
    moment = station.moment()
    drafts = [Draft(r, r) for r in locked(work.connection, station.policies, ids) if r.open]
    for draft in drafts:
        departures.leave(draft, moment, gone)
    incidents.save(station, work, drafts, moment.now)
    return sum(draft.touched for draft in drafts)


def _only(table: Table, leaving: Sequence[str]) -> ColumnElement[bool]:
    """Tell of an incident whether those of ``table`` are people who leave, and nobody else."""
    theirs, others = (
        exists().where(table.c.incident_id == _incident.id, condition)
        for condition in (table.c.person_id.in_(leaving), table.c.person_id.not_in(leaving))
    )
    return theirs & ~others
