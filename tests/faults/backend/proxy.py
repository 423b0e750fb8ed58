"""A forward proxy that tunnels (CONNECT) to where it is told, whatever name is asked for. Threads of its own."""

import contextlib
import socket
import socketserver
import ssl
import threading
from base64 import b64encode
from dataclasses import dataclass


@dataclass(frozen=True)
class Tunnelled:
    """One request to the proxy: its first line, and whether a token for the backend was in its headers."""

    line: str
    token: bool


class Proxy:
    """Tunnels to ``to`` (a port of this machine); wants ``login`` ("name:password") where there is one.

    ``refuses`` is the status by which it lets nobody through; empty while it does.
    """

    def __init__(self, to: int, login: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Tunnelled] = []
        self.refuses = ""
        self._to = to
        self._wanted = f"Basic {b64encode(login.encode()).decode()}" if login else ""
        self._server = _Listener(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_address[1]
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        run = self._server.serve_forever
        threading.Thread(target=run, kwargs={"poll_interval": 0.01}, name="proxy", daemon=True).start()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        proxy = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                with contextlib.suppress(OSError, ValueError):
                    proxy.serve(self)

        return Handler

    def serve(self, handler: socketserver.StreamRequestHandler) -> None:
        """Take one request, and tunnel if it is one for that."""
        lines = [line := handler.rfile.readline()]
        while line.strip():
            lines.append(line := handler.rfile.readline())
        head = [text.decode("latin-1").strip() for text in lines]
        self.asked.append(Tunnelled(head[0], any(text.startswith("Authorization:") for text in head)))
        if self._wanted and f"Proxy-Authorization: {self._wanted}" not in head:
            handler.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        if not head[0].startswith("CONNECT "):
            handler.wfile.write(b"HTTP/1.1 405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n")
            return
        if self.refuses:
            handler.wfile.write(f"HTTP/1.1 {self.refuses}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        with socket.create_connection(("127.0.0.1", self._to)) as there:
            handler.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=_pump, args=(there, handler.connection), daemon=True)
            back.start()
            _pump(handler.connection, there)
            back.join()


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients hang up here."""


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while content := source.recv(65536):
            target.sendall(content)
    for end in (source, target):
        with contextlib.suppress(OSError):
            socket.socket.shutdown(end, socket.SHUT_RDWR)
