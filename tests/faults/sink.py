"""Where messages go: a web server that often takes them, and sometimes fails, hangs or hangs up. Threads of its own."""

import json
import re
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Self

from tests.faults.traces import Delivery

_KINDS = {
    "page": re.compile(r"\[SEV-\d\] "),
    "stand_down": re.compile("Stand down: "),
    "overdue": re.compile("Overdue: "),
}
_RESET = struct.pack("ii", 1, 0)
_HANGS = (0.2, 1.5)
# How often each happens: taken, two refusals for a while, hung up before and after taking it, late.
_WEIGHTS = (80, 5, 3, 4, 4, 4)


class Sink:
    """Keeps what reached it, with what it answered; once ``kind``, it takes everything at once."""

    def __init__(self, dice: Random) -> None:
        self.kind = False
        self._dice = dice
        self._lock = threading.Lock()
        self._seen: list[Delivery] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="sink")
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def seen(self) -> list[Delivery]:
        """Return what has reached it up to now."""
        with self._lock:
            return list(self._seen)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        sink = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
                return

            def do_POST(self) -> None:
                began = time.time()
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = sink._answer(self)
                kind, title = _split(str(said["title"]))
                with sink._lock:
                    sink._seen.append(Delivery(self.path.strip("/"), kind, title, began, time.time(), status))

        return Handler

    def _answer(self, handler: BaseHTTPRequestHandler) -> int:
        """Answer, or do not; return the status, 0 for none."""
        with self._lock:
            mood = 0 if self.kind else self._dice.choices(range(len(_WEIGHTS)), _WEIGHTS)[0]
            late = self._dice.uniform(*_HANGS)
        if mood in (3, 4):
            # To whoever sent it, both look the same: it may have been taken.
            time.sleep(late if mood == 4 else 0)
            _hang_up(handler)
            return 0
        if mood == 5:
            time.sleep(late)
        status = {1: 503, 2: 429}.get(mood, 200)
        return status if _say(handler, status) else 0


def _say(handler: BaseHTTPRequestHandler, status: int) -> bool:
    try:
        handler.send_response(status)
        if status == 429:
            handler.send_header("Retry-After", "1")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
    except OSError:
        # Whoever asked is gone: a server that was killed.
        handler.close_connection = True
        return False
    return True


def _hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    handler.connection.close()


def _split(title: str) -> tuple[str, str]:
    """Return what kind of message has this title, and the title of the incident in it."""
    for kind, begins in _KINDS.items():
        if found := begins.match(title):
            return kind, title[found.end() :]
    return "text", title
