"""The parts of a team file that change whose turn it is: absences and overrides. Any thread."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from zoneinfo import ZoneInfo

from desktop.domain.additions import NOTICE
from desktop.domain.team import Absence, Override, Role
from desktop.domain.wall import clock, instant
from desktop.team import times, words
from desktop.team.circles import Covered, circles
from desktop.team.reader import Table
from desktop.team.rota import Known

_role = words.member_of(Role, "role")
# So many people of a circle of covers are told.
_MOST = 40


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
    _check_covers(found, known.zone)
    for table, people, closed in _circles(found, known.zone):
        table.wrong("cover", f"the covers go round in a circle from {closed:%Y-%m-%d %H:%M} on: {' → '.join(people)}.")
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


def _check_covers(absences: Sequence[tuple[Table, Absence]], zone: ZoneInfo) -> None:
    """Note where two absences of one person overlap and name different covers.

    Of each person only two matter to those that begin later: the one that ends last, and of those with another cover
    than its, the one that ends last.
    """
    latest: dict[str, tuple[Covered, ...]] = {}
    for absence in sorted(_covered(absences, zone), key=attrgetter("start")):
        before = latest.get(absence.person, ())
        other = next((b for b in before if b.cover != absence.cover and absence.start < b.end), None)
        if other is not None:
            message = (
                f"{absence.person} is away then already, covered by {other.cover}: the one written first is asked."
            )
            absences[absence.number][0].warn("cover", message)
        by_end = sorted((absence, *before), key=attrgetter("end"), reverse=True)
        latest[absence.person] = (by_end[0], *[b for b in by_end if b.cover != by_end[0].cover][:1])


def _circles(absences: Sequence[tuple[Table, Absence]], zone: ZoneInfo) -> Iterator[tuple[Table, list[str], datetime]]:
    """Yield the circles of covers: the table of the first absence; the people, the first one again at the end; when.

    The time is the wall clock's, that of the absence that closes the circle.
    """
    for circle in circles(_covered(absences, zone)):
        people = [circle[0].person, *(absence.cover for absence in circle)]
        closes = clock(max(absence.start for absence in circle), zone)
        yield absences[circle[0].number][0], _few(people), closes


def _few(people: list[str]) -> list[str]:
    half = _MOST // 2
    return people if len(people) <= _MOST else [*people[:half], "…", *people[-half:]]


def _covered(absences: Sequence[tuple[Table, Absence]], zone: ZoneInfo) -> list[Covered]:
    return [
        Covered(number, absence.person, absence.cover, instant(absence.start, zone), instant(absence.end, zone))
        for number, (_, absence) in enumerate(absences)
        if absence.cover is not None
    ]
