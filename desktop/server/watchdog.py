"""Calls an address every minute while all is well, so that somebody outside notices when not. A thread of its own.

The address is a secret (whoever knows it can keep the alarm quiet): it is never logged, not even its host. No redirect
is followed, no proxy used, and of the answer nothing counts but its status.
"""

import contextlib
import http.client
import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from desktop.domain.errors import InputError, StorageError
from desktop.server.auditing import LATE, backlog
from desktop.server.reach import is_loopback
from desktop.server.station import Station
from desktop.server.writer import touch

log = logging.getLogger(__name__)

SECONDS = 60.0
_PATIENCE = 10.0
_STALE_SECONDS = 30.0
_OPTION = "--watchdog-url"


@dataclass(frozen=True, slots=True)
class Address:
    """Where to call: ``target`` is the path with the query."""

    secure: bool
    host: str = field(repr=False)
    port: int
    target: str = field(repr=False)


def parse(text: str) -> Address:
    """Read an address, or ``env:NAME``, which has it; InputError never repeats it."""
    kind, _, name = text.partition(":")
    url = os.environ.get(name, "") if kind == "env" else text
    if not url:
        raise InputError(f"{_OPTION}: {text} is not set where the server runs")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InputError(f"{_OPTION}: that is no address") from error
    host = parts.hostname or ""
    if not host or not url.isascii() or not url.isprintable() or " " in url:
        raise InputError(f"{_OPTION}: that is no address: write https://HOST/PATH")
    if parts.username is not None:
        raise InputError(f"{_OPTION}: an address with a user in it cannot be called")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise InputError(f"{_OPTION}: write https://…; http only goes to this machine itself")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    secure = parts.scheme == "https"
    return Address(secure, host, port or (443 if secure else 80), target)


def trouble(station: Station) -> str:
    """Return why not all is well, nothing when it is: pages escalate, messages leave, nothing is overdue."""
    if station.running().age > _STALE_SECONDS:
        return "the engine does not run"
    if not station.messaging():
        return "no messages are sent"
    try:
        station.writer.submit(touch).result(_PATIENCE)
        late, _ = backlog(station, station.clock() - LATE)
    except TooSlow:
        return "the database takes too long to write"
    except StorageError as error:
        return error.message
    return f"{late} steps are overdue" if late else ""


class Watchdog:
    """Calls ``address`` while ``trouble`` finds none."""

    def __init__(self, address: Address, trouble: Callable[[], str]) -> None:
        self._address = address
        self._trouble = trouble
        self._failing = ""
        self._stopping = threading.Event()
        self._connection: http.client.HTTPConnection | None = None
        # A daemon: a name that is looked up for ever must not keep the server alive.
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Call at once, then every minute, in the background."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread, a call that waits included."""
        self._stopping.set()
        waiting = self._connection
        if waiting is not None and waiting.sock is not None:
            with contextlib.suppress(OSError):
                waiting.sock.shutdown(socket.SHUT_RDWR)
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)

    def look(self) -> bool:
        """Call, if all is well; tell whether it was and somebody took the call."""
        wrong = self._trouble() or self._call()
        if wrong and not self._failing:
            log.error("watchdog not called", extra={"fields": {"reason": wrong}})
        if self._failing and not wrong:
            log.info("watchdog is called again")
        self._failing = wrong
        return not wrong

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except Exception:
                log.exception("watchdog not called")
            self._stopping.wait(SECONDS)

    def _call(self) -> str:
        """Call; return what went wrong, in words that tell nothing of the address."""
        connection = self._connection = _connection(self._address)
        try:
            connection.request("GET", self._address.target, headers={"User-Agent": "watchbell"})
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return f"it cannot be reached ({type(error).__name__})"
        finally:
            connection.close()
            self._connection = None
        return "" if 200 <= status < 300 else f"it answered {status}"


def _connection(address: Address) -> http.client.HTTPConnection:
    if not address.secure:
        return http.client.HTTPConnection(address.host, address.port, timeout=_PATIENCE)
    return http.client.HTTPSConnection(
        address.host, address.port, timeout=_PATIENCE, context=ssl.create_default_context()
    )
