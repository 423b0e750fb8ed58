"""One line to a backend: a session whose connection can be cut, from any thread or when its time is up.

Timeouts of the HTTP libraries count from packet to packet, so that whoever drips never meets one, be it in the body,
the headers, a proxy's answer or the handshake; and only shutting the socket down wakes a reader (docs/decisions/0001).
One request at a time for each instance.
"""

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from desktop.backends import deadlines, trust
from desktop.backends.deadlines import Deadline
from desktop.backends.route import Route, proxy_for


class Line:
    """``session`` makes the requests, ``cut`` ends the one under way; ``proxy`` is what they go through, if any."""

    def __init__(self, url: str, route: Route) -> None:
        self.proxy = proxy_for(url, route.proxy, os.environ)
        self.late = False
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._handshaking: socket.socket | None = None
        self.session = requests.Session()
        # Neither proxies nor .netrc from the environment: both were seen to carry the token elsewhere.
        self.session.trust_env = False
        if self.proxy is not None:
            self.session.proxies = {urlsplit(url).scheme: self.proxy}
        secure = url.startswith("https:") or (self.proxy or "").startswith("https:")
        adapter = _Adapter(self, trust.context(route.ca) if secure else None)
        for scheme in ("https://", "http://"):
            self.session.mount(scheme, adapter)

    def cut(self) -> None:
        """End whatever uses the connection, from any thread."""
        with self._lock:
            for held in (self._handshaking, self._socket):
                if held is not None:
                    # It ended by itself in the meantime.
                    with contextlib.suppress(OSError):
                        # The plain socket's: that of TLS would take the session away from under its reader.
                        socket.socket.shutdown(held, socket.SHUT_RDWR)

    @contextmanager
    def within(self, seconds: float) -> Iterator[Deadline]:
        """Cut what takes longer than ``seconds``; ``late`` tells afterwards. The deadline can be cancelled before."""
        self.late = False
        deadline = deadlines.SHARED.after(seconds, self._expire)
        try:
            yield deadline
        finally:
            deadline.cancel()

    def patience(self, seconds: float) -> None:
        """Let the next read on the connection wait for at most ``seconds``."""
        if self._socket is not None:
            self._socket.settimeout(seconds)

    def _expire(self) -> None:
        self.late = True
        self.cut()

    def opening(self, opened: socket.socket) -> None:
        """Hold a connection that has yet to shake hands: TLS takes it over, so what is held is another end of it."""
        with self._lock:
            self._handshaking = opened.dup()

    def opened(self, connection: Any) -> None:  # noqa: ANN401 - a socket, or TLS within TLS around one
        """Hold a connection that is ready; None where it did not come to that."""
        while connection is not None and not isinstance(connection, socket.socket):
            connection = connection.socket
        with self._lock:
            if self._handshaking is not None:
                self._handshaking.close()
            self._handshaking, self._socket = None, connection


class _Adapter(HTTPAdapter):
    """Uses one context for TLS, and connections that tell their line of their sockets."""

    def __init__(self, line: Line, context: ssl.SSLContext | None) -> None:
        self._context = context
        self._plain, self._secure = _connections(line)
        super().__init__()

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:  # noqa: ANN401
        """Return what makes a pool, with our context."""
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, pool if self._context is None else {**pool, "ssl_context": self._context}

    def proxy_manager_for(self, proxy: str, **arguments: Any) -> Any:  # noqa: ANN401 - as there
        """Return the manager for a proxy, which is believed as the backend is."""
        if self._context is not None:
            arguments["proxy_ssl_context"] = self._context
        return super().proxy_manager_for(proxy, **arguments)

    def get_connection_with_tls_context(self, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - as there
        """Return the pool of a host, whose connections tell of their sockets."""
        pool: Any = super().get_connection_with_tls_context(*arguments, **more)
        pool.ConnectionCls = self._secure if pool.scheme == "https" else self._plain
        return pool

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ANN401, ARG002 - as there
        """Leave the context as it is: the library would add authorities of its own."""
        conn.cert_reqs = "CERT_REQUIRED"


def _connections(line: Line) -> tuple[type[HTTPConnection], type[HTTPSConnection]]:
    """Return urllib3's connections, as they are when they tell ``line`` of their sockets."""

    class Telling:
        def _new_conn(self) -> socket.socket:
            opened: socket.socket = super()._new_conn()  # type: ignore[misc]
            line.opening(opened)
            return opened

        def connect(self) -> None:
            try:
                super().connect()  # type: ignore[misc]
            finally:
                line.opened(self.sock)  # type: ignore[attr-defined]

    class Plain(Telling, HTTPConnection):
        pass

    class Secure(Telling, HTTPSConnection):
        pass

    return Plain, Secure
