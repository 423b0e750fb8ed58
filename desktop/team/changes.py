"""The parts of a team file that change whose turn it is: absences and overrides. Any thread."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from desktop.domain.team import Absence, Override, Role
from desktop.domain.wall import instant
from desktop.team import times, words
from desktop.team.reader import Table
from desktop.team.rota import Known

# oncall-procedures.md: "Engineers must notify team 2 weeks in advance of planned absences".
NOTICE = timedelta(days=14)
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


def _circles(absences: list[tuple[Table, Absence]], zone: ZoneInfo) -> Iterator[tuple[Table, list[str]]]:
    """Yield the circles of covers, each once: A away, covered by B, who is away at that time, covered by A."""
    by_person: dict[str, list[_Away]] = {}
    for table, absence in absences:
        away = _Away(table, absence, instant(absence.start, zone), instant(absence.end, zone))
        by_person.setdefault(absence.person, []).append(away)
    told: set[frozenset[str]] = set()
    for those in by_person.values():
        for away in those:
            circle = _circle(away, by_person)
            if circle and frozenset(circle) not in told:
                told.add(frozenset(circle))
                yield away.table, circle


@dataclass(frozen=True, slots=True, eq=False)
class _Away:
    table: Table
    absence: Absence
    start: datetime
    end: datetime


def _circle(first: _Away, by_person: Mapping[str, list[_Away]]) -> list[str]:
    """Return the people of a circle of covers through ``first``, the first one again at the end; empty when none."""

    def follow(away: _Away, start: datetime, end: datetime, way: list[str]) -> list[str]:
        cover = away.absence.cover
        if cover is None or start >= end:
            return []
        if cover == first.absence.person:
            return [*way, cover]
        if cover in way:
            return []
        found = (
            follow(each, max(start, each.start), min(end, each.end), [*way, cover]) for each in by_person.get(cover, ())
        )
        return next((way for way in found if way), [])

    return follow(first, first.start, first.end, [first.absence.person])
