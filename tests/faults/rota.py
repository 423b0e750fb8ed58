"""Who was on call at every instant of a run, and who was paged beside them. Pure.

What is past of a schedule is never rewritten, so that the rows at the end say it for the whole run. Who follows from
them is the rotation's own to say, which its tests prove; here it is what the servers did with it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tests.faults.plans import CONTACT, EMERGENCY, RINGS, ROLES


@dataclass(frozen=True, slots=True)
class Shift:
    """``person`` (None: nobody) has ``role`` from ``start`` to ``end``."""

    role: str
    person: str | None
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Rota:
    """The ``shifts`` of all roles, and who is paged ``beside`` their holders: both sides of a handover.

    ``away`` are absences, of whatever role. ``taken_back`` are overrides that were made and removed: a server whose
    clock was wrong may have seen them hold.
    """

    shifts: Sequence[Shift]
    beside: Sequence[Shift] = ()
    taken_back: Sequence[Shift] = ()
    away: Sequence[Shift] = ()
    contacts: frozenset[str] = field(default=frozenset({CONTACT}))

    def as_seen(self, wrong: Callable[[float], float]) -> "Rota":
        """Return what servers may have seen whose clocks were right, when times may be ``wrong`` by so much.

        Who is paged beside somebody is so from the moment that it is written, whatever time the writer's clock said.
        """
        beside = [replace(s, start=s.start - wrong(s.start), end=s.end + wrong(s.end)) for s in self.beside]
        return replace(self, beside=beside)

    def holders(self, role: str, start: float, end: float) -> frozenset[str | None]:
        """Return everybody who has ``role`` at some instant from ``start`` to ``end``, None for nobody."""
        if role == EMERGENCY:
            return frozenset(self.contacts)
        return frozenset(_people(self.shifts, role, start, end))

    def may(self, role: str, start: float, end: float) -> frozenset[str]:
        """Return everybody who may have been paged as ``role`` at some instant of that time."""
        more = (*_people(self.beside, role, start, end), *_people(self.taken_back, role, start, end))
        return frozenset(p for p in (*self.holders(role, start, end), *more) if p is not None)

    def must(self, role: str, start: float, end: float) -> frozenset[str]:
        """Return who was to be paged as ``role`` at every instant of that time."""
        if role == EMERGENCY:
            return self.contacts
        found = self.holders(role, start, end)
        if len(found) != 1 or tuple(_people(self.taken_back, role, start, end)):
            return frozenset()
        return frozenset(p for p in found if p is not None)

    def gaps(self, start: float, end: float) -> Iterator[str]:
        """Yield in words each time from ``start`` to ``end`` in which nobody had a role, and somebody could have."""
        for role in ROLES:
            reached = start
            for shift in sorted((s for s in self.shifts if s.role == role), key=lambda s: s.start):
                if shift.end <= start or shift.start >= end:
                    continue
                if shift.person is None and self._free(shift):
                    yield f"nobody was {role} from {shift.start:.2f} to {shift.end:.2f}"
                if shift.start > reached:
                    yield f"the schedule says nothing of {role} from {reached:.2f} to {shift.start:.2f}"
                reached = max(reached, shift.end)
            if reached < end:
                yield f"the schedule says nothing of {role} from {reached:.2f} to {end:.2f}"

    def nobody_left(self, role: str, start: float, end: float) -> bool:
        """Tell whether at some instant of that time nobody of a role's ring could have it."""
        gone = (s for s in self.shifts if s.role == role and s.person is None and s.start <= end and s.end >= start)
        return any(not self._free(shift) for shift in gone)

    def _free(self, gap: Shift) -> set[str]:
        """Return who of the ring was neither away then nor in a role that stands before it."""
        before = (s for s in self.shifts if s.role in ROLES[: ROLES.index(gap.role)])
        taken = {s.person for s in (*before, *self.away) if s.start < gap.end and s.end > gap.start}
        return set(RINGS[gap.role]) - taken


def always(people: Mapping[str, str]) -> Rota:
    """Return the rota in which each role is one person's for ever."""
    return Rota([Shift(role, person, float("-inf"), float("inf")) for role, person in people.items()])


def _people(shifts: Iterable[Shift], role: str, start: float, end: float) -> Iterator[str | None]:
    return (s.person for s in shifts if s.role == role and s.start <= end and s.end >= start)
