"""A pager process from outside: start it, do something at it, kill it, and wait for what it shows. Any thread."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

from desktop.backends.pagerduty.client import Patience
from tests.faults.pager import process
from tests.faults.pager.clocks import Clocks
from tests.faults.pager.process import DONE, SHORT, Backend
from tests.faults.pager.views import View

ENOUGH = 30.0

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.faults.pager.process"])


def new_clocks() -> Clocks:
    """Return clocks that show the real time, and can be shared with pagers."""
    return Clocks(_context)


class Pager:
    """One process at a time on ``folder``; ``views`` keeps what each showed, None where one ended.

    ``clocks`` are what it has the time from, the real one without them; ``patience`` is how long answers may take.
    """

    def __init__(
        self, folder: Path, backends: tuple[Backend, ...], clocks: Clocks | None = None, patience: Patience = SHORT
    ) -> None:
        self.views: list[View | None] = []
        self._clocks = clocks or new_clocks()
        self._folder, self._backends, self._patience = folder, backends, patience
        self._changed = threading.Condition()
        self.start()

    def start(self) -> None:
        """Start it, as a launcher or a supervisor does."""
        self._asked = self._did = 0
        self._pipe, far = _context.Pipe()
        arguments = (far, self._folder, self._backends, self._clocks, self._patience)
        self._process = _context.Process(target=process.run, args=arguments, daemon=True)
        self._process.start()
        far.close()
        self._reader = threading.Thread(target=self._read, args=(self._pipe,), daemon=True)
        self._reader.start()

    def kill(self) -> None:
        """Kill it with -9."""
        self._process.kill()
        self._ended()

    def quit(self) -> None:
        """End it as a person does."""
        self.do("quit")
        self._process.join(ENOUGH)
        assert self._process.exitcode == 0, f"it ended with {self._process.exitcode}"
        self._ended()

    def stop(self) -> None:
        """Stop it as a machine that goes to sleep does."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def do(self, what: str, *arguments: object) -> None:
        """Do something at it; returns at once."""
        self._asked += 1
        self._pipe.send((what, arguments))

    def done(self) -> None:
        """Wait until it has done all that it was told."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._did == self._asked, ENOUGH), "it does nothing any more"

    def mark(self) -> int:
        """Return a place in what was shown, for ``until``."""
        with self._changed:
            return len(self.views)

    @property
    def newest(self) -> View | None:
        """What is shown now; None while it has shown nothing since its start."""
        with self._changed:
            return self.views[-1] if self.views else None

    def until(self, which: Callable[[View], bool], said: str, timeout: float = ENOUGH) -> View:
        """Wait until what it shows is so, and return that."""

        def found() -> bool:
            return bool(self.views) and self.views[-1] is not None and which(self.views[-1])

        with self._changed:
            assert self._changed.wait_for(found, timeout), f"{said}: {self.views[-3:]}"
            return cast("View", self.views[-1])

    def _ended(self) -> None:
        self._process.join(ENOUGH)
        self._reader.join(ENOUGH)
        self._pipe.close()

    def _signal(self, number: int) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def _read(self, pipe: Connection) -> None:
        try:
            while True:
                said = pipe.recv()
                if said != DONE:
                    self._note(said)
                    continue
                with self._changed:
                    self._did += 1
                    self._changed.notify_all()
        except (EOFError, OSError):
            self._note(None)

    def _note(self, shown: View | None) -> None:
        with self._changed:
            self.views.append(shown)
            self._changed.notify_all()
