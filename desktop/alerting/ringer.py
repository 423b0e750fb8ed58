"""Turns what the rules decided into sound and notifications. Called on the GUI thread; never blocks.

Nothing is decided here: ``domain.attention`` says what should be heard and ``telling`` what is notified, this only sees
to it that it is, once for each page and each time that the backend pages again.
"""

from datetime import datetime
from typing import Protocol

from desktop.alerting.telling import Told, tell
from desktop.domain.attention import CHIME_EVERY, Attention, Page, Sound
from desktop.domain.severity import Severity


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

    def summarise(self, more: tuple[Page, ...], *, news: bool) -> None:
        """Tell that there are ``more`` pages, the most urgent first; take that back when there are none.

        Without ``news`` this only corrects what is on screen.
        """


class Ringer:
    """Keeps sound and notifications in step with an ``Attention``."""

    def __init__(self, player: Player, notifier: Notifier) -> None:
        self._player = player
        self._notifier = notifier
        self._playing: Sound | None = None
        self._chimed_at: datetime | None = None
        self._told = Told()

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
        before = self._told
        telling = tell(before, attention.pages)
        self._told = telling.told
        for gone in telling.withdraw:
            self._notifier.withdraw(*gone)
        for page in telling.notify:
            self._notifier.notify(page)
        if telling.news or _said(telling.more) != _said(before.more):
            self._notifier.summarise(telling.more, news=telling.news)
        return telling.any_news

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


def _said(more: tuple[Page, ...]) -> tuple[int, Severity | None]:
    """Return what a summary says: how many, and how bad the worst is."""
    return len(more), more[0].incident.severity if more else None
