"""Starting at login, switched in the window and the menu, and read back from the system. GUI thread.

The system is read and written in a short-lived thread: a home folder may be slow, and the screen never waits.
"""

import os
import threading
from dataclasses import replace

from PySide6.QtCore import QObject, Slot

from desktop.app.surfaces import Surfaces
from desktop.domain.errors import WatchbellError
from desktop.qt.bridge import Bridge
from desktop.system import settings as settings_file
from desktop.system.autostart import autostart
from desktop.system.paths import Paths
from desktop.system.program import login_command

NOTICE = "autostart"


class LoginStart(QObject):
    """Keeps what window and menu show in step with what the system does at login."""

    def __init__(self, paths: Paths, surfaces: Surfaces, bridge: Bridge) -> None:
        super().__init__(surfaces)
        self._paths = paths
        self._surfaces = surfaces
        self._bridge = bridge
        self._lock = threading.Lock()
        for surface in (surfaces.status, surfaces.presenter):
            surface.autostart.connect(self._switch)
        surfaces.status.opened.connect(self.look)
        surfaces.presenter.menu.aboutToShow.connect(self.look)

    @Slot()
    def look(self) -> None:
        """Read what the system has: somebody may have changed it."""
        self._work(None)

    @Slot(bool)
    def _switch(self, on: bool) -> None:
        self._work(on)

    def _work(self, wanted: bool | None) -> None:
        threading.Thread(target=self._run, args=(wanted,), name="watchbell-autostart", daemon=True).start()

    def _run(self, wanted: bool | None) -> None:
        with self._lock:
            trouble = None if wanted is None else self._switched(wanted)
            # In whichever way: for that, no settings are needed.
            entry = autostart(os.environ, systemd=False).read()
            on = entry is not None and entry.on
        self._bridge.call(lambda: self._show(on, trouble))

    def _switched(self, on: bool) -> str:
        """Switch it, and return why that failed; empty when it did not."""
        try:
            way = autostart(os.environ, systemd=settings_file.load(self._paths.settings).systemd)
            if on:
                way.switch_on(login_command())
            else:
                way.switch_off()
            settings_file.change(self._paths.settings, lambda known: replace(known, autostart=on))
        except WatchbellError as e:
            return f"Starting at login could not be switched: {e.message}"
        return ""

    def _show(self, on: bool, trouble: str | None) -> None:
        """Show what the system has, and what became of switching it; None: nobody did, so what was said stays."""
        self._surfaces.status.set_autostart(on)
        self._surfaces.presenter.set_autostart(on)
        if trouble is not None:
            self._surfaces.status.set_notice(NOTICE, trouble or None, "OK" if trouble else "")
