"""An application that runs, as a command sees it: a socket that answers, or does not. Its own thread."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from desktop.domain.second_start import WATCH
from desktop.system import instance
from desktop.system.paths import Paths


class Running:
    """Listens where the application of ``paths`` does; ``line`` is its answer to who asks what it watches.

    None takes the word for none that it knows. ``dumb`` says nothing at all, ``dripping`` one byte every moment.
    """

    def __init__(self, paths: Paths, line: bytes | None, *, dumb: bool = False, dripping: bool = False) -> None:
        self.line, self._dumb, self._dripping = line, dumb, dripping
        self._where = instance.address(paths)
        self._stopping = threading.Event()
        instance.prepare(self._where)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self._where)
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        """End it, and take its socket away."""
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        Path(self._where).unlink()
        instance.clear(self._where)

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                with caller, suppress(OSError):
                    self._answer(caller)

    def _answer(self, caller: socket.socket) -> None:
        if self._dumb:
            self._stopping.wait()
        elif caller.recv(256) == WATCH and self.line is not None:
            while self._dripping and not self._stopping.wait(0.01):
                caller.sendall(b" ")
            caller.sendall(self.line)


@contextmanager
def running(paths: Paths, line: bytes | None, *, dumb: bool = False, dripping: bool = False) -> Iterator[Running]:
    """Let it run for as long as the block lasts."""
    made = Running(paths, line, dumb=dumb, dripping=dripping)
    try:
        yield made
    finally:
        made.stop()
