"""What a run leaves behind for the proof: what was asked, what was broken, what the rows say. Values only.

Times are seconds since 1970: those of the rows by the clock of the server that wrote them, all others by our own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from tests.faults.plans import SERVICES
from tests.faults.rota import Rota
from tests.faults.traces import Delivery, Handover, Message, Page, Sighting

SECONDS_UNTIL_FREED = 15.0
"""The server's own promise: whoever hangs within a transaction holds up the others no longer (server.postgresql)."""

# How long it takes from reading a clock to writing what it said, and back.
_MOMENT = 0.1


class Outcome(Enum):
    """What whoever asked knows of it."""

    ACCEPTED = "accepted"  # 2xx: it has to be there
    REFUSED = "refused"  # 4xx: it must not be there
    UNKNOWN = "unknown"  # neither: it may be there, whole, even much later


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request: ``kind`` is the type of the log entry that it makes, ``actor`` as in the rows.

    ``about`` is what the answer was about, or the request itself said: an id, a severity, a person.
    """

    kind: str
    key: str
    actor: str
    began: float
    ended: float
    outcome: Outcome
    status: int = 0
    about: str = ""


@dataclass(frozen=True, slots=True)
class Blow:
    """One fault. ``blocks``: no server could work meanwhile; ``skew``: by how much a clock was wrong.

    ``over`` is when it was over for the one server that it struck, where the others could go on before.
    """

    kind: str
    began: float
    ended: float
    blocks: bool = True
    skew: float = 0.0
    over: float = 0.0

    @property
    def mended(self) -> float:
        """When nothing was broken any more."""
        return max(self.ended, self.over)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of ``log_entries``."""

    id: int
    incident: str
    type: str
    at: float
    actor: str = "engine"
    channel: str = "auto"
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def people(self) -> tuple[str, ...]:
        """Whom it paged."""
        return tuple(self.data.get("assignees", ()))


@dataclass(frozen=True, slots=True)
class Incident:
    """A row of ``incidents``, with who is assigned and who acknowledged; ``step`` is how far it escalated.

    ``alone``: it was given to somebody, and follows no list.
    """

    id: str
    key: str
    severity: str
    status: str
    version: int
    pages: int
    step: int
    assigned: frozenset[str]
    acknowledged: frozenset[str]
    title: str = ""
    service: str = SERVICES[0]
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """What a stream told of one incident."""

    version: int
    status: str
    assigned: frozenset[str]
    acknowledged: frozenset[str]


@dataclass(frozen=True, slots=True)
class Client:
    """What one client of the streams knows at the end, and all it was told: for each stream what came, in order."""

    name: str
    known: Mapping[str, Seen]
    streams: Sequence[Sequence[tuple[str, Seen]]] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """All of it, looked at when it was ``ended`` and the database stood at ``version``."""

    attempts: Sequence[Attempt]
    blows: Sequence[Blow]
    entries: Sequence[Entry]
    incidents: Sequence[Incident]
    clients: Sequence[Client]
    ended: float
    version: int = 0
    rota: Rota = field(default_factory=lambda: Rota(()))
    sightings: Sequence[Sighting] = ()
    handovers: Sequence[Handover] = ()
    pages: Sequence[Page] = ()
    messages: Sequence[Message] = ()
    deliveries: Sequence[Delivery] = ()


@dataclass(frozen=True, slots=True)
class Due:
    """Something that has to happen: not before ``first``, in time at ``last``."""

    what: str
    first: float
    last: float


@dataclass(frozen=True, slots=True)
class Weather:
    """What the faults excuse."""

    blows: Sequence[Blow]

    def blocked(self, start: float, end: float) -> float:
        """Return for how many seconds between ``start`` and ``end`` no server could work."""
        return _joined([(b.began, b.ended) for b in self.blows if b.blocks], start, end)

    def stopped(self, start: float, end: float) -> float:
        """Return for how many seconds between ``start`` and ``end`` some server may have stood still."""
        return _joined([(b.began, b.mended) for b in self.blows if not b.skew], start, end)

    def wrong(self, at: float) -> float:
        """Return by how much the time ``at``, which a server wrote, may be wrong."""
        return max((abs(b.skew) for b in self.blows if b.began + b.skew - _MOMENT <= at <= b.ended + b.skew + _MOMENT),
                   default=0.0)  # fmt: skip

    def slow(self, start: float, end: float) -> float:
        """Return for how long between ``start`` and ``end`` a clock that was behind may have held up what was due."""
        behind = [b for b in self.blows if b.skew < 0 and b.began <= end and b.ended >= start]
        return max((b.ended - b.began for b in behind), default=0.0)

    def read(self, start: float, end: float) -> float:
        """Return the latest time that a clock said, which was ahead, between ``start`` and ``end``."""
        ahead = (b for b in self.blows if b.skew > 0 and b.began <= end and b.ended >= start)
        return max((min(b.ended, end) + b.skew for b in ahead), default=start)

    def skew(self, start: float, end: float) -> float:
        """Return by how much any time between ``start`` and ``end`` may be wrong."""
        furthest = max((abs(b.skew) for b in self.blows), default=0.0)
        near = (b for b in self.blows if b.began - furthest <= end and b.ended + furthest >= start)
        return max((abs(b.skew) for b in near), default=0.0)


def _joined(spans: Sequence[tuple[float, float]], start: float, end: float) -> float:
    total, upto = 0.0, start
    for began, ended in sorted(spans):
        first, last = max(began, upto), min(ended, end)
        if last > first:
            total, upto = total + last - first, last
    return total
