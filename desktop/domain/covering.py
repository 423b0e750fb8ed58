"""Who stands in when somebody is away or has another role already. Pure.

Source of the rules: design, section 3, "Rotation": absences, covering, overrides.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from desktop.domain.segments import ORDER, Why
from desktop.domain.shifts import Ring, Turn
from desktop.domain.team import Absence, Role
from desktop.domain.wall import instant

Holder = tuple[str | None, Why]
"""Who has a role at an instant (None: nobody), and why."""

NOBODY: tuple[str, ...] = ()
# Who has one of the roles on the right is looked past for the role on the left.
_NOT_BESIDE = {Role.SECONDARY: (Role.PRIMARY,), Role.MANAGER: (Role.PRIMARY, Role.SECONDARY)}


@dataclass(frozen=True, slots=True)
class Away:
    """One absence as instants."""

    start: datetime
    end: datetime
    cover: str | None


class Presence:
    """Who is away when."""

    def __init__(self, absences: Iterable[Absence], zone: ZoneInfo) -> None:
        away: dict[str, list[Away]] = {}
        for absence in absences:
            start, end = instant(absence.start, zone), instant(absence.end, zone)
            if start < end:
                away.setdefault(absence.person, []).append(Away(start, end, absence.cover))
        self._away = away
        self._cuts = {person: _edges(those) for person, those in away.items()}

    def edges(self) -> set[datetime]:
        """Return every instant at which an absence begins or ends: where two overlap, the covers change within."""
        return {t for those in self._away.values() for away in those for t in (away.start, away.end)}

    def absent(self, person: str, at: datetime) -> bool:
        """Tell whether ``person`` cannot be on call at ``at``."""
        # The edges of joined absences alternate leave, return: an odd place is away.
        cuts = self._cuts.get(person)
        return cuts is not None and bisect_right(cuts, at) % 2 == 1

    def covers(self, person: str, at: datetime) -> Iterator[str]:
        """Yield who was named to cover ``person`` at ``at``, then those named for these where they are away too."""
        asked = {person}
        queue = [person]
        while queue:
            for away in self._away.get(queue.pop(0), ()):
                if away.cover is not None and away.start <= at < away.end and away.cover not in asked:
                    asked.add(away.cover)
                    queue.append(away.cover)
                    yield away.cover


def _edges(absences: Sequence[Away]) -> list[datetime]:
    """Return leave, return, leave, return … of absences that may overlap."""
    edges: list[datetime] = []
    for away in sorted(absences, key=lambda a: a.start):
        if edges and away.start <= edges[-1]:
            edges[-1] = max(edges[-1], away.end)
        else:
            edges += [away.start, away.end]
    return edges


class Covering:
    """Settles all roles at one instant, in order, from whose turn it is and what is overridden."""

    def __init__(self, rings: Mapping[Role, Ring], presence: Presence, people: Sequence[str]) -> None:
        self._rings = rings
        self._presence = presence
        self._people = people

    def settle(self, at: datetime, turns: Mapping[Role, Turn], overrides: Mapping[Role, str]) -> dict[Role, Holder]:
        """Return who has each role at ``at``: every role that has a rotation or is overridden now."""
        held: dict[Role, Holder] = {}
        for role in ORDER:
            if role in overrides:
                held[role] = (overrides[role], Why.OVERRIDE)
            elif role in turns:
                held[role] = self._role(role, at, turns, overrides, held)
            elif role in self._rings:
                held[role] = (None, Why.ROTATION)
        return held

    def _role(
        self,
        role: Role,
        at: datetime,
        turns: Mapping[Role, Turn],
        overrides: Mapping[Role, str],
        held: Mapping[Role, Holder],
    ) -> Holder:
        if role is Role.PRIMARY:
            return self._primary(at, turns, overrides)
        busy = [held[other][0] for other in _NOT_BESIDE.get(role, ()) if other in held]
        found = self._find(role, turns[role], at, busy)
        if found[0] is None and role is Role.MANAGER:
            # A manager in two roles is better than none: only primary and secondary are never one person.
            return self._find(role, turns[role], at, NOBODY)
        return found

    def _primary(self, at: datetime, turns: Mapping[Role, Turn], overrides: Mapping[Role, str]) -> Holder:
        """Settle the primary; the last resort is the secondary, then anyone of the team who is present."""
        person, why = self._find(Role.PRIMARY, turns[Role.PRIMARY], at, NOBODY)
        if person is None:
            last = [*self._secondary(at, turns, overrides), *self._people]
            person = next((p for p in last if not self._presence.absent(p, at)), None)
        return person, why

    def _secondary(self, at: datetime, turns: Mapping[Role, Turn], overrides: Mapping[Role, str]) -> tuple[str, ...]:
        """Return who would be secondary if there were no primary."""
        if Role.SECONDARY in overrides:
            return (overrides[Role.SECONDARY],)
        if Role.SECONDARY not in turns:
            return NOBODY
        person, _ = self._find(Role.SECONDARY, turns[Role.SECONDARY], at, NOBODY)
        return NOBODY if person is None else (person,)

    def _find(self, role: Role, turn: Turn, at: datetime, busy: Collection[str | None]) -> Holder:
        """Return whose turn it is, or who covers: never somebody absent, never one of ``busy``."""
        away = self._presence.absent(turn.person, at)
        if not away and turn.person not in busy:
            return turn.person, turn.why
        free = (p for p in self._others(turn, self._rings[role], at, away=away) if self._free(p, at, busy))
        return next(free, None), Why.ABSENCE if away else Why.COVER

    def _others(self, turn: Turn, ring: Ring, at: datetime, *, away: bool) -> Iterator[str]:
        """Yield who could stand in, in order: those named for it, the earlier engineers, then whose shift it is."""
        if away:
            yield from self._presence.covers(turn.person, at)
        yield from ring.earlier(turn.shift)
        yield ring.engineer(turn.shift)

    def _free(self, person: str, at: datetime, busy: Collection[str | None]) -> bool:
        return person not in busy and not self._presence.absent(person, at)
