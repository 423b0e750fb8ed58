"""What an incident has come to at some point of its history, and what has to happen next by itself. Pure.

A step that adds nobody new leaves no line: who is on call says whether that may have been so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.faults.evidence import Due, Entry, Weather
from tests.faults.plans import ALONE, EMERGENCY, RINGS, Plan, Step
from tests.faults.rota import Rota

TRIGGERED, ACKNOWLEDGED, RESOLVED = "triggered", "acknowledged", "resolved"
STALE = 6.0
"""How long a server may not know who is on call now, beyond what the faults excuse."""

# After an outage the emergency contacts are put off, twice at the most.
_GRACES = 600.0
_OUTAGE = 10.0
_ZONE, _OPENS, _CLOSES = ZoneInfo("Europe/Berlin"), time(9), time(17)
_FRIDAY = 4


@dataclass(slots=True)
class Course:
    """How far one incident has come; ``list`` is the severity whose list it follows, None: nobody's.

    ``quiet`` is how many steps may have been over when somebody took it, with those that added nobody.
    """

    plans: Mapping[str, Plan]
    severity: str
    rota: Rota
    weather: Weather
    margin: float
    complain: Callable[[str], None]
    list: str | None = None
    status: str = ""
    step: int = 0
    quiet: int = 0
    round: int = 0
    pages: int = 0
    exhausted: bool = False
    held: float | None = None
    since: float = 0.0
    anchor: float = 0.0
    base: tuple[float, float] = (0.0, 0.0)
    fired: tuple[float, float] | None = None
    again_at: float | None = None
    worst: float = 0.0
    worst_at: float = 0.0
    assigned: set[str] = field(default_factory=set)
    ever: set[str] = field(default_factory=set)
    paged: set[str] = field(default_factory=set)
    acknowledged: dict[str, float] = field(default_factory=dict)
    owed: set[str] = field(default_factory=set)
    last: Entry | None = None

    def __post_init__(self) -> None:
        self.list = self.severity

    @property
    def plan(self) -> Plan:
        """The list that it follows."""
        return ALONE if self.list is None else self.plans[self.list]

    def begin_again(self, at: float) -> None:
        """Count from ``at``, from the top of the list."""
        self.base, self.fired = (at, at), None
        self.step, self.quiet, self.round, self.exhausted = 0, 0, 0, False
        self.paged = set()
        self.again_at = at + self.plan.again if self.ever else None

    def due(self, now: float) -> Due | None:
        """Return what has to happen next by itself, but for paging again, as far as ``now`` tells."""
        if self.status == ACKNOWLEDGED:
            at = max([self.since, *self.acknowledged.values()]) + self.plan.timeout
            return Due("unacknowledge", at, at)
        if self.status != TRIGGERED or self.exhausted:
            return None
        if self.held is not None:
            return Due("the end of maintenance", self.held, self.held)
        return self._due_step(now) or self._due_round()

    def due_again(self) -> Due | None:
        """Return when those who were paged have to be paged again."""
        if self.status != TRIGGERED or self.again_at is None or self.held is not None:
            return None
        return Due("paging again", self.again_at, self.again_at)

    def silent(self, step: Step, start: float, end: float) -> bool:
        """Tell whether ``step`` may have added nobody at some instant of that time."""
        nobody = None in self.rota.holders(step.role, *self.around(start, end))
        may = self.may(step.role, start, end)
        return nobody or not may or not may.isdisjoint(self.paged)

    def may(self, role: str, start: float, end: float) -> frozenset[str]:
        """Return everybody whom a server may have paged as ``role`` that did something from ``start`` to ``end``.

        What lay ahead for everybody else when a clock was fast was changed since: anybody of the ring may have had it.
        """
        found = self.rota.may(role, *self.around(start, end))
        return found | frozenset(RINGS.get(role, ())) if self._wrong(start, end) else found

    def must(self, role: str, start: float, end: float) -> frozenset[str]:
        """Return who was to be paged as ``role`` by any server from ``start`` to ``end``."""
        return frozenset() if self._wrong(start, end) else self.rota.must(role, *self.around(start, end))

    def _wrong(self, start: float, end: float) -> bool:
        return max(self.weather.wrong(start), self.weather.wrong(end)) > 0

    def around(self, start: float, end: float) -> tuple[float, float]:
        """Return the time of which a server may have known, that did something from ``start`` to ``end``."""
        wrong = self.weather.skew(start - STALE, end)
        stopped = self.weather.stopped(start - 30, end)
        return start - STALE - wrong - stopped, end + self.weather.wrong(end)

    def put_off(self, due: Due, excused: float, now: float) -> float:
        """Return for how long ``due`` may wait because an outage was slept through, or a clock that was ahead said so.

        That is one by which it was late by half of the time after which those who were paged are paged again.
        """
        rest = self.plan.steps[self.step :]
        waits = due.what == "step" and any(step.role == EMERGENCY for step in rest)
        slept = excused >= _OUTAGE or self.weather.read(due.first, now) - due.first > self.plan.again / 2
        return _GRACES if waits and slept else 0.0

    def _due_step(self, now: float) -> Due | None:
        rest = self.plan.steps[self.step :]
        if not rest:
            return None
        first, last = self.base
        begins = first + rest[0].after
        begins = next_open(begins) if rest[0].business else begins
        for number, step in enumerate(rest):
            until = last + step.after
            if any(each.business for each in rest[: number + 1]):
                until = next_open(until)
            if not self.silent(step, begins, max(now, begins)):
                return Due("step", begins, until)
        return None

    def _due_round(self) -> Due:
        steps, again = self.plan.steps, self.plan.again
        first, last = self.base
        if steps:
            first, last = first + steps[-1].after, last + steps[-1].after
            # Steps that added nobody may all have been over with the first of them.
            first = min(first, self.base[0] + steps[min(self.step, len(steps) - 1)].after)
            if steps[-1].business:
                last = next_open(last)
        if self.fired is not None:
            first, last = max(first, self.fired[0]), max(last, self.fired[1])
        return Due("round", first + again, last + again)


def next_open(at: float) -> float:
    """Return ``at``, or the beginning of the next business hours: Monday to Friday, nine to five in Berlin."""
    wall = datetime.fromtimestamp(at, UTC).astimezone(_ZONE)
    if wall.weekday() <= _FRIDAY and _OPENS <= wall.time() < _CLOSES:
        return at
    day = wall.date() if wall.time() < _OPENS else wall.date() + timedelta(days=1)
    while day.weekday() > _FRIDAY:
        day += timedelta(days=1)
    return datetime.combine(day, _OPENS, _ZONE).timestamp()
