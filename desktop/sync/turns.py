"""Which of the clicks that wait is sent now: each incident's in order, and none behind another that hangs. Pure.

``now`` is of a monotonic clock, in seconds. A click that was given a moment ago is tried at once, whatever else fails;
what failed is tried again after a pause, in turn, and one by one where the backend cannot be reached: a dead network is
no reason to ask more often.
"""

from collections.abc import Sequence

from desktop.domain.errors import BackendError, Unreachable, WatchbellError
from desktop.sync.backoff import Backoff
from desktop.sync.commands import Key, Waiting

# So many clicks of one connection may be on the network at once; one place is kept for what was given a moment ago.
AT_ONCE = 4


class Turns:
    """What is under way, and when what failed is tried again. One thread."""

    def __init__(self, backoff: Backoff) -> None:
        self._backoff = backoff
        self._new: set[Key] = set()
        # What is under way, and whether it was tried before.
        self._under_way: dict[Key, bool] = {}
        self._last_tried: dict[Key, int] = {}
        self._tries = 0
        self._again_at = 0.0
        self._unreachable = False

    @property
    def any_under_way(self) -> bool:
        """Whether an answer is awaited."""
        return bool(self._under_way)

    def given(self, key: Key) -> None:
        """Note that a person clicked just now."""
        self._new.add(key)

    def begin(self, waiting: Sequence[Waiting], now: float) -> list[Waiting]:
        """Return what of ``waiting``, the earliest first, is to be sent now, and note that it is under way."""
        first = self._first_of_each(waiting)
        chosen = [w for w in first if w.key in self._new][: self._room]
        if now >= self._again_at:
            others = sorted((w for w in first if w.key not in self._new), key=lambda w: self._last_tried.get(w.key, 0))
            chosen += others[: max(0, min(self._room - len(chosen), self._room_again))]
        for each in chosen:
            self._tries += 1
            self._last_tried[each.key] = self._tries
            self._under_way[each.key] = each.key not in self._new
            self._new.discard(each.key)
        return chosen

    def wait(self, waiting: Sequence[Waiting], now: float) -> float | None:
        """Return in how many seconds more can begin; None where only an answer, or a click, changes that."""
        if not self._first_of_each(waiting) or min(self._room, self._room_again) <= 0:
            return None
        return max(0.0, self._again_at - now)

    def answered(self, key: Key) -> None:
        """Note a definite answer."""
        self._under_way.pop(key, None)
        self._last_tried.pop(key, None)
        if self._unreachable:
            # It can be reached: nothing else has to wait for that any more.
            self._unreachable, self._again_at = False, 0.0
        self._backoff.reset()

    def failed(self, key: Key, error: Exception, now: float) -> None:
        """Note that there was none."""
        self._under_way.pop(key, None)
        mine = not isinstance(error, WatchbellError)
        self._unreachable = not mine and (not isinstance(error, BackendError) or isinstance(error, Unreachable))
        retry_after = error.retry_after if isinstance(error, WatchbellError) else None
        self._again_at = max(self._again_at, now + self._backoff.next(retry_after))

    @property
    def _room(self) -> int:
        return AT_ONCE - len(self._under_way)

    @property
    def _room_again(self) -> int:
        return (1 if self._unreachable else AT_ONCE - 1) - sum(self._under_way.values())

    def _first_of_each(self, waiting: Sequence[Waiting]) -> list[Waiting]:
        """Return the earliest of each incident that has none under way."""
        seen = {incident for incident, _ in self._under_way}
        first = []
        for each in waiting:
            if each.incident not in seen:
                seen.add(each.incident)
                first.append(each)
        return first
