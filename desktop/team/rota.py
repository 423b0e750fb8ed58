"""The parts of a team file that say whose turn it is: rotations and explicit weeks. Any thread."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from desktop.domain.shifts import length, shifts_on
from desktop.domain.team import Role, Rotation, Week
from desktop.domain.wall import clock
from desktop.team import times, words
from desktop.team.reader import Table
from desktop.team.words import Wrong

_ROTATING = (Role.PRIMARY, Role.SECONDARY, Role.MANAGER, Role.SHADOW)


@dataclass(frozen=True, slots=True)
class Known:
    """What the other tables refer to: the ids of all people, and the team's zone."""

    people: frozenset[str]
    zone: ZoneInfo

    def person(self, value: object) -> str:
        """Return the id of somebody of the team."""
        word = words.text(value, 64)
        if word not in self.people:
            raise Wrong(f"nobody has the id {words.said(word)}", words.nearest(word, self.people))
        return word


def rotations(top: Table, known: Known) -> Mapping[Role, Rotation]:
    """Return ``[rotation.ROLE]``. Without a primary the file is allowed, with a warning."""
    found = {}
    with top.table("rotation") as table:
        for role in _ROTATING:
            with table.table(role.value) as each:
                rotation = _rotation(each, known) if each.given else None
            if rotation is not None:
                found[role] = rotation
        if not table.has(Role.PRIMARY.value):
            top.warn("rotation", "there is no [rotation.primary]: without overrides nobody is ever on call.")
    return MappingProxyType(found)


def _rotation(table: Table, known: Known) -> Rotation | None:
    members = table.each("members", known.person)
    start, every = table.need("start", times.moment), table.need("every", times.every)
    if table.lacks("members"):
        table.wrong("members", "the ring is empty: name at least one person.")
    if not members or start is None or every is None:
        return None
    return Rotation(members, start if start.tzinfo is None else clock(start, known.zone), every)


def weeks(top: Table, known: Known, rotations: Mapping[Role, Rotation]) -> tuple[Week, ...]:
    """Return ``[[weeks]]``: each row must begin with a shift of each role that it names, and no shift has two rows."""
    taken: set[tuple[Role, date]] = set()
    found = []
    for table in top.tables("weeks"):
        start = table.need("start", times.day)
        people = {role: person for role in _ROTATING if (person := table.get(role.value, known.person)) is not None}
        if not any(table.has(role.value) for role in _ROTATING):
            table.wrong("", 'names nobody: write for example primary = "ana".')
        for role in people:
            if role in rotations:
                _check_row(table, role, start, rotations[role], taken)
            elif not top.states("rotation", role.value):
                table.wrong(role.value, f"there is no [rotation.{role.value}] whose shift this could replace.")
        _check_twice(table, people)
        if start is not None:
            found.append(Week(start, MappingProxyType(people)))
    return tuple(found)


def _check_twice(table: Table, people: Mapping[Role, str]) -> None:
    primary = people.get(Role.PRIMARY)
    if primary is not None and primary == people.get(Role.SECONDARY):
        table.warn("secondary", f"{primary} is primary in this row too: somebody else will cover as secondary.")


def _check_row(table: Table, role: Role, start: date | None, rotation: Rotation, taken: set[tuple[Role, date]]) -> None:
    if start is None:
        return
    if not shifts_on(rotation, start):
        near = _nearest_shift(rotation, start).isoformat()
        table.wrong("start", f"no {role.value} shift starts on {start.isoformat()}; the nearest starts on {near}.")
    if (role, start) in taken:
        table.wrong(role.value, f"the {role.value} shift of {start.isoformat()} has a row already: they overlap.")
    taken.add((role, start))


def _nearest_shift(rotation: Rotation, day: date) -> date:
    every = length(rotation.every)
    number = max((datetime.combine(day, rotation.start.time()) - rotation.start) // every, 0)
    around = [(rotation.start + n * every).date() for n in (number, number + 1)]
    return min(around, key=lambda found: abs(found - day))
