"""Makes the application's icon in every size: ``tools/make_icons.py [FOLDER]``. Needs no screen."""

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtGui import QGuiApplication

from desktop.domain.attention import Tray
from desktop.ui.icons import WINDOW_SIZES, paint

FOLDER = Path(__file__).resolve().parent.parent / "resources" / "icons"


def main(folder: Path) -> None:
    """Write ``watchbell-SIZE.png`` for every size: the bell of a calm watch."""
    application = QGuiApplication([])
    folder.mkdir(parents=True, exist_ok=True)
    for size in WINDOW_SIZES:
        paint(Tray.CALM, size).save(str(folder / f"watchbell-{size}.png"))
    application.quit()


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
