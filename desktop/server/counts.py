"""What is counted while the server runs, for ``/metrics`` and for its audit of itself. Any thread; in memory only.

Plain numbers under a lock: counting must cost nothing where triggers come in. ``metrics`` puts them into words.
"""

import math
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

# In seconds. A step is on time within a quarter of a second, and overdue after five.
LATENESS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)
COMMITS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

EVENTS = (
    *((action, "accepted") for action in ("trigger", "acknowledge", "resolve")),
    ("unknown", "refused"),
    ("trigger", "flooded"),
)
"""What can become of events: action and result."""
_KINDS = ("alertmanager", "grafana", "datadog", "generic")
SENDERS = ("/v2/enqueue", *(f"/watchbell/v1/ingest/{kind}" for kind in _KINDS))
"""Where senders post."""
ANSWERS = (202, 400, 401, 429, 500, 503)
"""What they can be answered there."""


@dataclass(frozen=True, slots=True)
class Running:
    """What a server is doing: ``ticks`` of its engine, the last ``age`` seconds ago; open ``streams``; schedule gaps.

    ``gaps`` is how many times each role will have nobody.
    """

    ticks: int = 0
    age: float = math.inf
    streams: int = 0
    gaps: Mapping[str, int] = field(default_factory=dict)


class Tally:
    """How often each of several things happened, each named by its labels."""

    def __init__(self, known: Iterable[tuple[object, ...]] = ()) -> None:
        # Told as 0 before it happened: of a series that begins with its first 1, Prometheus sees no increase.
        self._counts: Counter[tuple[object, ...]] = Counter(dict.fromkeys(known, 0))
        self._lock = threading.Lock()

    def add(self, name: tuple[object, ...], many: int = 1) -> None:
        """Count ``name``."""
        with self._lock:
            self._counts[name] += many

    def read(self) -> dict[tuple[object, ...], int]:
        """Return all counts."""
        with self._lock:
            return dict(self._counts)


class Spread:
    """How often something took how long, in seconds: a histogram with ``bounds``, and the longest of late."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0
        self._longest = 0.0
        self._lock = threading.Lock()

    def add(self, seconds: float) -> None:
        """Count one."""
        place = bisect_left(self.bounds, seconds)
        with self._lock:
            self._counts[place] += 1
            self._sum += seconds
            self._longest = max(self._longest, seconds)

    def read(self) -> tuple[list[int], float]:
        """Return how many there were up to each bound, and in all; and their sum."""
        with self._lock:
            counts, total = list(self._counts), self._sum
        return [sum(counts[: place + 1]) for place in range(len(counts))], total

    def longest(self) -> float:
        """Return the longest since this was asked last, 0 when there was none."""
        with self._lock:
            found, self._longest = self._longest, 0.0
        return found


class Counts:
    """Everything that one server counts.

    ``triggers`` (and other events) by what they asked for and became, ``requests`` by method, route and status;
    ``lateness`` of escalations.
    """

    def __init__(self) -> None:
        self.triggers = Tally(EVENTS)
        self.requests = Tally(("POST", path, status) for path in SENDERS for status in ANSWERS)
        self.lateness = Spread(LATENESS)

    def late(self, now: datetime, due: Iterable[datetime | None]) -> None:
        """Count what is worked off ``now`` of what was, or will be, ``due``."""
        for at in due:
            if at is not None and at <= now:
                self.lateness.add((now - at).total_seconds())
