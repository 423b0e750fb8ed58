"""Who starts the application again after a crash: our supervisor, systemd, or nobody. Its own thread, which sleeps."""

import os
import threading
from collections.abc import Callable, Mapping
from enum import StrEnum

_STANDARD_INPUT = 0


class Guard(StrEnum):
    """Whoever starts the application again."""

    SUPERVISOR = "supervisor"
    SYSTEMD = "systemd"
    NOBODY = "nobody"


def guard(environment: Mapping[str, str], *, supervised: bool) -> Guard:
    """Return who guards this process; ``supervised`` says that whoever started it promised to.

    A variable of systemd's alone proves nothing: everything that a desktop starts may inherit it, from terminals to
    entries of autostart, whose units do not restart.
    """
    if not supervised:
        return Guard.NOBODY
    main = environment.get("SYSTEMD_EXEC_PID", str(os.getpid()))
    return Guard.SYSTEMD if "INVOCATION_ID" in environment and main == str(os.getpid()) else Guard.SUPERVISOR


def watch_supervisor(lost: Callable[[], None]) -> None:
    """Call ``lost`` on another thread when the supervisor, which holds the other end of our standard input, is gone."""

    def wait() -> None:
        try:
            while os.read(_STANDARD_INPUT, 4096):
                continue
        except OSError:
            return
        lost()

    threading.Thread(target=wait, name="watchbell-guard", daemon=True).start()
