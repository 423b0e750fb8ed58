"""The commands that put Watchbell on the screen."""

import os
import socket
import sys
from argparse import Namespace

from desktop.cli import crash_notice, output
from desktop.domain.errors import InputError
from desktop.system.guard import guard
from desktop.system.instance import bring_to_front
from desktop.system.paths import user_paths
from desktop.system.program import child_command, child_environment
from desktop.system.supervising import supervising
from desktop.system.supervisor import Supervisor


def run(options: Namespace) -> int:
    """Bring the application to the front where it runs already, else run it under a supervisor."""
    if options.supervised:
        return _run_application()
    paths = user_paths()
    if bring_to_front(paths, os.environ):
        output.line("Watchbell is running already: its status window is in front.")
        return 0
    require_screen()
    arguments = ["--verbose"] if options.verbose else []
    command = child_command(*arguments, "--supervised")
    with supervising(paths):
        return Supervisor(command, child_environment(), _has_screen, crash_notice.tell).run()


def _run_application() -> int:
    require_screen()
    from desktop.app import run as run_application  # noqa: PLC0415 - Qt takes long to load

    return run_application(guard(os.environ, supervised=True))


def _has_screen() -> bool:
    try:
        require_screen()
    except InputError:
        return False
    return True


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
    if os.environ.get("WAYLAND_DISPLAY"):
        return
    if not _answers(os.environ["DISPLAY"]):
        raise InputError(f"the screen {os.environ['DISPLAY'][:40]} does not answer: start it within a desktop session")


def _answers(display: str) -> bool:
    """Tell whether a local X server listens at ``display``; one of another machine is left to Qt."""
    number = display.removeprefix(":").partition(".")[0]
    if not display.startswith(":") or not number.isdigit():
        return True
    path = f"/tmp/.X11-unix/X{number}"  # noqa: S108 - where X servers listen
    for address in (path, f"\0{path}"):
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(address)
            except OSError:
                continue
            return True
    return False
