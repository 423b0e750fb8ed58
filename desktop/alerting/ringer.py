"""Turns what the rules decided into sound and notifications. Called on the GUI thread; never blocks.

Nothing is decided here: ``domain.attention`` says what should be heard, this only sees to it that it is, once for each
page and each time that the backend pages again.
"""

from datetime import datetime
from typing import Protocol

from desktop.domain.attention import CHIME_EVERY, Attention, Page, Sound

PageKey = tuple[str, str]


class Player(Protocol):
    """What makes a sound."""

    def play(self, sound: Sound, loop: bool) -> None:
        """Start ``sound``, instead of what is playing; ``loop`` plays it until ``stop``."""

    def stop(self) -> None:
        """Be silent."""


class Notifier(Protocol):
    """What tells a person outside our own windows."""

    def notify(self, page: Page) -> None:
        """Show ``page``, or show it anew."""

    def withdraw(self, connection: str, incident_id: str) -> None:
        """Take it back: it demands nobody any more."""


class Ringer:
    """Keeps sound and notifications in step with an ``Attention``."""

    def __init__(self, player: Player, notifier: Notifier) -> None:
        self._player = player
        self._notifier = notifier
        self._playing: Sound | None = None
        self._chimed_at: datetime | None = None
        # How often each page that is shown had been paged when it was last told.
        self._told: dict[PageKey, int] = {}

    def update(self, attention: Attention, now: datetime) -> None:
        """Make what is heard and notified agree with ``attention``."""
        news = self._notify(attention)
        if attention.sound is None or attention.loop:
            self._chimed_at = None
            self._keep_playing(attention.sound)
        else:
            self._chime(attention.sound, now, news=news)

    def _notify(self, attention: Attention) -> bool:
        """Tell what is new or paged again; return whether there was any."""
        current = {_key(p): p for p in attention.pages}
        for gone in self._told.keys() - current.keys():
            del self._told[gone]
            self._notifier.withdraw(*gone)
        news = [p for key, p in current.items() if self._told.get(key) != p.incident.pages]
        for page in news:
            self._told[_key(page)] = page.incident.pages
            self._notifier.notify(page)
        return bool(news)

    def _keep_playing(self, sound: Sound | None) -> None:
        if sound is self._playing:
            return
        self._playing = sound
        if sound is None:
            self._player.stop()
        else:
            self._player.play(sound, True)

    def _chime(self, sound: Sound, now: datetime, *, news: bool) -> None:
        """Play ``sound`` once for news, and again every ten minutes."""
        self._keep_playing(None)
        if news or self._chimed_at is None or now - self._chimed_at >= CHIME_EVERY:
            self._chimed_at = now
            self._player.play(sound, False)


def _key(page: Page) -> PageKey:
    return page.connection, page.incident.id
