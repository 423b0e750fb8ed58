"""The commands that put Watchbell on the screen."""

import os
import sys
from argparse import Namespace

from desktop.domain.errors import InputError


def run(_options: Namespace) -> int:
    """Start the tray application."""
    require_screen()
    from desktop.app import run as run_application  # noqa: PLC0415 - Qt takes long to load

    return run_application()


def demo(_options: Namespace) -> int:
    """Start the tray application on a throw-away team."""
    require_screen()
    from desktop.app import run_demo  # noqa: PLC0415 - as above

    return run_demo()


def require_screen() -> None:
    """Raise InputError where there is plainly no screen: Qt would abort the whole process."""
    if not sys.platform.startswith("linux") or os.environ.get("QT_QPA_PLATFORM"):
        return
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        raise InputError(
            "there is no screen here: neither DISPLAY nor WAYLAND_DISPLAY is set. "
            "Start it within a desktop session; without one, 'xvfb-run' gives a virtual screen"
        )
