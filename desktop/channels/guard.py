"""Keeps what a channel worker does on the network within bounds, whichever plugin of Apprise does it. Any thread.

Plugins call ``requests`` and ``smtplib`` themselves, and tell only whether they succeeded. So the places that all of
them go through (a session's request, a look-up, a socket's connect) are wrapped once, at the first send; on threads
that are not ``watching`` they do exactly what they did. Can go when Apprise takes a session and a resolver of ours.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import requests

from desktop.channels.outcome import Trouble
from desktop.channels.places import is_public

CONNECT_SECONDS, READ_SECONDS = 5.0, 8.0
# Timeouts are per read: a server that drips would never fire them.
DEADLINE_SECONDS = 20.0
ANSWER_LIMIT = 64 * 1024

_current = threading.local()
_all: "set[Watch]" = set()
_installing = threading.Lock()
_plain_request, _plain_connect, _plain_getaddrinfo = (
    requests.Session.request,
    socket.socket.connect,
    socket.getaddrinfo,
)


class NotAllowed(OSError):
    """A connection to an address that messages may not go to."""


class Watch:
    """What one attempt did on the network; cut off at its deadline."""

    def __init__(self, *, allow_private: bool) -> None:
        self.statuses: list[int] = []
        self.trouble: Trouble | None = None
        self.retry_after: float | None = None
        self._allow_private = allow_private
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self._over = False

    def note(self, trouble: Trouble) -> None:
        """Take note of what went wrong; the first thing is the reason of the others."""
        self.trouble = self.trouble or trouble

    def check(self, family: int, address: str) -> None:
        """Raise NotAllowed unless messages may go to ``address``."""
        numeric = family in (socket.AF_INET, socket.AF_INET6)
        if not numeric or not (self._allow_private or is_public(address)):
            self.note(Trouble.PRIVATE)
            raise NotAllowed("messages may not go there")

    def hold(self, connected: socket.socket) -> None:
        """Keep a handle on a connection, to end it by: the one given may be wrapped for TLS, and closed."""
        handle = socket.socket(fileno=os.dup(connected.fileno()))
        with self._lock:
            self._sockets.append(handle)
            if self._over:
                _shut(handle)

    def cut(self) -> None:
        """End every connection: time is up."""
        self.note(Trouble.TIMED_OUT)
        with self._lock:
            self._over = True
            for held in self._sockets:
                _shut(held)

    def close(self) -> None:
        """Let go of all connections."""
        with self._lock:
            for held in self._sockets:
                held.close()
            self._sockets.clear()

    def answered(self, response: requests.Response) -> None:
        """Take note of an answer, and read it, but not more than anybody needs."""
        content = bytearray()
        with contextlib.closing(response):
            for chunk in response.iter_content(8192):
                content += chunk
                if len(content) > ANSWER_LIMIT:
                    break
        # requests has no limit of its own; this is where it keeps what it read.
        response._content = bytes(content)  # noqa: SLF001
        self.statuses.append(response.status_code)
        if (wait := _seconds(response.headers.get("Retry-After", ""))) is not None:
            self.retry_after = max(wait, self.retry_after or 0.0)


@contextlib.contextmanager
def watching(*, allow_private: bool, seconds: float = DEADLINE_SECONDS) -> Iterator[Watch]:
    """Watch what this thread does on the network, and end it after ``seconds``."""
    _install()
    watch = Watch(allow_private=allow_private)
    deadline = threading.Timer(seconds, watch.cut)
    deadline.name, deadline.daemon = "watchbell-deadline", True
    _current.watch = watch
    _all.add(watch)
    deadline.start()
    try:
        yield watch
    finally:
        _current.watch = None
        _all.discard(watch)
        deadline.cancel()
        deadline.join()
        watch.close()


def cut_all() -> None:
    """End every attempt that is under way, on whatever thread: the program ends."""
    for watch in tuple(_all):
        watch.cut()


def _install() -> None:
    with _installing:
        if socket.socket.connect is not _connect:
            requests.Session.request = _request  # type: ignore[method-assign, assignment]
            socket.socket.connect = _connect  # type: ignore[method-assign, assignment]
            socket.getaddrinfo = _getaddrinfo


def _watch() -> Watch | None:
    return getattr(_current, "watch", None)


def _request(session: requests.Session, method: str, url: str, *rest: Any, **named: Any) -> requests.Response:  # noqa: ANN401
    watch = _watch()
    if watch is None:
        return _plain_request(session, method, url, *rest, **named)
    # Neither a proxy of the environment, which would be checked in place of the other side, nor its .netrc.
    session.trust_env = False
    named |= {"allow_redirects": False, "verify": True, "proxies": {}, "stream": True}
    named["timeout"] = (CONNECT_SECONDS, READ_SECONDS)
    try:
        response = _plain_request(session, method, url, *rest, **named)
        watch.answered(response)
    except requests.exceptions.SSLError:
        watch.note(Trouble.UNTRUSTED)
        raise
    except requests.exceptions.Timeout:
        watch.note(Trouble.TIMED_OUT)
        raise
    except requests.exceptions.RequestException:
        watch.note(Trouble.UNREACHABLE)
        raise
    return response


def _getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:  # noqa: ANN401 - as the one it stands for
    watch = _watch()
    if watch is None:
        return _plain_getaddrinfo(host, *rest, **named)
    try:
        found = _plain_getaddrinfo(host, *rest, **named)
    except socket.gaierror:
        watch.note(Trouble.UNKNOWN_NAME)
        raise
    for family, _, _, _, address in found:
        watch.check(family, str(address[0]))
    return found


def _connect(self: socket.socket, address: Any) -> None:  # noqa: ANN401 - as above
    watch = _watch()
    if watch is None:
        _plain_connect(self, address)
        return
    # Once more: between a name and its address nothing may be changed.
    watch.check(self.family, str(address[0]))
    try:
        _plain_connect(self, address)
    except TimeoutError:
        watch.note(Trouble.TIMED_OUT)
        raise
    except OSError:
        watch.note(Trouble.UNREACHABLE)
        raise
    watch.hold(self)


def _shut(held: socket.socket) -> None:
    # It may have ended by itself in the meantime.
    with contextlib.suppress(OSError):
        held.shutdown(socket.SHUT_RDWR)


def _seconds(retry_after: str) -> float | None:
    """Return how many seconds a ``Retry-After`` asks for: a number, or a date."""
    text = retry_after.strip()
    if text.isascii() and text.isdigit():
        return float(text[:6])
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    until = until if until.tzinfo else until.replace(tzinfo=UTC)
    return max((until - datetime.now(UTC)).total_seconds(), 0.0)
