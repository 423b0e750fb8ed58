"""A screen without windows: what the application would show and play goes to whoever wants to know. GUI thread."""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import cast

from PySide6.QtCore import QObject, Signal

from desktop.alerting.confirming import Seen
from desktop.app.surfaces import Surfaces
from desktop.domain.attention import Attention, ConnectionState, Contact, Sound
from tests.faults.pager.views import View, view


class Window(QObject):
    """What has buttons: the pop-up, the menu, the status window, the notifications."""

    acknowledge = Signal(str, str)
    mute = Signal(int)
    open_link = Signal(str)
    try_now = Signal(str)
    silence = Signal()
    test_page = Signal()
    notice_pressed = Signal(str)

    def set_notice(self, key: str, text: str | None, button: str = "") -> None:
        """Show nothing: what is looked at here is no text."""

    def notify(self, page: object) -> None:
        """Show nothing."""

    def withdraw(self, connection: str, incident_id: str) -> None:
        """Take nothing back."""

    def summarise(self, more: tuple[object, ...], *, news: bool) -> None:
        """Show nothing."""

    def tell(self, key: str, title: str, text: str) -> None:
        """Show nothing."""


class Dialog(QObject):
    """The dialog that asks for a token; nobody answers it."""

    given = Signal(str, str)
    later = Signal(str)
    connection = ""

    def ask(self, connection: str, name: str, reason: str) -> None:
        """Be open for a connection."""
        self.connection = connection

    def withdraw(self, connection: str) -> None:
        """Be closed."""
        if connection == self.connection:
            self.connection = ""


class Loudspeaker:
    """Knows what it would play."""

    def __init__(self) -> None:
        self.playing: Sound | None = None

    def play(self, sound: Sound, loop: bool) -> None:
        """Play until stopped, or once, which is over at once."""
        self.playing = sound if loop else None

    def stop(self) -> None:
        """Be silent."""
        self.playing = None


class Screen(QObject):
    """What ``Surfaces`` is to the application; ``told`` gets each view that differs from the one before."""

    def __init__(self, told: Callable[[View], None]) -> None:
        super().__init__()
        self._told = told
        self._last: View | None = None
        self._decided: tuple[Attention, tuple[ConnectionState, ...]] | None = None
        # When each backend had been heard before this pager began, and which were since.
        self._before: dict[str, datetime | None] = {}
        self._heard: frozenset[str] = frozenset()
        self.popup, self.presenter, self.status, self.notifier = Window(), Window(), Window(), Window()
        self.token_dialog = Dialog()
        self.sounder = Loudspeaker()

    def start(self) -> None:
        """There is nothing to put on the screen."""

    def stop(self) -> None:
        """There is nothing to take away."""

    def show(self, decided: Attention, states: tuple[ConnectionState, ...], now: datetime) -> None:
        """Note what is decided; what is heard of it follows."""
        self._decided = decided, states
        for state in states:
            before = self._before.setdefault(state.id, state.heard_at)
            if state.contact is Contact.LIVE or state.heard_at != before:
                self._heard |= {state.id}

    def seen(self) -> Seen:
        """Tell what is shown and played now: nobody looks, a page that pops up is displayed."""
        if self._decided is not None:
            now = time.clock_gettime(time.CLOCK_MONOTONIC)
            new = view(*self._decided, self._heard, self.sounder.playing, now)
            if self._last is None or replace(new, at=0) != replace(self._last, at=0):
                self._last = new
                self._told(new)
        return Seen(shown=1, heard=self.sounder.playing is not None, used=False)

    def open_status(self) -> None:
        """There is no window."""

    def bring_up(self, token: str) -> None:
        """There is no window."""


def screen(told: Callable[[View], None]) -> Surfaces:
    """Return what can stand in for all surfaces."""
    return cast("Surfaces", Screen(told))
