"""Takes the pictures in ``docs/``: the demonstration on a real X session, light and dark. ``tools/pictures.py``."""

import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.desktop.session import Session, start_session

# The lower right corner: the pop-up above the panel with the tray.
WIDTH, HEIGHT = 520, 300


def main() -> int:
    """Write ``docs/popup-light.png`` and ``docs/popup-dark.png``."""
    with start_session() as session:
        for scheme in ("light", "dark"):
            take(session, scheme, ROOT / "docs" / f"popup-{scheme}.png")
    return 0


def take(session: Session, scheme: str, path: Path) -> None:
    """Take one picture once the page is on screen and the bell rings."""
    with (
        tempfile.TemporaryDirectory() as folder,
        session.map_events() as maps,
        session.listen() as ear,
        session.python("tools/picture_program.py", scheme, env=session.new_home()),
    ):
        maps.wait("^Watchbell: page", 30)
        ear.wait_for_sound()
        session.await_tray_icons(1)
        # A ring that has begun to drain says what it is.
        time.sleep(4)
        with Image.open(session.screenshot(Path(folder) / "screen.png")) as screen:
            right, bottom = screen.size
            screen.crop((right - WIDTH, bottom - HEIGHT, right, bottom)).save(path, optimize=True)


if __name__ == "__main__":
    sys.exit(main())
