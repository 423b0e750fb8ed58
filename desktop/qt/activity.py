"""Notices keyboard and mouse in our own windows. GUI thread.

It watches the native windows, not the widgets in them: a filter on those would be called for every stroke of paint.
"""

from typing import cast

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QWindow
from PySide6.QtWidgets import QWidget

_USE = frozenset(
    {
        *(QEvent.Type.KeyPress, QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick),
        *(QEvent.Type.Wheel, QEvent.Type.TouchBegin, QEvent.Type.TabletPress),
    }
)


def handle_of(window: QWidget) -> QWindow | None:
    """Return the native window of ``window``, None before it was ever shown; PySide6 forgets to say that."""
    return cast("QWindow | None", window.windowHandle())


class Activity(QObject):
    """Remembers that somebody used one of the windows that it watches, until that is taken note of."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._watched: dict[QWidget, QObject] = {}
        self._used = False

    def watch(self, *windows: QWidget) -> None:
        """Watch those of ``windows`` that are on the screen; each call takes up what appeared since."""
        for window in windows:
            handle = handle_of(window)
            if handle is not None and self._watched.get(window) is not handle:
                self._watched[window] = handle
                handle.installEventFilter(self)

    def take(self) -> bool:
        """Tell whether anything was used since the last time."""
        used, self._used = self._used, False
        return used

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802, ARG002 - Qt's
        """Look at an event, and let it pass."""
        if event.type() in _USE:
            self._used = True
        return False
