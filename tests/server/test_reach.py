"""Which addresses may be served how, which names are a server's own, whom it believes about others."""

import asyncio
from typing import Any

import pytest

from desktop.domain.errors import InputError
from desktop.server.forwarding import Forwarding
from desktop.server.reach import Reach, reach, split_host

SERVER = ("10.0.0.7", 8377)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_needs_nothing(host: str) -> None:
    assert reach(host, tls=False) == Reach()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "pager.example.com", "", "localhost.evil.example.com"])
def test_others_are_not_served_in_the_clear(host: str) -> None:
    with pytest.raises(InputError, match=r"give --tls-cert FILE and --tls-key FILE, or --behind-proxy IP") as refused:
        reach(host, tls=False)
    assert "\n" not in refused.value.message
    assert reach(host, tls=True).proxies_only is False
    assert reach(host, tls=False, proxies=["10.0.0.1"]).proxies_only is True
    assert reach(host, tls=True, proxies=["10.0.0.1"]).proxies_only is False


@pytest.mark.parametrize("proxy", ["*", "", "proxy.example.com", "10.0.0.1/8", "0.0.0.0/0", "::/0", "10.0.0.256"])
def test_proxies_are_addresses_and_not_everybody(proxy: str) -> None:
    with pytest.raises(InputError, match="--behind-proxy"):
        reach("0.0.0.0", tls=False, proxies=[proxy])


@pytest.mark.parametrize(
    "url",
    ["pager.example.com", "ftp://a", "https://", "https://a/b", "https://a?b", "https://a#b", "https://u:p@a",
     "https://a:0", "https://a:99999", "https://a:b", "http://pager.example.com", "https://a b", "https://[::1",
     "https://p\u00e4ger.example.com", "javascript:alert(1)", 'https://a"b'],
)  # fmt: skip
def test_a_public_url_is_https_and_a_name(url: str) -> None:
    with pytest.raises(InputError, match="--public-url"):
        reach("0.0.0.0", tls=True, public_url=url)


def test_a_public_url_of_this_machine_may_be_http_where_nothing_else_is_served() -> None:
    assert reach("127.0.0.1", tls=False, public_url="http://localhost:9000/").public_url == "http://localhost:9000"
    with pytest.raises(InputError, match="https://localhost:9000"):
        reach("127.0.0.1", tls=True, public_url="http://localhost:9000")


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("pager.example.com", True),
        ("Pager.Example.com:443", True),
        ("inner:8377", True),
        ("10.0.0.7:8377", True),
        ("localhost:8377", True),
        ("10.0.0.7", False),
        ("10.0.0.8:8377", False),
        ("0.0.0.0:8377", False),
        ("pager.example.com.evil.example", False),
        ("evil.example", False),
        ("", False),
    ],
)
def test_names_of_the_server(host: str, own: bool) -> None:
    found = reach("inner", tls=True, public_url="https://pager.example.com")
    assert found.is_own(host, SERVER) is own


def test_the_usual_port_need_not_be_said() -> None:
    assert Reach().is_own("127.0.0.1", ("127.0.0.1", 443))
    assert Reach().is_own("10.0.0.7", ("::ffff:10.0.0.7", 80))


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("127.0.0.1:80", ("127.0.0.1", 80)),
        ("LOCALHOST", ("localhost", None)),
        ("[::1]:8000", ("::1", 8000)),
        ("[::1]", ("::1", None)),
        ("a:b", ("a:b", None)),
        ("a:999999", ("a:999999", None)),
    ],
)
def test_reading_the_host(header: str, found: tuple[str, int | None]) -> None:
    assert split_host(header) == found


class Seen:
    """An application that notes who came."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {}
        self.status = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = dict(scope)

    async def send(self, message: Any) -> None:
        self.status = message.get("status", self.status)


def come(found: Reach, peer: str, headers: dict[str, str]) -> Seen:
    async def receive() -> dict[str, Any]:
        return {}

    seen = Seen()
    scope = {"type": "http", "client": (peer, 5), "scheme": "http", "path": "/",
             "headers": [(name.encode(), value.encode()) for name, value in headers.items()]}  # fmt: skip
    asyncio.run(Forwarding(seen, found)(scope, receive, seen.send))
    return seen


PROXIED = reach("0.0.0.0", tls=False, proxies=["10.0.0.1", "10.1.0.0/24"])
CLAIM = {"x-forwarded-for": "9.9.9.9, 203.0.113.5", "x-forwarded-proto": "https"}


@pytest.mark.parametrize("peer", ["10.0.0.1", "10.1.0.200", "::ffff:10.0.0.1"])
def test_a_proxy_is_believed_about_the_last_hop(peer: str) -> None:
    seen = come(PROXIED, peer, CLAIM)
    assert (seen.scope["client"][0], seen.scope["scheme"]) == ("203.0.113.5", "https")


@pytest.mark.parametrize(
    ("claimed", "client"),
    [
        ("203.0.113.5:4711", "203.0.113.5"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("::ffff:203.0.113.5", "203.0.113.5"),
        ("fe80::1%<b>", "fe80::1"),
        ("unknown", "10.0.0.1"),
        ("<script>", "10.0.0.1"),
        ("9.9.9.9 admin", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_only_an_address_is_believed_to_be_one(claimed: str, client: str) -> None:
    assert come(PROXIED, "10.0.0.1", {"x-forwarded-for": claimed}).scope["client"][0] == client


def test_this_machine_itself_is_served_and_not_believed() -> None:
    seen = come(PROXIED, "127.0.0.1", CLAIM)
    assert (seen.scope["client"][0], seen.scope["scheme"]) == ("127.0.0.1", "http")


@pytest.mark.parametrize("peer", ["10.0.0.2", "203.0.113.5", "::1:1", "", "10.1.1.1"])
def test_nobody_comes_past_the_proxy(peer: str) -> None:
    seen = come(PROXIED, peer, CLAIM)
    assert (seen.scope, seen.status) == ({}, 403)


def test_with_tls_others_may_come_and_are_not_believed() -> None:
    seen = come(reach("0.0.0.0", tls=True, proxies=["10.0.0.1"]), "203.0.113.9", CLAIM)
    assert (seen.scope["client"][0], seen.scope["scheme"]) == ("203.0.113.9", "http")
