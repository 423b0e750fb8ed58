"""Since when duties are kept, and what they follow from, read from rows. On a connection, any thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from desktop.domain.duties import Facts, duties
from desktop.domain.duty import Listed
from desktop.domain.team import Team
from desktop.server import majors, marks, schema
from desktop.server.dialects import insert_new
from desktop.server.majors import Majors
from desktop.server.marks import Made
from desktop.server.storage import Storage

_SINCE = "duties_since"
_meta = schema.meta.c


@dataclass(frozen=True, slots=True)
class Book:
    """What duties follow from; ``held`` are the marks that hold, ``majors`` the incidents, some perhaps left out."""

    facts: Facts
    held: Sequence[Made]
    majors: Majors


def begin(storage: Storage, now: datetime) -> None:
    """Let duties be kept from ``now`` on where they were not kept before."""
    with storage.read() as connection:
        if _since(connection) is not None:
            return
    with storage.write() as connection:
        dialect = connection.dialect.name
        row = {"key": _SINCE, "value": str(schema.to_micros(now))}
        connection.execute(insert_new(schema.meta, dialect, ("key",)), row)


def book(connection: Connection, now: datetime, window: tuple[datetime, datetime]) -> Book:
    """Return what all duties at ``now`` follow from, those settled within ``window`` included."""
    since = _since(connection) or now
    return _book(since, marks.of_all(connection), majors.unsettled(connection, since, window))


def book_of(connection: Connection, duty_id: str, now: datetime) -> Book:
    """Return what the duty called ``duty_id`` follows from: all of it, and little else."""
    since = _since(connection) or now
    incident = incident_of(duty_id)
    if incident is None:
        return _book(since, marks.of_duty(connection, duty_id), Majors((), {}))
    return book_about(connection, incident, since)


def book_about(connection: Connection, incident: str, since: datetime) -> Book:
    """Return what the duties of one incident follow from."""
    return _book(since, marks.of_subject(connection, majors.KINDS, incident), majors.one(connection, incident))


def incident_of(duty_id: str) -> str | None:
    """Return the incident that a duty is about, None where it is about none."""
    kind, _, rest = duty_id.partition("/")
    return rest.partition("/")[0] if kind in majors.KINDS else None


def nothing_left(connection: Connection, team: Team, incident: str, now: datetime) -> bool:
    """Tell whether an incident is resolved and all of its duties are done or waived."""
    found = book_about(connection, incident, now)
    listed = duties(team, found.facts, now)
    resolved = all(major.resolved is not None for major in found.majors.incidents)
    return resolved and all(each.state.settled for each in listed if incident_of(each.duty.id) == incident)


def find(team: Team, facts: Facts, duty_id: str, now: datetime) -> Listed | None:
    """Return the duty called ``duty_id``, None where there is none that has opened."""
    return next((each for each in duties(team, facts, now) if each.duty.id == duty_id), None)


def _since(connection: Connection) -> datetime | None:
    found = connection.execute(select(_meta.value).where(_meta.key == _SINCE)).scalar_one_or_none()
    return None if found is None else schema.from_micros(int(found))


def _book(since: datetime, made: Sequence[Made], found: Majors) -> Book:
    held = marks.held(made)
    ruled = marks.ruled(held)
    return Book(Facts(since, found.incidents, (*ruled, *majors.posted(found, ruled))), held, found)
