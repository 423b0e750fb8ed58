"""What people changed in the application beside the team file: overrides and absences. On a connection, any thread.

They are rows of their own and stay whatever file is applied. Each change of them, and of the file, makes a revision.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, insert, select, update

from desktop.domain.team import Absence, Override, Role, Team
from desktop.domain.wall import clock
from desktop.server import schema
from desktop.server.dialects import tell
from desktop.team.changes import NOTICE

_TEAM = "team"
_counters = schema.counters.c


@dataclass(frozen=True, slots=True)
class Leave:
    """An absence as its row says: without ``confirmed`` a late one does not hold yet."""

    person: str
    cover: str | None
    start: datetime
    end: datetime
    announced: datetime
    confirmed: datetime | None


@dataclass(frozen=True, slots=True)
class Additions:
    """All of them, in the order in which they were made."""

    overrides: tuple[Override, ...] = ()
    leaves: tuple[Leave, ...] = ()


def read(connection: Connection) -> Additions:
    """Return what the rows say."""
    overrides = connection.execute(select(schema.overrides).order_by(schema.overrides.c.number))
    absences = connection.execute(select(schema.absences).order_by(schema.absences.c.created_at, schema.absences.c.id))
    return Additions(
        tuple(Override(Role(o.role), o.person_id, o.starts_at, o.ends_at, o.reason) for o in overrides),
        tuple(Leave(a.person_id, a.cover_id, a.starts_at, a.ends_at, a.announced_at, a.confirmed_at) for a in absences),
    )


def merged(team: Team, added: Additions) -> Team:
    """Return ``team``, as its file says, with what was added: these overrides come after the file's own and so win.

    What names somebody who is not in the team (any more) is left out: it would page a person whom nobody knows.
    """
    known = frozenset(person.id for person in team.people)
    overrides = (o for o in added.overrides if o.person in known)
    absences = (a for leave in added.leaves if leave.person in known for a in _holding(leave, team.time_zone))
    return replace(
        team,
        overrides=(*team.overrides, *overrides),
        absences=(*team.absences, *(a if a.cover in known else replace(a, cover=None) for a in absences)),
    )


def _holding(leave: Leave, zone: ZoneInfo) -> Iterator[Absence]:
    """Yield the absence that ``leave`` is: a late one holds from when the cover or a manager said yes, not before.

    Source of the rule: design, section 3, "Absences".
    """
    announced = clock(leave.announced, zone).date()
    early = clock(leave.start, zone).date() - announced >= NOTICE
    start = leave.start if early or leave.confirmed is None else max(leave.start, leave.confirmed)
    if (early or leave.confirmed is not None) and start < leave.end:
        yield Absence(leave.person, start, leave.end, announced, leave.cover)


def revision(connection: Connection) -> int:
    """Return the number of the latest change to who is in the team or on call, 0 before the first."""
    return connection.execute(select(_counters.value).where(_counters.name == _TEAM)).scalar_one_or_none() or 0


def advance(connection: Connection) -> int:
    """Make a new revision and return its number. Nobody else can make one before this transaction ends."""
    next_one = update(schema.counters).where(_counters.name == _TEAM).values(value=_counters.value + 1)
    number = connection.execute(next_one.returning(_counters.value)).scalar_one_or_none()
    if number is None:
        number = 1
        connection.execute(insert(schema.counters).values(name=_TEAM, value=number))
    tell(connection, number)
    return int(number)
