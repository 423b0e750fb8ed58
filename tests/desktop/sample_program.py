"""A small program with a window and a tray icon, on which the tests of the session try it out. Its own process."""

import sys

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPixmap
from PySide6.QtWidgets import QApplication, QPushButton, QSystemTrayIcon


def tell(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    application = QApplication(sys.argv)
    button = QPushButton("Press")
    button.setWindowTitle("Sample program")
    button.resize(200, 100)
    button.clicked.connect(lambda: tell("clicked"))
    button.setShortcut(Qt.Key.Key_F5)
    picture = QPixmap(32, 32)
    picture.fill(QColor("red"))
    icon = QSystemTrayIcon(picture)
    icon.activated.connect(lambda reason: tell(f"activated {reason.name}"))
    if "--tray" in sys.argv:
        icon.show()
    button.show()
    tell("shown")
    return application.exec()


raise SystemExit(main())
