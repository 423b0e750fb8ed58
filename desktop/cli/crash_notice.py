"""Tells a person that the application crashes again and again: ``python -m desktop.cli.crash_notice``.

A process of its own, in which Qt, which may be what crashes, is not loaded; the supervisor that starts it stays small.
"""

import subprocess
import sys
import threading
from contextlib import suppress

from desktop.system.program import child_environment

HEADLINE = "Watchbell keeps crashing"
TEXT = (
    "Nobody watches for pages now. It is started again every few seconds; if it does not stay, "
    'run "watchbell doctor" in a terminal, and let somebody else take the watch.'
)
# Seconds. A desktop's own tool that hangs is ended.
_PATIENCE = 20.0


def tell() -> None:
    """Have a process tell it; returns at once."""

    def work() -> None:
        command = [sys.executable, "-m", "desktop.cli.crash_notice"]
        # Whatever goes wrong there: the next start of the application matters more.
        with suppress(OSError, subprocess.SubprocessError):
            subprocess.run(  # noqa: S603 - our own program, every argument ours
                command, env=child_environment(), stdin=subprocess.DEVNULL, timeout=_PATIENCE, check=False
            )

    threading.Thread(target=work, name="watchbell-crash-notice", daemon=True).start()


def main() -> None:
    """Tell it in the desktop's own way, else in the second one."""
    from desktop.qt.notification_session import Note, NotificationSession  # noqa: PLC0415 - not for the supervisor
    from desktop.system import notify_plyer  # noqa: PLC0415 - as above

    session = NotificationSession(lambda _key: None)
    try:
        if session.show(Note(("", "crashes"), HEADLINE, TEXT, button=False)):
            notify_plyer.say(HEADLINE, TEXT)
    finally:
        session.end()


if __name__ == "__main__":
    main()
