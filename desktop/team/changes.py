"""The parts of a team file that change whose turn it is: absences and overrides. Any thread."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from desktop.domain.additions import NOTICE
from desktop.domain.team import Absence, Override, Role
from desktop.domain.wall import instant
from desktop.team import times, words
from desktop.team.circles import Covered, circles
from desktop.team.reader import Table
from desktop.team.rota import Known

_role = words.member_of(Role, "role")


def overrides(top: Table, known: Known) -> tuple[Override, ...]:
    """Return ``[[overrides]]``; of two that overlap the one written later wins."""
    found = []
    for table in top.tables("overrides"):
        role, person = table.need("role", _role), table.need("person", known.person)
        reason = table.get("reason", lambda value: words.text(value, 500)) or ""
        span = _span(table, known.zone)
        if role is not None and person is not None and span is not None:
            found.append(Override(role, person, *span, reason))
    return tuple(found)


def absences(top: Table, known: Known) -> tuple[Absence, ...]:
    """Return ``[[absences]]``; a late notice is a warning, covers that go round in a circle are a mistake."""
    found: list[tuple[Table, Absence]] = []
    for table in top.tables("absences"):
        person = table.need("person", known.person)
        cover, announced = table.get("cover", known.person), table.get("announced", times.day)
        span = _span(table, known.zone)
        if cover is not None and cover == person:
            table.wrong("cover", f"{words.said(person)} cannot cover themselves.")
        elif person is not None and span is not None:
            absence = Absence(person, *span, announced, cover)
            _check_notice(table, absence)
            found.append((table, absence))
    for table, people in _circles(found, known.zone):
        table.wrong("cover", f"the covers go round in a circle: {' → '.join(people)}.")
    return tuple(absence for _, absence in found)


def _span(table: Table, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    start, end = table.need("start", times.moment), table.need("end", times.moment)
    if start is None or end is None:
        return None
    if instant(start, zone) >= instant(end, zone):
        table.wrong("end", f"{end.isoformat()} is not after the start, {start.isoformat()}.")
        return None
    return start, end


def _check_notice(table: Table, absence: Absence) -> None:
    if absence.announced is not None and absence.start.date() - absence.announced < NOTICE:
        days = (absence.start.date() - absence.announced).days
        table.warn("announced", f"{absence.person} announced this absence {days} days ahead, not {NOTICE.days}.")


def _circles(absences: Sequence[tuple[Table, Absence]], zone: ZoneInfo) -> Iterator[tuple[Table, list[str]]]:
    """Yield the circles of covers: the table of the first absence, and the people, the first one again at the end."""
    covered = [
        Covered(number, absence.person, absence.cover, instant(absence.start, zone), instant(absence.end, zone))
        for number, (_, absence) in enumerate(absences)
        if absence.cover is not None
    ]
    for circle in circles(covered):
        yield absences[circle[0].number][0], [circle[0].person, *(absence.cover for absence in circle)]
