"""Tells people of absences that were announced late: who is to say yes, who stays on call, who covers. On the writer.

One that is announced two weeks ahead holds at once and is in everybody's calendar. What is told is put in by the
transaction that changes the absence, and only where it changes who is on call.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from desktop.channels.text import Text, bounded
from desktop.domain.additions import Leave, held, merged
from desktop.domain.rotation import schedule
from desktop.domain.segments import Segment
from desktop.domain.team import Role, Team
from desktop.domain.watch import Watch
from desktop.server import additions, outbox
from desktop.server.absences import Kept
from desktop.server.station import Station
from desktop.server.wording import local, said

# Whoever is needed within a day is told at all of their addresses at once.
_SOON = timedelta(days=1)
_MOST_TIMES = 5


@dataclass(frozen=True, slots=True)
class _Note:
    """What a message is about: an ``action`` on an absence, and the first shift that it changes or would change."""

    absence: str
    action: str
    title: str
    soonest: datetime
    now: datetime


def announced(station: Station, connection: Connection, kept: Kept, now: datetime) -> None:
    """Ask for a yes to an absence that needs one, and tell the person that they stay on call until then."""
    if kept.held(station.roster.team.time_zone) is not None:
        return
    team, leave = team_now(station, connection), kept.leave
    shifts = _of(leave.person, _segments(team, leave, now))
    if not shifts:
        return
    name, asked = _name(station, leave.person), _asked(team, leave, now)
    who = " or ".join(_name(station, person) for person in asked) or "a manager"
    note = _Note(kept.id, "asked", f"Absence of {name}: a yes is needed", shifts[0].start, now)
    says = f"{name} asks to be absent, less than two weeks ahead, and stays on call until {who} says yes."
    to_do = f"To say yes: POST /watchbell/v1/absences/{kept.id}/confirm, or ask a manager for an override."
    lines = {person: [says, to_do] for person in asked}
    lines[leave.person] = [f"You stay on call until {who} says yes to your absence."]
    for person, told in lines.items():
        _tell(station, connection, note, person, told, shifts)


def changed(
    station: Station, connection: Connection, kept: Kept, before: Team, action: str, actor: str, now: datetime
) -> None:
    """Tell all whose shifts an ``action`` of ``actor`` on a late absence changed, but for the actor.

    ``before`` is the team as it was then; the rows of this transaction say how it is now.
    """
    if not _late(station, kept.leave):
        return
    after, name = team_now(station, connection), _name(station, kept.leave.person)
    was, now_is = (_segments(team, kept.leave, now) for team in (before, after))
    for person in dict.fromkeys(s.person for s in (*was, *now_is) if s.person is not None):
        old, new = _of(person, was), _of(person, now_is)
        if person == actor or _times(old) == _times(new):
            continue
        line = "In this time you are on call:" if new else "In this time you are not on call."
        soonest = min(segment.start for segment in (*old, *new))
        note = _Note(kept.id, action, f"Absence of {name}: {action}", soonest, now)
        _tell(station, connection, note, person, [line], new)


def waived(station: Station, connection: Connection, kept: Kept, actor: str, now: datetime) -> None:
    """Tell those who were asked for a yes that none is needed any more."""
    team, leave = team_now(station, connection), kept.leave
    shifts = _of(leave.person, _segments(team, leave, now))
    if not shifts:
        return
    name = _name(station, leave.person)
    note = _Note(kept.id, "withdrawn", f"Absence of {name}: withdrawn", shifts[0].start, now)
    for person in dict.fromkeys((*_asked(team, leave, now), leave.person)):
        if person != actor:
            _tell(station, connection, note, person, [f"{name} stays on call; no yes is needed any more."], shifts)


def team_now(station: Station, connection: Connection) -> Team:
    """Return the team as the rows say in this transaction."""
    return merged(station.roster.file, additions.read(connection))


def _asked(team: Team, leave: Leave, now: datetime) -> tuple[str, ...]:
    """Return who may say yes: the cover, and the managers."""
    cover = () if leave.cover is None else (leave.cover,)
    return tuple(p for p in dict.fromkeys((*cover, *Watch(team).managers(now))) if p != leave.person)


def _late(station: Station, leave: Leave) -> bool:
    """Tell whether it needed a yes when it was announced."""
    return held(replace(leave, confirmed=None), station.roster.team.time_zone) is None


def _segments(team: Team, leave: Leave, now: datetime) -> tuple[Segment, ...]:
    """Return who has which role in what is left of the time of an absence."""
    start = max(leave.start, now)
    found = schedule(team, start, leave.end) if start < leave.end else ()
    return tuple(segment for segment in found if segment.role is not Role.SHADOW)


def _of(person: str, segments: Iterable[Segment]) -> list[Segment]:
    return sorted((s for s in segments if s.person == person), key=_start)


def _start(segment: Segment) -> datetime:
    return segment.start


def _times(segments: Iterable[Segment]) -> set[tuple[str, datetime, datetime]]:
    return {(s.role.value, s.start, s.end) for s in segments}


def _name(station: Station, person: str) -> str:
    return said(station.directory.person(person).name)


def _tell(
    station: Station, connection: Connection, note: _Note, person: str, lines: Sequence[str], shifts: Sequence[Segment]
) -> None:  # fmt: skip
    """Put in the message to ``person``; ``shifts`` are listed in it."""
    zone = station.roster.zone(person).key
    times = [f"{s.role.value} from {local(s.start, zone)} to {local(s.end, zone)}" for s in shifts[:_MOST_TIMES]]
    more = [f"and {len(shifts) - _MOST_TIMES} more times"] if len(shifts) > _MOST_TIMES else []
    text = bounded(Text(note.title, "\n".join((lines[0], *times, *more, *lines[1:]))))
    most = None if note.soonest - note.now < _SOON else 1
    key = f"absence:{note.absence}:{note.action}"
    outbox.to_person(connection, station.roster, person, key, text, note.now, most)
