"""Runs the server as a process: handshake with a parent, lock, port, signals, exit codes. On the main thread."""

import asyncio
import gc
import json
import logging
import os
import socket
import ssl
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

import uvicorn

from desktop.domain.errors import InputError, StorageError
from desktop.server import limits, listening, logs, tls, watchdog
from desktop.server.app import create_app
from desktop.server.lock import AnyNumber, DatabaseLock, Lock
from desktop.server.reach import Reach, reach
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
    ``tls_cert`` and ``tls_key`` are PEM files; ``behind_proxy`` names the addresses of proxies; ``public_url`` is where
    others reach the server. ``ingest_limit`` is how many new incidents are taken by one integration key in a minute.
    ``watchdog_url`` (or ``env:NAME``) is called every minute while all is well. ``allow_private_channels`` lets
    messages go to machines of this network.
    """

    database: str | None = None
    host: str = "127.0.0.1"
    port: int = 0
    team: Path | None = None
    parent_stdin: bool = False
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: Sequence[str] = ()
    public_url: str = ""
    verbose: bool = False
    ingest_limit: int = limits.NEW_INCIDENTS
    watchdog_url: str = field(default="", repr=False)
    allow_private_channels: bool = False


@dataclass(frozen=True, slots=True)
class Handshake:
    """What a parent sends: its token, and the person as whom it acts."""

    token: str = field(repr=False)
    person: str


def run(options: ServeOptions) -> int:
    """Serve until told to end; return the exit code: 0, or 2 with one line on standard error.

    Standard output gets exactly one line, ``listening on http://H:P`` (or https), when requests are taken.
    """
    logs.begin(logging.DEBUG if options.verbose else logging.INFO)
    try:
        secure = _tls(options)
        reached = reach(
            options.host, tls=secure is not None, proxies=options.behind_proxy, public_url=options.public_url
        )
        handshake = _read_handshake() if options.parent_stdin else None
        called = watchdog.parse(options.watchdog_url) if options.watchdog_url else None
        return _serve(options, handshake, _Way(reached, secure, called))
    except (InputError, StorageError) as error:
        sys.stderr.write(f"watchbell serve: {' · '.join(error.message.splitlines())}\n")
        return BAD_INPUT


@dataclass(frozen=True, slots=True)
class _Way:
    """The way in: who may come how, and the certificate, None for plain HTTP. And who is called while all is well."""

    reach: Reach
    tls: ssl.SSLContext | None
    watchdog: watchdog.Address | None


def _tls(options: ServeOptions) -> ssl.SSLContext | None:
    if options.tls_cert is None and options.tls_key is None:
        return None
    if options.tls_cert is None or options.tls_key is None:
        raise InputError("--tls-cert and --tls-key belong together: give both")
    return tls.context(options.tls_cert, options.tls_key)


def _serve(options: ServeOptions, handshake: Handshake | None, way: _Way) -> int:
    storage = Storage(resolve(options.database))
    lock: Lock = AnyNumber() if storage.shared else DatabaseLock(storage.path)
    lock.acquire(take=handshake is not None)
    try:
        storage.migrate()
        start = load_team(storage, options.team, utc_now())
        if handshake is not None:
            admit(storage, handshake.token, handshake.person, utc_now())
        with listening.open_socket(options.host, options.port, tell=options.parent_stdin) as listener:
            server = Server(storage, start.roster, allow_private_channels=options.allow_private_channels)
            if start.mistakes and options.team is not None:
                server.station.runs_without(options.team.name, len(start.mistakes))
            server.station.limits = limits.Limits(floods=limits.Floods(options.ingest_limit))
            _run_until_told(server, listener, lock, way, reads_stdin=options.parent_stdin)
        return 0
    finally:
        lock.release()


def _run_until_told(server: Server, listener: socket.socket, lock: Lock, way: _Way, *, reads_stdin: bool) -> None:
    url = listening.url_of(listener, secure=way.tls is not None)
    secure = way.tls
    config = uvicorn.Config(
        create_app(server.station, server.hub, way.reach),
        ssl_context_factory=None if secure is None else lambda config, default: secure,  # noqa: ARG005 - uvicorn's
        # Else it believes whatever comes from this machine about who it is.
        proxy_headers=False,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    http = _Http(config, server, url)
    server.station.public_url = way.reach.public_url
    server.station.reached_at(way.reach.public_url or url)
    dog = None if way.watchdog is None else watchdog.Watchdog(way.watchdog, partial(watchdog.trouble, server.station))
    try:
        # A start that fails half way has threads running, which would keep a process alive that serves nobody.
        server.start()
        if dog is not None:
            dog.start()
        lock.announce(url)
        if reads_stdin:
            threading.Thread(target=_obey_stdin, args=(http,), name="parent", daemon=True).start()
        asyncio.run(http.serve(sockets=[listener]))
    finally:
        if dog is not None:
            dog.stop()
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
        # What there is now stays: to look through it for garbage holds every request up by 50 ms, again and again.
        gc.collect()
        gc.freeze()
        log.info("listening", extra={"fields": {"url": self._url, "pid": os.getpid()}})
        try:
            sys.stdout.write(f"listening on {self._url}\n")
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever waited for it died meanwhile, and pages must go on. What is left to write goes nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

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
