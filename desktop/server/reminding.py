"""Reminds people of the duties that are due, of each once, by message. On the keeper's thread; the writer writes.

When to look next stands in a row: whichever server moves it on looks. That somebody was told stands in the marks of the
duty, written by the transaction that puts the message in; whatever is due together, also after an outage, is one
message. A reminder goes to the first address only, since nobody has to wake up for it.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from desktop.channels.text import Text, bounded
from desktop.domain.covering import Presence
from desktop.domain.duties import duties
from desktop.domain.duty import Listed, State, reminder_due
from desktop.server import duty_lines, keeping, marks, outbox, places, schema
from desktop.server.dialects import insert_new
from desktop.server.keeping import Book
from desktop.server.station import Station
from desktop.server.wording import local, said
from desktop.server.writer import Work

EVERY = timedelta(minutes=1)
_KEY = "duties_remind_at"
_MOST_LINES = 10
_meta = schema.meta.c

Wanted = Mapping[str, Sequence[Listed]]
"""The duties that each person is to be reminded of."""


def remind(station: Station) -> int:
    """Remind everybody whom it is time to remind, unless another server looks; return how many people that were."""
    now = station.clock()
    if not places.any_named(station.roster) or not _time(station, now):
        return 0
    if not station.writer.run(lambda work: _claim(work.connection, now)):
        return 0
    with station.storage.read() as connection:
        book = keeping.book(connection, now, (now, now))
        wanted = _without(_wanted(station, book, now), connection)
    return station.writer.run(lambda work: _write(station, work, book, wanted, now)) if wanted else 0


def _time(station: Station, now: datetime) -> bool:
    with station.storage.read() as connection:
        return _due(connection.execute(select(_meta.value).where(_meta.key == _KEY)).scalar_one_or_none(), now)


def _due(value: str | None, now: datetime) -> bool:
    # Further ahead than anybody sets it: the clock was wrong.
    return value is None or not now < schema.from_micros(int(value)) <= now + EVERY


def _claim(connection: Connection, now: datetime) -> bool:
    """Move on when to look next; False where somebody else did meanwhile, or is about to."""
    new = insert_new(schema.meta, connection.dialect.name, ("key",))
    connection.execute(new, {"key": _KEY, "value": "0"})
    mine = select(_meta.value).where(_meta.key == _KEY).with_for_update(skip_locked=True)
    found = connection.execute(mine).scalar_one_or_none()
    if found is None or not _due(found, now):
        return False
    later = str(schema.to_micros(now + EVERY))
    connection.execute(update(schema.meta).where(_meta.key == _KEY).values(value=later))
    return True


def _wanted(station: Station, book: Book, now: datetime) -> Wanted:
    """Return what is to be done now, by whom, as far as they are here, can be told, and it is a time for it."""
    team = station.roster.uncertified
    away = Presence(team.absences, team.time_zone)
    found: dict[str, list[Listed]] = {}
    for listed in duties(team, book.facts, now):
        if listed.state not in {State.DUE, State.OVERDUE}:
            continue
        for person in _people(listed):
            here = not away.absent(person, now) and places.ladder(station.roster, person)
            if here and reminder_due(listed.duty, station.roster.zone(person), now):
                found.setdefault(person, []).append(listed)
    return found


def _people(listed: Listed) -> Iterator[str]:
    """Yield who has something left to do about a duty."""
    everybody = dict.fromkeys((*listed.duty.people, *listed.duty.signers))
    yield from (person for person in everybody if person not in listed.standing.signed)


def _without(wanted: Wanted, connection: Connection) -> Wanted:
    """Return ``wanted`` without what was told already."""
    told = marks.reminded(connection, {each.duty.id for those in wanted.values() for each in those})
    left = {person: [e for e in those if (e.duty.id, person) not in told] for person, those in wanted.items()}
    return {person: those for person, those in left.items() if those}


def _write(station: Station, work: Work, book: Book, wanted: Wanted, now: datetime) -> int:
    """Write who is reminded of what, and put in the messages; what another server told meanwhile is left out."""
    connection = work.connection
    connection.execute(select(_meta.value).where(_meta.key == _KEY).with_for_update())
    left = _without(wanted, connection)
    if left:
        told = [(each.duty.id, person) for person, those in left.items() for each in those]
        marks.add_reminders(connection, told, now)
    for person, those in left.items():
        text = _text(station, book, person, those, now)
        key = f"duties:{schema.to_micros(now)}"
        outbox.to_person(connection, station.roster, person, key, text, now, 1)
    return len(left)


def _text(station: Station, book: Book, person: str, those: Sequence[Listed], now: datetime) -> Text:
    team, incidents = station.roster.team, {incident.id: incident for incident in book.majors.incidents}
    lines, names = list[str](), list[str]()
    for each in those[:_MOST_LINES]:
        about = incidents.get(keeping.incident_of(each.duty.id) or "")
        names.append(said(duty_lines.name(each.duty, about, station.directory)))
        says = duty_lines.says(each, about, team, now)
        lines.append(f"{names[-1]}. {_when(each, station.roster.zone(person))} {said(says)}.")
    if len(those) > _MOST_LINES:
        lines.append(f"And {len(those) - _MOST_LINES} more.")
    title = f"To do: {names[0]}" if len(those) == 1 else f"{len(those)} duties are to be done"
    return bounded(Text(title, "\n".join(lines)))


def _when(listed: Listed, zone: ZoneInfo) -> str:
    due = listed.duty.due
    word = "It was due" if listed.state is State.OVERDUE else "Due"
    return "" if due is None else f"{word} {local(due, zone.key)}."
