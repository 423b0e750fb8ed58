"""The application's windows without its sound, tray and bus, whose threads would outlive a test. GUI thread."""

from typing import cast

from PySide6.QtCore import QObject

from desktop.app.surfaces import Surfaces
from desktop.ui.status_window import StatusWindow
from desktop.ui.theme import Theme
from desktop.ui.token_dialog import TokenDialog
from desktop.ui.tray_menu import TrayPresenter


class Notes:
    """A notifier that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, str]] = []

    def tell(self, key: str, title: str, text: str) -> None:
        """Note it."""
        self.told.append((key, title, text))


class Screens(QObject):
    """What ``Surfaces`` is to those who only write on windows."""

    def __init__(self) -> None:
        super().__init__()
        self.theme = Theme()
        self.status = StatusWindow(self.theme)
        self.token_dialog = TokenDialog(self.theme)
        self.presenter = TrayPresenter(self)
        self.notifier = Notes()

    def open_status(self) -> None:
        """Bring the status window to the front."""
        self.status.show()
        self.status.raise_()
        self.status.activateWindow()

    def bring_up(self, token: str) -> None:
        """Bring it to the front for a second start."""
        self.open_status()

    def stop(self) -> None:
        """Take everything away."""
        for window in (self.status, self.token_dialog):
            window.close()
            window.deleteLater()
        self.deleteLater()


def screens() -> Surfaces:
    """Return windows that can stand in for all surfaces."""
    return cast("Surfaces", Screens())
