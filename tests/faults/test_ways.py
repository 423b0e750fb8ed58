"""Which way requests take, and whom they believe: real TLS servers, real proxies, and what is told of those."""

import io
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.x509 import DNSName

from desktop.backends.pagerduty import line
from desktop.backends.pagerduty.client import Patience, Wire
from desktop.backends.route import Route
from desktop.cli import main
from desktop.domain.errors import InputError, Unreachable
from desktop.system import settings as settings_file
from desktop.system.paths import user_paths
from tests.faults.backend.account import Account
from tests.faults.backend.proxy import Proxy
from tests.faults.backend.server import STREAM, FaultyServer
from tests.server.certificates import Authority

NAME = "pager.example.com"
AWAY = "https_proxy HTTPS_PROXY http_proxy HTTP_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY SSL_CERT_FILE SSL_CERT_DIR"
Serve = Callable[..., FaultyServer]


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in AWAY.split():
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def tls(files: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers: list[FaultyServer] = []

    def start(files: tuple[Path, Path]) -> FaultyServer:
        servers.append(FaultyServer(Account(), tls(files)))
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def proxied(serve: Serve, authority: Authority) -> Iterator[Callable[..., tuple[Proxy, str]]]:
    """Start a proxy before a server with a name; returns it and the server's address."""
    proxies: list[Proxy] = []

    def start(login: str = "", *, secure: bool = False) -> tuple[Proxy, str]:
        server = serve(authority.issue())
        proxies.append(Proxy(server.port, login, tls(authority.issue("proxy")) if secure else None))
        return proxies[-1], f"https://{NAME}:{server.port}"

    yield start
    for proxy in proxies:
        proxy.stop()


def ask(url: str, route: Route, patience: Patience | None = None) -> str:
    answer = Wire(url, Account().token, route, patience or Patience()).get("/users/me")
    return str(answer["user"]["id"])


def test_an_authority_of_the_settings_is_believed_on_every_way(serve: Serve, authority: Authority) -> None:
    server = serve(authority.issue())
    route = Route(ca=str(authority.file))
    assert ask(server.url, route) == "ana"
    wire = Wire(server.url, Account().token, route)
    with wire.lines(STREAM) as chunks:
        assert b"event: snapshot" in next(chunks)
        threading.Timer(0.05, wire.close).start()
        list(chunks)


def test_an_authority_of_the_system_is_believed(
    serve: Serve, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(authority.issue())
    with pytest.raises(Unreachable):
        ask(server.url, Route())
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    assert ask(server.url, Route()) == "ana"


def test_beside_an_authority_of_the_settings_no_other_is_believed(
    serve: Serve, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "other").mkdir()
    other = Authority(tmp_path / "other")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with pytest.raises(Unreachable, match=r"of no authority in .*other"):
        ask(serve(authority.issue()).url, Route(ca=str(other.file)))


def test_the_library_adds_no_authorities_of_its_own(serve: Serve, authority: Authority) -> None:
    server = serve(authority.issue())
    wire = Wire(server.url, Account().token, Route(ca=str(authority.file)))
    wire.get("/users/me")
    adapter = wire._line.session.get_adapter(server.url)
    assert isinstance(adapter, line._Adapter)
    assert adapter._context is not None
    assert len(adapter._context.get_ca_certs()) == 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"moved": timedelta(days=-7)}, "has expired: have it renewed"),
        ({"moved": timedelta(days=7)}, "not valid yet: is this machine's clock wrong"),
        ({"names": [DNSName("elsewhere.example.com")]}, "for another name: check the address"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_said_with_what_to_do(
    serve: Serve, authority: Authority, change: dict[str, object], words: str
) -> None:
    server = serve(authority.issue(**change))  # type: ignore[arg-type]
    with pytest.raises(Unreachable, match=words):
        ask(server.url, Route(ca=str(authority.file)))
    assert server.asked == []


def test_an_unknown_issuer_is_said_with_what_to_do(serve: Serve, authority: Authority) -> None:
    server = serve(authority.issue())
    with pytest.raises(Unreachable, match=r"nobody known here vouches.*--ca FILE"):
        ask(server.url, Route())
    assert server.asked == []


def test_what_is_no_tls_is_said_to_be_none() -> None:
    server = FaultyServer()
    try:
        with pytest.raises(Unreachable, match="is it https at that port"):
            ask(f"https://127.0.0.1:{server.port}", Route())
    finally:
        server.stop()


@pytest.mark.parametrize(("content", "words"), [(None, "cannot be read"), (b"", "no"), (b"-----BEGIN", "no cert")])
def test_a_file_without_an_authority_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=rf"ca\.pem.*{words}"):
        Wire(f"https://{NAME}", "wb_token", Route(ca=str(file)))


def test_a_handshake_that_drips_is_cut_off() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                # The head of a TLS record that announces more than ever comes.
                connection.sendall(b"\x16\x03\x03\x40\x00")
                while not ended.wait(0.02):
                    try:
                        connection.sendall(b"\x02")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            with pytest.raises(Unreachable):
                ask(f"https://127.0.0.1:{listener.getsockname()[1]}", Route(), Patience(answer=0.5))
        finally:
            ended.set()
            thread.join()


@pytest.mark.parametrize("secure", [False, True])
def test_a_proxy_of_the_settings_is_used_and_sees_no_token(
    proxied: Callable[..., tuple[Proxy, str]], authority: Authority, secure: bool
) -> None:
    proxy, url = proxied(secure=secure)
    assert ask(url, Route(proxy.url, str(authority.file))) == "ana"
    assert [a.line.split()[0] for a in proxy.asked] == ["CONNECT"]
    assert NAME in proxy.asked[0].line
    assert not any(a.token for a in proxy.asked)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_a_proxy_of_the_environment_is_used(
    proxied: Callable[..., tuple[Proxy, str]], authority: Authority, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    proxy, url = proxied(login="ana:s3cret")
    monkeypatch.setenv(variable, proxy.url.replace("//", "//ana:s3cret@"))
    assert ask(url, Route(ca=str(authority.file))) == "ana"
    assert len(proxy.asked) == 1


def test_what_a_proxy_says_is_passed_on_without_its_password(
    proxied: Callable[..., tuple[Proxy, str]], authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, url = proxied(login="ana:s3cret")
    monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//ana:wr0ng@"))
    with pytest.raises(Unreachable, match=rf"through the proxy 127\.0\.0\.1:{proxy.port}.*407") as caught:
        ask(url, Route(ca=str(authority.file)))
    assert "wr0ng" not in str(caught.value)


def test_a_proxy_that_is_not_there_is_named(authority: Authority) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(Unreachable, match=rf"through the proxy 127\.0\.0\.1:{port}.*refused"):
            ask(f"https://{NAME}", Route(f"http://127.0.0.1:{port}", str(authority.file)))


def test_this_machine_is_never_reached_through_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    server = FaultyServer()
    proxy = Proxy(server.port)
    try:
        for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(variable, proxy.url)
        for route in (Route(), Route(proxy.url)):
            assert ask(server.url, route) == "ana"
            assert ask(server.url.replace("127.0.0.1", "localhost"), route) == "ana"
        assert proxy.asked == []
    finally:
        proxy.stop()
        server.stop()


def test_a_connection_is_added_with_its_way(
    proxied: Callable[..., tuple[Proxy, str]], authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, url = proxied()
    monkeypatch.chdir(authority.file.parent)
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{Account().token}\n"))
    assert main(["connect", url, "--token-stdin", "--proxy", proxy.url, "--ca", authority.file.name]) == 0
    (kept,) = settings_file.load(user_paths().settings).connections
    assert (kept.proxy, kept.ca) == (proxy.url, str(authority.file))
    assert len(proxy.asked) == 1
    # Commands take the same way.
    assert main(["incidents"]) == 0
    assert len(proxy.asked) == 2


def test_a_proxys_password_is_bad_usage(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("wb_token\n"))
    assert main(["connect", f"https://{NAME}", "--token-stdin", "--proxy", "http://ana:s3cret@proxy:1"]) == 2
    said = capsys.readouterr().err
    assert "HTTPS_PROXY" in said
    assert "s3cret" not in said
