"""When a machine woke up, though two tell of it: the wall clock that jumped, and the system's word. Pure.

They come together, in either order, and the one waking is to be found once: each causes everything to be fetched anew.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

MISSING = timedelta(seconds=40)
"""Ticks that did not come for this long were not late: no machine that was awake waits longer than 15 s for one."""


@dataclass(frozen=True, slots=True)
class Gap:
    """A time in which nobody watched, ``since`` then ``until`` now (local clock); both are now when it was set back."""

    since: datetime
    until: datetime


class Waking:
    """Follows the ticks, and what the system says. Every time is given."""

    def __init__(self) -> None:
        self._ticked: datetime | None = None
        self._asleep: datetime | None = None
        self._found: datetime | None = None

    def tick(self, now: datetime, *, jumped: bool) -> Gap | None:
        """Note a tick at ``now``; return the gap before it when the clock ``jumped`` and nobody told of that yet."""
        before, self._ticked = self._ticked, now
        if not jumped:
            return None
        known = self._found is not None and before is not None and before < self._found <= now
        return None if known else self._find(before, now)

    def looked(self, now: datetime) -> Gap | None:
        """Note that somebody looks at ``now``; return the gap when ticks did not come and nobody told of that yet.

        What is decided between waking up and the next tick would take the night for a time in which nobody answered.
        """
        if self._ticked is None or now - self._ticked <= MISSING:
            return None
        known = self._found is not None and self._ticked < self._found <= now
        return None if known else self._find(self._ticked, now)

    def sleeping(self, now: datetime) -> None:
        """Note that the machine goes to sleep."""
        self._asleep = now

    def woke(self, now: datetime) -> Gap | None:
        """Note that it woke up; return the gap unless the clock told of it already."""
        since, self._asleep = self._asleep or self._ticked, None
        known = self._found is not None and since is not None and since <= self._found <= now
        return None if known else self._find(since, now)

    def _find(self, since: datetime | None, now: datetime) -> Gap:
        self._found = now
        return Gap(now if since is None or since > now else since, now)
