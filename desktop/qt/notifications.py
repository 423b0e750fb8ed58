"""Tells a person about a page outside our own windows: an ordered chain whose last link cannot fail. GUI thread."""

import sys
from collections.abc import Callable
from threading import Thread
from typing import Protocol

from PySide6.QtCore import QObject, Signal, Slot

from desktop.domain.attention import Page
from desktop.domain.severity import Severity
from desktop.domain.text import plain
from desktop.qt.dbus_notifications import DBusLink, Note

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
        note = note_of(page)
        if self._dbus is not None:
            self._dbus.show(note)
        else:
            self._try_fallback(note)

    def withdraw(self, connection: str, incident_id: str) -> None:
        """Take the notification about a page back."""
        if self._dbus is not None:
            self._dbus.withdraw((connection, incident_id))

    def close(self) -> None:
        """End the worker thread."""
        self._closed = True
        if self._dbus is not None:
            self._dbus.close()

    @Slot(object, bool, str)
    def _dbus_answered(self, note: Note, shown: bool, why: str) -> None:
        self._why = why
        if shown:
            self._done(note, "desktop notification")
        else:
            self._try_fallback(note)

    def _try_fallback(self, note: Note) -> None:
        send = self._fallback
        if send is None or self._closed:
            self._fallback_answered(note, False)
            return
        # Short-lived: the desktop's own tool is started, and may hang for as long as it likes.
        work = Thread(target=self._send, args=(send, note), name="notify-fallback", daemon=True)
        work.start()

    def _send(self, send: SendBlocking, note: Note) -> None:
        shown = send(note.headline.partition(":")[0], note.text)
        if not self._closed:
            self._sent.emit(note, shown)

    @Slot(object, bool)
    def _fallback_answered(self, note: Note, shown: bool) -> None:
        if shown:
            self._done(note, "desktop notification")
        elif self._tray.show_message(note.headline, note.text):
            self._done(note, "tray message")
        else:
            self._done(note, "pop-up only")

    def _done(self, note: Note, link: str) -> None:
        self.state = f"{link} ({self._why})" if self._why else link
        self.delivered.emit(note.key, link)

    @Slot(object)
    def _pressed(self, key: tuple[str, str]) -> None:
        self.acknowledge.emit(*key)
