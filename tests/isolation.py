"""What a test must not touch, and what it must not leave behind; main thread of the test process."""

import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDERS = {
    "HOME": ".",
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "XDG_STATE_HOME": "state",
    "XDG_CACHE_HOME": "cache",
    "XDG_RUNTIME_DIR": "run",
}
"""The environment variables that say where a person's files are, each with a folder below a test's own home."""

UNREACHABLE = {
    "QT_QPA_PLATFORM": "offscreen",
    "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",  # for processes that a test starts
    "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent/bus",
    "PULSE_SERVER": "unix:/nonexistent/pulse",  # named, so that libpulse does not start a server of its own
}
"""The desktop of whoever runs the tests, put out of reach."""

HIDDEN = ("DISPLAY", "WAYLAND_DISPLAY", "WATCHBELL_URL", "WATCHBELL_TOKEN", "XDG_DATA_DIRS", "XDG_CONFIG_DIRS")
"""Environment variables that no test may see unless it sets them."""

SHARED = frozenset({"watchbell-deadlines"})
"""Threads of the whole process, which end by themselves some time after their last use."""

GRACE = 2.0
"""How long, in seconds, a thread that is ending may still take."""


def home_environment(home: Path) -> dict[str, str]:
    """Make a person's folders below `home` and return the variables that name them."""
    places = {name: home / folder for name, folder in FOLDERS.items()}
    for place in places.values():
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {name: str(place) for name, place in places.items()}


@contextmanager
def nothing_left_behind() -> Iterator[None]:
    """Fail with what the block started and did not end: threads of ours, and windows still on screen."""
    before = set(threading.enumerate())
    yield
    left = [thread.name for thread in ended_late(set(threading.enumerate()) - before)]
    assert not left, f"threads left behind: {', '.join(sorted(left))}"
    windows = visible_windows()
    assert not windows, f"windows left behind: {', '.join(windows)}"


def ended_late(threads: Iterable[threading.Thread]) -> Iterator[threading.Thread]:
    """Yield the threads that keep a process alive, or are Watchbell's, and do not end within the grace."""
    for thread in threads:
        if thread.daemon and (thread.name in SHARED or not thread.name.startswith("watchbell-")):
            continue
        thread.join(GRACE)
        if thread.is_alive():
            yield thread


def visible_windows() -> list[str]:
    """Name the windows that are on screen; none where Qt was never loaded."""
    if "PySide6.QtWidgets" not in sys.modules:
        return []
    from PySide6.QtWidgets import QApplication  # noqa: PLC0415 - Qt is loaded only by tests that use it

    if QApplication.instance() is None:
        return []
    return [f"{type(w).__name__} {w.windowTitle()!r}" for w in QApplication.topLevelWidgets() if w.isVisible()]
