"""The windows as they come on screen and go, each with its time; a thread of its own reads the X server's events."""

import re
import threading
from dataclasses import dataclass
from typing import Self

from tests.desktop.inbox import Inbox
from tests.desktop.x11 import DESTROYED, MAPPED, SUBSTRUCTURE, UNMAPPED, Display


@dataclass(frozen=True)
class Shown:
    """A window that came on screen: `frame` is the window manager's around it, `at` is of time.monotonic()."""

    window: int
    frame: int
    title: str
    wm_class: str
    at: float


@dataclass(frozen=True)
class Gone:
    """A frame that left the screen; `at` is of time.monotonic()."""

    frame: int
    at: float


class MapEvents:
    """Watches from the beginning of the `with` block to its end."""

    def __init__(self, number: int) -> None:
        self._display = Display(number)
        self._shown: Inbox[Shown] = Inbox()
        self._gone: Inbox[Gone] = Inbox()
        self._thread = threading.Thread(target=self._read, name="desktop-map-events", daemon=True)

    def __enter__(self) -> Self:
        self._display.listen(self._display.root, SUBSTRUCTURE)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._display.stop()
        self._thread.join()
        self._display.__exit__()

    def wait(self, title: str, seconds: float = 10) -> Shown:
        """Return the next window that came on screen with this title (a regular expression)."""
        return self._shown.wait(lambda shown: bool(re.search(title, shown.title)), seconds, f"a window {title!r}")

    def wait_gone(self, shown: Shown, seconds: float = 10) -> float:
        """Return when that window left the screen, in seconds of time.monotonic()."""
        what = f"the end of window {shown.title!r}"
        return self._gone.wait(lambda gone: gone.frame == shown.frame, seconds, what).at

    def pending(self) -> list[Shown]:
        """Return the windows that came and were not awaited."""
        return self._shown.pending()

    def _read(self) -> None:
        try:
            while event := self._display.next_event():
                if event.kind == MAPPED:
                    self._shown.put(self._describe(event.window, event.at))
                elif event.kind in {UNMAPPED, DESTROYED}:
                    self._gone.put(Gone(event.window, event.at))
        except ConnectionError:
            return  # stopped, or the session ended

    def _describe(self, frame: int, at: float) -> Shown:
        # A window manager's frame has no WM_CLASS; the program's window inside it has.
        windows = ((window, self._display.wm_class(window)) for window in self._display.inside(frame))
        window, wm_class = next((found for found in windows if found[1]), (frame, ""))
        return Shown(window, frame, self._display.title(window), wm_class, at)
