"""How full the countdown ring is: what is left of the interval since the escalation was last set. Pure."""

from dataclasses import dataclass
from datetime import datetime

from desktop.domain.attention import Page


def key_of(page: Page) -> tuple[str, str]:
    """Return what a page is known by across updates."""
    return page.connection, page.incident.id


@dataclass(frozen=True, slots=True)
class Interval:
    """From when the escalation was set until it comes, in server time."""

    start: datetime
    end: datetime


class Drain:
    """Remembers for each page when its next escalation was set."""

    def __init__(self) -> None:
        self._intervals: dict[tuple[str, str], Interval] = {}

    def follow(self, pages: tuple[Page, ...], now: datetime) -> None:
        """Take the present pages; ``now`` is local. Pages that are gone are forgotten."""
        before, self._intervals = self._intervals, {}
        for page in pages:
            end = page.incident.escalates_at
            if end is None:
                continue
            key = key_of(page)
            known = before.get(key)
            if known is not None and known.end == end:
                self._intervals[key] = known
                continue
            # At first sight nobody can know when it was set: the incident's birth is the fullest honest guess.
            start = now + page.offset if known is not None else page.incident.created_at
            self._intervals[key] = Interval(start, end)

    def fraction(self, page: Page, now: datetime) -> float:
        """Return 1.0 for just set to 0.0 for due or nothing pending; ``now`` is local."""
        interval = self._intervals.get(key_of(page))
        if interval is None:
            return 0.0
        whole = (interval.end - interval.start).total_seconds()
        left = (interval.end - (now + page.offset)).total_seconds()
        return min(max(left / whole, 0.0), 1.0) if whole > 0 else 0.0
