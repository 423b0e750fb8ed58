"""Starting at login, switched in the window and the menu, and read back from the system. GUI thread.

The system is read and written in a short-lived thread: a home folder may be slow, and the screen never waits.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QObject, Slot

from desktop.app.surfaces import Surfaces
from desktop.domain.errors import WatchbellError
from desktop.qt.bridge import Bridge
from desktop.system import settings as settings_file
from desktop.system.autostart import Autostart, autostart
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
        self._work(lambda _way: None)

    @Slot(bool)
    def _switch(self, on: bool) -> None:
        def change(way: Autostart) -> None:
            if on:
                way.switch_on(login_command())
            else:
                way.switch_off()
            settings_file.change(self._paths.settings, lambda known: replace(known, autostart=on))

        self._work(change)

    def _work(self, change: Callable[[Autostart], None]) -> None:
        threading.Thread(target=self._run, args=(change,), name="watchbell-autostart", daemon=True).start()

    def _run(self, change: Callable[[Autostart], None]) -> None:
        with self._lock:
            on, trouble = None, None
            try:
                way = autostart(os.environ, systemd=settings_file.load(self._paths.settings).systemd)
                on = _is_on(way)
                change(way)
                on = _is_on(way)
            except WatchbellError as e:
                trouble = f"Starting at login could not be switched: {e.message}"
            self._bridge.call(lambda: self._show(on, trouble))

    def _show(self, on: bool | None, trouble: str | None) -> None:
        self._surfaces.status.set_autostart(on)
        self._surfaces.presenter.set_autostart(on)
        self._surfaces.status.set_notice(NOTICE, trouble, "OK" if trouble else "")


def _is_on(way: Autostart) -> bool:
    entry = way.read()
    return entry is not None and entry.on
