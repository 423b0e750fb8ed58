"""The system tray, where there is one. A thin adapter: what it shows, others decide. GUI thread."""

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

# At login the panel may come up after us (facts: ActivityWatch, qTox, Nagstamon): look often at first, then seldom.
_EARLY_MS, _EARLY_LOOKS, _LATE_MS = 1_000, 60, 15_000
# Once there is one it stays, and looking costs eight wakeups of threads, ours and QtDBus's.
_THERE_MS = 60_000


class Tray(QObject):
    """An icon with tooltip and menu. ``available`` follows whether this desktop has a tray at all.

    ``isVisible`` of Qt is no help: it is true without any tray. Where panels open the menu on a click,
    ``activated`` may never come.
    """

    activated = Signal()
    message_clicked = Signal()
    available_changed = Signal(bool)

    def __init__(self, menu: QMenu, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._available = QSystemTrayIcon.isSystemTrayAvailable()
        self._looks = 0
        self._icon = QSystemTrayIcon(self)
        # Some panels never open a menu that was empty when the icon appeared.
        self._icon.setContextMenu(menu)
        self._icon.activated.connect(self._activated)
        self._icon.messageClicked.connect(self.message_clicked)
        self._watch = QTimer(self)
        self._watch.timeout.connect(self._look)

    def start(self, icon: QIcon, tooltip: str) -> None:
        """Show the icon now, or as soon as a tray appears. The menu has been filled by now."""
        self._icon.setIcon(icon)
        self._icon.setToolTip(tooltip)
        self._icon.show()
        self._watch.setInterval(self._pause())
        self._watch.start()

    def stop(self) -> None:
        """Take the icon away."""
        self._watch.stop()
        self._icon.hide()

    @property
    def available(self) -> bool:
        """Whether this desktop has a tray, as last seen."""
        return self._available

    def set_icon(self, icon: QIcon) -> None:
        """Show ``icon``."""
        self._icon.setIcon(icon)

    def set_tooltip(self, text: str) -> None:
        """Say ``text`` on hover; some desktops read markup in it, so none may be in there."""
        self._icon.setToolTip(text)

    def show_message(self, title: str, text: str) -> bool:
        """Show a message balloon; False where that is impossible. Nobody learns whether it was seen."""
        if not self._available or not QSystemTrayIcon.supportsMessages():
            return False
        self._icon.showMessage(title, text, self._icon.icon(), 10_000)
        return True

    @Slot(QSystemTrayIcon.ActivationReason)
    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason in {QSystemTrayIcon.ActivationReason.Trigger, QSystemTrayIcon.ActivationReason.DoubleClick}:
            self.activated.emit()

    @Slot()
    def _look(self) -> None:
        self._looks += 1
        available = QSystemTrayIcon.isSystemTrayAvailable()
        if available != self._available:
            self._available = available
            if available:
                # Shown before there was a tray, some panels only notice it when shown anew.
                self._icon.hide()
                self._icon.show()
            self.available_changed.emit(available)
        self._watch.setInterval(self._pause())

    def _pause(self) -> int:
        """Return how many milliseconds to wait until the next look."""
        if self._available:
            return _THERE_MS
        return _EARLY_MS if self._looks < _EARLY_LOOKS else _LATE_MS
