"""Runs the server as a process: handshake with a parent, lock, port, signals, exit codes. On the main thread."""

import asyncio
import contextlib
import ipaddress
import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

import uvicorn

from desktop.domain.errors import InputError, StorageError
from desktop.server import logs
from desktop.server.app import create_app
from desktop.server.lock import AnyNumber, DatabaseLock, Lock
from desktop.server.running import Server, admit, load_team
from desktop.server.station import utc_now
from desktop.server.storage import Storage, resolve

log = logging.getLogger(__name__)

BAD_INPUT = 2
_LINE_LIMIT = 4096
_GRACE_SECONDS = 3


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """How to serve. ``database`` None is the default place, port 0 picks one, ``team`` None takes the stored one.

    With ``parent_stdin``, one line of JSON on standard input brings the token and the person of whoever started us.
    """

    database: str | None = None
    host: str = "127.0.0.1"
    port: int = 0
    team: Path | None = None
    parent_stdin: bool = False


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a parent sends: its token, and the person as whom it acts."""

    token: str = field(repr=False)
    person: str


def run(options: ServeOptions) -> int:
    """Serve until told to end; return the exit code: 0, or 2 with one line on standard error.

    Standard output gets exactly one line, ``listening on http://H:P``, when requests are taken.
    """
    logs.begin()
    try:
        _must_be_loopback(options.host)
        handshake = _read_handshake() if options.parent_stdin else None
        return _serve(options, handshake)
    except (InputError, StorageError) as error:
        sys.stderr.write(f"watchbell serve: {' · '.join(error.message.splitlines())}\n")
        return BAD_INPUT


def _serve(options: ServeOptions, handshake: Handshake | None) -> int:
    storage = Storage(resolve(options.database))
    lock: Lock = AnyNumber() if storage.shared else DatabaseLock(storage.path)
    lock.acquire(take=handshake is not None)
    try:
        storage.migrate()
        roster = load_team(storage, options.team, utc_now())
        if handshake is not None:
            admit(storage, handshake.token, handshake.person, utc_now())
        with _listening_socket(options) as listener:
            _run_until_told(Server(storage, roster), listener, lock, reads_stdin=options.parent_stdin)
        return 0
    finally:
        lock.release()


def _run_until_told(server: Server, listener: socket.socket, lock: Lock, *, reads_stdin: bool) -> None:
    url = _url_of(listener)
    config = uvicorn.Config(
        create_app(server.station, server.hub),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    http = _Http(config, server, url)
    server.station.reached_at(url)
    server.start()
    try:
        lock.announce(url)
        if reads_stdin:
            threading.Thread(target=_obey_stdin, args=(http,), name="parent", daemon=True).start()
        asyncio.run(http.serve(sockets=[listener]))
    finally:
        server.stop()
    log.info("ended")


class _Http(uvicorn.Server):
    """uvicorn that says where it listens, ends open streams at once, and leaves the exit code to us."""

    def __init__(self, config: uvicorn.Config, server: Server, url: str) -> None:
        super().__init__(config)
        self._watchbell = server
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take requests, and say so."""
        self._watchbell.hub.start(self._watchbell.station)
        await super().startup(sockets)
        log.info("listening", extra={"fields": {"url": self._url, "pid": os.getpid()}})
        sys.stdout.write(f"listening on {self._url}\n")
        sys.stdout.flush()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's
        """End on a signal. uvicorn would raise it again afterwards, past our own clean-up."""
        self.end()

    def end(self) -> None:
        """End soon, from any thread: open streams would hold uvicorn for the whole grace."""
        self.should_exit = True
        self._watchbell.hub.close()


def _obey_stdin(http: _Http) -> None:
    """End on the line ``quit``; the end of input means only that the parent died, and pages must go on."""
    for line in sys.stdin:
        if line.strip() == "quit":
            http.end()
            return


def _read_handshake() -> Handshake:
    line = sys.stdin.readline(_LINE_LIMIT)
    try:
        read = json.loads(line)
        token, person = read["token"], read["person"]
    except (ValueError, TypeError, KeyError):
        token = person = None
    if not isinstance(token, str) or not isinstance(person, str) or len(token) < 32:
        raise InputError("--parent-stdin: expected one line of JSON with token and person on standard input")
    return Handshake(token, person)


def _must_be_loopback(host: str) -> None:
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise InputError(f"--host {host}: only this machine itself can be served (127.0.0.1), for there is no TLS yet")


@contextlib.contextmanager
def _listening_socket(options: ServeOptions) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name != "nt":  # there it would let a second server steal the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((options.host, options.port))
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        if options.parent_stdin:
            # The parent tells this from every other failure: only this one is mended by another port.
            sys.stdout.write("port taken\n")
            sys.stdout.flush()
        raise InputError(f"--port {options.port}: cannot listen on {options.host}: {reason}") from error
    try:
        yield listener
    finally:
        listener.close()


def _url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
