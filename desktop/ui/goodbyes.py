"""Pages that just went away, kept for a few seconds so that the screen can say who took them. Pure."""

from dataclasses import replace
from datetime import datetime, timedelta

from desktop.domain.attention import Attention, Page
from desktop.ui.drain import key_of
from desktop.ui.page_view import Gone, Key

STAY = timedelta(seconds=6)


class Goodbyes:
    """Follows the pages from one update to the next."""

    def __init__(self) -> None:
        self._gone: dict[Key, Gone] = {}

    def follow(self, before: tuple[Page, ...], after: Attention, now: datetime) -> None:
        """Note which pages of ``before`` are missing ``after``, and what became of those that went away."""
        present = {key_of(p) for p in after.pages}
        settled = {key_of(p): p.incident for p in after.settled}
        for page in before:
            if (key := key_of(page)) not in present:
                self._gone[key] = Gone(page, None, now)
        self._gone = {
            key: replace(gone, latest=settled.get(key, gone.latest))
            for key, gone in self._gone.items()
            if key not in present
        }

    def expire(self, now: datetime) -> None:
        """Forget what was shown long enough."""
        self._gone = {k: g for k, g in self._gone.items() if now - g.since < STAY}

    def all(self) -> list[Gone]:
        """Return those remembered, the latest first."""
        return sorted(self._gone.values(), key=lambda g: g.since, reverse=True)

    def latest(self) -> Gone | None:
        """Return the one that went last."""
        return next(iter(self.all()), None)
