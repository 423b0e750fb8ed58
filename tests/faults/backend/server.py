"""A real HTTP server in front of an account, which misbehaves as it is told. Threads of its own."""

import contextlib
import os
import queue
import select
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.faults.backend.account import Account, encode
from tests.faults.backend.speaking import Answer, Request, answer

STREAM = "/watchbell/v1/stream"
HEARTBEAT = 0.05
# Shorter than what a check takes for the moment of a click.
_GLANCE, _HALF_ASKED = 0.002, 0.1
Misbehave = Callable[["Exchange"], None]


@dataclass
class Fault:
    """Something that is broken for the requests that it is about, until it is lifted or was met often enough."""

    misbehave: Misbehave
    path: str
    method: str
    left: int | None
    met: threading.Event = field(default_factory=threading.Event)
    lifted: threading.Event = field(default_factory=threading.Event)

    def concerns(self, request: Request) -> bool:
        """Tell whether it is about a request, and count that."""
        if self.lifted.is_set() or self.left == 0:
            return False
        if (self.method and request.method != self.method) or not request.path.startswith(self.path):
            return False
        self.left = None if self.left is None else self.left - 1
        return True


class Exchange:
    """One request that is misbehaved to, and what can be done about it."""

    def __init__(self, server: "FaultyServer", handler: BaseHTTPRequestHandler, request: Request, fault: Fault) -> None:
        self.server, self.request = server, request
        self._handler, self._fault = handler, fault

    def answer(self) -> Answer:
        """Do what was asked for, and return the right answer; nothing is sent yet."""
        return answer(self.server.account, self.request)

    def send(self, said: Answer) -> None:
        """Send an answer in order."""
        _send(self._handler, said)

    def raw(self, content: bytes) -> None:
        """Send bytes, whatever they are."""
        self._handler.wfile.write(content)
        self._handler.wfile.flush()

    def hold(self) -> None:
        """Say nothing more, and keep the socket, until the fault is lifted."""
        self.wait(None)
        self.close()

    def wait(self, seconds: float | None) -> bool:
        """Wait; tell whether that is over since the fault was lifted."""
        self.server.doing(False)
        return self._fault.lifted.wait(seconds)

    def close(self) -> None:
        """Use the connection no more."""
        self._handler.close_connection = True

    def reset(self) -> None:
        """Break the connection off (RST)."""
        connection = self._handler.connection
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Only so is it closed at once: others hold it, too.
        os.close(connection.detach())
        self.close()

    def follow(self) -> None:
        """Serve the stream as it should be."""
        self.server.follow(self._handler)


class FaultyServer:
    """Serves ``account`` on loopback; ``asked`` keeps every request. TLS with ``tls``."""

    def __init__(self, account: Account | None = None, tls: ssl.SSLContext | None = None) -> None:
        self.account = account or Account()
        self.asked: list[Request] = []
        self._frozen = threading.Event()
        self._tls = tls
        self._faults: list[Fault] = []
        self._sockets: set[socket.socket] = set()
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._listener: ThreadingHTTPServer | None = None
        self.port = 0
        self.most_at_once = 0
        self._under_way: set[socket.socket] = set()
        self._doing: set[int] = set()
        self.accept()
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"

    @contextmanager
    def broken(
        self, misbehave: Misbehave, path: str = "/", method: str = "", times: int | None = None
    ) -> Iterator[Fault]:
        """Misbehave to the requests below ``path``, the next ``times``, until the block ends."""
        fault = Fault(misbehave, path, method, times)
        with self._changed:
            self._faults.append(fault)
        try:
            yield fault
        finally:
            fault.lifted.set()
            with self._changed:
                self._faults.remove(fault)

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Do not listen until the block ends."""
        self.refuse()
        try:
            yield
        finally:
            self.accept()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Say nothing on any stream, and keep them open, until the block ends."""
        self._frozen.set()
        try:
            yield
        finally:
            self._frozen.clear()

    def accept(self) -> None:
        """Listen, on the port of last time."""
        self._listener = _Listener(("127.0.0.1", self.port), _handler(self))
        self.port = self._listener.server_port
        if self._tls is not None:
            self._listener.socket = self._tls.wrap_socket(self._listener.socket, server_side=True)
        run = self._listener.serve_forever
        threading.Thread(target=run, kwargs={"poll_interval": 0.01}, name="faulty-backend", daemon=True).start()

    def refuse(self) -> None:
        """Listen no more, and break every connection off."""
        if self._listener is not None:
            self._listener.shutdown()
            self._listener.server_close()
            self._listener = None
        self.cut()

    def cut(self) -> None:
        """Break every connection off."""
        with self._changed:
            for open_one in tuple(self._sockets):
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(open_one, socket.SHUT_RDWR)

    def stop(self) -> None:
        """End everything."""
        self._stopping.set()
        for fault in tuple(self._faults):
            fault.lifted.set()
        self.refuse()

    def count(self, path: str, method: str = "GET") -> int:
        """Return how many requests for exactly ``path`` there were."""
        return sum(r.path == path and r.method == method for r in tuple(self.asked))

    def await_asked(self, path: str, times: int, method: str = "GET", timeout: float = 20) -> None:
        """Wait until there were ``times`` requests for exactly ``path``."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.count(path, method) >= times, timeout), self.asked[-20:]

    def drain(self) -> None:
        """Wait until all is done that clients asked for and that nothing holds up; they must not ask any more.

        Who was stopped in the middle of asking is waited for only for a moment.
        """
        quiet, deadline = 0, time.monotonic() + _HALF_ASKED
        while quiet < 2 and time.monotonic() < deadline:
            time.sleep(_GLANCE)
            quiet = 0 if self._owes() else quiet + 1

    def _owes(self) -> bool:
        with self._changed:
            knocking = select.poll()
            if self._listener is not None:
                knocking.register(self._listener.socket, select.POLLIN)
            return bool(self._doing or knocking.poll(0)) or any(map(_unread, self._sockets))

    def doing(self, something: bool) -> None:
        """Note that a request begins to be read and done, or that it is done, or held up by a fault."""
        with self._changed:
            (self._doing.add if something else self._doing.discard)(threading.get_ident())

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request, rightly or not; ``most_at_once`` counts how many were under way beside streams."""
        counted = not handler.path.startswith(STREAM)
        with self._changed:
            if counted:
                self._under_way.add(handler.connection)
            # Whoever hung up waits for nothing, though the answer to it may not be written yet.
            self.most_at_once = max(self.most_at_once, sum(not _hung_up(c) for c in self._under_way))
        try:
            self._serve(handler)
        finally:
            with self._changed:
                self._under_way.discard(handler.connection)

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        token = handler.headers.get("Authorization", "").removeprefix("Token token=")
        request = Request(handler.command, handler.path, token, handler.rfile.read(length), time.monotonic())
        self.account.asked(request.method, request.path)
        with self._changed:
            self.asked.append(request)
            fault = next((f for f in self._faults if f.concerns(request)), None)
            self._changed.notify_all()
        if fault is not None:
            fault.met.set()
            fault.misbehave(Exchange(self, handler, request, fault))
        elif request.path == STREAM and self.account.ours and request.token == self.account.token:
            self.doing(False)
            self.follow(handler)
        else:
            _send(handler, answer(self.account, request))

    def follow(self, handler: BaseHTTPRequestHandler) -> None:
        """Serve the stream until one side ends it; ``frozen`` keeps it open and says nothing."""
        news: queue.Queue[bytes | None] = queue.Queue()
        with self.account.lock:
            first = encode("snapshot", self.account.snapshot(), self.account.version)
            self.account.streams.append(news)
        try:
            _head(handler, Answer(headers={"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"}))
            _chunk(handler, first)
            while not self._stopping.is_set():
                with contextlib.suppress(queue.Empty):
                    said = news.get(timeout=HEARTBEAT) if not self._frozen.is_set() else _nothing()
                    if said is None:
                        return
                    while self._frozen.is_set() and not self._stopping.wait(HEARTBEAT):
                        pass
                    _chunk(handler, said)
                    continue
                if not self._frozen.is_set():
                    _chunk(handler, b": heartbeat\n\n")
        finally:
            handler.close_connection = True
            with self.account.lock:
                self.account.streams.remove(news)

    def opened(self, connection: socket.socket) -> None:
        """Note a connection."""
        with self._changed:
            self._sockets.add(connection)

    def ended(self, connection: socket.socket) -> None:
        """Forget a connection."""
        with self._changed:
            self._sockets.discard(connection)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients hang up here, that is what it is for."""


def _handler(server: FaultyServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body go out one by one, which Nagle's algorithm would hold up.
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            server.opened(self.connection)

        def finish(self) -> None:
            server.ended(self.connection)
            with contextlib.suppress(OSError, ValueError):
                super().finish()

        def handle_one_request(self) -> None:
            with contextlib.suppress(OSError, ValueError):
                # Through TLS it cannot be looked at.
                self.connection.recv(1, socket.MSG_PEEK)
            server.doing(True)
            try:
                super().handle_one_request()
            finally:
                server.doing(False)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            return

        def _serve(self) -> None:
            with contextlib.suppress(OSError, ValueError):
                server.serve(self)
                return
            self.close_connection = True

        do_GET = do_PUT = do_POST = _serve  # noqa: N815 - its names there

    return Handler


def _unread(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) != b""
    except (OSError, ValueError):
        return False


def _hung_up(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except (BlockingIOError, ValueError):
        # Through TLS it cannot be told.
        return False
    except OSError:
        return True


def _head(handler: BaseHTTPRequestHandler, said: Answer) -> None:
    handler.send_response_only(said.status)
    for name, value in said.headers.items():
        handler.send_header(name, value)
    handler.end_headers()


def _send(handler: BaseHTTPRequestHandler, said: Answer) -> None:
    _head(handler, Answer(said.status, b"", {**said.headers, "Content-Length": str(len(said.body))}))
    handler.wfile.write(said.body)


def _chunk(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    handler.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
    handler.wfile.flush()


def _nothing() -> bytes:
    time.sleep(HEARTBEAT)
    raise queue.Empty
