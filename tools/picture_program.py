"""The demonstration, light or dark whatever the system says: ``tools/picture_program.py light|dark``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from desktop.app import run_demo

WALLPAPERS = {"light": ("#c9d3e3", "#8f9db6"), "dark": ("#2b3347", "#10131b")}


class Wallpaper(QWidget):
    """Lies below everything, where a session without a desktop is black."""

    def __init__(self, scheme: str) -> None:
        super().__init__(None, Qt.WindowType.X11BypassWindowManagerHint)
        self._colours = WALLPAPERS[scheme]
        self.setGeometry(QApplication.primaryScreen().geometry())

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 - Qt's name
        """Paint a gradient."""
        gradient = QLinearGradient(0, 0, 0, self.height())
        for place, colour in enumerate(self._colours):
            gradient.setColorAt(place, QColor(colour))
        QPainter(self).fillRect(self.rect(), gradient)


def main(argv: list[str]) -> int:
    """Run it until it is asked to end."""
    application = QApplication(argv[:1])
    if argv[1] == "dark":
        # A bare X session has no colour scheme to ask for: the palette is what tells there.
        application.setPalette(QPalette(QColor("#2b313d"), QColor("#191d25")))
    wallpaper = Wallpaper(argv[1])
    wallpaper.show()
    wallpaper.lower()
    return run_demo()


if __name__ == "__main__":
    sys.exit(main(sys.argv))
