"""How much is taken from one sender: requests of a token, new incidents of an integration key. Any thread.

Counted in memory, by each server for itself: a limit that is not exact costs nothing, one row more for each request
would. What is over a limit is refused and said, with when to come again; nothing is dropped silently.
"""

import math
import threading
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

REQUESTS = 960
"""Requests of a token in a minute, as with PagerDuty."""

NEW_INCIDENTS = 1_000
"""New incidents by one integration key in a minute; events of incidents that are known are not counted."""

GUESSES = 30
"""Links that nobody issued, asked for from one address in a minute."""

REFUSALS = 30
"""Refused alerts that are logged of one address in a minute; all are counted."""

_SECONDS = 60.0
_MANY = 1_000

Monotonic = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Used:
    """What became of one request: ``allowed``, how many are left, in how many seconds all are again."""

    allowed: bool
    limit: int
    remaining: int
    reset: int


@dataclass(slots=True)
class _Window:
    began: float
    count: int = 0
    keys: set[str] = field(default_factory=set)
    admitted: weakref.ref[object] | None = None
    told: bool = False


class _Windows:
    """A window of a minute for each name, which begins with its first request."""

    def __init__(self, clock: Monotonic) -> None:
        self._clock = clock
        self._windows: dict[str, _Window] = {}

    def of(self, name: str) -> tuple[_Window, int]:
        """Return the present window of ``name``, and the whole seconds until it ends."""
        now = self._clock()
        found = self._windows.get(name)
        if found is None or now - found.began >= _SECONDS:
            if len(self._windows) >= _MANY:
                self._windows = {n: w for n, w in self._windows.items() if now - w.began < _SECONDS}
            found = self._windows[name] = _Window(now)
        return found, max(1, math.ceil(found.began + _SECONDS - now))


class Requests:
    """Counts the requests of each token, or of each address."""

    def __init__(self, limit: int = REQUESTS, clock: Monotonic = time.monotonic) -> None:
        self._limit = limit
        self._windows = _Windows(clock)
        self._lock = threading.Lock()

    def take(self, name: str) -> Used:
        """Count one request of ``name`` (the digest of a token, an address); those refused are not counted."""
        with self._lock:
            window, reset = self._windows.of(name)
            allowed = window.count < self._limit
            window.count += allowed
            return Used(allowed, self._limit, self._limit - window.count, reset)


class Flooded(Exception):
    """More new incidents than are taken by one key: come again in ``retry_after`` seconds.

    ``first``: nobody was told of this flood yet; ``noted`` says that somebody was.
    """

    def __init__(self, service: str, limit: int, retry_after: int, *, first: bool, noted: Callable[[], None]) -> None:
        super().__init__(f"more than {limit} new incidents in a minute")
        self.noted = noted
        self.service = service
        self.limit = limit
        self.retry_after = retry_after
        self.first = first


class Floods:
    """Counts the new incidents of each integration key."""

    def __init__(self, limit: int = NEW_INCIDENTS, clock: Monotonic = time.monotonic) -> None:
        self._limit = limit
        self._windows = _Windows(clock)
        self._lock = threading.Lock()

    def admit(self, key: str, service: str, dedup_key: str, run: object) -> None:
        """Count a new incident of ``dedup_key`` before it is made; raise Flooded when there were enough of ``key``.

        ``run`` is the attempt within which it is made. One that began below the limit is let through as a whole, else
        a request that holds more alerts than are left could never be taken. Counted anew in another attempt, the same
        incident counts once.
        """
        with self._lock:
            window, reset = self._windows.of(key)
            admitted = window.admitted is not None and window.admitted() is run
            if len(window.keys) >= self._limit and dedup_key not in window.keys and not admitted:
                noted = partial(setattr, window, "told", True)
                raise Flooded(service, self._limit, reset, first=not window.told, noted=noted)
            window.keys.add(dedup_key)
            # Not its id, which the next attempt may be given again.
            window.admitted = weakref.ref(run)


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits of one server."""

    requests: Requests = field(default_factory=Requests)
    floods: Floods = field(default_factory=Floods)
    guesses: Requests = field(default_factory=lambda: Requests(GUESSES))
    refusals: Requests = field(default_factory=lambda: Requests(REFUSALS))
