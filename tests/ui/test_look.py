"""The pictures that people look at can be made, at 200 % too."""

import os
import subprocess
import sys
from pathlib import Path

from PySide6.QtGui import QImage

from desktop.ui.frame import SHADOW, WIDTH

ROOT = Path(__file__).resolve().parent.parent.parent


def test_every_surface_is_drawn_at_double_density(tmp_path: Path) -> None:
    environment = {**os.environ, "QT_SCALE_FACTOR": "2", "QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-m", "tools.look_shots", str(tmp_path), "2"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    assert not [line for line in done.stderr.splitlines() if "This plugin does not support" not in line]
    names = {path.name for path in tmp_path.glob("*.png")}
    for scheme in ("light", "dark"):
        for surface in ("popup-sev0", "popup-several", "popup-lost", "popup-gone", "status-calm", "status-lost"):
            assert f"{surface}-{scheme}-2x.png" in names
    image = QImage(str(tmp_path / "popup-sev0-light-2x.png"))
    assert image.devicePixelRatio() in {1.0, 2.0}
    assert image.width() >= 2 * (WIDTH + 2 * SHADOW)
    corner = image.pixelColor(2 * SHADOW + 1, 2 * SHADOW + 1)
    assert corner.alpha() < 255
    assert image.pixelColor(image.width() // 2, 2 * SHADOW + 12).name() == "#ffffff"
