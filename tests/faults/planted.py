"""Everything that can be wrong with a connection, planted for real: each a context that gives what to connect to.

Any thread.
"""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import keyring
import pytest
from cryptography.x509 import DNSName
from keyring.backends.fail import Keyring as NoKeyring

from desktop.system.settings import ConnectionSettings
from tests.fakes.broken_keyrings import Waiting
from tests.fakes.keyring_fake import MemoryKeyring
from tests.faults.backend.account import Account
from tests.faults.backend.proxy import Proxy
from tests.faults.backend.server import FaultyServer, Misbehave
from tests.server.certificates import Authority

NAME = "pager.example.com"


@dataclass
class Bench:
    """Where faults are planted: ``stack`` takes down what they need, ``environment`` is the doctor's."""

    folder: Path
    stack: ExitStack
    monkeypatch: pytest.MonkeyPatch
    environment: dict[str, str] = field(default_factory=dict)
    token: str = Account().token

    def connection(self, url: str, proxy: str = "", ca: str = "") -> ConnectionSettings:
        """Return a connection as the settings have one."""
        return ConnectionSettings("pd", "PagerDuty", url, proxy, ca)

    def server(self, tls: ssl.SSLContext | None = None) -> FaultyServer:
        """Return a running server in which nothing is broken yet."""
        server = FaultyServer(Account(), tls)
        self.stack.callback(server.stop)
        return server

    def authority(self, name: str = "authority") -> Authority:
        """Return an authority of its own."""
        (self.folder / name).mkdir()
        return Authority(self.folder / name)

    def proxied(self, login: str = "", to: int | None = None) -> tuple[Proxy, str, str]:
        """Return a proxy, and address and authority of a server that is reached through it."""
        authority = self.authority()
        server = self.server(tls(authority.issue()))
        proxy = Proxy(server.port if to is None else to, login)
        self.stack.callback(proxy.stop)
        return proxy, f"https://{NAME}:{server.port}", str(authority.file)


Plant = Callable[[Bench], ConnectionSettings]


def tls(files: tuple[Path, Path]) -> ssl.SSLContext:
    """Return a server's context for a certificate and its key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


def unused_port() -> int:
    """Return a port of this machine at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


# --- what a server does ---


def answering(misbehave: Misbehave) -> Plant:
    """Let a server misbehave to every request."""

    def plant(bench: Bench) -> ConnectionSettings:
        server = bench.server()
        bench.stack.enter_context(server.broken(misbehave))
        return bench.connection(server.url)

    return plant


def answering_below(path: str, misbehave: Misbehave) -> Plant:
    """Let a server misbehave to the requests below one path alone."""

    def plant(bench: Bench) -> ConnectionSettings:
        server = bench.server()
        bench.stack.enter_context(server.broken(misbehave, path))
        return bench.connection(server.url)

    return plant


def clock_ahead(bench: Bench) -> ConnectionSettings:
    """Let this machine be an hour behind."""
    server = bench.server()
    server.account.ahead = timedelta(hours=1)
    return bench.connection(server.url)


# --- what does not answer ---


def refusing(bench: Bench) -> ConnectionSettings:
    """Nothing listens."""
    return bench.connection(f"http://127.0.0.1:{unused_port()}")


def swallowing(bench: Bench) -> ConnectionSettings:
    """Take no connection: as many wait as may."""
    listener = bench.stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
    for _ in range(3):
        waiting = bench.stack.enter_context(socket.socket())
        waiting.setblocking(False)
        waiting.connect_ex(listener.getsockname())
    return bench.connection(f"http://127.0.0.1:{listener.getsockname()[1]}")


def unknown_name(bench: Bench) -> ConnectionSettings:
    """A name that nobody has; no resolver is asked, some take long to say so."""
    refusal = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    bench.monkeypatch.setattr(socket, "getaddrinfo", Mock(side_effect=refusal))
    return bench.connection("https://pager.invalid")


def offline(bench: Bench) -> ConnectionSettings:
    """An address to which no machine has a way; nothing is sent."""
    return bench.connection("https://255.255.255.255")


# --- whom to believe ---


def certificate(**change: object) -> Plant:
    """A certificate of a known authority, with something wrong."""

    def plant(bench: Bench) -> ConnectionSettings:
        authority = bench.authority()
        server = bench.server(tls(authority.issue(**change)))  # type: ignore[arg-type]
        return bench.connection(server.url, ca=str(authority.file))

    return plant


def stranger(bench: Bench) -> ConnectionSettings:
    """A certificate of an authority that the system does not know."""
    return bench.connection(bench.server(tls(bench.authority().issue())).url)


def other_authority(bench: Bench) -> ConnectionSettings:
    """A certificate of another authority than the settings name."""
    server = bench.server(tls(bench.authority().issue()))
    return bench.connection(server.url, ca=str(bench.authority("other").file))


def no_tls(bench: Bench) -> ConnectionSettings:
    """A port that speaks http."""
    return bench.connection(bench.server().url.replace("http:", "https:"))


def only_tls(bench: Bench) -> ConnectionSettings:
    """A port that speaks https, for an address with http."""
    server = bench.server(tls(bench.authority().issue()))
    return bench.connection(server.url.replace("https:", "http:"))


def ca_file(content: bytes | None) -> Plant:
    """A file for the authority with some content, or none."""

    def plant(bench: Bench) -> ConnectionSettings:
        file = bench.folder / "company.pem"
        if content is not None:
            file.write_bytes(content)
        return bench.connection(f"https://{NAME}", ca=str(file))

    return plant


# --- the way there ---


def proxy_gone(*, settings: bool) -> Plant:
    """A proxy that is not there, in the settings or in the environment."""

    def plant(bench: Bench) -> ConnectionSettings:
        return _through(bench, f"http://127.0.0.1:{unused_port()}", settings=settings)

    return plant


def proxy_login(*, settings: bool) -> Plant:
    """A proxy that wants a login."""

    def plant(bench: Bench) -> ConnectionSettings:
        proxy, url, ca = bench.proxied(login="ana:s3cret")
        return _through(bench, proxy.url, url, ca, settings=settings)

    return plant


def proxy_refuses(bench: Bench) -> ConnectionSettings:
    """A proxy that lets nobody through."""
    proxy, url, ca = bench.proxied()
    proxy.refuses = "403 Forbidden"
    return _through(bench, proxy.url, url, ca, settings=True)


def proxy_unusable(proxy: str, *, settings: bool = False) -> Plant:
    """What is no HTTP proxy."""
    return lambda bench: _through(bench, proxy, settings=settings)


def _through(
    bench: Bench, proxy: str, url: str = f"https://{NAME}", ca: str = "", *, settings: bool
) -> ConnectionSettings:
    if not settings:
        bench.monkeypatch.setenv("HTTPS_PROXY", proxy)
    return bench.connection(url, proxy if settings else "", ca)


# --- what was set up ---


def address(url: str) -> Plant:
    """An address that cannot be used, in settings that were edited by hand."""
    return lambda bench: bench.connection(url)


def token(text: str) -> Plant:
    """A token that is none: cut, or with its quotes."""

    def plant(bench: Bench) -> ConnectionSettings:
        bench.token = text
        return bench.connection(bench.server().url)

    return plant


def keyring_says(backend: Callable[[], MemoryKeyring | NoKeyring]) -> Plant:
    """Another keyring than the one in which the token was kept."""

    def plant(bench: Bench) -> ConnectionSettings:
        bench.monkeypatch.setattr(keyring.core, "_keyring_backend", backend())
        bench.token = ""
        return bench.connection(bench.server().url)

    return plant


def keyring_waits(bench: Bench) -> ConnectionSettings:
    """A prompt that nobody answers."""
    waiting = Waiting()
    bench.stack.callback(waiting.answered.set)
    return keyring_says(lambda: waiting)(bench)


def wrong_name(bench: Bench) -> ConnectionSettings:
    """A certificate for somewhere else."""
    return certificate(names=[DNSName("elsewhere.example.com")])(bench)


@contextmanager
def bench(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """Give a bench, and take everything down at the end."""
    with ExitStack() as stack:
        yield Bench(folder, stack, monkeypatch)
