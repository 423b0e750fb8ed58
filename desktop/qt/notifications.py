"""Tells a person about a page outside our own windows: an ordered chain whose last link cannot fail. GUI thread."""

import sys
from collections.abc import Callable
from threading import Thread
from typing import Protocol

from PySide6.QtCore import QObject, Signal, Slot

from desktop.domain.attention import Page
from desktop.domain.severity import Severity
from desktop.domain.text import plain
from desktop.qt.dbus_notifications import DBusLink
from desktop.qt.notification_session import Note, unmarked

# The key of the one notification that stands for many pages; no connection has an empty name.
MORE = ("", "more")
# A tool that hangs keeps its thread: beyond these, the tray is told at once.
_FALLBACKS = 4

# Blocks in a worker thread; returns whether the headline and the text can be relied upon to have been shown.
SendBlocking = Callable[[str, str], bool]


class Messenger(Protocol):
    """The tray, as far as the chain needs it."""

    def show_message(self, title: str, text: str) -> bool:
        """Show a balloon; False where that is impossible."""


def note_of(page: Page) -> Note:
    """Return what a notification says about ``page``."""
    incident = page.incident
    service = plain(incident.service, 60)
    headline = f"{incident.severity.label} {incident.severity.word}"
    return Note(
        key=(page.connection, incident.id),
        headline=f"{headline}: {service}" if service else headline,
        text=plain(incident.title, 300) or "(no title)",
        critical=incident.severity <= Severity.SEV1,
    )


def note_of_more(more: tuple[Page, ...], *, news: bool) -> Note:
    """Return what a notification says about ``more`` pages, at least one, the most urgent first."""
    worst = more[0].incident.severity
    return Note(
        key=MORE,
        headline=f"{len(more)} more page{'s' if len(more) > 1 else ''}",
        text=f"The most urgent: {worst.label} {worst.word}",
        critical=worst <= Severity.SEV1,
        button=False,
        news=news,
    )


class Notifications(QObject):
    """D-Bus with a button, then ``fallback`` (plyer), then the tray's balloon, then the pop-up, which is always shown.

    ``acknowledge`` carries connection and incident id. ``delivered`` carries the key and the name of the link that
    showed it; ``state`` is the last such name and why the links before it could not.
    """

    acknowledge = Signal(str, str)
    delivered = Signal(object, str)

    _sent = Signal(object, bool)

    def __init__(self, tray: Messenger, parent: QObject | None = None, *, fallback: SendBlocking | None = None) -> None:
        super().__init__(parent)
        self._tray, self._fallback = tray, fallback
        self._closed = False
        self._sending = 0
        self._why = ""
        self.state = "not used yet"
        self._dbus: DBusLink | None = None
        if sys.platform == "linux":
            self._dbus = DBusLink(self)
            self._dbus.answered.connect(self._dbus_answered)
            self._dbus.acknowledge.connect(self._pressed)
        self._sent.connect(self._fallback_answered)

    def notify(self, page: Page) -> None:
        """Tell about ``page``, or tell anew; returns at once."""
        self._tell(note_of(page))

    def withdraw(self, connection: str, incident_id: str) -> None:
        """Take the notification about a page back."""
        if self._dbus is not None:
            self._dbus.withdraw((connection, incident_id))

    def summarise(self, more: tuple[Page, ...], *, news: bool) -> None:
        """Tell in one notification that there are ``more`` pages; take it back when there are none."""
        if more:
            self._tell(note_of_more(more, news=news))
        else:
            self.withdraw(*MORE)

    def tell(self, about: str, headline: str, text: str) -> None:
        """Tell something that is no page, once; ``about`` names it, and a later one of that name replaces it."""
        self._tell(Note(key=("", about), headline=headline, text=plain(text, 300), critical=False, button=False))

    def close(self) -> None:
        """Take our notifications back and end the worker thread; waits less than a second."""
        self._closed = True
        if self._dbus is not None:
            self._dbus.close()

    def _tell(self, note: Note) -> None:
        if self._dbus is not None:
            self._dbus.show(note)
        else:
            self._try_fallback(note)

    @Slot(object, bool, str)
    def _dbus_answered(self, note: Note, shown: bool, why: str) -> None:
        self._why = why
        if shown:
            self._done(note, "desktop notification")
        else:
            self._try_fallback(note)

    def _try_fallback(self, note: Note) -> None:
        if not note.news:
            # Here nothing can be corrected, only said once more.
            return
        send = self._fallback
        # Without replacing, a count that grows would be told again at every step; the tray's balloon replaces itself.
        if send is None or self._closed or note.key == MORE or self._sending == _FALLBACKS:
            self._to_tray(note)
            return
        self._sending += 1
        # Short-lived: the desktop's own tool is started, and may hang for as long as it likes.
        work = Thread(target=self._send, args=(send, note), name="notify-fallback", daemon=True)
        work.start()

    def _send(self, send: SendBlocking, note: Note) -> None:
        shown = send(note.headline.partition(":")[0], note.text)
        if not self._closed:
            self._sent.emit(note, shown)

    @Slot(object, bool)
    def _fallback_answered(self, note: Note, shown: bool) -> None:
        self._sending -= 1
        if shown:
            self._done(note, "desktop notification")
        else:
            self._to_tray(note)

    def _to_tray(self, note: Note) -> None:
        # Who draws the balloon, and whether that one reads markup, differs from desktop to desktop.
        shown = self._tray.show_message(unmarked(note.headline), unmarked(note.text))
        self._done(note, "tray message" if shown else "pop-up only")

    def _done(self, note: Note, link: str) -> None:
        self.state = f"{link} ({self._why})" if self._why else link
        self.delivered.emit(note.key, link)

    @Slot(object)
    def _pressed(self, key: tuple[str, str]) -> None:
        self.acknowledge.emit(*key)
