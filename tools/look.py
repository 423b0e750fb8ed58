"""Renders every window and state to PNG files, light and dark, at 100 % and 200 %: ``tools/look.py FOLDER``."""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main(argv: list[str]) -> int:
    """Render into the folder named by ``argv``; each scale needs a process of its own."""
    if len(argv) != 2:
        print("usage: tools/look.py FOLDER", file=sys.stderr)
        return 2
    folder = Path(argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for scale in ("1", "2"):
        environment = {**os.environ, "QT_SCALE_FACTOR": scale}
        environment.setdefault("QT_QPA_PLATFORM", "offscreen")
        command = [sys.executable, "-m", "tools.look_shots", str(folder), scale]
        subprocess.run(command, env=environment, cwd=Path(__file__).resolve().parent.parent, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
