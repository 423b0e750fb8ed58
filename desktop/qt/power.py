"""Hears from the system that the machine goes to sleep and wakes up: logind, over the system bus. GUI thread.

Elsewhere, and where there is no logind, a jump of the wall clock tells (``desktop.sync.ticker``).
"""

import logging
import sys
from typing import Any

from PySide6.QtCore import SLOT, QObject, Signal, Slot
from PySide6.QtDBus import QDBusConnection

log = logging.getLogger(__name__)

SERVICE = "org.freedesktop.login1"
PATH = "/org/freedesktop/login1"
INTERFACE = "org.freedesktop.login1.Manager"
MEMBER = "PrepareForSleep"


class Power(QObject):
    """Emits ``sleeping`` and ``woke``, as the system says them (org.freedesktop.login1(5), PrepareForSleep)."""

    sleeping = Signal()
    woke = Signal()

    def __init__(self, parent: QObject | None = None, bus: QDBusConnection | None = None) -> None:
        super().__init__(parent)
        self._bus = bus

    def start(self) -> bool:
        """Listen; False where there is nobody to listen to."""
        if self._bus is None:
            if sys.platform != "linux":
                return False
            self._bus = QDBusConnection.systemBus()
        # PySide6 6.11's stub says bytes for the slot, and its code refuses them.
        slot: Any = SLOT("prepare(bool)")
        heard = self._bus.isConnected() and self._bus.connect(SERVICE, PATH, INTERFACE, MEMBER, self, slot)
        if not heard:
            log.info("nobody says when this machine sleeps: only the clock tells")
        return heard

    @Slot(bool)
    def prepare(self, asleep: bool) -> None:
        """Take what logind says."""
        (self.sleeping if asleep else self.woke).emit()
